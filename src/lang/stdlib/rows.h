/* Shared by the files of the standard library: table format, argument and result handling.
 *
 * A table ends with a row without a name and is sorted by name. The limits apply to every function, so that no
 * expression can make the process grow without bound.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "lang/stdlib/function.h"
#include "lang/value.h"

enum {
    STDLIB_TEXT_MAX = 16 << 20, /* bytes of a string a function makes */
    STDLIB_ITEMS_MAX = 1 << 17, /* items of an array a function makes */
};

extern const struct stdlib_function stdlib_array[], stdlib_coalesce[], stdlib_constants[], stdlib_convert[],
    stdlib_encoding[], stdlib_file[], stdlib_json_path[], stdlib_string[], stdlib_sys[];

/* Appends the text of argument i; blames it when it has none. */
must_check int stdlib_text(struct value *const *args, size_t i, struct buf *out, int *bad_arg, struct err *err);
/* The same for arguments 0 … n - 1. The caller frees the buffers in any case. */
must_check int stdlib_texts(struct value *const *args, size_t n, struct buf *out, int *bad_arg, struct err *err);
/* Blames argument i for not being of a kind; 0 if it is. */
must_check int stdlib_kind(struct value *const *args, size_t i, enum value_kind wanted, int *bad_arg, struct err *err);
/* A string of what was written; -E2BIG if it was too much. */
must_check int stdlib_string_of(const struct buf *b, struct value **ret, struct err *err);

/* An array that grows, up to STDLIB_ITEMS_MAX. */
struct stdlib_items {
    struct value **items;
    size_t len, cap;
};
/* Takes the reference; -E2BIG (and frees it) when there is no room. */
must_check int stdlib_add(struct stdlib_items *list, struct value *item, struct err *err);
/* Moves the items into a value. */
struct value *stdlib_array_of(struct stdlib_items *list);
void stdlib_items_done(struct stdlib_items *list);
#define cleanup_items __attribute__((cleanup(stdlib_items_done)))
