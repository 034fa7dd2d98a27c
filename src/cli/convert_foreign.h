/* Recognises input that `smolder convert` does not read, by how it begins, to name it and say what to do.
 *
 * Sources: the formats' own documents; gperftools' cpuprofile-fileformat; JMC's IOToolkit for what Java's tools pack
 * recordings with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* Whether `begin`, the first bytes, is of another format than JFR's or pprof's; then the error says of which, in a
 * sentence that begins with `name`. -EILSEQ. */
must_check int foreign_check(const char *name, struct str begin, struct err *err);
