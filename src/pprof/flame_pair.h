/* Flame graphs put together: one beneath a node of another, and two side by side, for a comparison. One owner, any
 * thread.
 */
#pragma once

#include "pprof/flame.h"

/* Where each node of `side` is beneath `at` of `to`, to which its frames are added. To be freed. */
uint32_t *flame_join(struct flame *to, uint32_t at, const struct flame *side);
/* Adds the values of a joined graph to where it is. */
void flame_join_values(struct flame *to, const uint32_t *places, const struct flame *side);

enum { FLAME_SIDES = 2 };
/* Adds all frames of both sides to `both`, an empty graph with room for them. self[s]: what each of its nodes has of
 * its own on that side; to be freed. The values of `both` stay as they are. */
void flame_pair(struct flame *both, const struct flame *const sides[static FLAME_SIDES],
                int64_t *self[static FLAME_SIDES]);
/* Totals by node, of such values. To be freed. */
int64_t *flame_totals(const struct flame *f, const int64_t *self);
