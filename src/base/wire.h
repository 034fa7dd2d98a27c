/* Protocol buffers on the wire: the few shapes profile.proto and the push protocol need.
 *
 * Writing appends to a buf. Reading walks the fields of one message; what is unknown is stepped over by the walk
 * itself. Source: protobuf encoding guide.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static inline size_t wire_size(uint64_t v)
{
    return (70 - (size_t)__builtin_clzll(v | 1)) / 7;
}

/* The caller has made sure of wire_size(v) bytes at p; position after them. */
static inline uint8_t *wire_put(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

/* As wire_put for a whole field with a number, left out when 0 as proto3 does. */
static inline uint8_t *wire_put_number(uint8_t *p, uint32_t field, uint64_t v)
{
    return v ? wire_put(wire_put(p, (uint64_t)field << 3 | WIRE_VARINT), v) : p;
}

void wire_varint(struct buf *b, uint64_t v);
void wire_tag(struct buf *b, uint32_t field, enum wire_type type);
/* A field with a number, left out when 0 as proto3 does. */
void wire_number(struct buf *b, uint32_t field, uint64_t v);
/* Likewise with a double: left out when its bits are 0. */
void wire_double(struct buf *b, uint32_t field, double v);
/* One of a packed field. */
void wire_packed_double(struct buf *b, double v);
/* A field with bytes, text or a message written elsewhere; written even when empty. */
void wire_bytes(struct buf *b, uint32_t field, struct str s);

/* One field as met on the wire. Fixed-width values arrive in `number`. */
struct wire_field {
    uint32_t number_of;
    enum wire_type type;
    uint64_t number;
    struct str bytes;
};

struct wire_reader {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct wire_reader wire_reader_of(struct str s)
{
    const uint8_t *p = s.p ? (const uint8_t *)s.p : (const uint8_t *)""; /* NULL has no end */
    return (struct wire_reader){p, p + s.n, false};
}

/* The next field; false at the end and where the bytes make no sense, then r->bad is set. */
bool wire_next(struct wire_reader *r, struct wire_field *ret);
/* A fixed-width value as the double it is. */
static inline double wire_as_double(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
/* The next number of a packed field. */
bool wire_next_packed(struct wire_reader *r, uint64_t *ret);
