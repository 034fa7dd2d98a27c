/* A verb of a format string, with its flags, and the padding that every verb has. */
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
