#include "lang/eval.h"

#include <stdarg.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/lexer.h"
#include "lang/number.h"
#include "lang/operator.h"
#include "lang/printer.h"
#include "lang/quote.h"
#include "lang/stdlib.h"
#include "lang/suggest.h"
#include "lang/unicode.h"

enum { QUOTED_EXPR_MAX = 4096, QUOTED_START_MAX = 100 }; /* of longer expressions messages quote the start */
enum { SUGGEST_FROM_MAX = 256 };                         /* members; of more, none is suggested */

struct eval {
    const struct scope *scope;
    struct diags *ds;
};

static int eval_expr(struct eval *ev, const struct ast_expr *e, struct value **ret);

static const struct ast_expr *without_parens(const struct ast_expr *e)
{
    while (e->kind == AST_PAREN)
        e = e->paren;
    return e;
}

/* "[2] rest": the item if it is written out in e. */
static const struct ast_expr *item_at(const struct ast_expr *e, const char **why)
{
    char *end;
    unsigned long long i = strtoull(*why + 1, &end, 10);
    if (e->kind != AST_ARRAY || end == *why + 1 || *end != ']' || i >= e->list.len)
        return NULL;
    *why = end + 1;
    return e->list.items[i];
}

/* ".name rest": the field's value if it is written out in e; names may hold anything, so the longest that fits is
 * meant. */
static const struct ast_expr *field_at(const struct ast_expr *e, const char **why)
{
    const struct ast_field *best = NULL;
    if (e->kind != AST_OBJECT)
        return NULL;
    struct str rest = str_of(*why + 1);
    for (size_t i = 0; i < e->object.len; i++) {
        const struct ast_field *f = &e->object.items[i];
        if (str_has_prefix(rest, f->key) && (!best || f->key.n >= best->key.n) &&
            (rest.n == f->key.n || strchr(" .[", rest.p[f->key.n])))
            best = f;
    }
    if (!best)
        return NULL;
    *why += 1 + best->key.n;
    return best->value;
}

const struct ast_expr *eval_blamed(const struct ast_expr *e, const char **why)
{
    for (const struct ast_expr *part = e; part;) {
        e = part;
        const struct ast_expr *open = without_parens(e);
        part = **why == '[' ? item_at(open, why) : **why == '.' ? field_at(open, why) : NULL;
    }
    return e;
}

/* Of an expression too long to be quoted, how it starts: whole characters of its first line. */
static void quote_start(const struct ast_expr *e, struct buf *out)
{
    const struct str all = e->source->text;
    size_t end = e->first;
    uint32_t rune;
    for (size_t n; (n = utf8_decode((struct str){all.p + end, all.n - end}, &rune)) > 0 && rune != '\n'; end += n)
        if (end + n - e->first > QUOTED_START_MAX)
            break;
    buf_str(out, (struct str){all.p + e->first, end - e->first});
    buf_puts(out, "…");
}

int eval_blame(const struct ast_expr *e, const char *why, struct diags *ds)
{
    e = eval_blamed(e, &why);
    cleanup_buf struct buf text = BUF_INIT(QUOTED_EXPR_MAX), start = BUF_INIT(QUOTED_EXPR_MAX);
    print_expr(e, &text);
    if (!buf_ok(&text))
        quote_start(e, &start);
    bool path = *why == '[' || *why == '.' || *why == ' ';
    return diag_error(ds, ast_range(e), "%s%s%s", buf_cstr(buf_ok(&text) ? &text : &start), path ? "" : " ", why);
}

static int blame_printf(struct eval *ev, const struct ast_expr *e, const char *fmt, ...) printf_like(3, 4);
static int blame_printf(struct eval *ev, const struct ast_expr *e, const char *fmt, ...)
{
    struct err why;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why.text, sizeof why.text, fmt, ap);
    va_end(ap);
    return eval_blame(e, why.text, ev->ds);
}

static int eval_literal(const struct ast_expr *e, struct value **ret)
{
    switch ((enum token_kind)e->op) {
    case TOKEN_NUMBER:
    case TOKEN_FLOAT:
        *ret = number_literal(e->name);
        return 0;
    case TOKEN_BOOL:
        *ret = value_bool(str_is(e->name, "true"));
        return 0;
    case TOKEN_STRING: {
        cleanup_buf struct buf b = BUF_INIT(e->name.n * 4); /* an escape may grow, but never to more than this */
        quote_value(e->name, &b);
        *ret = value_string(buf_slice(&b));
        return 0;
    }
    default:
        *ret = value_null();
        return 0;
    }
}

/* Values refer to values, so their depth is not bounded by that of any expression. */
static int check_depth(struct eval *ev, const struct ast_expr *e, struct value **v, struct value **ret)
{
    if (value_depth(*v) > VALUE_DEPTH_MAX)
        return diag_error(ev->ds, ast_range(e), "the value is nested too deeply (more than %d levels)",
                          VALUE_DEPTH_MAX);
    *ret = TAKE_PTR(*v);
    return 0;
}

