/* What the files say, before anything runs: the components they name and who needs whom.
 *
 * A plan is made aside. It finds every syntax and graph error of all files, each with its position. It holds the syntax trees,
 * which the running graph needs when exports change. Source: spec alloy-language §6.1-6.3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/dag.h"
#include "graph/settings.h"
#include "lang/ast.h"
#include "lang/scope.h"
#include "lang/source.h"

struct plan_node {
    const struct component_def *def;
    const struct ast_stmt *stmt;
    char *id;                                    /* "pyroscope.write.staging", owned */
    size_t place;                                /* in plan.nodes */
    const char **references_to, **referenced_by; /* ids, NULL-terminated; the arrays are owned */
    struct component *component;                 /* borrowed; set by the controller */
    bool is_new;                                 /* component did not exist before this plan */
    bool stale;                                  /* an export it reads changed since its last evaluation */
    bool failed;                                 /* while the plan is evaluated aside: this one, or one it needs */
    void *args, *spare; /* while the plan is evaluated aside: two equal records, one to keep and one to hand over */
};

struct plan {
    struct ast_file **files;
    size_t file_count;
    struct plan_node **nodes; /* in source order */
    size_t len;
    struct dag dag;
    size_t *order;                    /* dependencies first */
    struct plan_node **by_id;         /* sorted by id */
    struct strmap ids;                /* id -> node */
    size_t id_parts;                  /* of the longest id */
    const struct ast_stmt **settings; /* at most one of each name */
    size_t settings_len;
};

/* The sources are the caller's and must outlive the diagnostics. *ret is NULL-safe to free with plan_free(). */
must_check int plan_new(struct source *const *sources, size_t n, const struct controller_options *options,
                        struct plan **ret, struct diags *ds);
void plan_free(struct plan *p);

/* The node that the shortest prefix of a path names, and how many parts that took; NULL when none does. */
struct plan_node *plan_find(const struct plan *p, const struct str *path, size_t n, size_t *used);
