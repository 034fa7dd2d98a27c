/* The parser: text to syntax tree.
 *
 * Time and memory are linear in the text; nesting is limited to AST_DEPTH_MAX. All errors are added to `ds`, at most
 * one syntax error per line; with any error there is no tree (-EINVAL). The tree holds its own reference to the source.
 * Source: spec alloy-language §2; the recovery after an error is §2.4.
 */
#pragma once

#include "base/err.h"
#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/source.h"

/* *ret is a new reference with ret->body filled. */
must_check int parse_file(struct source *source, struct ast_file **ret, struct diags *ds);
/* A single expression up to the end of the text; ret->expr is filled. */
must_check int parse_expression(struct source *source, struct ast_file **ret, struct diags *ds);
