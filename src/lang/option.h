/* One option of a record: its kind, and decoding, comparing and freeing its field. Tables of them: lang/schema.h.
 *
 * Blocks are handled by schema.c; their options must not be passed to these functions. Errors are causes, prefixed with
 * the path to the failing part ("[2] should be string, got array"), for eval_blame(). Source: spec alloy-language §3.7.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "lang/value.h"

struct schema;

enum option_kind {
    OPT_BOOL,        /* bool */
    OPT_INT,         /* int64_t */
    OPT_UINT,        /* uint64_t */
    OPT_FLOAT,       /* double */
    OPT_DURATION,    /* int64_t nanoseconds, Go syntax "1m30s" */
    OPT_STRING,      /* char *, never NULL after decoding */
    OPT_SECRET,      /* char *, from a string or a secret; prints as (secret) */
    OPT_ENUM,        /* an enum (or int), from one of the words of option.words */
    OPT_STRING_LIST, /* struct string_list */
    OPT_STRING_MAP,  /* struct string_map */
    OPT_ANY,         /* struct value *, one reference */
    OPT_CUSTOM,      /* whatever option.custom decodes */
    OPT_BLOCK,       /* the nested record inline, at most once; absent = its defaults */
    OPT_BLOCKS,      /* struct block_list, any number, in source order */
};

struct string_list {
    char **items;
    size_t len;
};
struct string_pair {
    char *name, *value;
};
struct string_map {
    struct string_pair *items; /* sorted by name */
    size_t len;
};
struct block_list {
    void *items; /* len records of the nested schema's size, back to back */
    size_t len;
};

/* The words of an enumerated option. Zero is the value of an option that is not given and has no default. */
struct option_words {
    const char *unknown; /* begins the error: "unknown TLS version" */
    enum {
        UNKNOWN_LISTED, /* unknown TLS version "x", expected TLS12 or TLS13 */
        UNKNOWN_QUOTED, /* unrecognized log level "x": the reference's text, as is the next one */
        UNKNOWN_COLON,  /* unknown TLS version: x */
    } form;
    const struct option_word {
        const char *text; /* NULL ends the table; "" is accepted, but not listed */
        int value;
    } * words;
};

/* A type that another layer owns, e.g. lists of targets. The field is zeroed before decode; zero means empty. Errors
 * are causes, with the way to the part at fault in front ("[2].name should be string, got bool"): that part is what
 * gets the carets. */
struct option_type {
    const char *name; /* for docs: "list(map(string))" */
    int (*decode)(struct value *v, void *field, struct err *err);
    void (*done)(void *field);
    bool (*equal)(const void *a, const void *b);
    struct value *(*to_value)(const void *field); /* new reference, for the API */
};

struct option {
    const char *name; /* "profiling_config"; NULL ends the table */
    enum option_kind kind;
    size_t offset;
    bool required;
    const char *default_text;         /* an expression of the language: "\"60s\"", "true"; NULL = zero value */
    const char *help;                 /* one line, Markdown */
    const struct option_type *custom; /* OPT_CUSTOM */
    const struct option_words *words; /* OPT_ENUM */
    const struct schema *block;       /* OPT_BLOCK, OPT_BLOCKS */
    size_t set_offset;                /* not 0: a bool at this offset tells whether the config named the option */
};

/* The zero value, which for strings is "". */
void option_zero(const struct option *o, void *field);
/* Into zeroed memory, which stays zeroed on failure. */
must_check int option_decode(const struct option *o, struct value *v, void *field, struct err *err);
bool option_equal(const struct option *o, const void *a, const void *b);
void option_done(const struct option *o, void *field);                    /* zeroes it */
struct value *option_to_value(const struct option *o, const void *field); /* new reference */

/* The word for a value; NULL: it has none. */
const char *option_word(const struct option_words *words, int value);
/* "TLS12 or TLS13", each word between two `quote`s. */
void option_words_list(const struct option_words *words, const char *quote, struct buf *out);
