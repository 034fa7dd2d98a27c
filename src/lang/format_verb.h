/* Interface between format.c (format strings, values) and format_number.c (numbers). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* One verb with its flags. */
struct verb {
    uint32_t rune;
    bool plus, minus, sharp, space, zero;
    bool source;          /* %#v: as Go source */
    int width, precision; /* -1: not given */
};

/* s in the width, with blanks or zeros. */
void format_pad(const struct verb *f, struct str s, struct buf *out);
/* False (and nothing is written) where Go has no such verb. */
bool format_integer(const struct verb *f, uint64_t magnitude, bool negative, struct buf *out);
bool format_float(const struct verb *f, double d, struct buf *out);
