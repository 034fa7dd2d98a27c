/* Blocks give what the bodies gave: before and after joining, for all rows and for some, whatever is asked. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/decode.h"
#include "pprof/encode.h"
#include "pprof_random.h"
#include "store/block.h"
#include "store/body_samples.h"
#include "store/flame_merge.h"
#include "store/limits.h"
#include "store/profile_values.h"
#include "store/splits.h"
#include "test.h"

enum { BODIES_MAX = 40, PARTS_MAX = 16, SLICES_MAX = 32, BLOBS_MAX = 16, MAX = 64 << 20 };

/* One series of the block, with the blobs that its rows are in. */
struct series {
    int64_t split;
    uint32_t type;
    struct buf rows[BLOBS_MAX], sums[BLOBS_MAX];
    uint32_t counts[BLOBS_MAX];
    size_t blob_count;
    size_t bodies[BODIES_MAX]; /* by row of all blobs: whose it is */
    size_t row_count;
};
struct model {
    struct buf pprofs[BODIES_MAX];
    size_t body_count;
    struct series series[SLICES_MAX];
    size_t series_count;
    struct buf tree;
    uint32_t nodes;
};

static void model_done(struct model *m)
{
    for (size_t i = 0; i < m->body_count; i++)
        buf_done(&m->pprofs[i]);
    for (size_t i = 0; i < m->series_count; i++) {
        for (size_t k = 0; k < m->series[i].blob_count; k++) {
            buf_done(&m->series[i].rows[k]);
            buf_done(&m->series[i].sums[k]);
        }
    }
    buf_done(&m->tree);
    free(m);
}

static struct buf copy_of(struct str s)
{
    struct buf b = BUF_INIT(MAX);
    buf_str(&b, s);
    return b;
}

static uint32_t model_series(struct model *m, int64_t split, uint32_t type)
{
    for (size_t i = 0; i < m->series_count; i++) {
        if (m->series[i].split == split && m->series[i].type == type)
            return (uint32_t)i;
    }
    CHECK(m->series_count < SLICES_MAX);
    m->series[m->series_count] = (struct series){.split = split, .type = type};
    return (uint32_t)m->series_count++;
}

/* What the push made of a body: a part for each of its series. */
static size_t model_parts(struct model *m, struct str pprof, struct block_part *parts)
{
    cleanup_symbols struct symbols s;
    struct profile p;
    struct err err;
    size_t n = 0;
    symbols_init(&s, MAX);
    if (pprof_decode(pprof.p, pprof.n, STORE_PROFILE_MAX, &s, &p, &err) < 0) {
        parts[0] = (struct block_part){0, 0, model_series(m, 0, 0)};
        return 1;
    }
    cleanup_splits struct splits splits = SPLITS_INIT(&s);
    for (size_t i = 0; i < p.sample_count; i++) {
        size_t at;
        if (splits_counts(profile_values(&p, i), p.type_count))
            CHECK_INT(splits_of(&splits, p.samples[i].labels, &at), 0);
    }
    for (size_t i = 0; i < splits.len; i++) {
        for (uint32_t t = 0; t < p.type_count && n < PARTS_MAX; t++) {
            const int64_t split = splits.items[i].number;
            parts[n++] = (struct block_part){split, t, model_series(m, split, t)};
        }
    }
    profile_done(&p);
    return n;
}

static struct buf serve(const struct parser_service *s, struct str head, struct str bytes)
{
    struct buf out = BUF_INIT(BLOCK_ANSWER_MAX);
    struct err err = {0};
    CHECK_INT(s->serve(&(struct parser_item){head, bytes}, 1, &out, &err), 0);
    CHECK_STR(err.text, "");
    return out;
}

