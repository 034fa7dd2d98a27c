#include "lang/printer.h"

#include "lang/align.h"
#include "lang/lexer.h"

enum { EMPTY_LINES_MAX = 1 }; /* kept in a row */

/* What goes between two tokens, decided before it is known whether comments stand there, too. */
struct gap {
    unsigned lines; /* to end; 0 = none */
    bool blank;
    bool cell;  /* what follows lines up with the lines around */
    bool apart; /* no columns across the end of the line */
    bool must;  /* the line ends whatever the comments look like */
};

struct printer {
    struct align a;
    struct lexer lexer;
    struct token tok;   /* next in the source; never a terminator */
    bool comments;      /* printed; otherwise there are none in `tok` */
    unsigned depth;     /* of indentation */
    struct gap gap;     /* before the next token */
    unsigned line;      /* of the source, on which what was written last ends; 0 = nothing was written */
    bool after_comment; /* that was a comment */
    bool after_number;  /* that was a number without a dot, which a dot would become part of */
    struct token code;  /* after the present run of comments */
    bool code_known;
    struct diags none; /* the source has been parsed, so nothing comes in here */
};

/* --- reading the source --- */

static unsigned line_at(const struct printer *p, size_t offset)
{
    return source_pos(p->lexer.source, offset).line;
}

static struct token read_token(struct lexer *lx, bool comments)
{
    struct token t;
    do
        t = lexer_next(lx);
    while (t.kind == TOKEN_TERMINATOR || (!comments && t.kind == TOKEN_COMMENT));
    return t;
}

static void printer_advance(struct printer *p)
{
    if (p->tok.kind != TOKEN_COMMENT)
        p->code_known = false;
    p->tok = read_token(&p->lexer, p->comments);
}

/* The next token that is no comment. Comments come in runs, so it is looked for once per run. */
static struct token next_code(struct printer *p)
{
    if (p->tok.kind != TOKEN_COMMENT)
        return p->tok;
    if (!p->code_known) {
        struct lexer ahead = p->lexer;
        p->code = read_token(&ahead, false);
        p->code_known = true;
    }
    return p->code;
}

/* --- writing --- */

static void end_lines(struct printer *p, unsigned n, bool apart)
{
    align_newline(&p->a, n > EMPTY_LINES_MAX + 1 ? EMPTY_LINES_MAX + 1 : n, apart);
}

static void put_blank(struct printer *p)
{
    align_text(&p->a, STR(" "));
}

/* Text that may span lines. Carriage returns are no part of the value of a raw string, and lines end with LF. */
static void printer_put_lines(struct printer *p, struct str text, bool trim)
{
    struct buf kept = BUF_INIT(text.n);
    struct str line;
    for (bool first = true; str_split(&text, '\n', &line); first = false) {
        if (!first)
            buf_byte(&kept, '\n');
        for (size_t i = 0; i < line.n; i++) {
            if (line.p[i] != '\r')
                buf_byte(&kept, (uint8_t)line.p[i]);
        }
        while (trim && kept.len && (kept.p[kept.len - 1] == ' ' || kept.p[kept.len - 1] == '\t'))
            kept.len--;
    }
    align_verbatim(&p->a, buf_slice(&kept));
    buf_done(&kept);
}

static void printer_put_text(struct printer *p, struct str text)
{
    p->a.indent = p->depth;
    if (text.n && text.p[0] == '`')
        printer_put_lines(p, text, false);
    else
        align_text(&p->a, text);
}

static void put_comment(struct printer *p)
{
    const unsigned line = line_at(p, p->tok.offset);
    if (p->line && line > p->line) {
        end_lines(p, line - p->line, true);
    } else if (p->line) {
        const struct token code = next_code(p);
        if (code.kind != TOKEN_EOF && line_at(p, code.offset) == line && !p->gap.must)
            put_blank(p);
        else
            align_cell(&p->a);
    }
    p->a.indent = p->depth;
    printer_put_lines(p, p->tok.text, true);
    p->line = line_at(p, p->tok.offset + p->tok.text.n - 1);
    p->after_comment = true;
    printer_advance(p);
}

