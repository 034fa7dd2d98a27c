/* What the text of a block says by itself, whatever is around it.
 */
#pragma once

#include "lang/ast.h"

/* As in the reference: as many characters as the id has, from the name on, which is more than the name where there is a
 * label. */
struct range block_text_id_range(const struct ast_stmt *s, size_t id_len);
/* "name.label", or the name where there is no label; to be freed. */
char *block_text_id(const struct ast_stmt *s);

/* The attribute of that name; of several the first. NULL: none. */
const struct ast_stmt *block_text_attribute(const struct ast_body *body, struct str name);
/* The template of a foreach block; NULL: none. */
const struct ast_stmt *block_text_template(const struct ast_stmt *foreach);
/* Its body without any; *ret, to be freed, holds the statements. */
struct ast_body block_text_without_template(const struct ast_stmt *foreach, struct ast_stmt **ret);
/* What `var` of a foreach block is, to be freed; it must not need anything to be evaluated. NULL: missing, or it
 * does. */
char *block_text_var(const struct ast_stmt *foreach);
