/* The formatter on arbitrary text: what parses is written so that it parses again, means the same, and is not changed
 * by another run. Beyond the values, the tokens but for commas and the comments must be the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lang/ast.h"
#include "lang/eval.h"
#include "lang/lexer.h"
#include "lang/parser.h"
#include "lang/printer.h"
#include "lang/value_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 64 << 20 };

static void fail(const char *what, struct str a, struct str b)
{
    fprintf(stderr, "%s\n--- one\n%.*s\n--- other\n%.*s\n", what, STR_ARG(a), STR_ARG(b));
    abort();
}

static bool parse(struct str text, struct source **source, struct ast_file **file)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    return source_new("", text, source, NULL) == 0 && parse_file(*source, file, &ds) == 0;
}

/* Tokens that may come and go: ends of lines, commas, and the label "". */
static struct token next_fixed(struct lexer *lx)
{
    struct token t;
    do
        t = lexer_next(lx);
    while (t.kind == TOKEN_TERMINATOR || t.kind == TOKEN_COMMA || (t.kind == TOKEN_STRING && str_is(t.text, "\"\"")));
    return t;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Carriage returns of comments and raw strings go, blanks at the ends of the lines of a comment as well. */
static bool same_text(struct token t, struct token u)
{
    if (t.kind != TOKEN_COMMENT && (!t.text.n || t.text.p[0] != '`'))
        return str_eq(t.text, u.text);
    size_t i = 0, j = 0;
    while (i < t.text.n || j < u.text.n) {
        size_t next = i;
        while (next < t.text.n && (t.kind == TOKEN_COMMENT ? is_blank(t.text.p[next]) : t.text.p[next] == '\r'))
            next++;
        const bool end = next == t.text.n || t.text.p[next] == '\n';
        if (next > i && (end || t.text.p[i] == '\r')) {
            i = end ? next : i + 1;
            continue;
        }
        if (i >= t.text.n || j >= u.text.n || t.text.p[i] != u.text.p[j])
            return false;
        i++, j++;
    }
    return true;
}

static void check_tokens(const struct source *a, const struct source *b)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct lexer x, y;
    lexer_init(&x, a, &ds);
    lexer_init(&y, b, &ds);
    struct token t, u;
    do {
        t = next_fixed(&x);
        u = next_fixed(&y);
        if (t.kind != u.kind || !same_text(t, u))
            fail("tokens differ", t.text, u.text);
    } while (t.kind != TOKEN_EOF);
}

static void print_values(const struct ast_body *body, struct buf *out)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        cleanup_value struct value *v = NULL;
        cleanup_diags struct diags ds = DIAGS_INIT;
        buf_str(out, s->name);
        buf_str(out, s->label);
        if (s->kind == AST_BLOCK)
            print_values(&s->body, out);
        else if (eval(s->value, NULL, &v, &ds) == 0)
            value_print(v, out);
        else
            buf_puts(out, ds.items[0].message);
        buf_byte(out, '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    cleanup_source struct source *s = NULL, *again = NULL;
    cleanup_ast struct ast_file *f = NULL, *g = NULL;
    cleanup_buf struct buf once = BUF_INIT(TEXT_MAX), twice = BUF_INIT(TEXT_MAX);
    cleanup_buf struct buf values = BUF_INIT(TEXT_MAX), same = BUF_INIT(TEXT_MAX);
    if (!parse(text, &s, &f))
        return 0;
    print_file(f, &once);
    if (!buf_ok(&once))
        return 0;
    if (!parse(buf_slice(&once), &again, &g)) {
        if (once.len > SOURCE_MAX)
            return 0;
        fail("what was formatted does not parse", text, buf_slice(&once));
    }
    check_tokens(s, again);
    print_file(g, &twice);
    if (!str_eq(buf_slice(&once), buf_slice(&twice)))
        fail("formatting twice differs", buf_slice(&once), buf_slice(&twice));
    print_values(&f->body, &values);
    print_values(&g->body, &same);
    if (!str_eq(buf_slice(&values), buf_slice(&same)))
        fail("values differ", buf_slice(&values), buf_slice(&same));
    return 0;
}
