/* Limits of one push and of one query. */
#pragma once

#include <stdint.h>

enum {
    STORE_PROFILE_MAX = 16 << 20, /* bytes of one pprof, inflated */
    STORE_LABELS_MAX = 64,        /* of one series */
};

/* Of one query, each by a flag of `smolder run` that its error names: --store.query-series, --store.query-profiles,
 * --store.query-timeout, --store.query-nodes, --store.query-memory. */
enum { QUERY_SERIES_MAX = 1 << 16, QUERY_PROFILES_MAX = 1 << 18, QUERY_MS_MAX = 20000, QUERY_NODES_MAX = 1 << 20 };
enum { QUERY_MEMORY_MAX = 128 << 20 };
enum { QUERY_NODES_MOST = 1 << 21 }; /* more do not fit into an answer of a parser process */
struct store_limits {
    int64_t series, profiles, ms;
    int64_t nodes;  /* QUERY_NODES_MOST at most; 0 = the number above, as of the others */
    int64_t memory; /* bytes, of the main process */
};
