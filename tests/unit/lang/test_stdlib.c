#include "lang/stdlib.h"

#include <stdlib.h>
#include <unistd.h>

#include "lang/value_print.h"
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

static bool knows(const char *dotted)
{
    struct str path[3], rest = str_of(dotted);
    size_t n = 0, used = 0;
    while (n < ARRAY_LEN(path) && str_split(&rest, '.', &path[n]))
        n++;
    cleanup_value struct value *v = n ? stdlib_resolve(path, n, &used) : NULL;
    return v && used == n;
}

static void functions_go_by_their_full_names(void)
{
    static const char *const known[] = {"sys",          "sys.env",   "env",           "array",     "array.group_by",
                                        "concat",       "coalesce",  "string.format", "constants", "format",
                                        "constants.os", "trim_space"};
    static const char *const unknown[] = {"",           "array.env", "str",       "strings", "discovery", "string.nope",
                                          "array.join", "env.x",     "sys.env.x", "nope.os"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!knows(known[i]))
            FAIL_("%s is not known", known[i]);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        if (knows(unknown[i]))
            FAIL_("%s is known", unknown[i]);
}

static void note_reference(void *arg, const struct ast_traversal *t)
{
    struct buf *out = arg;
    cleanup_diags struct diags ds = DIAGS_INIT;
    const bool mine = stdlib_reference(t, STABILITY_GA, &ds);
    buf_printf(out, "%s;", mine ? "" : "not mine");
    for (size_t i = 0; i < ds.len; i++)
        buf_printf(out, "%s %s;", ds.items[i].severity == SEVERITY_WARNING ? "warning" : "error", ds.items[i].message);
}

static void check_reference(const char *text, const char *want)
{
    cleanup_source struct source *s = source_from("", str_of(text));
    cleanup_ast struct ast_file *f = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf got = BUF_INIT(TEST_TEXT_MAX);
    CHECK_INT(parse_file(s, &f, &ds), 0);
    ast_traversals(&f->body, note_reference, &got);
    CHECK_STR(buf_cstr(&got), want);
}

static void an_old_name_is_warned_about_at_each_use(void)
{
    check_reference("a = env(\"X\")\nb = [env(\"Y\"), sys.env(\"Z\")]\n",
                    ";warning env is deprecated; use sys.env;;warning env is deprecated; use sys.env;;");
    check_reference("a = string.nope\nb = strings.x\n", ";not mine;");
}

static void an_experimental_function_is_refused_by_its_dotted_name(void)
{
    check_reference(
        "a = array.combine_maps([], [], [\"k\"])\n",
        ";error array.combine_maps is at stability level \"experimental\", which is below the minimum allowed "
        "stability level \"generally-available\". Use --stability.level command-line flag to enable "
        "\"experimental\" features;");
    check_reference("a = array[\"combine_maps\"]\n", ";");
}

static void rows_are_in_the_order_of_their_names(void)
{
    const struct stdlib_function *before = stdlib_row(0), *row;
    CHECK(before != NULL);
    for (size_t i = 1; (row = stdlib_row(i)); before = row, i++)
        if (strcmp(before->def.name, row->def.name) >= 0)
            FAIL_("%s comes before %s", before->def.name, row->def.name);
}

static void every_example_gives_what_it_says(void)
{
    const struct stdlib_function *row;
    for (size_t i = 0; (row = stdlib_row(i)); i++) {
        CHECK(row->help && row->result && row->examples[0].expression);
        for (size_t k = 0; k < STDLIB_EXAMPLES_MAX && row->examples[k].expression; k++) {
            cleanup_value struct value *v = evaluated(row->examples[k].expression);
            cleanup_buf struct buf got = BUF_INIT(TEST_TEXT_MAX);
            value_print(v, &got);
            if (strcmp(buf_cstr(&got), row->examples[k].value) != 0)
                FAIL_("%s: %s gives %s, not %s", row->def.name, row->examples[k].expression, buf_cstr(&got),
                      row->examples[k].value);
        }
    }
}

int main(void)
{
    RUN(functions_go_by_their_full_names);
    RUN(an_old_name_is_warned_about_at_each_use);
    RUN(an_experimental_function_is_refused_by_its_dotted_name);
    RUN(rows_are_in_the_order_of_their_names);
    RUN(every_example_gives_what_it_says);
    RUN(the_environment_is_read_at_each_evaluation);
    RUN(constants_describe_this_machine);
    return REPORT();
}
