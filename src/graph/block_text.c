#include "graph/block_text.h"

#include "base/mem.h"
#include "lang/coerce.h"
#include "lang/eval.h"

enum { VAR_MAX = 512 };

struct range block_text_id_range(const struct ast_stmt *s, size_t id_len)
{
    struct range r = s->name_range;
    if (s->label.n > 0 && id_len > 0)
        r = source_range(r.first.source, r.first.offset, r.first.offset + id_len - 1);
    return r;
}

char *block_text_id(const struct ast_stmt *s)
{
    return s->label.n > 0 ? xasprintf("%.*s.%.*s", STR_ARG(s->name), STR_ARG(s->label)) : str_dup(s->name);
}

const struct ast_stmt *block_text_attribute(const struct ast_body *body, struct str name)
{
    for (size_t i = 0; i < body->len; i++) {
        if (body->stmts[i].kind == AST_ATTR && str_eq(body->stmts[i].name, name))
            return &body->stmts[i];
    }
    return NULL;
}

static bool is_template(const struct ast_stmt *s)
{
    return s->kind == AST_BLOCK && str_is(s->name, "template");
}

const struct ast_stmt *block_text_template(const struct ast_stmt *foreach)
{
    for (size_t i = 0; i < foreach->body.len; i++) {
        if (is_template(&foreach->body.stmts[i]))
            return &foreach->body.stmts[i];
    }
    return NULL;
}

struct ast_body block_text_without_template(const struct ast_stmt *foreach, struct ast_stmt **ret)
{
    const struct ast_body *whole = &foreach->body;
    struct ast_body rest = {.stmts = xcalloc(whole->len + 1, sizeof *rest.stmts)};
    for (size_t i = 0; i < whole->len; i++) {
        if (!is_template(&whole->stmts[i]))
            rest.stmts[rest.len++] = whole->stmts[i];
    }
    *ret = rest.stmts;
    return rest;
}

char *block_text_var(const struct ast_stmt *foreach)
{
    const struct ast_stmt *s = block_text_attribute(&foreach->body, STR("var"));
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_value struct value *v = NULL;
    cleanup_buf struct buf text = BUF_INIT(VAR_MAX);
    struct err err;
    if (!s || eval(s->value, NULL, &v, &ds) < 0 || coerce_text(v, &text, &err) < 0 || !buf_ok(&text) || text.len == 0)
        return NULL;
    return str_dup(buf_slice(&text));
}
