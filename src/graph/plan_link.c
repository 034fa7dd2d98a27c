#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/missing.h"
#include "graph/plan.h"
#include "lang/coerce.h"
#include "lang/eval.h"
#include "lang/stdlib.h"

enum { ID_MAX = 4096, CYCLE_TEXT_MAX = 4096, VAR_MAX = 512 };

struct linking {
    struct plan *p;
    const struct body *body;
    const struct controller_options *options;
    const struct plan_node *from; /* NULL: a settings block, which waits for nobody */
    struct diags *ds;
    struct strmap
        written; /* ids of all blocks that are written here, whatever became of them; made when first needed */
    bool is_written_known;
};

/* --- what a path names --- */

static bool has_value(const struct plan_node *n)
{
    return n->kind != NODE_IMPORT && n->kind != NODE_EXPORT && n->kind != NODE_FOREACH;
}

/* The node of the shortest prefix; only one that expressions can read, or any. */
static struct plan_node *find(const struct plan *p, const struct str *path, size_t n, bool any, size_t *used)
{
    cleanup_buf struct buf id = BUF_INIT(ID_MAX);
    for (size_t i = 0; i < n && i < p->id_parts; i++) {
        if (i > 0)
            buf_byte(&id, '.');
        buf_str(&id, path[i]);
        struct plan_node *node = buf_ok(&id) ? strmap_get(&p->ids, buf_slice(&id)) : NULL;
        if (node && (any || has_value(node))) {
            *used = i + 1;
            return node;
        }
    }
    return NULL;
}

struct plan_node *plan_find(const struct plan *p, const struct str *path, size_t n, size_t *used)
{
    return find(p, path, n, false, used);
}

static void collect_written(struct strmap *ids, const struct ast_body *part)
{
    for (size_t i = 0; i < part->len; i++) {
        const struct ast_stmt *s = &part->stmts[i];
        if (s->kind != AST_BLOCK || str_is(s->name, "declare"))
            continue;
        char *id = s->label.n > 0 ? xasprintf("%.*s.%.*s", STR_ARG(s->name), STR_ARG(s->label)) : str_dup(s->name);
        if (strmap_has(ids, str_of(id)))
            free(id);
        else
            strmap_put(ids, str_of(id), id);
    }
}

/* Whether a path that leads nowhere begins with the name of a block: that was refused then, which says it all. */
static bool names_refused_block(struct linking *l, const struct ast_traversal *t)
{
    for (const struct body *body = l->is_written_known ? NULL : l->body; body; body = body->outer) {
        for (size_t i = 0; i < body->len; i++)
            collect_written(&l->written, body->parts[i]);
    }
    l->is_written_known = true;
    cleanup_buf struct buf id = BUF_INIT(ID_MAX);
    for (size_t i = 0; i < t->len; i++) {
        buf_puts(&id, i > 0 ? "." : "");
        buf_str(&id, t->path[i]);
        if (buf_ok(&id) && strmap_has(&l->written, buf_slice(&id)))
            return true;
    }
    return false;
}

static void report_missing(const struct linking *l, const struct ast_traversal *t)
{
    struct missing m = missing_of(t);
    for (size_t i = 0; i < l->p->len && l->ds->errors < MISSING_TRIES_MAX; i++) {
        const struct plan_node *n = l->p->nodes[i];
        if (n != l->from && n->stmt && has_value(n))
            missing_try(&m, n->stmt->fragment_count + (n->stmt->label.n > 0), n->id);
    }
    missing_report(&m, l->ds);
}

static void link_reference(void *arg, const struct ast_traversal *t)
{
    struct linking *l = arg;
    size_t used;
    const struct plan_node *on = plan_find(l->p, t->path, t->len, &used);
    if (on) {
        if (l->from)
            dag_need(&l->p->dag, l->from->place, on->place);
        return;
    }
    if (stdlib_reference(t, l->options->stability, l->ds) || str_is(t->path[0], "module_path"))
        return;
    if (find(l->p, t->path, t->len, true, &used) || !names_refused_block(l, t))
        report_missing(l, t);
}

static void link_import(void *arg, const struct plan_node *import)
{
    const struct linking *l = arg;
    if (import->plan == l->p && import != l->from)
        dag_need(&l->p->dag, l->from->place, import->place);
}

/* --- foreach --- */

const struct ast_stmt *foreach_template(const struct ast_stmt *block)
{
    for (size_t i = 0; i < block->body.len; i++) {
        if (block->body.stmts[i].kind == AST_BLOCK && str_is(block->body.stmts[i].name, "template"))
            return &block->body.stmts[i];
    }
    return NULL;
}

