#include "lang/number.h"

#include <math.h>

#include "lang_test.h"

static void the_shortest_text_reads_back_the_same(void)
{
    uint64_t bits = 88172645463325252ULL;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17; /* xorshift: the same numbers each time */
        double d;
        memcpy(&d, &bits, sizeof d);
        if (!isfinite(d))
            continue;
        cleanup_buf struct buf plain = BUF_INIT(2000), general = BUF_INIT(2000);
        number_print_float(d, 'f', &plain);
        number_print_float(d, 'g', &general);
        if (strtod(buf_cstr(&plain), NULL) != d || strtod(buf_cstr(&general), NULL) != d ||
            strchr(buf_cstr(&plain), 'e')) {
            FAIL_("%a as %s and %s", d, buf_cstr(&plain), buf_cstr(&general));
            return;
        }
    }
}

static void a_float_prints_with_and_without_exponent(void)
{
    static const struct {
        double d;
        const char *plain, *general;
    } cases[] = {
        {0, "0", "0"},
        {3.9, "3.9", "3.9"},
        {1000000, "1000000", "1e+06"},
        {999999, "999999", "999999"},
        {1e21, "1000000000000000000000", "1e+21"},
        {0.0001, "0.0001", "0.0001"},
        {0.00001234, "0.00001234", "1.234e-05"},
        {-2.5, "-2.5", "-2.5"},
        {INFINITY, "+Inf", "+Inf"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf plain = BUF_INIT(100), general = BUF_INIT(100);
        number_print_float(cases[i].d, 'f', &plain);
        number_print_float(cases[i].d, 'g', &general);
        CHECK_STR(buf_cstr(&plain), cases[i].plain);
        CHECK_STR(buf_cstr(&general), cases[i].general);
    }
}

static void strings_read_as_numbers_by_the_rules_of_the_reference(void)
{
    static const struct {
        const char *text, *printed; /* NULL: no number */
    } cases[] = {
        {"123", "123"},  {"-5", "-5"},     {"1.5", "1.5"},
        {"1e3", "1000"}, {"010", "10"},    {"18446744073709551615", "18446744073709551615"},
        {"", NULL},      {"-1.5", NULL},   {"18446744073709551616", NULL},
        {"1e999", NULL}, {"0x1p3.", NULL}, {"1 ", NULL},
        {"abc", NULL},   {"inf", NULL},    {".", NULL},
        {"e", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_value struct value *v = NULL;
        cleanup_buf struct buf out = BUF_INIT(100);
        bool number = number_from_text(str_of(cases[i].text), &v);
        if (number != (cases[i].printed != NULL)) {
            FAIL_("\"%s\"", cases[i].text);
            continue;
        }
        if (v)
            number_print(v, &out);
        CHECK_STR(buf_cstr(&out), cases[i].printed ? cases[i].printed : "");
    }
}

int main(void)
{
    RUN(the_shortest_text_reads_back_the_same);
    RUN(a_float_prints_with_and_without_exponent);
    RUN(strings_read_as_numbers_by_the_rules_of_the_reference);
    return REPORT();
}
