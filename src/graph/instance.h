/* An instance of a component, custom component, `foreach` block or import: state, arguments, exports and health.
 *
 * An instance survives reloads: `node` is its current position in the running module. Its owner is notified by
 * callbacks. Differences between kinds of blocks are in struct block_kind. Private to the engine; components use
 * component.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/component.h"
#include "graph/health.h"
#include "graph/module_list.h"
#include "lang/ast.h"
#include "lang/scope.h"

struct instance;
struct node;

/* The handle passed to the component. */
struct component {
    char *id; /* "mod.x/test.node.a" */
    void *env;
};

/* Callbacks of the owner. */
struct instance_owner {
    void (*on_change)(void *arg, struct instance *i); /* its exports changed */
    void (*on_stopped)(void *arg);                    /* it can be freed soon */
    void *arg;
};

/* Messages, those of the reference. */
struct block_words {
    const char *created, *evaluated, *evaluation_failed, *started, *stopped;
    const char *failure; /* "Failed to build component" */
    const char *update;  /* prefix of update errors; NULL: none */
    const char *build;
};

/* The operations of a kind of block. NULL: nothing to do. */
struct block_kind {
    struct block_words words;
    bool has_instance;
    bool has_exports_unbuilt; /* null until built, so dependants can be decoded if it fails */
    bool uses_definitions;    /* depends on declares, which imports can change */
    /* Evaluates the node of a staged graph and builds a new instance. On error sets staged->has_failed and adds to
     * `ds`. */
    void (*prepare)(struct node *n, struct diags *ds);
    /* Activates what was staged; its dependencies are active. Errors are added to `ds`. */
    int (*commit)(struct node *n, struct diags *ds);
    /* A dependency changed. */
    int (*evaluate)(struct node *n, struct err *err);
    /* Its exports changed; NULL: its dependants become dirty. */
    int (*take_exports)(struct node *n, struct err *err);
    /* Undoes prepare(). */
    void (*discard)(struct node *n);
    /* Stops and frees what the kind keeps in an instance. */
    void (*stop)(struct instance *i);
    void (*free)(struct instance *i);
    /* The worst of `worst` and the health of its content. */
    const struct health *(*health)(const struct instance *i, const struct health *worst);
};

enum instance_phase {
    INSTANCE_STAGED,   /* built or being built; the load can still be rejected, or its start is delayed */
    INSTANCE_RUNNING,  /* started */
    INSTANCE_STOPPING, /* to be stopped, or stopping */
    INSTANCE_STOPPED,  /* has called component_stopped() */
};

/* While it stops (graph/stopping.h). */
struct instance_stop {
    struct instance **then; /* to be stopped after it */
    size_t then_len;
    size_t waits_for;       /* number of instances to stop before it */
    struct instance *group; /* host, which stops after its content */
    size_t group_len;       /* number of stopping instances with this host */
    bool is_done;           /* stopped itself, waits for its content */
    bool is_released;       /* `then` was notified */
    uint64_t release_ms;    /* loop time: when `then` is stopped anyway */
    uint64_t leave_ms;      /* loop time: when it is abandoned */
    struct instance *next;  /* in the list of those that stop */
};

struct instance {
    struct component handle;
    const struct instance_owner *owner; /* NULL: built for a preview, or stopping timed out */
    const struct block_kind *kind;
    const struct component_def *def; /* NULL: custom components and foreach blocks */
    char *name, *label;
    size_t module_id_len; /* the id begins with that of the module it is in, and a slash if that is not empty */
    struct node *node;    /* borrowed; NULL once it is to be stopped */
    enum instance_phase phase;
    bool is_built;
    const void *args; /* in force; NULL until built, and where there is no def */
    void *state;      /* the component's own; NULL until built */
    struct value *exports;
    bool has_exported;  /* since it was made */
    uint64_t looked_ms; /* when somebody last looked at its exports (uv_now); 0 = never */
    uint64_t sent;      /* things handed on so far */
    /* args as an object, created on demand; without def: the arguments */
    struct value *shown_args;
    struct health run, evaluation, own;
    bool has_own_health;
    struct module_list modules; /* created by it */
    struct module *updated;     /* those with dirty nodes, linked */
    const char **module_ids;    /* of `modules`, NULL-terminated; created on demand */
    bool is_unmeasured;         /* no metrics for its modules */
    void *kind_state;           /* of the kind */
    struct instance_stop stop;
};

static inline struct instance *instance_of(struct component *c)
{
    _Static_assert(offsetof(struct instance, handle) == 0, "a handle is cast to its instance");
    return (struct instance *)c;
}

/* Not built yet. `module_id`: of its module. */
struct instance *instance_new(const struct block_kind *kind, const struct component_def *def,
                              const struct ast_stmt *stmt, const char *id, const char *module_id, void *env);
/* With its modules; without stopping them. */
void instance_free(struct instance *i);
static inline struct module *instance_module(const struct instance *i)
{
    return i->modules.len > 0 ? i->modules.items[0] : NULL;
}

/* Decodes its block: a reference to the arguments, NULL if they equal the active ones. */
must_check int instance_decode(const struct instance *i, const struct ast_stmt *stmt, const struct scope *scope,
                               const void **ret, struct diags *ds);
/* Builds the component, or replaces it on a second call; on error the old one stays. Takes the reference to `args`. */
must_check int instance_build(struct instance *i, const void *args, struct err *err);
/* Updates the running component; on error the old arguments stay. Takes the reference to `args`. */
must_check int instance_update(struct instance *i, const void *args, struct err *err);
/* The exports of a component built with these arguments and freed again. */
must_check int instance_preview(const struct instance *i, const struct ast_stmt *stmt, const void *args,
                                struct value **ret, struct err *err);
void instance_start(struct instance *i);
void instance_stop(struct instance *i);
/* Not stopping and not stopped. */
static inline bool instance_is_alive(const struct instance *i)
{
    return i->phase == INSTANCE_STAGED || i->phase == INSTANCE_RUNNING;
}

/* Records the result of an evaluation; NULL: success. */
void instance_evaluated(struct instance *i, const char *problem);
/* Records that its evaluation waits for "the import", or whatever else it depends on. */
void instance_waits(struct instance *i, const char *for_what);
const struct health *instance_health(const struct instance *i);
/* Borrowed. */
struct value *instance_arguments(struct instance *i);
/* Sets the displayed arguments where there is no def; takes them. */
void instance_show_arguments(struct instance *i, struct value *args);

/* Prefixes errors of the block as a whole with the step they occurred in, as the reference does; those in `ds` after
 * the first `from`. */
void instance_prefix_problems(const struct block_kind *kind, const struct ast_stmt *stmt, struct diags *ds,
                              size_t from);
