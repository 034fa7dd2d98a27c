/* The whole language on arbitrary text: lexer, parser, printer, evaluation, decoding and the rendering of what is
 * wrong. Beyond not crashing, an expression that was printed must parse again and print the same but for its blanks,
 * and a check without evaluation finds nothing wrong with what can be decoded. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lang/ast.h"
#include "lang/diag_text.h"
#include "lang/eval.h"
#include "lang/parser.h"
#include "lang/printer.h"
#include "lang/schema.h"
#include "lang/value_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1 << 20 };

struct record {
    char *text;
    int64_t number, wait;
    struct string_list list;
    struct string_map map;
};

static const struct option inner_options[] = {{"d", OPT_DURATION, offsetof(struct record, wait)}, {0}};
static const struct schema inner = {sizeof(struct record), inner_options, NULL};

struct outer {
    struct record record;
    struct block_list blocks;
};

static const struct option options[] = {{"a", OPT_STRING, offsetof(struct outer, record.text)},
                                        {"b", OPT_INT, offsetof(struct outer, record.number)},
                                        {"c", OPT_STRING_LIST, offsetof(struct outer, record.list)},
                                        {"d", OPT_STRING_MAP, offsetof(struct outer, record.map)},
                                        {"e", OPT_BLOCKS, offsetof(struct outer, blocks), .block = &inner},
                                        {0}};
static const struct schema schema = {sizeof(struct outer), options, NULL};

static void render(const struct diags *ds)
{
    cleanup_buf struct buf out = BUF_INIT(TEXT_MAX);
    diags_pretty(ds, true, &out);
    diags_summary(ds, &out);
}

static void count(void *arg, const struct ast_traversal *t)
{
    *(size_t *)arg += t->len;
}

static bool next_visible(struct str *s, char *ret)
{
    while (s->n && strchr(" \t\r\n", s->p[0]))
        s->p++, s->n--;
    if (!s->n)
        return false;
    *ret = *s->p++;
    s->n--;
    return true;
}

static bool same_but_for_blanks(struct str a, struct str b)
{
    char x = 0, y = 0;
    bool more;
    do {
        more = next_visible(&a, &x);
        if (next_visible(&b, &y) != more)
            return false;
    } while (more && x == y);
    return !more;
}

static void check_print(const struct ast_expr *e)
{
    cleanup_buf struct buf once = BUF_INIT(TEXT_MAX), twice = BUF_INIT(TEXT_MAX);
    cleanup_source struct source *s = NULL;
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    print_expr(e, &once);
    if (!buf_ok(&once) || source_new("", buf_slice(&once), &s, NULL) < 0)
        return;
    if (parse_expression(s, &f, &ds) < 0)
        abort();
    print_expr(f->expr, &twice);
    if (!same_but_for_blanks(buf_slice(&once), buf_slice(&twice)))
        abort();
}

static void walk(const struct ast_body *body)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (s->kind == AST_BLOCK) {
            walk(&s->body);
            continue;
        }
        cleanup_value struct value *v = NULL;
        cleanup_diags struct diags ds = DIAGS_INIT;
        cleanup_buf struct buf out = BUF_INIT(TEXT_MAX);
        check_print(s->value);
        if (eval(s->value, NULL, &v, &ds) == 0)
            value_print(v, &out);
        render(&ds);
    }
}

/* What runs is never refused beforehand. */
static void check_decoding(const struct ast_body *body, struct range whole, struct diags *ds)
{
    struct outer record = {0};
    cleanup_diags struct diags before = DIAGS_INIT;
    schema_check(&schema, body, whole, &before);
    render(&before);
    if (schema_decode(&schema, body, whole, NULL, &record, ds) < 0)
        return;
    schema_done(&schema, &record);
    if (before.errors > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_source struct source *s = NULL;
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    size_t names = 0;
    if (source_new("fuzz", (struct str){(const char *)data, size}, &s, NULL) < 0)
        return 0;
    if (parse_file(s, &f, &ds) == 0) {
        ast_traversals(&f->body, count, &names);
        walk(&f->body);
        check_decoding(&f->body, source_range(s, 0, size), &ds);
    }
    render(&ds);
    return 0;
}
