/* The arguments of pyroscope.write. Source: spec components §4.1. */
#pragma once

#include "components/http_settings.h"
#include "lang/schema.h"

/* Not in the reference. */
struct write_spool_args {
    uint64_t max_bytes; /* 0 = no spool */
    int64_t max_age;
};

struct write_endpoint_args {
    char *url, *name;
    int64_t remote_timeout, min_backoff_period, max_backoff_period, debug_info_upload_timeout;
    int64_t max_backoff_retries; /* attempts; 0 = for ever */
    struct string_map headers;
    bool retry_on_http_429;
    struct write_spool_args spool;
    struct http_settings http;
};

struct write_tracing_args {
    bool jaeger_propagator, trace_context_propagator;
};

struct write_args {
    struct string_map external_labels;
    struct block_list endpoints; /* struct write_endpoint_args */
    struct write_tracing_args tracing;
};

extern const struct schema write_schema, write_endpoint_schema;
