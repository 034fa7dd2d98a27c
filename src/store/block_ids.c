#include "store/block_ids.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SET_HEAD_MAX = 4, SET_MAX = SET_HEAD_MAX + SAMPLE_IDS_MAX * TRACE_ID_SIZE };

void block_ids_done(struct block_ids *s)
{
    free(s->sets);
    strmap_done(&s->known);
    arena_done(&s->bytes);
    *s = BLOCK_IDS_INIT;
}

static void block_ids_put_kind(const struct sample_ids *ids, bool trace, struct buf *out)
{
    uint8_t bytes[TRACE_ID_SIZE];
    for (size_t i = 0; i < ids->count; i++) {
        const struct sample_id *id = &ids->items[i];
        if (id->trace != trace)
            continue;
        sample_id_bytes(id, bytes);
        buf_append(out, bytes, sample_id_digits(id) / 2);
    }
}

static int64_t block_ids_append(struct block_ids *s, struct str set)
{
    if (!mem_grow(&s->sets, &s->cap, s->count + 1, sizeof *s->sets))
        return BLOCK_IDS_FULL;
    s->sets[s->count++] = set;
    return (int64_t)s->count;
}

int64_t block_ids_add(struct block_ids *s, const struct sample_ids *ids)
{
    size_t traces = 0;
    if (ids->count == 0)
        return 0;
    for (size_t i = 0; i < ids->count; i++)
        traces += ids->items[i].trace;
    cleanup_buf struct buf set = BUF_INIT(SET_MAX);
    block_put_number(&set, ids->count - traces);
    block_put_number(&set, traces);
    block_ids_put_kind(ids, false, &set);
    block_ids_put_kind(ids, true, &set);
    const uintptr_t known = (uintptr_t)strmap_get(&s->known, buf_slice(&set));
    if (known)
        return (int64_t)known;
    const struct str copy = arena_str(&s->bytes, buf_slice(&set));
    const int64_t number = copy.p ? block_ids_append(s, copy) : BLOCK_IDS_FULL;
    if (number > 0)
        strmap_put(&s->known, copy, (void *)(uintptr_t)number);
    return number;
}

static void block_ids_get_kind(struct cursor *c, size_t n, bool trace, struct sample_ids *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (; n && ret->count < SAMPLE_IDS_MAX; n--) {
        struct sample_id *id = &ret->items[ret->count++];
        id->trace = trace;
        for (size_t k = 0; k < sample_id_digits(id); k += 2) {
            const uint8_t byte = cursor_u8(c);
            id->hex[k] = digits[byte >> 4];
            id->hex[k + 1] = digits[byte & 15];
        }
    }
}

void block_ids_get(const struct block_ids *s, uint32_t number, struct sample_ids *ret)
{
    const struct str set = s->sets[number - 1];
    struct cursor c = cursor_of(set.p, set.n);
    const size_t spans = block_number(&c), traces = block_number(&c);
    ret->count = 0;
    block_ids_get_kind(&c, spans, false, ret);
    block_ids_get_kind(&c, traces, true, ret);
}

void block_ids_put(const struct block_ids *s, struct buf *out)
{
    block_put_number(out, s->count);
    for (size_t i = 0; i < s->count; i++)
        buf_str(out, s->sets[i]);
}

bool block_ids_read(struct cursor *c, struct block_ids *s)
{
    const uint64_t count = block_number(c);
    if (count > cursor_left(c))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *const from = c->p;
        const uint64_t spans = block_number(c), traces = block_number(c);
        if (c->bad || spans > SAMPLE_IDS_MAX || traces > SAMPLE_IDS_MAX - spans || spans + traces == 0)
            return false;
        (void)cursor_bytes(c, (spans * SPAN_ID_HEX + traces * TRACE_ID_HEX) / 2);
        if (c->bad || block_ids_append(s, (struct str){(const char *)from, (size_t)(c->p - from)}) < 0)
            return false;
    }
    return true;
}
