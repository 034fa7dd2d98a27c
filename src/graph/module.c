#include "graph/module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/measured.h"

struct module *module_new(const struct module *outer, struct instance *host, char *id)
{
    struct module *m = xcalloc(1, sizeof *m);
    *m = (struct module){.engine = outer->engine, .host = host, .id = id, .depth = outer->depth + 1};
    return m;
}

void module_done(struct module *m)
{
    module_discard(m);
    struct graph *g = TAKE_PTR(m->running);
    for (size_t i = g ? g->plan->len : 0; i-- > 0;) {
        struct instance *instance = graph_node_at(g, i)->instance;
        if (instance)
            instance_free(instance);
    }
    graph_free(g);
    definitions_unref(TAKE_PTR(m->held));
}

void module_free(struct module *m)
{
    if (!m)
        return;
    module_done(m);
    measured_forget(m->id);
    free(m->id);
    free(m);
}

void module_free_all(struct instance *host)
{
    for (size_t i = 0; i < host->modules.len; i++)
        module_free(host->modules.items[i]);
    module_list_done(&host->modules);
}

static struct module *outer_of(const struct module *m)
{
    const struct node *n = m->host ? m->host->node : NULL;
    return n && n->graph->is_running ? n->graph->module : NULL;
}

bool module_is_measured(const struct module *m)
{
    for (; m && m->host; m = outer_of(m)) {
        if (m->host->is_unmeasured)
            return false;
    }
    return true;
}

/* --- diagnostics --- */

static bool has_diag(const struct diags *ds, size_t len, const struct diag *d)
{
    for (size_t i = 0; i < len; i++) {
        const struct diag *e = &ds->items[i];
        if (e->range.first.source == d->range.first.source && e->range.first.offset == d->range.first.offset &&
            strcmp(e->message, d->message) == 0)
            return true;
    }
    return false;
}

void module_merge_problems(struct diags *to, struct diags *from)
{
    const size_t before = to->len;
    for (size_t i = 0; i < from->len; i++) {
        const struct diag *d = &from->items[i];
        if (!has_diag(to, before, d))
            diag_add(to, d->severity, d->range, "%s", d->message);
    }
    diags_done(from);
}

/* A place inside a declare says nothing about which of its instances is in trouble; imported text has no instances. */
static void say_where(struct diags *ds, size_t from, const struct module *m)
{
    const bool is_imported = m->host && m->host->def;
    for (size_t i = from; i < ds->len && m->host && !is_imported; i++) {
        struct diag *d = &ds->items[i];
        if (d->severity != SEVERITY_ERROR || strstr(d->message, " (in "))
            continue;
        char *text = xasprintf("%s (in %s)", d->message, m->id);
        free(d->message);
        d->message = text;
    }
}

/* --- staging --- */

/* The running instance that a staged node takes over, or NULL. One that has exited or never worked makes room for a new
 * one. */
static struct instance *instance_to_keep(const struct module *m, const struct node *n)
{
    const struct node *old = m->running ? graph_node(m->running, str_of(n->block->id)) : NULL;
    const bool is_same = old && old->block->type == n->block->type && old->block->def == n->block->def;
    struct instance *i = is_same ? old->instance : NULL;
    return i && i->is_built && instance_is_alive(i) ? i : NULL;
}

static struct instance *new_instance(const struct module *m, struct node *n)
{
    const struct block *b = n->block;
    struct instance *i = instance_new(node_kind(n), b->def, b->stmt, b->id, m->id, m->engine->env);
    i->owner = &m->engine->owner;
    i->node = n;
    return i;
}

static void module_prepare_node(struct module *m, struct node *n, struct diags *ds)
{
    const struct block_kind *kind = node_kind(n);
    if (kind->has_instance) {
        n->instance = instance_to_keep(m, n);
        node_staged(n)->is_new = !n->instance;
        if (!n->instance)
            n->instance = new_instance(m, n);
    }
    if (kind->prepare)
        kind->prepare(n, ds);
}

/* Whether the module may be staged: what makes itself has no end. */
static bool has_room(const struct module *m, struct diags *ds)
{
    const struct range at = m->host ? m->host->node->block->stmt->name_range : (struct range){0};
    if (m->depth > MODULE_DEPTH_MAX)
        diag_error(ds, at, "modules are nested deeper than %d levels; check for recursion", MODULE_DEPTH_MAX);
    else if (m->engine->staged_blocks > MODULE_BLOCKS_MAX)
        diag_error(ds, at, "the configuration has more than %d instances", MODULE_BLOCKS_MAX);
    else
        return true;
    return false;
}

