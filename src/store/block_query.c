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
#include "store/block_load.h"
#include "store/flame_merge.h"
#include "store/reader.h"

enum { ASK_BYTES_MAX = 1 << 20, GROUP_HOURS = 24, GROUP_BLOCKS = 32 };
/* Of so many, half is asked of each of two processes. */
enum { BESIDE_BLOCKS = 6 };

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

bool slice_pick_is_whole(const struct slice_pick *pick, const struct slice_filter *filter)
{
    const struct slice *s = &pick->slice;
    return s->first_ns >= filter->from_ns && s->last_ns <= filter->until_ns && filter->id_count == 0;
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
    if (slice_pick_is_whole(pick, filter))
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

/* Where everything goes to. */
struct block_sum_of {
    struct flame *out;
    int64_t *period;
};

static bool slice_pick_wants(const struct slice_pick *p)
{
    return !p->rows || p->row_count;
}

static uint32_t slice_pick_profiles(const struct slice_pick *p)
{
    return (uint32_t)(p->rows ? p->row_count : p->slice.profiles);
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
static int block_want_slice(struct store_reader *r, const struct slice_pick *pick, uint32_t number, bool by_row,
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
    const bool sum = !pick->rows && !by_row && db_column(st, 0).n;
    out->items[out->len++] = (struct block_want){.blob = block_copy(db_column(st, sum ? 0 : 1)),
                                                 .is_sum = sum,
                                                 .rows = pick->rows,
                                                 .row_count = pick->row_count,
                                                 .number = number};
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

/* How a service asks about blocks. */
struct block_question {
    bool by_row; /* the sum of all rows will not do */
    bool tree;
};

/* Of picks of one block; what is asked is in the head already. 0: there is nothing to ask about. */
static int block_request(struct store_reader *r, const struct slice_pick *picks, size_t n, uint32_t number,
                         struct block_question q, struct buf *head, struct buf *bytes, struct err *err)
{
    __attribute__((cleanup(want_list_done))) struct want_list wants = {.items = xcalloc(n + 1, sizeof *wants.items)};
    struct str tree = {0};
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++) {
        if (slice_pick_wants(&picks[i]))
            code = block_want_slice(r, &picks[i], number, q.by_row, &wants, err);
        number += slice_pick_profiles(&picks[i]);
    }
    if (code < 0 || wants.len == 0)
        return code;
    code = q.tree ? block_read_tree(r, picks->slice.block, &tree, err) : 1;
    if (code == 1)
        block_wants_put(tree, wants.items, wants.len, head, bytes);
    free((void *)tree.p);
    if (code == 0)
        reader_leave_out(r, READER_BLOCK, picks->slice.block);
    return code == 1 && (!buf_ok(head) || !buf_ok(bytes)) ? reader_too_large(r, err) : code;
}

/* How many picks, from the first on, have its block. */
static size_t block_picks(const struct slice_pick *picks, size_t n)
{
    size_t same = 1;
    while (same < n && picks[same].slice.block == picks->slice.block)
        same++;
    return same;
}

static size_t block_count(const struct slice_pick *picks, size_t n)
{
    size_t blocks = 0;
    for (size_t at = 0; at < n; at += block_picks(picks + at, n - at))
        blocks++;
    return blocks;
}

/* Blocks of the same day, asked for together: the sum of all is one answer, and is kept as one. */
struct block_group {
    struct store_reader *r;
    const struct flame_ask *ask;
    const struct flame *out;        /* what the query has so far */
    const struct slice_pick *picks; /* those that no load has yet */
    size_t left;
    struct flame sum;
    int64_t period;
    struct block_load *loads[BLOCK_LOADS];
};

static void block_group_done(struct block_group *g)
{
    for (size_t i = 0; i < BLOCK_LOADS; i++)
        block_load_free(g->loads[i]);
    flame_done(&g->sum);
}

/* The next blocks, `max` at most. */
static int block_group_fill(struct block_group *g, struct block_load *load, size_t max, struct err *err)
{
    const struct block_question q = {.by_row = g->ask->span_count || g->ask->trace_count, .tree = true};
    int code = 0;
    block_load_reset(load, reader_memory(g->r));
    while (code >= 0 && g->left && block_load_has_room(load) && load->count < max) {
        const size_t same = block_picks(g->picks, g->left);
        struct buf *head, *bytes;
        block_load_next(load, &head, &bytes);
        flame_ask_put(g->ask, head);
        code = block_request(g->r, g->picks, same, 0, q, head, bytes, err);
        if (code == 1)
            block_load_keep(load, g->picks->slice.block);
        g->picks += same;
        g->left -= same;
    }
    return code < 0 ? code : 0;
}

static size_t block_group_bytes(const struct block_group *g)
{
    size_t bytes = flame_bytes(&g->sum) + flame_bytes(g->out);
    for (size_t i = 0; i < BLOCK_LOADS; i++)
        bytes += g->loads[i] ? block_load_bytes(g->loads[i]) : 0;
    return bytes;
}

/* A block that ended the parser is left out, like one that is damaged. */
static int block_group_take(struct block_group *g, struct block_load *load, struct err *err)
{
    struct store_reader *r = g->r;
    reader_count_endings(r, load->endings, (unsigned)load->aside_count);
    for (size_t i = 0; i < load->aside_count; i++)
        reader_leave_out(r, READER_BLOCK, load->aside[i]);
    int code = load->code;
    if (code == -EMSGSIZE || code == -ENOMEM)
        return reader_too_large(r, err);
    if (code < 0)
        *err = load->err;
    for (size_t i = 0; code == 0 && i < load->answer_count; i++) {
        const struct str answer = buf_slice(&load->answers[i].bytes);
        if (flame_merge_damaged(answer))
            reader_leave_out(r, READER_BLOCK, load->answers[i].block);
        flame_merge_add(&g->sum, &g->period, answer);
        code = reader_in_memory(r, block_group_bytes(g), err);
    }
    return code;
}

/* The blocks of a group, some at a time. */
static int block_group_merge(struct block_group *g, struct err *err)
{
    const size_t blocks = block_count(g->picks, g->left);
    const size_t loads = blocks < BESIDE_BLOCKS ? 1 : BLOCK_LOADS;
    int code = 0;
    for (size_t i = 0; i < loads; i++)
        g->loads[i] = block_load_new();
    while (code == 0 && g->left) {
        size_t n = 0;
        while (code == 0 && n < loads && (n == 0 || g->left))
            code = block_group_fill(g, g->loads[n++], (blocks + loads - 1) / loads, err);
        if (code == 0)
            block_loads_ask(g->loads, n, g->r->parsers);
        for (size_t i = 0; code == 0 && i < n; i++)
            code = block_group_take(g, g->loads[i], err);
        if (code == 0)
            code = reader_in_time(g->r, err);
    }
    return code;
}

static int block_add_known(struct store_reader *r, struct str answer, struct block_sum_of *sum, struct err *err)
{
    flame_merge_add(sum->out, sum->period, answer);
    return reader_in_memory(r, flame_bytes(sum->out), err);
}

static int block_merge(struct store_reader *r, const struct slice_pick *picks, size_t n, const struct flame_ask *ask,
                       struct str ask_bytes, struct block_sum_of *sum, struct err *err)
{
    const struct block_cache_key key = block_key(picks, n, ask_bytes);
    const struct str known = r->cache ? block_cache_get(r->cache, key) : (struct str){0};
    if (known.p)
        return block_add_known(r, known, sum, err);
    cleanup_buf struct buf answer = BUF_INIT(FLAME_MERGE_MAX);
    __attribute__((cleanup(block_group_done))) struct block_group g = {
        .r = r, .ask = ask, .out = sum->out, .picks = picks, .left = n};
    flame_init(&g.sum, ask->nodes, FLAME_NAME_BYTES_MAX);
    int code = block_group_merge(&g, err);
    if (code < 0)
        return code;
    flame_merge_put(&g.sum, g.period, 0, &answer);
    if (!buf_ok(&answer))
        return reader_too_large(r, err);
    if (r->cache)
        block_cache_put(r->cache, key, buf_slice(&answer));
    return block_add_known(r, buf_slice(&answer), sum, err);
}

static bool block_is_whole(const struct slice_pick *picks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (picks[i].rows)
            return false;
    }
    return true;
}

/* Blocks of the same GROUP_HOURS that are wanted as a whole, or one block. The same ones come together whatever the
 * range is, so that the answer is found again when it moves. */
static size_t block_group_size(const struct slice_pick *picks, size_t n)
{
    const int64_t hours = picks->slice.first_ns / STORE_HOUR_NS / GROUP_HOURS;
    size_t len = block_picks(picks, n), blocks = 1;
    if (!block_is_whole(picks, len))
        return len;
    while (len < n && blocks < GROUP_BLOCKS && picks[len].slice.first_ns / STORE_HOUR_NS / GROUP_HOURS == hours) {
        const size_t more = block_picks(picks + len, n - len);
        if (!block_is_whole(picks + len, more))
            break;
        len += more;
        blocks++;
    }
    return len;
}

int slice_picks_merge(struct store_reader *r, const struct slice_picks *picks, const struct flame_ask *ask,
                      struct flame *out, int64_t *period, struct err *err)
{
    struct block_sum_of sum = {out, period};
    cleanup_buf struct buf ask_bytes = BUF_INIT(ASK_BYTES_MAX);
    int code = 0;
    flame_ask_put(ask, &ask_bytes);
    if (!buf_ok(&ask_bytes))
        return err_set(err, -EMSGSIZE, "too many spans or traces are selected");
    for (size_t at = 0, n; code == 0 && at < picks->len; at += n) {
        n = block_group_size(picks->items + at, picks->len - at);
        code = block_merge(r, picks->items + at, n, ask, buf_slice(&ask_bytes), &sum, err);
    }
    return code;
}

/* ---- values ---- */

static int block_values(struct store_reader *r, const struct slice_pick *picks, size_t n, uint32_t first,
                        const struct values_ask *ask, void (*visit)(void *arg, const struct profile_value *v),
                        void *arg, struct err *err)
{
    const size_t max = reader_memory(r);
    cleanup_buf struct buf head = BUF_INIT(max), bytes = BUF_INIT(max);
    const struct block_question q = {.by_row = true, .tree = ask->call_site_len};
    values_ask_put(ask, &head);
    int code = block_request(r, picks, n, first, q, &head, &bytes, err);
    if (code <= 0)
        return code;
    const struct parser_item item = {buf_slice(&head), buf_slice(&bytes)};
    cleanup_parser_batch struct parser_batch b = {.pool = r->parsers,
                                                  .service = &block_values_service,
                                                  .items = &item,
                                                  .count = 1,
                                                  .answer_max = max < VALUES_ANSWER_MAX ? max : VALUES_ANSWER_MAX,
                                                  .check = values_check};
    struct parser_answer a;
    while ((code = parser_batch_next(&b, &a, err)) > 0 || code == -ECANCELED) {
        if (code < 0 || values_damaged(a.bytes))
            reader_leave_out(r, READER_BLOCK, picks->slice.block);
        for (size_t i = 0; code > 0 && i < values_count(a.bytes); i++) {
            const struct profile_value value = values_at(a.bytes, i);
            visit(arg, &value);
        }
    }
    reader_count_endings(r, b.endings, b.set_aside);
    return code == -ENOMEM || code == -EMSGSIZE ? reader_too_large(r, err) : code;
}

int slice_picks_values(struct store_reader *r, const struct slice_picks *picks, uint32_t first,
                       const struct values_ask *ask, void (*visit)(void *arg, const struct profile_value *v), void *arg,
                       struct err *err)
{
    int code = 0;
    for (size_t at = 0, n; code == 0 && at < picks->len; at += n) {
        n = block_picks(picks->items + at, picks->len - at);
        code = block_values(r, picks->items + at, n, first, ask, visit, arg, err);
        for (size_t i = 0; i < n; i++)
            first += slice_pick_profiles(&picks->items[at + i]);
        if (code == 0)
            code = reader_in_time(r, err);
    }
    return code;
}
