/* The page's questions to the store: parameters and answers on the loop, the query and its JSON in a worker.
 *
 *     GET /api/services?from=&until=    {"services":[{"name","profiles","last_ms"}]}
 *     GET /api/types?service=           {"types":[{"id","profiles","total"}]}
 *     GET /api/flamegraph?service=&type=[&label=name=value]…[&max_nodes=]
 *                                       {"unit","profiles","first_ms","last_ms","total","node_count","truncated",…}, and what
 *                                       page/flame_json.h has
 *     GET /api/timeline?service=&type=[&label=]…[&buckets=]    {"unit","from_ms","step_ms","values":[…]}
 *
 * Times are milliseconds since the epoch; without them the last hour. Errors are {"error":"…"}.
 */
#pragma once

#include "net/server.h"
#include "store/store.h"

struct page_queries;

/* Of a store, which outlives it. */
struct page_queries *page_queries_new(struct store *store);
/* Each answers the request, later. */
void page_queries_services(struct page_queries *all, struct request *rq);
void page_queries_types(struct page_queries *all, struct request *rq);
void page_queries_flamegraph(struct page_queries *all, struct request *rq);
void page_queries_timeline(struct page_queries *all, struct request *rq);
/* After the HTTP server is closed. Frees, then calls `closed` (may be NULL), once no query is under way any more, perhaps at once. NULL
 * is fine. */
void page_queries_close(struct page_queries *all, void (*closed)(void *arg), void *arg);
