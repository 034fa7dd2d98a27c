#include "api/page/flame_search.h"

#include <errno.h>

#include "flame_stacks.h"
#include "test.h"

static struct flame f;

static void set_up(void)
{
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_add_stack(&f, "java/lang/Thread.run;org/App.sort;org/App.sortAll", 1);
    flame_add_stack(&f, "java/lang/Thread.run;org/App.sort;org/App.sort", 2);
    flame_add_stack(&f, "java/lang/Thread.run;org/App.sortAll", 4);
    flame_add_stack(&f, "java/lang/Thread.run;.I2C/C2I adapters", 8);
    flame_add_stack(&f, "main", 16);
    flame_finish(&f);
}

static void check_search(int line, uint32_t at, const char *search, int64_t want)
{
    struct err err = {0};
    int64_t got = -1;
    struct name_matches m = {0};
    const int code = name_matches_add(&m, str_of(search), &err);
    if (code == 0)
        got = flame_search(&f, at, &m);
    name_matches_done(&m);
    if (code != 0 || got != want)
        FAIL_("line %d: %s: %d, %lld, want %lld", line, search, code, (long long)got, (long long)want);
}
#define CHECK_SEARCH(search, want) check_search(__LINE__, 0, search, want)

static void finds_a_part_or_the_whole_of_a_name(void)
{
    set_up();
    CHECK_SEARCH("sort", 7);
    CHECK_SEARCH("SORTALL", 5);
    CHECK_SEARCH("\"org.App.sort\"", 3);
    CHECK_SEARCH("\"org/App.sort\"", 3);
    CHECK_SEARCH("\"App.sort\"", 0);
    CHECK_SEARCH("/Thread\\.r|^main/", 31);
    CHECK_SEARCH("/^org.*all$/", 5);
    CHECK_SEARCH("Thread.r", 15);
    CHECK_SEARCH("a.lang", 15);
    CHECK_SEARCH("\"I2C/C2I adapters\"", 8);
    CHECK_SEARCH("nothing", 0);
    flame_done(&f);
}

static void characters_of_expressions_stand_for_themselves(void)
{
    set_up();
    flame_add_stack(&f, "a[b]*(c)\\E$", 32);
    flame_finish(&f);
    CHECK_SEARCH("[b]*(", 32);
    CHECK_SEARCH("\\E$", 32);
    CHECK_SEARCH(".*", 0);
    CHECK_SEARCH("\"", 0);
    CHECK_SEARCH("//", 0);
    flame_done(&f);
}

static void looks_beneath_one_node_only(void)
{
    set_up();
    const struct str at[] = {STR("java/lang/Thread.run"), STR("org/App.sort")};
    check_search(__LINE__, flame_find(&f, at, 2), "sortall", 1);
    check_search(__LINE__, flame_find(&f, at, 2), "sort", 3);
    check_search(__LINE__, flame_find(&f, at, 2), "main", 0);
    flame_done(&f);
}

static void what_is_no_expression_is_an_error(void)
{
    struct err err = {0};
    struct name_matches m = {0};
    CHECK_INT(name_matches_add(&m, STR("/(/"), &err), -EINVAL);
    CHECK_HAS(err.text, "missing )");
    name_matches_done(&m);
}

int main(void)
{
    RUN(finds_a_part_or_the_whole_of_a_name);
    RUN(characters_of_expressions_stand_for_themselves);
    RUN(looks_beneath_one_node_only);
    RUN(what_is_no_expression_is_an_error);
    return REPORT();
}
