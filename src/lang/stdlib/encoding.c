#include <errno.h>

#include "base/base64.h"
#include "lang/json.h"
#include "lang/quote.h"
#include "lang/stdlib/rows.h"
#include "lang/yaml.h"

/* --- JSON and YAML --- */

static int from_json(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf text = BUF_INIT(0);
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    return code < 0 ? code : json_read(buf_slice(&text), JSON_ALL_FLOATS, ret, err);
}

static int from_yaml(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf text = BUF_INIT(0);
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    return code < 0 ? code : yaml_read(buf_slice(&text), ret, err);
}

static int to_json(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n, (void)bad_arg;
    cleanup_buf struct buf out = BUF_INIT(STDLIB_TEXT_MAX);
    if (value_kind(args[0]) != VALUE_OBJECT)
        return err_set(err, -EINVAL, "jsonEncode only supports map");
    int code = json_write(args[0], &out, err);
    return code < 0 ? code : stdlib_string_of(&out, ret, err);
}

/* --- base64 --- */

static int encoding_encode64(struct value *const *args, const char *alphabet, struct value **ret, int *bad_arg,
                             struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(0), out = BUF_INIT(STDLIB_TEXT_MAX);
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    if (code < 0)
        return code;
    base64_write(buf_slice(&text), alphabet, &out);
    return stdlib_string_of(&out, ret, err);
}

/* A string, where the reference has an array of numbers that only some places take for one. */
static int encoding_decode64(struct value *const *args, const char *alphabet, struct value **ret, int *bad_arg,
                             struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(0), out = BUF_INIT(STDLIB_TEXT_MAX);
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    if (code == 0)
        code = base64_decode(buf_slice(&text), alphabet, &out, err);
    return code < 0 ? code : stdlib_string_of(&out, ret, err);
}

static int from_base64(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return encoding_decode64(args, base64_standard, ret, bad_arg, err);
}

static int from_urlbase64(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return encoding_decode64(args, base64_url, ret, bad_arg, err);
}

static int to_base64(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return encoding_encode64(args, base64_standard, ret, bad_arg, err);
}

static int to_urlbase64(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    return encoding_encode64(args, base64_url, ret, bad_arg, err);
}

/* --- percent-encoding as in queries: application/x-www-form-urlencoded --- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c));
}

static int url_encode(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf text = BUF_INIT(0), out = BUF_INIT(STDLIB_TEXT_MAX);
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < text.len && buf_ok(&out); i++) {
        if (is_unreserved((char)text.p[i]))
            buf_byte(&out, text.p[i]);
        else if (text.p[i] == ' ')
            buf_byte(&out, '+');
        else
            buf_printf(&out, "%%%02X", text.p[i]);
    }
    return stdlib_string_of(&out, ret, err);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static int url_decode(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    (void)n;
    cleanup_buf struct buf text = BUF_INIT(0), out = BUF_INIT(STDLIB_TEXT_MAX), quoted = BUF_INIT(64);
    int code = stdlib_text(args, 0, &text, bad_arg, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != '%') {
            buf_byte(&out, text.p[i] == '+' ? ' ' : text.p[i]);
            continue;
        }
        size_t have = text.len - i < 3 ? text.len - i : 3;
        int high = have == 3 ? hex_value(text.p[i + 1]) : -1, low = have == 3 ? hex_value(text.p[i + 2]) : -1;
        if (high < 0 || low < 0) {
            quote_print((struct str){(const char *)text.p + i, have}, &quoted);
            return err_set(err, -EINVAL, "invalid URL escape %s", buf_cstr(&quoted));
        }
        buf_byte(&out, (uint8_t)(high << 4 | low));
        i += 2;
    }
    return stdlib_string_of(&out, ret, err);
}

const struct stdlib_function stdlib_encoding[] = {
    {{"encoding.from_URLbase64", 1, false, from_urlbase64},
     .parameters = "text string",
     .result = "string",
     .help = "Decodes base64 in the URL-safe alphabet, padded with =.",
     .examples = {{"encoding.from_URLbase64(\"Pz8_\")", "\"???\""}}},
    {{"encoding.from_base64", 1, false, from_base64},
     .alias = "base64_decode",
     .parameters = "text string",
     .result = "string",
     .help = "Decodes base64 in the standard alphabet, padded with =.",
     .examples = {{"encoding.from_base64(\"aGVsbG8=\")", "\"hello\""}}},
    {{"encoding.from_json", 1, false, from_json},
     .alias = "json_decode",
     .parameters = "text string",
     .result = "any",
     .help = "Decodes a JSON value. All numbers are floats.",
     .examples = {{"encoding.from_json(\"{\\\"port\\\": 8080, \\\"tags\\\": [\\\"a\\\", null]}\")",
                   "{port = 8080, tags = [\"a\", null]}"},
                  {"encoding.from_json(`{\"name\": \"app\"}`).name", "\"app\""}}},
    {{"encoding.from_yaml", 1, false, from_yaml},
     .alias = "yaml_decode",
     .parameters = "text string",
     .result = "any",
     .help = "Decodes the first document of a YAML text. Anchors and merge keys are supported, timestamps become "
             "strings, and non-string keys their text.",
     .examples = {{"encoding.from_yaml(\"a: &x [1, 2.5]\\nb: *x\\n\")", "{a = [1, 2.5], b = [1, 2.5]}"},
                  {"encoding.from_yaml(\"base: &b {env: prod}\\napp:\\n  <<: *b\\n  port: 0x50\\n\").app",
                   "{env = \"prod\", port = 80}"}}},
    {{"encoding.to_URLbase64", 1, false, to_urlbase64},
     .parameters = "text string",
     .result = "string",
     .help = "Encodes as base64 in the URL-safe alphabet, padded with =.",
     .examples = {{"encoding.to_URLbase64(\"???\")", "\"Pz8_\""}}},
    {{"encoding.to_base64", 1, false, to_base64},
     .parameters = "text string",
     .result = "string",
     .help = "Encodes as base64 in the standard alphabet, padded with =.",
     .examples = {{"encoding.to_base64(\"hello\")", "\"aGVsbG8=\""}}},
    {{"encoding.to_json", 1, false, to_json},
     .parameters = "value map",
     .result = "string",
     .help = "Encodes an object or target as JSON, with sorted keys. Secrets cannot be encoded.",
     .examples = {{"encoding.to_json({b = [1, 2.5, true], a = \"x\"})",
                   "\"{\\\"a\\\":\\\"x\\\",\\\"b\\\":[1,2.5,true]}\""}}},
    {{"encoding.url_decode", 1, false, url_decode},
     .parameters = "text string",
     .result = "string",
     .help = "Decodes a percent-encoded query: %XX is a byte, + a space.",
     .examples = {{"encoding.url_decode(\"a+b%2Fc\")", "\"a b/c\""}}},
    {{"encoding.url_encode", 1, false, url_encode},
     .parameters = "text string",
     .result = "string",
     .help =
         "Percent-encodes for use in a query: all bytes except letters, digits and -_.~ become %XX, a space becomes +.",
     .examples = {{"encoding.url_encode(\"a b/c\")", "\"a+b%2Fc\""}}},
    {{NULL}},
};
