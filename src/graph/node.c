#include "graph/node.h"

#include <errno.h>
#include <stdarg.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/internal.h"

static struct value *null_exports(const char *const *names)
{
    struct value *object = value_object();
    for (; names && *names; names++)
        value_object_put(object, str_of(*names), value_null());
    return object;
}

/* The words of the reference for each kind. */
static const struct {
    const char *created, *evaluated, *evaluation_failed, *started, *stopped, *failure;
} words[] = {
    [NODE_COMPONENT] = {"component created", "component evaluated", "component evaluation failed", "started component",
                        "component shut down cleanly", "Failed to build component"},
    [NODE_CUSTOM] = {"node custom component created", "component evaluated", "component evaluation failed",
                     "started custom component", "custom component shut down cleanly", "Failed to build component"},
    [NODE_FOREACH] = {"", "foreach evaluated", "foreach evaluation failed", "started foreach",
                      "foreach node shut down cleanly", "Failed to evaluate node for config block"},
    [NODE_IMPORT] = {"", "source evaluated", "source evaluation failed", "started import", "import shut down cleanly",
                     "Failed to evaluate node for config block"},
    [NODE_ARGUMENT] = {.failure = "Failed to evaluate node for config block"},
    [NODE_EXPORT] = {.failure = "Failed to evaluate node for config block"},
};

const char *node_failure(const struct plan_node *n)
{
    return words[n->kind].failure;
}

struct component *node_new(struct controller *owner, void *env, struct plan_node *plan, const char *module_id)
{
    struct component *c = xcalloc(1, sizeof *c);
    *c = (struct component){.owner = owner,
                            .env = env,
                            .kind = plan->kind,
                            .def = plan->def,
                            .id = *module_id ? xasprintf("%s/%s", module_id, plan->id) : xstrdup(plan->id),
                            .name = str_dup(plan->stmt->name),
                            .label = str_dup(plan->stmt->label),
                            .module_id_len = strlen(module_id),
                            .plan = plan,
                            .exports = null_exports(plan->def ? plan->def->exports : NULL)};
    health_set(&c->run, HEALTH_UNKNOWN, xstrdup(words[c->kind].created));
    health_set(&c->evaluation, HEALTH_UNKNOWN, xstrdup(words[c->kind].created));
    return c;
}

static void free_record(const struct schema *s, void *record)
{
    if (!record)
        return;
    schema_done(s, record);
    free(record);
}

void node_free(struct component *c)
{
    module_free(c->module);
    foreach_free(&c->children);
    if (c->state)
        c->def->free(c->state);
    if (c->def)
        free_record(c->def->args, c->args);
    value_unref(c->exports);
    value_unref(c->shown_args);
    value_unref(c->content);
    health_done(&c->run);
    health_done(&c->evaluation);
    health_done(&c->own);
    health_done(&c->content_health);
    free(c->created);
    free(c->then);
    free(c->id);
    free(c->name);
    free(c->label);
    free(c);
}

/* --- evaluation --- */

void node_prefix_problems(struct diags *ds, size_t from, const struct plan_node *n)
{
    const struct ast_stmt *stmt = n->stmt;
    for (size_t i = from; i < ds->len; i++) {
        struct diag *d = &ds->items[i];
        if (d->severity != SEVERITY_ERROR || d->range.first.offset != stmt->range.first.offset ||
            d->range.last.offset != stmt->range.last.offset)
            continue;
        char *whole = xasprintf("%s: decoding configuration: %s", node_failure(n), d->message);
        free(d->message);
        d->message = whole;
    }
}

static void *decode(const struct plan_node *n, const struct scope *scope, struct diags *ds)
{
    const struct schema *s = n->def->args;
    void *record = xcalloc(1, s->size);
    if (schema_decode(s, &n->stmt->body, n->stmt->range, scope, record, ds) == 0)
        return record;
    free(record);
    return NULL;
}

int node_decode(struct plan_node *n, const struct scope *scope, struct diags *ds)
{
    const size_t from = ds->len;
    void *args = decode(n, scope, ds);
    if (!args) {
        node_prefix_problems(ds, from, n);
        return -EINVAL;
    }
    const struct component *c = n->component;
    if (c->args && schema_equal(n->def->args, c->args, args)) {
        free_record(n->def->args, args);
        return 0;
    }
    /* The component takes one record apart; the other tells what it has. Warnings came with the first. */
    cleanup_diags struct diags again = DIAGS_INIT;
    void *spare = decode(n, scope, &again);
    if (!spare) {
        free_record(n->def->args, args);
        diags_move(ds, &again);
        return -EINVAL;
    }
    node_drop_decoded(n);
    n->args = args;
    n->spare = spare;
    return 0;
}

void node_drop_decoded(struct plan_node *n)
{
    free_record(n->def->args, n->args);
    free_record(n->def->args, n->spare);
    n->args = n->spare = NULL;
}

static void keep_spare(struct plan_node *n)
{
    struct component *c = n->component;
    free_record(n->def->args, c->args);
    c->args = TAKE_PTR(n->spare);
    value_unref(c->shown_args);
    c->shown_args = NULL;
}

