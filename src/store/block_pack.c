#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/block_grow.h"
#include "store/block_rows.h"
#include "store/body_samples.h"

/* A head: this, bodies, parts of all bodies. */
struct sent_bodies {
    uint64_t tree, bodies;
    uint32_t slices, zero;
};
struct sent_body {
    uint64_t size, parts;
};
/* An answer: this, slices, fates, the tree, then rows and sum of each slice. */
struct sent_packed {
    uint64_t tree, bodies;
    uint32_t nodes, slices, full, zero;
};
struct sent_slice {
    uint64_t rows, sum;
    uint32_t count, zero;
};

/* ---- the parser process ---- */

/* A sample of the body at hand. */
struct body_value {
    uint32_t part;
    struct block_value value;
};
struct made_row {
    size_t first, count;
    int64_t period;
};
struct made_slice {
    struct block_value *values; /* owned; of all rows */
    size_t value_count, value_cap;
    struct made_row *rows; /* owned */
    size_t row_count, row_cap;
};

struct pack {
    struct body_samples bodies; /* the first, for its callbacks */
    struct grown_tree tree;
    struct grown_size size;        /* with the bodies that were taken */
    struct id_map frame_of;        /* by location: frame + 1; 0 = not asked yet */
    struct id_map node_of_stack;   /* node + 1; 0 = not walked yet */
    struct id_map ids_of;          /* by label set: number in `ids` + 1 */
    struct block_ids ids;          /* of all slices */
    struct body_value *values;     /* of the body at hand; owned */
    size_t value_count, value_cap; /* of those */
    size_t values_left;            /* of the request */
    bool may_cut;                  /* nothing is in the block: stacks of the body at hand end where the tree is full */
    bool full;                     /* the tree is */
    bool over;                     /* the body at hand has too much of something else */
    struct made_slice *slices;     /* owned */
    uint32_t slice_count;
};

static void pack_restart(struct body_samples *bodies)
{
    struct pack *p = (struct pack *)bodies;
    id_map_done(&p->frame_of);
    id_map_done(&p->node_of_stack);
    id_map_done(&p->ids_of);
}

static void pack_done(struct pack *p)
{
    for (uint32_t i = 0; p->slices && i < p->slice_count; i++) {
        free(p->slices[i].values);
        free(p->slices[i].rows);
    }
    free(p->slices);
    free(p->values);
    pack_restart(&p->bodies);
    block_ids_done(&p->ids);
    grown_tree_done(&p->tree);
    body_samples_done(&p->bodies);
}

static uint32_t pack_frame_of(struct pack *p, uint32_t location)
{
    uint32_t *frame = id_map_at(&p->frame_of, location);
    if (!frame)
        return SYMBOLS_FULL;
    if (*frame == 0)
        *frame = grown_tree_frame(&p->tree, &p->bodies.symbols, location) + 1; /* 0 again for SYMBOLS_FULL */
    return *frame - 1;
}

/* As far as the tree has room. */
static uint32_t pack_walk(struct pack *p, uint32_t stack)
{
    const struct pprof_stack *s = &p->bodies.symbols.stacks[stack];
    uint32_t node = 0;
    for (uint32_t i = s->count; i-- > 0;) {
        bool added;
        const uint32_t frame = pack_frame_of(p, s->locations[i]);
        const uint32_t child = frame == SYMBOLS_FULL ? frame : grown_tree_child(&p->tree, node, frame, &added);
        if (child == SYMBOLS_FULL) {
            p->full = true;
            break;
        }
        node = child;
    }
    return node;
}

static uint32_t pack_ids_of(struct pack *p, uint32_t label_set)
{
    uint32_t *known = id_map_at(&p->ids_of, label_set);
    if (label_set == 0 || !known)
        return 0;
    if (*known == 0) {
        struct sample_ids ids;
        sample_ids_of(&p->bodies.symbols, label_set, &ids);
        const int64_t number = block_ids_add(&p->ids, &ids);
        p->over = p->over || number < 0;
        *known = (uint32_t)(number < 0 ? 0 : number) + 1;
    }
    return *known - 1;
}

