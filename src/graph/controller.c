#include "graph/controller.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/internal.h"

/* libuv wants its handle back through a callback, so it has a life of its own. */
struct ticker {
    uv_timer_t timer; /* active only while there is something to do */
    struct controller *owner;
};

static void tick(uv_timer_t *timer);

struct controller *controller_new(const struct controller_options *options)
{
    struct controller *c = xcalloc(1, sizeof *c);
    c->options = *options;
    c->root = (struct module){.owner = c, .id = (char *)""};
    c->stopping.limit_ms = options->stop_ms ? options->stop_ms : CONTROLLER_STOP_MS;
    c->ticker = xcalloc(1, sizeof *c->ticker);
    c->ticker->owner = c;
    uv_timer_init(options->loop, &c->ticker->timer);
    c->ticker->timer.data = c->ticker;
    return c;
}

void controller_wake(struct controller *c)
{
    if (c->ticker && !c->busy)
        uv_timer_start(&c->ticker->timer, tick, 0, 0);
}

void controller_report(const struct controller *c, const char *id, const char *message)
{
    if (c->options.on_problem)
        c->options.on_problem(c->options.problem_arg, id, message);
}

void controller_exports_changed(struct controller *c, struct component *from)
{
    struct plan_node *n = from->plan;
    /* In a plan that is evaluated aside, dependants come after what they need anyway. */
    if (!n || !n->plan->live)
        return;
    if (n->kind == NODE_IMPORT)
        import_refresh(n);
    else
        module_mark_dependants(n);
    controller_wake(c);
}

/* --- starting and stopping --- */

static void report_late(void *arg, const char *id)
{
    controller_report(arg, id, "component did not stop in time");
}

static void on_ticker_closed(uv_handle_t *handle)
{
    struct ticker *t = handle->data;
    struct controller *c = t->owner;
    free(t);
    if (c && c->done)
        c->done(c->done_arg);
}

/* Until something happens, or is due. */
static void rest(struct controller *c)
{
    if (!c->ticker)
        return;
    if (c->root.plan && c->root.plan->queue.len > 0)
        uv_timer_start(&c->ticker->timer, tick, 0, 0);
    else if (c->stopping.first)
        uv_timer_start(&c->ticker->timer, tick, stopping_due(&c->stopping, uv_now(c->options.loop)), 0);
    else if (c->shutting_down) {
        uv_close((uv_handle_t *)&c->ticker->timer, on_ticker_closed);
        c->ticker = NULL;
    }
}

static void tick(uv_timer_t *timer)
{
    struct controller *c = ((struct ticker *)timer->data)->owner;
    const uint64_t now = uv_now(c->options.loop);
    c->busy = true;
    c->planned = 0;
    module_evaluate(&c->root);
    stopping_step(&c->stopping, now, report_late, c);
    if (c->root.unstarted)
        module_start(&c->root);
    c->busy = false;
    rest(c);
}

void controller_stop(struct controller *c, void (*done)(void *arg), void *arg)
{
    if (c->shutting_down)
        return;
    c->shutting_down = true;
    c->done = done;
    c->done_arg = arg;
    module_stop(&c->root);
    controller_wake(c);
}

/* --- loading --- */

static void free_sources(struct source **sources, size_t n)
{
    for (size_t i = 0; i < n; i++)
        source_unref(sources[i]);
    free(sources);
}

/* *ret_len of them even if one is refused. */
static int read_sources(const struct config_file *files, size_t n, struct source **ret, size_t *ret_len,
                        struct diags *ds)
{
    for (size_t i = 0; i < n; i++) {
        const struct str text = {files[i].text, files[i].len};
        struct err err = {0};
        if (source_new(files[i].name, text, &ret[i], &err) < 0)
            return diag_error(ds, (struct range){0}, "%s: %s", files[i].name, err.text);
        *ret_len = i + 1;
        const struct range whole_file = {.first = {.source = ret[i]}};
        if (source_check_encoding(text, &err) < 0)
            return diag_error(ds, whole_file, "%s", err.text);
    }
    return 0;
}

static int make_plan(struct controller *c, const struct config_file *files, size_t n, struct plan **ret,
                     struct diags *ds)
{
    struct source **sources = xcalloc(n + 1, sizeof(struct source *));
    size_t len = 0;
    int code = read_sources(files, n, sources, &len, ds);
    if (code == 0)
        code = plan_new(sources, len, &c->options, ret, ds);
    free_sources(sources, len);
    return code;
}

static void decode_settings(struct plan *p, struct settings *s, struct diags *ds)
{
    const struct scope scope = plan_scope(p);
    for (size_t i = 0; i < p->settings_len; i++) {
        if (settings_decode(p->settings[i], &scope, s, ds) < 0)
            continue; /* reported; the load is refused in the end */
    }
}

/* The last thing that can refuse a load. */
static void prepare_settings(const struct controller *c, const struct plan *p, const struct settings *s,
                             struct diags *ds)
{
    struct err err = {0};
    if (!c->options.prepare || c->options.prepare(c->options.settings_arg, s, &err) == 0)
        return;
    struct range at = {0};
    for (size_t i = 0; i < p->settings_len; i++) {
        if (settings_can_fail(p->settings[i]->name))
            at = p->settings[i]->range;
    }
    diag_error(ds, at, "Failed to evaluate service: %s", err.text);
}

static int load(struct controller *c, const struct config_file *files, size_t n, struct diags *ds)
{
    const size_t errors_before = ds->errors;
    struct plan *p;
    int code = make_plan(c, files, n, &p, ds);
    if (code < 0)
        return -EINVAL;
    cleanup_settings struct settings settings = settings_default;
    code = module_prepare(&c->root, p, ds);
    decode_settings(p, &settings, ds);
    if (ds->errors == errors_before)
        prepare_settings(c, p, &settings, ds);
    if (code < 0 || ds->errors > errors_before) {
        module_discard(&c->root);
        return -EINVAL;
    }
    settings_apply(&settings);
    if (c->options.apply)
        c->options.apply(c->options.settings_arg, &settings);
    code = module_commit(&c->root, ds);
    module_start(&c->root);
    return code;
}

int controller_load(struct controller *c, const struct config_file *files, size_t n, struct diags *ds)
{
    if (c->shutting_down)
        return -ESHUTDOWN;
    c->busy = true;
    c->planned = 0;
    const int code = load(c, files, n, ds);
    c->busy = false;
    if (c->stopping.first || (c->root.plan && c->root.plan->queue.len > 0))
        controller_wake(c);
    return code;
}

void controller_free(struct controller *c)
{
    if (!c)
        return;
    /* If it was never stopped, nothing of it may call back any more. */
    module_done(&c->root);
    if (c->ticker) {
        c->ticker->owner = NULL;
        uv_close((uv_handle_t *)&c->ticker->timer, on_ticker_closed);
    }
    free(c);
}
