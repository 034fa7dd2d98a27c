/* Components on their way out, after a reload or at the end of the program.
 *
 * Those that hand over stop before those that take: a component is told to stop when all that reference it have
 * stopped, so that a last profile still finds its receiver at work. All that wait for nobody stop in parallel. One that
 * needs too long holds up nobody: after a while those behind it are told, and at the limit it is reported and left
 * behind, its memory with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "graph/dag.h"
#include "graph/instance.h"

struct stopping {
    struct instance *first; /* linked by stop.next */
    unsigned limit_ms;      /* from being added to being left behind */
};

/* The graph of a module: its instances by place, NULL for none, and their dependencies. */
struct stopping_graph {
    const struct dag *dag;
    const size_t *order; /* places, dependencies first */
    struct instance **instances;
};

/* Takes the instances without a node and stops the first of them. `group`, if any, counts as stopped only after them.
 * `now_ms`: any clock. */
void stopping_add(struct stopping *s, const struct stopping_graph *g, struct instance *group, uint64_t now_ms);
/* Tells those whose turn has come, frees those that have stopped, reports and forgets those whose time is up. */
void stopping_step(struct stopping *s, uint64_t now_ms, void (*late)(void *arg, const char *id), void *arg);
/* Milliseconds until stopping_step() is due even if nothing happens; only while there are components. */
uint64_t stopping_due(const struct stopping *s, uint64_t now_ms);
/* Whether a component of this kind has yet to stop. */
bool stopping_has(const struct stopping *s, const struct component_def *def);
