/* The operators at the edges that text cases cannot write down: results of all kinds of numbers, bounds, and whose
 * fault it is. */
#include "lang/operator.h"

#include <errno.h>
#include <math.h>

#include "lang_test.h"

/* Takes both values; the result, or NULL with the cause in `err`. */
static struct value *applied(enum token_kind op, struct value *left, struct value *right, enum operator_fault *fault,
                             struct err *err)
{
    cleanup_value struct value *l = left, *r = right;
    struct value *v = NULL;
    const int code = operator_binary(op, l, r, &v, fault, err);
    CHECK((code == 0) == (v != NULL));
    return v;
}

static void check_number(enum token_kind op, struct value *left, struct value *right, struct value *wanted)
{
    struct err err = {0};
    enum operator_fault fault;
    cleanup_value struct value *v = applied(op, left, right, &fault, &err), *want = wanted;
    CHECK_STR(err.text, "");
    if (!v || value_kind(v) != VALUE_NUMBER)
        return;
    CHECK_INT(value_number_kind(v), value_number_kind(want));
    CHECK_INT(value_as_int(v), value_as_int(want));
    CHECK(value_equal(v, want));
}

static void check_error(enum token_kind op, struct value *left, struct value *right, enum operator_fault whose,
                        int code, const char *why)
{
    struct err err = {0};
    enum operator_fault fault = OPERATOR_FAULT_ALL;
    struct value *v = NULL;
    cleanup_value struct value *l = left, *r = right;
    CHECK_INT(operator_binary(op, l, r, &v, &fault, &err), code);
    CHECK(v == NULL);
    CHECK_INT(fault, whose);
    CHECK_STR(err.text, why);
}

static void integers_wrap_instead_of_overflowing(void)
{
    check_number(TOKEN_ADD, value_int(INT64_MAX), value_int(1), value_int(INT64_MIN));
    check_number(TOKEN_SUB, value_int(INT64_MIN), value_int(1), value_int(INT64_MAX));
    check_number(TOKEN_MUL, value_int(INT64_MIN), value_int(-1), value_int(INT64_MIN));
    check_number(TOKEN_ADD, value_uint(UINT64_MAX), value_uint(1), value_uint(0));
}

static void the_smallest_integer_can_be_divided_by_minus_one(void)
{
    check_number(TOKEN_DIV, value_int(INT64_MIN), value_int(-1), value_int(INT64_MIN));
    check_number(TOKEN_MOD, value_int(INT64_MIN), value_int(-1), value_int(0));
    check_number(TOKEN_DIV, value_int(-7), value_int(2), value_int(-3));
    check_number(TOKEN_MOD, value_int(-7), value_int(2), value_int(-1));
}

static void unsigned_division_has_no_sign(void)
{
    check_number(TOKEN_DIV, value_uint(UINT64_MAX), value_uint(2), value_uint(INT64_MAX));
    check_number(TOKEN_MOD, value_uint(UINT64_MAX), value_uint(10), value_uint(5));
    check_number(TOKEN_DIV, value_uint(UINT64_MAX), value_uint(UINT64_MAX), value_uint(1));
}

static void nothing_is_divided_by_zero(void)
{
    struct value *zeros[] = {value_int(0), value_uint(0), value_float(0.0), value_float(-0.0)};
    for (size_t i = 0; i < ARRAY_LEN(zeros); i++) {
        check_error(TOKEN_DIV, value_int(1), value_ref(zeros[i]), OPERATOR_FAULT_RIGHT, -EDOM, "divide by zero error");
        check_error(TOKEN_MOD, value_float(1), zeros[i], OPERATOR_FAULT_RIGHT, -EDOM, "divide by zero error");
    }
}

