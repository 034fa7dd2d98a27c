#include "graph/kind_import.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/analysis.h"
#include "graph/kind_component.h"
#include "graph/module.h"
#include "lang/diag_text.h"
#include "lang/parser.h"

/* Of an instance. */
struct import_state {
    struct value *files; /* what its module was made of; NULL: there is none yet */
    struct health health;
};

static struct import_state *import_state_of(struct instance *i)
{
    if (!i->kind_state)
        i->kind_state = xcalloc(1, sizeof(struct import_state));
    return i->kind_state;
}

static struct value *import_member_of(const struct value *exports, const char *name)
{
    struct value *v = exports ? value_member(exports, str_of(name)) : NULL;
    return v && value_kind(v) != VALUE_NULL ? v : NULL;
}

/* Tells the definitions around it what it has brought, or is about to bring. */
static void tell_definitions(const struct node *n)
{
    const struct module *m = instance_module(n->instance);
    const struct graph *g = !m ? NULL : m->staged ? m->staged : m->running;
    definitions_bring(n->block->import, g ? g->plan->definitions : NULL);
}

/* --- from files to a module --- */

static int parse_content(const struct value *file, struct ast_file **ret, struct diags *ds)
{
    const struct str name = value_as_str(value_member(file, STR("name")));
    const struct str text = value_as_str(value_member(file, STR("text")));
    cleanup_source struct source *source = NULL;
    struct err err = {0};
    if (source_new(name.p, text, &source, &err) < 0)
        return diag_error(ds, (struct range){0}, "%s: %s", name.p, err.text);
    const struct range whole_file = {.first = {.source = source}};
    if (source_check_encoding(text, &err) < 0)
        return diag_error(ds, whole_file, "%s", err.text);
    return parse_file(source, ret, ds);
}

static int plan_files(const struct node *n, struct definitions *d, struct plan **ret, struct diags *ds)
{
    cleanup_free const struct ast_body **parts = xcalloc(d->file_count + 1, sizeof *parts);
    for (size_t i = 0; i < d->file_count; i++)
        parts[i] = &d->files[i]->body;
    const struct instance *source = n->instance;
    const char *remote = source->def->remote ? source->handle.id : n->graph->plan->definitions->remote;
    d->remote = remote ? xstrdup(remote) : NULL;
    const struct body body = {.kind = BODY_IMPORTED, .parts = parts, .len = d->file_count, .definitions = d};
    return analysis_of_body(&body, &node_engine(n)->plan, ret, ds);
}

/* -EBADMSG: it cannot be parsed. */
static int plan_content(const struct node *n, const struct value *files, struct value *path, struct plan **ret,
                        struct diags *ds)
{
    const size_t len = value_len(files);
    cleanup_free struct ast_file **asts = xcalloc(len + 1, sizeof *asts);
    size_t parsed = 0;
    for (size_t i = 0; i < len; i++) {
        if (parse_content(value_item(files, i), &asts[parsed], ds) == 0)
            parsed++;
    }
    int code = -EBADMSG;
    if (parsed == len) {
        /* A source that has no place of its own is where it is imported. */
        struct value *place = path ? path : n->graph->plan->definitions->module_path;
        struct definitions *d = definitions_new(NULL, asts, len, place);
        code = plan_files(n, d, ret, ds);
        definitions_unref(d);
    }
    for (size_t i = 0; i < parsed; i++)
        ast_unref(asts[i]);
    return code;
}

/* Stages the module that the files make. */
static int import_stage(struct node *n, const struct value *exports, const struct value *files, struct diags *ds)
{
    struct module *m = module_of_node(n);
    struct plan *p = NULL;
    const int code = plan_content(n, files, import_member_of(exports, "module_path"), &p, ds);
    return code < 0 ? code : module_stage(m, graph_new(m, p), ds);
}

/* --- a load --- */

/* Builds the source, or looks at what a running one would bring by new arguments. */
static int prepare_source(struct node *n, struct diags *ds)
{
    const struct scope scope = graph_scope(n->graph);
    const struct ast_stmt *stmt = n->block->stmt;
    struct staged *s = node_staged(n);
    struct err err = {0};
    if (instance_decode(n->instance, stmt, &scope, &s->args, ds) < 0)
        return -EINVAL;
    if (s->has_failed || !s->args)
        return 0;
    const int code = s->is_new ? instance_build(n->instance, TAKE_PTR(s->args), &err)
                               : instance_preview(n->instance, stmt, s->args, &s->exports, &err);
    return code < 0 ? diag_error(ds, stmt->range, "%s: %s", kind_import.words.failure, err.text) : 0;
}

/* A load takes files as they are now, not what somebody noticed of them. If they are broken it goes on with what is in
 * force, as it does when they break while everything runs. */
static bool prepare_files(struct node *n, struct diags *ds)
{
    struct staged *s = node_staged(n);
    cleanup_diags struct diags found = DIAGS_INIT;
    struct err err = {0};
    int code = instance_preview(n->instance, n->block->stmt, n->instance->args, &s->exports, &err);
    if (code == 0) {
        code = import_stage(n, s->exports, import_member_of(s->exports, "files"), &found);
        if (code < 0)
            diags_err(&found, &err);
    }
    if (code == 0) {
        module_merge_problems(ds, &found);
        return true;
    }
    module_discard(instance_module(n->instance));
    value_unref(TAKE_PTR(s->exports));
    diag_warn(ds, n->block->stmt->name_range, "keeping the previously imported content: %s", err.text);
    return false;
}