static void pack_take(struct body_samples *bodies, const struct pprof_sample *s, uint32_t row, int64_t value)
{
    struct pack *p = (struct pack *)bodies;
    if (p->over)
        return;
    const struct block_value v = {.node = s->stack, .ids = pack_ids_of(p, s->labels), .value = value};
    p->over = p->over || p->value_count == p->values_left ||
              !mem_grow(&p->values, &p->value_cap, p->value_count + 1, sizeof *p->values);
    if (!p->over)
        p->values[p->value_count++] = (struct body_value){row, v};
}

struct new_stack {
    const uint32_t *locations;
    uint32_t count, number;
};

/* From the root on: stacks that begin alike are together. */
static int pack_by_locations(const void *a, const void *b)
{
    const struct new_stack *x = a, *y = b;
    for (uint32_t i = 1; i <= x->count && i <= y->count; i++) {
        const uint32_t k = x->locations[x->count - i], l = y->locations[y->count - i];
        if (k != l)
            return k < l ? -1 : 1;
    }
    return x->count < y->count ? -1 : x->count > y->count;
}

/* The stacks of the body at hand that were not walked yet, each once; how many, or -ENOMEM. */
static ssize_t pack_find_new(struct pack *p, struct new_stack *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < p->value_count; i++) {
        const uint32_t number = p->values[i].value.node;
        const struct pprof_stack *s = &p->bodies.symbols.stacks[number];
        uint32_t *node = id_map_at(&p->node_of_stack, number);
        if (!node)
            return -ENOMEM;
        if (*node == 0)
            ret[n++] = (struct new_stack){s->locations, s->count, number};
        *node += *node == 0; /* the root, until it is walked */
    }
    return (ssize_t)n;
}

/* Stacks of the body at hand become nodes. New ones are walked in the order of a tree, and not in that of the body, so
 * that a node's number is near its parent's: stored trees are smaller by some percent. */
static int pack_nodes(struct pack *p)
{
    cleanup_free struct new_stack *new = calloc(p->value_count + 1, sizeof *new);
    const ssize_t n = new ? pack_find_new(p, new) : -ENOMEM;
    if (n < 0)
        return -ENOMEM;
    qsort(new, (size_t)n, sizeof *new, pack_by_locations);
    for (ssize_t i = 0; i < n && (!p->full || p->may_cut); i++)
        *id_map_at(&p->node_of_stack, new[i].number) = pack_walk(p, new[i].number) + 1;
    for (size_t i = 0; i < p->value_count; i++)
        p->values[i].value.node = id_map_get(&p->node_of_stack, p->values[i].value.node) - 1;
    return 0;
}

/* The next row of a slice, with room for `count` values; NULL where there is no memory. */
static struct block_value *pack_add_row(struct made_slice *s, size_t count, int64_t period)
{
    if (!mem_grow(&s->rows, &s->row_cap, s->row_count + 1, sizeof *s->rows) ||
        !mem_grow(&s->values, &s->value_cap, s->value_count + count + 1, sizeof *s->values))
        return NULL;
    s->rows[s->row_count++] = (struct made_row){s->value_count, count, period};
    s->value_count += count;
    return s->values + s->value_count - count;
}

/* The values of the body at hand become a row per part. */
static int pack_add_rows(struct pack *p, const struct block_part *parts, size_t n)
{
    cleanup_free size_t *at = calloc(n + 1, sizeof *at); /* by part: number of values, then where the next one goes */
    if (!at)
        return -ENOMEM;
    for (size_t i = 0; i < p->value_count; i++)
        at[p->values[i].part]++;
    for (size_t k = 0; k < n; k++) {
        struct made_slice *s = &p->slices[parts[k].slice];
        if (!pack_add_row(s, at[k], p->bodies.period))
            return -ENOMEM;
        at[k] = s->value_count - at[k];
    }
    for (size_t i = 0; i < p->value_count; i++) {
        const uint32_t part = p->values[i].part;
        p->slices[parts[part].slice].values[at[part]++] = p->values[i].value;
    }
    p->values_left -= p->value_count;
    return 0;
}

