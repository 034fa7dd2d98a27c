/* Flags of the embedded store, the same for `smolder run` and `smolder store`. */
#pragma once

#include "base/err.h"
#include "cli/agent.h"
#include "cli/flags.h"
#include "cli/query_limits.h"

/* Where it listens if nothing else is said. */
#define STORE_DEFAULT "127.0.0.1:4040"

struct store_flags {
    const char *auth, *keep, *size, *cache;
    struct query_limit_flags query;
};

/* Rows of a flag table, for a struct store_flags at `at` in its record. */
#define STORE_ROW(at, name, kind, field, usual, value, help)                                                           \
    {                                                                                                                  \
        name, kind, (at) + offsetof(struct store_flags, field), usual, value, help                                     \
    }
#define STORE_AUTH_HELP                                                                                                \
    "token: clients of the embedded store need the token in the address that is printed at the start; it is kept in "  \
    "store.token in the data directory. The http block applies in addition."
#define STORE_SIZE_HELP                                                                                                \
    "Size of the embedded store on disk; beyond it the oldest profiles are deleted, as on a full disk."
#define STORE_FLAGS(at)                                                                                                \
    STORE_ROW(at, "store.auth", FLAG_CHOICE, auth, "none", "none|token", STORE_AUTH_HELP),                             \
        STORE_ROW(at, "store.keep", FLAG_STRING, keep, "7d", "DURATION",                                               \
                  "How long the embedded store keeps profiles: 7d, 36h, 1d12h."),                                      \
        STORE_ROW(at, "store.max-size", FLAG_STRING, size, "1GiB", "SIZE", STORE_SIZE_HELP),                           \
        STORE_ROW(at, "store.cache", FLAG_STRING, cache, "16MiB", "SIZE",                                              \
                  "Memory for flame graphs of hours that the embedded store has merged before; 0 = none."),            \
        STORE_ROW(at, "store.query-timeout", FLAG_STRING, query.timeout, "20s", "DURATION",                            \
                  "Time one query of the embedded store may take."),                                                   \
        STORE_ROW(at, "store.query-series", FLAG_STRING, query.series, "65536", "N", "Series one query may select."),  \
        STORE_ROW(at, "store.query-profiles", FLAG_STRING, query.profiles, "262144", "N",                              \
                  "Stored profiles one query may merge."),                                                             \
        STORE_ROW(at, "store.query-nodes", FLAG_STRING, query.nodes, "1048576", "N",                                   \
                  "Nodes one flame graph may have."),                                                                  \
        STORE_ROW(at, "store.query-memory", FLAG_STRING, query.memory, "128MiB", "SIZE",                               \
                  "Memory one query may take, beside that of the parser.")

/* Sets what agent_run() needs to know of them. -EINVAL names the flag. */
must_check int store_flags_parse(const struct store_flags *flags, struct agent_settings *ret, struct err *err);
