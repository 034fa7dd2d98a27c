/* The static analysis result of a body: its blocks and their dependencies.
 *
 * A body is the root (all files together), a `declare`, the template of a `foreach`, or imported text; each has a plan
 * of its own. A plan is constant once complete (graph/analysis.h) and contains no running state. It borrows the syntax
 * trees held by its definitions. Source: spec alloy-language §6.1-6.3, §6.8, §6.10.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "graph/block.h"
#include "graph/dag.h"
#include "graph/definitions.h"
#include "lang/ast.h"
#include "lang/stability.h"

struct plan_options {
    const struct component_def *const *components; /* registry, NULL-terminated */
    enum stability stability;
    /* Unknown components, and those that depend only on them, are skipped with a warning. References to them are
     * null. */
    bool skip_unknown;
    /* Reports all errors of a block, with the messages of the reference's validator. */
    bool is_thorough;
};

enum body_kind { BODY_ROOT, BODY_MODULE, BODY_TEMPLATE, BODY_IMPORTED };
struct body {
    enum body_kind kind;
    const struct ast_body *const *parts; /* one for each file */
    size_t len;
    struct definitions *definitions; /* of the text around it; of a root and of imported text its own, empty yet */
    const struct plan *around;       /* BODY_TEMPLATE: the enclosing plan */
    struct str var;                  /* BODY_TEMPLATE: n == 0: not known */
};
/* That of a foreach block of `around`. `part` is its only part and stays the caller's, as `var` does. */
struct body body_of_template(const struct plan *around, const struct ast_body *const *part, struct str var);

struct plan {
    struct definitions *definitions;
    bool has_own_definitions;     /* not those of the enclosing body */
    bool is_module;               /* the body of a declare */
    const struct plan *around;    /* of a template; while it is made */
    const struct block *variable; /* of a template; NULL: not known */
    struct block **blocks;        /* in source order; definitions first */
    size_t len, cap;
    struct dag dag;       /* by block.place */
    size_t *order;        /* topological, of places; NULL: cyclic */
    struct block **by_id; /* block_is_shown(), sorted by ID */
    size_t by_id_len;
    struct strmap ids; /* ID -> first block of that ID */
    size_t id_parts;   /* of the longest id */
};

/* Empty. */
struct plan *plan_new(const struct body *body);
void plan_free(struct plan *p); /* NULL is fine */
static inline void plan_freep(struct plan **p)
{
    plan_free(*p);
}
#define cleanup_plan __attribute__((cleanup(plan_freep)))

/* Takes `id`. */
struct block *plan_add(struct plan *p, enum block_type type, const struct ast_stmt *stmt, char *id);
/* The definitions of this body, created on first use. */
struct definitions *plan_own_definitions(struct plan *p);

/* The block of an id; NULL: none. */
static inline struct block *plan_block(const struct plan *p, struct str id)
{
    return strmap_get(&p->ids, id);
}
/* The block named by the shortest prefix of a path, and the length of the prefix; NULL: none. `any`: also blocks
 * without a value. */
struct block *plan_find(const struct plan *p, const struct str *path, size_t n, bool any, size_t *used);
/* The block an input of a template refers to in an enclosing plan, while that exists; otherwise the block itself. */
const struct block *plan_origin(const struct block *b);
