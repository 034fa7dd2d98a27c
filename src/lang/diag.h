/* Positions and diagnostics: message, range, and an excerpt with carets.
 *
 * Offsets, lines and columns count bytes; line and column start at 1, 0 = unknown. A list owns its texts and holds a
 * reference to the source of each position. Rendering follows spec alloy-language §4.5.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct source; /* lang/source.h: a file's name and text */

/* Borrows its source; one in a list of diagnostics is safe. */
struct pos {
    const struct source *source; /* NULL: nowhere */
    unsigned offset, line, column;
};
/* From the first to the last byte, both included; last.source == NULL means a single character. */
struct range {
    struct pos first, last;
};

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

/* All of these hide what is secret in the configuration (lang/secrets.h), in excerpts and where a message quotes it. */

/* "file:line:col: message", the first plus " (and N more diagnostics)" for a list. */
void diag_line(const struct diag *d, struct buf *out);
/* Each of the first `most` with its line and the message in it; both borrowed during the visit. */
typedef void diag_visit(void *arg, const struct diag *d, const char *line, const char *message);
void diags_lines(const struct diags *ds, size_t most, diag_visit *visit, void *arg);
void diags_summary(const struct diags *ds, struct buf *out);
/* The same as the text of an error; returns -EINVAL. */
int diags_err(const struct diags *ds, struct err *err);
/* Where a text goes. On a terminal nothing of a file may be a control sequence (base/terminal.h). */
enum diag_look {
    DIAG_AS_IS,
    DIAG_TERMINAL,
    DIAG_COLOUR /* a terminal that shows colours, which are those of the spec */
};

/* Header, excerpt and carets of every diagnostic. */
void diags_pretty(const struct diags *ds, enum diag_look look, struct buf *out);
