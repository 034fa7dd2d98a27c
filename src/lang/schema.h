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

#include "base/err.h"
#include "lang/diag.h"
#include "lang/option.h"
#include "lang/scope.h"
#include "lang/value.h"

struct ast_body;

struct schema {
    size_t size; /* of the record */
    const struct option *options;
    /* Runs after all options are in; its error gets the block's range. NULL = nothing to check. */
    int (*validate)(const void *record, struct err *err);
    /* Not 0: blocks of this schema need a label, and this is the field for it: char *, never NULL after decoding. */
    size_t label_offset;
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
