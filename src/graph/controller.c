#include "graph/controller.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/internal.h"
#include "graph/node.h"
#include "graph/plan.h"
#include "graph/stopping.h"

/* libuv wants its handle back through a callback, so it has a life of its own. */
struct ticker {
    uv_timer_t timer; /* active only while there is something to do */
    struct controller *owner;
};

struct controller {
    struct controller_options options;
    struct ticker *ticker;
    struct plan *plan; /* NULL: nothing loaded, or shutting down */
    struct source **sources;
    size_t source_count; /* of the last load, for its diagnostics */
    struct stopping stopping;
    bool swapping;
    bool shutting_down;
    void (*done)(void *arg);
    void *done_arg;
};

static void tick(uv_timer_t *timer);

struct controller *controller_new(const struct controller_options *options)
{
    struct controller *c = xcalloc(1, sizeof *c);
    c->options = *options;
    c->stopping.limit_ms = options->stop_ms ? options->stop_ms : CONTROLLER_STOP_MS;
    c->ticker = xcalloc(1, sizeof *c->ticker);
    c->ticker->owner = c;
    uv_timer_init(options->loop, &c->ticker->timer);
    c->ticker->timer.data = c->ticker;
    return c;
}

static void wake(struct controller *c)
{
    if (c->ticker)
        uv_timer_start(&c->ticker->timer, tick, 0, 0);
}

static void report(const struct controller *c, const char *id, const char *message)
{
    if (c->options.on_problem)
        c->options.on_problem(c->options.problem_arg, id, message);
}

/* --- names of expressions --- */

static bool resolve(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret)
{
    const struct plan_node *node = plan_find(ctx, path, n, used);
    if (!node || !node->component)
        return false;
    *ret = value_ref(node->component->exports);
    return true;
}

static struct scope scope_of(struct plan *p)
{
    return (struct scope){.resolve = resolve, .ctx = p};
}

/* --- evaluation of the running graph --- */

/* Gives a component its new arguments, if there are any; its health says how that went. One that has not started is built anew:
 * updates come after start. */
static int hand_over(struct plan_node *n, struct err *err)
{
    int code = 0;
    if (n->args)
        code = n->component->phase == NODE_ASIDE ? node_build(n, err) : node_update(n, err);
    node_evaluated(n->component, code < 0 ? err->text : NULL);
    return code;
}

static int reevaluate(struct controller *c, struct plan_node *n, struct err *err)
{
    const struct scope scope = scope_of(c->plan);
    cleanup_diags struct diags ds = DIAGS_INIT;
    int code = node_decode(n, &scope, &ds);
    if (code < 0) {
        cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
        diags_summary(&ds, &text);
        code = err_set(err, code, "decoding configuration: %s", buf_cstr(&text));
        node_evaluated(n->component, err->text);
        return code;
    }
    return hand_over(n, err);
}

static bool is_alive(const struct component *c)
{
    return c->phase == NODE_ASIDE || c->phase == NODE_RUNNING;
}

static void evaluate_stale(struct controller *c)
{
    struct plan *p = c->plan;
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *n = p->nodes[p->order[i]];
        if (!n->stale)
            continue;
        n->stale = false;
        struct err err = {0};
        if (is_alive(n->component) && reevaluate(c, n, &err) < 0)
            report(c, n->id, node_health(n->component)->message);
    }
    /* Dependants come later in the order, so only a component that made another one export leaves something over. */
    for (size_t i = 0; i < p->len; i++) {
        if (p->nodes[i]->stale)
            wake(c);
    }
}

void controller_exports_changed(struct controller *c, const struct component *from)
{
    /* In a plan that is evaluated aside, dependants come after what they need anyway. */
    const struct plan *p = c->plan;
    if (!p || !from->plan || from->plan->place >= p->len || p->nodes[from->plan->place] != from->plan)
        return;
    const struct dag_links *by = &p->dag.needed_by[from->plan->place];
    for (size_t i = 0; i < by->len; i++)
        p->nodes[by->items[i]]->stale = true;
    if (by->len > 0 && !c->swapping)
        wake(c);
}

/* --- starting and stopping --- */

void controller_node_stopped(struct controller *c)
{
    wake(c);
}

static void report_late(void *arg, const char *id)
{
    report(arg, id, "component did not stop in time");
}

/* A component of the same kind may hold on to what a new one wants, until it has stopped: a JVM is profiled by one at a time. */
static void start_new(struct controller *c)
{
    for (size_t i = 0; i < c->plan->len; i++) {
        struct component *new = c->plan->nodes[c->plan->order[i]]->component;
        if (new->phase == NODE_ASIDE && !stopping_has(&c->stopping, new->def))
            node_start(new);
    }
}

static void on_ticker_closed(uv_handle_t *handle)
{
    struct ticker *t = handle->data;
    struct controller *c = t->owner;
    free(t);
    if (c && c->done)
        c->done(c->done_arg);
}