static void prepare_module(struct node *n, struct diags *ds)
{
    struct staged *s = node_staged(n);
    const struct instance *i = n->instance;
    const struct import_state *state = import_state_of(n->instance);
    const bool can_change = i->def->local && state->files && !s->args;
    if (can_change && prepare_files(n, ds))
        return;
    const struct value *exports = s->exports ? s->exports : i->exports;
    /* A running one may have brought something since that was refused; what is in force counts. */
    const struct value *files = s->is_new || s->exports ? import_member_of(exports, "files") : state->files;
    if (files)
        s->has_failed = import_stage(n, exports, files, ds) < 0;
}

static void import_prepare(struct node *n, struct diags *ds)
{
    struct staged *s = node_staged(n);
    node_check_needs(n);
    tell_definitions(n);
    if (n->is_waiting || s->has_failed)
        return;
    s->has_failed = prepare_source(n, ds) < 0;
    if (s->has_failed)
        return;
    prepare_module(n, ds);
    tell_definitions(n);
    n->is_waiting = !s->has_failed && !n->block->import->brought;
}

static void take_content(struct instance *i)
{
    struct import_state *state = import_state_of(i);
    value_unref(state->files);
    state->files = value_ref(import_member_of(i->exports, "files"));
    health_set(&state->health, HEALTH_HEALTHY, xstrdup("content updated"));
}

/* What was staged; its dependants have looked at it, too. */
static void take_fresh(struct node *n)
{
    struct instance *i = n->instance;
    struct staged *s = node_staged(n);
    cleanup_value struct value *fresh = TAKE_PTR(s->exports);
    if (!import_member_of(fresh ? fresh : s->is_new ? i->exports : NULL, "files"))
        return;
    if (fresh) {
        value_unref(i->exports);
        i->exports = TAKE_PTR(fresh);
    }
    take_content(i);
}

static int import_commit(struct node *n, struct diags *ds)
{
    struct instance *i = n->instance;
    struct staged *s = node_staged(n);
    struct module *m = instance_module(i);
    struct err err = {0};
    int code = 0;
    if (m && m->staged)
        code = module_commit(m, ds);
    take_fresh(n);
    if (!i->is_built)
        return code; /* it waits itself */
    if (s->args && instance_update(i, TAKE_PTR(s->args), &err) < 0)
        code = diag_error(ds, n->block->stmt->range, "%s: %s", kind_import.words.failure, err.text);
    instance_evaluated(i, err.code ? err.text : NULL);
    return code;
}

/* --- what runs --- */

static int import_evaluate(struct node *n, struct err *err)
{
    const int code = kind_component_evaluate(n, err);
    n->is_waiting = !n->block->import->brought;
    return code;
}

/* Whoever uses its definitions, here or through imports around it, has to look again. */
static void mark_users(struct node *n)
{
    for (;;) {
        const struct dag_links *by = &n->graph->plan->dag.needed_by[n->block->place];
        for (size_t i = 0; i < by->len; i++)
            n->graph->nodes[by->items[i]].is_redefined = true;
        node_mark_dependants(n);
        const struct instance *host = n->graph->module->host;
        if (!host || host->kind != &kind_import || !host->node)
            return;
        n = host->node;
    }
}

/* What was there before stays in force. */
static int import_reject_content(struct instance *i, int code, const struct diags *ds, struct err *err)
{
    const struct source *file = ds->items[0].range.first.source;
    const char *what = code == -EBADMSG ? "cannot be parsed" : "is invalid";
    code = diags_err(ds, err);
    code = err_wrap(err, code, "imported content from \"%s\" %s", file ? file->name : i->handle.id, what);
    health_set(&import_state_of(i)->health, HEALTH_UNHEALTHY, xstrdup(err->text));
    module_discard(instance_module(i));
    return code;
}

static int import_take_exports(struct node *n, struct err *err)
{
    struct instance *i = n->instance;
    struct import_state *state = import_state_of(i);
    const struct value *files = import_member_of(i->exports, "files");
    cleanup_diags struct diags ds = DIAGS_INIT;
    if (!files)
        return 0;
    if (state->files && value_equal(state->files, files)) {
        health_set(&state->health, HEALTH_HEALTHY, xstrdup("content updated"));
        return 0;
    }
    int code = import_stage(n, i->exports, files, &ds);
    if (code < 0)
        return import_reject_content(i, code, &ds, err);
    code = module_commit(instance_module(i), &ds);
    take_content(i);
    tell_definitions(n);
    n->is_waiting = false;
    mark_users(n);
    module_note_unstarted(n->graph->module);
    return code < 0 ? diags_err(&ds, err) : 0;
}

/* --- the instance --- */

static void import_free_state(struct instance *i)
{
    struct import_state *state = i->kind_state;
    module_free_all(i);
    if (!state)
        return;
    value_unref(state->files);
    health_done(&state->health);
    free(state);
}

/* Further imports in what it brought have no other place to be seen. */
static const struct health *import_worst_health(const struct instance *i, const struct health *worst)
{
    const struct import_state *state = i->kind_state;
    const struct module *m = instance_module(i);
    if (state && state->health.updated_ns)
        worst = health_worse(worst, &state->health);
    for (size_t k = 0; m && m->running && k < m->running->plan->len; k++) {
        const struct instance *inner = m->running->nodes[k].instance;
        worst = inner ? health_worse(worst, instance_health(inner)) : worst;
    }
    return worst;
}

const struct block_kind kind_import = {
    .words = {.created = "",
              .evaluated = "source evaluated",
              .evaluation_failed = "source evaluation failed",
              .started = "started import",
              .stopped = "import shut down cleanly",
              .failure = "Failed to evaluate node for config block"},
    .has_instance = true,
    .prepare = import_prepare,
    .commit = import_commit,
    .evaluate = import_evaluate,
    .take_exports = import_take_exports,
    .discard = module_discard_of_node,
    .stop = module_stop_all,
    .free = import_free_state,
    .health = import_worst_health,
};
