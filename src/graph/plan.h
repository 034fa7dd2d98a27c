/* What a body says, before anything runs: the blocks it holds and who needs whom.
 *
 * A body is the root (all files together), that of a `declare`, the template of a `foreach`, or imported text; each has a plan of its
 * own. A plan is made aside and touches nothing that runs. Making one finds every error that needs no evaluation, each with its
 * position. It borrows the syntax trees that its library keeps. Source: spec alloy-language §6.1-6.3, §6.8, §6.10.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/dag.h"
#include "graph/library.h"
#include "settings/settings.h"
#include "lang/ast.h"
#include "lang/scope.h"
#include "lang/source.h"

enum node_kind {
    NODE_COMPONENT,
    NODE_CUSTOM,   /* an instance of a declare */
    NODE_FOREACH,  /* makes a module for each item */
    NODE_IMPORT,   /* brings a library */
    NODE_ARGUMENT, /* what the module was given */
    NODE_EXPORT,   /* what the module gives */
    NODE_INPUT,    /* of a template: its variable, or something of the body around it */
    NODE_SKIPPED,  /* unknown, or needs nothing but unknown ones; allowed by an option */
};

struct plan_node {
    enum node_kind kind;
    const struct component_def *def;             /* NODE_COMPONENT, NODE_IMPORT */
    const struct ast_stmt *stmt;                 /* NULL: NODE_INPUT */
    struct plan *plan;                           /* the one it is part of */
    char *id;                                    /* "pyroscope.write.staging", owned; unique in the plan */
    size_t place;                                /* in plan.nodes */
    size_t rank;                                 /* in plan.order */
    const char **references_to, **referenced_by; /* ids of components, NULL-terminated; the arrays are owned */
    struct component *component;                 /* borrowed; set by the module */
    bool is_new;                                 /* component did not exist before this plan */
    bool failed;                                 /* while the plan is evaluated aside: this one, or one it needs */
    bool blind;                                  /* at the same time: what it reads of a failed one is not even known */
    bool waits;         /* cannot be built yet: a module that it needs, itself or through others, has not arrived */
    bool stale;         /* something it reads changed since its last evaluation */
    uint64_t stale_ns;  /* when that was noticed, of uv_hrtime() */
    bool redefined;     /* the libraries it uses may have changed */
    bool inside;        /* something in its modules is to be evaluated */
    bool content;       /* an import: its files changed */
    bool queued;        /* its rank is in plan.queue */
    void *args, *spare; /* while the plan is evaluated aside: two equal records, one to keep and one to hand over */
    /* Arguments, exports and inputs: what they are. Others: while the plan is evaluated aside, their exports or arguments to be. */
    struct value *value, *given;
    struct module_list *next_children; /* NODE_FOREACH: while the plan is evaluated aside */
    bool measures;                     /* at the same time: what it says of metrics */
};

/* Ranks of nodes to be evaluated, smallest first. */
struct rank_queue {
    size_t *heap, len, cap;
};

struct plan {
    struct library *library;
    const struct plan *around;       /* of a template: whose names it sees, too */
    struct module *live;             /* the module that runs by this plan; NULL: made aside */
    const struct ast_stmt *made_for; /* of a custom component: its block */
    struct ast_file **files;         /* the root's, one reference each */
    size_t file_count;
    struct plan_node **nodes; /* in source order */
    size_t len, cap;
    struct dag dag;
    size_t *order;            /* dependencies first */
    struct plan_node **by_id; /* components, custom components and foreach blocks, sorted by id */
    size_t by_id_len;
    struct strmap ids;                /* id -> node */
    size_t id_parts;                  /* of the longest id */
    const struct ast_stmt **settings; /* at most one of each name */
    size_t settings_len, settings_cap;
    struct rank_queue queue;
    bool exports_changed; /* one of its exports did */
};

enum body_kind { BODY_ROOT, BODY_MODULE, BODY_TEMPLATE, BODY_IMPORTED };
struct body {
    enum body_kind kind;
    const struct ast_body *const *parts; /* one for each file */
    size_t len;
    struct library *library; /* of the text around it; of a root and of imported text its own, empty yet */
    const struct plan *around;
    const struct body *outer; /* of a template that is looked at with the body around it */
    struct str var;           /* BODY_TEMPLATE */
};
must_check int plan_make(const struct body *body, const struct controller_options *options, struct plan **ret,
                         struct diags *ds);
/* The root's. *ret is NULL-safe to free with plan_free(). */
must_check int plan_new(struct source *const *sources, size_t n, const struct controller_options *options,
                        struct plan **ret, struct diags *ds);
void plan_free(struct plan *p);

/* What blocks of the engine may hold; that of foreach without its template. */
extern const struct schema argument_schema, export_schema, foreach_schema;

/* The node that the shortest prefix of a path names, and how many parts that took; NULL when none does. */
struct plan_node *plan_find(const struct plan *p, const struct str *path, size_t n, size_t *used);
/* Turns the statements into nodes; plan_make() in two steps, each in a file of its own. */
void plan_collect(struct plan *p, const struct body *body, const struct controller_options *options, struct diags *ds);
/* Finds the references between nodes, the order, and what is wrong with them. */
void plan_link(struct plan *p, const struct body *body, const struct controller_options *options, struct diags *ds);
struct plan_node *plan_add(struct plan *p, enum node_kind kind, const struct ast_stmt *stmt, char *id);
/* As in the reference: as many characters as the id has, from the name on, which is more than the name where there is a label. */
struct range plan_id_range(const struct ast_stmt *s, size_t id_len);

/* The template block of a foreach block; NULL when it has none. */
const struct ast_stmt *foreach_template(const struct ast_stmt *block);
/* What `var` of a foreach block is, to be freed; it must not need anything to be evaluated. NULL: missing, or it does. */
char *foreach_var(const struct ast_stmt *block);

/* A node's names for expressions of the plan: what every evaluation of its nodes uses. */
struct scope plan_scope(struct plan *p);

void rank_queue_push(struct rank_queue *q, size_t rank);
bool rank_queue_pop(struct rank_queue *q, size_t *ret);
