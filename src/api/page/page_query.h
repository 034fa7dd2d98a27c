/* Queries of the web page: parameters and replies on the loop, query and JSON in a worker.
 *
 *     GET /api/services?from=&until=    {"services":[{"name","profiles","last_ms"}]}
 *     GET /api/types?service=           {"types":[{"id","profiles","total"}]}
 *     GET /api/flamegraph?service=&type=[&label=name=value]…[&max_nodes=][&at=]…[&search=]
 *                                       {"unit","profiles","first_ms","last_ms","total","node_count","truncated",
 *                                        and the members of page/flame_json.h}
 *             at: a stack of names, from the root: more of what is beneath it, as far as there is such a stack
 *             search (page/flame_search.h): also "matched", what stacks beneath it have with such a function
 *     GET /api/timeline?service=&type=[&label=]…[&buckets=]    {"unit","from_ms","step_ms","values":[…]}
 *
 * Times are milliseconds since the epoch; the default is the last hour. Errors: {"error":"…"}.
 */
#pragma once

#include "net/server.h"
#include "store/store.h"

struct page_queries;

/* `store` must outlive the result. */
struct page_queries *page_queries_new(struct store *store);
/* Each replies later. */
void page_queries_services(struct page_queries *all, struct request *rq);
void page_queries_types(struct page_queries *all, struct request *rq);
void page_queries_flamegraph(struct page_queries *all, struct request *rq);
void page_queries_timeline(struct page_queries *all, struct request *rq);
/* To be called after the HTTP server is closed. Frees and calls `closed` (may be NULL) once no query is in progress,
 * perhaps before it returns. NULL is allowed. */
void page_queries_close(struct page_queries *all, void (*closed)(void *arg), void *arg);
