#include "lang/static_check.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/eval.h"
#include "lang/option.h"

static bool static_expr(const struct ast_expr *e);

static bool static_list(const struct ast_expr *e)
{
    for (size_t i = 0; i < e->list.len; i++)
        if (!static_expr(e->list.items[i]))
            return false;
    return true;
}

static bool static_object(const struct ast_expr *e)
{
    for (size_t i = 0; i < e->object.len; i++)
        if (!static_expr(e->object.items[i].value))
            return false;
    return true;
}

static bool static_expr(const struct ast_expr *e)
{
    switch (e->kind) {
    case AST_LITERAL:
        return true;
    case AST_ARRAY:
        return static_list(e);
    case AST_OBJECT:
        return static_object(e);
    case AST_INDEX:
        return static_expr(e->index.base) && static_expr(e->index.index);
    case AST_ACCESS:
        return static_expr(e->access.base);
    case AST_UNARY:
    case AST_BINARY:
        return (!e->operands.left || static_expr(e->operands.left)) && static_expr(e->operands.right);
    case AST_PAREN:
        return static_expr(e->paren);
    case AST_IDENT:
    case AST_CALL:
        break;
    }
    return false;
}

bool static_body(const struct ast_body *body)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (!(s->kind == AST_ATTR ? static_expr(s->value) : static_body(&s->body)))
            return false;
    }
    return true;
}

/* --- what does not fit --- */

struct check {
    const struct option *option;
    void *field;
    struct diags *ds;
};

/* Causes that need the text of the expression in front to make a sentence. */
static bool needs_subject(struct str why)
{
    static const struct str verbs[] = {
        {"contains ", 9},
        {"is ", 3},
        {"has ", 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (str_has_prefix(why, verbs[i]))
            return true;
    return false;
}

static void static_check_report(const struct check *c, const struct ast_expr *e, const char *why)
{
    const struct ast_expr *part = eval_blamed(e, &why);
    const char *cause = *why == '[' || *why == '.' ? strchr(why, ' ') : why;
    cause = cause ? cause + strspn(cause, " ") : why;
    const struct str should = STR("should be ");
    if (needs_subject(str_of(cause)))
        eval_blame(part, cause, c->ds);
    else if (str_has_prefix(str_of(cause), should))
        diag_error(c->ds, ast_range(part), "expected %s", cause + should.n);
    else
        diag_error(c->ds, ast_range(part), "%s", cause);
}

/* Whether the option takes the value; the reason why not goes to `err`. */
static bool static_check_takes(const struct check *c, struct value *v, struct err *err)
{
    const bool ok = option_decode(c->option, v, c->field, err) == 0;
    option_done(c->option, c->field);
    return ok;
}

/* A list or object of a single part, to be blamed alone. Takes `part`. */
static void check_part(const struct check *c, const struct ast_expr *e, struct value *whole, const char *way)
{
    cleanup_value struct value *v = whole;
    struct err err = {0};
    if (static_check_takes(c, v, &err))
        return;
    const struct str prefix = str_of(way);
    /* The way to the only part there is; what follows is below that part. */
    if (str_has_prefix(str_of(err.text), prefix))
        static_check_report(c, e, err.text + prefix.n + (err.text[prefix.n] == ' '));
}

static void check_items(const struct check *c, const struct ast_expr *e)
{
    for (size_t i = 0; i < e->list.len; i++) {
        struct value *item;
        if (static_expr(e->list.items[i]) && eval(e->list.items[i], NULL, &item, c->ds) == 0)
            check_part(c, e->list.items[i], value_array(&item, 1), "[0]");
    }
}

static void check_fields(const struct check *c, const struct ast_expr *e)
{
    for (size_t i = 0; i < e->object.len; i++) {
        const struct ast_field *f = &e->object.items[i];
        struct value *member;
        if (!static_expr(f->value) || eval(f->value, NULL, &member, c->ds) < 0)
            continue;
        struct value *object = value_object();
        value_object_put(object, f->key, member);
        cleanup_free char *way = xasprintf(".%.*s", STR_ARG(f->key));
        check_part(c, f->value, object, way);
    }
}

static void check_parts(const struct check *c, const struct ast_expr *e)
{
    if (e->kind == AST_ARRAY)
        check_items(c, e);
    else if (e->kind == AST_OBJECT)
        check_fields(c, e);
}

/* Where something is not known yet: whether a list, or an object, can be right at all, and what is known of its
 * parts. */
static void check_open(const struct check *c, const struct ast_expr *e)
{
    const bool array = e->kind == AST_ARRAY;
    if (!array && e->kind != AST_OBJECT)
        return;
    cleanup_value struct value *empty = array ? value_array(NULL, 0) : value_object();
    struct err err = {0};
    /* An empty one may be wrong for being empty, which this one is not. */
    if (!static_check_takes(c, empty, &err) &&
        str_has_suffix(str_of(err.text), array ? STR(", got array") : STR(", got object")))
        static_check_report(c, e, err.text);
    else
        check_parts(c, e);
}

void static_check(const struct option *o, const struct ast_expr *e, void *field, struct diags *ds)
{
    const struct check c = {o, field, ds};
    while (e->kind == AST_PAREN)
        e = e->paren;
    if (!static_expr(e)) {
        check_open(&c, e);
        return;
    }
    const size_t before = ds->errors;
    cleanup_value struct value *v = NULL;
    struct err err = {0};
    if (eval(e, NULL, &v, ds) < 0 || static_check_takes(&c, v, &err))
        return;
    check_parts(&c, e);
    if (ds->errors == before)
        static_check_report(&c, e, err.text);
}
