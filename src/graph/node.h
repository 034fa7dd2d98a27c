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

struct module;

/* The modules of a foreach block, in the order of their items. */
struct module_list {
    struct module **items;
    size_t len;
    struct strmap by_id;  /* id -> module */
    struct u64map counts; /* hash of a fingerprint -> how many items had it */
};

struct component {
    struct controller *owner; /* NULL: left behind by a controller that is gone */
    void *env;
    enum node_kind kind;
    const struct component_def *def; /* NULL: custom components and foreach blocks */
    char *id, *name, *label;
    size_t module_id_len;   /* the id begins with that of the module it is in, and a slash if that is not empty */
    struct plan_node *plan; /* borrowed; NULL once it is to be stopped */
    enum node_phase phase;
    bool is_built;
    void *args;  /* what the component has; NULL until built, and where there is no def */
    void *state; /* the component's own; NULL until built */
    struct value *exports;
    uint64_t sent; /* things handed on so far */
    struct value
        *shown_args; /* args as an object, made when somebody looks; NULL: to be made. Without def: the arguments */
    struct health run, evaluation, own, content_health;
    bool has_own_health;

    struct module *module;       /* custom components, imports: what they made */
    struct value *content;       /* imports: what the module was made of */
    struct module_list children; /* foreach: a module for each item */
    bool measures;               /* foreach: there are metrics of what is in them */
    struct module *updated;      /* those of its modules in which something is to be evaluated */
    const char **created;        /* ids of modules, NULL-terminated, made when somebody looks */

    /* While it stops: who is to be stopped after it, and how many have to stop before it. */
    struct component **then;
    size_t then_len, waits_for;
    struct component *group; /* which stops when all that is in it has stopped */
    size_t group_len;        /* how many that are stopping have this one as their group */
    bool self_stopped;       /* it waits for its group only */
    uint64_t release_ms;     /* of the loop's clock: when those behind it are told anyway */
    uint64_t leave_ms;       /* when it is left behind itself */
    bool released;           /* `then` was told */
    struct component *next;  /* in the list of those that stop */
};

/* An instance for `plan`, empty. `module_id`: of the module it is in. */
struct component *node_new(struct controller *owner, void *env, struct plan_node *plan, const char *module_id);
/* Frees the instance with its modules, too; never started or stopped. */
void node_free(struct component *c);

/* Evaluates the block of a component or import. Arguments equal to those in force leave n->args NULL; otherwise n->args and n->spare
 * are set. */
must_check int node_decode(struct plan_node *n, const struct scope *scope, struct diags *ds);
void node_drop_decoded(struct plan_node *n);
/* Builds the instance from n->args. A second call builds it anew, from nothing. The old one stays if that fails. */
must_check int node_build(struct plan_node *n, struct err *err);
/* What an import would bring if it were built now: the exports of an instance that is thrown away. */
must_check int node_preview(struct plan_node *n, const struct scope *scope, struct value **ret, struct err *err);
/* Hands n->args to the running instance; on failure the old arguments stay. Either way n holds none afterwards. */
must_check int node_update(struct plan_node *n, struct err *err);
void node_start(struct component *c);
void node_stop(struct component *c);

/* Records how the last evaluation went; NULL: well. */
void node_evaluated(struct component *c, const char *problem);
const struct health *node_health(const struct component *c);
/* Borrowed. */
struct value *node_arguments(struct component *c);
/* "Failed to build component", or what it is for imports and foreach blocks. */
const char *node_failure(const struct plan_node *n);
/* A problem of the block as a whole, not of one attribute, says in which step it came up, as the reference does. Looks at what was
 * added to `ds` after the first `from`. */
void node_prefix_problems(struct diags *ds, size_t from, const struct plan_node *n);