/* Packs the bodies from `first` on into the block. */
static void model_pack(struct model *m, size_t first)
{
    struct block_body bodies[BODIES_MAX];
    struct block_part parts[BODIES_MAX][PARTS_MAX];
    const size_t n = m->body_count - first;
    for (size_t i = 0; i < n; i++) {
        const struct str pprof = buf_slice(&m->pprofs[first + i]);
        bodies[i] = (struct block_body){pprof, parts[i], model_parts(m, pprof, parts[i])};
        for (size_t k = 0; k < bodies[i].part_count; k++) {
            struct series *s = &m->series[parts[i][k].slice];
            s->bodies[s->row_count++] = first + i;
        }
    }
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    block_pack_request(buf_slice(&m->tree), bodies, n, (uint32_t)m->series_count, &head, &bytes);
    cleanup_buf struct buf answer = serve(&block_pack_service, buf_slice(&head), buf_slice(&bytes));
    cleanup_block_packed struct block_packed packed = {0};
    struct err err;
    CHECK_INT(block_pack_check(NULL, 1, buf_slice(&answer), &err), 0);
    CHECK_INT(block_pack_read(buf_slice(&answer), &packed, &err), 0);
    CHECK_INT(packed.slice_count, m->series_count);
    CHECK(packed.nodes >= m->nodes && !packed.full);
    for (size_t i = 0; i < n; i++)
        CHECK_INT(packed.fates[i], bodies[i].pprof.n == 5 ? BLOCK_BAD : BLOCK_PACKED);
    buf_done(&m->tree);
    m->tree = copy_of(packed.tree);
    m->nodes = packed.nodes;
    for (size_t i = 0; i < packed.slice_count; i++) {
        struct series *s = &m->series[i];
        s->rows[s->blob_count] = copy_of(packed.slices[i].rows);
        s->sums[s->blob_count] = copy_of(packed.slices[i].sum);
        s->counts[s->blob_count++] = packed.slices[i].count;
    }
}

/* All blobs of a series become one. */
static void model_join(struct series *s)
{
    struct str rows[BLOBS_MAX];
    for (size_t i = 0; i < s->blob_count; i++)
        rows[i] = buf_slice(&s->rows[i]);
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    block_join_request(rows, s->blob_count, &head, &bytes);
    cleanup_buf struct buf answer = serve(&block_join_service, buf_slice(&head), buf_slice(&bytes));
    struct err err;
    CHECK_INT(block_join_check(NULL, 1, buf_slice(&answer), &err), 0);
    struct cursor c = cursor_of(answer.p, answer.len);
    struct block_slice joined = {0};
    CHECK_INT(block_join_read(&c, &joined, &err), 0);
    CHECK_INT(joined.count, s->row_count);
    for (size_t i = 0; i < s->blob_count; i++) {
        buf_done(&s->rows[i]);
        buf_done(&s->sums[i]);
    }
    s->rows[0] = copy_of(joined.rows);
    s->sums[0] = copy_of(joined.sum);
    s->counts[0] = joined.count;
    s->blob_count = 1;
}

/* ---- what is asked ---- */

struct question {
    struct flame_ask ask;
    bool selected[SLICES_MAX][BODIES_MAX]; /* by series and row */
};

static struct buf answer_of_bodies(const struct model *m, const struct question *q)
{
    struct parser_item items[BODIES_MAX];
    struct buf heads[BODIES_MAX];
    size_t n = 0;
    for (size_t b = 0; b < m->body_count; b++) {
        struct buf head = BUF_INIT(MAX);
        size_t parts = 0;
        flame_ask_put(&q->ask, &head);
        for (size_t i = 0; i < m->series_count; i++) {
            const struct series *s = &m->series[i];
            for (size_t row = 0; row < s->row_count; row++) {
                const struct body_part part = {s->split, s->type};
                if (s->bodies[row] == b && q->selected[i][row] && ++parts)
                    buf_append(&head, &part, sizeof part);
            }
        }
        if (parts) {
            heads[n] = head;
            items[n] = (struct parser_item){buf_slice(&heads[n]), buf_slice(&m->pprofs[b])};
            n++;
        } else {
            buf_done(&head);
        }
    }
    struct buf out = BUF_INIT(FLAME_MERGE_MAX);
    struct err err;
    CHECK_INT(flame_merge_service.serve(items, n, &out, &err), 0);
    for (size_t i = 0; i < n; i++)
        buf_done(&heads[i]);
    return out;
}

