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

enum { BLOCK_REQUEST_MAX = 256 << 20, GROUP_HOURS = 24, GROUP_BLOCKS = 32 };

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

/* Where everything goes to. */
struct block_sum_of {
    struct flame *out;
    int64_t *period;
};

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

/* Blocks that are asked for together: the answer is one tree, and is kept as one. */
struct block_group {
    int64_t blocks[GROUP_BLOCKS];
    struct buf heads[GROUP_BLOCKS], bytes[GROUP_BLOCKS];
    struct parser_item items[GROUP_BLOCKS];
    size_t count;
    struct buf answer;
};

static void block_group_free(struct block_group **g)
{
    for (size_t i = 0; i < (*g)->count; i++) {
        buf_done(&(*g)->heads[i]);
        buf_done(&(*g)->bytes[i]);
    }
    buf_done(&(*g)->answer);
    free(*g);
}

/* How many picks, from the first on, have its block. */
static size_t block_picks(const struct slice_pick *picks, size_t n)
{
    size_t same = 1;
    while (same < n && picks[same].slice.block == picks->slice.block)
        same++;
    return same;
}

static int block_group_fill(struct store_reader *r, struct block_group *g, const struct slice_pick *picks, size_t n,
                            const struct flame_ask *ask, struct err *err)
{
    int code = 0;
    for (size_t at = 0, same; code >= 0 && at < n; at += same) {
        same = block_picks(picks + at, n - at);
        g->heads[g->count] = BUF_INIT(BLOCK_REQUEST_MAX);
        g->bytes[g->count] = BUF_INIT(BLOCK_REQUEST_MAX);
        g->blocks[g->count++] = picks[at].slice.block;
        struct buf *head = &g->heads[g->count - 1], *bytes = &g->bytes[g->count - 1];
        code = block_request(r, picks + at, same, ask, head, bytes, err);
        g->items[g->count - 1] = (struct parser_item){buf_slice(head), buf_slice(bytes)};
        if (code == 0)
            g->count--;
    }
    return code < 0 ? code : 0;
}

static void block_answer(struct store_reader *r, const struct block_group *g, const struct parser_answer *a,
                         struct block_sum_of *sum)
{
    const int64_t longest = flame_merge_period(a->bytes);
    *sum->period = longest > *sum->period ? longest : *sum->period;
    if (flame_merge_damaged(a->bytes))
        reader_leave_out(r, READER_BLOCK, g->blocks[a->first]);
    flame_merge_add(sum->out, a->bytes);
}

/* A block that ends the parser is left out, like one that is damaged. How many answers there were. */
static int block_group_ask(struct store_reader *r, struct block_group *g, struct block_sum_of *sum, unsigned *answers,
                           struct err *err)
{
    cleanup_parser_batch struct parser_batch b = {.pool = r->parsers,
                                                  .service = &block_flame_service,
                                                  .items = g->items,
                                                  .count = g->count,
                                                  .answer_max = FLAME_MERGE_MAX,
                                                  .check = flame_merge_check};
    struct parser_answer a;
    int code;
    while ((code = parser_batch_next(&b, &a, err)) > 0 || code == -ECANCELED) {
        if (code == 1) {
            block_answer(r, g, &a, sum);
            if ((*answers)++ == 0)
                buf_str(&g->answer, a.bytes);
        } else {
            reader_leave_out(r, READER_BLOCK, g->blocks[a.first]);
        }
    }
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        r->endings[i] += b.endings[i];
    r->set_aside += b.set_aside;
    return code;
}

static void block_add_known(struct str answer, struct block_sum_of *sum)
{
    const int64_t longest = flame_merge_period(answer);
    *sum->period = longest > *sum->period ? longest : *sum->period;
    flame_merge_add(sum->out, answer);
}

/* One answer of several, as they are too much for one request: merged here, so that it can be kept. */
static int block_group_merge(struct store_reader *r, struct block_group *g, const struct flame_ask *ask,
                             struct block_sum_of *sum, struct err *err)
{
    cleanup_flame struct flame all;
    int64_t period = 0;
    unsigned answers = 0;
    flame_init(&all, ask->nodes, FLAME_NAME_BYTES_MAX);
    int code = block_group_ask(r, g, &(struct block_sum_of){&all, &period}, &answers, err);
    if (code == 0 && answers > 1) {
        buf_reset(&g->answer);
        flame_merge_put(&all, period, 0, &g->answer);
    }
    if (code == 0 && answers && buf_ok(&g->answer))
        block_add_known(buf_slice(&g->answer), sum);
    return code < 0 || buf_ok(&g->answer) ? code : err_set(err, -EMSGSIZE, "too much of one day is selected");
}

static int block_merge(struct store_reader *r, const struct slice_pick *picks, size_t n, const struct flame_ask *ask,
                       struct str ask_bytes, struct block_sum_of *sum, struct err *err)
{
    const struct block_cache_key key = block_key(picks, n, ask_bytes);
    const struct str known = r->cache ? block_cache_get(r->cache, key) : (struct str){0};
    if (known.p) {
        block_add_known(known, sum);
        return 0;
    }
    __attribute__((cleanup(block_group_free))) struct block_group *g = xcalloc(1, sizeof *g);
    unsigned answers = 0;
    g->answer = BUF_INIT(FLAME_MERGE_MAX);
    int code = block_group_fill(r, g, picks, n, ask, err);
    if (code == 0 && g->count > 1)
        code = block_group_merge(r, g, ask, sum, err);
    else if (code == 0)
        code = block_group_ask(r, g, sum, &answers, err);
    if (code == 0 && r->cache && g->answer.len)
        block_cache_put(r->cache, key, buf_slice(&g->answer));
    return code;
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
    cleanup_buf struct buf ask_bytes = BUF_INIT(BLOCK_REQUEST_MAX);
    int code = 0;
    flame_ask_put(ask, &ask_bytes);
    if (!buf_ok(&ask_bytes))
        return err_set(err, -EMSGSIZE, "too many spans or traces are selected");
    for (size_t at = 0, n; code == 0 && at < picks->len; at += n) {
        n = block_group_size(picks->items + at, picks->len - at);
        code = block_merge(r, picks->items + at, n, ask, buf_slice(&ask_bytes), &sum, err);
        if (code == 0)
            code = reader_in_time(r, err);
    }
    return code;
}
