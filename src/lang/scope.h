/* Where names come from while an expression is evaluated.
 *
 * A traversal is an identifier followed by `.name` accesses (`discovery.process.all.targets`). The scope is offered the whole
 * traversal and answers with the value of a prefix and how many names that used up; the rest is ordinary member access. This is how
 * node ids with dots resolve without building nested objects. Names it does not know fall through to the standard library.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lang/value.h"

struct scope {
    /* false: not mine. *ret is a new reference, *used >= 1. NULL callback: an empty scope. */
    bool (*resolve)(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret);
    void *ctx;
};
