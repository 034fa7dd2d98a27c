/* A module: the root, an instance of a custom component, a `foreach` item, or the content of an import.
 *
 * A module runs the graph of its plan. A new graph is staged, then committed: module_stage() evaluates it with all
 * nested modules and builds new components; module_commit() makes it the running graph, module_discard() frees it.
 * While a graph is staged, its blocks see staged exports and definitions.
 *
 * Between loads, node_mark_dirty() records what to evaluate and module_evaluate() evaluates it: in topological order,
 * each node at most once, nested modules at the position of their host. Cost is proportional to the number of dirty
 * nodes. Behaviour of each kind of block is in its struct block_kind. Source: spec alloy-language §6.4-6.10.
 */
#pragma once

#include "graph/node.h"
#include "lang/diag.h"

/* Limits for modules that import or instantiate themselves. */
enum { MODULE_DEPTH_MAX = 32, MODULE_BLOCKS_MAX = 200000 };

/* Of an instance in `outer`, which lists it. Takes `id`. */
struct module *module_new(const struct module *outer, struct instance *host, char *id);
/* With its content, without stopping it. NULL is fine. */
void module_free(struct module *m);
/* The same for its content only. */
void module_done(struct module *m);

/* Takes `g`. On error the caller calls module_discard(). */
must_check int module_stage(struct module *m, struct graph *g, struct diags *ds);
/* 0, or -EIO if the update of a component failed: it keeps its old arguments, the rest is committed. */
must_check int module_commit(struct module *m, struct diags *ds);
void module_discard(struct module *m);

void module_evaluate(struct module *m);
/* Definitions may have changed: nodes that use some become dirty. */
void module_redefine(struct module *m);

/* Starts built instances. */
void module_start(struct module *m);
void module_note_unstarted(struct module *m);
/* Stops its content and empties it; its host stops after that. */
void module_stop(struct module *m);

/* Of kinds that have one module for each instance: that module, made at the first call. */
struct module *module_of_node(struct node *n);
/* struct block_kind.discard of these kinds. */
void module_discard_of_node(struct node *n);

/* Whether its components have metrics; those of foreach items only with enable_metrics. */
bool module_is_measured(const struct module *m);

/* struct block_kind.stop and .free of kinds with modules. */
void module_stop_all(struct instance *host);
void module_free_all(struct instance *host);

/* Moves diagnostics without duplicates, as several modules can have the same text. */
void module_merge_problems(struct diags *to, struct diags *from);
