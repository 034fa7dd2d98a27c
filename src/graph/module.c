#include "graph/module.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/internal.h"
#include "graph/measured.h"
#include "lang/eval.h"

struct module *module_new(const struct module *outer, struct component *host, char *id)
{
    struct module *m = xcalloc(1, sizeof *m);
    *m = (struct module){.owner = outer->owner, .host = host, .id = id, .depth = outer->depth + 1};
    return m;
}

void module_done(struct module *m)
{
    module_discard(m);
    for (size_t i = m->plan ? m->plan->len : 0; i-- > 0;) {
        struct component *c = m->plan->nodes[m->plan->order[i]]->component;
        if (c)
            node_free(c);
    }
    plan_free(TAKE_PTR(m->plan));
    library_unref(TAKE_PTR(m->held));
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

bool module_is_measured(const struct module *m)
{
    for (; m && m->host; m = m->host->plan ? m->host->plan->plan->live : NULL) {
        if (m->host->kind == NODE_FOREACH && !m->host->measures)
            return false;
    }
    return true;
}

/* --- names of expressions --- */

struct value *plan_node_value(const struct plan_node *n)
{
    return n->value ? n->value : n->component ? n->component->exports : NULL;
}

static bool resolve(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret)
{
    const struct plan *p = ctx;
    const struct plan_node *node = plan_find(p, path, n, used);
    if (node && node->kind == NODE_SKIPPED) {
        *used = n;
        *ret = value_null();
        return true;
    }
    struct value *v = node ? plan_node_value(node) : NULL;
    if (!v && !node && str_is(path[0], "module_path")) {
        *used = 1;
        v = p->library->module_path;
    }
    if (v)
        *ret = value_ref(v);
    return v != NULL;
}

struct scope plan_scope(struct plan *p)
{
    return (struct scope){.resolve = resolve, .ctx = p};
}

/* --- diagnostics --- */

int module_problem(const struct diags *ds, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
    diags_summary(ds, &text);
    return err_set(err, -EINVAL, "%s", buf_cstr(&text));
}

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

void diags_merge(struct diags *to, struct diags *from)
{
    const size_t before = to->len;
    for (size_t i = 0; i < from->len; i++) {
        const struct diag *d = &from->items[i];
        if (!has_diag(to, before, d))
            diag_add(to, d->severity, d->range, "%s", d->message);
    }
    diags_done(from);
}

/* A place inside a declare says nothing about which of its instances is in trouble. */
static void say_where(struct diags *ds, size_t from, const struct module *m)
{
    for (size_t i = from; i < ds->len && m->host; i++) {
        struct diag *d = &ds->items[i];
        if (d->severity != SEVERITY_ERROR || m->host->kind == NODE_IMPORT || strstr(d->message, " (in "))
            continue;
        char *text = xasprintf("%s (in %s)", d->message, m->id);
        free(d->message);
        d->message = text;
    }
}

/* --- a plan aside --- */

static bool is_alive(const struct component *c)
{
    return c->phase == NODE_ASIDE || c->phase == NODE_RUNNING;
}

/* The running instance a node of a new plan takes over, or NULL. One that has exited or never worked makes room for a new one. */
static struct component *instance_of(const struct module *m, const struct plan_node *n)
{
    const struct plan_node *old = m->plan ? strmap_get(&m->plan->ids, str_of(n->id)) : NULL;
    struct component *c = old && old->kind == n->kind && old->def == n->def ? old->component : NULL;
    return c && c->is_built && is_alive(c) ? c : NULL;
}

void module_check_needs(struct plan_node *n)
{
    const struct plan *p = n->plan;
    const struct dag_links *needs = &p->dag.needs[n->place];
    n->waits = n->blind = false;
    for (size_t i = 0; i < needs->len; i++) {
        const struct plan_node *on = p->nodes[needs->items[i]];
        n->failed |= on->failed;
        n->waits |= on->waits;
        n->blind |= on->failed && (on->blind || on->kind != NODE_COMPONENT);
    }
}

static void component_prepare(struct plan_node *n, struct diags *ds)
{
    const struct scope scope = plan_scope(n->plan);
    module_check_needs(n);
    if (n->waits || n->blind)
        return;
    /* What needs a failed one is still decoded, for its own mistakes, but not built. */
    if (node_decode(n, &scope, ds) < 0)
        n->failed = true;
    struct err err = {0};
    if (n->failed || !n->is_new || node_build(n, &err) == 0)
        return;
    n->failed = true;
    diag_error(ds, n->stmt->range, "%s: %s", node_failure(n), err.text);
}

static void value_prepare(struct plan_node *n, struct diags *ds)
{
    module_check_needs(n);
    if (n->kind == NODE_INPUT || n->waits || n->failed)
        return; /* an input was set by whoever made the plan */
    n->failed = value_node_evaluate(n, &n->value, ds) < 0;
}

static void prepare_node(struct module *m, struct plan_node *n, struct diags *ds)
{
    if (n->kind == NODE_SKIPPED)
        return;
    if (n->kind == NODE_ARGUMENT || n->kind == NODE_EXPORT || n->kind == NODE_INPUT) {
        value_prepare(n, ds);
        return;
    }
    n->component = instance_of(m, n);
    n->is_new = !n->component;
    if (n->is_new)
        n->component = node_new(m->owner, m->owner->options.env, n, m->id);
    if (n->kind == NODE_COMPONENT)
        component_prepare(n, ds);
    else if (n->kind == NODE_CUSTOM)
        custom_prepare(m, n, ds);
    else if (n->kind == NODE_FOREACH)
        foreach_prepare(m, n, ds);
    else
        import_prepare(m, n, ds);
}

int module_prepare(struct module *m, struct plan *p, struct diags *ds)
{
    const size_t errors_before = ds->errors, len_before = ds->len;
    m->next = p;
    m->owner->planned += p->len;
    if (m->depth > MODULE_DEPTH_MAX)
        diag_error(ds, m->host->plan->stmt->name_range,
                   "modules are nested deeper than %d levels; does one need itself?", MODULE_DEPTH_MAX);
    else if (m->owner->planned > MODULE_NODES_MAX)
        diag_error(ds, m->host ? m->host->plan->stmt->name_range : (struct range){0},
                   "the configuration makes more than %d blocks", MODULE_NODES_MAX);
    for (size_t i = 0; i < p->len && m->depth <= MODULE_DEPTH_MAX && m->owner->planned <= MODULE_NODES_MAX; i++)
        prepare_node(m, p->nodes[p->order[i]], ds);
    say_where(ds, len_before, m);
    return ds->errors > errors_before ? -EINVAL : 0;
}

void module_discard(struct module *m)
{
    struct plan *p = TAKE_PTR(m->next);
    for (size_t i = p ? p->len : 0; i-- > 0;) {
        struct plan_node *n = p->nodes[p->order[i]];
        struct component *c = n->component;
        foreach_discard(n);
        if (!c)
            continue;
        if (c->def)
            node_drop_decoded(n);
        if (n->is_new)
            node_free(c);
        else if (c->module)
            module_discard(c->module);
    }
    plan_free(p);
    library_unref(m->next_held);
    m->next_held = NULL;
    m->next_template = NULL;
}

/* --- evaluation of what runs --- */

static void queue_up(struct plan_node *n)
{
    while (n->plan->live && !n->queued) {
        struct module *m = n->plan->live;
        n->queued = true;
        rank_queue_push(&n->plan->queue, n->rank);
        struct component *host = m->host;
        if (!host || !host->plan)
            break;
        if (!m->listed) {
            m->listed = true;
            m->updated = host->updated;
            host->updated = m;
        }
        host->plan->inside = true;
        n = host->plan;
    }
}

void module_mark(struct plan_node *n)
{
    if (!n->stale)
        n->stale_ns = uv_hrtime();
    n->stale = true;
    queue_up(n);
}

void import_refresh(struct plan_node *n)
{
    n->content = true;
    queue_up(n);
}

void module_mark_dependants(struct plan_node *n)
{
    const struct dag_links *by = &n->plan->dag.needed_by[n->place];
    for (size_t i = 0; i < by->len; i++)
        module_mark(n->plan->nodes[by->items[i]]);
}

void module_redefine(struct module *m)
{
    for (size_t i = 0; m->plan && i < m->plan->len; i++) {
        struct plan_node *n = m->plan->nodes[i];
        if (n->kind != NODE_CUSTOM && n->kind != NODE_FOREACH)
            continue;
        n->redefined = true;
        module_mark(n);
    }
}

bool module_set(struct plan_node *n, struct value *v)
{
    if (n->value && (n->value == v || value_equal(n->value, v))) {
        value_unref(v);
        return false;
    }
    value_unref(n->value);
    n->value = v;
    if (n->kind == NODE_EXPORT)
        n->plan->exports_changed = true;
    module_mark_dependants(n);
    return true;
}

/* Gives a component its new arguments, if there are any; its health says how that went. One that has not started is built anew:
 * updates come after start. */
static int hand_over(struct plan_node *n, struct err *err)
{
    int code = 0;
    struct component *c = n->component;
    if (n->args)
        code = c->phase == NODE_ASIDE ? node_build(n, err) : node_update(n, err);
    if (c->is_built && c->phase == NODE_ASIDE)
        module_note_unstarted(n->plan->live);
    node_evaluated(c, code < 0 ? err->text : NULL);
    return code;
}

static int component_evaluate(struct plan_node *n, struct err *err)
{
    const struct scope scope = plan_scope(n->plan);
    cleanup_diags struct diags ds = DIAGS_INIT;
    if (node_decode(n, &scope, &ds) == 0)
        return hand_over(n, err);
    int code = module_problem(&ds, err);
    code = err_wrap(err, code, "decoding configuration");
    node_evaluated(n->component, err->text);
    return code;
}

/* Arguments and exports have no health of their own: the component they belong to says what is wrong. */
static void evaluate_value(struct plan_node *n, bool had_failed)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct component *host = n->plan->live->host;
    struct value *v;
    n->failed = value_node_evaluate(n, &v, &ds) < 0;
    if (!n->failed)
        module_set(n, v);
    if (n->failed) {
        struct err err = {0};
        module_problem(&ds, &err);
        node_evaluated(host, err.text);
        controller_report(host->owner, host->id, node_health(host)->message);
    } else if (had_failed) {
        node_evaluated(host, NULL);
    }
}

