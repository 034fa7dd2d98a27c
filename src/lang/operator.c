#include "lang/operator.h"

#include <errno.h>
#include <math.h>

enum { STRING_MAX = 16 << 20 }; /* bytes a concatenation may have */

/* Which kinds an operator takes, in the order messages list them. */
struct kinds {
    enum value_kind kinds[3];
    size_t n;
};

static const struct kinds bools = {{VALUE_BOOL}, 1}, numbers = {{VALUE_NUMBER}, 1},
                          ordered = {{VALUE_NUMBER, VALUE_STRING}, 2},
                          addable = {{VALUE_NUMBER, VALUE_STRING, VALUE_CAPSULE}, 3};

static const struct kinds *kinds_of(enum token_kind op)
{
    switch (op) {
    case TOKEN_OR:
    case TOKEN_AND:
        return &bools;
    case TOKEN_ADD:
        return &addable;
    case TOKEN_LT:
    case TOKEN_LTE:
    case TOKEN_GT:
    case TOKEN_GTE:
        return &ordered;
    default:
        return &numbers;
    }
}

static bool operator_takes(const struct kinds *k, enum value_kind kind)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->kinds[i] == kind)
            return true;
    return false;
}

static int operator_refuse(enum token_kind op, const struct value *v, struct err *err)
{
    const struct kinds *k = kinds_of(op);
    cleanup_buf struct buf list = BUF_INIT(ERR_MAX);
    for (size_t i = 0; i < k->n; i++)
        buf_printf(&list, "%s%s", i ? " " : "", value_kind_name(k->kinds[i]));
    return err_set(err, -EINVAL, "should be one of [%s] for binop %s, got %s", buf_cstr(&list), token_name(op),
                   value_kind_name(value_kind(v)));
}

