#include "pprof/snapshot.h"

#include <errno.h>

#include "base/gzip.h"
#include "base/wire.h"

enum { INFLATED_MAX = 16 << 20, LABELS_MAX = 64 };

/* One entry of a protobuf map: a message of key and value. */
static bool snapshot_read_entry(const struct wire_field *f, struct wire_field *key, struct wire_field *value)
{
    struct wire_reader r = wire_reader_of(f->bytes);
    struct wire_field part;
    *key = *value = (struct wire_field){0};
    while (f->type == WIRE_BYTES && wire_next(&r, &part)) {
        if (part.number_of == 1)
            *key = part;
        else if (part.number_of == 2)
            *value = part;
    }
    return f->type == WIRE_BYTES && !r.bad;
}

static bool snapshot_take_string(struct snapshot *s, const struct wire_field *f)
{
    struct wire_field key, text;
    if (!snapshot_read_entry(f, &key, &text))
        return false;
    uint32_t string = symbols_string(s->symbols, text.bytes);
    s->full |= string == SYMBOLS_FULL;
    u64map_put(&s->strings, key.number, string);
    return !s->full;
}

/* The value is a message with another map in it: string id -> string id. */
static bool snapshot_take_context(struct snapshot *s, const struct wire_field *f)
{
    struct pprof_label labels[LABELS_MAX];
    struct wire_field id, set, pair, key, value;
    size_t n = 0;
    if (!snapshot_read_entry(f, &id, &set))
        return false;
    struct wire_reader r = wire_reader_of(set.bytes);
    while (wire_next(&r, &pair)) {
        if (pair.number_of != 1)
            continue;
        if (!snapshot_read_entry(&pair, &key, &value))
            return false;
        struct pprof_label l = {.key = snapshot_string(s, key.number), .str = snapshot_string(s, value.number)};
        if (l.key && l.str && n < LABELS_MAX)
            labels[n++] = l;
    }
    uint32_t labels_of_it = symbols_labels(s->symbols, labels, n);
    s->full |= labels_of_it == SYMBOLS_FULL;
    u64map_put(&s->contexts, id.number, labels_of_it);
    return !r.bad && !s->full;
}

static bool snapshot_each(struct snapshot *s, struct str bytes, uint32_t number,
                          bool (*take)(struct snapshot *s, const struct wire_field *f))
{
    struct wire_reader r = wire_reader_of(bytes);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of == number && !take(s, &f))
            return false;
    }
    return !r.bad;
}

int snapshot_read(struct snapshot *s, struct str bytes, struct symbols *symbols, struct err *err)
{
    cleanup_buf struct buf plain = BUF_INIT(INFLATED_MAX);
    *s = (struct snapshot){.symbols = symbols};
    if (bytes.n >= 2 && (uint8_t)bytes.p[0] == 0x1f && (uint8_t)bytes.p[1] == 0x8b) {
        int code = gzip_inflate(bytes, &plain, err);
        if (code < 0)
            return err_wrap(err, code, "labels");
        bytes = buf_slice(&plain);
    }
    /* Contexts name strings, which may come behind them. */
    if (!snapshot_each(s, bytes, 2, snapshot_take_string) || !snapshot_each(s, bytes, 1, snapshot_take_context))
        return s->full ? err_set(err, -E2BIG, "labels: too many")
                       : err_set(err, -EBADMSG, "labels: truncated or malformed");
    return 0;
}

void snapshot_done(struct snapshot *s)
{
    u64map_done(&s->strings);
    u64map_done(&s->contexts);
}

uint32_t snapshot_string(const struct snapshot *s, uint64_t id)
{
    uint64_t string;
    return u64map_get(&s->strings, id, &string) ? (uint32_t)string : 0;
}

const struct pprof_labels *snapshot_context(const struct snapshot *s, uint64_t id)
{
    uint64_t set = 0;
    return &s->symbols->label_sets[u64map_get(&s->contexts, id, &set) ? set : 0];
}
