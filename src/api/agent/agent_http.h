/* The HTTP API of the agent; reference: docs/http-api.md.
 *
 *     any       /-/ready     200 "smolder is ready." or 503
 *     any       /-/healthy   200, or 500 and the unhealthy components
 *     GET, POST /-/reload    200 "config reloaded" or 400 and the diagnostics; same origin only
 *     GET       /-/support?duration=1…30   a support bundle (agent_bundle.h); same origin only
 *     GET       /metrics     Prometheus text 0.0.4
 *     GET       /api/v0/jvms               state of all JVMs (api/shared/jvms_json.h)
 *     GET, POST /api/v0/record[/stop]      the chunks of one JVM (agent_record.h); same origin only
 *     any       /api/v0/component/…        404: no component has an HTTP handler
 *     below the prefix:
 *     any       /api/v0/web/components[/ID], /api/v0/web/modules/MODULE/components, /api/v0/web/peers
 *     any       /api/v0/web/graph[/MODULE]?window=, /api/v0/web/debug/ID?sampleProb=   streams (agent_live.h)
 *     GET       /api/v0/web/jvms           as /api/v0/jvms
 *     POST      /api/v0/web/record         a recording with its flame graphs (agent_record_page.h); same origin only
 *     any       /api/v0/web/remotecfg/…    500: not available
 *     GET       /api/v0/web/pipeline       the component graph (pipeline_json.h)
 *     GET       /api/page                  what the page finds where (api/page/page_place.h)
 *     GET       /            the page
 *
 * Source: spec alloy-language §8.1-8.2 (paths, statuses, JSON), §9 (health).
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "graph/controller.h"
#include "parser/parser_pool.h"
#include "settings/settings.h"

struct agent_http;

struct agent_http_options {
    uv_loop_t *loop;
    const char *listen;
    const char *prefix;        /* path prefix of the index and /api/v0/web: "/smolder/"; NULL, "" or "/" = none */
    bool support_bundle;       /* false: /-/support is disabled */
    const char *allowed_hosts; /* names of this host, comma-separated (net/server_host.h); borrowed */
    struct controller *controller;
    struct parser_pool *parsers; /* outlives the server; NULL: see parser/parser_batch.h, and no recordings */
    /* Reloads the configuration. False: rejected, with the reason in `why`. NULL: no reload (404). */
    bool (*reload)(void *arg, struct buf *why);
    /* Whether the program itself is healthy; false: the reason in `why`. NULL: always healthy. Called for /-/healthy,
     * so it must not block. */
    bool (*healthy)(void *arg, struct buf *why);
    /* A message for the operator. */
    void (*problem)(void *arg, const char *what);
    /* For support bundles: the effective flags as "name=value" lines, and the configuration files. May be NULL. */
    void (*flags)(void *arg, struct buf *out);
    void (*sources)(void *arg, void (*visit)(void *visit_arg, const struct config_file *file), void *visit_arg);
    void *arg;
    const char *store_address; /* of the embedded store, NULL = none; borrowed */
    bool store_token;          /* access to it by a token */
};

must_check int agent_http_open(const struct agent_http_options *options, struct agent_http **ret, struct err *err);
const char *agent_http_address(const struct agent_http *h);
/* Of its page: "/", or the prefix with a '/' at both ends. */
const char *agent_http_path(const struct agent_http *h);
/* Stages the `http` and `livedebugging` blocks, which can fail, and puts them in force (see controller_options). */
must_check int agent_http_prepare(struct agent_http *h, const struct settings *s, struct err *err);
void agent_http_apply(struct agent_http *h, const struct settings *s);
/* Whether clients on the network need no authentication under these settings, which are in force. */
bool agent_http_is_open(const struct agent_http *h, const struct settings *s);
/* Frees, then calls `closed` (may be NULL). Before controller_free(). NULL is allowed. */
void agent_http_close(struct agent_http *h, void (*closed)(void *arg), void *arg);
