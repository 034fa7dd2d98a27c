#include "graph/kind_component.h"

#include "base/cleanup.h"
#include "graph/module.h"
#include "lang/diag_text.h"

static void component_prepare(struct node *n, struct diags *ds)
{
    const struct scope scope = graph_scope(n->graph);
    struct staged *s = node_staged(n);
    node_check_needs(n);
    if (n->is_waiting || s->is_blind)
        return;
    /* What needs a failed one is still decoded, for its own mistakes, but not built. */
    if (instance_decode(n->instance, n->block->stmt, &scope, &s->args, ds) < 0)
        s->has_failed = true;
    struct err err = {0};
    if (s->has_failed || !s->is_new || instance_build(n->instance, TAKE_PTR(s->args), &err) == 0)
        return;
    s->has_failed = true;
    diag_error(ds, n->block->stmt->range, "%s: %s", kind_component.words.failure, err.text);
}

/* Gives the component its new arguments, if there are any, with the reference to them; its health says how that went.
 * One that has not started is built anew: updates come after start. */
static int component_hand_over(struct node *n, const void *args, struct err *err)
{
    int code = 0;
    struct instance *i = n->instance;
    node_engine(n)->readers += args != NULL;
    if (args)
        code = i->phase == INSTANCE_STAGED ? instance_build(i, args, err) : instance_update(i, args, err);
    if (i->is_built && i->phase == INSTANCE_STAGED)
        module_note_unstarted(n->graph->module);
    instance_evaluated(i, code < 0 ? err->text : NULL);
    return code;
}

static int component_commit(struct node *n, struct diags *ds)
{
    struct err err = {0};
    struct staged *s = node_staged(n);
    if (n->is_waiting && s->is_new)
        instance_waits(n->instance, node_waits_for(n));
    if (n->is_dirty || n->is_waiting)
        return 0;
    const int code = component_hand_over(n, TAKE_PTR(s->args), &err);
    if (code < 0)
        diag_error(ds, n->block->stmt->range, "%s: %s", kind_component.words.failure, err.text);
    return code;
}

int kind_component_evaluate(struct node *n, struct err *err)
{
    const struct scope scope = graph_scope(n->graph);
    cleanup_diags struct diags ds = DIAGS_INIT;
    const void *args;
    if (instance_decode(n->instance, n->block->stmt, &scope, &args, &ds) == 0)
        return component_hand_over(n, args, err);
    int code = diags_err(&ds, err);
    code = err_wrap(err, code, "decoding configuration");
    instance_evaluated(n->instance, err->text);
    return code;
}

const struct block_kind kind_component = {
    .words = {.created = "component created",
              .evaluated = "component evaluated",
              .evaluation_failed = "component evaluation failed",
              .started = "started component",
              .stopped = "component shut down cleanly",
              .failure = "Failed to build component",
              .build = "building component",
              .update = "updating component"},
    .has_instance = true,
    .has_exports_unbuilt = true,
    .prepare = component_prepare,
    .commit = component_commit,
    .evaluate = kind_component_evaluate,
};
