/* Turns the statements of a body into blocks of its plan, and says what is wrong with each by itself.
 *
 * A block in which something is wrong is refused: it stays in the plan, so that references to it lead somewhere, and
 * the plan never runs. Definitions come before everything that may use them.
 */
#pragma once

#include "graph/plan.h"
#include "lang/diag.h"

/* In the order in which the reference looks at them. */
enum collect_class { COLLECT_DECLARE, COLLECT_CONFIG, COLLECT_COMPONENT, COLLECT_SERVICE, COLLECT_CLASSES };
enum collect_class collect_class_of(const struct ast_stmt *block, const struct plan_options *options);

struct collector {
    struct plan *plan;
    const struct body *body;
    const struct plan_options *options;
};
/* One block. Declares and imports must come before those that use them. */
struct block *collect_block(const struct collector *c, const struct ast_stmt *s, struct diags *ds);
/* An attribute, which belongs to no body. */
void collect_attribute(const struct collector *c, const struct ast_stmt *s, struct diags *ds);
/* Everything, in the order of the text: definitions, then the rest. */
void collect_body(const struct collector *c, struct diags *ds);
