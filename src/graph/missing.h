/* Diagnostics for references to something that does not exist, with a suggestion.
 *
 *     struct missing m = missing_of(t);
 *     if (ds->errors < MISSING_TRIES_MAX)
 *         for (…) missing_try(&m, parts, id);
 *     missing_report(&m, ds);
 */
#pragma once

#include "lang/ast.h"
#include "lang/diag.h"
#include "lang/suggest.h"

/* Looking for what was meant takes time: after so many errors there is another problem, and nobody need try any
 * more. */
enum { MISSING_ID_MAX = 4096, MISSING_TRIES_MAX = 50 };

struct missing {
    const struct ast_traversal *traversal;
    struct suggest close; /* best is borrowed from whoever owns the ids */
    size_t parts;         /* of the path, that close.best stands for */
};

static inline struct missing missing_of(const struct ast_traversal *t)
{
    return (struct missing){t, {.least = SUGGEST_SLIPS_MAX + 1}, 0};
}

/* `id` exists and is made of so many names: does the path begin nearly so? The id must live until the report. */
void missing_try(struct missing *m, size_t parts, const char *id);
void missing_report(const struct missing *m, struct diags *ds);
