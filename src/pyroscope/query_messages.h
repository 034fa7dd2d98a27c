/* The messages of the query API as tables (pyroscope/proto_message.h), and its calls.
 *
 * Source: spec store-query §3.1, §3.8; the .proto files of Pyroscope's API module.
 */
#pragma once

#include "pyroscope/proto_message.h"

enum query_call {
    QUERY_PROFILE_TYPES,
    QUERY_LABEL_NAMES,
    QUERY_LABEL_VALUES,
    QUERY_SERIES,
    QUERY_STACKTRACES,
    QUERY_SPAN_PROFILE,
    QUERY_MERGE_PROFILE,
    QUERY_SELECT_SERIES,
    QUERY_DIFF,
    QUERY_HEATMAP,
    QUERY_STATS,
    QUERY_ANALYZE,
    QUERY_SETTINGS_GET,
    QUERY_SETTINGS_SET,
    QUERY_SETTINGS_DELETE,
    QUERY_VERSION,
    QUERY_CALLS,
};

/* "/querier.v1.QuerierService/LabelNames"; requests are read with query_request_read(). */
struct query_method {
    const char *path;
    const struct proto_message *request, *response;
};
extern const struct query_method query_methods[QUERY_CALLS];

/* Values of enums of requests. */
enum { FORMAT_FLAMEGRAPH = 1, FORMAT_TREE, FORMAT_DOT, FORMAT_PPROF };
enum { AGGREGATION_SUM, AGGREGATION_AVERAGE };
enum { HEATMAP_INDIVIDUAL = 1, HEATMAP_SPAN };
enum { EXEMPLARS_NONE = 1, EXEMPLARS_INDIVIDUAL, EXEMPLARS_SPAN };
