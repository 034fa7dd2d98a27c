#include "store/profile_values.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/id_map.h"
#include "base/mem.h"
#include "pprof/flame.h"
#include "store/block_rows.h"
#include "store/block_tree.h"
#include "store/block_wants.h"
#include "store/body_samples.h"

/* As it is sent: this, then sizes of names, then names. */
struct sent_ask {
    uint32_t by_span, names;
};
/* An answer: this, then values. */
struct values_head {
    uint32_t damaged, zero;
};
void values_ask_put(const struct values_ask *ask, struct buf *out)
{
    const struct sent_ask sent = {ask->by_span, (uint32_t)ask->call_site_len};
    buf_append(out, &sent, sizeof sent);
    for (size_t i = 0; i < ask->call_site_len; i++) {
        const uint32_t size = (uint32_t)ask->call_site[i].n;
        buf_append(out, &size, sizeof size);
    }
    for (size_t i = 0; i < ask->call_site_len; i++)
        buf_str(out, ask->call_site[i]);
}

/* ---- the parser process ---- */

struct values_search {
    struct body_samples bodies; /* the first, for its callbacks */
    bool by_span;
    struct str call_site[CALL_SITE_FRAMES_MAX]; /* borrowed from the head */
    size_t call_site_len;
    struct id_map wanted; /* by stack: 2 = counts, 1 = does not, 0 = not asked yet */
    struct profile_value *items;
    size_t len, cap;
    uint32_t damaged;
    bool failed; /* no memory */
};

static void values_restart(struct body_samples *bodies)
{
    id_map_done(&((struct values_search *)bodies)->wanted);
}

/* Cuts what is asked off a head. */
static bool values_read_ask(struct values_search *v, struct str *head)
{
    struct cursor c = cursor_of(head->p, head->n);
    struct sent_ask sent = {0};
    const uint8_t *p = cursor_bytes(&c, sizeof sent);
    if (p)
        memcpy(&sent, p, sizeof sent);
    if (!p || sent.names > CALL_SITE_FRAMES_MAX)
        return false;
    struct str sizes = cursor_str(&c, sent.names * sizeof(uint32_t));
    for (uint32_t i = 0; i < sent.names && !c.bad; i++) {
        uint32_t size;
        memcpy(&size, sizes.p + i * sizeof size, sizeof size);
        v->call_site[i] = cursor_str(&c, size);
    }
    v->by_span = sent.by_span;
    v->call_site_len = sent.names;
    const size_t left = cursor_left(&c);
    *head = (struct str){head->p + head->n - left, left};
    return !c.bad;
}

static struct str values_name(struct str name)
{
    return name.n ? name : STR("(unknown)");
}

static void values_add(struct values_search *v, const struct profile_value *value)
{
    if (!mem_grow(&v->items, &v->cap, v->len + 1, sizeof *v->items))
        v->failed = true;
    else
        v->items[v->len++] = *value;
}

/* A sample that counts: once, or for each of its spans. */
static void values_add_sample(struct values_search *v, uint32_t profile, int64_t value, const struct sample_ids *ids)
{
    struct profile_value p = {.value = value, .profile = profile};
    if (!v->by_span) {
        values_add(v, &p);
        return;
    }
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->items[i].trace && !p.has_trace) {
            sample_id_bytes(&ids->items[i], p.trace);
            p.has_trace = 1;
        }
    }
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->items[i].trace)
            continue;
        sample_id_bytes(&ids->items[i], p.span);
        values_add(v, &p);
    }
}

static int values_order(const void *a, const void *b)
{
    const struct profile_value *x = a, *y = b;
    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    const int by_span = memcmp(x->span, y->span, sizeof x->span);
    if (by_span || x->has_trace != y->has_trace)
        return by_span ? by_span : x->has_trace ? 1 : -1;
    return memcmp(x->trace, y->trace, sizeof x->trace);
}

