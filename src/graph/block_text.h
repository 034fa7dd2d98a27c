/* Properties of a block that follow from its text alone.
 */
#pragma once

#include "lang/ast.h"

/* As in the reference: id_len characters from the name on. */
struct range block_text_id_range(const struct ast_stmt *s, size_t id_len);
/* "name.label", or the name where there is no label; to be freed. */
char *block_text_id(const struct ast_stmt *s);

/* The first attribute of that name, or NULL. */
const struct ast_stmt *block_text_attribute(const struct ast_body *body, struct str name);
/* The first template of a foreach block, or NULL. */
const struct ast_stmt *block_text_template(const struct ast_stmt *foreach);
/* Its body without templates; *ret holds the statements, to be freed. */
struct ast_body block_text_without_template(const struct ast_stmt *foreach, struct ast_stmt **ret);
/* The value of `var` of a foreach block, to be freed; NULL: missing, or not a constant expression. */
char *block_text_var(const struct ast_stmt *foreach);
