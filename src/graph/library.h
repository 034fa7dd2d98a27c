/* Which custom components a body can use: those it declares, those of the namespaces it imports, and what the body around it has.
 *
 * A name is looked up where it is written, so the body of a `declare` sees the library of the text that holds it, wherever it is
 * used. Imported text has no library around it. Reference counted; the modules made from a template keep its library, and that
 * keeps the syntax trees. Source: spec alloy-language §6.2, §6.8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "lang/ast.h"
#include "lang/value.h"

struct library;
struct plan;
struct plan_node;

/* A `declare`; belongs to its library. */
struct template
{
    const struct ast_stmt *stmt;
    struct library *home;
    size_t number;                 /* in the order of the text */
    bool broken;                   /* its body was refused, and that was reported */
    bool scanned;                  /* uses is known */
    const struct plan_node **uses; /* imports of the home's own plan that its body needs, directly or not */
    size_t uses_len, uses_cap;
};

struct library {
    unsigned refs;
    struct library *parent; /* one reference; NULL at the root and for imported text */
    struct ast_file **files;
    size_t file_count;
    struct strmap declares; /* label -> struct template * */
    struct strmap imports;  /* label -> struct plan_node *; empty once the plan is gone */
    struct value *module_path;
    char *
        remote; /* the import that brought it from another machine, for which it may not name files of this one; else NULL */
};

/* Takes a reference to each file. */
struct library *library_new(struct library *parent, struct ast_file *const *files, size_t n, struct value *module_path);
struct library *library_ref(struct library *l);
void library_unref(struct library *l); /* NULL is fine */

enum library_answer {
    LIBRARY_NONE,    /* no such name */
    LIBRARY_FOUND,   /* *ret */
    LIBRARY_PENDING, /* its namespace has not arrived yet */
};
/* The template that a block's name means: "name" or "namespace.name", split at the first dot. */
enum library_answer library_find(const struct library *l, struct str name, struct template **ret);
/* Whether a block of that name is a custom component here, found or not: its first part is declared or imported. *on: the import
 * it needs, NULL for a declared one. */
bool library_claims(const struct library *l, struct str name, const struct plan_node **on);
/* The name closest to one that library_find() does not know, or NULL; valid as long as the library. */
const char *library_suggest(const struct library *l, struct str name, char *out, size_t size);

/* Every import of `l` itself that a block, or the blocks of a body, need; the same one may come more than once. */
typedef void library_visit(void *arg, const struct plan_node *import);
void library_uses(struct library *l, const struct ast_body *body, library_visit *visit, void *arg);
void library_block_uses(struct library *l, const struct ast_stmt *block, library_visit *visit, void *arg);
/* The nodes of this plan are about to go. */
void library_forget(struct library *l, const struct plan *p);
/* Declares that need themselves: an error each. */
struct diags;
void library_check(const struct library *l, struct diags *ds);
