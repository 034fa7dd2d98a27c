/* What runs of a block: the component that it made, its arguments and exports, and how its last evaluation went.
 *
 * An instance outlives the plan that named it first: `node` is its place in the running module. Whoever owns it hears
 * through callbacks. What a kind of block does differently is in its table. Private to the engine; components see
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

/* The handle that a component has of itself. */
struct component {
    char *id; /* "mod.x/test.node.a" */
    void *env;
};

/* Who hears of an instance. */
struct instance_owner {
    void (*on_change)(void *arg, struct instance *i); /* its exports are others than before */
    void (*on_stopped)(void *arg);                    /* soon there is something to free */
    void *arg;
};

/* In the words of the reference. */
struct block_words {
    const char *created, *evaluated, *evaluation_failed, *started, *stopped;
    const char *failure; /* "Failed to build component" */
    const char *update;  /* "updating component", before what went wrong; NULL: that says enough by itself */
    const char *build;
};

/* What a kind of block does at each step. NULL: nothing. */
struct block_kind {
    struct block_words words;
    bool has_instance;
    bool has_exports_unbuilt; /* they are null until it is built, so that what reads them is known all the same */
    bool uses_definitions;    /* what it is may change when what is imported does */
    /* Evaluates it for a module that is staged, and builds what is new. A failure has set staged->has_failed and told
     * `ds`. */
    void (*prepare)(struct node *n, struct diags *ds);
    /* The staged module is the running one now, and what this node needs has been here. Problems go to `ds`. */
    int (*commit)(struct node *n, struct diags *ds);
    /* Something that it reads has changed. */
    int (*evaluate)(struct node *n, struct err *err);
    /* Its exports have changed; NULL: those who read them are to be evaluated. */
    int (*take_exports)(struct node *n, struct err *err);
    /* What prepare() made is not wanted. */
    void (*discard)(struct node *n);
    /* An instance: stops and frees what is in it. */
    void (*stop)(struct instance *i);
    void (*free)(struct instance *i);
    /* The worse of its own health and that of what is in it. */
    const struct health *(*health)(const struct instance *i, const struct health *worst);
};

enum instance_phase {
    INSTANCE_STAGED,   /* built, or about to be: the plan may still be refused, or its start has to wait */
    INSTANCE_RUNNING,  /* started */
    INSTANCE_STOPPING, /* to be stopped, or told so */
    INSTANCE_STOPPED,  /* said so itself */
};

/* While it stops (graph/stopping.h). */
struct instance_stop {
    struct instance **then; /* who is to be stopped after it */
    size_t then_len;
    size_t waits_for;       /* how many have to stop before it */
    struct instance *group; /* which stops when all that is in it has stopped */
    size_t group_len;       /* how many that are stopping have this one as their group */
    bool is_done;           /* it waits for its group only */
    bool is_released;       /* `then` was told */
    uint64_t release_ms;    /* of the loop's clock: when those behind it are told anyway */
    uint64_t leave_ms;      /* when it is left behind itself */
    struct instance *next;  /* in the list of those that stop */
};

struct instance {
    struct component handle;
    const struct instance_owner
        *owner; /* NULL: nobody, it is built for a look only, or left behind by a controller that is gone */
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
    uint64_t sent; /* things handed on so far */
    /* args as an object, made when somebody looks; NULL: to be made. Without def: the arguments */
    struct value *shown_args;
    struct health run, evaluation, own;
    bool has_own_health;
    struct module_list modules; /* that it made */
    struct module *updated;     /* those of them in which something is to be evaluated */
    const char **module_ids;    /* of `modules`, NULL-terminated, made when somebody looks */
    bool is_unmeasured;         /* there are no metrics of what is in `modules` */
    void *kind_state;           /* of the kind */
    struct instance_stop stop;
};

static inline struct instance *instance_of(struct component *c)
{
    return (struct instance *)c;
}

/* Empty. `module_id`: of the module it is in. */
struct instance *instance_new(const struct block_kind *kind, const struct component_def *def,
                              const struct ast_stmt *stmt, const char *id, const char *module_id, void *env);
/* With what is in it; never started or stopped. */
void instance_free(struct instance *i);
static inline struct module *instance_module(const struct instance *i)
{
    return i->modules.len > 0 ? i->modules.items[0] : NULL;
}

/* Evaluates its block: a reference to new arguments, NULL where they equal those in force. */
must_check int instance_decode(const struct instance *i, const struct ast_stmt *stmt, const struct scope *scope,
                               const void **ret, struct diags *ds);
/* Builds the component. A second call builds it anew, from nothing. The old one stays if that fails. Takes the
 * reference, as the next one does. */
must_check int instance_build(struct instance *i, const void *args, struct err *err);
/* Hands new arguments to the running component; on failure the old ones stay. */
must_check int instance_update(struct instance *i, const void *args, struct err *err);
/* The exports that a component of these arguments would have at once: it is built for a look and thrown away. */
must_check int instance_preview(const struct instance *i, const struct ast_stmt *stmt, const void *args,
                                struct value **ret, struct err *err);
void instance_start(struct instance *i);
void instance_stop(struct instance *i);
/* It has been stopped, and so has what is in it. */
static inline bool instance_is_alive(const struct instance *i)
{
    return i->phase == INSTANCE_STAGED || i->phase == INSTANCE_RUNNING;
}

/* Records how the last evaluation went; NULL: well. */
void instance_evaluated(struct instance *i, const char *problem);
/* It has not been evaluated yet, as something that it needs has to come. */
void instance_waits(struct instance *i);
const struct health *instance_health(const struct instance *i);
/* Borrowed. */
struct value *instance_arguments(struct instance *i);
/* What shows the arguments where there is no def; takes it. */
void instance_show_arguments(struct instance *i, struct value *args);

/* Problems of the block as a whole, not of one attribute, say in which step they came up, as the reference does. Looks
 * at what was added to `ds` after the first `from`. */
void instance_prefix_problems(const struct block_kind *kind, const struct ast_stmt *stmt, struct diags *ds,
                              size_t from);
