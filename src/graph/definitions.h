/* The custom components in scope of a body: its own declares, the namespaces it imports, and the definitions of the
 * enclosing body.
 *
 * Names have lexical scope: the body of a `declare` sees the definitions of the text that contains it, wherever it is
 * instantiated. Imported text has no enclosing scope. Reference counted: a module holds the definitions its declare
 * comes from, and these hold the syntax trees. Source: spec alloy-language §6.2, §6.8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "lang/ast.h"
#include "lang/value.h"

struct block;
struct diags;
struct definitions;

/* An imported namespace. Its block sets `brought` when content arrives. */
struct definitions_import {
    const struct ast_stmt *stmt;
    bool is_skipped;             /* unknown and skipped, with the components that use it */
    const struct block *block;   /* in the plan of these definitions; NULL once that plan is freed */
    struct definitions *brought; /* one reference; NULL: no content yet */
};

/* A `declare`. */
struct declare {
    const struct ast_stmt *stmt;
    struct definitions *home;
    size_t number;                          /* in the order of the text */
    bool is_scanned;                        /* uses is known */
    const struct definitions_import **uses; /* imports of `home` its body depends on, also through other declares */
    size_t uses_len, uses_cap;
};

struct definitions {
    unsigned refs;
    struct definitions *parent; /* one reference; NULL at the root and for imported text */
    struct ast_file **files;
    size_t file_count;
    struct strmap declares; /* label -> struct declare * */
    struct strmap imports;  /* label -> struct definitions_import * */
    struct value *module_path;
    char *
        /* the import that brought it from another machine, for which it may not name files of this one; else NULL */
        remote;
};

/* Takes a reference to each file. */
struct definitions *definitions_new(struct definitions *parent, struct ast_file *const *files, size_t n,
                                    struct value *module_path);
struct definitions *definitions_ref(struct definitions *d);
void definitions_unref(struct definitions *d); /* NULL is fine */

/* The label must not be taken. */
void definitions_add_declare(struct definitions *d, const struct ast_stmt *declare);
struct definitions_import *definitions_add_import(struct definitions *d, const struct ast_stmt *import);
/* Sets the content of a namespace; takes a reference. NULL: none. */
void definitions_bring(struct definitions_import *import, struct definitions *brought);

enum definitions_answer {
    DEFINITIONS_NONE,    /* no such name */
    DEFINITIONS_FOUND,   /* *ret */
    DEFINITIONS_PENDING, /* its namespace has no content yet */
};
/* The declare that a block's name means: "name" or "namespace.name", split at the first dot. */
enum definitions_answer definitions_find(const struct definitions *d, struct str name, const struct declare **ret);
/* Whether a block of that name is a custom component: its first part is declared or imported. *on: the import, NULL
 * for a declare. */
bool definitions_claim(const struct definitions *d, struct str name, const struct definitions_import **on);
/* The name closest to one that definitions_find() does not know, or NULL; valid as long as `out`. */
const char *definitions_suggest(const struct definitions *d, struct str name, char *out, size_t size);

/* Every import of `d` itself that a block or the blocks of a body depend on; may repeat. */
typedef void definitions_visit(void *arg, const struct definitions_import *import);
void definitions_body_uses(struct definitions *d, const struct ast_body *body, definitions_visit *visit, void *arg);
void definitions_block_uses(struct definitions *d, const struct ast_stmt *block, definitions_visit *visit, void *arg);

/* Every cycle of declares of `d`, members in source order; n == 1: self reference. */
typedef void definitions_circle(void *arg, const struct declare *const *members, size_t n);
void definitions_circles(const struct definitions *d, definitions_circle *visit, void *arg);
