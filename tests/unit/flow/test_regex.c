#include <errno.h>

#include "flow/regex.h"
#include "test.h"

static struct regex *compiled(const char *pattern)
{
    struct regex *re = NULL;
    struct err err = {0};
    CHECK_INT(regex_new(str_of(pattern), &re, &err), 0);
    CHECK_STR(err.text, "");
    return re;
}

static bool matches(const char *pattern, const char *text)
{
    cleanup_regex struct regex *re = compiled(pattern);
    return regex_matches(re, str_of(text), NULL);
}

static void expands(const char *pattern, const char *text, const char *replacement, const char *want)
{
    cleanup_regex struct regex *re = compiled(pattern);
    struct regex_match m;
    CHECK(regex_matches(re, str_of(text), &m));
    cleanup_buf struct buf out = BUF_INIT(1000);
    regex_expand(re, &m, str_of(replacement), &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void matches_the_whole_text_only(void)
{
    CHECK(matches("a|b", "b"));
    CHECK(!matches("a|b", "ab"));
    CHECK(!matches("a", "xa"));
    CHECK(matches("", ""));
    CHECK(!matches("", "x"));
}

static void a_dot_matches_a_line_end(void)
{
    CHECK(matches("a.b", "a\nb"));
    CHECK(matches("(.*)", "a\nb\n"));
}

static void says_what_is_wrong_with_a_pattern(void)
{
    struct regex *re = NULL;
    struct err err = {0};
    CHECK_INT(regex_new(STR("a("), &re, &err), -EINVAL);
    CHECK_HAS(err.text, "error parsing regexp: missing )");
    CHECK(re == NULL);
    CHECK_INT(regex_new(STR("(?=x)"), &re, &err), -EINVAL);
}

static void refuses_what_would_take_too_much_memory(void)
{
    struct regex *re = NULL;
    struct err err = {0};
    CHECK_INT(regex_new(STR("((((\\pL{100}){100}){100}){100})"), &re, &err), -EINVAL);
    CHECK_HAS(err.text, "error parsing regexp");
    static char many[3 * 70 + 1];
    for (int i = 0; i < 70; i++)
        memcpy(many + 3 * i, "(a)", 3);
    CHECK_INT(regex_new(str_of(many), &re, &err), -E2BIG);
}

static void expands_numbers_names_and_dollars(void)
{
    expands("(.*)-(.*)", "a-b", "$2$1", "ba");
    expands("(.*)-(.*)", "a-b", "${2}x${1}", "bxa");
    expands("(.*)-(.*)", "a-b", "$0!", "a-b!");
    expands("(.*)-(.*)", "a-b", "$1x", ""); /* the group "1x" */
    expands("(.*)-(.*)", "a-b", "$3${7}", "");
    expands("(.*)-(.*)", "a-b", "$01", "");
    expands("(.*)-(.*)", "a-b", "$$1", "$1");
    expands("(?P<first>.*)-(.*)", "a-b", "$first,${first}", "a,a");
    expands("(a)|(b)", "b", "<$1$2>", "<b>");
    expands("(.*)", "a", "$1é", ""); /* é is a letter: the group "1é" */
}

static void leaves_dollars_that_start_no_name(void)
{
    expands("(.*)", "a", "$", "$");
    expands("(.*)", "a", "$-${", "$-${");
    expands("(.*)", "a", "${1", "${1");
    expands("(.*)", "a", "${}$ 1", "${}$ 1");
    expands("(.*)", "a", "100%$", "100%$");
}

static void matching_everything_still_gives_the_groups(void)
{
    expands("(.*)", "", "<$1>", "<>");
    expands("(.*)", "some text", "<$1|$0>", "<some text|some text>");
}

static void equality_is_that_of_the_pattern(void)
{
    cleanup_regex struct regex *a = compiled("a+"), *b = compiled("a+"), *c = compiled("aa*");
    CHECK(regex_equal(a, b));
    CHECK(!regex_equal(a, c));
    CHECK(!regex_equal(a, NULL));
    CHECK_STR(regex_pattern(a).p, "a+");
}

int main(void)
{
    RUN(matches_the_whole_text_only);
    RUN(a_dot_matches_a_line_end);
    RUN(says_what_is_wrong_with_a_pattern);
    RUN(refuses_what_would_take_too_much_memory);
    RUN(expands_numbers_names_and_dollars);
    RUN(leaves_dollars_that_start_no_name);
    RUN(matching_everything_still_gives_the_groups);
    RUN(equality_is_that_of_the_pattern);
    return REPORT();
}
