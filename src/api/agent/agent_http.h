/* The agent's own API; docs/http-api.md is its manual.
 *
 *     any       /-/ready     200 "smolder is ready." or 503       any  /-/healthy  200, or 500 with what is unhealthy
 *     GET, POST /-/reload    200 "config reloaded" or 400 with every diagnostic; not from pages of other origins
 *     GET       /-/support?duration=1…30   a support bundle, api/agent_bundle.h; not from pages of other origins
 *     GET       /metrics     Prometheus text 0.0.4
 *     any       /api/v0/component/…        404: no component serves HTTP
 *     and, below the prefix:
 *     any       /api/v0/web/components[/ID], /api/v0/web/modules/MODULE/components, /api/v0/web/peers
 *     any       /api/v0/web/graph[/MODULE]?window=, /api/v0/web/debug/ID?sampleProb=   endless, api/agent_live.h
 *     any       /api/v0/web/remotecfg/…    500: not available
 *     GET       /            links to these
 *
 * Source: spec alloy-language §8.1-8.2 (paths, statuses, JSON), §9 (what healthy means).
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "graph/controller.h"
#include "graph/settings.h"

struct agent_http;

struct agent_http_options {
    uv_loop_t *loop;
    const char *listen;
    const char *prefix;        /* path before the page and /api/v0/web: "/smolder/"; NULL, "" or "/" = none */
    bool support_bundle;       /* false: /-/support is refused */
    const char *allowed_hosts; /* names of this machine, separated by commas (net/server_host.h); borrowed */
    struct controller *controller;
    /* Loads the configuration again; false: it was refused and `why` says so. NULL: no reload here (404). */
    bool (*reload)(void *arg, struct buf *why);
    /* Whether the program itself is well; false: `why` says what is not. NULL: it always is. For /-/healthy, so it must be quick. */
    bool (*healthy)(void *arg, struct buf *why);
    /* Something to tell the operator. */
    void (*problem)(void *arg, const char *what);
    /* For support bundles: the flags in force as "name=value" lines, and the files of the configuration. May be NULL. */
    void (*flags)(void *arg, struct buf *out);
    void (*sources)(void *arg, void (*visit)(void *visit_arg, const struct config_file *file), void *visit_arg);
    void *arg;
    const char *store_address; /* for a link on the index, NULL when there is none; borrowed */
};

must_check int agent_http_open(const struct agent_http_options *options, struct agent_http **ret, struct err *err);
const char *agent_http_address(const struct agent_http *h);
/* The `http` and `livedebugging` blocks: what can fail, then the rest (see controller_options). */
must_check int agent_http_prepare(struct agent_http *h, const struct settings *s, struct err *err);
void agent_http_apply(struct agent_http *h, const struct settings *s);
/* Whether the network can ask without a password with these settings, which are in force. */
bool agent_http_is_open(const struct agent_http *h, const struct settings *s);
/* Frees, then calls `closed` (may be NULL). Before controller_free(). NULL is fine. */
void agent_http_close(struct agent_http *h, void (*closed)(void *arg), void *arg);
