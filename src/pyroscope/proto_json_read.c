#include "pyroscope/proto_json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/wire.h"
#include "pyroscope/json_load.h"

static int proto_json_bad(const struct proto_message *m, const char *what, struct err *err)
{
    return err_set(err, -EINVAL, "unmarshal message: unmarshal into *%s: proto: %s", m->name, what);
}

static int proto_json_wrong(const struct proto_message *m, const struct proto_field *f, struct err *err)
{
    char what[128];
    snprintf(what, sizeof what, "invalid value for field %s", f->json);
    return proto_json_bad(m, what, err);
}

/* A whole number of at most 64 bits, as such or written as a real: "1.0e12". */
static bool proto_json_real_to_int(double d, int64_t *ret)
{
    if (!(d >= -0x1p63 && d < 0x1p63) || d != (double)(int64_t)d)
        return false;
    *ret = (int64_t)d;
    return true;
}

static bool proto_json_number(const json_t *v, double *ret)
{
    if (json_is_number(v)) {
        *ret = json_number_value(v);
        return true;
    }
    const char *text = json_string_value(v);
    char *end;
    if (!text || !*text || json_string_length(v) > 64)
        return false;
    *ret = strtod(text, &end);
    return *end == '\0';
}

static bool proto_json_int(const json_t *v, int64_t *ret)
{
    double d;
    uint64_t big;
    if (json_is_integer(v)) {
        *ret = json_integer_value(v);
        return true;
    }
    const struct str text = {json_string_value(v), json_string_length(v)};
    if (text.p && str_to_i64(text, ret))
        return true;
    if (text.p && str_to_u64(text, &big)) {
        *ret = (int64_t)big;
        return true;
    }
    return proto_json_number(v, &d) && proto_json_real_to_int(d, ret);
}

/* False: neither a number nor a name; an unknown name is skipped. */
static bool proto_json_enum(const struct proto_field *f, const json_t *v, int64_t *ret)
{
    const char *text = json_string_value(v);
    if (!text)
        return proto_json_int(v, ret);
    *ret = 0;
    for (int64_t i = 0; f->values[i]; i++)
        if (strcmp(f->values[i], text) == 0)
            *ret = i;
    return true;
}

static bool proto_json_bytes(const json_t *v, struct buf *out)
{
    struct str text = {json_string_value(v), json_string_length(v)};
    struct err ignored;
    if (!text.p)
        return false;
    const bool url = memchr(text.p, '-', text.n) || memchr(text.p, '_', text.n);
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    cleanup_buf struct buf padded = BUF_INIT(text.n + 8);
    buf_str(&padded, text);
    for (size_t n = text.n; n % 4; n++)
        buf_byte(&padded, '=');
    return text.n % 4 != 1 && base64_decode(buf_slice(&padded), url ? base64_url : base64_standard, out, &ignored) == 0;
}

static int proto_json_message(const struct proto_message *m, const json_t *v, struct buf *out, struct err *err);

/* One value as a field of its own; zeros are written, because what is in a list counts. */
static int proto_json_value(const struct proto_message *m, const struct proto_field *f, const json_t *v,
                            struct buf *out, struct err *err)
{
    cleanup_buf struct buf part = BUF_INIT(out->max);
    int64_t number;
    double real;
    switch (f->kind) {
    case PROTO_TEXT:
        if (!json_is_string(v))
            return proto_json_wrong(m, f, err);
        wire_bytes(out, f->number, (struct str){json_string_value(v), json_string_length(v)});
        return 0;
    case PROTO_BYTES:
        if (!proto_json_bytes(v, &part))
            return proto_json_wrong(m, f, err);
        wire_bytes(out, f->number, buf_slice(&part));
        return 0;
    case PROTO_DOUBLE:
        if (!proto_json_number(v, &real))
            return proto_json_wrong(m, f, err);
        wire_double(out, f->number, real);
        return 0;
    case PROTO_MESSAGE: {
        const int code = proto_json_message(f->message, v, &part, err);
        if (code == 0)
            wire_bytes(out, f->number, buf_slice(&part));
        return code;
    }
    case PROTO_BOOL:
        if (!json_is_boolean(v))
            return proto_json_wrong(m, f, err);
        number = json_is_true(v);
        break;
    case PROTO_ENUM:
        if (!proto_json_enum(f, v, &number))
            return proto_json_wrong(m, f, err);
        break;
    default:
        if (!proto_json_int(v, &number))
            return proto_json_wrong(m, f, err);
    }
    wire_tag(out, f->number, WIRE_VARINT);
    wire_varint(out, (uint64_t)number);
    return 0;
}

static int proto_json_field(const struct proto_message *m, const struct proto_field *f, const json_t *v,
                            struct buf *out, struct err *err)
{
    if (!f->repeated)
        return proto_json_value(m, f, v, out, err);
    if (!json_is_array(v))
        return proto_json_wrong(m, f, err);
    int code = 0;
    for (size_t i = 0; code == 0 && i < json_array_size(v); i++)
        code = proto_json_value(m, f, json_array_get(v, i), out, err);
    return code;
}

static int proto_json_message(const struct proto_message *m, const json_t *v, struct buf *out, struct err *err)
{
    if (!json_is_object(v))
        return proto_json_bad(m, "not an object", err);
    int code = 0;
    for (const struct proto_field *f = m->fields; code == 0 && f->number; f++) {
        const json_t *member = json_object_get(v, f->json);
        if (!member && f->name)
            member = json_object_get(v, f->name);
        if (member && !json_is_null(member))
            code = proto_json_field(m, f, member, out, err);
    }
    return code;
}

int proto_json_read(const struct proto_message *m, struct str text, struct buf *out, struct err *err)
{
    if (str_trim(text).n == 0)
        return err_set(err, -EINVAL, "unmarshal message: zero-length payload is not a valid JSON object");
    json_error_t why;
    json_t *json = json_load(text, &why);
    if (!json)
        return proto_json_bad(m, why.text, err);
    const int code = proto_json_message(m, json, out, err);
    json_decref(json);
    if (code == 0 && !buf_ok(out))
        return proto_json_bad(m, "too large", err);
    return code;
}
