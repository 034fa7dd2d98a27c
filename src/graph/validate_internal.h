/* Between the two halves of the validator: what the blocks are (validate.c), and what is wrong with them (validate_check.c).
 */
#pragma once

#include "base/map.h"
#include "graph/dag.h"
#include "graph/validate.h"
#include "lang/ast.h"

enum {
    VALIDATE_ID_MAX = 4096, /* bytes of an id or a reference in messages */
};

enum check_kind {
    CHECK_SETTINGS, /* logging, http, … */
    CHECK_DECLARE,
    CHECK_IMPORT,
    CHECK_ARGUMENT,
    CHECK_EXPORT,
    CHECK_FOREACH,
    CHECK_COMPONENT,
};

struct check_body;

struct check_node {
    enum check_kind kind;
    const struct ast_stmt *stmt;
    struct ast_body body; /* its own arguments: without the template of a foreach; nothing of a declare */
    char *id;             /* "declare.x", "pyroscope.write.out" */
    size_t place;         /* in the nodes of its body */
    const struct schema *schema;
    const struct component_def *def;      /* of components of this program, and of imports */
    const struct check_node *declaration; /* of custom components: the declare or the import */
    struct check_body *inner;             /* what a declare or the template of a foreach holds */
    bool skipped;                         /* unknown, which an option allows */
    struct diags own;                     /* found while blocks were collected */
};

/* The root, the inside of a declare, or a template. */
struct check_body {
    const struct validate_options *options;
    struct check_body *parent;
    const struct check_node *owner; /* NULL: the root */
    bool is_template;               /* sees the names around it */
    char *var;                      /* of a template; NULL: not known */
    struct check_node **nodes;      /* in the order of reports */
    size_t len, cap;
    struct strmap ids;    /* id -> node */
    struct strmap custom; /* label -> declare or import */
    struct dag dag;
    struct diags own; /* about statements that make no node */
};

/* Reports everything, nodes in order. */
void check_all(struct check_body *b, struct diags *ds);
/* "service \"x\"" and the like are named by their whole id, which has as many characters as the range. */
struct range check_id_range(const struct ast_stmt *s, const char *id);