/* Adds up what is of the same profile and span of a trace, from `first` on. */
static void values_settle(struct values_search *v, size_t first)
{
    size_t to = first;
    if (v->len > first)
        qsort(v->items + first, v->len - first, sizeof *v->items, values_order);
    for (size_t i = first; i < v->len; i++) {
        if (to > first && values_order(&v->items[to - 1], &v->items[i]) == 0)
            v->items[to - 1].value = flame_sum(v->items[to - 1].value, v->items[i].value);
        else
            v->items[to++] = v->items[i];
    }
    v->len = to;
}

static void values_put(const struct values_search *v, struct buf *out)
{
    const struct values_head head = {.damaged = v->damaged};
    buf_append(out, &head, sizeof head);
    buf_append(out, v->items, v->len * sizeof *v->items);
}

static int values_end(struct values_search *v, int code, struct buf *out, struct err *err)
{
    if (code == -ENOMEM || (code == 0 && v->failed))
        code = err_set(err, -ENOMEM, "out of memory");
    if (code == 0)
        values_put(v, out);
    free(v->items);
    return code;
}

/* ---- bodies ---- */

static bool values_stack_begins(const struct values_search *v, uint32_t stack)
{
    const struct symbols *symbols = &v->bodies.symbols;
    const struct pprof_stack *s = &symbols->stacks[stack];
    if (s->count < v->call_site_len)
        return false;
    for (size_t i = 0; i < v->call_site_len; i++) {
        if (!str_eq(values_name(symbols_name(symbols, s->locations[s->count - 1 - i])), v->call_site[i]))
            return false;
    }
    return true;
}

static bool values_wants_stack(struct values_search *v, uint32_t stack)
{
    uint32_t *known = v->call_site_len ? id_map_at(&v->wanted, stack) : NULL;
    if (!known)
        return v->call_site_len == 0 || values_stack_begins(v, stack);
    if (*known == 0)
        *known = values_stack_begins(v, stack) ? 2 : 1;
    return *known == 2;
}

static void values_take(struct body_samples *bodies, const struct pprof_sample *s, uint32_t row, int64_t value)
{
    struct values_search *v = (struct values_search *)bodies;
    struct sample_ids ids = {.count = 0};
    if (!values_wants_stack(v, s->stack))
        return;
    if (v->by_span)
        sample_ids_of(&bodies->symbols, s->labels, &ids);
    values_add_sample(v, row, value, &ids);
}

static int values_body(struct values_search *v, const struct parser_item *item, struct err *err)
{
    struct str head = item->head;
    const size_t before = v->len;
    if (!values_read_ask(v, &head))
        return err_set(err, -EINVAL, "invalid request");
    struct err why = {0};
    const int code = body_samples_sent(&v->bodies, item->bytes, head, &why);
    if (code < 0 && code != -EBADMSG)
        return err_set(err, code, "%s", why.text);
    v->damaged += code < 0;
    values_settle(v, before);
    return 0;
}

static int body_values_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    cleanup_free struct values_search *v = xcalloc(1, sizeof *v);
    int code = 0;
    v->bodies.restart = values_restart;
    v->bodies.take = values_take;
    body_samples_init(&v->bodies);
    for (size_t i = 0; code == 0 && i < n; i++)
        code = values_body(v, &items[i], err);
    values_restart(&v->bodies);
    body_samples_done(&v->bodies);
    return values_end(v, code, out, err);
}

const struct parser_service body_values_service = {"store.values", body_values_serve};

/* ---- blocks ---- */

/* By node, whether its stack begins with the call site. NULL: no memory. */
static bool *values_nodes(const struct values_search *v, const struct block_tree *t)
{
    bool *wanted = calloc(t->node_count + 1, sizeof *wanted);
    cleanup_free uint32_t *agree = calloc(t->node_count + 1, sizeof *agree); /* frames of the call site; UINT32_MAX */
    for (uint32_t i = 1; wanted && agree && i < t->node_count; i++) {
        const uint32_t above = agree[t->nodes[i].parent];
        if (above == UINT32_MAX || above == v->call_site_len) {
            agree[i] = above;
        } else {
            const struct pprof_function *of = &t->functions[t->frames[t->nodes[i].frame].function];
            agree[i] = str_eq(values_name(t->strings[of->name]), v->call_site[above]) ? above + 1 : UINT32_MAX;
        }
        wanted[i] = agree[i] == v->call_site_len;
    }
    if (!agree)
        free(TAKE_PTR(wanted));
    return wanted;
}

