/* The agent's own API.
 *
 *     any  /-/ready    200 "smolder is ready." or 503            any  /-/healthy  200, or 500 with the names of the unhealthy
 *     GET, POST /-/reload   200 "config reloaded" or 400 with what is wrong
 *     GET  /metrics    Prometheus text 0.0.4
 *     GET  /api/v0/web/components[/ID]   the list, or one component with its bodies
 *     GET  /           links to these
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
    const char *allowed_hosts; /* names of this machine, separated by commas (net/server_host.h); borrowed */
    struct controller *controller;
    /* Loads the configuration again; false: it was refused and `why` says so. NULL: no reload here (404). */
    bool (*reload)(void *arg, struct buf *why);
    /* Something to tell the operator. */
    void (*problem)(void *arg, const char *what);
    /* Called before /metrics is answered, to set gauges. May be NULL. */
    void (*before_metrics)(void *arg);
    void *arg;
    const char *store_address; /* for a link on the index, NULL when there is none; borrowed */
};

must_check int agent_http_open(const struct agent_http_options *options, struct agent_http **ret, struct err *err);
const char *agent_http_address(const struct agent_http *h);
/* The `http` and `livedebugging` blocks: what can fail, then the rest (see controller_options). */
must_check int agent_http_prepare(struct agent_http *h, const struct settings *s, struct err *err);
void agent_http_apply(struct agent_http *h, const struct settings *s);
/* Frees, then calls `closed` (may be NULL). Before controller_free(). NULL is fine. */
void agent_http_close(struct agent_http *h, void (*closed)(void *arg), void *arg);
