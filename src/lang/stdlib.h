/* The standard library: functions and constants of expressions (string.format, coalesce, constants.os, …) and their
 * deprecated aliases.
 *
 * A namespace (`string`) is an ordinary object. Names in scope shadow the library. The tables in lang/stdlib/ are the
 * single source of names, stability, signatures, help and examples: evaluation, load checks, `smolder reference` and
 * docs/functions read them.
 * Source: spec alloy-language §5.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/stability.h"
#include "lang/stdlib/function.h"
#include "lang/value.h"

/* The value of the longest prefix of a dotted name, and how many names that took: of string.format.x two, of
 * string.nope one. New reference; NULL when the first name is unknown. */
struct value *stdlib_resolve(const struct str *path, size_t n, size_t *used);
/* Whether a reference names something of the library. Notes in `ds` the use of an old name (a warning) and that of a
 * function below `least` (an error), at the reference. */
bool stdlib_reference(const struct ast_traversal *t, enum stability least, struct diags *ds);
/* Row by row, in the order of the names; NULL after the last. */
const struct stdlib_function *stdlib_row(size_t i);
