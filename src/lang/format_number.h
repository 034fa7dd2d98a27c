/* Numbers by the verbs of lang/format.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "lang/format_verb.h"

/* False (and nothing is written) where Go has no such verb. */
bool format_integer(const struct verb *f, uint64_t magnitude, bool negative, struct buf *out);
bool format_float(const struct verb *f, double d, struct buf *out);
