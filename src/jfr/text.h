/* Strings as JFR writes them: a type byte, then nothing, a reference, or characters in one of three encodings.
 *
 * Reading gives a slice of the chunk and its encoding; decoding gives valid UTF-8, whatever the producer wrote: the
 * JVM's symbols are modified UTF-8 (surrogates in three bytes each, NUL in two), async-profiler cuts long ones
 * anywhere.
 * Sources: jdk.jfr.internal.consumer.StringParser; spec jfr-asprof §1.2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "jfr/varint.h"

enum jfr_string_kind {
    JFR_STRING_NULL,
    JFR_STRING_EMPTY,
    JFR_STRING_POOLED, /* key of the java.lang.String pool */
    JFR_STRING_UTF8,
    JFR_STRING_CHARS, /* UTF-16 units, a varint each */
    JFR_STRING_LATIN1,
};

struct jfr_string {
    enum jfr_string_kind kind;
    uint64_t key;    /* JFR_STRING_POOLED */
    struct str text; /* raw bytes, borrowed from the chunk */
};

/* Position after the string at p, or NULL where it does not fit or is of no known kind. `ret` may be NULL. */
const uint8_t *jfr_string_read(const uint8_t *p, const uint8_t *end, struct jfr_string *ret);
/* Appends the text as valid UTF-8; what is no character becomes U+FFFD. A pooled string has no text. */
void jfr_string_decode(const struct jfr_string *s, struct buf *out);
/* True where the raw bytes are the decoded text already, so that they can be used in place. */
bool jfr_string_is_plain(const struct jfr_string *s);

/* The text of a string of characters that is ASCII, so that its bytes are the text in every encoding; false for all
 * others. */
bool jfr_string_ascii(const uint8_t *p, const uint8_t *end, struct str *ret);

/* The bytes of a string that has them in place, which most are; false for all others, and near the end of the bytes. */
static inline bool jfr_string_bytes(const uint8_t *p, const uint8_t *end, struct str *ret)
{
    uint64_t len;
    if (end - p <= JFR_VARINT_MAX || (*p != JFR_STRING_UTF8 && *p != JFR_STRING_LATIN1))
        return false;
    p = jfr_varint_unchecked(p + 1, &len);
    *ret = (struct str){(const char *)p, (size_t)len};
    return len <= (uint64_t)(end - p);
}

/* As jfr_string_read without a result: pools hold thousands of strings that nobody looks at. */
static inline const uint8_t *jfr_string_skip(const uint8_t *p, const uint8_t *end)
{
    struct str bytes;
    return jfr_string_bytes(p, end, &bytes) ? (const uint8_t *)bytes.p + bytes.n : jfr_string_read(p, end, NULL);
}
