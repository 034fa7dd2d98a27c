/* The support bundle: what somebody who helps needs to know, as one ZIP, and nothing that is secret.
 *
 *     smolder-support-bundle/
 *       smolder-metadata.yaml                    version, system, architecture, uptime
 *       smolder-components.json                  every component with arguments, exports and debug information
 *       smolder-peers.json                       []
 *       smolder-metrics-sample-{start,end}.txt   /metrics when the bundle was asked for and when it was made
 *       smolder-runtime-flags.txt                name=value
 *       smolder-environment.txt                  NAME=value of a few that say how the process runs
 *       smolder-logs.txt                         the lines in between
 *       smolder-process.txt                      what the kernel says of this process
 *       sources/NAME                             the configuration as api/shared/redact.h leaves it
 *
 * One at a time. Source: spec alloy-language §8.5 (contents, duration 1 to 30 s).
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
    /* Shows each file of the configuration; borrowed during the visit. May be NULL. */
    void (*sources)(void *arg, void (*visit)(void *visit_arg, const struct config_file *file), void *visit_arg);
    void *arg;
};

struct agent_bundle *agent_bundle_new(const struct agent_bundle_options *options);
/* Answers the request, later. */
void agent_bundle_make(struct agent_bundle *b, struct request *rq);
/* After the server is closed. `done` is called when nothing of it is at work any more. */
void agent_bundle_free(struct agent_bundle *b, void (*done)(void *arg), void *arg);