/* The values of a list, in memory of its own; on failure nothing. */
static int eval_items(struct eval *ev, const struct ast_expr *e, struct value ***ret)
{
    struct value **items = xcalloc(e->list.len + 1, sizeof *items);
    for (size_t i = 0; i < e->list.len; i++) {
        int code = eval_expr(ev, e->list.items[i], &items[i]);
        if (code < 0) {
            while (i-- > 0)
                value_unref(items[i]);
            free(items);
            return code;
        }
    }
    *ret = items;
    return 0;
}

static int eval_array(struct eval *ev, const struct ast_expr *e, struct value **ret)
{
    struct value **items;
    int code = eval_items(ev, e, &items);
    if (code < 0)
        return code;
    cleanup_value struct value *v = value_array(items, e->list.len);
    free(items);
    return check_depth(ev, e, &v, ret);
}

static int eval_object(struct eval *ev, const struct ast_expr *e, struct value **ret)
{
    cleanup_value struct value *object = value_object();
    for (size_t i = 0; i < e->object.len; i++) {
        struct value *member;
        int code = eval_expr(ev, e->object.items[i].value, &member);
        if (code < 0)
            return code;
        value_object_put(object, e->object.items[i].key, member);
    }
    return check_depth(ev, e, &object, ret);
}

/* A member of an object or of a capsule that looks like one. *ret is a new reference, NULL when missing; false:
 * neither. */
static bool eval_member_of(const struct value *v, struct str name, struct value **ret)
{
    if (value_kind(v) == VALUE_OBJECT) {
        struct value *m = value_member(v, name);
        *ret = m ? value_ref(m) : NULL;
        return true;
    }
    if (value_kind(v) != VALUE_CAPSULE)
        return false;
    const struct capsule_type *type = value_capsule_type(v);
    const void *data = value_capsule_data(v, type);
    if (type->get) {
        *ret = type->get(data, name);
        return true;
    }
    cleanup_value struct value *object = type->to_object ? type->to_object(data) : NULL;
    return object && eval_member_of(object, name, ret);
}

static const char opaque_capsule[] = "expected object or array or a capsule convertible to an object, got capsule";

/* Takes `base`. */
static int access_member(struct eval *ev, const struct ast_expr *e, struct value *base, struct value **ret)
{
    cleanup_value struct value *v = base;
    struct str name = e->access.name;
    struct value *member;
    if (eval_member_of(v, name, &member)) {
        if (member) {
            *ret = member;
            return 0;
        }
        struct range where = source_range(e->source, e->access.name_first, e->access.name_first + name.n - 1);
        struct suggest close = suggest_for(name);
        const bool worth = value_kind(v) == VALUE_OBJECT && value_len(v) <= SUGGEST_FROM_MAX;
        for (size_t i = 0; worth && i < value_len(v); i++)
            suggest_try(&close, value_key(v, i, &(struct value *){NULL}));
        return diag_error(ev->ds, where, "field \"%.*s\" does not exist" SUGGEST_FMT, STR_ARG(name),
                          SUGGEST_ARG(close));
    }
    if (value_kind(v) == VALUE_CAPSULE)
        return blame_printf(ev, e->access.base, "%s", opaque_capsule);
    return blame_printf(ev, e->access.base, "cannot access field \"%.*s\" on value of type %s", STR_ARG(name),
                        value_kind_name(value_kind(v)));
}

/* An identifier with accesses: the scope knows names with dots, so it is asked about all of it at once. */
static int eval_traversal(struct eval *ev, const struct ast_expr *e, size_t n, struct value **ret)
{
    cleanup_free struct str *path = xcalloc(n, sizeof *path);
    ast_path(e, path, n);
    struct value *v = NULL;
    size_t used = 1;
    if (!ev->scope || !ev->scope->resolve || !ev->scope->resolve(ev->scope->ctx, path, n, &used, &v))
        v = stdlib_resolve(path, n, &used);
    cleanup_free const struct ast_expr **steps = xcalloc(n, sizeof *steps);
    for (size_t i = n; i > 0; i--, e = i > 0 ? e->access.base : e)
        steps[i - 1] = e;
    if (!v)
        return diag_error(ev->ds, ast_range(steps[0]), "identifier \"%.*s\" does not exist", STR_ARG(path[0]));
    for (size_t i = used; i < n; i++) {
        int code = access_member(ev, steps[i], v, &v);
        if (code < 0)
            return code;
    }
    *ret = v;
    return 0;
}

static int index_array(struct eval *ev, const struct ast_expr *e, const struct value *array, const struct value *index,
                       struct value **ret)
{
    if (value_kind(index) != VALUE_NUMBER)
        return blame_printf(ev, e->index.index, "should be number, got %s", value_kind_name(value_kind(index)));
    int64_t i = value_as_int(index);
    size_t len = value_len(array);
    if (i < 0 || (uint64_t)i >= len)
        return blame_printf(ev, e->index.index, "index %lld is out of range of array with length %zu", (long long)i,
                            len);
    *ret = value_ref(value_item(array, (size_t)i));
    return 0;
}

