/* Which custom components a body can use: those it declares, those of the namespaces it imports, and what the body
 * around it has.
 *
 * A name is looked up where it is written, so the body of a `declare` sees the definitions of the text that holds it,
 * wherever it is used. Imported text has nothing around it. Reference counted; a module keeps the definitions of the
 * declare that it is made from, and they keep the syntax trees. Source: spec alloy-language §6.2, §6.8.
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

/* A namespace. What is behind it is its block's business, which tells what that has brought. */
struct definitions_import {
    const struct ast_stmt *stmt;
    bool is_skipped;             /* unknown and left out, with all that uses it */
    const struct block *block;   /* of the plan that these are the definitions of; NULL: that plan is gone */
    struct definitions *brought; /* one reference; NULL: nothing yet */
};

/* A `declare`. */
struct declare {
    const struct ast_stmt *stmt;
    struct definitions *home;
    size_t number;                          /* in the order of the text */
    bool is_scanned;                        /* uses is known */
    const struct definitions_import **uses; /* imports of `home` that its body needs, directly or not */
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
/* The namespace is that of `brought` from now on; a reference is taken. NULL: nothing. */
void definitions_bring(struct definitions_import *import, struct definitions *brought);

enum definitions_answer {
    DEFINITIONS_NONE,    /* no such name */
    DEFINITIONS_FOUND,   /* *ret */
    DEFINITIONS_PENDING, /* its namespace has not arrived yet */
};
/* The declare that a block's name means: "name" or "namespace.name", split at the first dot. */
enum definitions_answer definitions_find(const struct definitions *d, struct str name, const struct declare **ret);
/* Whether a block of that name is a custom component here, found or not: its first part is declared or imported. *on:
 * the import it needs, NULL for a declared one. */
bool definitions_claim(const struct definitions *d, struct str name, const struct definitions_import **on);
/* The name closest to one that definitions_find() does not know, or NULL; valid as long as `out`. */
const char *definitions_suggest(const struct definitions *d, struct str name, char *out, size_t size);

/* Every import of `d` itself that a block, or the blocks of a body, need; the same one may come more than once. */
typedef void definitions_visit(void *arg, const struct definitions_import *import);
void definitions_body_uses(struct definitions *d, const struct ast_body *body, definitions_visit *visit, void *arg);
void definitions_block_uses(struct definitions *d, const struct ast_stmt *block, definitions_visit *visit, void *arg);

/* Every set of declares of `d` that need each other, in the order of the text, and every one that needs itself (n ==
 * 1). */
typedef void definitions_circle(void *arg, const struct declare *const *members, size_t n);
void definitions_circles(const struct definitions *d, definitions_circle *visit, void *arg);