int module_stage(struct module *m, struct graph *g, struct diags *ds)
{
    const size_t errors_before = ds->errors, len_before = ds->len;
    m->staged = g;
    m->engine->staged_blocks += g->plan->len;
    const bool has = has_room(m, ds);
    for (size_t i = 0; i < g->plan->len && has && m->engine->staged_blocks <= MODULE_BLOCKS_MAX; i++)
        module_prepare_node(m, graph_node_at(g, i), ds);
    say_where(ds, len_before, m);
    return ds->errors > errors_before ? -EINVAL : 0;
}

static void module_discard_node(struct node *n)
{
    const struct block_kind *kind = node_kind(n);
    struct staged *s = node_staged(n);
    struct instance *i = n->instance;
    if (kind->discard)
        kind->discard(n);
    if (i && s->is_new)
        instance_free(i);
}

void module_discard(struct module *m)
{
    struct graph *g = TAKE_PTR(m->staged);
    for (size_t i = g ? g->plan->len : 0; i-- > 0;)
        module_discard_node(graph_node_at(g, i));
    graph_free(g);
    definitions_unref(m->staged_held);
    m->staged_held = NULL;
    m->staged_declare = NULL;
}

struct module *module_of_node(struct node *n)
{
    struct instance *i = n->instance;
    struct module *m = instance_module(i);
    if (m)
        return m;
    m = module_new(n->graph->module, i, xstrdup(i->handle.id));
    module_list_add(&i->modules, m, m->id);
    return m;
}

/* That of a new instance goes with it. */
void module_discard_of_node(struct node *n)
{
    struct module *m = n->instance ? instance_module(n->instance) : NULL;
    if (m && !node_staged(n)->is_new)
        module_discard(m);
}

/* --- evaluation of what runs --- */

void module_redefine(struct module *m)
{
    for (size_t i = 0; m->running && i < m->running->plan->len; i++) {
        struct node *n = &m->running->nodes[i];
        if (!node_kind(n)->uses_definitions)
            continue;
        n->is_redefined = true;
        node_mark_dirty(n);
    }
}

static int module_evaluate_dirty(struct node *n, struct err *err)
{
    const bool was_waiting = n->is_waiting;
    const struct block_kind *kind = node_kind(n);
    node_check_waiting(n);
    if (n->is_waiting && !(n->instance && n->instance->is_built))
        return 0;
    const int code = kind->evaluate ? kind->evaluate(n, err) : 0;
    /* Those that waited for this one may have no other reason to be looked at. */
    if (was_waiting && !n->is_waiting)
        node_mark_dependants(n);
    return code;
}

/* The one noted first comes first. */
static void reverse_updated(struct instance *i)
{
    struct module *left = TAKE_PTR(i->updated);
    while (left) {
        struct module *m = left;
        left = m->updated;
        m->updated = i->updated;
        i->updated = m;
    }
}

static void module_evaluate_inside(struct instance *i)
{
    reverse_updated(i);
    while (i->updated) {
        struct module *m = i->updated;
        i->updated = m->updated;
        m->is_listed = false;
        module_evaluate(m);
        if (m->running && m->running->queue.len > 0)
            break; /* it has put something off, and itself back in the list */
    }
}

static int module_evaluate_measured(const struct module *m, struct node *n, struct err *err)
{
    const uint64_t begun = uv_hrtime();
    n->is_dirty = false;
    const int code = module_evaluate_dirty(n, err);
    n->is_redefined = false;
    if (module_is_measured(m))
        measured_evaluation(m->id, n->instance ? n->instance->handle.id : NULL, n->dirty_ns, begun, uv_hrtime());
    return code;
}

static void module_evaluate_node(const struct module *m, struct node *n)
{
    struct instance *i = n->instance;
    struct err err = {0};
    int code = 0;
    if (i && !instance_is_alive(i))
        return;
    if (n->is_dirty)
        code = module_evaluate_measured(m, n, &err);
    if (n->is_inside) {
        n->is_inside = false;
        module_evaluate_inside(i);
    }
    if (n->has_news) {
        n->has_news = false;
        if (code == 0)
            code = node_kind(n)->take_exports(n, &err);
    }
    if (code < 0 && i)
        engine_report(m->engine, i);
}

void module_evaluate(struct module *m)
{
    struct graph *g = m->running;
    size_t rank, last = 0;
    bool any = false;
    while (g && rank_queue_pop(&g->queue, &rank)) {
        struct node *n = graph_node_at(g, rank);
        n->is_queued = false;
        if (!n->is_dirty && !n->is_inside && !n->has_news)
            continue;
        if (any && rank <= last) {
            /* A later one made an earlier one export: the next batch, or this one might not end. */
            node_queue(n);
            break;
        }
        any = true;
        last = rank;
        module_evaluate_node(m, n);
    }
    if (g && g->has_new_exports && m->host)
        component_export(&m->host->handle, graph_exports(g));
    if (g)
        g->has_new_exports = false;
}

