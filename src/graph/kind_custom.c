#include "graph/kind_custom.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/analysis.h"
#include "graph/module.h"
#include "lang/diag_text.h"
#include "lang/eval.h"
#include "lang/suggest.h"

enum { SUGGESTION_MAX = 256 };

/* The body as an object; all problems at once. */
static int evaluate_arguments(const struct node *n, struct value **ret, struct diags *ds)
{
    const struct scope scope = graph_scope(n->graph);
    const struct ast_body *body = &n->block->stmt->body;
    const size_t errors_before = ds->errors;
    cleanup_value struct value *args = value_object();
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        struct value *v;
        if (s->kind == AST_BLOCK)
            diag_error(ds, s->range, "nested blocks not supported here");
        else if (value_member(args, s->name))
            diag_error(ds, s->range, "attribute \"%.*s\" may only be provided once", STR_ARG(s->name));
        else if (eval(s->value, &scope, &v, ds) == 0)
            value_object_put(args, s->name, v);
    }
    if (ds->errors > errors_before)
        return -EINVAL;
    *ret = TAKE_PTR(args);
    return 0;
}

static bool has_argument(const struct plan *p, struct str name)
{
    cleanup_free char *id = xasprintf("argument.%.*s", STR_ARG(name));
    return plan_block(p, str_of(id)) != NULL;
}

static int check_unknown_arguments(const struct ast_stmt *block, const struct plan *inner, struct diags *ds)
{
    int code = 0;
    for (size_t i = 0; i < block->body.len; i++) {
        const struct ast_stmt *s = &block->body.stmts[i];
        if (s->kind == AST_ATTR && !has_argument(inner, s->name))
            code =
                diag_error(ds, s->range, "Provided argument \"%.*s\" is not defined in the module", STR_ARG(s->name));
    }
    return code;
}

static int custom_make_plan(const struct node *n, const struct declare *d, struct plan **ret, struct diags *ds)
{
    const struct ast_body *part = &d->stmt->body;
    const struct body body = {.kind = BODY_MODULE, .parts = &part, .len = 1, .definitions = d->home};
    struct diags own = DIAGS_INIT;
    cleanup_plan struct plan *p = NULL;
    int code = analysis_of_body(&body, &node_engine(n)->plan, &p, &own);
    module_merge_problems(ds, &own);
    if (code == 0)
        code = check_unknown_arguments(n->block->stmt, p, ds);
    if (code == 0)
        *ret = TAKE_PTR(p);
    return code;
}

/* A graph for one instance, with what it is given. */
static struct graph *custom_make_graph(const struct node *n, struct module *m, struct plan *p, const struct value *args)
{
    struct graph *g = graph_new(m, p);
    g->made_for = n->block->stmt;
    for (size_t i = 0; i < p->len; i++) {
        struct value *v = p->blocks[i]->type == BLOCK_ARGUMENT ? value_member(args, p->blocks[i]->stmt->label) : NULL;
        g->nodes[i].given = v ? value_ref(v) : NULL;
    }
    return g;
}

static int report_unknown(const struct node *n, struct diags *ds)
{
    char close[SUGGESTION_MAX];
    const struct ast_stmt *s = n->block->stmt;
    const bool any = definitions_suggest(n->graph->plan->definitions, s->name, close, sizeof close) != NULL;
    const struct suggest meant = {.best = any ? str_of(close) : (struct str){0}};
    return diag_error(ds, s->name_range, "cannot find the definition of component name \"%.*s\"" SUGGEST_FMT,
                      STR_ARG(s->name), SUGGEST_ARG(meant));
}

/* Stages the module that a declare makes. */
static int custom_stage(struct node *n, const struct declare *d, const struct value *args, struct diags *ds)
{
    struct module *m = module_of_node(n);
    struct plan *p = NULL;
    const int code = custom_make_plan(n, d, &p, ds);
    if (code < 0)
        return code;
    m->staged_declare = d;
    m->staged_held = definitions_ref(d->home);
    return module_stage(m, custom_make_graph(n, m, p, args), ds);
}

