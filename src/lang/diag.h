/* Lists of diagnostics: severity, message, range. As text: lang/diag_text.h.
 *
 * A list owns its texts and holds a reference to the source of each position.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "lang/source.h"

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diag {
    enum severity severity;
    struct range range;
    char *message; /* owned */
};
struct diags {
    struct diag *items;
    size_t len, cap, errors; /* errors: how many of them are errors */
};
#define DIAGS_INIT ((struct diags){0})

/* Adds; returns -EINVAL so that raising is one line. */
int diag_add(struct diags *ds, enum severity severity, struct range range, const char *fmt, ...) printf_like(4, 5);
#define diag_error(ds, range, ...) diag_add(ds, SEVERITY_ERROR, range, __VA_ARGS__)
#define diag_warn(ds, range, ...)  diag_add(ds, SEVERITY_WARNING, range, __VA_ARGS__)
/* Moves all of `from` to the end of `to`. */
void diags_move(struct diags *to, struct diags *from);
void diags_done(struct diags *ds);
#define cleanup_diags __attribute__((cleanup(diags_done)))
