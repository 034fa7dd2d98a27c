/* Converts the statements of a body to blocks of a plan and checks each block by itself.
 *
 * A block with an error is rejected: it stays in the plan, so that references to it resolve, but the plan is never
 * run. Definitions are collected before the blocks that may use them.
 */
#pragma once

#include "graph/plan.h"
#include "lang/diag.h"

/* In the order of the reference. */
enum collect_class { COLLECT_DECLARE, COLLECT_CONFIG, COLLECT_COMPONENT, COLLECT_SERVICE, COLLECT_CLASSES };
enum collect_class collect_class_of(const struct ast_stmt *block, const struct plan_options *options);

struct collector {
    struct plan *plan;
    const struct body *body;
    const struct plan_options *options;
};
/* Adds one block. Declares and imports come first. */
struct block *collect_block(const struct collector *c, const struct ast_stmt *s, struct diags *ds);
/* Reports an attribute outside a block. */
void collect_attribute(const struct collector *c, const struct ast_stmt *s, struct diags *ds);
/* Adds all blocks in source order: definitions, then the others. */
void collect_body(const struct collector *c, struct diags *ds);
