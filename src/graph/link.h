/* Dependencies between the blocks of a plan: references, topological order, cycles.
 *
 * Call order: link_begin(); link_block() and link_template() for each block; link_order().
 */
#pragma once

#include "base/buf.h"
#include "graph/plan.h"
#include "lang/diag.h"

/* Adds an input block to a template for each block of an enclosing body that it references. */
void link_begin(struct plan *p, const struct body *body);
/* Adds the dependencies of a block and reports unresolved references, without those of a template. */
void link_block(struct plan *p, const struct plan_options *options, const struct block *b, struct diags *ds);
/* Adds the dependencies of a template on its enclosing body to the foreach block. */
void link_template(struct plan *p, const struct block *foreach, const struct plan *template);
/* Sorts the blocks topologically; false: cyclic. */
bool link_order(struct plan *p);
/* Prints their IDs, sorted: "a, b"; as many as fit. */
void link_print_ids(const struct block *const *blocks, size_t n, struct buf *out);
/* Skips blocks that depend only on skipped blocks. A receiver, a credential, or an argument of an inner block (an
 * endpoint, a rule) of what stays that needs a skipped block is an error. Requires link_order(). */
void link_skip_dependants(struct plan *p, struct diags *ds);
/* Fills by_id, references_to and referenced_by. */
void link_index(struct plan *p);