static int values_block_row(struct values_search *v, const struct block_rows *r, const struct block_row *row,
                            const bool *nodes, uint32_t node_count, uint32_t profile)
{
    const size_t before = v->len;
    for (size_t i = 0; i < row->count; i++) {
        const struct block_value *value = &row->values[i];
        struct sample_ids ids = {.count = 0};
        if (nodes && value->node >= node_count)
            return -EBADMSG;
        if (nodes && !nodes[value->node])
            continue;
        if (v->by_span && value->ids)
            block_ids_get(&r->ids, value->ids, &ids);
        values_add_sample(v, profile, value->value, &ids);
    }
    values_settle(v, before);
    return 0;
}

/* One slice. What was added of one that is damaged is taken back. */
static int values_block_rows(struct values_search *v, struct block_wanted *wanted, const bool *nodes,
                             uint32_t node_count)
{
    cleanup_block_rows struct block_rows r = {0};
    struct block_row row;
    struct err why = {0};
    const size_t before = v->len;
    int code = block_rows_open(wanted->blob, &r, &why);
    for (uint32_t i = 0; code >= 0 && block_wanted_more(wanted) && (code = block_rows_next(&r, &row, &why)) == 1; i++) {
        if (block_wanted_takes(wanted, i))
            code = values_block_row(v, &r, &row, nodes, node_count, wanted->number++);
    }
    if (code == -ENOMEM)
        return code;
    if (code < 0 || block_wanted_lacks(wanted)) {
        v->len = before;
        v->damaged++;
    }
    return 0;
}

static int values_block(struct values_search *v, const struct parser_item *item, struct err *err)
{
    struct str head = item->head;
    struct block_wants wants;
    struct block_wanted wanted;
    cleanup_block_tree struct block_tree tree = {0};
    cleanup_free bool *nodes = NULL;
    struct err why = {0};
    if (!values_read_ask(v, &head) || !block_wants_read(head, item->bytes, &wants))
        return err_set(err, -EINVAL, "invalid request");
    int code = v->call_site_len ? block_tree_read(wants.tree, &tree, &why) : 0;
    if (code == -EBADMSG) {
        v->damaged++;
        return 0;
    }
    if (code == 0 && v->call_site_len && !(nodes = values_nodes(v, &tree)))
        code = -ENOMEM;
    while (code == 0 && (code = block_wants_next(&wants, &wanted)) == 1)
        code = values_block_rows(v, &wanted, nodes, tree.node_count);
    return code == -EINVAL ? err_set(err, code, "invalid request") : code;
}

static int block_values_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    cleanup_free struct values_search *v = xcalloc(1, sizeof *v);
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++)
        code = values_block(v, &items[i], err);
    return values_end(v, code, out, err);
}

const struct parser_service block_values_service = {"store.rows", block_values_serve};

/* ---- where it is asked for ---- */

int values_check(void *arg, size_t n, struct str answer, struct err *err)
{
    (void)arg;
    (void)n;
    const size_t head = sizeof(struct values_head);
    if (answer.n < head || (answer.n - head) % sizeof(struct profile_value))
        return err_set(err, -EBADMSG, "invalid answer");
    return 0;
}

uint32_t values_damaged(struct str answer)
{
    struct values_head head;
    memcpy(&head, answer.p, sizeof head);
    return head.damaged;
}

size_t values_count(struct str answer)
{
    return (answer.n - sizeof(struct values_head)) / sizeof(struct profile_value);
}

struct profile_value values_at(struct str answer, size_t i)
{
    struct profile_value v;
    memcpy(&v, answer.p + sizeof(struct values_head) + i * sizeof v, sizeof v);
    return v;
}
