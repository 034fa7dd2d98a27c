/* Evaluation of arbitrary expressions, the whole library included. Beyond not crashing: a value that was printed reads
 * back as the same, and no secret shows in a value or an error unless convert.nonsensitive gave it away. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lang/diag_text.h"
#include "lang/eval.h"
#include "lang/parser.h"
#include "lang/value_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 64 << 20 };

static const struct str hidden = {"wGx7q", 5};

static struct value *example(void)
{
    static const char text[] = "[{name = \"a\", n = 1}, {name = \"b\", n = 2.5}, {name = \"a\", n = null}]";
    cleanup_source struct source *s = NULL;
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct value *v = NULL;
    if (source_new("", STR(text), &s, NULL) < 0 || parse_expression(s, &f, &ds) < 0 || eval(f->expr, NULL, &v, &ds) < 0)
        abort();
    return v;
}

static bool resolve(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret)
{
    (void)ctx;
    *used = 1;
    if (str_is(path[0], "s"))
        *ret = value_secret(hidden);
    else if (str_is(path[0], "o"))
        *ret = value_optional_secret(hidden, true);
    else if (str_is(path[0], "p"))
        *ret = value_optional_secret(STR("public"), false);
    else if (n > 1 && str_is(path[0], "t") && str_is(path[1], "list"))
        *ret = example(), *used = 2;
    else
        return false;
    return true;
}

static const struct scope scope = {.resolve = resolve};

static bool contains(struct str s, struct str part)
{
    return s.p && s.n >= part.n && memmem(s.p, s.n, part.p, part.n);
}

/* A finite number; from -2^63 down one without exponent reads as the negative of an unsigned integer, which wraps. */
static bool is_plain_float(double d)
{
    return d - d == 0 && d > -0x1p63;
}

/* Whether it can be written out: no function, no capsule, no such number. */
static bool is_plain(const struct value *v)
{
    struct value *member;
    switch (value_kind(v)) {
    case VALUE_NUMBER:
        return value_number_kind(v) != NUMBER_FLOAT || is_plain_float(value_as_float(v));
    case VALUE_ARRAY:
        for (size_t i = 0; i < value_len(v); i++)
            if (!is_plain(value_item(v, i)))
                return false;
        return true;
    case VALUE_OBJECT:
        for (size_t i = 0; i < value_len(v); i++) {
            (void)value_key(v, i, &member);
            if (!is_plain(member))
                return false;
        }
        return true;
    default:
        return value_kind(v) != VALUE_FUNCTION && value_kind(v) != VALUE_CAPSULE;
    }
}

static void check_reads_back(const struct value *v, struct str text)
{
    cleanup_source struct source *s = NULL;
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_value struct value *again = NULL;
    if (!is_plain(v) || source_new("", text, &s, NULL) < 0)
        return;
    if (parse_expression(s, &f, &ds) < 0)
        return; /* deeper than an expression may be */
    if (eval(f->expr, NULL, &again, &ds) < 0 || !value_equal(v, again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    cleanup_source struct source *s = NULL;
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_value struct value *v = NULL;
    cleanup_buf struct buf out = BUF_INIT(TEXT_MAX), messages = BUF_INIT(TEXT_MAX);
    if (source_new("", text, &s, NULL) < 0 || parse_expression(s, &f, &ds) < 0)
        return 0;
    bool revealed = contains(text, STR("nonsensitive")) || contains(text, STR("convert"));
    if (eval(f->expr, &scope, &v, &ds) == 0) {
        value_print(v, &out);
        if (buf_ok(&out))
            check_reads_back(v, buf_slice(&out));
    }
    diags_pretty(&ds, false, &messages);
    if (!revealed && !contains(text, hidden) &&
        (contains(buf_slice(&out), hidden) || contains(buf_slice(&messages), hidden)))
        abort();
    return 0;
}
