#include "lang/printer.h"

#include "lang/lexer.h"

static void print(const struct ast_expr *e, unsigned indent, struct buf *out);

static unsigned line_of(const struct ast_expr *e, uint32_t offset)
{
    return source_pos(e->source, offset).line;
}

static void new_line(unsigned indent, struct buf *out)
{
    buf_byte(out, '\n');
    for (unsigned i = 0; i < indent; i++)
        buf_byte(out, '\t');
}

/* The gap before an item: a line break where the source has one. */
static void print_gap(bool first, bool broken, unsigned indent, struct buf *out)
{
    if (!first)
        buf_puts(out, broken ? "," : ", ");
    if (broken)
        new_line(indent, out);
}

static void print_end(bool any, bool broken, unsigned indent, char close, struct buf *out)
{
    if (any && broken) {
        buf_byte(out, ',');
        new_line(indent, out);
    }
    buf_byte(out, (uint8_t)close);
}

static void print_list(const struct ast_expr *e, unsigned indent, struct buf *out)
{
    const struct ast_expr *callee = e->list.callee;
    unsigned line = line_of(e, callee ? callee->last : e->first);
    bool indented = false;
    buf_byte(out, callee ? '(' : '[');
    for (size_t i = 0; i < e->list.len; i++) {
        const struct ast_expr *item = e->list.items[i];
        bool broken = line_of(item, item->first) > line;
        indented |= broken;
        print_gap(i == 0, broken, indent + 1, out);
        print(item, indent + indented, out);
        line = line_of(item, item->last);
    }
    print_end(e->list.len, line_of(e, e->last) > line, indent, callee ? ')' : ']', out);
}

/* Where the equal signs of the fields from i on stand: those on lines of their own are aligned, until one whose value takes
 * several lines. Sets how many fields that is. */
static size_t alignment(const struct ast_expr *e, size_t i, size_t *count)
{
    size_t widest = 0;
    unsigned line = 0;
    for (*count = 0; i + *count < e->object.len; ++*count) {
        const struct ast_field *f = &e->object.items[i + *count];
        unsigned first = line_of(e, f->key_first), last = line_of(e, f->value->last);
        if (*count && first != line + 1)
            break;
        size_t width = f->key_last - f->key_first + 1;
        widest = width > widest ? width : widest;
        line = last;
        if (first != last) {
            ++*count;
            break;
        }
    }
    return widest;
}

static void print_object(const struct ast_expr *e, unsigned indent, struct buf *out)
{
    unsigned line = line_of(e, e->first);
    bool indented = false;
    size_t width = 0, aligned = 0;
    buf_byte(out, '{');
    for (size_t i = 0; i < e->object.len && buf_ok(out); i++) {
        const struct ast_field *f = &e->object.items[i];
        bool broken = line_of(e, f->key_first) > line;
        indented |= broken;
        if (broken && aligned == 0)
            width = alignment(e, i, &aligned);
        aligned -= broken;
        print_gap(i == 0, broken, indent + 1, out);
        struct str key = {e->source->text.p + f->key_first, f->key_last - f->key_first + 1};
        buf_printf(out, "%.*s%*s = ", STR_ARG(key), broken ? (int)(width - key.n) : 0, "");
        print(f->value, indent + indented, out);
        line = line_of(e, f->value->last);
    }
    print_end(e->object.len, line_of(e, e->last) > line, indent, '}', out);
}

static void print(const struct ast_expr *e, unsigned indent, struct buf *out)
{
    /* A full buffer stays full: no need to walk the rest of a long list. */
    if (!buf_ok(out))
        return;
    switch (e->kind) {
    case AST_LITERAL:
    case AST_IDENT:
        buf_str(out, e->name);
        break;
    case AST_CALL:
        print(e->list.callee, indent, out);
        print_list(e, indent, out);
        break;
    case AST_ARRAY:
        print_list(e, indent, out);
        break;
    case AST_OBJECT:
        print_object(e, indent, out);
        break;
    case AST_ACCESS:
        print(e->access.base, indent, out);
        buf_byte(out, '.');
        buf_str(out, e->access.name);
        break;
    case AST_INDEX:
        print(e->index.base, indent, out);
        buf_byte(out, '[');
        print(e->index.index, indent, out);
        buf_byte(out, ']');
        break;
    case AST_UNARY:
        buf_puts(out, token_name(e->op));
        print(e->operands.right, indent, out);
        break;
    case AST_BINARY:
        print(e->operands.left, indent, out);
        buf_printf(out, " %s ", token_name(e->op));
        print(e->operands.right, indent, out);
        break;
    case AST_PAREN:
        buf_byte(out, '(');
        print(e->paren, indent, out);
        buf_byte(out, ')');
        break;
    }
}

void print_expr(const struct ast_expr *e, struct buf *out)
{
    print(e, 0, out);
}
