/* Option tables: one table per record defines names, types, defaults, requirements and help, and is used for decoding,
 * comparison, freeing, JSON, `validate` and the reference documentation.
 *
 *     struct args { char *tmp_dir; int64_t interval; };
 *     static const struct option options[] = {
 *         {"tmp_dir", OPT_STRING, offsetof(struct args, tmp_dir), .default_text = "\"/tmp\"", .help = "Where …"},
 *         {"interval", OPT_DURATION, offsetof(struct args, interval), .default_text = "\"60s\"", .help = "…"},
 *         {0}};
 *     const struct schema schema = {.size = sizeof(struct args), .options = options};
 *
 * A record is a plain C struct; it owns its heap parts until schema_done(). Source: spec alloy-language §3.7, §4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "lang/diag.h"
#include "lang/scope.h"
#include "lang/value.h"

struct ast_body;

enum option_kind {
    OPT_BOOL,        /* bool */
    OPT_INT,         /* int64_t */
    OPT_UINT,        /* uint64_t */
    OPT_FLOAT,       /* double */
    OPT_DURATION,    /* int64_t nanoseconds, Go syntax "1m30s" */
    OPT_STRING,      /* char *, never NULL after decoding */
    OPT_SECRET,      /* char *, from a string or a secret; prints as (secret) */
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
    const struct schema *block;       /* OPT_BLOCK, OPT_BLOCKS */
    size_t set_offset;                /* not 0: a bool at this offset tells whether the config named the option */
};

struct schema {
    size_t size; /* of the record */
    const struct option *options;
    /* Runs after all options are in; its error gets the block's range. NULL = nothing to check. */
    int (*validate)(const void *record, struct err *err);
};

/* Fills zeroed memory of schema->size with the defaults. */
void schema_defaults(const struct schema *s, void *record);
/* Decodes a block's body: defaults, then statements in source order, then required options, then validate. All problems
 * of the body are reported, not the first only. `block` is the whole block's range. On failure the record is empty
 * (zeroed). */
must_check int schema_decode(const struct schema *s, const struct ast_body *body, struct range block,
                             const struct scope *scope, void *record, struct diags *ds);
/* What decoding would report whatever the values of names and calls are: names, repetitions, what is missing, values
 * that are written out; of a body without names and calls everything. Texts as in lang/static_check.h. */
void schema_check(const struct schema *s, const struct ast_body *body, struct range block, struct diags *ds);
bool schema_equal(const struct schema *s, const void *a, const void *b);
/* Frees what the record holds and zeroes it. */
void schema_done(const struct schema *s, void *record);
/* The record as an object, options at their default left out; secrets stay secrets. New reference. */
struct value *schema_to_value(const struct schema *s, const void *record);
