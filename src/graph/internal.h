/* What the parts of the engine share: the controller itself, and what nodes and modules tell it.
 */
#pragma once

#include "graph/controller.h"
#include "graph/module.h"
#include "graph/stopping.h"

struct ticker;
struct controller {
    struct controller_options options;
    struct ticker *ticker;
    struct module root; /* plan NULL: nothing loaded, or shutting down */
    struct stopping stopping;
    size_t planned; /* nodes in the plans of the change under way */
    bool busy;      /* at work on a load or a batch: what is marked meanwhile needs no waking */
    bool shutting_down;
    void (*done)(void *arg);
    void *done_arg;
};

void controller_exports_changed(struct controller *c, struct component *from);
/* Soon, from the loop: evaluate, start, stop what is due. */
void controller_wake(struct controller *c);
void controller_report(const struct controller *c, const char *id, const char *message);
