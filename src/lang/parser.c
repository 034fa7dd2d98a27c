#include "lang/parser.h"

#include <errno.h>
#include <stdarg.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/lexer.h"
#include "lang/quote.h"

enum {
    TREE_MAX = 64 << 20, /* bytes of a tree, and of any list while it grows */
    MESSAGE_TEXT_MAX = 512,
};

struct parser {
    struct lexer lexer;
    struct token tok;
    uint32_t last; /* last byte of the token before */
    struct ast_file *file;
    struct diags *ds;
    unsigned error_line; /* of the last error of the grammar */
    unsigned depth;
    bool stopped; /* gave up; everything left is skipped without a word */
};

/* A list of unknown length. */
struct list_of {
    void *items;
    size_t len, cap;
};

static void parser_next(struct parser *p)
{
    p->last = p->tok.offset + (p->tok.text.n ? (uint32_t)p->tok.text.n - 1 : 0);
    do
        p->tok = lexer_next(&p->lexer);
    while (p->tok.kind == TOKEN_COMMENT);
}

static struct range parser_here(const struct parser *p)
{
    return (struct range){.first = source_pos(p->file->source, p->tok.offset)};
}

static void parser_complain(struct parser *p, const char *fmt, ...) printf_like(2, 3);
static void parser_complain(struct parser *p, const char *fmt, ...)
{
    struct range range = parser_here(p);
    if (p->stopped || range.first.line == p->error_line)
        return;
    p->error_line = range.first.line;
    char text[MESSAGE_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    diag_error(p->ds, range, "%s", text);
}

static void parser_stop(struct parser *p, const char *why)
{
    if (!p->stopped)
        diag_error(p->ds, parser_here(p), "%s", why);
    p->stopped = true;
    p->lexer.at = (uint32_t)p->file->source->text.n;
    p->lexer.pending = false;
    parser_next(p);
}

static bool parser_enter(struct parser *p)
{
    if (++p->depth > AST_DEPTH_MAX)
        parser_stop(p, "nested too deeply (more than 1000 levels)");
    return p->depth <= AST_DEPTH_MAX;
}

static void *parser_alloc(struct parser *p, size_t size)
{
    void *ret = arena_calloc(&p->file->arena, 1, size);
    if (!ret)
        parser_stop(p, "the configuration is too large");
    return ret;
}

/* Where to put one more item; NULL when the list would be too large. */
static void *parser_grow(struct parser *p, struct list_of *list, size_t size)
{
    if (list->len == list->cap) {
        const size_t cap = mem_capacity(list->cap, list->len + 1, 8);
        if (cap > TREE_MAX / size) {
            parser_stop(p, "the configuration is too large");
            return NULL;
        }
        list->items = xrealloc(list->items, cap * size);
        list->cap = cap;
    }
    return (char *)list->items + size * list->len++;
}

/* The finished list, moved into the tree. */
static void *parser_settle(struct parser *p, struct list_of *list, size_t size, size_t *len)
{
    void *ret = list->len ? parser_alloc(p, list->len * size) : NULL;
    if (ret)
        memcpy(ret, list->items, list->len * size);
    *len = ret ? list->len : 0;
    free(list->items);
    return ret;
}

static struct str parser_unquoted(struct parser *p, struct str literal)
{
    struct buf b = BUF_INIT(literal.n);
    if (literal.n >= 2)
        quote_value(literal, &b);
    struct str s = arena_str(&p->file->arena, buf_slice(&b));
    if (!s.p)
        parser_stop(p, "the configuration is too large");
    buf_done(&b);
    return s;
}

static bool is_closer(enum token_kind k)
{
    return k == TOKEN_RPAREN || k == TOKEN_RCURLY || k == TOKEN_RBRACK;
}

static bool is_opener(enum token_kind k)
{
    return k == TOKEN_LPAREN || k == TOKEN_LCURLY || k == TOKEN_LBRACK;
}

/* To the closer of what is open here, or to the end; to a terminator or comma outside of brackets as well if asked
 * to. */
static void parser_skip(struct parser *p, bool at_comma, bool at_terminator)
{
    size_t open = 0;
    for (; p->tok.kind != TOKEN_EOF; parser_next(p)) {
        enum token_kind k = p->tok.kind;
        if (open == 0 && (is_closer(k) || (at_comma && k == TOKEN_COMMA) || (at_terminator && k == TOKEN_TERMINATOR)))
            return;
        open += is_opener(k);
        open -= is_closer(k);
    }
}

static bool parser_expect(struct parser *p, enum token_kind kind)
{
    if (p->tok.kind != kind) {
        parser_complain(p, "expected %s, got %s", token_name(kind), token_name(p->tok.kind));
        return false;
    }
    parser_next(p);
    return true;
}

static unsigned parser_deeper(unsigned depth, const struct ast_expr *part)
{
    return part && part->depth >= depth ? part->depth + 1u : depth;
}

static const struct ast_expr nothing = {.kind = AST_LITERAL, .op = TOKEN_NULL, .depth = 1, .name = {"null", 4}};

/* Copies a node into the tree, setting what every node has; the last token consumed is its end. */
static struct ast_expr *parser_node(struct parser *p, uint32_t first, unsigned depth, struct ast_expr e)
{
    if (depth > AST_DEPTH_MAX) {
        parser_stop(p, "the expression is nested too deeply (more than 1000 levels)");
        return (struct ast_expr *)&nothing;
    }
    struct ast_expr *ret = parser_alloc(p, sizeof *ret);
    if (!ret)
        return (struct ast_expr *)&nothing;
    *ret = e;
    ret->depth = (uint16_t)depth;
    ret->first = first;
    ret->last = p->last;
    ret->source = p->file->source;
    return ret;
}

static struct ast_expr *parser_parse_expr(struct parser *p);
static void parse_body(struct parser *p, enum token_kind until, struct ast_body *ret);

/* After an item: whether another may follow. */
static bool after_item(struct parser *p, enum token_kind close, const char *where)
{
    if (p->tok.kind == TOKEN_COMMA) {
        parser_next(p);
        return p->tok.kind != close;
    }
    if (p->tok.kind == close)
        return false;
    parser_complain(p, "missing ',' in %s", where);
    if (p->tok.kind == TOKEN_TERMINATOR) {
        /* Probably the bracket was never closed: do not read the rest of the file as items. */
        parser_skip(p, false, false);
        return false;
    }
    parser_skip(p, true, true);
    if (p->tok.kind != TOKEN_COMMA)
        return false;
    parser_next(p);
    return p->tok.kind != close;
}

/* Items up to `close`; the opening bracket is consumed. */
static struct ast_expr *parser_parse_list(struct parser *p, uint32_t first, struct ast_expr *callee,
                                          enum token_kind close)
{
    struct list_of list = {0};
    unsigned depth = parser_deeper(1, callee);
    if (p->tok.kind != close) {
        do {
            struct ast_expr *item = parser_parse_expr(p), **slot = parser_grow(p, &list, sizeof(struct ast_expr *));
            if (slot)
                *slot = item;
            depth = parser_deeper(depth, item);
        } while (after_item(p, close, "expression list"));
    }
    parser_expect(p, close);
    struct ast_expr e = {.kind = callee ? AST_CALL : AST_ARRAY, .list.callee = callee};
    e.list.items = parser_settle(p, &list, sizeof(struct ast_expr *), &e.list.len);
    return parser_node(p, first, depth, e);
}

static bool parse_field(struct parser *p, struct ast_field *f)
{
    struct token t = p->tok;
    if (t.kind != TOKEN_STRING && t.kind != TOKEN_IDENT) {
        parser_complain(p, "expected field name (string or identifier), got %s", token_name(t.kind));
        parser_skip(p, true, true);
        return false;
    }
    parser_next(p);
    *f =
        (struct ast_field){.key = t.text, .key_first = t.offset, .key_last = p->last, .quoted = t.kind == TOKEN_STRING};
    if (f->quoted)
        f->key = parser_unquoted(p, t.text);
    if (!parser_expect(p, TOKEN_ASSIGN)) {
        parser_skip(p, true, true);
        return false;
    }
    f->value = parser_parse_expr(p);
    return true;
}

static struct ast_expr *parse_object(struct parser *p)
{
    struct list_of list = {0};
    uint32_t first = p->tok.offset;
    unsigned depth = 1;
    parser_next(p);
    if (p->tok.kind != TOKEN_RCURLY) {
        do {
            struct ast_field f;
            if (!parse_field(p, &f))
                continue;
            depth = parser_deeper(depth, f.value);
            struct ast_field *slot = parser_grow(p, &list, sizeof f);
            if (slot)
                *slot = f;
        } while (after_item(p, TOKEN_RCURLY, "field list"));
    }
    parser_expect(p, TOKEN_RCURLY);
    struct ast_expr e = {.kind = AST_OBJECT};
    e.object.items = parser_settle(p, &list, sizeof(struct ast_field), &e.object.len);
    return parser_node(p, first, depth, e);
}

static struct ast_expr *parse_primary(struct parser *p)
{
    struct token t = p->tok;
    switch (t.kind) {
    case TOKEN_IDENT:
        parser_next(p);
        return parser_node(p, t.offset, 1, (struct ast_expr){.kind = AST_IDENT, .name = t.text});
    case TOKEN_STRING:
    case TOKEN_NUMBER:
    case TOKEN_FLOAT:
    case TOKEN_BOOL:
    case TOKEN_NULL:
        parser_next(p);
        return parser_node(p, t.offset, 1,
                           (struct ast_expr){.kind = AST_LITERAL, .op = (uint16_t)t.kind, .name = t.text});
    case TOKEN_LPAREN: {
        parser_next(p);
        struct ast_expr *inner = parser_parse_expr(p);
        parser_expect(p, TOKEN_RPAREN);
        return parser_node(p, t.offset, parser_deeper(1, inner), (struct ast_expr){.kind = AST_PAREN, .paren = inner});
    }
    case TOKEN_LBRACK:
        parser_next(p);
        return parser_parse_list(p, t.offset, NULL, TOKEN_RBRACK);
    case TOKEN_LCURLY:
        return parse_object(p);
    default:
        parser_complain(p, "expected expression, got %s", token_name(t.kind));
        parser_skip(p, true, true);
        return parser_node(p, t.offset, 1, nothing);
    }
}

static struct ast_expr *parse_access(struct parser *p, struct ast_expr *base)
{
    parser_next(p);
    struct token name = p->tok;
    if (name.kind != TOKEN_IDENT) {
        parser_complain(p, "expected IDENT, got %s", token_name(name.kind));
        parser_skip(p, true, true);
        return base;
    }
    parser_next(p);
    struct ast_expr e = {.kind = AST_ACCESS, .access = {base, name.text, name.offset}};
    return parser_node(p, base->first, parser_deeper(1, base), e);
}

static struct ast_expr *parse_index(struct parser *p, struct ast_expr *base)
{
    parser_next(p);
    struct ast_expr *index = parser_parse_expr(p);
    parser_expect(p, TOKEN_RBRACK);
    struct ast_expr e = {.kind = AST_INDEX, .index = {base, index}};
    return parser_node(p, base->first, parser_deeper(parser_deeper(1, base), index), e);
}

/* `attr = name "label" { … }`: a block where an expression belongs, a common slip that deserves its own words. */
static void diagnose_block(struct parser *p, const struct ast_expr *operand)
{
    if (p->tok.kind == TOKEN_STRING)
        parser_next(p);
    if (!parser_expect(p, TOKEN_LCURLY)) {
        parser_skip(p, true, true);
        return;
    }
    struct ast_body ignored;
    parse_body(p, TOKEN_RCURLY, &ignored);
    if (parser_expect(p, TOKEN_RCURLY) && !p->stopped)
        diag_error(p->ds, source_range(p->file->source, operand->first, p->last),
                   "cannot use a block as an expression");
}

static struct ast_expr *parser_parse_operand(struct parser *p)
{
    struct ast_expr *e = parse_primary(p);
    for (;;) {
        uint32_t first = e->first;
        switch (p->tok.kind) {
        case TOKEN_DOT:
            e = parse_access(p, e);
            break;
        case TOKEN_LBRACK:
            e = parse_index(p, e);
            break;
        case TOKEN_LPAREN:
            parser_next(p);
            e = parser_parse_list(p, first, e, TOKEN_RPAREN);
            break;
        case TOKEN_STRING:
        case TOKEN_LCURLY:
            diagnose_block(p, e);
            return e;
        default:
            return e;
        }
    }
}

static struct ast_expr *parse_unary(struct parser *p)
{
    struct ast_expr *ret = (struct ast_expr *)&nothing;
    struct token t = p->tok;
    if (!parser_enter(p)) {
        /* said so already */
    } else if (t.kind == TOKEN_NOT || t.kind == TOKEN_SUB) {
        parser_next(p);
        struct ast_expr *right = parse_unary(p);
        struct ast_expr e = {.kind = AST_UNARY, .op = (uint16_t)t.kind, .operands = {NULL, right, t.offset}};
        ret = parser_node(p, t.offset, parser_deeper(1, right), e);
    } else {
        ret = parser_parse_operand(p);
    }
    p->depth--;
    return ret;
}

static unsigned parser_precedence(enum token_kind k)
{
    switch (k) {
    case TOKEN_OR:
        return 1;
    case TOKEN_AND:
        return 2;
    case TOKEN_EQ:
    case TOKEN_NEQ:
    case TOKEN_LT:
    case TOKEN_LTE:
    case TOKEN_GT:
    case TOKEN_GTE:
        return 3;
    case TOKEN_ADD:
    case TOKEN_SUB:
        return 4;
    case TOKEN_MUL:
    case TOKEN_DIV:
    case TOKEN_MOD:
        return 5;
    case TOKEN_POW:
        return 6;
    default:
        return 0;
    }
}

/* Operators that bind at least as tightly as `least`. */
static struct ast_expr *parse_binary(struct parser *p, unsigned least)
{
    struct ast_expr *left = parse_unary(p);
    for (;;) {
        struct token op = p->tok;
        unsigned level = parser_precedence(op.kind);
        if (level == 0 || level < least)
            return left;
        parser_next(p);
        bool right_associative = op.kind == TOKEN_POW;
        if (right_associative && !parser_enter(p)) {
            p->depth--;
            return left;
        }
        struct ast_expr *right = parse_binary(p, right_associative ? level : level + 1);
        p->depth -= right_associative;
        struct ast_expr e = {.kind = AST_BINARY, .op = (uint16_t)op.kind, .operands = {left, right, op.offset}};
        left = parser_node(p, left->first, parser_deeper(parser_deeper(1, left), right), e);
    }
}

static struct ast_expr *parser_parse_expr(struct parser *p)
{
    return parse_binary(p, 1);
}

/* The dotted name and the label; false where no statement starts. */
static bool parse_name(struct parser *p, struct ast_stmt *s)
{
    if (p->tok.kind != TOKEN_IDENT) {
        parser_complain(p, "expected identifier, got %s", token_name(p->tok.kind));
        return false;
    }
    const struct source *source = p->file->source;
    struct list_of fragments = {0};
    struct buf dotted = BUF_INIT(SOURCE_MAX);
    uint32_t first = p->tok.offset;
    for (;;) {
        struct str *slot = parser_grow(p, &fragments, sizeof(struct str));
        if (slot)
            *slot = p->tok.text;
        buf_str(&dotted, p->tok.text);
        parser_next(p);
        if (p->tok.kind != TOKEN_DOT)
            break;
        buf_byte(&dotted, '.');
        parser_next(p);
        if (p->tok.kind != TOKEN_IDENT) {
            parser_complain(p, "expected identifier, got %s", token_name(p->tok.kind));
            break;
        }
    }
    s->name = arena_str(&p->file->arena, buf_slice(&dotted));
    buf_done(&dotted);
    s->fragments = parser_settle(p, &fragments, sizeof(struct str), &s->fragment_count);
    s->name_range = source_range(source, first, p->last);
    return true;
}

static void parse_label(struct parser *p, struct ast_stmt *s)
{
    struct token t = p->tok;
    if (t.kind == TOKEN_ASSIGN || t.kind == TOKEN_LCURLY)
        return;
    if (t.kind != TOKEN_STRING) {
        parser_complain(p, "expected block label, got %s", token_name(t.kind));
        if (t.kind != TOKEN_TERMINATOR && !is_closer(t.kind))
            parser_next(p);
        return;
    }
    struct buf quoted = BUF_INIT(MESSAGE_TEXT_MAX / 2);
    struct str inner = {t.text.p + 1, t.text.n >= 2 ? t.text.n - 2 : 0};
    bool raw = t.text.p[0] == '`';
    quote_print(raw ? t.text : inner, &quoted);
    if (raw)
        parser_complain(p, "expected block label to be a double quoted string, but got %s", buf_cstr(&quoted));
    else if (inner.n && !lexer_is_identifier(inner))
        parser_complain(p, "expected block label to be a valid identifier, but got %s", buf_cstr(&quoted));
    buf_done(&quoted);
    parser_next(p);
    s->label = inner;
    s->label_range = source_range(p->file->source, t.offset, p->last);
}

static void parse_attr(struct parser *p, struct ast_stmt *s)
{
    parser_next(p);
    s->kind = AST_ATTR;
    if (s->fragment_count > 1)
        diag_error(p->ds, s->name_range, "attribute names may only consist of a single identifier with no \".\"");
    else if (s->label_range.first.source)
        diag_error(p->ds, s->label_range, "attribute names may not have labels");
    s->value = parser_parse_expr(p);
}

static void parse_block(struct parser *p, struct ast_stmt *s)
{
    s->kind = AST_BLOCK;
    s->open = source_range(p->file->source, p->tok.offset, p->tok.offset);
    parser_next(p);
    if (parser_enter(p))
        parse_body(p, TOKEN_RCURLY, &s->body);
    p->depth--;
    parser_expect(p, TOKEN_RCURLY);
}

static bool parse_stmt(struct parser *p, struct ast_stmt *s)
{
    *s = (struct ast_stmt){0};
    uint32_t first = p->tok.offset;
    if (!parse_name(p, s))
        return false;
    parse_label(p, s);
    if (p->tok.kind == TOKEN_ASSIGN) {
        parse_attr(p, s);
    } else if (p->tok.kind == TOKEN_LCURLY) {
        parse_block(p, s);
    } else {
        bool either = s->fragment_count == 1 && !s->label_range.first.source;
        parser_complain(p, "expected %sblock body, got %s", either ? "attribute assignment or " : "",
                        token_name(p->tok.kind));
        return false;
    }
    s->range = source_range(p->file->source, first, p->last);
    return true;
}

static void parse_body(struct parser *p, enum token_kind until, struct ast_body *ret)
{
    struct list_of list = {0};
    while (p->tok.kind != until && p->tok.kind != TOKEN_EOF) {
        struct ast_stmt s;
        bool good = parse_stmt(p, &s);
        struct ast_stmt *slot = good ? parser_grow(p, &list, sizeof s) : NULL;
        if (slot)
            *slot = s;
        if (p->tok.kind == until)
            break;
        if (p->tok.kind != TOKEN_TERMINATOR) {
            if (good)
                parser_complain(p, "expected TERMINATOR, got %s", token_name(p->tok.kind));
            parser_skip(p, false, true);
            if (p->tok.kind == until)
                break;
        }
        parser_next(p);
    }
    ret->stmts = parser_settle(p, &list, sizeof(struct ast_stmt), &ret->len);
}

static int parser_parse_body(struct source *source, bool expression, struct ast_file **ret, struct diags *ds)
{
    cleanup_ast struct ast_file *file = xcalloc(1, sizeof *file);
    *file = (struct ast_file){.source = source_ref(source), .arena = ARENA_INIT(TREE_MAX), .refs = 1};
    struct parser p = {.file = file, .ds = ds};
    size_t errors = ds->errors;
    lexer_init(&p.lexer, source, ds);
    parser_next(&p);
    if (expression) {
        file->expr = parser_parse_expr(&p);
        if (parser_expect(&p, TOKEN_TERMINATOR))
            parser_expect(&p, TOKEN_EOF);
    } else {
        parse_body(&p, TOKEN_EOF, &file->body);
    }
    if (ds->errors > errors)
        return -EINVAL;
    *ret = TAKE_PTR(file);
    return 0;
}

int parse_file(struct source *source, struct ast_file **ret, struct diags *ds)
{
    return parser_parse_body(source, false, ret, ds);
}

int parse_expression(struct source *source, struct ast_file **ret, struct diags *ds)
{
    return parser_parse_body(source, true, ret, ds);
}
