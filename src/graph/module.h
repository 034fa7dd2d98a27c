/* One body at work: the root, an instance of a custom component, an item of a foreach block, or what an import brought.
 *
 * A module runs by the graph of its plan. A new one is taken in two steps, so that nothing happens unless everything
 * works: module_stage() evaluates it, with all the modules below it, and builds what is new; then module_commit() makes
 * it the running one, or module_discard() throws it away. While one module is staged, its blocks see what is staged:
 * the exports to be of the modules beside them, the definitions about to come.
 *
 * In between, node_mark() notes what is to be evaluated and module_evaluate() does it: dependencies first, each at most
 * once, the modules inside a node when it is that node's turn. The cost grows with what was marked. What a kind of
 * block does is in its table (struct block_kind). Source: spec alloy-language §6.4-6.10.
 */
#pragma once

#include "graph/node.h"
#include "lang/diag.h"

/* Deeper than anyone writes: a module that imports or makes itself, through whatever detours, ends here. */
enum { MODULE_DEPTH_MAX = 32, MODULE_BLOCKS_MAX = 200000 };

/* In an instance of `outer`, which lists it. `id`: taken over. */
struct module *module_new(const struct module *outer, struct instance *host, char *id);
/* With all that is in it, never started or stopped. NULL is fine. */
void module_free(struct module *m);
/* Empties it so. */
void module_done(struct module *m);

/* Takes over `g`. After a failure module_discard() has to follow, once all that is wrong has been found. */
must_check int module_stage(struct module *m, struct graph *g, struct diags *ds);
/* 0, or -EIO if a component refused its update: it keeps its old arguments, the rest is in force. */
must_check int module_commit(struct module *m, struct diags *ds);
void module_discard(struct module *m);

void module_evaluate(struct module *m);
/* Other definitions may be in force: looks again at all that uses some. */
void module_redefine(struct module *m);

/* Starts what is built. */
void module_start(struct module *m);
void module_note_unstarted(struct module *m);
/* Stops everything in it; its host hears when that is done. The module is empty then. */
void module_stop(struct module *m);

/* Whether there are to be metrics of what is in it: a foreach block makes as many modules as it has items, so only if
 * it says so. */
bool module_is_measured(const struct module *m);

/* For kinds whose instances have modules: struct block_kind.stop and .free. */
void module_stop_all(struct instance *host);
void module_free_all(struct instance *host);

/* Adds to `to` what is not there yet, as many modules of one text have the same complaints. */
void module_merge_problems(struct diags *to, struct diags *from);