/* What an import cannot read says enough by itself. */
static int wrap_failure(const struct plan_node *n, struct err *err, int code, const char *doing)
{
    return n->kind == NODE_IMPORT ? code : err_wrap(err, code, "%s", doing);
}

int node_build(struct plan_node *n, struct err *err)
{
    struct component *c = n->component;
    void *state;
    int code = n->def->build(c, n->args, &state, err);
    if (code == 0) {
        if (c->state)
            n->def->free(c->state);
        c->state = state;
        c->is_built = true;
        keep_spare(n);
    } else {
        code = wrap_failure(n, err, code, "building component");
    }
    node_drop_decoded(n);
    return code;
}

int node_preview(struct plan_node *n, const struct scope *scope, struct value **ret, struct err *err)
{
    /* A build may take its record apart, and n->args are for the update. */
    cleanup_diags struct diags ds = DIAGS_INIT;
    void *args = decode(n, scope, &ds);
    if (!args)
        return module_problem(&ds, err);
    struct component *trial = node_new(NULL, n->component->env, n, "");
    void *state;
    const int code = n->def->build(trial, args, &state, err);
    if (code == 0) {
        trial->state = state;
        *ret = value_ref(trial->exports);
    }
    node_free(trial);
    free_record(n->def->args, args);
    return code;
}

int node_update(struct plan_node *n, struct err *err)
{
    int code = n->def->update(n->component->state, n->args, err);
    if (code == 0)
        keep_spare(n);
    else
        code = wrap_failure(n, err, code, "updating component");
    node_drop_decoded(n);
    return code;
}

void node_evaluated(struct component *c, const char *problem)
{
    if (problem)
        health_set(&c->evaluation, HEALTH_UNHEALTHY, xasprintf("%s: %s", words[c->kind].evaluation_failed, problem));
    else
        health_set(&c->evaluation, HEALTH_HEALTHY, xstrdup(words[c->kind].evaluated));
}

/* --- life --- */

void node_start(struct component *c)
{
    c->phase = NODE_RUNNING;
    health_set(&c->run, HEALTH_HEALTHY, xstrdup(words[c->kind].started));
    if (c->def && c->def->start)
        c->def->start(c->state);
}

void node_stop(struct component *c)
{
    if (c->module)
        module_stop(c->module);
    for (size_t i = 0; i < c->children.len; i++)
        module_stop(c->children.items[i]);
    if (c->def && c->def->stop)
        c->def->stop(c->state);
    else
        component_stopped(c);
}

static const struct health *worst_import(const struct component *c, const struct health *worst)
{
    if (c->content_health.updated_ns)
        worst = health_worse(worst, &c->content_health);
    const struct plan *p = c->module ? c->module->plan : NULL;
    for (size_t i = 0; p && i < p->len; i++)
        worst = p->nodes[i]->component ? health_worse(worst, node_health(p->nodes[i]->component)) : worst;
    return worst;
}

const struct health *node_health(const struct component *c)
{
    const struct health *worst = health_worse(&c->run, &c->evaluation);
    if (c->kind == NODE_IMPORT)
        worst = worst_import(c, worst);
    return c->has_own_health ? health_worse(worst, &c->own) : worst;
}

struct value *node_arguments(struct component *c)
{
    if (!c->shown_args && c->args)
        c->shown_args = schema_to_value(c->def->args, c->args);
    return c->shown_args;
}

/* --- what components call --- */

/* Things in the lists of an exports object. */
static size_t count_items(const struct value *exports)
{
    size_t n = 0;
    for (size_t i = 0; i < value_len(exports); i++) {
        struct value *v;
        value_key(exports, i, &v);
        n += value_kind(v) == VALUE_ARRAY ? value_len(v) : 0;
    }
    return n;
}

void component_sent(struct component *c, size_t n)
{
    c->sent += n;
}

void component_export(struct component *c, struct value *exports)
{
    if (value_equal(c->exports, exports)) {
        value_unref(exports);
        return;
    }
    value_unref(c->exports);
    c->exports = exports;
    c->sent += count_items(exports);
    if (c->owner)
        controller_exports_changed(c->owner, c);
}

void component_health(struct component *c, bool healthy, const char *fmt, ...)
{
    char text[ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->has_own_health = true;
    health_set(&c->own, healthy ? HEALTH_HEALTHY : HEALTH_UNHEALTHY, xstrdup(text));
}

void component_stopped(struct component *c)
{
    if (c->phase == NODE_STOPPED)
        return;
    c->self_stopped = true;
    if (c->group_len > 0)
        return; /* what is in it comes first */
    c->phase = NODE_STOPPED;
    health_set(&c->run, HEALTH_EXITED, xstrdup(words[c->kind].stopped));
    if (c->owner)
        controller_wake(c->owner);
}

const char *component_id(const struct component *c)
{
    return c->id;
}

void *component_env(const struct component *c)
{
    return c->env;
}
