/* POST /ingest, Pyroscope's older way to push: collapsed stacks, pprof and JFR.
 *
 *     name         "shop.cpu{zone=eu}": application, its type, labels (pyroscope/ingest_name.h); required
 *     from, until  times (pyroscope/time_text.h); now
 *     sampleRate   samples per second; 100
 *     spyName      label pyroscope_spy
 *     format       folded (also groups, or none), lines, pprof, jfr; multipart/form-data without a format is pprof
 *
 * The body is turned into a push by a parser process (pyroscope/ingest_body.h) and stored as one. Replies: 200; 400 for
 * a parameter, 413 too large, 422 for a body, 503 with Retry-After, with {"code","message"}.
 *
 * And POST /v1development/profiles, profiles of OpenTelemetry in protobuf or JSON, in the same way
 * (pyroscope/otlp_body.h): 200 with an empty response, 400, 413, 503 as above, 415 for another Content-Type or
 * Content-Encoding. Loop thread. Source: spec store-query §2.2, §2.3.
 */
#pragma once

#include <uv.h>

#include "net/server.h"
#include "parser/parser_pool.h"
#include "store/store.h"

/* Bytes of all bodies in progress. */
enum { INGEST_BODIES_MAX = 96 << 20 };

struct ingest_server;

struct ingest_server_options {
    uv_loop_t *loop;
    struct store *store;         /* outlives the server */
    struct parser_pool *parsers; /* likewise; NULL: see parser/parser_batch.h */
};
struct ingest_server *ingest_server_new(const struct ingest_server_options *options);
/* Handlers of the routes; each replies to every request. */
void ingest_server_handle(struct ingest_server *s, struct request *rq);
void ingest_server_handle_otlp(struct ingest_server *s, struct request *rq);
#define OTLP_PATH        "/v1development/profiles"
#define OTLP_EXPORT_PATH "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
/* To be called after the HTTP server is closed. Frees and calls `closed` (may be NULL) once nothing is in progress.
 * NULL is allowed. */
void ingest_server_close(struct ingest_server *s, void (*closed)(void *arg), void *arg);
