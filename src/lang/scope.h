/* Name resolution during evaluation.
 *
 * A traversal is an identifier followed by `.name` accesses (`discovery.process.all.targets`). The scope receives the
 * whole traversal and returns the value of a prefix and its length; the rest is ordinary member access. In this way
 * component IDs with dots resolve without nested objects. Unknown names fall through to the standard library.
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