static void powers_wrap_and_end_in_time(void)
{
    check_number(TOKEN_POW, value_int(3), value_int(4), value_int(81));
    check_number(TOKEN_POW, value_int(0), value_int(0), value_int(1));
    check_number(TOKEN_POW, value_int(2), value_int(64), value_int(0));
    check_number(TOKEN_POW, value_int(-1), value_int(INT64_MAX), value_int(-1));
    check_number(TOKEN_POW, value_uint(3), value_uint(UINT64_MAX), value_uint(UINT64_C(12297829382473034411)));
    check_number(TOKEN_POW, value_int(2), value_int(-1), value_int(2)); /* as the reference has it */
    check_number(TOKEN_POW, value_float(2), value_int(-1), value_float(0.5));
}

static void floats_win_over_integers(void)
{
    check_number(TOKEN_ADD, value_int(1), value_float(0.5), value_float(1.5));
    check_number(TOKEN_MOD, value_float(-7.5), value_int(2), value_float(-1.5));
    struct err err = {0};
    enum operator_fault fault;
    cleanup_value struct value *v = applied(TOKEN_MUL, value_float(1e308), value_int(10), &fault, &err);
    CHECK(v && isinf(value_as_float(v)));
}

static void check_order(struct value *left, struct value *right, const char *want)
{
    static const enum token_kind ops[] = {TOKEN_LT, TOKEN_LTE, TOKEN_GT, TOKEN_GTE, TOKEN_EQ, TOKEN_NEQ};
    char got[ARRAY_LEN(ops) + 1] = "";
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct err err = {0};
        enum operator_fault fault;
        cleanup_value struct value *v = applied(ops[i], value_ref(left), value_ref(right), &fault, &err);
        CHECK_STR(err.text, "");
        got[i] = v && value_as_bool(v) ? '1' : '0';
    }
    CHECK_STR(got, want);
    value_unref(left);
    value_unref(right);
}

static void order_is_that_of_the_values(void) /* <, <=, >, >=, ==, != */
{
    check_order(value_int(1), value_int(2), "110001");
    check_order(value_int(2), value_float(2), "010110");
    check_order(value_uint(UINT64_MAX), value_uint(1), "001101");
    check_order(value_float(-0.0), value_float(0.0), "010110");
    check_order(value_string(STR("a")), value_string(STR("ab")), "110001");
    check_order(value_string(STR("")), value_string(STR("")), "010110");
    check_order(value_string(STR("b")), value_string(STR("a\0z")), "001101");
}

static void nan_is_in_no_order(void)
{
    check_order(value_float(NAN), value_float(NAN), "000001");
    check_order(value_float(NAN), value_int(1), "000001");
    check_order(value_int(1), value_float(NAN), "000001");
}

static void check_sum(struct value *left, struct value *right, enum value_secrecy secrecy, const char *text)
{
    struct err err = {0};
    enum operator_fault fault;
    cleanup_value struct value *v = applied(TOKEN_ADD, left, right, &fault, &err);
    struct str got = {0};
    CHECK_STR(err.text, "");
    CHECK(v && value_secret_text(v, &got) && str_is(got, text));
    CHECK_INT(v ? (int)value_secrecy(v) : -1, secrecy);
}

static void what_has_a_secret_in_it_is_secret(void)
{
    struct str a = STR("a"), b = STR("b");
    check_sum(value_string(a), value_string(b), VALUE_NOT_SECRET, "ab");
    check_sum(value_secret(a), value_string(b), VALUE_SECRET, "ab");
    check_sum(value_string(a), value_secret(b), VALUE_SECRET, "ab");
    check_sum(value_secret(a), value_optional_secret(b, false), VALUE_SECRET, "ab");
    check_sum(value_optional_secret(a, true), value_string(b), VALUE_OPTIONAL_SECRET, "ab");
    check_sum(value_string(a), value_optional_secret(b, false), VALUE_NOT_SECRET, "ab");
    check_sum(value_optional_secret(a, false), value_optional_secret(b, false), VALUE_OPTIONAL_OPEN, "ab");
    check_sum(value_optional_secret(a, false), value_optional_secret(b, true), VALUE_OPTIONAL_SECRET, "ab");
}

