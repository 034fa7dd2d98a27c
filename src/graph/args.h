/* The decoded arguments of a component: a constant, reference-counted record of its option table.
 *
 * The engine decodes a block once. A component that keeps the record beyond the call takes a reference. One thread.
 */
#pragma once

#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/schema.h"
#include "lang/scope.h"

/* A zeroed record with one reference, to be filled before it is shared. */
void *args_new(const struct schema *schema);
/* One reference; NULL on error, with diagnostics in `ds`. */
const void *args_decode(const struct schema *schema, const struct ast_stmt *block, const struct scope *scope,
                        struct diags *ds);
const void *args_ref(const void *args);
void args_unref(const void *args); /* NULL is fine */
