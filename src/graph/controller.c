#include "graph/controller.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/analysis.h"
#include "graph/kind_component.h"
#include "graph/kind_custom.h"
#include "graph/kind_foreach.h"
#include "graph/kind_import.h"
#include "graph/kind_value.h"
#include "graph/module.h"
#include "settings/settings.h"

/* libuv wants its handle back through a callback, so it has a life of its own. */
struct ticker {
    uv_timer_t timer; /* active only while there is something to do */
    struct controller *owner;
};

struct controller {
    struct controller_options options;
    struct engine engine;
    struct ticker *ticker;
    struct module root; /* running NULL: nothing loaded, or shutting down */
    bool is_busy;       /* at work on a load or a batch: what is marked meanwhile needs no waking */
    bool is_stopping;
    void (*done)(void *arg);
    void *done_arg;
};

static const struct block_kind *const kinds[BLOCK_TYPES] = {
    [BLOCK_COMPONENT] = &kind_component, [BLOCK_CUSTOM] = &kind_custom,     [BLOCK_FOREACH] = &kind_foreach,
    [BLOCK_IMPORT] = &kind_import,       [BLOCK_ARGUMENT] = &kind_argument, [BLOCK_EXPORT] = &kind_export,
    [BLOCK_INPUT] = &kind_input,         [BLOCK_SKIPPED] = &kind_none,      [BLOCK_DECLARE] = &kind_none,
    [BLOCK_SETTING] = &kind_none,
};

static void controller_tick(uv_timer_t *timer);

/* Soon, from the loop: evaluate, start, stop what is due. */
static void controller_wake(struct controller *c)
{
    if (c->ticker && !c->is_busy)
        uv_timer_start(&c->ticker->timer, controller_tick, 0, 0);
}

/* While a graph is staged, those who need a node come after it anyway. */
static void controller_on_change(void *arg, struct instance *i)
{
    struct node *n = i->node;
    if (!n || !n->graph->is_running)
        return;
    if (i->kind->take_exports)
        node_mark_news(n);
    else
        node_mark_dependants(n);
    controller_wake(arg);
}

static void controller_on_stopped(void *arg)
{
    controller_wake(arg);
}

struct controller *controller_new(const struct controller_options *options)
{
    struct controller *c = xcalloc(1, sizeof *c);
    c->options = *options;
    c->engine =
        (struct engine){.plan = {.components = options->components,
                                 .stability = options->stability,
                                 .skip_unknown = options->skip_unknown},
                        .loop = options->loop,
                        .env = options->env,
                        .kinds = kinds,
                        .owner = {.on_change = controller_on_change, .on_stopped = controller_on_stopped, .arg = c},
                        .on_problem = options->on_problem,
                        .problem_arg = options->problem_arg,
                        .stopping = {.limit_ms = options->stop_ms ? options->stop_ms : CONTROLLER_STOP_MS}};
    c->root = (struct module){.engine = &c->engine, .id = (char *)""};
    c->ticker = xcalloc(1, sizeof *c->ticker);
    c->ticker->owner = c;
    uv_timer_init(options->loop, &c->ticker->timer);
    c->ticker->timer.data = c->ticker;
    return c;
}

const struct module *controller_root(const struct controller *c)
{
    return &c->root;
}

bool controller_ready(const struct controller *c)
{
    return c->root.running != NULL;
}

static bool has_work(const struct controller *c)
{
    return c->root.running && c->root.running->queue.len > 0;
}

/* --- starting and stopping --- */

static void report_late(void *arg, const char *id)
{
    const struct engine *e = arg;
    if (e->on_problem)
        e->on_problem(e->problem_arg, id, "component did not stop in time");
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
static void controller_rest(struct controller *c)
{
    if (!c->ticker)
        return;
    if (has_work(c))
        uv_timer_start(&c->ticker->timer, controller_tick, 0, 0);
    else if (c->engine.stopping.first)
        uv_timer_start(&c->ticker->timer, controller_tick, stopping_due(&c->engine.stopping, uv_now(c->options.loop)),
                       0);
    else if (c->is_stopping) {
        uv_close((uv_handle_t *)&c->ticker->timer, on_ticker_closed);
        c->ticker = NULL;
    }
}

static void controller_tick(uv_timer_t *timer)
{
    struct controller *c = ((struct ticker *)timer->data)->owner;
    const uint64_t now = uv_now(c->options.loop);
    c->is_busy = true;
    c->engine.staged_blocks = 0;
    module_evaluate(&c->root);
    stopping_step(&c->engine.stopping, now, report_late, &c->engine);
    if (c->root.has_unstarted)
        module_start(&c->root);
    c->is_busy = false;
    controller_rest(c);
}

void controller_stop(struct controller *c, void (*done)(void *arg), void *arg)
{
    if (c->is_stopping)
        return;
    c->is_stopping = true;
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
static int controller_read_sources(const struct config_file *files, size_t n, struct source **ret, size_t *ret_len,
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

static int controller_read_plan(const struct controller *c, const struct config_file *files, size_t n,
                                struct plan **ret, struct diags *ds)
{
    struct source **sources = xcalloc(n + 1, sizeof(struct source *));
    size_t len = 0;
    int code = controller_read_sources(files, n, sources, &len, ds);
    if (code == 0)
        code = analysis_of_files(sources, len, &c->engine.plan, ret, ds);
    free_sources(sources, len);
    return code;
}

static void controller_decode_settings(struct graph *g, struct settings *s, struct diags *ds)
{
    const struct scope scope = graph_scope(g);
    for (size_t i = 0; i < g->plan->len; i++) {
        const struct block *b = g->plan->blocks[i];
        if (b->type == BLOCK_SETTING && settings_decode(b->stmt, &scope, s, ds) < 0)
            continue; /* reported; the load is refused in the end */
    }
}

/* The last thing that can refuse a load. */
static void controller_prepare_settings(const struct controller *c, const struct plan *p, const struct settings *s,
                                        struct diags *ds)
{
    struct err err = {0};
    if (!c->options.prepare || c->options.prepare(c->options.settings_arg, s, &err) == 0)
        return;
    struct range at = {0};
    for (size_t i = 0; i < p->len; i++) {
        const struct block *b = p->blocks[i];
        if (b->type == BLOCK_SETTING && settings_can_fail(b->stmt->name))
            at = b->stmt->range;
    }
    diag_error(ds, at, "Failed to evaluate service: %s", err.text);
}

static int controller_load_files(struct controller *c, const struct config_file *files, size_t n, struct diags *ds)
{
    const size_t errors_before = ds->errors;
    struct plan *p;
    if (controller_read_plan(c, files, n, &p, ds) < 0)
        return -EINVAL;
    cleanup_settings struct settings settings = settings_default;
    struct graph *g = graph_new(&c->root, p);
    int code = module_stage(&c->root, g, ds);
    controller_decode_settings(g, &settings, ds);
    if (ds->errors == errors_before)
        controller_prepare_settings(c, p, &settings, ds);
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
    if (c->is_stopping)
        return -ESHUTDOWN;
    c->is_busy = true;
    c->engine.staged_blocks = 0;
    const int code = controller_load_files(c, files, n, ds);
    c->is_busy = false;
    if (c->engine.stopping.first || has_work(c))
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
