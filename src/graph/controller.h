/* The running configuration: a graph of components kept in step with the files.
 *
 * controller_load() parses and wires everything aside; any syntax, graph, decoding or build error leaves the running graph untouched.
 * Loop thread only. Source: spec alloy-language §6.1-6.6, §9.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/err.h"
#include "graph/component.h"
#include "lang/diag.h"

struct controller;

/* A configuration file in memory. `name` is what messages show. Borrowed during the call. */
struct config_file {
    const char *name;
    const char *text;
    size_t len;
};

struct controller_options {
    uv_loop_t *loop;
    const struct component_def *const *components; /* NULL-terminated registry */
    enum stability stability;
    void *env; /* what component_env() returns */
};

struct controller *controller_new(const struct controller_options *options);
/* Text of one or more files, in order. The first load that succeeds starts the components. */
must_check int controller_load(struct controller *c, const struct config_file *files, size_t n, struct diags *ds);
bool controller_ready(const struct controller *c);
/* Stops every component in parallel; `done` is called when all have stopped. */
void controller_stop(struct controller *c, void (*done)(void *arg), void *arg);
void controller_free(struct controller *c); /* after done */

enum health_state { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_EXITED };
struct component_view {
    const char *id, *name, *label;
    enum health_state health;
    const char *message;
    int64_t updated_ns;                                      /* since the epoch, when the health last changed */
    struct value *arguments, *exports;                       /* borrowed objects, arguments may be NULL */
    const char *const *references_to, *const *referenced_by; /* NULL-terminated ids */
};
/* Calls visit for every component, in id order, until it returns false. */
void controller_each(struct controller *c, bool (*visit)(void *arg, const struct component_view *v), void *arg);
/* New reference, or NULL where the component has none. */
struct value *controller_debug_info(struct controller *c, const char *id);
