/* The merged stacks of a call. To be called in the store's worker; errors are in the call. */
#pragma once

#include "api/pyroscope/flame_levels.h"
#include "api/pyroscope/querier_call.h"

/* Into `f`, which is uninitialised, and the caller's to free in any case. With lines, its names are texts of
 * store/frame_text.h. -EMSGSIZE: more nodes than the limit. */
must_check int querier_tree(struct querier_call *q, struct store_reader *r, bool lines, struct flame *f,
                            struct store_span *span);
/* How many nodes to draw. */
size_t querier_tree_nodes(const struct querier_call *q);

/* Both sides of a comparison. */
struct querier_trees {
    struct flame left, right, both;
    struct flame_levels levels;
};
/* `t` is all zero before. */
must_check int querier_tree_compare(struct querier_call *q, struct store_reader *r, struct querier_trees *t);
void querier_trees_done(struct querier_trees *t);