static struct buf answer_of_block(const struct model *m, const struct question *q)
{
    struct block_want wants[SLICES_MAX * BLOBS_MAX];
    static uint32_t rows[SLICES_MAX][BODIES_MAX];
    size_t n = 0;
    const bool by_id = q->ask.span_count || q->ask.trace_count;
    for (size_t i = 0; i < m->series_count; i++) {
        const struct series *s = &m->series[i];
        size_t row = 0, used = 0;
        for (size_t k = 0; k < s->blob_count; k++) {
            const size_t first = used;
            for (uint32_t r = 0; r < s->counts[k]; r++, row++) {
                if (q->selected[i][row])
                    rows[i][used++] = r;
            }
            const bool all = used - first == s->counts[k];
            if (all && s->sums[k].len && !by_id)
                wants[n++] = (struct block_want){.blob = buf_slice(&s->sums[k]), .is_sum = true};
            else
                wants[n++] = (struct block_want){
                    .blob = buf_slice(&s->rows[k]), .rows = all ? NULL : &rows[i][first], .row_count = used - first};
        }
    }
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    flame_ask_put(&q->ask, &head);
    block_wants_put(buf_slice(&m->tree), wants, n, &head, &bytes);
    return serve(&block_flame_service, buf_slice(&head), buf_slice(&bytes));
}

/* Whether all that `a` has, `b` has as well. */
static void check_within(const struct flame *a, const struct flame *b)
{
    cleanup_free uint32_t *there = xcalloc(a->node_count, sizeof *there);
    CHECK_INT(b->node_count, a->node_count);
    for (size_t i = 0; i < a->node_count; i++) {
        uint64_t child = 0;
        if (i) {
            const uintptr_t name = (uintptr_t)strmap_get(&b->name_ids, a->names[a->nodes[i].name]);
            const uint64_t parent = there[a->nodes[i].parent];
            CHECK(name && u64map_get(&b->children, parent << 32 | (name - 1), &child));
        }
        there[i] = (uint32_t)child;
        CHECK_INT(b->nodes[child].self, a->nodes[i].self);
    }
}

