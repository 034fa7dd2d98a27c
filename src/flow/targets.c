#include "flow/targets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/coerce.h"

/* --- the capsule --- */

static void targets_capsule_free(void *data)
{
    labels_unref(data);
}

static bool targets_capsule_equal(const void *a, const void *b)
{
    return labels_equal(a, b);
}

static struct value *capsule_to_object(const void *data)
{
    const struct labels *ls = data;
    struct value *object = value_object();
    for (size_t i = 0; i < labels_len(ls); i++) {
        const struct label *l = labels_at(ls, i);
        value_object_put(object, l->name, value_string(l->value));
    }
    return object;
}

static struct value *capsule_get(const void *data, struct str key)
{
    return labels_has(data, key) ? value_string(labels_get(data, key)) : NULL;
}

const struct capsule_type target_capsule = {
    .name = "discovery.Target",
    .free = targets_capsule_free,
    .equal = targets_capsule_equal,
    .to_object = capsule_to_object,
    .get = capsule_get,
    .converter = "target",
};

/* --- conversion --- */

enum { NUMBER_TEXT_MAX = 40 };

/* As Go prints a float by default: the shortest digits that read back as the same number, with an exponent where it is
 * below -4 or above 5: 0.5, 1e+06, 1.234567e+06. */
static void float_text(double d, char out[NUMBER_TEXT_MAX])
{
    if (d != d || d - d != 0) {
        snprintf(out, NUMBER_TEXT_MAX, "%s", d != d ? "NaN" : d > 0 ? "+Inf" : "-Inf");
        return;
    }
    int digits = 1;
    do
        snprintf(out, NUMBER_TEXT_MAX, "%.*e", digits - 1, d);
    while (strtod(out, NULL) != d && ++digits <= 17);
    const int exponent = (int)strtol(strchr(out, 'e') + 1, NULL, 10);
    if (exponent >= -4 && exponent <= 5)
        snprintf(out, NUMBER_TEXT_MAX, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, d);
}

/* The names of the reference's own types: they are part of its messages. */
static const char *foreign_name(const struct value *v)
{
    if (value_kind(v) != VALUE_NUMBER)
        return value_kind_name(value_kind(v));
    switch (value_number_kind(v)) {
    case NUMBER_INT:
        return "int64";
    case NUMBER_UINT:
        return "uint64";
    case NUMBER_FLOAT:
        break;
    }
    return "float64";
}

static void number_text(const struct value *v, char out[NUMBER_TEXT_MAX])
{
    switch (value_number_kind(v)) {
    case NUMBER_INT:
        snprintf(out, NUMBER_TEXT_MAX, "%" PRId64, value_as_int(v));
        return;
    case NUMBER_UINT:
        snprintf(out, NUMBER_TEXT_MAX, "%" PRIu64, value_as_uint(v));
        return;
    case NUMBER_FLOAT:
        break;
    }
    float_text(value_as_float(v), out);
}

static int set_label(struct labels_builder *b, struct str name, const struct value *v, struct err *err)
{
    char number[NUMBER_TEXT_MAX];
    switch (value_kind(v)) {
    case VALUE_STRING:
        labels_set(b, name, value_as_str(v));
        return 0;
    case VALUE_BOOL:
        labels_set(b, name, value_as_bool(v) ? STR("true") : STR("false"));
        return 0;
    case VALUE_NUMBER:
        number_text(v, number);
        labels_set(b, name, str_of(number));
        return 0;
    case VALUE_NULL:
        return err_set(err, -EINVAL, "target::ConvertFrom: cannot convert a nil value to a target value");
    default:
        break;
    }
    struct str text;
    if (value_secret_text(v, &text)) {
        if (value_secrecy(v) != VALUE_OPTIONAL_OPEN)
            return err_set(err, -EINVAL, "target::ConvertFrom: cannot use a secret as a target value");
        labels_set(b, name, text);
        return 0;
    }
    /* The reference prints arrays, objects and the like in a form of its own that no configuration can use. */
    return err_set(err, -EINVAL, "target::ConvertFrom: cannot use %s %s as a target value (label \"%.*s\")",
                   strchr("aeiou", value_kind_name(value_kind(v))[0]) ? "an" : "a", value_kind_name(value_kind(v)),
                   STR_ARG(name));
}

