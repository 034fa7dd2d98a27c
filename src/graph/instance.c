#include "graph/instance.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/diag.h"
#include "lang/schema.h"

static struct value *null_exports(const char *const *names)
{
    struct value *object = value_object();
    for (; names && *names; names++)
        value_object_put(object, str_of(*names), value_null());
    return object;
}

struct instance *instance_new(const struct block_kind *kind, const struct component_def *def,
                              const struct ast_stmt *stmt, const char *id, const char *module_id, void *env)
{
    struct instance *i = xcalloc(1, sizeof *i);
    *i = (struct instance){.handle = {.id = *module_id ? xasprintf("%s/%s", module_id, id) : xstrdup(id), .env = env},
                           .kind = kind,
                           .def = def,
                           .name = str_dup(stmt->name),
                           .label = str_dup(stmt->label),
                           .module_id_len = strlen(module_id),
                           .exports = null_exports(def ? def->exports : NULL)};
    health_set(&i->run, HEALTH_UNKNOWN, xstrdup(kind->words.created));
    health_set(&i->evaluation, HEALTH_UNKNOWN, xstrdup(kind->words.created));
    return i;
}

void instance_free(struct instance *i)
{
    if (i->kind->free)
        i->kind->free(i);
    if (i->state)
        i->def->free(i->state);
    args_unref(i->args);
    value_unref(i->exports);
    value_unref(i->shown_args);
    health_done(&i->run);
    health_done(&i->evaluation);
    health_done(&i->own);
    module_list_done(&i->modules);
    free(i->module_ids);
    free(i->stop.then);
    free(i->handle.id);
    free(i->name);
    free(i->label);
    free(i);
}

/* --- evaluation --- */

void instance_prefix_problems(const struct block_kind *kind, const struct ast_stmt *stmt, struct diags *ds, size_t from)
{
    for (size_t i = from; i < ds->len; i++) {
        struct diag *d = &ds->items[i];
        if (d->severity != SEVERITY_ERROR || d->range.first.offset != stmt->range.first.offset ||
            d->range.last.offset != stmt->range.last.offset)
            continue;
        char *whole = xasprintf("%s: decoding configuration: %s", kind->words.failure, d->message);
        free(d->message);
        d->message = whole;
    }
}

int instance_decode(const struct instance *i, const struct ast_stmt *stmt, const struct scope *scope, const void **ret,
                    struct diags *ds)
{
    const size_t from = ds->len;
    const void *args = args_decode(i->def->args, stmt, scope, ds);
    if (!args) {
        instance_prefix_problems(i->kind, stmt, ds, from);
        return -EINVAL;
    }
    const bool is_same = i->args && schema_equal(i->def->args, i->args, args);
    if (is_same)
        args_unref(args);
    *ret = is_same ? NULL : args;
    return 0;
}

static void keep_args(struct instance *i, const void *args)
{
    args_unref(i->args);
    i->args = args;
    value_unref(i->shown_args);
    i->shown_args = NULL;
}

static int wrap_failure(struct err *err, int code, const char *doing)
{
    return doing ? err_wrap(err, code, "%s", doing) : code;
}

int instance_build(struct instance *i, const void *args, struct err *err)
{
    void *state;
    const int code = i->def->build(&i->handle, args, &state, err);
    if (code < 0) {
        args_unref(args);
        return wrap_failure(err, code, i->kind->words.build);
    }
    if (i->state)
        i->def->free(i->state);
    i->state = state;
    i->is_built = true;
    keep_args(i, args);
    return 0;
}

int instance_update(struct instance *i, const void *args, struct err *err)
{
    const int code = i->def->update(i->state, args, err);
    if (code < 0) {
        args_unref(args);
        return wrap_failure(err, code, i->kind->words.update);
    }
    keep_args(i, args);
    return 0;
}

int instance_preview(const struct instance *i, const struct ast_stmt *stmt, const void *args, struct value **ret,
                     struct err *err)
{
    const char *id = i->handle.id + i->module_id_len + (i->module_id_len > 0);
    struct instance *trial = instance_new(i->kind, i->def, stmt, id, "", i->handle.env);
    void *state;
    const int code = i->def->build(&trial->handle, args, &state, err);
    if (code == 0) {
        trial->state = state;
        *ret = value_ref(trial->exports);
    }
    instance_free(trial);
    return code;
}

void instance_evaluated(struct instance *i, const char *problem)
{
    const struct block_words *words = &i->kind->words;
    if (problem)
        health_set(&i->evaluation, HEALTH_UNHEALTHY, xasprintf("%s: %s", words->evaluation_failed, problem));
    else
        health_set(&i->evaluation, HEALTH_HEALTHY, xstrdup(words->evaluated));
}

void instance_waits(struct instance *i, const char *for_what)
{
    health_set(&i->evaluation, HEALTH_UNKNOWN, xasprintf("waiting for %s", for_what));
}

/* --- life --- */

void instance_start(struct instance *i)
{
    i->phase = INSTANCE_RUNNING;
    health_set(&i->run, HEALTH_HEALTHY, xstrdup(i->kind->words.started));
    if (i->def && i->def->start)
        i->def->start(i->state);
}

void instance_stop(struct instance *i)
{
    if (i->kind->stop)
        i->kind->stop(i);
    if (i->def && i->def->stop)
        i->def->stop(i->state);
    else
        component_stopped(&i->handle);
}

/* --- what people see --- */

const struct health *instance_health(const struct instance *i)
{
    const struct health *worst = health_worse(&i->run, &i->evaluation);
    if (i->kind->health)
        worst = i->kind->health(i, worst);
    return i->has_own_health ? health_worse(worst, &i->own) : worst;
}

struct value *instance_arguments(struct instance *i)
{
    if (!i->shown_args && i->args)
        i->shown_args = schema_to_value(i->def->args, i->args);
    return i->shown_args;
}

void instance_show_arguments(struct instance *i, struct value *args)
{
    value_unref(i->shown_args);
    i->shown_args = args;
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
    instance_of(c)->sent += n;
}

void component_export(struct component *c, struct value *exports)
{
    struct instance *i = instance_of(c);
    if (value_equal(i->exports, exports)) {
        value_unref(exports);
        return;
    }
    value_unref(i->exports);
    i->exports = exports;
    i->has_exported = true;
    i->sent += count_items(exports);
    if (i->owner)
        i->owner->on_change(i->owner->arg, i);
}

void component_health(struct component *c, bool healthy, const char *fmt, ...)
{
    struct instance *i = instance_of(c);
    char text[ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    i->has_own_health = true;
    health_set(&i->own, healthy ? HEALTH_HEALTHY : HEALTH_UNHEALTHY, xstrdup(text));
}

void component_stopped(struct component *c)
{
    struct instance *i = instance_of(c);
    if (i->phase == INSTANCE_STOPPED)
        return;
    i->stop.is_done = true;
    if (i->stop.group_len > 0)
        return; /* what is in it comes first */
    i->phase = INSTANCE_STOPPED;
    health_set(&i->run, HEALTH_EXITED, xstrdup(i->kind->words.stopped));
    if (i->owner)
        i->owner->on_stopped(i->owner->arg);
}

const char *component_id(const struct component *c)
{
    return c->id;
}

void *component_env(const struct component *c)
{
    return c->env;
}
