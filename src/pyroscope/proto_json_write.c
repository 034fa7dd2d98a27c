#include "pyroscope/proto_json_write.h"

#include <inttypes.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/wire.h"

static void proto_json_put_number(const struct proto_field *f, uint64_t v, struct buf *out)
{
    switch (f->kind) {
    case PROTO_BOOL:
        buf_puts(out, v ? "true" : "false");
        break;
    case PROTO_INT32:
    case PROTO_UINT32:
        buf_printf(out, "%" PRId64, (int64_t)v);
        break;
    case PROTO_UINT64:
        buf_printf(out, "\"%" PRIu64 "\"", v);
        break;
    case PROTO_DOUBLE:
        json_double(out, wire_as_double(v));
        break;
    case PROTO_ENUM: {
        uint64_t known = 0;
        while (f->values[known])
            known++;
        if (v < known)
            buf_printf(out, "\"%s\"", f->values[v]);
        else
            buf_printf(out, "%" PRIu64, v);
        break;
    }
    default:
        buf_printf(out, "\"%" PRId64 "\"", (int64_t)v);
    }
}

static void proto_json_put_bytes(const struct proto_field *f, struct str bytes, struct buf *out)
{
    if (f->kind == PROTO_MESSAGE) {
        proto_json_write(f->message, bytes, out);
    } else if (f->kind == PROTO_BYTES) {
        buf_byte(out, '"');
        base64_write(bytes, base64_standard, out);
        buf_byte(out, '"');
    } else {
        json_string(out, bytes);
    }
}

static void proto_json_put_packed(const struct proto_field *f, struct str packed, struct buf *out)
{
    enum { DOUBLE_SIZE = 8 };
    struct wire_reader r = wire_reader_of(packed);
    uint64_t v;
    for (bool first = true; r.p < r.end && !r.bad; first = false) {
        if (f->kind != PROTO_DOUBLE) {
            if (!wire_next_packed(&r, &v))
                return;
        } else if (r.end - r.p >= DOUBLE_SIZE) {
            v = 0;
            for (unsigned i = 0; i < DOUBLE_SIZE; i++)
                v |= (uint64_t)*r.p++ << (8 * i);
        } else {
            return;
        }
        if (!first)
            buf_byte(out, ',');
        proto_json_put_number(f, v, out);
    }
}

static bool proto_json_is_number(const struct proto_field *f)
{
    return f->kind != PROTO_TEXT && f->kind != PROTO_BYTES && f->kind != PROTO_MESSAGE;
}

/* All values of one field; what does not stand together is found by reading the message once per field. */
static void proto_json_put_field(const struct proto_field *f, struct str message, bool *any, struct buf *out)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field got;
    bool first = true;
    while (wire_next(&r, &got)) {
        if (got.number_of != f->number)
            continue;
        if (first) {
            buf_printf(out, "%s\"%s\":%s", *any ? "," : "", f->json, f->repeated ? "[" : "");
            *any = true;
        } else if (f->repeated) {
            buf_byte(out, ',');
        } else {
            return;
        }
        first = false;
        if (!proto_json_is_number(f))
            proto_json_put_bytes(f, got.bytes, out);
        else if (got.type == WIRE_BYTES)
            proto_json_put_packed(f, got.bytes, out);
        else
            proto_json_put_number(f, got.number, out);
    }
    if (!first && f->repeated)
        buf_byte(out, ']');
}

void proto_json_write(const struct proto_message *m, struct str message, struct buf *out)
{
    bool any = false;
    buf_byte(out, '{');
    for (const struct proto_field *f = m->fields; f->number; f++)
        proto_json_put_field(f, message, &any, out);
    buf_byte(out, '}');
}
