/* Who needs whom: the references between the blocks of a plan, and the order they demand.
 *
 * In turn: link_begin(); link_block() and link_template() for the blocks; link_order().
 */
#pragma once

#include "base/buf.h"
#include "graph/plan.h"
#include "lang/diag.h"

/* A template names what is around it: each such name becomes a block of its own, whose value comes from there. */
void link_begin(struct plan *p, const struct body *body);
/* Notes what a block needs, and says which of its references lead nowhere. A template is a body of its own. */
void link_block(struct plan *p, const struct plan_options *options, const struct block *b, struct diags *ds);
/* What a template needs of the body around it, the foreach block needs. */
void link_template(struct plan *p, const struct block *foreach, const struct plan *template);
/* False: there is none, as blocks need each other. */
bool link_order(struct plan *p);
/* Ids of those, sorted: "a, b"; as many as `out` has room for. */
void link_print_ids(const struct block *const *blocks, size_t n, struct buf *out);
/* Leaves out what needs nothing but blocks that are left out. There is an order. */
void link_skip_dependants(struct plan *p, struct diags *ds);
/* What people ask for: ids of those that are shown, and of those they refer to. */
void link_index(struct plan *p);
