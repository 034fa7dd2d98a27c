/* What one query of the embedded store may cost, from the flags --store.query-… of `smolder run`. */
#pragma once

#include "base/err.h"
#include "store/limits.h"

struct query_limit_flags {
    const char *series, *profiles, *nodes; /* decimal numbers from 1 */
    const char *timeout;                   /* a duration of at least 1 ms: "20s" */
    const char *memory;                    /* a size: "128MiB" */
};
/* -EINVAL names the flag. */
must_check int query_limits_parse(const struct query_limit_flags *flags, struct store_limits *ret, struct err *err);