/* The comments before the next token. Where they stand is kept, as far as lines go. */
static void put_comments(struct printer *p)
{
    while (p->tok.kind == TOKEN_COMMENT && buf_ok(p->a.out))
        put_comment(p);
}

static void put_gap(struct printer *p)
{
    const struct gap g = p->gap;
    p->gap = (struct gap){0};
    if (!p->line)
        return;
    unsigned lines = g.lines;
    bool blank = g.blank || (p->after_number && p->tok.kind == TOKEN_DOT);
    if (p->after_comment) {
        lines = line_at(p, p->tok.offset) - p->line;
        if (g.must && lines == 0)
            lines = 1;
        blank = p->tok.kind != TOKEN_COMMA;
    }
    if (lines)
        end_lines(p, lines, g.apart);
    else if (g.cell)
        align_cell(&p->a);
    else if (blank)
        put_blank(p);
}

/* Up to the next token, which is then to be put. */
static void printer_settle(struct printer *p)
{
    put_comments(p);
    put_gap(p);
    p->after_comment = false;
}

/* The next token of the source, after the comments before it. */
static void printer_put(struct printer *p)
{
    printer_settle(p);
    printer_put_text(p, p->tok.text);
    p->after_number = p->tok.kind == TOKEN_NUMBER;
    if (p->tok.text.n)
        p->line = line_at(p, p->tok.offset + p->tok.text.n - 1);
    printer_advance(p);
}

/* The comma after the last item of a list, there or not. */
static void end_items(struct printer *p, bool comma)
{
    if (comma && next_code(p).kind == TOKEN_COMMA) {
        printer_put(p);
    } else if (comma) {
        printer_put_text(p, STR(","));
    } else {
        put_comments(p);
        if (p->tok.kind == TOKEN_COMMA)
            printer_advance(p);
    }
}

static void put_closer(struct printer *p, bool broken)
{
    if (broken)
        p->gap = (struct gap){.lines = 1, .apart = true, .must = true};
    put_comments(p);
    p->depth--;
    printer_put(p);
}

/* --- expressions --- */

static void printer_print(struct printer *p, const struct ast_expr *e);

static void break_line(struct printer *p, bool apart)
{
    p->gap = (struct gap){.lines = 1, .apart = apart};
}

/* The bracket that opens the list is next. An item is on a line of its own, one deeper, if it starts on another one
 * than the item before it ends. */
static void print_list(struct printer *p, const struct ast_expr *e)
{
    unsigned line = line_at(p, p->tok.offset);
    printer_put(p);
    for (size_t i = 0; i < e->list.len && buf_ok(p->a.out); i++) {
        const struct ast_expr *item = e->list.items[i];
        const bool broken = line_at(p, item->first) != line;
        p->depth += broken;
        if (broken)
            break_line(p, true);
        else
            p->gap.blank = i > 0;
        printer_print(p, item);
        line = line_at(p, item->last);
        if (i + 1 < e->list.len)
            printer_put(p);
        else
            end_items(p, line_at(p, e->last) != line);
        p->depth -= broken;
    }
    p->depth++;
    put_closer(p, e->list.len && line_at(p, e->last) != line);
}

static void printer_print_object(struct printer *p, const struct ast_expr *e)
{
    unsigned line = line_at(p, p->tok.offset);
    bool columns = false; /* the field before takes one line */
    printer_put(p);
    p->depth++;
    for (size_t i = 0; i < e->object.len && buf_ok(p->a.out); i++) {
        const struct ast_field *f = &e->object.items[i];
        if (line_at(p, f->key_first) != line)
            break_line(p, !columns);
        else
            p->gap.blank = i > 0;
        printer_put(p);
        p->gap.cell = true;
        printer_put(p);
        p->gap.blank = true;
        printer_settle(p);
        const unsigned written = p->a.line;
        printer_print(p, f->value);
        columns = p->a.line == written;
        line = line_at(p, f->key_last);
        if (i + 1 < e->object.len)
            printer_put(p);
        else
            end_items(p, line_at(p, e->last) != line);
    }
    put_closer(p, e->object.len && line_at(p, e->last) != line);
}

