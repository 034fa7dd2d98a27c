/* Queries of the web page: parameters and replies on the loop, query and JSON in a worker.
 *
 * GET, or POST with the parameters as a form (page/page_parameters.h).
 *
 * What is selected, in every question:
 *     service=, type=, label=name=value…, query={zone!="eu",pod=~"shop-.*"}   all must hold
 *     from=, until=        milliseconds since the epoch, both inclusive; the last hour
 * How stacks are shown:
 *     only=, without=      stacks with such a function, or without (page/name_match.h); each any number of times
 *     hide=, fold=         frames left out; of frames one above the other the outermost alone
 *     recursion=1          repeated frames are left out;  lines=1  lines of functions
 *     callers=1            the leaf is the root; in graphs, not in tables of functions
 *     by=LABEL             beneath a frame per value of the label (flamegraph); the largest 20, or `limit`
 * A comparison is with the base: base_query=, base_from=, base_until=; without them as long before, without base_query
 * of the same series.
 *
 *     GET /api/services     {"services":[{"name","profiles","last_ms"}]}; with buckets= also "from_ms", "step_ms" and
 *                           "types":[{"id","profiles","total","values":[…]}] of each
 *     GET /api/types        {"types":[{"id","profiles","total"}]}
 *     GET /api/labels       {"labels":[{"name","values":COUNT}]}
 *     GET /api/values?name=[&search=][&limit=]    {"name","count","values":[…]}
 *     GET /api/timeline[?buckets=]                {"unit","from_ms","step_ms","values":[…]}
 *     GET /api/series?by=…[&buckets=][&limit=]    {"unit","from_ms","step_ms","total","count",
 *                           "series":[{"labels":{…},"profiles","total","values":[…]}]}, the largest first, 20
 *     GET /api/heatmap[?buckets=][&rows=]         {"unit","from_ms","step_ms","least","most","rows","columns",
 *                           "profiles","cells":[column,row,profiles, …]}: how many profiles had which total, when
 *     GET /api/flamegraph[?max_nodes=][&at=]…[&search=]
 *                           {"unit","profiles","first_ms","last_ms","period","total","node_count","nodes_max",
 *                            "truncated", and the members of page/flame_json.h}
 *             at: a stack of names, from the root: more of what is beneath it, as far as there is such a stack
 *             search (page/name_match.h): also "matched", what stacks beneath it have with such a function
 *     GET /api/functions[?sort=self|total|name][&limit=][&search=][&at=]…
 *                           the first members as above, "count" of all functions, "found" of those searched for,
 *                           "functions":[[name,self,total], …]
 *     GET /api/sandwich?function=     likewise, "function", "self", "function_total",
 *                           "callers":{…}, "callees":{…} (pprof/flame_sandwich.h)
 *     GET /api/diff[?sort=change|change_total|self|total|name][&limit=][&search=][&at=]…
 *                           {"unit","before":{"profiles","first_ms","last_ms","total"},"after":{…},"node_count",
 *                            "nodes_max","truncated","nodes":[depth,name,self,total before,self,total after, …],
 *                            "names","count","found",
 *                            "functions":[[name,self,total before,self,total after], …]}
 *     GET /api/download?format=pprof|collapsed|html   a file
 *
 * "period" is what one sample has, 0 where samples have no common value. Errors: {"error":"…"}.
 */
#pragma once

#include "net/server.h"
#include "store/store.h"

#define PAGE_PATHS "/api/*"

struct page_queries;

/* `store` must outlive the result. */
struct page_queries *page_queries_new(struct store *store);
/* Handler of these paths; replies later. */
void page_queries_handle(struct page_queries *all, struct request *rq);
/* To be called after the HTTP server is closed. Frees and calls `closed` (may be NULL) once no query is in progress,
 * perhaps before it returns. NULL is allowed. */
void page_queries_close(struct page_queries *all, void (*closed)(void *arg), void *arg);
