#include "base/wire.h"

enum { VARINT_MAX = 10 };

void wire_varint(struct buf *b, uint64_t v)
{
    uint8_t bytes[VARINT_MAX];
    buf_append(b, bytes, (size_t)(wire_put(bytes, v) - bytes));
}

void wire_tag(struct buf *b, uint32_t field, enum wire_type type)
{
    wire_varint(b, (uint64_t)field << 3 | type);
}

void wire_number(struct buf *b, uint32_t field, uint64_t v)
{
    if (v == 0)
        return;
    wire_tag(b, field, WIRE_VARINT);
    wire_varint(b, v);
}

void wire_packed_double(struct buf *b, double v)
{
    uint8_t bytes[sizeof v];
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    buf_append(b, bytes, sizeof bytes);
}

void wire_double(struct buf *b, uint32_t field, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (bits == 0)
        return;
    wire_tag(b, field, WIRE_FIXED64);
    wire_packed_double(b, v);
}

void wire_bytes(struct buf *b, uint32_t field, struct str s)
{
    uint64_t tag = (uint64_t)field << 3 | WIRE_BYTES;
    uint8_t *to = buf_reserve(b, wire_size(tag) + wire_size(s.n) + s.n);
    if (!to)
        return;
    const uint8_t *from = to;
    to = wire_put(wire_put(to, tag), s.n);
    if (s.n)
        memcpy(to, s.p, s.n);
    b->len += (size_t)(to - from) + s.n;
}

static bool bad(struct wire_reader *r)
{
    r->bad = true;
    r->p = r->end;
    return false;
}

static bool read_varint(struct wire_reader *r, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VARINT_MAX && r->p < r->end; i++) {
        uint64_t b = *r->p++;
        v |= i == VARINT_MAX - 1 ? b << 63 : (b & 0x7f) << (7 * i);
        if (b < 0x80) {
            *ret = v;
            return true;
        }
    }
    return bad(r);
}

static bool read_fixed(struct wire_reader *r, unsigned width, uint64_t *ret)
{
    if ((size_t)(r->end - r->p) < width)
        return bad(r);
    *ret = 0;
    for (unsigned i = 0; i < width; i++)
        *ret |= (uint64_t)r->p[i] << (8 * i);
    r->p += width;
    return true;
}

bool wire_next(struct wire_reader *r, struct wire_field *ret)
{
    if (r->bad || r->p == r->end)
        return false;
    uint64_t tag, n;
    if (!read_varint(r, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 >= 1u << 29)
        return bad(r);
    struct wire_field f = {.number_of = (uint32_t)(tag >> 3), .type = tag & 7};
    switch (f.type) {
    case WIRE_VARINT:
        if (!read_varint(r, &f.number))
            return false;
        break;
    case WIRE_FIXED64:
        if (!read_fixed(r, 8, &f.number))
            return false;
        break;
    case WIRE_FIXED32:
        if (!read_fixed(r, 4, &f.number))
            return false;
        break;
    case WIRE_BYTES:
        if (!read_varint(r, &n))
            return false;
        if (n > (size_t)(r->end - r->p))
            return bad(r);
        f.bytes = (struct str){(const char *)r->p, (size_t)n};
        r->p += n;
        break;
    default: /* groups are long gone */
        return bad(r);
    }
    *ret = f;
    return true;
}

bool wire_next_packed(struct wire_reader *r, uint64_t *ret)
{
    return !r->bad && r->p < r->end && read_varint(r, ret);
}
