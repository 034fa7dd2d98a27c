/* Checks a configuration without evaluating, starting or reading anything.
 *
 * The analysis of a load (graph/collect.h, graph/link.h), applied to every body whether instantiated or not, without
 * stopping at the first error of a block, plus static checks of arguments. Messages and their order are those of the
 * reference's validator: syntax errors of all files; otherwise per body declares, config blocks, components and
 * services, for each its own errors, those of its arguments and of its references; then cycles. In addition to the
 * reference, unknown members of components and of the standard library are reported. Imported modules are not read;
 * their components are accepted. Expressions with references or calls have no static type.
 * Source: spec alloy-language §7.4.
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
