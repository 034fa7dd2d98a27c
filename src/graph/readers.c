#include "graph/readers.h"

#include "base/cleanup.h"
#include "lang/ast.h"

enum { PATH_MOST = 16, PASSES_MOST = 32 }; /* parts of a reference; components that pass on one another's targets */

/* References of a block to an export of another. */
struct reading_of {
    const struct plan *plan;
    const struct block *source;
    struct str export;
    size_t found;    /* references to it */
    size_t followed; /* those that pass it as it is */
};

static bool readers_is_export(const struct reading_of *r, const struct str *path, size_t n)
{
    size_t used;
    return plan_find(r->plan, path, n, false, &used) == r->source && used + 1 == n && str_eq(path[used], r->export);
}

static void readers_count(void *arg, const struct ast_traversal *t)
{
    struct reading_of *r = arg;
    size_t used;
    if (plan_find(r->plan, t->path, t->len, false, &used) == r->source)
        r->found += used == t->len || str_eq(t->path[used], r->export);
}

static bool readers_is_concat(const struct ast_expr *callee)
{
    struct str path[2];
    const size_t n = callee ? ast_path_len(callee) : 0;
    if (n == 0 || n > ARRAY_LEN(path))
        return false;
    ast_path(callee, path, n);
    return str_is(path[n - 1], "concat") && (n == 1 || str_is(path[0], "array"));
}

/* Counts the references in `e` that pass the targets as they are. */
static void readers_follow(struct reading_of *r, const struct ast_expr *e)
{
    struct str path[PATH_MOST];
    const size_t n = ast_path_len(e);
    if (n > 0 && n <= PATH_MOST) {
        ast_path(e, path, n);
        r->followed += readers_is_export(r, path, n);
    } else if (e->kind == AST_PAREN) {
        readers_follow(r, e->paren);
    } else if (e->kind == AST_CALL && readers_is_concat(e->list.callee)) {
        for (size_t i = 0; i < e->list.len; i++)
            readers_follow(r, e->list.items[i]);
    }
}

static struct reading_of readers_references(const struct block *reader, const struct block *source, struct str export)
{
    struct reading_of r = {.plan = reader->plan, .source = source, .export = export};
    const struct ast_body *body = &reader->stmt->body;
    ast_traversals(body, readers_count, &r);
    for (size_t i = 0; i < body->len; i++)
        if (body->stmts[i].kind == AST_ATTR && str_is(body->stmts[i].name, "targets"))
            readers_follow(&r, body->stmts[i].value);
    return r;
}

static bool readers_looks(const struct graph *g, const struct instance *i)
{
    return i->looked_ms && uv_now(g->module->engine->loop) < i->looked_ms + READERS_LOOK_MS;
}

static bool readers_any(const struct graph *g, const struct block *source, struct str export, struct str label,
                        unsigned depth);

static bool readers_one(const struct graph *g, const struct block *reader, const struct block *source,
                        struct str export, struct str label, unsigned depth)
{
    const struct instance *i = g->nodes[reader->place].instance;
    const struct component_def *def = reader->def;
    if (reader->type != BLOCK_COMPONENT)
        return reader->type != BLOCK_SKIPPED;
    const struct reading_of r = readers_references(reader, source, export);
    if (r.found == 0)
        return false;
    if (!def->reads_label || r.found != r.followed || !i || !i->args || readers_looks(g, i))
        return true;
    return def->reads_label(i->args, label) ||
           (def->passes_on && readers_any(g, reader, str_of(def->passes_on), label, depth + 1));
}

static bool readers_any(const struct graph *g, const struct block *source, struct str export, struct str label,
                        unsigned depth)
{
    const struct dag_links *readers = &g->plan->dag.needed_by[source->place];
    if (readers->len == 0 || depth > PASSES_MOST)
        return true;
    for (size_t i = 0; i < readers->len; i++)
        if (readers_one(g, g->plan->blocks[readers->items[i]], source, export, label, depth))
            return true;
    return false;
}

/* NULL: it is not in a graph that runs. */
static const struct node *readers_node(struct component *c)
{
    const struct node *n = instance_of(c)->node;
    return n && n->graph->is_running ? n : NULL;
}

bool component_label_is_read(struct component *c, const char *export, struct str label)
{
    const struct node *n = readers_node(c);
    return !n || readers_looks(n->graph, n->instance) || readers_any(n->graph, n->block, str_of(export), label, 0);
}

uint64_t component_readers(struct component *c)
{
    const struct node *n = readers_node(c);
    return n ? node_engine(n)->readers : 0;
}

void readers_look(const struct node *n)
{
    const uint64_t now = uv_now(node_engine(n)->loop);
    node_engine(n)->readers += !readers_looks(n->graph, n->instance);
    n->instance->looked_ms = now ? now : 1;
}