static int pack_read_parts(const struct pack *p, struct str bytes, struct block_part **parts,
                           struct body_part **selected, struct err *err)
{
    const size_t n = bytes.n / sizeof **parts;
    *parts = xcalloc(n + 1, sizeof **parts);
    *selected = xcalloc(n + 1, sizeof **selected);
    if (n)
        memcpy(*parts, bytes.p, n * sizeof **parts);
    for (size_t k = 0; k < n; k++) {
        if ((*parts)[k].slice >= p->slice_count)
            return err_set(err, -EINVAL, "invalid request");
        (*selected)[k] = (struct body_part){(*parts)[k].split, (*parts)[k].type, (uint32_t)k};
    }
    return 0;
}

/* `alone`: no body was taken before it. A fate, or negative. */
static int pack_body(struct pack *p, struct str pprof, struct str parts_sent, bool alone, struct err *err)
{
    cleanup_free struct block_part *parts = NULL;
    cleanup_free struct body_part *selected = NULL;
    const size_t n = parts_sent.n / sizeof *parts;
    int code = pack_read_parts(p, parts_sent, &parts, &selected, err);
    if (code < 0)
        return code;
    p->value_count = 0;
    p->over = false;
    p->bodies.period = 0;
    struct err why = {0};
    code = body_samples_each(&p->bodies, pprof, selected, n, &why);
    if (code < 0 && code != -EBADMSG)
        return err_set(err, code, "%s", why.text);
    const bool bad = code < 0 || (p->over && alone);
    p->value_count = bad ? 0 : p->value_count;
    code = pack_nodes(p);
    if (code == 0 && ((p->over && !alone) || (p->full && !p->may_cut)))
        return BLOCK_LEFT;
    if (code == 0)
        code = pack_add_rows(p, parts, n);
    if (code < 0)
        return err_set(err, code, "out of memory");
    if (!bad)
        p->size = grown_tree_size(&p->tree);
    return bad ? BLOCK_BAD : BLOCK_PACKED;
}

/* What is sent of the bodies, as far as it was not used yet. */
struct sent_rest {
    struct cursor bodies, parts, pprofs;
};

static int pack_next_body(struct pack *p, struct sent_rest *sent, bool alone, struct err *err)
{
    struct sent_body body = {0};
    const uint8_t *b = cursor_bytes(&sent->bodies, sizeof body);
    if (b)
        memcpy(&body, b, sizeof body);
    const struct str parts = cursor_str(&sent->parts, body.parts * sizeof(struct block_part)),
                     pprof = cursor_str(&sent->pprofs, body.size);
    if (!b || body.parts > UINT32_MAX || sent->parts.bad || sent->pprofs.bad)
        return err_set(err, -EINVAL, "invalid request");
    return pack_body(p, pprof, parts, alone, err);
}

static int pack_bodies(struct pack *p, struct sent_rest *sent, size_t n, bool new, uint8_t *fates, struct err *err)
{
    bool alone = true, left = false;
    for (size_t i = 0; i < n; i++) {
        p->may_cut = new &&alone;
        const int fate = left ? BLOCK_LEFT : pack_next_body(p, sent, alone, err);
        if (fate < 0)
            return fate;
        fates[i] = (uint8_t)fate;
        alone = alone && fate != BLOCK_PACKED;
        left = fate == BLOCK_LEFT;
    }
    return 0;
}

