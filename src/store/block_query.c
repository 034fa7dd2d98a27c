#define XXH_INLINE_ALL
#include "store/block_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/block_cache.h"
#include "store/flame_merge.h"
#include "store/reader.h"

enum { BLOCK_REQUEST_MAX = 256 << 20 };

void slice_picks_done(struct slice_picks *p)
{
    for (size_t i = 0; i < p->len; i++)
        free(p->items[i].rows);
    free(p->items);
    *p = (struct slice_picks){0};
}

int slice_picks_add(struct store_reader *r, int64_t series, int64_t from_ns, int64_t until_ns, struct slice_picks *out,
                    struct err *err)
{
    cleanup_slice_list struct slice_list found = {0};
    const int code = slices_of(r->db, series, from_ns, until_ns, &found, err);
    for (size_t i = 0; code == 0 && i < found.len; i++) {
        xgrow(&out->items, &out->cap, out->len + 1, sizeof *out->items);
        out->items[out->len++] = (struct slice_pick){.slice = found.items[i]};
    }
    return code;
}

static int slice_pick_order(const void *a, const void *b)
{
    const struct slice *x = &((const struct slice_pick *)a)->slice, *y = &((const struct slice_pick *)b)->slice;
    const int64_t xs[] = {x->first_ns / STORE_HOUR_NS, x->block, x->id};
    const int64_t ys[] = {y->first_ns / STORE_HOUR_NS, y->block, y->id};
    for (size_t i = 0; i < ARRAY_LEN(xs); i++) {
        if (xs[i] != ys[i])
            return xs[i] < ys[i] ? -1 : 1;
    }
    return 0;
}

void slice_picks_sort(struct slice_picks *p)
{
    if (p->len)
        qsort(p->items, p->len, sizeof *p->items, slice_pick_order);
}

static bool slice_filter_has(const struct slice_filter *f, const uint8_t *id)
{
    for (size_t i = 0; i < f->id_count; i++) {
        if (memcmp(f->ids[i], id, SLICE_ID_SIZE) == 0)
            return true;
    }
    return f->id_count == 0;
}

int slice_pick_select(struct store_reader *r, struct slice_pick *pick, const struct slice_filter *filter,
                      struct slice_profiles *profiles, struct err *err)
{
    const struct slice *s = &pick->slice;
    const int code = slice_read(r->db, s, profiles, err);
    if (code <= 0) {
        if (code == 0)
            reader_leave_out(r, READER_SLICE, s->id);
        return code;
    }
    if (s->first_ns >= filter->from_ns && s->last_ns <= filter->until_ns && filter->id_count == 0)
        return 1;
    pick->rows = xcalloc(s->profiles + 1, sizeof *pick->rows);
    for (size_t i = 0; i < s->profiles; i++) {
        const int64_t t = profiles->columns.times[i];
        if (t >= filter->from_ns && t <= filter->until_ns &&
            slice_filter_has(filter, profiles->ids + i * SLICE_ID_SIZE))
            pick->rows[pick->row_count++] = (uint32_t)i;
    }
    return 1;
}

/* ---- stacks ---- */

static bool slice_pick_wants(const struct slice_pick *p)
{
    return !p->rows || p->row_count;
}

static struct block_cache_key block_key(const struct slice_pick *picks, size_t n, struct str ask)
{
    XXH3_state_t *state = XXH3_createState();
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, ask.p, ask.n);
    for (size_t i = 0; i < n; i++) {
        const uint64_t head[] = {(uint64_t)picks[i].slice.id, picks[i].rows ? picks[i].row_count : UINT64_MAX};
        XXH3_128bits_update(state, head, sizeof head);
        if (picks[i].rows)
            XXH3_128bits_update(state, picks[i].rows, picks[i].row_count * sizeof *picks[i].rows);
    }
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    return (struct block_cache_key){hash.low64, hash.high64};
}

/* Blobs of the wants of one block. */
struct want_list {
    struct block_want *items;
    size_t len;
};

static void want_list_done(struct want_list *l)
{
    for (size_t i = 0; i < l->len; i++)
        free((void *)l->items[i].blob.p);
    free(l->items);
}

static struct str block_copy(struct str s)
{
    char *p = xmalloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

/* The sum where it will do. */
static int block_want_slice(struct store_reader *r, const struct slice_pick *pick, bool by_sample,
                            struct want_list *out, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_SLICE_STACKS, err);
    if (!st)
        return err->code;
    db_bind(st, 1, pick->slice.id);
    const int code = db_step(r->db, st, err);
    if (code == -EBADMSG)
        reader_leave_out(r, READER_SLICE, pick->slice.id);
    if (code <= 0)
        return code == -EBADMSG ? 0 : code;
    const bool sum = !pick->rows && !by_sample && db_column(st, 0).n;
    out->items[out->len++] = (struct block_want){.blob = block_copy(db_column(st, sum ? 0 : 1)),
                                                 .is_sum = sum,
                                                 .rows = pick->rows,
                                                 .row_count = pick->row_count};
    sqlite3_reset(st);
    return 0;
}

