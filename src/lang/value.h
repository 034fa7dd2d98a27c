/* Values of the configuration language: immutable, reference counted, never cyclic.
 *
 * Constructors return a new reference; value_unref(NULL) is allowed. Containers take over the references put into them.
 * Accessors abort for the wrong kind: check value_kind() first. Loop thread only; counts are not atomic.
 * Source: spec alloy-language §3 (kinds and their names in messages, number representations, equality).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct value;

enum value_kind {
    VALUE_NULL,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_BOOL,
    VALUE_ARRAY,
    VALUE_OBJECT,
    VALUE_FUNCTION,
    VALUE_CAPSULE,
};
enum number_kind { NUMBER_INT, NUMBER_UINT, NUMBER_FLOAT };

/* What a capsule type can do; one static instance per type, compared by address. NULL callbacks mean "cannot". */
struct capsule_type {
    const char *name; /* as in capsule("name") */
    void (*free)(void *data);
    bool (*equal)(const void *a, const void *b);            /* NULL: same address */
    struct value *(*to_object)(const void *data);           /* new reference; targets look like objects */
    struct value *(*get)(const void *data, struct str key); /* one member without building the object; NULL = missing */
    void (*text)(const void *data, struct buf *out);        /* how it prints; NULL: capsule("name") */
    const char *converter; /* who says that it does not become a string or number, as the reference has it: "target" */
};

/* A library function. Arguments are borrowed. On failure fills err with the cause alone ("should be array, got
 * string"), or the way to the part at fault and the cause ("[2] should be string, got bool"), and the number of the
 * argument at fault, or who else is: the function, whose text goes in front, or the call as a whole, with the cause
 * alone. */
enum { BLAME_FUNCTION = -1, BLAME_CALL = -2 };
typedef int value_function(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err);
struct function_def {
    const char *name; /* "string.format" */
    unsigned min_args;
    bool variadic;
    value_function *call;
};

struct value *value_null(void);
struct value *value_bool(bool b);
struct value *value_int(int64_t i);
struct value *value_uint(uint64_t u);
struct value *value_float(double d);
struct value *value_string(struct str s);                                 /* copies */
struct value *value_function_of(const struct function_def *def);          /* def is static */
struct value *value_capsule(const struct capsule_type *type, void *data); /* takes data */

/* Takes the n references (not the array). */
struct value *value_array(struct value *const *items, size_t n);

/* Object building: add members in any order (a repeated key replaces), then use it as a value and stop adding. */
struct value *value_object(void);
void value_object_put(struct value *object, struct str key, struct value *member); /* takes member */

struct value *value_ref(struct value *v);
void value_unref(struct value *v);
static inline void value_unrefp(struct value **v)
{
    value_unref(*v);
}
#define cleanup_value __attribute__((cleanup(value_unrefp)))

enum value_kind value_kind(const struct value *v);
/* "null", "number", "string", "bool", "array", "object", "function", "capsule" */
const char *value_kind_name(enum value_kind k);

bool value_as_bool(const struct value *v);
enum number_kind value_number_kind(const struct value *v);
int64_t value_as_int(const struct value *v); /* any number, by the casts of the spec */
uint64_t value_as_uint(const struct value *v);
double value_as_float(const struct value *v);
struct str value_as_str(const struct value *v);                    /* NUL-terminated, lives as long as v */
size_t value_len(const struct value *v);                           /* array or object */
struct value *value_item(const struct value *v, size_t i);         /* borrowed */
struct value *value_member(const struct value *v, struct str key); /* borrowed; NULL when missing */
struct str value_key(const struct value *v, size_t i,
                     struct value **member); /* objects, in insertion order; borrowed */
const struct capsule_type *value_capsule_type(const struct value *v);
void *value_capsule_data(const struct value *v, const struct capsule_type *type); /* NULL: not a capsule of this type */
const struct function_def *value_function_def(const struct value *v);

/* Levels of arrays and objects, 0 for anything else; the evaluator keeps it within VALUE_DEPTH_MAX. */
enum { VALUE_DEPTH_MAX = 2000 };
unsigned value_depth(const struct value *v);

/* Deep; different kinds are different; 3 == 3.0. Never fails. Source: spec §3.4. */
bool value_equal(const struct value *a, const struct value *b);

/* Secrets (spec §3.5). A secret never prints. An optional secret knows whether it is one. */
struct value *value_secret(struct str s);
struct value *value_optional_secret(struct str s, bool is_secret);
/* The text of a string, secret or optional secret; false for other kinds. For decoding into secret options only. */
bool value_secret_text(const struct value *v, struct str *ret);
/* Neither a secret nor an optional secret: NOT_SECRET. Of an optional secret, whether it is one. */
enum value_secrecy { VALUE_NOT_SECRET, VALUE_SECRET, VALUE_OPTIONAL_OPEN, VALUE_OPTIONAL_SECRET };
enum value_secrecy value_secrecy(const struct value *v);