/* The sets of ids that a slice has, in a table of its own. */
static int pack_own_ids(const struct pack *p, struct made_slice *s, struct block_ids *own)
{
    cleanup_free uint32_t *of = p->ids.count ? calloc(p->ids.count + 1, sizeof *of) : NULL;
    if (p->ids.count && !of)
        return -ENOMEM;
    for (size_t i = 0; of && i < s->value_count; i++) {
        uint32_t *ids = &s->values[i].ids;
        if (*ids && of[*ids] == 0) {
            struct sample_ids items;
            block_ids_get(&p->ids, *ids, &items);
            const int64_t number = block_ids_add(own, &items);
            if (number < 0)
                return -ENOMEM;
            of[*ids] = (uint32_t)number;
        }
        *ids = of[*ids];
    }
    return 0;
}

static int pack_put_slice(const struct pack *p, struct made_slice *s, struct gzip_packer *packer,
                          struct sent_slice *ret, struct buf *out)
{
    cleanup_block_rows_maker struct block_rows_maker m = BLOCK_ROWS_MAKER_INIT;
    cleanup_block_ids struct block_ids ids = BLOCK_IDS_INIT;
    cleanup_buf struct buf sum = BUF_INIT(out->max);
    const size_t before = out->len;
    int code = pack_own_ids(p, s, &ids);
    for (unsigned pass = 0; code == 0 && pass < 2; pass++) {
        for (size_t i = 0; i < s->row_count; i++) {
            const struct block_row row = {s->values + s->rows[i].first, s->rows[i].count, s->rows[i].period};
            (pass ? block_rows_add : block_rows_count)(&m, &row);
        }
        if (pass == 0)
            block_rows_rank(&m);
    }
    if (code == 0)
        code = block_rows_put(&m, &ids, packer, out, &sum);
    if (code < 0)
        return code;
    *ret = (struct sent_slice){out->len - before, sum.len, (uint32_t)s->row_count, 0};
    buf_str(out, buf_slice(&sum));
    return 0;
}

static int pack_put(const struct pack *p, const uint8_t *fates, size_t bodies, struct buf *out, struct err *err)
{
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    cleanup_buf struct buf tree = BUF_INIT(out->max), blobs = BUF_INIT(out->max);
    cleanup_free struct sent_slice *slices = xcalloc(p->slice_count + (size_t)1, sizeof *slices);
    int code = grown_tree_put(&p->tree, &p->size, &packer, &tree);
    for (uint32_t i = 0; code == 0 && i < p->slice_count; i++)
        code = pack_put_slice(p, &p->slices[i], &packer, &slices[i], &blobs);
    if (code < 0)
        return err_set(err, code, "a block cannot be written");
    const struct sent_packed sent = {.tree = tree.len,
                                     .bodies = bodies,
                                     .nodes = (uint32_t)p->size.nodes,
                                     .slices = p->slice_count,
                                     .full = p->full};
    buf_append(out, &sent, sizeof sent);
    buf_append(out, slices, p->slice_count * sizeof *slices);
    buf_append(out, fates, bodies);
    buf_str(out, buf_slice(&tree));
    buf_str(out, buf_slice(&blobs));
    return 0;
}

static int pack_item(struct pack *p, const struct parser_item *item, struct buf *out, struct err *err)
{
    struct cursor c = cursor_of(item->head.p, item->head.n), bytes = cursor_of(item->bytes.p, item->bytes.n);
    struct sent_bodies sent = {0};
    const uint8_t *head = cursor_bytes(&c, sizeof sent);
    if (head)
        memcpy(&sent, head, sizeof sent);
    const struct str tree = cursor_str(&bytes, sent.tree);
    if (!head || bytes.bad || sent.slices > BLOCK_SLICES_MAX ||
        sent.bodies > cursor_left(&c) / sizeof(struct sent_body))
        return err_set(err, -EINVAL, "invalid request");
    const struct str bodies = cursor_str(&c, sent.bodies * sizeof(struct sent_body));
    struct sent_rest rest = {cursor_of(bodies.p, bodies.n), c, bytes};
    cleanup_free uint8_t *fates = xcalloc(sent.bodies + 1, 1);
    p->slice_count = sent.slices;
    p->slices = calloc(sent.slices + (size_t)1, sizeof *p->slices);
    if (!p->slices)
        return err_set(err, -ENOMEM, "out of memory");
    int code = grown_tree_begin(&p->tree, tree, err);
    p->size = grown_tree_size(&p->tree);
    if (code == 0)
        code = pack_bodies(p, &rest, sent.bodies, tree.n == 0, fates, err);
    return code < 0 ? code : pack_put(p, fates, sent.bodies, out, err);
}