static void ask(const struct model *m, const struct question *q)
{
    cleanup_buf struct buf bodies = answer_of_bodies(m, q), block = answer_of_block(m, q);
    cleanup_flame struct flame a, b;
    int64_t periods[2] = {0};
    struct err err = {0};
    CHECK_INT(flame_merge_check(NULL, 1, buf_slice(&bodies), &err), 0);
    CHECK_INT(flame_merge_check(NULL, 1, buf_slice(&block), &err), 0);
    flame_init(&a, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_init(&b, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_merge_add(&a, &periods[0], buf_slice(&bodies));
    flame_merge_add(&b, &periods[1], buf_slice(&block));
    CHECK_INT(periods[1], periods[0]);
    CHECK_INT(flame_merge_damaged(buf_slice(&block)), 0);
    check_within(&a, &b);
}

static void ask_everything(const struct model *m, struct random_pprof *r)
{
    static const struct str spans[] = {{"00000000000000a0", 16}, {"00000000000000a7", 16}, {"00000000000000ff", 16}},
                            traces[] = {{"000000000000000000000000000000b1", 32}};
    const struct flame_ask asks[] = {
        {.nodes = FLAME_NODES_MAX},
        {.nodes = FLAME_NODES_MAX, .lines = true},
        {.nodes = FLAME_NODES_MAX, .spans = spans, .span_count = 3},
        {.nodes = FLAME_NODES_MAX, .traces = traces, .trace_count = 1, .lines = true},
    };
    cleanup_free struct question *q = xcalloc(1, sizeof *q);
    for (size_t k = 0; k < 3 * ARRAY_LEN(asks); k++) {
        q->ask = asks[k % ARRAY_LEN(asks)];
        const unsigned share = k / ARRAY_LEN(asks); /* all, half of all, few */
        for (size_t i = 0; i < SLICES_MAX; i++) {
            const bool series = share < 2 || random_below(r, 2);
            for (size_t row = 0; row < BODIES_MAX; row++)
                q->selected[i][row] = series && (share == 0 || random_below(r, 2 * share) == 0);
        }
        ask(m, q);
    }
}

static void blocks_give_what_bodies_gave(void)
{
    enum { ROUNDS = 12, PACKS = 3 };
    for (unsigned round = 0; round < ROUNDS && checks_failed < 10; round++) {
        struct random_pprof r = {.seed = round * 77 + 1,
                                 .function_count = 5 + round * 4,
                                 .types = 1 + round % 3,
                                 .samples_max = round % 4 == 3 ? 250 : 50,
                                 .depth_max = 1 + round * 3,
                                 .ids = round % 2,
                                 .threads = round % 3 != 1};
        struct model *m = xcalloc(1, sizeof *m);
        m->tree = BUF_INIT(MAX);
        for (unsigned pack = 0; pack < PACKS; pack++) {
            const size_t first = m->body_count;
            for (unsigned n = 1 + random_below(&r, 9); n; n--)
                m->pprofs[m->body_count++] = random_below(&r, 10) ? random_profile(&r) : copy_of(STR("\xff oh!"));
            model_pack(m, first);
            if (pack == 1)
                model_join(&m->series[0]);
            ask_everything(m, &r);
        }
        for (size_t i = 0; i < m->series_count; i++)
            model_join(&m->series[i]);
        ask_everything(m, &r);
        model_done(m);
    }
}

/* ---- limits ---- */

/* A profile of stacks that share nothing but their functions: `samples` times `depth` nodes. `which` tells profiles
 * apart. */
static struct buf wide_profile(unsigned which, unsigned samples, unsigned depth)
{
    struct buf out = BUF_INIT(STORE_PROFILE_MAX);
    cleanup_symbols struct symbols s;
    struct profile p;
    cleanup_free uint32_t *stack = xcalloc(depth + (size_t)1, sizeof *stack);
    const int64_t one = 1;
    symbols_init(&s, MAX);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("cpu"), STR("nanoseconds")));
    for (unsigned i = 0; i < samples; i++) {
        char name[32];
        for (unsigned k = 0; k < depth; k++) {
            const int n = snprintf(name, sizeof name, "f%u", k ? k : which * samples + i + depth);
            const struct pprof_function f = {.name = symbols_string(&s, (struct str){name, (size_t)n})};
            stack[depth - 1 - k] = symbols_location(&s, (struct pprof_location){.function = symbols_function(&s, f)});
        }
        CHECK(profile_add(&p, symbols_stack(&s, stack, depth), 0, &one));
    }
    pprof_encode(&p, &out);
    profile_done(&p);
    return out;
}

/* An answer as it was read. */
struct packing {
    struct buf answer;
    struct block_packed p;
};

static void packing_done(struct packing *p)
{
    block_packed_done(&p->p);
    buf_done(&p->answer);
}
#define cleanup_packing __attribute__((cleanup(packing_done)))

static struct packing pack_bodies(struct str tree, const struct buf *pprofs, size_t n)
{
    static const struct block_part part = {0, 0, 0};
    struct block_body bodies[BODIES_MAX];
    struct err err = {0};
    struct packing ret = {0};
    for (size_t i = 0; i < n; i++)
        bodies[i] = (struct block_body){buf_slice(&pprofs[i]), &part, 1};
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    block_pack_request(tree, bodies, n, 1, &head, &bytes);
    ret.answer = serve(&block_pack_service, buf_slice(&head), buf_slice(&bytes));
    CHECK_INT(block_pack_read(buf_slice(&ret.answer), &ret.p, &err), 0);
    return ret;
}

static int64_t total_of(struct str tree, struct str rows)
{
    const struct flame_ask ask = {.nodes = FLAME_NODES_MAX};
    const struct block_want want = {.blob = rows};
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    flame_ask_put(&ask, &head);
    block_wants_put(tree, &want, 1, &head, &bytes);
    cleanup_buf struct buf answer = serve(&block_flame_service, buf_slice(&head), buf_slice(&bytes));
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_merge_add(&f, NULL, buf_slice(&answer));
    flame_finish(&f);
    CHECK_INT(flame_merge_damaged(buf_slice(&answer)), 0);
    return f.nodes[0].total;
}

