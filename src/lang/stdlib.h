/* The functions and constants every expression can use: sys.env, constants.*, array.concat, coalesce, string.*, and the old
 * names of some of them. A namespace (`string`) is an ordinary object. Names of the scope hide these.
 * Source: spec alloy-language §5.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "lang/value.h"

/* A top-level name: "string", "coalesce", "env". New reference; NULL when there is none. */
struct value *stdlib_get(struct str name);
bool stdlib_has(struct str name);
/* What replaces an old name: "sys.env" for "env"; NULL for names that are not deprecated. */
const char *stdlib_replacement(struct str name);
