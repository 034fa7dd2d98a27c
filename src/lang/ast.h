/* The syntax tree of a file: statements and expressions with their source ranges.
 *
 * All nodes, including names and texts, belong to the ast_file and live until the last ast_unref(); so do positions,
 * because the file holds a reference to its source. Nodes are read-only except for the parser. The depth of an
 * expression is limited to AST_DEPTH_MAX, so recursive walks are safe.
 * Source: spec alloy-language §2, §6.3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "lang/diag.h"
#include "lang/source.h"

enum { AST_DEPTH_MAX = 1000 };

enum ast_kind {
    AST_LITERAL, /* a value written out: number, string, bool, null */
    AST_ARRAY,
    AST_OBJECT,
    AST_IDENT,
    AST_ACCESS, /* base.name */
    AST_INDEX,  /* base[index] */
    AST_CALL,   /* base(items…) */
    AST_UNARY,
    AST_BINARY,
    AST_PAREN,
};

struct ast_field {
    struct str key; /* unescaped */
    struct ast_expr *value;
    uint32_t key_first, key_last; /* with its quotes */
    bool quoted;
};

struct ast_expr {
    enum ast_kind kind;
    uint16_t depth;       /* 1 + that of the deepest part */
    uint16_t op;          /* AST_UNARY, AST_BINARY, AST_LITERAL: enum token_kind, lang/lexer.h */
    uint32_t first, last; /* offsets in the source, both included */
    const struct source *source;
    union {
        struct str name;        /* AST_IDENT; AST_LITERAL: the literal as written */
        struct ast_expr *paren; /* AST_PAREN */
        struct {
            struct ast_expr *base;
            struct str name;
            uint32_t name_first;
        } access;
        struct {
            struct ast_expr *base, *index;
        } index;
        struct {
            struct ast_expr *callee; /* AST_CALL; NULL for AST_ARRAY */
            struct ast_expr **items;
            size_t len;
        } list;
        struct {
            struct ast_field *items;
            size_t len;
        } object;
        struct {
            struct ast_expr *left, *right; /* left is NULL for AST_UNARY */
            uint32_t op_first;
        } operands;
    };
};

enum ast_stmt_kind { AST_ATTR, AST_BLOCK };

struct ast_body {
    struct ast_stmt *stmts; /* in source order */
    size_t len;
};

struct ast_stmt {
    enum ast_stmt_kind kind;
    struct str name;         /* "forward_to"; of a block its full dotted name "pyroscope.write" */
    struct range range;      /* the whole statement */
    struct range name_range; /* without the label */
    struct ast_expr *value;  /* AST_ATTR */
    /* AST_BLOCK from here */
    struct str *fragments; /* "pyroscope", "write" */
    size_t fragment_count;
    struct str label;         /* n == 0: none */
    struct range label_range; /* with its quotes; first.source == NULL: none written */
    struct range open;        /* the "{" */
    struct ast_body body;
};

struct ast_file {
    struct source *source;
    struct ast_body body;
    struct ast_expr *expr; /* set by parse_expression() only */
    struct arena arena;    /* private */
    unsigned refs;         /* private */
};

struct ast_file *ast_ref(struct ast_file *f);
void ast_unref(struct ast_file *f); /* NULL is fine */
static inline void ast_unrefp(struct ast_file **f)
{
    ast_unref(*f);
}
#define cleanup_ast __attribute__((cleanup(ast_unrefp)))

struct range ast_range(const struct ast_expr *e);

/* An identifier and the `.name` accesses that follow it. Calls and index operations end one; what they contain is
 * scanned on its own. Object keys, attribute names and block names are none. */
struct ast_traversal {
    const struct str *path; /* valid during the call; the names themselves as long as the file */
    size_t len;             /* >= 1 */
    struct range range;
};
/* How many names an expression that is a traversal has, 0 for any other; and those n names. */
size_t ast_path_len(const struct ast_expr *e);
void ast_path(const struct ast_expr *e, struct str *path, size_t n);

typedef void ast_visit(void *arg, const struct ast_traversal *t);
/* Reports every traversal of a body, nested blocks included, in source order. */
void ast_traversals(const struct ast_body *body, ast_visit *visit, void *arg);