struct target_member {
    struct str name;
    struct value *value;
};

static int targets_by_name(const void *a, const void *b)
{
    return str_cmp(((const struct target_member *)a)->name, ((const struct target_member *)b)->name);
}

/* In the order of their names, in which labels are cheap to add: a hostile object has hundreds of thousands. */
static int from_object(const struct value *object, struct labels **ret, struct err *err)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const size_t len = value_len(object);
    cleanup_free struct target_member *members = xcalloc(len + 1, sizeof *members);
    for (size_t i = 0; i < len; i++)
        members[i].name = value_key(object, i, &members[i].value);
    qsort(members, len, sizeof *members, targets_by_name);
    for (size_t i = 0; i < len; i++) {
        const int code = set_label(&b, members[i].name, members[i].value, err);
        if (code < 0)
            return code;
    }
    *ret = labels_build(&b, false);
    return 0;
}

int target_from_value(struct value *v, struct labels **ret, struct err *err)
{
    struct labels *ls = value_capsule_data(v, &target_capsule);
    if (ls) {
        *ret = labels_ref(ls);
        return 0;
    }
    if (value_kind(v) == VALUE_OBJECT)
        return from_object(v, ret, err);
    if (value_kind(v) == VALUE_NULL) {
        cleanup_labels_builder struct labels_builder none = LABELS_BUILDER_INIT;
        *ret = labels_build(&none, false);
        return 0;
    }
    const struct capsule_type *type = value_kind(v) == VALUE_CAPSULE ? value_capsule_type(v) : NULL;
    if (type && type->to_object) {
        /* The type tells how to look at its data; asking for the data by that very type cannot fail. */
        cleanup_value struct value *object = type->to_object(value_capsule_data(v, type));
        if (object)
            return from_object(object, ret, err);
    }
    return err_set(err, -EINVAL, "target::ConvertFrom: conversion from '%s' is not supported", foreign_name(v));
}

/* --- the option type --- */

void targets_done(struct targets *ts)
{
    for (size_t i = 0; i < ts->len; i++)
        labels_unref(ts->items[i]);
    free(ts->items);
    *ts = (struct targets){0};
}

/* Decoders put the way to the part at fault before the cause: lang/eval.h eval_blame(). */
static int at_index(size_t i, int code, struct err *err)
{
    if (!err)
        return code;
    const struct err cause = *err;
    return err_set(err, code, "[%zu] %s", i, cause.text);
}

static int targets_list_decode(struct value *v, void *field, struct err *err)
{
    if (value_kind(v) == VALUE_NULL)
        return 0;
    if (value_kind(v) != VALUE_ARRAY)
        return coerce_refuse(v, VALUE_ARRAY, err);
    __attribute__((cleanup(targets_done))) struct targets ts = {0};
    ts.items = xcalloc(value_len(v) + 1, sizeof *ts.items);
    for (size_t i = 0; i < value_len(v); i++) {
        const int code = target_from_value(value_item(v, i), &ts.items[ts.len], err);
        if (code < 0)
            return at_index(i, code, err);
        ts.len++;
    }
    *(struct targets *)field = ts;
    ts = (struct targets){0};
    return 0;
}

static void targets_list_done(void *field)
{
    targets_done(field);
}

static bool targets_list_equal(const void *a, const void *b)
{
    const struct targets *x = a, *y = b;
    if (x->len != y->len)
        return false;
    for (size_t i = 0; i < x->len; i++) {
        if (!labels_equal(x->items[i], y->items[i]))
            return false;
    }
    return true;
}

static struct value *targets_list_to_value(const void *field)
{
    const struct targets *ts = field;
    return targets_value(ts->items, ts->len);
}

const struct option_type targets_option = {
    .name = "list(map(string))",
    .decode = targets_list_decode,
    .done = targets_list_done,
    .equal = targets_list_equal,
    .to_value = targets_list_to_value,
};

struct value *targets_value(struct labels *const *items, size_t n)
{
    cleanup_free struct value **values = xcalloc(n + 1, sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = value_capsule(&target_capsule, labels_ref(items[i]));
    return value_array(values, n);
}
