/* The query API of the store, as Pyroscope's: Connect unary calls in protobuf or JSON, plain or gzip.
 *
 *     POST /querier.v1.QuerierService/…, /settings.v1.SettingsService/…, /version.v1.Version/…
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

#define QUERIER_PATHS  "/querier.v1.QuerierService/*"
#define SETTINGS_PATHS "/settings.v1.SettingsService/*"
#define VERSION_PATHS  "/version.v1.Version/*"

struct querier;

struct querier_options {
    uv_loop_t *loop;
    struct store *store;         /* outlives the querier */
    struct parser_pool *parsers; /* likewise; NULL: see parser/parser_batch.h */
};
struct querier *querier_new(const struct querier_options *options);
/* Handler of these paths; replies to every request. */
void querier_handle(struct querier *all, struct request *rq);
/* GET /pyroscope/render, /pyroscope/render-diff, /pyroscope/label-values: the older API (querier_legacy.h). */
void querier_handle_render(struct querier *all, struct request *rq);
void querier_handle_render_diff(struct querier *all, struct request *rq);
void querier_handle_label_values(struct querier *all, struct request *rq);
/* To be called after the HTTP server is closed. Frees and calls `closed` (may be NULL) once no call is in progress.
 * NULL is allowed. */
void querier_close(struct querier *all, void (*closed)(void *arg), void *arg);