static const struct ast_stmt *attribute_of(const struct ast_body *body, const char *name)
{
    for (size_t i = 0; i < body->len; i++) {
        if (body->stmts[i].kind == AST_ATTR && str_is(body->stmts[i].name, name))
            return &body->stmts[i];
    }
    return NULL;
}

char *foreach_var(const struct ast_stmt *block)
{
    const struct ast_stmt *s = attribute_of(&block->body, "var");
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_value struct value *v = NULL;
    cleanup_buf struct buf text = BUF_INIT(VAR_MAX);
    struct err err;
    if (!s || eval(s->value, NULL, &v, &ds) < 0 || coerce_text(v, &text, &err) < 0 || !buf_ok(&text) || text.len == 0)
        return NULL;
    return str_dup(buf_slice(&text));
}

/* What a template needs of the body around it, the foreach block needs. A plan of the template says what that is, and what is
 * wrong with it, before there is an item. */
static void link_template(struct linking *l, const struct plan_node *n)
{
    const struct ast_stmt *template = foreach_template(n->stmt);
    cleanup_free char *var = foreach_var(n->stmt);
    const struct ast_body *part = &template->body;
    const struct body body = {.kind = BODY_TEMPLATE,
                              .parts = &part,
                              .len = 1,
                              .library = l->p->library,
                              .around = l->p,
                              .outer = l->body,
                              .var = str_of(var)};
    struct plan *pattern = NULL;
    const struct ast_stmt *named = attribute_of(&n->stmt->body, "var");
    if (!var && named)
        diag_error(l->ds, ast_range(named->value), "var must be a string that is known before anything runs");
    if (!var || plan_make(&body, l->options, &pattern, l->ds) < 0)
        return; /* that it is missing comes up when the block is evaluated */
    for (size_t i = 0; i < pattern->len; i++) {
        const struct plan_node *on =
            pattern->nodes[i]->stmt ? NULL : strmap_get(&l->p->ids, str_of(pattern->nodes[i]->id));
        if (on && !str_is(str_of(on->id), var))
            dag_need(&l->p->dag, n->place, on->place);
    }
    plan_free(pattern);
}

static void link_foreach(struct linking *l, const struct plan_node *n)
{
    for (size_t i = 0; i < n->stmt->body.len; i++) {
        struct ast_stmt *s = &n->stmt->body.stmts[i];
        if (s->kind == AST_ATTR)
            ast_traversals(&(struct ast_body){.stmts = s, .len = 1}, link_reference, l);
    }
    link_template(l, n);
    library_uses(l->p->library, &n->stmt->body, link_import, l);
}

/* A template names what is around it: each such name becomes a node of its own here, whose value comes from there. */
static void add_input(void *arg, const struct ast_traversal *t)
{
    const struct linking *l = arg;
    size_t used;
    if (plan_find(l->p, t->path, t->len, &used))
        return;
    const struct plan_node *outer = plan_find(l->p->around, t->path, t->len, &used);
    if (outer && !strmap_has(&l->p->ids, str_of(outer->id)))
        plan_add(l->p, outer->kind == NODE_SKIPPED ? NODE_SKIPPED : NODE_INPUT, NULL, xstrdup(outer->id));
}

/* --- all edges --- */

static void link_node(struct linking *l, const struct plan_node *n)
{
    l->from = n;
    switch (n->kind) {
    case NODE_INPUT:
    case NODE_SKIPPED:
        return;
    case NODE_FOREACH:
        link_foreach(l, n);
        return;
    case NODE_CUSTOM:
        ast_traversals(&n->stmt->body, link_reference, l);
        library_block_uses(l->p->library, n->stmt, link_import, l);
        return;
    default:
        ast_traversals(&n->stmt->body, link_reference, l);
    }
}

