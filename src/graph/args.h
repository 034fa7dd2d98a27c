/* The arguments of a component: a record of its option table that is decoded once and never changes.
 *
 * Whoever looks at them longer than during a call takes a reference; the last one frees. One thread.
 */
#pragma once

#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/schema.h"
#include "lang/scope.h"

/* A zeroed record, for whoever makes it to fill before anybody else sees it; one reference. */
void *args_new(const struct schema *schema);
/* One reference, or NULL: it cannot be decoded, and `ds` has been told why. */
const void *args_decode(const struct schema *schema, const struct ast_stmt *block, const struct scope *scope,
                        struct diags *ds);
const void *args_ref(const void *args);
void args_unref(const void *args); /* NULL is fine */