static int block_read_tree(struct store_reader *r, int64_t block, struct str *ret, struct err *err)
{
    sqlite3_stmt *st = db_statement(r->db, DB_BLOCK_TREE, err);
    if (!st)
        return err->code;
    db_bind(st, 1, block);
    const int code = db_step(r->db, st, err);
    if (code == 1) {
        *ret = block_copy(db_column(st, 0));
        sqlite3_reset(st);
    }
    return code == -EBADMSG ? 0 : code;
}

static int block_request(struct store_reader *r, const struct slice_pick *picks, size_t n, const struct flame_ask *ask,
                         struct buf *head, struct buf *bytes, struct err *err)
{
    __attribute__((cleanup(want_list_done))) struct want_list wants = {.items = xcalloc(n + 1, sizeof *wants.items)};
    struct str tree = {0};
    const bool by_sample = ask->span_count || ask->trace_count;
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++) {
        if (slice_pick_wants(&picks[i]))
            code = block_want_slice(r, &picks[i], by_sample, &wants, err);
    }
    if (code == 0 && wants.len == 0)
        return 0;
    if (code == 0)
        code = block_read_tree(r, picks->slice.block, &tree, err);
    if (code == 1)
        block_flame_request(ask, tree, wants.items, wants.len, head, bytes);
    free((void *)tree.p);
    if (code == 0)
        reader_leave_out(r, READER_BLOCK, picks->slice.block);
    if (code == 1 && (!buf_ok(head) || !buf_ok(bytes)))
        return err_set(err, -EMSGSIZE, "too much of one hour is selected: add label matchers");
    return code;
}

static void block_add(struct store_reader *r, int64_t block, struct str answer, struct flame *out, int64_t *period)
{
    const int64_t longest = flame_merge_period(answer);
    *period = longest > *period ? longest : *period;
    if (flame_merge_damaged(answer))
        reader_leave_out(r, READER_BLOCK, block);
    flame_merge_add(out, answer);
}

/* A block that ends the parser is left out, like one that is damaged. */
static int block_merge(struct store_reader *r, const struct slice_pick *picks, size_t n, const struct flame_ask *ask,
                       struct str ask_bytes, struct flame *out, int64_t *period, struct err *err)
{
    const struct block_cache_key key = block_key(picks, n, ask_bytes);
    const struct str known = r->cache ? block_cache_get(r->cache, key) : (struct str){0};
    if (known.p) {
        block_add(r, picks->slice.block, known, out, period);
        return 0;
    }
    cleanup_buf struct buf head = BUF_INIT(BLOCK_REQUEST_MAX), bytes = BUF_INIT(BLOCK_REQUEST_MAX);
    int code = block_request(r, picks, n, ask, &head, &bytes, err);
    if (code <= 0)
        return code;
    const struct parser_item item = {buf_slice(&head), buf_slice(&bytes)};
    cleanup_parser_batch struct parser_batch b = {.pool = r->parsers,
                                                  .service = &block_flame_service,
                                                  .items = &item,
                                                  .count = 1,
                                                  .answer_max = FLAME_MERGE_MAX,
                                                  .check = flame_merge_check};
    struct parser_answer a;
    code = parser_batch_next(&b, &a, err);
    if (code == 1) {
        block_add(r, picks->slice.block, a.bytes, out, period);
        if (r->cache)
            block_cache_put(r->cache, key, a.bytes);
    } else if (code == -ECANCELED) {
        reader_leave_out(r, READER_BLOCK, picks->slice.block);
    }
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        r->endings[i] += b.endings[i];
    r->set_aside += b.set_aside;
    return code == 1 || code == -ECANCELED ? 0 : code;
}

int slice_picks_merge(struct store_reader *r, const struct slice_picks *picks, const struct flame_ask *ask,
                      struct flame *out, int64_t *period, struct err *err)
{
    cleanup_buf struct buf ask_bytes = BUF_INIT(BLOCK_REQUEST_MAX);
    int code = 0;
    flame_ask_put(ask, &ask_bytes);
    if (!buf_ok(&ask_bytes))
        return err_set(err, -EMSGSIZE, "too many spans or traces are selected");
    for (size_t at = 0, n; code == 0 && at < picks->len; at += n) {
        const struct slice_pick *first = &picks->items[at];
        for (n = 1; at + n < picks->len && first[n].slice.block == first->slice.block;)
            n++;
        code = block_merge(r, first, n, ask, buf_slice(&ask_bytes), out, period, err);
        if (code == 0)
            code = reader_in_time(r, err);
    }
    return code;
}