static int eval_index(struct eval *ev, const struct ast_expr *e, struct value **ret)
{
    cleanup_value struct value *base = NULL, *index = NULL;
    int code = eval_expr(ev, e->index.base, &base);
    if (code == 0)
        code = eval_expr(ev, e->index.index, &index);
    if (code < 0)
        return code;
    if (value_kind(base) == VALUE_ARRAY)
        return index_array(ev, e, base, index, ret);
    const struct capsule_type *type = value_kind(base) == VALUE_CAPSULE ? value_capsule_type(base) : NULL;
    if (type && !type->get && !type->to_object)
        return blame_printf(ev, e->index.base, "%s", opaque_capsule);
    if (value_kind(base) != VALUE_OBJECT && !type)
        return blame_printf(ev, e->index.base, "expected object or array, got %s", value_kind_name(value_kind(base)));
    if (value_kind(index) != VALUE_STRING)
        return blame_printf(ev, e->index.index, "should be string, got %s", value_kind_name(value_kind(index)));
    struct value *member = NULL;
    (void)eval_member_of(base, value_as_str(index), &member);
    *ret = member ? member : value_null();
    return 0;
}

static int eval_call_function(struct eval *ev, const struct ast_expr *e, const struct function_def *f,
                              struct value **args, struct value **ret)
{
    size_t n = e->list.len;
    if (n < f->min_args || (n > f->min_args && !f->variadic))
        return blame_printf(ev, e->list.callee, "expected %s%u args, got %zu", f->variadic ? "at least " : "",
                            f->min_args, n);
    struct err err = {0};
    int bad = BLAME_FUNCTION;
    cleanup_value struct value *v = NULL;
    if (f->call(args, n, &v, &bad, &err) == 0)
        return check_depth(ev, e, &v, ret);
    if (bad == BLAME_CALL)
        return diag_error(ev->ds, ast_range(e), "%s", err.text);
    return eval_blame(bad >= 0 && (size_t)bad < n ? e->list.items[bad] : e->list.callee, err.text, ev->ds);
}

static int eval_call(struct eval *ev, const struct ast_expr *e, struct value **ret)
{
    cleanup_value struct value *callee = NULL;
    int code = eval_expr(ev, e->list.callee, &callee);
    if (code < 0)
        return code;
    if (value_kind(callee) != VALUE_FUNCTION)
        return blame_printf(ev, e->list.callee, "should be function, got %s", value_kind_name(value_kind(callee)));
    struct value **args;
    code = eval_items(ev, e, &args);
    if (code < 0)
        return code;
    code = eval_call_function(ev, e, value_function_def(callee), args, ret);
    for (size_t i = 0; i < e->list.len; i++)
        value_unref(args[i]);
    free(args);
    return code;
}

static int eval_operator(struct eval *ev, const struct ast_expr *e, struct value **ret)
{
    cleanup_value struct value *left = NULL, *right = NULL;
    const struct ast_expr *operands[] = {e, e->operands.left, e->operands.right};
    int code = e->operands.left ? eval_expr(ev, e->operands.left, &left) : 0;
    if (code == 0)
        code = eval_expr(ev, e->operands.right, &right);
    if (code < 0)
        return code;
    struct err err = {0};
    enum operator_fault fault = OPERATOR_FAULT_ALL;
    code = left ? operator_binary(e->op, left, right, ret, &fault, &err) : operator_unary(e->op, right, ret, &err);
    if (code == 0)
        return 0;
    if (!left)
        fault = OPERATOR_FAULT_RIGHT;
    if (fault == OPERATOR_FAULT_ALL)
        return diag_error(ev->ds, ast_range(e), "%s", err.text);
    return eval_blame(operands[fault], err.text, ev->ds);
}

static int eval_expr(struct eval *ev, const struct ast_expr *e, struct value **ret)
{
    size_t names = ast_path_len(e);
    if (names)
        return eval_traversal(ev, e, names, ret);
    switch (e->kind) {
    case AST_LITERAL:
        return eval_literal(e, ret);
    case AST_ARRAY:
        return eval_array(ev, e, ret);
    case AST_OBJECT:
        return eval_object(ev, e, ret);
    case AST_INDEX:
        return eval_index(ev, e, ret);
    case AST_CALL:
        return eval_call(ev, e, ret);
    case AST_UNARY:
    case AST_BINARY:
        return eval_operator(ev, e, ret);
    case AST_PAREN:
        return eval_expr(ev, e->paren, ret);
    default: {
        struct value *base;
        int code = eval_expr(ev, e->access.base, &base);
        return code < 0 ? code : access_member(ev, e, base, ret);
    }
    }
}

int eval(const struct ast_expr *e, const struct scope *scope, struct value **ret, struct diags *ds)
{
    struct eval ev = {scope, ds};
    return eval_expr(&ev, e, ret);
}
