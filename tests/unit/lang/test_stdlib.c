#include "lang/stdlib.h"

#include <stdlib.h>
#include <unistd.h>

#include "lang_test.h"

/* Most of the library is tested by the text cases; here is what depends on the machine, and the look-up. */

static struct value *evaluated(const char *text)
{
    cleanup_source struct source *s = source_from("", str_of(text));
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct value *v = NULL;
    if (parse_expression(s, &f, &ds) < 0 || eval(f->expr, NULL, &v, &ds) < 0)
        FAIL_("%s: %s", text, ds.items[0].message);
    return v ? v : value_null();
}

static void check_string(const char *text, const char *want)
{
    cleanup_value struct value *v = evaluated(text);
    CHECK_INT(value_kind(v), VALUE_STRING);
    if (value_kind(v) == VALUE_STRING)
        CHECK_STR(value_as_str(v).p, want);
}

static void the_environment_is_read_at_each_evaluation(void)
{
    setenv("SMOLDER_TEST", "one", 1);
    check_string("sys.env(\"SMOLDER_TEST\")", "one");
    setenv("SMOLDER_TEST", "two", 1);
    check_string("env(\"SMOLDER_TEST\")", "two");
    unsetenv("SMOLDER_TEST");
    check_string("sys.env(\"SMOLDER_TEST\")", "");
}

static void constants_describe_this_machine(void)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    check_string("constants.hostname", host);
    check_string("constants.os", "linux");
#if defined(__x86_64__)
    check_string("constants.arch", "amd64");
#elif defined(__aarch64__)
    check_string("constants.arch", "arm64");
#endif
    cleanup_value struct value *v = evaluated("constants.version");
    CHECK(value_kind(v) == VALUE_STRING && str_has_prefix(value_as_str(v), STR("v")));
}

static void only_top_level_names_are_known(void)
{
    static const char *const known[] = {"sys",    "env",      "array",     "concat",    "string",
                                        "format", "coalesce", "constants", "trim_space"};
    static const char *const unknown[] = {"", "sys.env", "array.concat", "str", "strings", "discovery", "is_empty"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!stdlib_has(str_of(known[i])))
            FAIL_("%s is not known", known[i]);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        if (stdlib_has(str_of(unknown[i])))
            FAIL_("%s is known", unknown[i]);
}

static void old_names_have_a_replacement(void)
{
    CHECK_STR(stdlib_replacement(STR("env")), "sys.env");
    CHECK_STR(stdlib_replacement(STR("concat")), "array.concat");
    CHECK(stdlib_replacement(STR("coalesce")) == NULL);
    CHECK(stdlib_replacement(STR("sys")) == NULL);
}

int main(void)
{
    RUN(the_environment_is_read_at_each_evaluation);
    RUN(constants_describe_this_machine);
    RUN(only_top_level_names_are_known);
    RUN(old_names_have_a_replacement);
    return REPORT();
}
