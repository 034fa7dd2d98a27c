/* Requests of the query API: one struct for all of them, since they share most fields.
 *
 * Its table (pyroscope/query_messages.h) lists the fields a request has; the others are unset. Source: spec
 * store-query §3.1.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "pyroscope/proto_message.h"

/* Bytes of one request, and texts in one of its lists. */
enum { QUERY_REQUEST_MAX = 1 << 20, QUERY_TEXTS_MAX = 4096 };

struct query_number {
    int64_t value;
    bool set; /* in the request, be it 0 */
};
struct query_texts {
    struct str *items; /* in the arena */
    size_t len, cap;
};

struct query_request {
    struct query_number start, end; /* ms since 1970 */
    struct query_number max_nodes, limit, format, aggregation, exemplar_type, heatmap_type, modified;
    double step; /* s */
    struct str profile_type, selector;
    struct str name, value, query;
    struct query_texts matchers, label_names, group_by, call_site, profile_ids, trace_ids, spans;
    struct str left, right;          /* messages as they are; p is NULL where there is none */
    struct str go_pgo, frame_filter; /* likewise; empty where they say nothing */
    struct arena arena;
};
#define QUERY_REQUEST_INIT ((struct query_request){.arena = ARENA_INIT(QUERY_REQUEST_MAX)})

/* Reads a message of plain protobuf; texts are borrowed from it. -EINVAL: "unmarshal message: …", also of texts that
 * are not UTF-8. Call query_request_done() after a failure, too. */
must_check int query_request_read(struct query_request *q, const struct proto_message *m, struct str message,
                                  struct err *err);
void query_request_done(struct query_request *q);
#define cleanup_query_request __attribute__((cleanup(query_request_done)))
