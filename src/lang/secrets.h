/* Locates secrets in the text of a configuration.
 *
 * Works on tokens instead of the tree, so that files with syntax errors, whose lines are shown in diagnostics, are
 * covered. A literal is secret if it belongs to a secret name (base/secret.h), at any depth, or to a header that may be
 * secret. So is a bare word instead of a literal (missing quotes), and the rest of the line after an illegal character
 * there. sys.env("TOKEN") is not secret. In other literals and in comments, text in the format of a secret is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "lang/source.h"

struct secret_place {
    uint32_t first, end; /* bytes of the source, the second behind the last */
    bool quoted;         /* a whole literal: what takes its place wants quotes */
};

struct secrets {
    const struct source *source; /* borrowed */
    struct secret_place *items;  /* in order, not overlapping */
    size_t len, cap;
    struct secret_place *comments; /* all of them */
    size_t comment_len, comment_cap;
};

void secrets_find(struct secrets *ret, const struct source *source);
void secrets_done(struct secrets *s);
#define cleanup_secrets __attribute__((cleanup(secrets_done)))

/* Bytes `first` to before `end` of the source, a line, with SECRET_HIDDEN in place of each secret. The columns (1 …; 0
 * = none) move to where their bytes stand now; within a secret, to the begin and to the end of what has taken its
 * place. */
void secrets_print(const struct secrets *s, uint32_t first, uint32_t end, unsigned *first_column, unsigned *last_column,
                   struct buf *out);
/* A message about byte `near` of this source, which may quote it: what it quotes of the secrets is hidden, too. */
void secrets_print_message(const struct secrets *s, uint32_t near, const char *message, struct buf *out);