static int pack_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    struct pack p = {
        .bodies = {.restart = pack_restart, .take = pack_take}, .ids = BLOCK_IDS_INIT, .values_left = BLOCK_VALUES_MAX};
    if (n != 1)
        return err_set(err, -EINVAL, "one block at a time");
    body_samples_init(&p.bodies);
    const int code = pack_item(&p, items, out, err);
    pack_done(&p);
    return code;
}

const struct parser_service block_pack_service = {"store.pack", pack_serve};

/* ---- where it is stored ---- */

void block_pack_request(struct str tree, const struct block_body *bodies, size_t n, uint32_t slices, struct buf *head,
                        struct buf *bytes)
{
    const struct sent_bodies sent = {.tree = tree.n, .bodies = n, .slices = slices};
    buf_append(head, &sent, sizeof sent);
    for (size_t i = 0; i < n; i++) {
        const struct sent_body body = {bodies[i].pprof.n, bodies[i].part_count};
        buf_append(head, &body, sizeof body);
    }
    buf_str(bytes, tree);
    for (size_t i = 0; i < n; i++) {
        buf_append(head, bodies[i].parts, bodies[i].part_count * sizeof *bodies[i].parts);
        buf_str(bytes, bodies[i].pprof);
    }
}

void block_packed_done(struct block_packed *p)
{
    free(p->slices);
    *p = (struct block_packed){0};
}

static int pack_bad_answer(struct err *err)
{
    return err_set(err, -EBADMSG, "invalid block");
}

static bool pack_fates_fit(const struct block_packed *p)
{
    for (size_t i = 0; i < p->body_count; i++) {
        if (p->fates[i] > BLOCK_LEFT || (i && p->fates[i - 1] == BLOCK_LEFT && p->fates[i] != BLOCK_LEFT))
            return false;
    }
    return true;
}

int block_pack_read(struct str answer, struct block_packed *ret, struct err *err)
{
    struct cursor c = cursor_of(answer.p, answer.n);
    struct sent_packed sent = {0};
    const uint8_t *head = cursor_bytes(&c, sizeof sent);
    if (head)
        memcpy(&sent, head, sizeof sent);
    const uint8_t *slices = cursor_bytes(&c, (uint64_t)sent.slices * sizeof(struct sent_slice));
    cleanup_block_packed struct block_packed p = {.nodes = sent.nodes,
                                                  .full = sent.full,
                                                  .slice_count = sent.slices,
                                                  .fates = cursor_bytes(&c, sent.bodies),
                                                  .body_count = sent.bodies};
    p.tree = cursor_str(&c, sent.tree);
    if (!head || c.bad || sent.tree == 0 || sent.nodes == 0 || sent.nodes > BLOCK_NODES_MAX || !pack_fates_fit(&p))
        return pack_bad_answer(err);
    p.slices = xcalloc(sent.slices + (size_t)1, sizeof *p.slices);
    for (uint32_t i = 0; i < sent.slices; i++) {
        struct sent_slice s;
        memcpy(&s, slices + i * sizeof s, sizeof s);
        p.slices[i] = (struct block_slice){cursor_str(&c, s.rows), cursor_str(&c, s.sum), s.count};
    }
    if (c.bad || cursor_left(&c))
        return pack_bad_answer(err);
    *ret = p;
    p = (struct block_packed){0};
    return 0;
}

int block_pack_check(void *arg, size_t n, struct str answer, struct err *err)
{
    cleanup_block_packed struct block_packed p = {0};
    (void)arg;
    return n == 1 ? block_pack_read(answer, &p, err) : pack_bad_answer(err);
}