static void tick(uv_timer_t *timer)
{
    struct controller *c = ((struct ticker *)timer->data)->owner;
    if (c->plan)
        evaluate_stale(c);
    const uint64_t now = uv_now(c->options.loop);
    stopping_step(&c->stopping, now, report_late, c);
    if (c->plan)
        start_new(c);
    if (c->stopping.first) {
        if (!uv_is_active((uv_handle_t *)timer))
            uv_timer_start(timer, tick, stopping_due(&c->stopping, now), 0);
    } else if (c->shutting_down) {
        uv_close((uv_handle_t *)timer, on_ticker_closed);
        c->ticker = NULL;
    }
}

void controller_stop(struct controller *c, void (*done)(void *arg), void *arg)
{
    if (c->shutting_down)
        return;
    c->shutting_down = true;
    c->done = done;
    c->done_arg = arg;
    struct plan *p = TAKE_PTR(c->plan);
    if (p) {
        for (size_t i = 0; i < p->len; i++)
            p->nodes[i]->component->plan = NULL;
        stopping_add(&c->stopping, p, uv_now(c->options.loop));
        plan_free(p);
    }
    wake(c);
}

/* --- loading --- */

static void drop_sources(struct controller *c)
{
    for (size_t i = 0; i < c->source_count; i++)
        source_unref(c->sources[i]);
    free(c->sources);
    c->sources = NULL;
    c->source_count = 0;
}

static int read_sources(struct controller *c, const struct config_file *files, size_t n, struct diags *ds)
{
    drop_sources(c);
    c->sources = xcalloc(n + 1, sizeof(struct source *));
    for (size_t i = 0; i < n; i++) {
        const struct str text = {files[i].text, files[i].len};
        struct err err = {0};
        if (source_new(files[i].name, text, &c->sources[i], &err) < 0)
            return diag_error(ds, (struct range){0}, "%s: %s", files[i].name, err.text);
        c->source_count++;
        const struct range whole_file = {.first = {.source = c->sources[i]}};
        if (source_check_encoding(text, &err) < 0)
            return diag_error(ds, whole_file, "%s", err.text);
    }
    return 0;
}

/* The running instance a node of a new plan takes over, or NULL. One that has exited makes room for a new one. */
static struct component *instance_of(const struct controller *c, const struct plan_node *n)
{
    const struct plan_node *old = c->plan ? strmap_get(&c->plan->ids, str_of(n->id)) : NULL;
    return old && is_alive(old->component) ? old->component : NULL;
}

static bool needs_failed(const struct plan *p, const struct plan_node *n)
{
    const struct dag_links *needs = &p->dag.needs[n->place];
    for (size_t i = 0; i < needs->len; i++) {
        if (p->nodes[needs->items[i]]->failed)
            return true;
    }
    return false;
}

/* Decodes every component of the plan and builds the new ones; the running graph does not notice. */
static void evaluate_aside(struct controller *c, struct plan *p, struct diags *ds)
{
    const struct scope scope = scope_of(p);
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *n = p->nodes[p->order[i]];
        n->component = instance_of(c, n);
        n->is_new = !n->component;
        if (n->is_new)
            n->component = node_new(c, c->options.env, n);
        /* What needs a failed one is still decoded, for its own mistakes, but not built. */
        n->failed = node_decode(n, &scope, ds) < 0 || needs_failed(p, n);
        struct err err = {0};
        if (n->failed || !n->is_new || node_build(n, &err) == 0)
            continue;
        n->failed = true;
        diag_error(ds, n->stmt->range, "Failed to build component: %s", err.text);
    }
}

static void decode_settings(struct plan *p, struct settings *s, struct diags *ds)
{
    const struct scope scope = scope_of(p);
    for (size_t i = 0; i < p->settings_len; i++) {
        if (settings_decode(p->settings[i], &scope, s, ds) < 0)
            continue; /* reported; the load is refused in the end */
    }
}

/* The last thing that can refuse a load. Only `http` has something to fail at. */
static void prepare_settings(const struct controller *c, const struct plan *p, const struct settings *s,
                             struct diags *ds)
{
    struct err err = {0};
    if (!c->options.prepare || c->options.prepare(c->options.settings_arg, s, &err) == 0)
        return;
    struct range at = {0};
    for (size_t i = 0; i < p->settings_len; i++) {
        if (str_is(p->settings[i]->name, "http"))
            at = p->settings[i]->range;
    }
    diag_error(ds, at, "Failed to evaluate service: %s", err.text);
}

/* A plan that is not to run, with all that was built for it. */
static void discard(struct plan *p)
{
    for (size_t i = p->len; i-- > 0;) {
        struct plan_node *n = p->nodes[p->order[i]];
        if (!n->component)
            continue;
        node_drop_decoded(n);
        if (n->is_new)
            node_free(n->component);
    }
    plan_free(p);
}