static int evaluate_stale(struct plan_node *n, struct err *err)
{
    const bool waited = n->waits, had_failed = n->failed;
    module_check_needs(n);
    n->failed = false; /* that was about a plan aside; what is in trouble now has its old exports */
    if (n->waits && !(n->component && n->component->is_built))
        return 0;
    int code = 0;
    switch (n->kind) {
    case NODE_COMPONENT:
        code = component_evaluate(n, err);
        break;
    case NODE_CUSTOM:
        code = custom_evaluate(n, err);
        break;
    case NODE_FOREACH:
        code = foreach_evaluate(n, err);
        break;
    case NODE_IMPORT:
        code = component_evaluate(n, err);
        n->waits = !import_library(n);
        break;
    case NODE_ARGUMENT:
    case NODE_EXPORT:
        evaluate_value(n, had_failed);
        break;
    default:
        break;
    }
    /* Those that waited for this one may have no other reason to be looked at. */
    if (waited && !n->waits)
        module_mark_dependants(n);
    return code;
}

/* The one noted first comes first. */
static void reverse_updated(struct component *c)
{
    struct module *left = TAKE_PTR(c->updated);
    while (left) {
        struct module *m = left;
        left = m->updated;
        m->updated = c->updated;
        c->updated = m;
    }
}

