/* Stability levels: components, blocks and functions below --stability.level are rejected.
 *
 * Source: spec alloy-language §5, §6.2 (the message), §7.1 (the flag).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum stability { STABILITY_GA, STABILITY_PREVIEW, STABILITY_EXPERIMENTAL };

/* "generally-available", "public-preview", "experimental": the words of --stability.level. */
const char *stability_name(enum stability s);
bool stability_parse(const char *text, enum stability *ret);

/* -EPERM when `feature` is less settled than `least` allows:
 * `<what> is at stability level "experimental", which is below the minimum allowed stability level …`. */
must_check int stability_check(const char *what, enum stability feature, enum stability least, struct err *err);
