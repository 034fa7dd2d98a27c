#include "graph/node.h"

#include <stdlib.h>

#include "base/mem.h"

struct graph *graph_new(struct module *m, struct plan *plan)
{
    struct graph *g = xcalloc(1, sizeof *g);
    *g = (struct graph){.plan = plan,
                        .module = m,
                        .nodes = xcalloc(plan->len + 1, sizeof *g->nodes),
                        .staged = xcalloc(plan->len + 1, sizeof *g->staged)};
    for (size_t i = 0; i < plan->len; i++)
        g->nodes[i] = (struct node){.block = plan->blocks[i], .graph = g};
    return g;
}

void graph_drop_staged(struct graph *g)
{
    for (size_t i = 0; g->staged && i < g->plan->len; i++) {
        args_unref(g->staged[i].args);
        value_unref(g->staged[i].arguments);
        value_unref(g->staged[i].exports);
    }
    free(g->staged);
    g->staged = NULL;
}

void graph_free(struct graph *g)
{
    if (!g)
        return;
    graph_drop_staged(g);
    for (size_t i = 0; i < g->plan->len; i++) {
        value_unref(g->nodes[i].value);
        value_unref(g->nodes[i].given);
    }
    rank_queue_done(&g->queue);
    plan_free(g->plan);
    free(g->nodes);
    free(g);
}

struct node *graph_node(const struct graph *g, struct str id)
{
    const struct block *b = plan_block(g->plan, id);
    return b ? &g->nodes[b->place] : NULL;
}

struct value *graph_exports(const struct graph *g)
{
    struct value *object = value_object();
    for (size_t i = 0; i < g->plan->len; i++) {
        const struct node *n = &g->nodes[i];
        if (n->block->type == BLOCK_EXPORT)
            value_object_put(object, n->block->stmt->label, n->value ? value_ref(n->value) : value_null());
    }
    return object;
}

/* --- names of expressions --- */

struct value *node_value(const struct node *n)
{
    const struct staged *s = node_staged(n);
    if (n->value)
        return n->value;
    if (s && s->exports)
        return s->exports;
    return n->instance ? n->instance->exports : NULL;
}

static bool graph_resolve(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret)
{
    const struct graph *g = ctx;
    const struct block *b = plan_find(g->plan, path, n, false, used);
    if (b && b->type == BLOCK_SKIPPED) {
        *used = n;
        *ret = value_null();
        return true;
    }
    struct value *v = b ? node_value(&g->nodes[b->place]) : NULL;
    if (!b && str_is(path[0], "module_path")) {
        *used = 1;
        v = g->plan->definitions->module_path;
    }
    if (v)
        *ret = value_ref(v);
    return v != NULL;
}

struct scope graph_scope(struct graph *g)
{
    return (struct scope){.resolve = graph_resolve, .ctx = g};
}

/* --- what is to be evaluated --- */

void node_queue(struct node *n)
{
    while (n->graph->is_running && !n->is_queued) {
        struct module *m = n->graph->module;
        n->is_queued = true;
        rank_queue_push(&n->graph->queue, n->block->rank);
        struct instance *host = m->host;
        if (!host || !host->node)
            break;
        if (!m->is_listed) {
            m->is_listed = true;
            m->updated = host->updated;
            host->updated = m;
        }
        n = host->node;
        n->is_inside = true;
    }
}

void node_mark_dirty(struct node *n)
{
    if (!n->is_dirty)
        n->dirty_ns = uv_hrtime();
    n->is_dirty = true;
    node_queue(n);
}

void node_mark_news(struct node *n)
{
    n->has_news = true;
    node_queue(n);
}

void node_mark_dependants(struct node *n)
{
    const struct dag_links *by = &n->graph->plan->dag.needed_by[n->block->place];
    for (size_t i = 0; i < by->len; i++)
        node_mark_dirty(&n->graph->nodes[by->items[i]]);
}

bool node_set_value(struct node *n, struct value *v)
{
    if (n->value && (n->value == v || value_equal(n->value, v))) {
        value_unref(v);
        return false;
    }
    value_unref(n->value);
    n->value = v;
    if (n->block->type == BLOCK_EXPORT)
        n->graph->has_new_exports = true;
    if (n->graph->is_running)
        node_mark_dependants(n);
    return true;
}

void engine_report(const struct engine *e, const struct instance *i)
{
    if (e->on_problem)
        e->on_problem(e->problem_arg, i->handle.id, instance_health(i)->message);
}

/* --- what is needed --- */

/* A dependency has not exported yet what is needed of it. */
static bool node_awaits_exports(const struct node *n)
{
    const struct dag_links *needs = &n->graph->plan->dag.needs[n->block->place];
    for (size_t i = 0; i < needs->len; i++) {
        const struct instance *on = n->graph->nodes[needs->items[i]].instance;
        if (on && on->def && on->def->exports_late && !on->has_exported)
            return true;
    }
    return false;
}

void node_check_waiting(struct node *n)
{
    const struct dag_links *needs = &n->graph->plan->dag.needs[n->block->place];
    n->is_waiting = node_awaits_exports(n);
    for (size_t i = 0; i < needs->len; i++)
        n->is_waiting |= n->graph->nodes[needs->items[i]].is_waiting;
}

const char *node_waits_for(const struct node *n)
{
    return node_awaits_exports(n) ? "the exports of a dependency" : "the import";
}

void node_check_needs(struct node *n)
{
    const struct dag_links *needs = &n->graph->plan->dag.needs[n->block->place];
    struct staged *s = node_staged(n);
    node_check_waiting(n);
    for (size_t i = 0; i < needs->len; i++) {
        const struct node *on = &n->graph->nodes[needs->items[i]];
        const struct staged *of = node_staged(on);
        s->has_failed |= of->has_failed;
        s->is_blind |= of->has_failed && (of->is_blind || !node_kind(on)->has_exports_unbuilt);
    }
}
