#include "lang/coerce.h"

#include <errno.h>
#include <math.h>

#include "lang/duration.h"
#include "lang/number.h"
#include "lang/value_print.h"

enum { SHORT_TEXT_MAX = 256 };

int coerce_refuse(const struct value *v, enum value_kind wanted, struct err *err)
{
    return err_set(err, -EINVAL, "should be %s, got %s", value_kind_name(wanted), value_kind_name(value_kind(v)));
}

int coerce_refuse_capsule(const struct value *v, const char *wanted, struct err *err)
{
    cleanup_buf struct buf got = BUF_INIT(ERR_MAX);
    value_print_type(v, &got);
    return err_set(err, -EINVAL, "expected capsule(\"%s\"), got %s", wanted, buf_cstr(&got));
}

/* What cannot become the host type of this name. */
static int not_convertible(const struct value *v, enum value_kind wanted, const char *host, struct err *err)
{
    const struct capsule_type *type = value_kind(v) == VALUE_CAPSULE ? value_capsule_type(v) : NULL;
    if (!type || !type->converter)
        return coerce_refuse(v, wanted, err);
    return err_set(err, -EINVAL, "%s::ConvertInto: conversion to '*%s' is not supported", type->converter, host);
}

int coerce_text(const struct value *v, struct buf *out, struct err *err)
{
    struct str s;
    switch (value_kind(v)) {
    case VALUE_NULL:
        return 0;
    case VALUE_NUMBER:
        number_print(v, out);
        return 0;
    case VALUE_STRING:
        buf_str(out, value_as_str(v));
        return 0;
    default:
        break;
    }
    switch (value_secrecy(v)) {
    case VALUE_NOT_SECRET:
        return not_convertible(v, VALUE_STRING, "string", err);
    case VALUE_OPTIONAL_OPEN:
        (void)value_secret_text(v, &s);
        buf_str(out, s);
        return 0;
    default:
        return err_set(err, -EINVAL, "secrets may not be converted into strings");
    }
}

int coerce_word(const struct value *v, struct buf *out, struct err *err)
{
    const int code = coerce_text(v, out, err);
    if (code < 0)
        return code;
    if (!buf_ok(out))
        return err_set(err, -EINVAL, "is longer than anything it can be");
    return out->len && memchr(out->p, '\0', out->len) ? err_set(err, -EINVAL, "contains a NUL byte") : 0;
}

int coerce_secret(const struct value *v, struct buf *out, struct err *err)
{
    struct str s;
    if (value_kind(v) == VALUE_NULL)
        return 0;
    if (!value_secret_text(v, &s))
        return value_kind(v) == VALUE_CAPSULE ? coerce_refuse_capsule(v, "alloytypes.Secret", err)
                                              : coerce_refuse(v, VALUE_CAPSULE, err);
    buf_str(out, s);
    return 0;
}

/* A number, or a string that reads as one; *ret is a new reference. */
static int coerce_number(struct value *v, struct value **ret, struct err *err)
{
    if (value_kind(v) == VALUE_NUMBER) {
        *ret = value_ref(v);
        return 0;
    }
    if (value_kind(v) == VALUE_NULL) {
        *ret = value_int(0);
        return 0;
    }
    struct str s;
    bool open = value_kind(v) == VALUE_STRING || value_secrecy(v) == VALUE_OPTIONAL_OPEN;
    if (open && value_secret_text(v, &s) && number_from_text(s, ret))
        return 0;
    return not_convertible(v, VALUE_NUMBER, "int", err);
}

/* The reference casts without a check; a value that changes on its way is an error here. */
static int out_of_range(const char *type, struct err *err)
{
    return err_set(err, -ERANGE, "is out of the range of %s", type);
}

int coerce_int(struct value *v, int64_t *ret, struct err *err)
{
    cleanup_value struct value *n = NULL;
    int code = coerce_number(v, &n, err);
    if (code < 0)
        return code;
    double d = value_as_float(n);
    bool bad_float = value_number_kind(n) == NUMBER_FLOAT && !(d >= -0x1p63 && d < 0x1p63);
    bool bad_uint = value_number_kind(n) == NUMBER_UINT && value_as_uint(n) > INT64_MAX;
    if (bad_float || bad_uint)
        return out_of_range("a 64-bit integer", err);
    *ret = value_as_int(n);
    return 0;
}

int coerce_uint(struct value *v, uint64_t *ret, struct err *err)
{
    cleanup_value struct value *n = NULL;
    int code = coerce_number(v, &n, err);
    if (code < 0)
        return code;
    double d = value_as_float(n);
    bool bad_float = value_number_kind(n) == NUMBER_FLOAT && !(d > -1 && d < 0x1p64);
    bool bad_int = value_number_kind(n) == NUMBER_INT && value_as_int(n) < 0;
    if (bad_float || bad_int)
        return out_of_range("an unsigned 64-bit integer", err);
    *ret = value_as_uint(n);
    return 0;
}

int coerce_float(struct value *v, double *ret, struct err *err)
{
    cleanup_value struct value *n = NULL;
    int code = coerce_number(v, &n, err);
    if (code == 0)
        *ret = value_as_float(n);
    return code;
}

int coerce_bool(const struct value *v, bool *ret, struct err *err)
{
    if (value_kind(v) != VALUE_BOOL && value_kind(v) != VALUE_NULL)
        return not_convertible(v, VALUE_BOOL, "bool", err);
    *ret = value_kind(v) == VALUE_BOOL && value_as_bool(v);
    return 0;
}

int coerce_duration(const struct value *v, int64_t *ret, struct err *err)
{
    if (value_kind(v) == VALUE_NULL) {
        *ret = 0;
        return 0;
    }
    cleanup_buf struct buf text = BUF_INIT(SHORT_TEXT_MAX);
    int code = coerce_text(v, &text, err);
    if (code < 0)
        return code;
    if (!buf_ok(&text))
        return err_set(err, -EINVAL, "is too long for a duration");
    return duration_parse(buf_slice(&text), ret, err);
}