static void evaluate_inside(struct component *c)
{
    reverse_updated(c);
    while (c->updated) {
        struct module *m = c->updated;
        c->updated = m->updated;
        m->listed = false;
        module_evaluate(m);
        if (m->plan && m->plan->queue.len > 0)
            break; /* it has put something off, and itself back in the list */
    }
}

static void evaluate_node(const struct module *m, struct plan_node *n)
{
    struct component *c = n->component;
    struct err err = {0};
    int code = 0;
    if (c && !is_alive(c))
        return;
    if (n->stale) {
        const uint64_t begun = uv_hrtime();
        n->stale = false;
        code = evaluate_stale(n, &err);
        n->redefined = false;
        if (module_is_measured(m))
            measured_evaluation(m->id, c ? c->id : NULL, n->stale_ns, begun, uv_hrtime());
    }
    if (n->inside) {
        n->inside = false;
        evaluate_inside(c);
    }
    if (n->content) {
        n->content = false;
        if (code == 0)
            code = import_evaluate(n, &err);
    }
    if (code < 0 && c)
        controller_report(c->owner, c->id, node_health(c)->message);
}

void module_evaluate(struct module *m)
{
    struct plan *p = m->plan;
    size_t rank, last = 0;
    bool any = false;
    while (p && rank_queue_pop(&p->queue, &rank)) {
        struct plan_node *n = p->nodes[p->order[rank]];
        n->queued = false;
        if (!n->stale && !n->inside && !n->content)
            continue;
        if (any && rank <= last) {
            /* A later one made an earlier one export: the next batch, or this one might not end. */
            queue_up(n);
            break;
        }
        any = true;
        last = rank;
        evaluate_node(m, n);
    }
    if (p && p->exports_changed && m->host && m->host->kind == NODE_CUSTOM)
        component_export(m->host, module_exports(p));
    if (p)
        p->exports_changed = false;
}