static void a_full_block_leaves_the_rest_to_another(void)
{
    enum { SAMPLES = 3000, DEPTH = 200 };
    struct buf pprofs[] = {wide_profile(0, SAMPLES, DEPTH), wide_profile(1, SAMPLES, DEPTH), wide_profile(0, 1, 1)};
    cleanup_packing struct packing first = pack_bodies(STR(""), pprofs, 3);
    const struct block_packed packed = first.p;
    CHECK(packed.full);
    CHECK_INT(packed.fates[0], BLOCK_PACKED);
    CHECK_INT(packed.fates[1], BLOCK_LEFT);
    CHECK_INT(packed.fates[2], BLOCK_LEFT);
    CHECK_INT(packed.nodes, 1 + SAMPLES * DEPTH);
    CHECK_INT(packed.slices[0].count, 1);
    CHECK_INT(total_of(packed.tree, packed.slices[0].rows), SAMPLES);
    /* Nor does it fit alone; the block is as it was. */
    cleanup_packing struct packing second = pack_bodies(packed.tree, &pprofs[1], 2);
    const struct block_packed again = second.p;
    CHECK(again.full);
    CHECK_INT(again.fates[0], BLOCK_LEFT);
    CHECK_INT(again.slices[0].count, 0);
    CHECK(str_eq(again.tree, packed.tree));
    for (size_t i = 0; i < ARRAY_LEN(pprofs); i++)
        buf_done(&pprofs[i]);
}

static void a_body_that_no_block_holds_is_cut_but_keeps_its_total(void)
{
    enum { SAMPLES = 5500, DEPTH = 200 };
    struct buf pprofs[] = {wide_profile(0, SAMPLES, DEPTH), wide_profile(0, 1, 1)};
    cleanup_packing struct packing first = pack_bodies(STR(""), pprofs, 2);
    const struct block_packed packed = first.p;
    CHECK(packed.full);
    CHECK_INT(packed.nodes, BLOCK_NODES_MAX);
    CHECK_INT(packed.fates[0], BLOCK_PACKED);
    CHECK_INT(packed.fates[1], BLOCK_LEFT);
    CHECK_INT(total_of(packed.tree, packed.slices[0].rows), SAMPLES);
    for (size_t i = 0; i < ARRAY_LEN(pprofs); i++)
        buf_done(&pprofs[i]);
}

/* ---- damage ---- */

static void damaged_blobs_are_left_out_and_counted(void)
{
    struct buf pprofs[3];
    for (unsigned i = 0; i < ARRAY_LEN(pprofs); i++)
        pprofs[i] = wide_profile(i, 2, 3);
    cleanup_packing struct packing first = pack_bodies(STR(""), pprofs, ARRAY_LEN(pprofs));
    const struct block_packed packed = first.p;
    const struct flame_ask ask = {.nodes = FLAME_NODES_MAX};
    const size_t tree_end = packed.tree.n, all = tree_end + packed.slices[0].rows.n;
    for (size_t at = 0; at < all; at++) {
        cleanup_buf struct buf tree = copy_of(packed.tree), rows = copy_of(packed.slices[0].rows), head = BUF_INIT(MAX),
                               bytes = BUF_INIT(MAX);
        (at < tree_end ? tree.p : rows.p - tree_end)[at] ^= 1;
        const struct block_want wants[] = {{.blob = buf_slice(&rows)}, {.blob = packed.slices[0].rows}};
        flame_ask_put(&ask, &head);
        block_wants_put(buf_slice(&tree), wants, 2, &head, &bytes);
        cleanup_buf struct buf out = serve(&block_flame_service, buf_slice(&head), buf_slice(&bytes));
        cleanup_flame struct flame f;
        flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
        flame_merge_add(&f, NULL, buf_slice(&out));
        flame_finish(&f);
        CHECK_INT(flame_merge_damaged(buf_slice(&out)), 1);
        CHECK_INT(f.nodes[0].total, at < tree_end ? 0 : 6);
    }
    for (size_t i = 0; i < ARRAY_LEN(pprofs); i++)
        buf_done(&pprofs[i]);
}

