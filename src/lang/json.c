#include "lang/json.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/number.h"
#include "lang/unicode.h"

/* At least as many values as the text has: commas, and opening brackets, outside of strings. */
static size_t most_values(struct str s)
{
    size_t n = 1;
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\')
            i++;
        else
            n += !quoted && (c == ',' || c == '[' || c == '{');
    }
    return n;
}

static struct value *json_value_of(const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT: {
        struct value *o = value_object();
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)j, key, member)
        {
            value_object_put(o, str_of(key), json_value_of(member)); /* the library refuses NUL in keys */
        }
        return o;
    }
    case JSON_ARRAY: {
        size_t n = json_array_size(j);
        cleanup_free struct value **items = xcalloc(n + 1, sizeof *items);
        for (size_t i = 0; i < n; i++)
            items[i] = json_value_of(json_array_get(j, i));
        return value_array(items, n);
    }
    case JSON_STRING:
        return value_string((struct str){json_string_value(j), json_string_length(j)});
    case JSON_INTEGER:
        return value_int(json_integer_value(j));
    case JSON_REAL:
        return value_float(json_real_value(j));
    case JSON_TRUE:
    case JSON_FALSE:
        return value_bool(json_is_true(j));
    default:
        return value_null();
    }
}

/* The library appends the excerpt: ... near 'text'. */
static void json_drop_excerpt(json_error_t *why)
{
    char *excerpt = strstr(why->text, " near '");
    if (excerpt)
        *excerpt = '\0';
}

int json_read(struct str text, enum json_reading how, struct value **ret, struct err *err)
{
    json_error_t why;
    if (text.n > JSON_TEXT_MAX)
        return err_set(err, -E2BIG, "JSON of more than %d bytes", JSON_TEXT_MAX);
    if (most_values(text) > JSON_VALUES_MAX)
        return err_set(err, -E2BIG, "JSON of more than %d values", JSON_VALUES_MAX);
    const bool integers = how & JSON_KEEP_INTEGERS;
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    const char *p = text.p ? text.p : "";
    json_t *j = json_loadb(p, text.n, flags | (integers ? 0 : JSON_DECODE_INT_AS_REAL), &why);
    if (!j && integers && json_error_code(&why) == json_error_numeric_overflow)
        j = json_loadb(p, text.n, flags | JSON_DECODE_INT_AS_REAL, &why);
    if (!j && how & JSON_QUOTE_NOTHING)
        json_drop_excerpt(&why);
    if (!j)
        return err_set(err, -EINVAL, "line %d, column %d: %s", why.line, why.column, why.text);
    *ret = json_value_of(j);
    json_decref(j);
    return 0;
}

static void write_string(struct str s, struct buf *out)
{
    static const char shorts[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    buf_byte(out, '"');
    for (size_t n; s.n; s.p += n, s.n -= n) {
        uint32_t rune;
        n = utf8_decode(s, &rune);
        const char *hit = rune && rune < 0x80 ? strchr(shorts, (int)rune) : NULL;
        if (hit)
            buf_printf(out, "\\%c", letters[hit - shorts]);
        else if (rune < ' ' || rune == '<' || rune == '>' || rune == '&' || rune == 0x2028 || rune == 0x2029)
            buf_printf(out, "\\u%04x", rune);
        else if (rune == UNICODE_BAD && n == 1)
            buf_puts(out, "\\ufffd");
        else
            buf_append(out, s.p, n);
    }
    buf_byte(out, '"');
}

/* Without exponent between 1e-6 and 1e21, and then without leading zeros in it: 1e-7. */
static int write_float(double d, struct buf *out, struct err *err)
{
    if (!isfinite(d)) {
        cleanup_buf struct buf text = BUF_INIT(16);
        number_print_float(d, 'f', &text);
        return err_set(err, -EINVAL, "json: unsupported value: %s", buf_cstr(&text));
    }
    double size = fabs(d);
    if (size == 0 || (size >= 1e-6 && size < 1e21)) {
        number_print_float(d, 'f', out);
        return 0;
    }
    cleanup_buf struct buf text = BUF_INIT(64);
    number_print_float(d, 'g', &text);
    struct str s = buf_slice(&text);
    if (s.n >= 4 && s.p[s.n - 4] == 'e' && s.p[s.n - 3] == '-' && s.p[s.n - 2] == '0') {
        buf_append(out, s.p, s.n - 2);
        buf_byte(out, (uint8_t)s.p[s.n - 1]);
    } else {
        buf_str(out, s);
    }
    return 0;
}

static int json_by_key(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int write_object(const struct value *v, struct buf *out, struct err *err)
{
    size_t n = value_len(v);
    cleanup_free struct str *keys = xcalloc(n + 1, sizeof *keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = value_key(v, i, NULL);
    qsort(keys, n, sizeof *keys, json_by_key);
    int code = 0;
    buf_byte(out, '{');
    for (size_t i = 0; code == 0 && i < n; i++) {
        buf_puts(out, i ? "," : "");
        write_string(keys[i], out);
        buf_byte(out, ':');
        code = json_write(value_member(v, keys[i]), out, err);
    }
    buf_byte(out, '}');
    return code;
}

static int write_array(const struct value *v, struct buf *out, struct err *err)
{
    int code = 0;
    buf_byte(out, '[');
    for (size_t i = 0; code == 0 && i < value_len(v); i++) {
        buf_puts(out, i ? "," : "");
        code = json_write(value_item(v, i), out, err);
    }
    buf_byte(out, ']');
    return code;
}

static int write_capsule(const struct value *v, struct buf *out, struct err *err)
{
    struct str s;
    const struct capsule_type *type = value_capsule_type(v);
    cleanup_value struct value *object = type->to_object ? type->to_object(value_capsule_data(v, type)) : NULL;
    if (object)
        return write_object(object, out, err);
    switch (value_secrecy(v)) {
    case VALUE_OPTIONAL_OPEN:
        if (value_secret_text(v, &s))
            write_string(s, out);
        return 0;
    case VALUE_NOT_SECRET:
        return err_set(err, -EINVAL, "json: unsupported type: capsule(\"%s\")", type->name);
    default:
        return err_set(err, -EINVAL, "secrets may not be converted into strings");
    }
}

int json_write(const struct value *v, struct buf *out, struct err *err)
{
    if (!buf_ok(out))
        return 0; /* the caller sees it at the end */
    switch (value_kind(v)) {
    case VALUE_NULL:
        buf_puts(out, "null");
        return 0;
    case VALUE_BOOL:
        buf_puts(out, value_as_bool(v) ? "true" : "false");
        return 0;
    case VALUE_NUMBER:
        if (value_number_kind(v) == NUMBER_FLOAT)
            return write_float(value_as_float(v), out, err);
        number_print(v, out);
        return 0;
    case VALUE_STRING:
        write_string(value_as_str(v), out);
        return 0;
    case VALUE_ARRAY:
        return write_array(v, out, err);
    case VALUE_OBJECT:
        return write_object(v, out, err);
    case VALUE_CAPSULE:
        return write_capsule(v, out, err);
    default:
        return err_set(err, -EINVAL, "json: unsupported type: %s", value_kind_name(value_kind(v)));
    }
}