/* --- the plan aside becomes the running one --- */

/* Brings one node in step with the new plan; what it needs has been. */
static int step(struct plan_node *n, struct diags *ds)
{
    struct err err = {0};
    int code = 0;
    if (n->waits && n->is_new && n->kind != NODE_IMPORT)
        health_set(&n->component->evaluation, HEALTH_UNKNOWN, xstrdup("waiting for what is imported"));
    if (n->kind == NODE_CUSTOM)
        code = custom_commit(n, ds);
    else if (n->kind == NODE_FOREACH)
        code = foreach_commit(n, ds);
    else if (n->kind == NODE_IMPORT)
        code = import_commit(n, ds);
    else if (n->kind == NODE_COMPONENT && !n->stale && !n->waits)
        code = hand_over(n, &err);
    if (n->stale) {
        /* What was decoded aside is history: a component it reads has just been updated. */
        n->stale = false;
        if (n->component && n->component->def)
            node_drop_decoded(n);
        const int again = evaluate_stale(n, &err);
        code = again < 0 ? again : code;
    }
    if (err.code)
        diag_error(ds, n->stmt->range, "%s: %s", node_failure(n), err.text);
    return code;
}

static void take_plan(struct module *m)
{
    struct plan *old = m->plan, *p = TAKE_PTR(m->next);
    for (size_t i = 0; old && i < old->len; i++) {
        if (old->nodes[i]->component)
            old->nodes[i]->component->plan = NULL;
    }
    for (size_t i = 0; i < p->len; i++) {
        if (p->nodes[i]->component)
            p->nodes[i]->component->plan = p->nodes[i];
    }
    if (old)
        old->live = NULL;
    p->live = m;
    m->plan = p;
    /* What a source brought a moment ago has not been looked at yet. */
    for (size_t i = 0; old && i < old->len; i++) {
        if (old->nodes[i]->content && old->nodes[i]->component->plan)
            import_refresh(old->nodes[i]->component->plan);
    }
    m->template = m->next_template;
    library_unref(m->held);
    m->held = TAKE_PTR(m->next_held);
    m->next_template = NULL;
}

int module_commit(struct module *m, struct diags *ds)
{
    struct plan *old = m->plan;
    take_plan(m);
    int result = 0;
    for (size_t i = 0; i < m->plan->len; i++) {
        if (step(m->plan->nodes[m->plan->order[i]], ds) < 0)
            result = -EIO;
    }
    m->plan->exports_changed = false; /* whoever made the plan reads them all */
    if (old) {
        stopping_add(&m->owner->stopping, old, m->host, uv_now(m->owner->options.loop));
        plan_free(old);
    }
    module_note_unstarted(m);
    return result;
}

/* --- starting and stopping --- */

void module_note_unstarted(struct module *m)
{
    for (; !m->unstarted; m = m->host->plan->plan->live) {
        m->unstarted = true;
        if (!m->host || !m->host->plan || !m->host->plan->plan->live)
            break;
    }
}

static void start_inside(struct component *c)
{
    if (c->module && c->module->unstarted)
        module_start(c->module);
    for (size_t i = 0; i < c->children.len; i++) {
        if (c->children.items[i]->unstarted)
            module_start(c->children.items[i]);
    }
}

/* A component of the same kind may hold on to what a new one wants, until it has stopped: a JVM is profiled by one at a time. */
void module_start(struct module *m)
{
    bool later = false;
    m->unstarted = false;
    for (size_t i = 0; m->plan && i < m->plan->len; i++) {
        struct component *c = m->plan->nodes[m->plan->order[i]]->component;
        if (!c || !c->is_built)
            continue;
        if (c->phase == NODE_ASIDE && c->def && stopping_has(&m->owner->stopping, c->def))
            later = true;
        else if (c->phase == NODE_ASIDE)
            node_start(c);
        if (c->phase == NODE_RUNNING)
            start_inside(c);
    }
    if (later)
        module_note_unstarted(m);
}

void module_stop(struct module *m)
{
    struct plan *p = TAKE_PTR(m->plan);
    if (!p)
        return;
    for (size_t i = 0; i < p->len; i++) {
        if (p->nodes[i]->component)
            p->nodes[i]->component->plan = NULL;
    }
    stopping_add(&m->owner->stopping, p, m->host, uv_now(m->owner->options.loop));
    plan_free(p);
}
