/* The query API of the store, as Pyroscope's: Connect unary calls in protobuf or JSON, plain or gzip.
 *
 *     POST /querier.v1.QuerierService/ProfileTypes, LabelNames, LabelValues, Series
 *
 * A call has four steps: headers on the loop; its body in a worker, where gzip and JSON are read by a parser process
 * (pyroscope/query_body.h); the request on the loop, where selectors are made; the answer in the store's worker, with
 * encoding and compression. A deadline of the client (Connect-Timeout-Ms) is kept where it is earlier than the
 * store's. Loop thread. Source: spec store-query §1, §3.
 */
#pragma once

#include <uv.h>

#include "net/server.h"
#include "parser/parser_pool.h"
#include "store/store.h"

#define QUERIER_PATHS "/querier.v1.QuerierService/*"

struct querier;

struct querier_options {
    uv_loop_t *loop;
    struct store *store;         /* outlives the querier */
    struct parser_pool *parsers; /* likewise; NULL: see parser/parser_batch.h */
};
struct querier *querier_new(const struct querier_options *options);
/* Handler of QUERIER_PATHS; replies to every request. */
void querier_handle(struct querier *all, struct request *rq);
/* To be called after the HTTP server is closed. Frees and calls `closed` (may be NULL) once no call is in progress.
 * NULL is allowed. */
void querier_close(struct querier *all, void (*closed)(void *arg), void *arg);