/* --- the staged graph becomes the running one --- */

/* Brings one node in step with the new graph; what it needs has been. */
static int module_commit_node(struct node *n, struct diags *ds)
{
    const struct block_kind *kind = node_kind(n);
    struct err err = {0};
    int code = kind->commit ? kind->commit(n, ds) : 0;
    if (!n->is_dirty)
        return code;
    /* What was decoded for the load is history: a component it reads has just been updated. */
    n->is_dirty = false;
    args_unref(TAKE_PTR(node_staged(n)->args));
    const int again = module_evaluate_dirty(n, &err);
    if (err.code)
        diag_error(ds, n->block->stmt->range, "%s: %s", kind->words.failure, err.text);
    return again < 0 ? again : code;
}

static void forget_nodes(const struct graph *g)
{
    for (size_t i = 0; g && i < g->plan->len; i++) {
        if (g->nodes[i].instance)
            g->nodes[i].instance->node = NULL;
    }
}

static void take_graph(struct module *m)
{
    struct graph *old = m->running, *g = TAKE_PTR(m->staged);
    forget_nodes(old);
    for (size_t i = 0; i < g->plan->len; i++) {
        if (g->nodes[i].instance)
            g->nodes[i].instance->node = &g->nodes[i];
    }
    if (old)
        old->is_running = false;
    g->is_running = true;
    g->made_for = NULL;
    m->running = g;
    m->engine->readers++;
    /* What a source brought a moment ago has not been looked at yet. */
    for (size_t i = 0; old && i < old->plan->len; i++) {
        if (old->nodes[i].has_news && old->nodes[i].instance->node)
            node_mark_news(old->nodes[i].instance->node);
    }
    m->declare = TAKE_PTR(m->staged_declare);
    definitions_unref(m->held);
    m->held = TAKE_PTR(m->staged_held);
}

/* Those without a node go. */
static void stop_rest(struct module *m, struct graph *g)
{
    const size_t len = g->plan->len;
    cleanup_free struct instance **instances = xcalloc(len + 1, sizeof(struct instance *));
    for (size_t i = 0; i < len; i++)
        instances[i] = g->nodes[i].instance;
    const struct stopping_graph was = {&g->plan->dag, g->plan->order, instances};
    stopping_add(&m->engine->stopping, &was, m->host, uv_now(m->engine->loop));
    graph_free(g);
}

int module_commit(struct module *m, struct diags *ds)
{
    struct graph *old = m->running;
    take_graph(m);
    struct graph *g = m->running;
    int result = 0;
    for (size_t i = 0; i < g->plan->len; i++) {
        if (module_commit_node(graph_node_at(g, i), ds) < 0)
            result = -EIO;
    }
    g->has_new_exports = false; /* whoever made the graph reads them all */
    graph_drop_staged(g);
    if (old)
        stop_rest(m, old);
    module_note_unstarted(m);
    return result;
}

/* --- starting and stopping --- */

void module_note_unstarted(struct module *m)
{
    for (; m && !m->has_unstarted; m = outer_of(m))
        m->has_unstarted = true;
}

static void start_inside(const struct instance *host)
{
    for (size_t i = 0; i < host->modules.len; i++) {
        if (host->modules.items[i]->has_unstarted)
            module_start(host->modules.items[i]);
    }
}

/* A component of the same kind may hold on to what a new one wants, until it has stopped: a JVM is profiled by one at a
 * time. */
void module_start(struct module *m)
{
    bool later = false;
    m->has_unstarted = false;
    for (size_t k = 0; m->running && k < m->running->plan->len; k++) {
        struct instance *i = graph_node_at(m->running, k)->instance;
        if (!i || !i->is_built)
            continue;
        if (i->phase == INSTANCE_STAGED && i->def && stopping_has(&m->engine->stopping, i->def))
            later = true;
        else if (i->phase == INSTANCE_STAGED)
            instance_start(i);
        if (i->phase == INSTANCE_RUNNING)
            start_inside(i);
    }
    if (later)
        module_note_unstarted(m);
}

void module_stop(struct module *m)
{
    struct graph *g = TAKE_PTR(m->running);
    forget_nodes(g);
    if (g)
        stop_rest(m, g);
}

void module_stop_all(struct instance *host)
{
    for (size_t i = 0; i < host->modules.len; i++)
        module_stop(host->modules.items[i]);
}
