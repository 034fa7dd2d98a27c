/* A profile as profile.proto bytes.
 *
 * Only what its samples refer to is written; locations, functions and strings are numbered in order of first use;
 * samples whose values are all zero are left out. One mapping stands for the program, and one for each native library
 * that functions name; has_functions is set, so that no tool tries to symbolise.
 */
#pragma once

#include "base/buf.h"
#include "pprof/profile.h"

/* Appends; out->max bounds the size and buf_ok() tells. */
void pprof_encode(const struct profile *p, struct buf *out);
