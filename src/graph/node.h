/* The graph of a module: one node per block of its plan, with the block's value or instance and its dirty state.
 *
 * A module has up to two graphs, the running one and one staged by a load. Nodes belong to one graph; commit moves
 * instances from the nodes of one to those of the other. State that only a load needs is in struct staged and freed by
 * the commit.
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

/* Shared by all modules. */
struct engine {
    struct plan_options plan;
    uv_loop_t *loop;
    void *env;
    const struct block_kind *const *kinds; /* by enum block_type */
    struct instance_owner owner;           /* of all instances */
    void (*on_problem)(void *arg, const char *id, const char *message);
    void *problem_arg;
    struct stopping stopping;
    size_t staged_blocks; /* by the current change */
    uint64_t readers;     /* changes of graphs, arguments and looks, for component_readers() */
};

/* Reports the health message of an instance to on_problem. */
void engine_report(const struct engine *e, const struct instance *i);

/* State of a node during a load. */
struct staged {
    bool is_new;     /* no instance was kept */
    bool has_failed; /* it or a dependency */
    bool is_blind;   /* exports of a failed dependency are unknown */
    bool is_unmeasured;
    const void *args;             /* of a component, one reference; NULL: unchanged */
    struct value *arguments;      /* of other instances */
    struct value *exports;        /* to be */
    struct module_list *children; /* of a foreach block: to be */
};

struct node {
    const struct block *block;
    struct graph *graph;
    struct instance *instance; /* NULL: its kind has none, or not created yet */
    struct value *value;       /* argument, export, input */
    struct value *given;       /* argument: the value passed to the module */
    bool is_waiting;           /* not built: what it depends on is not there yet, an imported module or exports */
    bool is_dirty;             /* a dependency changed since its last evaluation */
    bool is_redefined;         /* its definitions may have changed */
    bool is_inside;            /* its modules have dirty nodes */
    bool has_news;             /* its exports changed; for block_kind.take_exports */
    bool is_queued;            /* its rank is in graph.queue */
    bool is_troubled;          /* its last evaluation failed */
    uint64_t dirty_ns;         /* uv_hrtime() when is_dirty was set */
};

struct graph {
    struct plan *plan; /* owned */
    struct module *module;
    struct node *nodes;    /* by block.place */
    struct staged *staged; /* by block.place; NULL: not staged */
    bool is_running;
    bool has_new_exports; /* an export block changed */
    struct rank_queue queue;
    /* While staged: the block of the custom component. */
    const struct ast_stmt *made_for;
};

struct module {
    struct engine *engine;
    struct instance *host; /* NULL: the root */
    char *id;              /* "" at the root */
    unsigned depth;
    struct graph *running, *staged; /* NULL: none */
    /* Of a custom component: the declares of both graphs, and references to their definitions. */
    const struct declare *declare, *staged_declare;
    struct definitions *held, *staged_held;
    bool has_unstarted;     /* contains instances that are built and not started */
    bool is_listed;         /* in host->updated */
    struct module *updated; /* the next one there */
};

/* Takes the plan; evaluates nothing. */
struct graph *graph_new(struct module *m, struct plan *plan);
/* Without its instances. NULL is fine. */
void graph_free(struct graph *g);
/* Frees the state of a load. */
void graph_drop_staged(struct graph *g);
/* Resolves references of its expressions. */
struct scope graph_scope(struct graph *g);
/* The values of its export blocks; new reference. */
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
/* The value a reference to it resolves to; borrowed, NULL: unknown. */
struct value *node_value(const struct node *n);

/* Queues the node for module_evaluate() of the root, if its graph is running. */
void node_mark_dirty(struct node *n);
/* The same for its dependants. */
void node_mark_dependants(struct node *n);
/* Sets has_news and queues it. */
void node_mark_news(struct node *n);
/* Takes `v`; dependants become dirty. False: unchanged. */
bool node_set_value(struct node *n, struct value *v);
/* Queues it without changing its state. */
void node_queue(struct node *n);

/* What one that waits waits for, for its health: "the import". */
const char *node_waits_for(const struct node *n);
/* Sets is_waiting from its dependencies. */
void node_check_waiting(struct node *n);
/* The same for a staged graph; also sets has_failed and is_blind. */
void node_check_needs(struct node *n);
