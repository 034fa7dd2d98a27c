#include "lang/ast.h"

#include <stdlib.h>

#include "base/mem.h"

struct ast_file *ast_ref(struct ast_file *f)
{
    f->refs++;
    return f;
}

void ast_unref(struct ast_file *f)
{
    if (!f || --f->refs)
        return;
    arena_done(&f->arena);
    source_unref(f->source);
    free(f);
}

struct range ast_range(const struct ast_expr *e)
{
    return source_range(e->source, e->first, e->last);
}

size_t ast_path_len(const struct ast_expr *e)
{
    size_t n = 1;
    for (; e->kind == AST_ACCESS; e = e->access.base)
        n++;
    return e->kind == AST_IDENT ? n : 0;
}

void ast_path(const struct ast_expr *e, struct str *path, size_t n)
{
    for (; n > 1; e = e->access.base)
        path[--n] = e->access.name;
    path[0] = e->name;
}

/* The names of one traversal, reused for the next. */
struct reference_walk {
    struct str *path;
    size_t cap;
    ast_visit *visit;
    void *arg;
};

static void ast_report(struct reference_walk *w, const struct ast_expr *e, size_t n)
{
    xgrow(&w->path, &w->cap, n, sizeof *w->path);
    ast_path(e, w->path, n);
    w->visit(w->arg, &(struct ast_traversal){w->path, n, ast_range(e)});
}

static void walk_expr(struct reference_walk *w, const struct ast_expr *e)
{
    size_t n = ast_path_len(e);
    if (n) {
        ast_report(w, e, n);
        return;
    }
    switch (e->kind) {
    case AST_LITERAL:
    case AST_IDENT:
        break;
    case AST_ARRAY:
    case AST_CALL:
        if (e->list.callee)
            walk_expr(w, e->list.callee);
        for (size_t i = 0; i < e->list.len; i++)
            walk_expr(w, e->list.items[i]);
        break;
    case AST_OBJECT:
        for (size_t i = 0; i < e->object.len; i++)
            walk_expr(w, e->object.items[i].value);
        break;
    case AST_ACCESS:
        walk_expr(w, e->access.base);
        break;
    case AST_INDEX:
        walk_expr(w, e->index.base);
        walk_expr(w, e->index.index);
        break;
    case AST_UNARY:
    case AST_BINARY:
        if (e->operands.left)
            walk_expr(w, e->operands.left);
        walk_expr(w, e->operands.right);
        break;
    case AST_PAREN:
        walk_expr(w, e->paren);
        break;
    }
}

static void walk_body(struct reference_walk *w, const struct ast_body *body)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (s->kind == AST_ATTR)
            walk_expr(w, s->value);
        else
            walk_body(w, &s->body);
    }
}

void ast_traversals(const struct ast_body *body, ast_visit *visit, void *arg)
{
    struct reference_walk w = {.visit = visit, .arg = arg};
    walk_body(&w, body);
    free(w.path);
}