static void print_operator(struct printer *p, const struct ast_expr *e)
{
    if (e->operands.left) {
        printer_print(p, e->operands.left);
        p->gap.blank = true;
        printer_put(p);
        p->gap.blank = true;
    } else {
        printer_put(p);
    }
    printer_print(p, e->operands.right);
}

/* Brackets, dots and names are the tokens between the parts. */
static void printer_print(struct printer *p, const struct ast_expr *e)
{
    /* A full buffer stays full: no need to walk the rest of a long list. */
    if (!buf_ok(p->a.out))
        return;
    switch (e->kind) {
    case AST_LITERAL:
    case AST_IDENT:
        printer_put(p);
        break;
    case AST_CALL:
        printer_print(p, e->list.callee);
        put_comments(p);
        print_list(p, e);
        break;
    case AST_ARRAY:
        put_comments(p);
        print_list(p, e);
        break;
    case AST_OBJECT:
        put_comments(p);
        printer_print_object(p, e);
        break;
    case AST_ACCESS:
        printer_print(p, e->access.base);
        printer_put(p);
        printer_put(p);
        break;
    case AST_INDEX:
        printer_print(p, e->index.base);
        printer_put(p);
        printer_print(p, e->index.index);
        printer_put(p);
        break;
    case AST_UNARY:
    case AST_BINARY:
        print_operator(p, e);
        break;
    case AST_PAREN:
        printer_put(p);
        printer_print(p, e->paren);
        printer_put(p);
        break;
    }
}

/* --- statements --- */

static void print_body(struct printer *p, const struct ast_body *body);

static void print_attr(struct printer *p, const struct ast_stmt *s)
{
    printer_put(p);
    p->gap.cell = true;
    printer_put(p);
    p->gap.blank = true;
    printer_print(p, s->value);
}

static void print_block(struct printer *p, const struct ast_stmt *s)
{
    for (size_t i = 0; i < 2 * s->fragment_count - 1; i++)
        printer_put(p);
    if (s->label_range.first.source) {
        put_comments(p);
        p->gap.blank = true;
        if (s->label.n)
            printer_put(p);
        else
            printer_advance(p);
    }
    p->gap.blank = true;
    printer_put(p);
    p->depth++;
    if (s->body.len) {
        break_line(p, true);
        print_body(p, &s->body);
    } else {
        p->gap.blank = true;
    }
    put_closer(p, s->body.len > 0);
}

/* What separates a statement from the one before, which took `lines` when it was written. */
static struct gap gap_between(const struct ast_stmt *before, const struct ast_stmt *s, unsigned lines)
{
    const bool empty_line = s->kind == AST_BLOCK || s->range.first.line > before->range.last.line + 1;
    return (struct gap){.lines = empty_line ? 2 : 1, .apart = empty_line || lines > 1};
}

static void print_body(struct printer *p, const struct ast_body *body)
{
    unsigned lines = 0;
    for (size_t i = 0; i < body->len && buf_ok(p->a.out); i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (i > 0)
            p->gap = gap_between(s - 1, s, lines);
        printer_settle(p);
        const unsigned written = p->a.line;
        if (s->kind == AST_ATTR)
            print_attr(p, s);
        else
            print_block(p, s);
        lines = p->a.line - written + 1;
    }
}

/* --- the faces --- */

static void printer_start(struct printer *p, const struct source *source, uint32_t first, struct buf *out,
                          bool comments)
{
    *p = (struct printer){.comments = comments};
    align_init(&p->a, out);
    lexer_init(&p->lexer, source, &p->none);
    if (first > p->lexer.at)
        p->lexer.at = first;
    p->tok = read_token(&p->lexer, comments);
}

void print_file(const struct ast_file *f, struct buf *out)
{
    struct printer p;
    printer_start(&p, f->source, 0, out, true);
    print_body(&p, &f->body);
    put_comments(&p);
    align_done(&p.a);
    buf_byte(out, '\n');
    diags_done(&p.none);
}

void print_expr(const struct ast_expr *e, struct buf *out)
{
    struct printer p;
    printer_start(&p, e->source, e->first, out, false);
    printer_print(&p, e);
    align_done(&p.a);
    diags_done(&p.none);
}