static void custom_prepare(struct node *n, struct diags *ds)
{
    struct staged *s = node_staged(n);
    struct instance *i = n->instance;
    const struct declare *d = NULL;
    node_check_needs(n);
    const enum definitions_answer answer = definitions_find(n->graph->plan->definitions, n->block->stmt->name, &d);
    n->is_waiting |= answer == DEFINITIONS_PENDING;
    if (n->is_waiting || s->has_failed)
        return;
    const int code = answer == DEFINITIONS_NONE ? report_unknown(n, ds) : evaluate_arguments(n, &s->arguments, ds);
    s->has_failed = code < 0;
    if (s->has_failed)
        return;
    if (!s->is_new && instance_module(i)->declare == d && value_equal(i->shown_args, s->arguments))
        return;
    s->has_failed = custom_stage(n, d, s->arguments, ds) < 0;
    if (!s->has_failed)
        s->exports = graph_exports(instance_module(i)->staged);
}

/* What was staged is in force. Takes the arguments. */
static int custom_take_over(struct instance *i, struct value *args, struct diags *ds)
{
    struct module *m = instance_module(i);
    const int code = module_commit(m, ds);
    i->is_built = true;
    instance_show_arguments(i, args);
    component_export(&i->handle, graph_exports(m->running));
    return code;
}

static int custom_commit(struct node *n, struct diags *ds)
{
    struct staged *s = node_staged(n);
    struct instance *i = n->instance;
    if (n->is_waiting) {
        if (s->is_new)
            instance_waits(i, node_waits_for(n));
        return 0;
    }
    int code = 0;
    if (instance_module(i)->staged) {
        value_unref(TAKE_PTR(s->exports));
        code = custom_take_over(i, TAKE_PTR(s->arguments), ds);
    }
    instance_evaluated(i, NULL);
    return code;
}

/* The arguments of the running module change; only what reads them notices. Takes them. */
static void custom_set_arguments(struct instance *i, struct value *args)
{
    struct graph *inner = instance_module(i)->running;
    for (size_t k = 0; k < inner->plan->len; k++) {
        struct node *a = &inner->nodes[k];
        struct value *given = a->block->type == BLOCK_ARGUMENT ? value_member(args, a->block->stmt->label) : NULL;
        if (!given || (a->given && value_equal(a->given, given)))
            continue;
        value_unref(a->given);
        a->given = value_ref(given);
        node_mark_dirty(a);
    }
    instance_show_arguments(i, args);
}

/* Another declare, or the first module of a node that had waited. Takes the arguments. */
static int custom_rebuild(struct node *n, const struct declare *d, struct value *args, struct diags *ds)
{
    if (custom_stage(n, d, args, ds) == 0)
        return custom_take_over(n->instance, args, ds);
    module_discard(instance_module(n->instance));
    value_unref(args);
    return -EINVAL;
}

static int custom_evaluate_block(struct node *n, struct diags *ds)
{
    struct instance *i = n->instance;
    const struct declare *d = NULL;
    struct value *args;
    const enum definitions_answer answer = definitions_find(n->graph->plan->definitions, n->block->stmt->name, &d);
    n->is_waiting = answer == DEFINITIONS_PENDING;
    if (n->is_waiting)
        return 0;
    if (answer == DEFINITIONS_NONE)
        return report_unknown(n, ds);
    int code = evaluate_arguments(n, &args, ds);
    if (code < 0)
        return code;
    if (!i->is_built || instance_module(i)->declare != d)
        return custom_rebuild(n, d, args, ds);
    custom_set_arguments(i, args);
    if (n->is_redefined)
        module_redefine(instance_module(i));
    return 0;
}

static int custom_evaluate(struct node *n, struct err *err)
{
    struct instance *i = n->instance;
    cleanup_diags struct diags ds = DIAGS_INIT;
    const bool was_built = i->is_built;
    int code = custom_evaluate_block(n, &ds);
    if (code < 0)
        code = err_wrap(err, diags_err(&ds, err), "updating custom component");
    if (!n->is_waiting)
        instance_evaluated(i, code < 0 ? err->text : NULL);
    if (!was_built && i->is_built)
        module_note_unstarted(n->graph->module);
    return code;
}

const struct block_kind kind_custom = {
    .words = {.created = "node custom component created",
              .evaluated = "component evaluated",
              .evaluation_failed = "component evaluation failed",
              .started = "started custom component",
              .stopped = "custom component shut down cleanly",
              .failure = "Failed to build component"},
    .has_instance = true,
    .uses_definitions = true,
    .prepare = custom_prepare,
    .commit = custom_commit,
    .evaluate = custom_evaluate,
    .discard = module_discard_of_node,
    .stop = module_stop_all,
    .free = module_free_all,
};
