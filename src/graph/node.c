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

struct component *node_new(struct controller *owner, void *env, struct plan_node *plan)
{
    struct component *c = xcalloc(1, sizeof *c);
    *c = (struct component){.owner = owner,
                            .env = env,
                            .def = plan->def,
                            .id = xstrdup(plan->id),
                            .label = str_dup(plan->stmt->label),
                            .plan = plan,
                            .exports = null_exports(plan->def->exports)};
    health_set(&c->run, HEALTH_UNKNOWN, xstrdup("component created"));
    health_set(&c->evaluation, HEALTH_UNKNOWN, xstrdup("component created"));
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
    if (c->state)
        c->def->free(c->state);
    free_record(c->def->args, c->args);
    value_unref(c->exports);
    value_unref(c->shown_args);
    health_done(&c->run);
    health_done(&c->evaluation);
    health_done(&c->own);
    free(c->then);
    free(c->id);
    free(c->label);
    free(c);
}

/* --- evaluation --- */

/* A problem of the block as a whole, not of one attribute, says in which step it came up, as the reference does. */
static void prefix_block_problems(struct diags *ds, size_t from, const struct ast_stmt *stmt)
{
    for (size_t i = from; i < ds->len; i++) {
        struct diag *d = &ds->items[i];
        if (d->severity != SEVERITY_ERROR || d->range.first.offset != stmt->range.first.offset ||
            d->range.last.offset != stmt->range.last.offset)
            continue;
        char *whole = xasprintf("Failed to build component: decoding configuration: %s", d->message);
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
        prefix_block_problems(ds, from, n->stmt);
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

int node_build(struct plan_node *n, struct err *err)
{
    struct component *c = n->component;
    void *state;
    int code = n->def->build(c, n->args, &state, err);
    if (code == 0) {
        if (c->state)
            n->def->free(c->state);
        c->state = state;
        keep_spare(n);
    } else {
        code = err_wrap(err, code, "building component");
    }
    node_drop_decoded(n);
    return code;
}

int node_update(struct plan_node *n, struct err *err)
{
    int code = n->def->update(n->component->state, n->args, err);
    if (code == 0)
        keep_spare(n);
    else
        code = err_wrap(err, code, "updating component");
    node_drop_decoded(n);
    return code;
}

void node_evaluated(struct component *c, const char *problem)
{
    if (problem)
        health_set(&c->evaluation, HEALTH_UNHEALTHY, xasprintf("component evaluation failed: %s", problem));
    else
        health_set(&c->evaluation, HEALTH_HEALTHY, xstrdup("component evaluated"));
}

/* --- life --- */

void node_start(struct component *c)
{
    c->phase = NODE_RUNNING;
    health_set(&c->run, HEALTH_HEALTHY, xstrdup("started component"));
    if (c->def->start)
        c->def->start(c->state);
}

void node_stop(struct component *c)
{
    if (c->def->stop)
        c->def->stop(c->state);
    else
        component_stopped(c);
}

const struct health *node_health(const struct component *c)
{
    const struct health *worst = health_worse(&c->run, &c->evaluation);
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
    c->phase = NODE_STOPPED;
    health_set(&c->run, HEALTH_EXITED, xstrdup("component shut down cleanly"));
    if (c->owner)
        controller_node_stopped(c->owner);
}

const char *component_id(const struct component *c)
{
    return c->id;
}

void *component_env(const struct component *c)
{
    return c->env;
}
