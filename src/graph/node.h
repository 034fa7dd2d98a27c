/* The nodes of a module: one for each block of its plan, with the value or instance that it has, and what is to be
 * evaluated.
 *
 * A module has up to two graphs, the running one and one that is staged by a load. A node belongs to one of them; an
 * instance goes from a node of the one to a node of the other when that takes over. What only a load needs is in
 * `staged`, and gone after it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "graph/instance.h"
#include "graph/module_list.h"
#include "graph/plan.h"
#include "graph/rank_queue.h"
#include "graph/stopping.h"
#include "lang/scope.h"

/* What all modules of a program share. */
struct engine {
    struct plan_options plan;
    uv_loop_t *loop;
    void *env;
    const struct block_kind *const *kinds; /* by enum block_type */
    struct instance_owner owner;           /* of all instances */
    void (*on_problem)(void *arg, const char *id, const char *message);
    void *problem_arg;
    struct stopping stopping;
    size_t staged_blocks; /* of the change under way */
};

/* Tells the operator what is wrong with an instance. */
void engine_report(const struct engine *e, const struct instance *i);

/* Of a node, while its module is staged. */
struct staged {
    bool is_new;     /* its instance did not exist before */
    bool has_failed; /* it, or one that it needs */
    bool is_blind;   /* what it reads of a failed one is not even known */
    bool is_unmeasured;
    const void *args;             /* of a component, to be: one reference; NULL: nothing new */
    struct value *arguments;      /* of what is none: the same */
    struct value *exports;        /* to be */
    struct module_list *children; /* of a foreach block: to be */
};

struct node {
    const struct block *block;
    struct graph *graph;
    struct instance *instance; /* NULL: its kind has none, or there is none yet */
    struct value *value;       /* of what has no instance: argument, export, input */
    struct value *given;       /* argument: what the module was given */
    bool is_waiting;   /* cannot be built yet: a module that it needs, itself or through others, has not arrived */
    bool is_stale;     /* something it reads changed since its last evaluation */
    bool is_redefined; /* the definitions it uses may have changed */
    bool is_inside;    /* something in its modules is to be evaluated */
    bool has_news;     /* its exports changed, which its kind looks at itself */
    bool is_queued;    /* its rank is in graph.queue */
    bool is_troubled;  /* the last evaluation of its value failed */
    uint64_t stale_ns; /* when is_stale was set, of uv_hrtime() */
};

struct graph {
    struct plan *plan; /* owned */
    struct module *module;
    struct node *nodes;    /* by block.place */
    struct staged *staged; /* the same; NULL: no load is at work on it */
    bool is_running;
    bool has_new_exports; /* one of its export blocks has */
    struct rank_queue queue;
    /* While it is staged: the block of the custom component that it is for. */
    const struct ast_stmt *made_for;
};

struct module {
    struct engine *engine;
    struct instance *host; /* NULL: the root */
    char *id;              /* "" at the root */
    unsigned depth;
    struct graph *running, *staged; /* NULL: none */
    /* Of a custom component: what they are made of, and the definitions that keep that. */
    const struct declare *declare, *staged_declare;
    struct definitions *held, *staged_held;
    bool has_unstarted;     /* it, or a module in it, has something that is built and not started */
    bool is_listed;         /* in host->updated */
    struct module *updated; /* the next one there */
};

/* Takes the plan. Nothing is evaluated yet. */
struct graph *graph_new(struct module *m, struct plan *plan);
/* Without its instances. NULL is fine. */
void graph_free(struct graph *g);
/* No load is at work on it any more. */
void graph_drop_staged(struct graph *g);
/* The names of expressions in it. */
struct scope graph_scope(struct graph *g);
/* What its export blocks make up; new reference. */
struct value *graph_exports(const struct graph *g);
/* NULL: none of that id. */
struct node *graph_node(const struct graph *g, struct str id);
static inline struct node *graph_node_at(const struct graph *g, size_t rank)
{
    return &g->nodes[g->plan->order[rank]];
}

static inline struct staged *node_staged(const struct node *n)
{
    return n->graph->staged ? &n->graph->staged[n->block->place] : NULL;
}
static inline struct engine *node_engine(const struct node *n)
{
    return n->graph->module->engine;
}
static inline const struct block_kind *node_kind(const struct node *n)
{
    return node_engine(n)->kinds[n->block->type];
}
/* What it is worth for those that read it; borrowed, NULL: not known yet. */
struct value *node_value(const struct node *n);

/* The node is to be evaluated, by module_evaluate() of the root; while its module is staged that happens anyway. */
void node_mark(struct node *n);
/* The same for those that need it. */
void node_mark_dependants(struct node *n);
/* Its exports have changed, and its kind wants to look at them itself. */
void node_mark_news(struct node *n);
/* Takes `v`; those that read it are marked. False: it was the same. */
bool node_set_value(struct node *n, struct value *v);
/* Puts the node back into the queue, marked as it is. */
void node_queue(struct node *n);

/* Whether something that it needs is yet to come. */
void node_check_waiting(struct node *n);
/* The same while its module is staged, and whether something that it needs has failed. */
void node_check_needs(struct node *n);
