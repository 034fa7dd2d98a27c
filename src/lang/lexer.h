/* The lexer: text to tokens, including terminators and comments.
 *
 * Errors are added to the diagnostics; scanning always continues and ends with TOKEN_EOF, repeatedly. Tokens point into
 * the source.
 * Source: spec alloy-language §1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "lang/diag.h"
#include "lang/source.h"

enum token_kind {
    TOKEN_ILLEGAL,
    TOKEN_EOF,
    TOKEN_COMMENT,
    TOKEN_IDENT,
    TOKEN_NUMBER,
    TOKEN_FLOAT,
    TOKEN_STRING, /* either form, with its quotes */
    TOKEN_BOOL,
    TOKEN_NULL,
    TOKEN_TERMINATOR, /* the end of a statement: a LF or the end of the text; the text of the token is empty there */
    TOKEN_OR,
    TOKEN_AND,
    TOKEN_NOT,
    TOKEN_NEQ,
    TOKEN_ASSIGN,
    TOKEN_EQ,
    TOKEN_LT,
    TOKEN_LTE,
    TOKEN_GT,
    TOKEN_GTE,
    TOKEN_ADD,
    TOKEN_SUB,
    TOKEN_MUL,
    TOKEN_DIV,
    TOKEN_MOD,
    TOKEN_POW,
    TOKEN_LCURLY,
    TOKEN_RCURLY,
    TOKEN_LPAREN,
    TOKEN_RPAREN,
    TOKEN_LBRACK,
    TOKEN_RBRACK,
    TOKEN_COMMA,
    TOKEN_DOT,
};

struct token {
    enum token_kind kind;
    uint32_t offset;
    struct str text;
};

struct lexer {
    const struct source *source;
    struct diags *diags;
    uint32_t at;  /* the next byte */
    bool pending; /* an end of line would end a statement here */
};

void lexer_init(struct lexer *lx, const struct source *source, struct diags *diags);
struct token lexer_next(struct lexer *lx);

/* As messages spell it: "IDENT", "TERMINATOR", "&&". */
const char *token_name(enum token_kind kind);
/* Whether the text is one identifier and no keyword: what labels and unquoted keys must be. */
bool lexer_is_identifier(struct str s);