static uint64_t operator_power(uint64_t base, uint64_t exponent)
{
    uint64_t result = 1;
    for (; exponent; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

static int float_binary(enum token_kind op, double l, double r, struct value **ret)
{
    switch (op) {
    case TOKEN_ADD:
        *ret = value_float(l + r);
        break;
    case TOKEN_SUB:
        *ret = value_float(l - r);
        break;
    case TOKEN_MUL:
        *ret = value_float(l * r);
        break;
    case TOKEN_DIV:
        *ret = value_float(l / r);
        break;
    case TOKEN_MOD:
        *ret = value_float(fmod(l, r));
        break;
    default:
        *ret = value_float(pow(l, r));
        break;
    }
    return 0;
}

/* Unsigned arithmetic wraps as Go's signed does; only division and remainder differ between the two. */
static uint64_t integer_binary(enum token_kind op, uint64_t l, uint64_t r, bool is_signed)
{
    switch (op) {
    case TOKEN_ADD:
        return l + r;
    case TOKEN_SUB:
        return l - r;
    case TOKEN_MUL:
        return l * r;
    case TOKEN_DIV:
        if (!is_signed)
            return l / r;
        return r == UINT64_MAX ? -l : (uint64_t)((int64_t)l / (int64_t)r);
    case TOKEN_MOD:
        if (!is_signed)
            return l % r;
        return r == UINT64_MAX ? 0 : (uint64_t)((int64_t)l % (int64_t)r);
    default:
        /* As the reference has it: 2 ^ -1 is 2. */
        return is_signed && (int64_t)r < 0 ? l : operator_power(l, r);
    }
}

static int operator_arithmetic(enum token_kind op, const struct value *l, const struct value *r, struct value **ret,
                               enum operator_fault *fault, struct err *err)
{
    if ((op == TOKEN_DIV || op == TOKEN_MOD) && value_as_float(r) == 0) {
        *fault = OPERATOR_FAULT_RIGHT;
        return err_set(err, -EDOM, "divide by zero error");
    }
    enum number_kind a = value_number_kind(l), b = value_number_kind(r);
    if (a == NUMBER_FLOAT || b == NUMBER_FLOAT)
        return float_binary(op, value_as_float(l), value_as_float(r), ret);
    bool is_signed = a == NUMBER_INT || b == NUMBER_INT;
    uint64_t result = integer_binary(op, value_as_uint(l), value_as_uint(r), is_signed);
    *ret = is_signed ? value_int((int64_t)result) : value_uint(result);
    return 0;
}

static int order_of_numbers(const struct value *l, const struct value *r, bool *unordered)
{
    enum number_kind a = value_number_kind(l), b = value_number_kind(r);
    if (a == NUMBER_FLOAT || b == NUMBER_FLOAT) {
        double x = value_as_float(l), y = value_as_float(r);
        *unordered = isnan(x) || isnan(y);
        return (x > y) - (x < y);
    }
    if (a == NUMBER_INT || b == NUMBER_INT)
        return (value_as_int(l) > value_as_int(r)) - (value_as_int(l) < value_as_int(r));
    return (value_as_uint(l) > value_as_uint(r)) - (value_as_uint(l) < value_as_uint(r));
}

static bool operator_compare(enum token_kind op, const struct value *l, const struct value *r)
{
    bool unordered = false;
    int order =
        value_kind(l) == VALUE_STRING ? str_cmp(value_as_str(l), value_as_str(r)) : order_of_numbers(l, r, &unordered);
    if (unordered)
        return false;
    switch (op) {
    case TOKEN_LT:
        return order < 0;
    case TOKEN_LTE:
        return order <= 0;
    case TOKEN_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* Strings and secrets: what is secret makes the result secret. */
static int operator_concatenate(const struct value *l, const struct value *r, struct value **ret,
                                enum operator_fault *fault, struct err *err)
{
    struct str a, b;
    if (!value_secret_text(l, &a) || !value_secret_text(r, &b)) {
        *fault = OPERATOR_FAULT_LEFT;
        return err_set(err, -EINVAL, "could not perform binop + for unknown types lhs capsule rhs capsule");
    }
    cleanup_buf struct buf text = BUF_INIT(STRING_MAX);
    buf_str(&text, a);
    buf_str(&text, b);
    if (!buf_ok(&text))
        return err_set(err, -E2BIG, "the string would be longer than %d bytes", STRING_MAX);
    enum value_secrecy x = value_secrecy(l), y = value_secrecy(r);
    bool optional = x >= VALUE_OPTIONAL_OPEN && y >= VALUE_OPTIONAL_OPEN;
    bool hidden = x == VALUE_OPTIONAL_SECRET || y == VALUE_OPTIONAL_SECRET;
    if (x == VALUE_SECRET || y == VALUE_SECRET)
        *ret = value_secret(buf_slice(&text));
    else if (optional || hidden)
        *ret = value_optional_secret(buf_slice(&text), hidden);
    else
        *ret = value_string(buf_slice(&text));
    return 0;
}

/* One of them is a secret of some sort, and the other is, too, or is a string. */
static bool with_secret(const struct value *l, const struct value *r)
{
    struct str s;
    return (value_kind(l) == VALUE_CAPSULE || value_kind(r) == VALUE_CAPSULE) && value_secret_text(l, &s) &&
           value_secret_text(r, &s);
}

static struct str operator_text_of(const struct value *v)
{
    struct str s = {NULL, 0};
    (void)value_secret_text(v, &s);
    return s;
}

static bool operator_equal(const struct value *l, const struct value *r)
{
    return with_secret(l, r) ? str_eq(operator_text_of(l), operator_text_of(r)) : value_equal(l, r);
}

static int check_kinds(enum token_kind op, const struct value *l, const struct value *r, enum operator_fault *fault,
                       struct err *err)
{
    const struct kinds *k = kinds_of(op);
    const bool secret = with_secret(l, r) && !operator_takes(k, VALUE_CAPSULE);
    /* Beside a secret a string becomes one, so it is the left operand that fails, whichever the secret is. */
    if (secret || !operator_takes(k, value_kind(l))) {
        *fault = OPERATOR_FAULT_LEFT;
        return operator_refuse(op, secret && value_kind(l) != VALUE_CAPSULE ? r : l, err);
    }
    *fault = OPERATOR_FAULT_RIGHT;
    if (!operator_takes(k, value_kind(r)))
        return operator_refuse(op, r, err);
    if (value_kind(l) != value_kind(r))
        return err_set(err, -EINVAL, "should be %s, got %s", value_kind_name(value_kind(l)),
                       value_kind_name(value_kind(r)));
    *fault = OPERATOR_FAULT_ALL;
    return 0;
}

static int operator_combine(enum token_kind op, const struct value *left, const struct value *right, struct value **ret,
                            enum operator_fault *fault, struct err *err)
{
    *fault = OPERATOR_FAULT_ALL;
    if (op == TOKEN_EQ || op == TOKEN_NEQ) {
        *ret = value_bool(operator_equal(left, right) == (op == TOKEN_EQ));
        return 0;
    }
    if (op == TOKEN_ADD && with_secret(left, right))
        return operator_concatenate(left, right, ret, fault, err);
    int code = check_kinds(op, left, right, fault, err);
    if (code < 0)
        return code;
    switch (op) {
    case TOKEN_OR:
        *ret = value_bool(value_as_bool(left) || value_as_bool(right));
        return 0;
    case TOKEN_AND:
        *ret = value_bool(value_as_bool(left) && value_as_bool(right));
        return 0;
    case TOKEN_LT:
    case TOKEN_LTE:
    case TOKEN_GT:
    case TOKEN_GTE:
        *ret = value_bool(operator_compare(op, left, right));
        return 0;
    default:
        if (value_kind(left) != VALUE_NUMBER)
            return operator_concatenate(left, right, ret, fault, err);
        return operator_arithmetic(op, left, right, ret, fault, err);
    }
}

/* Beside a string, an optional secret that is none is a string as well; new reference. */
static struct value *operator_opened(const struct value *v, const struct value *other)
{
    const bool open = value_kind(other) == VALUE_STRING && value_secrecy(v) == VALUE_OPTIONAL_OPEN;
    return open ? value_string(operator_text_of(v)) : value_ref((struct value *)v);
}

int operator_binary(enum token_kind op, const struct value *left, const struct value *right, struct value **ret,
                    enum operator_fault *fault, struct err *err)
{
    cleanup_value struct value *l = operator_opened(left, right), *r = operator_opened(right, left);
    return operator_combine(op, l, r, ret, fault, err);
}

int operator_unary(enum token_kind op, const struct value *v, struct value **ret, struct err *err)
{
    enum value_kind wanted = op == TOKEN_NOT ? VALUE_BOOL : VALUE_NUMBER;
    if (value_kind(v) != wanted)
        return err_set(err, -EINVAL, "should be %s, got %s", value_kind_name(wanted), value_kind_name(value_kind(v)));
    if (op == TOKEN_NOT)
        *ret = value_bool(!value_as_bool(v));
    else if (value_number_kind(v) == NUMBER_FLOAT)
        *ret = value_float(-value_as_float(v));
    else
        *ret = value_int((int64_t)-value_as_uint(v));
    return 0;
}
