/* A borrowed slice of bytes, not NUL-terminated. The provider documents its lifetime. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /* may be NULL when n is 0 */
    size_t n;
};

/* A literal or array, its NUL left out. */
#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, ((s).p ? (s).p : "")

static inline struct str str_of(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *s)
{
    return str_eq(a, str_of(s));
}

/* Any 1 to 7 bytes as a word, to be looked at together; some come twice. */
static inline uint64_t str_short_word(struct str s)
{
    uint32_t first, last;
    if (s.n < sizeof first)
        return (uint8_t)s.p[0] | (uint64_t)(uint8_t)s.p[s.n / 2] << 8 | (uint64_t)(uint8_t)s.p[s.n - 1] << 16;
    memcpy(&first, s.p, sizeof first);
    memcpy(&last, s.p + s.n - sizeof last, sizeof last);
    return first | (uint64_t)last << 32;
}

/* Bytewise order, as strcmp. */
int str_cmp(struct str a, struct str b);
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_suffix(struct str s, struct str suffix);
/* Without blanks, tabs and line ends at both ends. */
struct str str_trim(struct str s);
/* Cuts the next piece up to `sep` off `*rest`; false when nothing is left. "a,,b" yields "a", "", "b". */
bool str_split(struct str *rest, char sep, struct str *ret);
/* Whole-string decimal; false on anything else, and on overflow. */
bool str_to_u64(struct str s, uint64_t *ret);
bool str_to_i64(struct str s, int64_t *ret);
/* Heap copy with a NUL, to be freed. */
char *str_dup(struct str s);
/* Bytes of the valid UTF-8 sequence that `s`, not empty, begins with; 0 when it is none (RFC 3629: no surrogates). */
size_t str_utf8_sequence(struct str s);
/* The character there, with the same answer. */
size_t str_rune(struct str s, uint32_t *ret);
/* Characters that act on whoever shows a text instead of being shown: C0 and C1 controls, separators of lines and
 * paragraphs, and those that turn the direction of text (Unicode Bidirectional Algorithm, UAX #9 §2). */
bool rune_is_control(uint32_t rune);
/* The text on one line, for a message: each such character is a blank; bytes that are no UTF-8 stay. Cut to `size`
 * with its NUL, between characters. `ret` may be where the text is. */
void str_one_line(struct str text, char *ret, size_t size);
/* All of it is UTF-8. */
bool str_is_utf8(struct str s);
/* The hash used by all maps here: keyed, of this process only (base/hash.h). */
uint64_t str_hash(struct str s);
/* Edit distance for "did you mean", at most `max` + 1. */
unsigned str_distance(struct str a, struct str b, unsigned max);
