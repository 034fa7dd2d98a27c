#include "lang/value_print.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/lexer.h"
#include "lang/number.h"
#include "lang/quote.h"

struct member {
    struct str key;
    const struct value *value;
};

static int value_print_by_key(const void *a, const void *b)
{
    return str_cmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void value_print_object(const struct value *v, struct buf *out)
{
    const size_t n = value_len(v);
    cleanup_free struct member *sorted = xcalloc(n + 1, sizeof *sorted);
    for (size_t i = 0; i < n; i++) {
        struct value *member;
        sorted[i].key = value_key(v, i, &member);
        sorted[i].value = member;
    }
    qsort(sorted, n, sizeof *sorted, value_print_by_key);
    buf_byte(out, '{');
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i ? ", " : "");
        if (lexer_is_identifier(sorted[i].key))
            buf_str(out, sorted[i].key);
        else
            quote_print(sorted[i].key, out);
        buf_puts(out, " = ");
        value_print(sorted[i].value, out);
    }
    buf_byte(out, '}');
}

static void value_print_array(const struct value *v, struct buf *out)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < value_len(v); i++) {
        buf_puts(out, i ? ", " : "");
        value_print(value_item(v, i), out);
    }
    buf_byte(out, ']');
}

static void value_print_capsule(const struct value *v, struct buf *out)
{
    const struct capsule_type *type = value_capsule_type(v);
    if (type->text)
        type->text(value_capsule_data(v, type), out);
    else
        value_print_type(v, out);
}

void value_print(const struct value *v, struct buf *out)
{
    switch (value_kind(v)) {
    case VALUE_NUMBER:
        number_print(v, out);
        break;
    case VALUE_STRING:
        quote_print(value_as_str(v), out);
        break;
    case VALUE_BOOL:
        buf_puts(out, value_as_bool(v) ? "true" : "false");
        break;
    case VALUE_ARRAY:
        value_print_array(v, out);
        break;
    case VALUE_OBJECT:
        value_print_object(v, out);
        break;
    case VALUE_CAPSULE:
        value_print_capsule(v, out);
        break;
    default:
        buf_puts(out, value_kind_name(value_kind(v)));
        break;
    }
}

void value_print_type(const struct value *v, struct buf *out)
{
    if (value_kind(v) == VALUE_CAPSULE)
        buf_printf(out, "capsule(\"%s\")", value_capsule_type(v)->name);
    else
        buf_puts(out, value_kind_name(value_kind(v)));
}
