/* What can be said about a configuration without evaluating it, starting anything or asking anyone.
 *
 * It is the analysis that a load makes (graph/collect.h, graph/link.h), of all bodies and not only of those in use,
 * that goes on with a block after the first thing that is wrong with it; besides, what arguments that are written out
 * say about each other is checked. Words and order are those of the reference's validator: syntax errors of all files;
 * else body by body the declares, then config blocks, components and services, each with its own problems, those of its
 * arguments, and its references; then cycles. Beyond the reference's, members that no component exports and functions
 * that the library does not have are found. What is imported is not read: its components pass. Expressions with names
 * or calls in them have no known type. Source: spec alloy-language §7.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "graph/component.h"
#include "lang/diag.h"
#include "lang/source.h"

struct validate_options {
    const struct component_def *const *components; /* NULL-terminated */
    enum stability stability;
    bool skip_unknown; /* unknown components, and what needs nothing but those, draw warnings */
};

/* -EINVAL when there are errors; there can be warnings in any case. */
must_check int validate(struct source *const *sources, size_t n, const struct validate_options *options,
                        struct diags *ds);
