/* Diagnostics as text: a line each, or with an excerpt of the source and carets.
 *
 * All of these hide what is secret in the configuration (lang/secrets.h), in excerpts and where a message quotes it.
 * Source: spec alloy-language §4.5.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/diag.h"

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
