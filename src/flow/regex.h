/* Regular expressions with RE2 syntax and linear time, always anchored at both ends: `^(?s:PATTERN)$`.
 *
 * Memory is limited per expression: an expression whose program needs more is rejected; matching never exceeds it. Text
 * must be UTF-8; a dot does not match an invalid sequence. One thread, but for regex_matches(), which any thread that
 * holds a reference may call. Source: spec components §3.1; RE2 syntax.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Longer expressions, and more groups than these, are refused. */
enum { REGEX_PATTERN_MAX = 64 << 10, REGEX_GROUPS_MAX = 64 };

struct regex;
/* Of the last match: groups[0] is the whole text, a group that took no part has p == NULL. Borrowed from the text. */
struct regex_match {
    struct str groups[REGEX_GROUPS_MAX];
    size_t len;
};

/* "error parsing regexp: missing ): ^(?s:(a)$". New reference; of a pattern that is in use already, to the one in
 * use. */
must_check int regex_new(struct str pattern, struct regex **ret, struct err *err);
void regex_unref(struct regex *re); /* NULL is fine */
static inline void regex_unrefp(struct regex **re)
{
    regex_unref(*re);
}
#define cleanup_regex __attribute__((cleanup(regex_unrefp)))

/* As given, without the anchors. NUL-terminated, lives as long as re. */
struct str regex_pattern(const struct regex *re);
bool regex_equal(const struct regex *a, const struct regex *b);
/* `match` may be NULL where only the answer counts, which is cheaper. */
bool regex_matches(const struct regex *re, struct str text, struct regex_match *match);
/* Appends `replacement` with $1, ${1}, $name, ${name} and $$ replaced. A name is the longest run of letters, digits and
 * `_`; what names no group of the match expands to nothing; a `$` that starts no name stays. */
void regex_expand(const struct regex *re, const struct regex_match *match, struct str replacement, struct buf *out);
