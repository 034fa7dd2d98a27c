/* Where a configuration says something secret, as places in its text.
 *
 * Works on tokens and not on the tree, so that a file that does not parse is covered, too: it is just the one whose lines are shown in
 * diagnostics. A literal is secret when it belongs to a secret name (base/secret.h), wherever below it, or to a header that may be
 * secret; so is a word in its place, since somebody forgot its quotes, and the rest of the line behind a character that is illegal
 * there. sys.env("TOKEN") is none: it says where a secret comes from. In other literals and in comments it is what has the form of a
 * secret.
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

/* Bytes `first` to before `end` of the source, a line, with SECRET_HIDDEN in place of each secret. The columns (1 …; 0 = none) move to
 * where their bytes stand now; within a secret, to the begin and to the end of what has taken its place. */
void secrets_print(const struct secrets *s, uint32_t first, uint32_t end, unsigned *first_column, unsigned *last_column,
                   struct buf *out);
/* A message about byte `near` of this source, which may quote it: what it quotes of the secrets is hidden, too. */
void secrets_print_message(const struct secrets *s, uint32_t near, const char *message, struct buf *out);
