/* The running configuration: a graph of components kept in step with the files.
 *
 * Loading. controller_load() does everything aside first: it parses, wires, decodes the arguments of every component
 * and builds the new ones, in the order of their references. A component of the same id in both configurations is kept
 * with its state. Any syntax, graph, decoding or build error leaves the running graph exactly as it was, and all errors
 * found are reported, with positions. Only then the graphs are swapped: kept components whose arguments differ are
 * updated, vanished ones stopped, new ones started. One thing can fail after that point, a component refusing its
 * update: it keeps its old arguments and turns unhealthy, the rest of the new configuration runs, and the load returns
 * -EIO.
 *
 * Running. When a component publishes changed exports, its direct dependants are evaluated anew, soon, in one batch
 * from the loop, dependencies first, each at most once. If that fails the dependant keeps its old arguments, turns
 * unhealthy, and on_problem hears.
 *
 * Loop thread only. Source: spec alloy-language §6.1-6.6, §9.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/config_file.h"
#include "base/err.h"
#include "graph/component.h"
#include "lang/diag.h"

struct controller;
struct module;
struct settings;

struct controller_options {
    uv_loop_t *loop;
    const struct component_def *const *components; /* NULL-terminated registry */
    enum stability stability;
    /* Unknown components, and what needs nothing but those, are left out with a warning each. References to them are
     * null. */
    bool skip_unknown;
    void *env; /* what component_env() returns */
    /* Optional: something went wrong outside a load, for the log. Both texts are valid during the call. */
    void (*on_problem)(void *arg, const char *component_id, const char *message);
    void *problem_arg;
    /* Optional: the settings blocks of a load (settings/settings.h). `prepare` gets them when everything else is known
     * to be fine, and makes ready what can fail; its error refuses the load. `apply` follows at once unless the load
     * was refused, and cannot fail. */
    int (*prepare)(void *arg, const struct settings *s, struct err *err);
    void (*apply)(void *arg, const struct settings *s);
    void *settings_arg;
    unsigned stop_ms; /* how long controller_stop() waits; 0 = CONTROLLER_STOP_MS */
};
enum { CONTROLLER_STOP_MS = 9000 };

struct controller *controller_new(const struct controller_options *options);
/* Text of one or more files, in order, borrowed during the call. The first load that succeeds starts the components. 0;
 * -EINVAL: refused, nothing changed; -EIO: loaded, but a component refused its update. `ds` can hold warnings in any
 * case. -ESHUTDOWN after controller_stop(). */
must_check int controller_load(struct controller *c, const struct config_file *files, size_t n, struct diags *ds);
bool controller_ready(const struct controller *c);
/* Stops every component: those nobody references at once and in parallel, the others as soon as everyone who references
 * them has stopped (or had five ninths of the time, 5 s), so that what a component hands over while it stops still
 * finds its receiver at work. `done` is called from the loop when all have stopped or time is up; whoever has not
 * stopped by then is reported to on_problem and left behind. */
void controller_stop(struct controller *c, void (*done)(void *arg), void *arg);
/* After done, or if nothing was ever loaded; the loop must then run once more to close a timer. */
void controller_free(struct controller *c);

/* For graph/view.h: what runs; empty when nothing is loaded. */
const struct module *controller_root(const struct controller *c);