/* Brings one component in step with the new plan; what it needs has been. */
static int step(struct controller *c, struct plan_node *n, struct diags *ds)
{
    struct err err = {0};
    int code = 0;
    if (n->stale) {
        /* What was decoded aside is history: a component it reads has just been updated. */
        n->stale = false;
        node_drop_decoded(n);
        code = reevaluate(c, n, &err);
    } else {
        code = hand_over(n, &err);
    }
    if (code < 0)
        diag_error(ds, n->stmt->range, "Failed to build component: %s", err.text);
    return code;
}

static int swap(struct controller *c, struct plan *p, struct diags *ds)
{
    struct plan *old = c->plan;
    for (size_t i = 0; old && i < old->len; i++)
        old->nodes[i]->component->plan = NULL;
    for (size_t i = 0; i < p->len; i++)
        p->nodes[i]->component->plan = p->nodes[i];
    c->plan = p;

    int result = 0;
    c->swapping = true;
    for (size_t i = 0; i < p->len; i++) {
        if (step(c, p->nodes[p->order[i]], ds) < 0)
            result = -EIO;
    }
    c->swapping = false;

    if (old) {
        stopping_add(&c->stopping, old, uv_now(c->options.loop));
        plan_free(old);
        wake(c);
    }
    start_new(c);
    for (size_t i = 0; i < p->len; i++) {
        if (p->nodes[i]->stale)
            wake(c);
    }
    return result;
}

int controller_load(struct controller *c, const struct config_file *files, size_t n, struct diags *ds)
{
    if (c->shutting_down)
        return -ESHUTDOWN;
    const size_t errors_before = ds->errors;
    struct plan *p;
    int code = read_sources(c, files, n, ds);
    if (code == 0)
        code = plan_new(c->sources, c->source_count, &c->options, &p, ds);
    if (code < 0)
        return -EINVAL;
    cleanup_settings struct settings settings = settings_default;
    evaluate_aside(c, p, ds);
    decode_settings(p, &settings, ds);
    if (ds->errors == errors_before)
        prepare_settings(c, p, &settings, ds);
    if (ds->errors > errors_before) {
        discard(p);
        return -EINVAL;
    }
    settings_apply(&settings);
    if (c->options.apply)
        c->options.apply(c->options.settings_arg, &settings);
    return swap(c, p, ds);
}

/* --- looking --- */

bool controller_ready(const struct controller *c)
{
    return c->plan != NULL;
}

static struct component_view view_of(const struct plan_node *n)
{
    struct component *node = n->component;
    const struct health *h = node_health(node);
    return (struct component_view){
        .id = node->id,
        .local_id = node->id,
        .module_id = "",
        .name = node->def->name,
        .label = node->label,
        .health = h->state,
        .message = h->message ? h->message : "",
        .updated_ns = h->updated_ns,
        .arguments = node_arguments(node),
        .sent = node->sent,
        .exports = node->exports,
        .references_to = n->references_to,
        .referenced_by = n->referenced_by,
    };
}

void controller_each(struct controller *c, bool (*visit)(void *arg, const struct component_view *v), void *arg)
{
    for (size_t i = 0; c->plan && i < c->plan->len; i++) {
        const struct component_view view = view_of(c->plan->by_id[i]);
        if (!visit(arg, &view))
            return;
    }
}

bool controller_each_in(struct controller *c, const char *module_id,
                        bool (*visit)(void *arg, const struct component_view *v), void *arg)
{
    if (*module_id)
        return false;
    controller_each(c, visit, arg);
    return true;
}

void controller_each_deep(struct controller *c, bool (*visit)(void *arg, const struct component_view *v), void *arg)
{
    controller_each(c, visit, arg);
}

bool controller_view(struct controller *c, const char *id, struct component_view *ret)
{
    const struct plan_node *n = c->plan ? strmap_get(&c->plan->ids, str_of(id)) : NULL;
    if (n)
        *ret = view_of(n);
    return n != NULL;
}

struct value *controller_debug_info(struct controller *c, const char *id)
{
    const struct plan_node *n = c->plan ? strmap_get(&c->plan->ids, str_of(id)) : NULL;
    return n && n->def->debug_info ? n->def->debug_info(n->component->state) : NULL;
}

void controller_free(struct controller *c)
{
    if (!c)
        return;
    if (c->plan) {
        /* Never stopped: nothing of it may call back any more. */
        for (size_t i = c->plan->len; i-- > 0;)
            node_free(c->plan->nodes[c->plan->order[i]]->component);
        plan_free(c->plan);
    }
    drop_sources(c);
    if (c->ticker) {
        c->ticker->owner = NULL;
        uv_close((uv_handle_t *)&c->ticker->timer, on_ticker_closed);
    }
    free(c);
}