static void damaged_blobs_are_neither_packed_nor_joined(void)
{
    struct buf pprof = wide_profile(0, 2, 3);
    struct err err = {0};
    cleanup_packing struct packing first = pack_bodies(STR(""), &pprof, 1);
    const struct block_packed packed = first.p;
    cleanup_buf struct buf tree = copy_of(packed.tree), rows = copy_of(packed.slices[0].rows), head = BUF_INIT(MAX),
                           bytes = BUF_INIT(MAX), out = BUF_INIT(MAX);
    tree.p[tree.len / 2] ^= 1;
    rows.p[rows.len / 2] ^= 1;
    block_pack_request(buf_slice(&tree), NULL, 0, 0, &head, &bytes);
    const struct parser_item pack = {buf_slice(&head), buf_slice(&bytes)};
    CHECK_INT(block_pack_service.serve(&pack, 1, &out, &err), -EBADMSG);
    buf_reset(&head);
    buf_reset(&bytes);
    const struct str two[] = {packed.slices[0].rows, buf_slice(&rows)};
    block_join_request(two, 2, &head, &bytes);
    cleanup_buf struct buf joined = serve(&block_join_service, buf_slice(&head), buf_slice(&bytes));
    struct cursor c = cursor_of(joined.p, joined.len);
    struct block_slice slice;
    CHECK_INT(block_join_read(&c, &slice, &err), 0);
    CHECK_INT(slice.count, 0);
    CHECK_INT(slice.rows.n, 0);
    buf_done(&pprof);
}

/* ---- requests and answers that nobody should send ---- */

/* Anything with the head or the bytes changed, or cut short: an error or an answer that passes its check. */
static void serve_lies(const struct parser_service *s, const struct buf *head, const struct buf *bytes,
                       int (*check)(void *arg, size_t n, struct str answer, struct err *err))
{
    enum { TRIES = 1500 };
    unsigned seed = 1;
    for (unsigned i = 0; i < TRIES; i++) {
        cleanup_buf struct buf h = copy_of(buf_slice(head)), b = copy_of(buf_slice(bytes)), out = BUF_INIT(MAX);
        for (unsigned k = 0; k <= i % 3; k++) {
            seed = seed * 1103515245 + 12345;
            struct buf *of = seed >> 30 ? &h : &b;
            if (of->len)
                of->p[(seed >> 8) % of->len] = (uint8_t)(seed >> 5);
        }
        if (i % 7 == 0)
            h.len = seed % (h.len + 1);
        if (i % 7 == 1)
            b.len = seed % (b.len + 1);
        struct err err = {0};
        const struct parser_item item = {buf_slice(&h), buf_slice(&b)};
        if (s->serve(&item, 1, &out, &err) == 0)
            CHECK_INT(check(NULL, 1, buf_slice(&out), &err), 0);
    }
}