static void secrets_are_compared_by_their_text_and_by_nothing_else(void)
{
    struct err err = {0};
    enum operator_fault fault;
    cleanup_value struct value *same = applied(TOKEN_EQ, value_secret(STR("a")), value_string(STR("a")), &fault, &err);
    CHECK(same && value_as_bool(same));
    check_error(TOKEN_LT, value_string(STR("a")), value_secret(STR("b")), OPERATOR_FAULT_LEFT, -EINVAL,
                "should be one of [number string] for binop <, got capsule");
    check_error(TOKEN_MUL, value_secret(STR("a")), value_secret(STR("b")), OPERATOR_FAULT_LEFT, -EINVAL,
                "should be one of [number] for binop *, got capsule");
}

static void a_string_has_a_bound(void)
{
    enum { HALF = 9 << 20 };
    cleanup_free char *bytes = xcalloc(1, HALF);
    struct str s = {bytes, HALF};
    check_error(TOKEN_ADD, value_string(s), value_string(s), OPERATOR_FAULT_ALL, -E2BIG,
                "the string would be longer than 16777216 bytes");
}

static void the_operand_at_fault_is_named(void)
{
    check_error(TOKEN_AND, value_int(1), value_bool(true), OPERATOR_FAULT_LEFT, -EINVAL,
                "should be one of [bool] for binop &&, got number");
    check_error(TOKEN_OR, value_bool(true), value_null(), OPERATOR_FAULT_RIGHT, -EINVAL,
                "should be one of [bool] for binop ||, got null");
    check_error(TOKEN_ADD, value_int(1), value_string(STR("x")), OPERATOR_FAULT_RIGHT, -EINVAL,
                "should be number, got string");
    check_error(TOKEN_SUB, value_string(STR("x")), value_int(1), OPERATOR_FAULT_LEFT, -EINVAL,
                "should be one of [number] for binop -, got string");
    check_error(TOKEN_ADD, value_array(NULL, 0), value_array(NULL, 0), OPERATOR_FAULT_LEFT, -EINVAL,
                "should be one of [number string capsule] for binop +, got array");
}

static void check_unary(enum token_kind op, struct value *taken, struct value *wanted)
{
    cleanup_value struct value *v = taken, *want = wanted, *got = NULL;
    struct err err = {0};
    CHECK_INT(operator_unary(op, v, &got, &err), 0);
    CHECK(got && value_equal(got, want));
}

static void one_operand_is_negated(void)
{
    check_unary(TOKEN_NOT, value_bool(true), value_bool(false));
    check_unary(TOKEN_SUB, value_int(5), value_int(-5));
    check_unary(TOKEN_SUB, value_int(INT64_MIN), value_int(INT64_MIN));
    check_unary(TOKEN_SUB, value_uint(1), value_int(-1));
    check_unary(TOKEN_SUB, value_float(0.5), value_float(-0.5));
    cleanup_value struct value *s = value_string(STR("x")), *got = NULL;
    struct err err = {0};
    CHECK_INT(operator_unary(TOKEN_NOT, s, &got, &err), -EINVAL);
    CHECK_STR(err.text, "should be bool, got string");
    CHECK_INT(operator_unary(TOKEN_SUB, s, &got, &err), -EINVAL);
    CHECK_STR(err.text, "should be number, got string");
    CHECK(got == NULL);
}

int main(void)
{
    RUN(integers_wrap_instead_of_overflowing);
    RUN(the_smallest_integer_can_be_divided_by_minus_one);
    RUN(unsigned_division_has_no_sign);
    RUN(nothing_is_divided_by_zero);
    RUN(powers_wrap_and_end_in_time);
    RUN(floats_win_over_integers);
    RUN(order_is_that_of_the_values);
    RUN(nan_is_in_no_order);
    RUN(what_has_a_secret_in_it_is_secret);
    RUN(secrets_are_compared_by_their_text_and_by_nothing_else);
    RUN(a_string_has_a_bound);
    RUN(the_operand_at_fault_is_named);
    RUN(one_operand_is_negated);
    return REPORT();
}
