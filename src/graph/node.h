/* One component of the running graph: its instance, its arguments and exports, and how it is doing.
 *
 * The instance outlives the plan that named it first: `plan` is its place in the present one. Private to the engine; components
 * see component.h.
 */
#pragma once

#include "graph/component.h"
#include "graph/health.h"
#include "graph/plan.h"

enum node_phase {
    NODE_ASIDE,    /* built, or about to be: the plan may still be refused, or its start has to wait */
    NODE_RUNNING,  /* started */
    NODE_STOPPING, /* to be stopped, or told so */
    NODE_STOPPED,  /* said so itself */
};

struct component {
    struct controller *owner; /* NULL: left behind by a controller that is gone */
    void *env;
    const struct component_def *def;
    char *id, *label;
    struct plan_node *plan; /* borrowed; NULL once it is to be stopped */
    enum node_phase phase;
    void *args;  /* what the component has; NULL until built */
    void *state; /* the component's own; NULL until built */
    struct value *exports;
    uint64_t sent;            /* things handed on so far */
    struct value *shown_args; /* args as an object, made when somebody looks; NULL: to be made */
    struct health run, evaluation, own;
    bool has_own_health;
    /* While it stops: who is to be stopped after it, and how many have to stop before it. */
    struct component **then;
    size_t then_len, waits_for;
    uint64_t release_ms;    /* of the loop's clock: when those behind it are told anyway */
    uint64_t leave_ms;      /* when it is left behind itself */
    bool released;          /* `then` was told */
    struct component *next; /* in the list of those that stop */
};

struct component *node_new(struct controller *owner, void *env, struct plan_node *plan);
/* Frees the instance, too; never started or stopped. */
void node_free(struct component *c);

/* Evaluates the block of `n`. Arguments equal to those in force leave n->args NULL; otherwise n->args and n->spare are set. */
must_check int node_decode(struct plan_node *n, const struct scope *scope, struct diags *ds);
void node_drop_decoded(struct plan_node *n);
/* Builds the instance from n->args. A second call builds it anew, from nothing. The old one stays if that fails. */
must_check int node_build(struct plan_node *n, struct err *err);
/* Hands n->args to the running instance; on failure the old arguments stay. Either way n holds none afterwards. */
must_check int node_update(struct plan_node *n, struct err *err);
void node_start(struct component *c);
void node_stop(struct component *c);

/* Records how the last evaluation went; NULL: well. */
void node_evaluated(struct component *c, const char *problem);
const struct health *node_health(const struct component *c);
/* Borrowed. */
struct value *node_arguments(struct component *c);
