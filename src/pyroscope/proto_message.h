/* What messages of protobuf look like, as tables: for their JSON encoding (pyroscope/proto_json_read.h) and for reading
 * requests (pyroscope/query_request.h).
 *
 * Source: protobuf language guide; spec store-query §1.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum proto_kind {
    PROTO_TEXT,
    PROTO_BYTES,
    PROTO_INT32,
    PROTO_INT64,
    PROTO_UINT32,
    PROTO_UINT64,
    PROTO_BOOL,
    PROTO_DOUBLE,
    PROTO_ENUM,
    PROTO_MESSAGE,
};

struct proto_message;

struct proto_field {
    uint32_t number; /* 0 ends a table */
    enum proto_kind kind;
    const char *json; /* "labelSelector" */
    const char *name; /* as declared, which JSON may use as well: "label_selector"; NULL = the same */
    bool repeated;    /* numbers are packed */
    const struct proto_message *message;
    const char *const *values; /* names of an enum by number, up to NULL */
    size_t offset;             /* where a reader puts it (pyroscope/query_request.h) */
    bool kept;                 /* whether it does */
    bool listed;               /* with others that are put there */
};

struct proto_message {
    const char *name; /* as errors call it: "querierv1.SeriesRequest" */
    const struct proto_field *fields;
};