static void requests_are_read_within_bounds(void)
{
    struct random_pprof r = {
        .seed = 3, .function_count = 6, .types = 2, .samples_max = 20, .depth_max = 6, .ids = true};
    struct buf pprofs[2] = {random_profile(&r), random_profile(&r)};
    static const struct block_part parts[] = {{0, 0, 0}, {0, 1, 1}};
    const struct block_body bodies[] = {{buf_slice(&pprofs[0]), parts, 2}, {buf_slice(&pprofs[1]), parts, 2}};
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    block_pack_request(STR(""), bodies, 2, 2, &head, &bytes);
    cleanup_buf struct buf answer = serve(&block_pack_service, buf_slice(&head), buf_slice(&bytes));
    cleanup_block_packed struct block_packed packed = {0};
    struct err err;
    CHECK_INT(block_pack_read(buf_slice(&answer), &packed, &err), 0);
    serve_lies(&block_pack_service, &head, &bytes, block_pack_check);
    buf_reset(&head);
    buf_reset(&bytes);
    block_join_request((struct str[]){packed.slices[0].rows, packed.slices[1].rows}, 2, &head, &bytes);
    serve_lies(&block_join_service, &head, &bytes, block_join_check);
    buf_reset(&head);
    buf_reset(&bytes);
    static const uint32_t rows[] = {0, 1};
    const struct block_want wants[] = {{.blob = packed.slices[0].rows, .rows = rows, .row_count = 2},
                                       {.blob = packed.slices[1].rows}};
    flame_ask_put(&(struct flame_ask){.nodes = 1000}, &head);
    block_wants_put(packed.tree, wants, 2, &head, &bytes);
    serve_lies(&block_flame_service, &head, &bytes, flame_merge_check);
    static const struct str site[] = {{"f0", 2}, {"f1", 2}};
    const struct block_want values[] = {wants[0], {.blob = packed.slices[1].rows, .number = 2}};
    for (unsigned by_span = 0; by_span < 2; by_span++) {
        const struct values_ask ask = {.by_span = by_span, .call_site = site, .call_site_len = by_span ? 0 : 2};
        const struct body_part part = {.type = 1};
        buf_reset(&head);
        buf_reset(&bytes);
        values_ask_put(&ask, &head);
        block_wants_put(packed.tree, values, 2, &head, &bytes);
        serve_lies(&block_values_service, &head, &bytes, values_check);
        buf_reset(&head);
        values_ask_put(&ask, &head);
        buf_append(&head, &part, sizeof part);
        serve_lies(&body_values_service, &head, &pprofs[0], values_check);
    }
    buf_done(&pprofs[0]);
    buf_done(&pprofs[1]);
}

static void whatever_a_process_answers_is_read_within_bounds(void)
{
    enum { TRIES = 20000 };
    struct buf pprof = wide_profile(0, 2, 3);
    cleanup_packing struct packing first = pack_bodies(STR(""), &pprof, 1);
    const struct buf answer = first.answer;
    struct err err;
    unsigned seed = 1;
    for (size_t n = 0; n < answer.len; n++)
        CHECK_INT(block_pack_check(NULL, 1, (struct str){(const char *)answer.p, n}, &err), -EBADMSG);
    CHECK_INT(block_pack_check(NULL, 2, buf_slice(&answer), &err), -EBADMSG);
    for (unsigned i = 0; i < TRIES; i++) {
        cleanup_buf struct buf lie = copy_of(buf_slice(&answer));
        for (unsigned k = 0; k <= i % 3; k++) {
            seed = seed * 1103515245 + 12345;
            lie.p[(seed >> 8) % 80] = (uint8_t)(seed >> 5);
        }
        cleanup_block_packed struct block_packed p = {0};
        if (block_pack_check(NULL, 1, buf_slice(&lie), &err) == 0)
            CHECK_INT(block_pack_read(buf_slice(&lie), &p, &err), 0);
    }
    buf_done(&pprof);
}

static void spans_are_not_asked_of_sums(void)
{
    static const struct str span = {"00000000000000a0", 16};
    const struct block_want want = {.blob = STR("a sum"), .is_sum = true};
    struct buf pprof = wide_profile(0, 2, 3);
    struct err err = {0};
    cleanup_packing struct packing first = pack_bodies(STR(""), &pprof, 1);
    const struct block_packed packed = first.p;
    cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX), out = BUF_INIT(MAX);
    flame_ask_put(&(struct flame_ask){.nodes = 100, .spans = &span, .span_count = 1}, &head);
    block_wants_put(packed.tree, &want, 1, &head, &bytes);
    const struct parser_item item = {buf_slice(&head), buf_slice(&bytes)};
    CHECK_INT(block_flame_service.serve(&item, 1, &out, &err), -EINVAL);
    buf_done(&pprof);
}

int main(void)
{
    RUN(blocks_give_what_bodies_gave);
    RUN(a_full_block_leaves_the_rest_to_another);
    RUN(a_body_that_no_block_holds_is_cut_but_keeps_its_total);
    RUN(damaged_blobs_are_left_out_and_counted);
    RUN(damaged_blobs_are_neither_packed_nor_joined);
    RUN(requests_are_read_within_bounds);
    RUN(whatever_a_process_answers_is_read_within_bounds);
    RUN(spans_are_not_asked_of_sums);
    return REPORT();
}