struct cycles {
    const struct plan *p;
    struct diags *ds;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void report_cycle(void *arg, const size_t *members, size_t n)
{
    const struct cycles *c = arg;
    const struct plan_node *first = c->p->nodes[members[0]];
    const struct range at = plan_id_range(first->stmt, strlen(first->id));
    if (n == 1) {
        diag_error(c->ds, at, "self reference: %s", first->id);
        return;
    }
    cleanup_free const char **ids = xcalloc(n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = c->p->nodes[members[i]]->id;
    qsort(ids, n, sizeof *ids, by_text);
    cleanup_buf struct buf text = BUF_INIT(CYCLE_TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_puts(&text, i > 0 ? ", " : "cycle: ");
        buf_puts(&text, ids[i]);
    }
    diag_error(c->ds, at, "%s%s", buf_cstr(&text), buf_ok(&text) ? "" : ", …");
}

/* --- what people ask for --- */

static bool is_shown(const struct plan_node *n)
{
    return n->kind == NODE_COMPONENT || n->kind == NODE_CUSTOM || n->kind == NODE_FOREACH;
}

static const char **ids_of(const struct plan *p, const struct dag_links *l)
{
    const char **ids = xcalloc(l->len + 1, sizeof *ids);
    size_t len = 0;
    for (size_t i = 0; i < l->len; i++) {
        if (is_shown(p->nodes[l->items[i]]))
            ids[len++] = p->nodes[l->items[i]]->id;
    }
    if (len > 0)
        qsort(ids, len, sizeof *ids, by_text);
    return ids;
}

static int by_node_id(const void *a, const void *b)
{
    return strcmp((*(struct plan_node *const *)a)->id, (*(struct plan_node *const *)b)->id);
}

static void index_nodes(struct plan *p)
{
    p->by_id = xcalloc(p->len + 1, sizeof *p->by_id);
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *n = p->nodes[i];
        n->references_to = ids_of(p, &p->dag.needs[i]);
        n->referenced_by = ids_of(p, &p->dag.needed_by[i]);
        if (is_shown(n))
            p->by_id[p->by_id_len++] = n;
    }
    if (p->by_id_len > 0)
        qsort(p->by_id, p->by_id_len, sizeof *p->by_id, by_node_id);
}

/* --- what is left out --- */

static bool needs_only_skipped(const struct plan *p, const struct plan_node *n)
{
    const struct dag_links *needs = &p->dag.needs[n->place];
    size_t imports = 0; /* they define it and give it nothing */
    for (size_t i = 0; i < needs->len; i++) {
        const enum node_kind kind = p->nodes[needs->items[i]]->kind;
        if (kind != NODE_SKIPPED && kind != NODE_IMPORT)
            return false;
        imports += kind == NODE_IMPORT;
    }
    return needs->len > imports;
}

static void skip_dependants(struct plan *p, struct diags *ds)
{
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *n = p->nodes[p->order[i]];
        if (!is_shown(n) || !needs_only_skipped(p, n))
            continue;
        n->kind = NODE_SKIPPED;
        diag_warn(ds, plan_id_range(n->stmt, strlen(n->id)),
                  "%s needs nothing but what is left out, and is left out, too", n->id);
    }
}

void plan_link(struct plan *p, const struct body *body, const struct controller_options *options, struct diags *ds)
{
    struct linking l = {.p = p, .body = body, .options = options, .ds = ds};
    for (size_t i = 0; i < body->len && p->around; i++)
        ast_traversals(body->parts[i], add_input, &l);
    dag_init(&p->dag, p->len);
    for (size_t i = 0; i < p->len; i++)
        link_node(&l, p->nodes[i]);
    l.from = NULL;
    for (size_t i = 0; i < p->settings_len; i++)
        ast_traversals(&p->settings[i]->body, link_reference, &l);
    strmap_each(&l.written, e) free(e->value);
    strmap_done(&l.written);
    p->order = xcalloc(p->len + 1, sizeof *p->order);
    if (!dag_order(&p->dag, p->order)) {
        dag_cycles(&p->dag, report_cycle, &(struct cycles){p, ds});
        return;
    }
    for (size_t i = 0; i < p->len; i++)
        p->nodes[p->order[i]]->rank = i;
    if (options->skip_unknown)
        skip_dependants(p, ds);
    index_nodes(p);
}

/* --- the queue of those to be evaluated: a binary heap --- */

void rank_queue_push(struct rank_queue *q, size_t rank)
{
    xgrow(&q->heap, &q->cap, q->len + 1, sizeof *q->heap);
    size_t i = q->len++;
    for (; i > 0 && q->heap[(i - 1) / 2] > rank; i = (i - 1) / 2)
        q->heap[i] = q->heap[(i - 1) / 2];
    q->heap[i] = rank;
}

bool rank_queue_pop(struct rank_queue *q, size_t *ret)
{
    if (q->len == 0)
        return false;
    *ret = q->heap[0];
    const size_t last = q->heap[--q->len];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < q->len; i = child) {
        if (child + 1 < q->len && q->heap[child + 1] < q->heap[child])
            child++;
        if (q->heap[child] >= last)
            break;
        q->heap[i] = q->heap[child];
    }
    q->heap[i] = last;
    return true;
}
