/* The support bundle: one ZIP for troubleshooting, without secrets.
 *
 *     smolder-support-bundle/
 *       smolder-metadata.yaml                    version, system, architecture, uptime
 *       smolder-components.json                  all components with arguments, exports and debug information
 *       smolder-peers.json                       []
 *       smolder-metrics-sample-{start,end}.txt   /metrics at the start and the end
 *       smolder-runtime-flags.txt                name=value
 *       smolder-environment.txt                  NAME=value of an allowlist of environment variables
 *       smolder-logs.txt                         the lines in between
 *       smolder-process.txt                      process status from /proc
 *       sources/NAME                             the configuration, redacted (api/shared/redact.h)
 *
 * One bundle at a time. Source: spec alloy-language §8.5 (contents, duration 1 to 30 s).
 */
#pragma once

#include <uv.h>

#include "graph/controller.h"
#include "net/server.h"

struct agent_bundle;

struct agent_bundle_options {
    uv_loop_t *loop;
    struct controller *controller;
    void (*metrics)(void *arg, struct buf *out);
    void (*flags)(void *arg, struct buf *out); /* may be NULL */
    /* Visits each configuration file, borrowed during the visit. May be NULL. */
    void (*sources)(void *arg, void (*visit)(void *visit_arg, const struct config_file *file), void *visit_arg);
    void *arg;
};

struct agent_bundle *agent_bundle_new(const struct agent_bundle_options *options);
/* Replies later. */
void agent_bundle_make(struct agent_bundle *b, struct request *rq);
/* To be called after the server is closed. `done` is called when its last job has ended. */
void agent_bundle_free(struct agent_bundle *b, void (*done)(void *arg), void *arg);
