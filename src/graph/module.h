/* One body at work: the root, an instance of a custom component, an item of a foreach block, or what an import brought.
 *
 * A module runs by its plan. A new one is taken in two steps, so that nothing happens unless everything works: module_prepare()
 * evaluates it aside, with all the modules below it, and builds what is new; then module_commit() makes it the running one, or
 * module_discard() throws it away. While one module is prepared, its components see what is aside: the exports to be of the modules
 * beside them, the libraries about to come.
 *
 * In between, module_mark() notes what is to be evaluated and module_evaluate() does it: dependencies first, each at most once, the
 * modules inside a node when it is that node's turn. The cost grows with what was marked. Source: spec alloy-language §6.4-6.10.
 */
#pragma once

#include "graph/node.h"
#include "graph/plan.h"

/* Deeper than anyone writes: a module that imports or makes itself, through whatever detours, ends here. */
enum { MODULE_DEPTH_MAX = 32, MODULE_NODES_MAX = 200000 };

struct module {
    struct controller *owner;
    struct component *host; /* NULL: the root */
    char *id;               /* "" at the root */
    unsigned depth;
    struct plan *plan, *next; /* the running one, NULL at first; the one aside */
    /* Custom components: what the plan and the one aside were made of, and the libraries that keep those. */
    const struct template *template, *next_template;
    struct library *held, *next_held;
    bool unstarted;         /* it, or a module in it, has something that is built and not started */
    bool listed;            /* in host->updated */
    struct module *updated; /* the next one there */
};

/* In a component of `outer`. `id`: taken over. */
struct module *module_new(const struct module *outer, struct component *host, char *id);
/* With all that is in it, never started or stopped. NULL is fine. */
void module_free(struct module *m);
/* Empties it so. */
void module_done(struct module *m);

/* Takes over `p`. After a failure module_discard() has to follow, once all that is wrong has been found. */
must_check int module_prepare(struct module *m, struct plan *p, struct diags *ds);
/* 0, or -EIO if a component refused its update: it keeps its old arguments, the rest is in force. */
must_check int module_commit(struct module *m, struct diags *ds);
void module_discard(struct module *m);

/* Sets the value of an argument, export or input; what reads it is marked. Takes `v`. False: it was the same. */
bool module_set(struct plan_node *n, struct value *v);
/* `n` is to be evaluated, by module_evaluate() of the root. */
void module_mark(struct plan_node *n);
/* The same for those that need `n`. */
void module_mark_dependants(struct plan_node *n);
void module_evaluate(struct module *m);
/* Another library may be in force: looks at the definitions of all that is in the module. */
void module_redefine(struct module *m);

/* Starts what is built. */
void module_start(struct module *m);
void module_note_unstarted(struct module *m);
/* Stops everything in it; `group` hears when that is done. The module is empty then. */
void module_stop(struct module *m);

/* Whether there are to be metrics of what is in it: a foreach block makes as many modules as it has items, so only if it says so. */
bool module_is_measured(const struct module *m);
/* The exports that an export block of a plan make up; new reference. */
struct value *module_exports(const struct plan *p);

/* Adds to `to` what is not there yet, as many modules of one text have the same complaints. */
void diags_merge(struct diags *to, struct diags *from);

/* What the kinds of nodes with modules of their own do: aside, when the plan becomes the running one, and when something they read
 * changed. A failing prepare has set n->failed and told `ds`. */
void custom_prepare(struct module *m, struct plan_node *n, struct diags *ds);
must_check int custom_commit(struct plan_node *n, struct diags *ds);
must_check int custom_evaluate(struct plan_node *n, struct err *err);
void foreach_prepare(struct module *m, struct plan_node *n, struct diags *ds);
must_check int foreach_commit(struct plan_node *n, struct diags *ds);
must_check int foreach_evaluate(struct plan_node *n, struct err *err);
void foreach_discard(struct plan_node *n);
void foreach_free(struct module_list *l);
void import_prepare(struct module *m, struct plan_node *n, struct diags *ds);
must_check int import_commit(struct plan_node *n, struct diags *ds);
must_check int import_evaluate(struct plan_node *n, struct err *err);
/* Its source has something new: import_evaluate() soon. */
void import_refresh(struct plan_node *n);
/* What it brought, or is about to bring; NULL: nothing yet. */
const struct library *import_library(const struct plan_node *import);
/* What a node needs is being prepared: whether something of it failed, or is yet to come. */
void module_check_needs(struct plan_node *n);
/* Text for err of all that is in `ds`. */
int module_problem(const struct diags *ds, struct err *err);

/* Arguments and exports of the module, and inputs of a template, from their blocks, from what was given, and from around. */
must_check int value_node_evaluate(struct plan_node *n, struct value **ret, struct diags *ds);
/* What a node is worth for those that read it; borrowed, NULL: not known yet. */
struct value *plan_node_value(const struct plan_node *n);
