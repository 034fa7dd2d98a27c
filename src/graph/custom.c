/* Instances of declares: their attributes are the arguments of a module, whose exports are theirs. */
#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/internal.h"
#include "lang/eval.h"

enum { SUGGESTION_MAX = 256 };

/* The body as an object; all problems at once. */
static int evaluate_arguments(struct plan_node *n, struct value **ret, struct diags *ds)
{
    const struct scope scope = plan_scope(n->plan);
    const size_t errors_before = ds->errors;
    cleanup_value struct value *args = value_object();
    for (size_t i = 0; i < n->stmt->body.len; i++) {
        const struct ast_stmt *s = &n->stmt->body.stmts[i];
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

static const struct plan_node *argument_node(const struct plan *p, struct str name)
{
    cleanup_free char *id = xasprintf("argument.%.*s", STR_ARG(name));
    return strmap_get(&p->ids, str_of(id));
}

static int check_unknown_arguments(const struct plan_node *n, const struct plan *inner, struct diags *ds)
{
    int code = 0;
    for (size_t i = 0; i < n->stmt->body.len; i++) {
        const struct ast_stmt *s = &n->stmt->body.stmts[i];
        if (s->kind == AST_ATTR && !argument_node(inner, s->name))
            code =
                diag_error(ds, s->range, "Provided argument \"%.*s\" is not defined in the module", STR_ARG(s->name));
    }
    return code;
}

static struct value *member_ref(const struct value *object, struct str name)
{
    struct value *v = value_member(object, name);
    return v ? value_ref(v) : NULL;
}

/* A plan for one instance, with what it is given. */
static int plan_instance(struct module *m, const struct plan_node *n, const struct template *t,
                         const struct value *args, struct plan **ret, struct diags *ds)
{
    const struct ast_body *part = &t->stmt->body;
    const struct body body = {.kind = BODY_MODULE, .parts = &part, .len = 1, .library = t->home};
    struct diags own = DIAGS_INIT;
    struct plan *p = NULL;
    int code = plan_make(&body, &m->owner->options, &p, &own);
    diags_merge(ds, &own);
    if (code < 0)
        return code;
    p->made_for = n->stmt;
    for (size_t i = 0; i < p->len; i++) {
        if (p->nodes[i]->kind == NODE_ARGUMENT)
            p->nodes[i]->given = member_ref(args, p->nodes[i]->stmt->label);
    }
    if (check_unknown_arguments(n, p, ds) < 0) {
        plan_free(p);
        return -EINVAL;
    }
    *ret = p;
    return 0;
}

static int report_unknown(const struct plan_node *n, struct diags *ds)
{
    char close[SUGGESTION_MAX];
    const bool any = library_suggest(n->plan->library, n->stmt->name, close, sizeof close) != NULL;
    return diag_error(ds, n->stmt->name_range, "cannot find the definition of component name \"%.*s\"%s%s%s",
                      STR_ARG(n->stmt->name), any ? ", did you mean \"" : "", any ? close : "", any ? "\"?" : "");
}

/* Makes the module by the template, aside. `outer`: the one that `n` is in. */
static int prepare(struct module *outer, struct plan_node *n, const struct template *t, const struct value *args,
                   struct diags *ds)
{
    struct component *c = n->component;
    if (!c->module)
        c->module = module_new(outer, c, xstrdup(c->id));
    struct plan *p;
    int code = plan_instance(outer, n, t, args, &p, ds);
    if (code < 0)
        return code;
    c->module->next_template = t;
    c->module->next_held = library_ref(t->home);
    return module_prepare(c->module, p, ds);
}

void custom_prepare(struct module *m, struct plan_node *n, struct diags *ds)
{
    struct component *c = n->component;
    struct template *t = NULL;
    module_check_needs(n);
    const enum library_answer answer = library_find(n->plan->library, n->stmt->name, &t);
    n->waits |= answer == LIBRARY_PENDING;
    if (n->waits || n->failed)
        return;
    if (answer == LIBRARY_NONE)
        n->failed = report_unknown(n, ds) < 0;
    else
        n->failed = evaluate_arguments(n, &n->given, ds) < 0;
    if (n->failed)
        return;
    if (!n->is_new && c->module->template == t && value_equal(c->shown_args, n->given))
        return;
    n->failed = prepare(m, n, t, n->given, ds) < 0;
    if (!n->failed)
        n->value = module_exports(c->module->next);
}

static void keep_arguments(struct component *c, struct value *args)
{
    value_unref(c->shown_args);
    c->shown_args = args;
}

/* What was aside is in force. */
static int take_over(struct plan_node *n, struct diags *ds)
{
    struct component *c = n->component;
    const int code = module_commit(c->module, ds);
    c->is_built = true;
    if (n->given)
        keep_arguments(c, TAKE_PTR(n->given));
    value_unref(n->value);
    n->value = NULL;
    component_export(c, module_exports(c->module->plan));
    return code;
}

int custom_commit(struct plan_node *n, struct diags *ds)
{
    struct component *c = n->component;
    if (n->waits)
        return 0;
    int code = 0;
    if (c->module->next)
        code = take_over(n, ds);
    value_unref(TAKE_PTR(n->given));
    node_evaluated(c, NULL);
    return code;
}

/* The arguments of the running module change; only what reads them notices. */
static int set_arguments(struct plan_node *n, struct value *args)
{
    struct component *c = n->component;
    struct plan *inner = c->module->plan;
    for (size_t i = 0; i < inner->len; i++) {
        struct plan_node *a = inner->nodes[i];
        struct value *given = a->kind == NODE_ARGUMENT ? value_member(args, a->stmt->label) : NULL;
        if (!given || (a->given && value_equal(a->given, given)))
            continue;
        value_unref(a->given);
        a->given = value_ref(given);
        module_mark(a);
    }
    keep_arguments(c, args);
    return 0;
}

static int rebuild(struct plan_node *n, const struct template *t, struct value *args, struct diags *ds)
{
    struct component *c = n->component;
    n->given = args;
    if (prepare(n->plan->live, n, t, args, ds) == 0)
        return take_over(n, ds);
    module_discard(c->module);
    value_unref(TAKE_PTR(n->given));
    return -EINVAL;
}

static int evaluate(struct plan_node *n, struct diags *ds)
{
    struct component *c = n->component;
    struct template *t = NULL;
    struct value *args;
    const enum library_answer answer = library_find(n->plan->library, n->stmt->name, &t);
    n->waits = answer == LIBRARY_PENDING;
    if (n->waits)
        return 0;
    if (answer == LIBRARY_NONE)
        return report_unknown(n, ds);
    int code = evaluate_arguments(n, &args, ds);
    if (code < 0)
        return code;
    if (!c->is_built || c->module->template != t)
        return rebuild(n, t, args, ds);
    code = set_arguments(n, args);
    if (n->redefined)
        module_redefine(c->module);
    return code;
}

int custom_evaluate(struct plan_node *n, struct err *err)
{
    struct component *c = n->component;
    cleanup_diags struct diags ds = DIAGS_INIT;
    const bool was_built = c->is_built;
    int code = evaluate(n, &ds);
    if (code < 0)
        code = err_wrap(err, module_problem(&ds, err), "updating custom component");
    if (!n->waits)
        node_evaluated(c, code < 0 ? err->text : NULL);
    if (!was_built && c->is_built)
        module_note_unstarted(n->plan->live);
    return code;
}
