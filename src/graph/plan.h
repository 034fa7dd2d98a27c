/* What a body says, before anything runs: the blocks it holds and who needs whom.
 *
 * A body is the root (all files together), that of a `declare`, the template of a `foreach`, or imported text; each has
 * a plan of its own. A plan never changes once it is made (graph/analysis.h) and is no part of what runs. It borrows
 * the syntax trees that its definitions keep. Source: spec alloy-language §6.1-6.3, §6.8, §6.10.
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
    const struct component_def *const *components; /* NULL-terminated registry */
    enum stability stability;
    /* Unknown components, and what needs nothing but those, are left out with a warning each. References to them are
     * null. */
    bool skip_unknown;
    /* Goes on with a block after the first thing that is wrong with it, in the words of the reference's validator. */
    bool is_thorough;
};

enum body_kind { BODY_ROOT, BODY_MODULE, BODY_TEMPLATE, BODY_IMPORTED };
struct body {
    enum body_kind kind;
    const struct ast_body *const *parts; /* one for each file */
    size_t len;
    struct definitions *definitions; /* of the text around it; of a root and of imported text its own, empty yet */
    const struct plan *around;       /* BODY_TEMPLATE: whose names it sees, too */
    struct str var;                  /* BODY_TEMPLATE: n == 0: not known */
};

struct plan {
    struct definitions *definitions;
    bool has_own_definitions;     /* they are of this body, not of what is around it */
    bool is_module;               /* the body of a declare */
    const struct plan *around;    /* of a template; while it is made */
    const struct block *variable; /* of a template; NULL: not known */
    struct block **blocks;        /* in source order; definitions first */
    size_t len, cap;
    struct dag dag;       /* by block.place */
    size_t *order;        /* places, dependencies first; NULL: there is none */
    struct block **by_id; /* those that are shown, sorted by id */
    size_t by_id_len;
    struct strmap ids; /* id -> block; of several blocks of one id the first */
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
/* The definitions to put something in, made when first needed. */
struct definitions *plan_own_definitions(struct plan *p);

/* The block of an id; NULL: none. */
static inline struct block *plan_block(const struct plan *p, struct str id)
{
    return strmap_get(&p->ids, id);
}
/* The block that the shortest prefix of a path names, and how many parts that took; NULL when none does. `any`: also
 * those that expressions cannot read. */
struct block *plan_find(const struct plan *p, const struct str *path, size_t n, bool any, size_t *used);
/* What an input of a template stands for in a plan around it, while that is there; of a variable itself. Other blocks
 * are what they are. */
const struct block *plan_origin(const struct block *b);
