/* Answers of a store as smolder top reads them. */
#include "cli/top_answer.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

static struct top_methods methods_of(const char *json)
{
    struct top_methods m = {0};
    struct err err = {0};
    CHECK_INT(top_methods_read(str_of(json), &m, &err), 0);
    return m;
}

/* "name self total" of row i. */
static const char *row(const struct top_methods *m, size_t i)
{
    static char text[200];
    snprintf(text, sizeof text, "%s %g %g", m->items[i].name, m->items[i].self, m->items[i].total);
    return text;
}

/* main;a 200, main;a;b 1000, main;a;c 500, main;d 300: the example of the API's own description. */
#define EXAMPLE                                                                                                        \
    "{\"flamegraph\":{\"names\":[\"total\",\"main\",\"d\",\"a\",\"c\",\"b\"],\"levels\":["                             \
    "{\"values\":[\"0\",\"2000\",\"0\",\"0\"]},{\"values\":[\"0\",\"2000\",\"0\",\"1\"]},"                             \
    "{\"values\":[\"0\",\"1700\",\"200\",\"3\",\"0\",\"300\",\"300\",\"2\"]},"                                         \
    "{\"values\":[\"200\",\"1000\",\"1000\",\"5\",\"0\",\"500\",\"500\",\"4\"]}],"                                     \
    "\"total\":\"2000\",\"maxSelf\":\"1000\"}}"

static void a_flame_graph_becomes_methods(void)
{
    struct top_methods m = methods_of(EXAMPLE);
    CHECK_INT(m.len, 5);
    CHECK_INT(m.value, 2000);
    CHECK_STR(row(&m, 0), "b 1000 1000");
    CHECK_STR(row(&m, 2), "d 300 300");
    CHECK_STR(row(&m, 3), "a 200 1700");
    top_methods_sort(&m, TOP_TOTAL);
    CHECK_STR(row(&m, 0), "main 0 2000");
    CHECK_STR(row(&m, 1), "a 200 1700");
    top_methods_sort(&m, TOP_NAME);
    CHECK_STR(row(&m, 0), "a 200 1700");
    top_methods_done(&m);
}

/* a;b;a: a is on the stack twice, and has 100 once. Beside it another a, under c. */
static void a_method_that_calls_itself_counts_once(void)
{
    struct top_methods m =
        methods_of("{\"flamegraph\":{\"names\":[\"total\",\"a\",\"b\",\"c\"],\"levels\":["
                   "{\"values\":[0,150,0,0]},{\"values\":[0,100,0,1,0,50,10,3]},{\"values\":[0,100,30,2,10,40,40,1]},"
                   "{\"values\":[30,70,70,1]}]}}");
    top_methods_sort(&m, TOP_NAME);
    CHECK_STR(row(&m, 0), "a 110 140");
    CHECK_STR(row(&m, 1), "b 30 100");
    CHECK_STR(row(&m, 2), "c 10 50");
    top_methods_done(&m);
}

static void a_list_of_functions_is_taken_as_it_is(void)
{
    struct top_methods m =
        methods_of("{\"functions\":{\"total\":\"30\",\"functions\":["
                   "{\"name\":\"x\",\"self\":\"10\",\"total\":\"30\"},{\"name\":\"y\",\"self\":\"20\","
                   "\"total\":\"20\"},{\"name\":\"z\"}]}}");
    CHECK_INT(m.len, 2);
    CHECK_INT(m.value, 30);
    CHECK_STR(row(&m, 0), "y 20 20");
    CHECK_STR(row(&m, 1), "x 10 30");
    top_methods_done(&m);
}

static void services_have_values_and_a_trend(void)
{
    static const char json[] =
        "{\"series\":[{\"labels\":[{\"name\":\"service_name\",\"value\":\"api\"}],\"points\":["
        "{\"value\":5,\"timestamp\":\"100000\"}]},"
        "{\"labels\":[{\"name\":\"service_name\",\"value\":\"shop\"}],\"points\":["
        "{\"value\":1e1,\"timestamp\":\"45000\"},{\"value\":20,\"timestamp\":\"95000\"},{\"value\":\"NaN\"}]},"
        "{\"points\":[{\"value\":1,\"timestamp\":\"100000\"}]}]}";
    struct top_services s = {0};
    struct err err = {0};
    CHECK_INT(top_services_read(str_of(json), 100000, 5000, false, &s, &err), 0);
    CHECK_INT(s.len, 3);
    CHECK_INT(s.value, 36);
    CHECK_STR(s.items[0].name, "shop");
    CHECK_INT(s.items[0].value, 30);
    CHECK_INT(s.items[0].trend[0], 10);
    CHECK_INT(s.items[0].trend[TOP_TREND - 2], 20);
    CHECK_INT(s.items[1].trend[TOP_TREND - 1], 5);
    CHECK_STR(s.items[2].name, "");
    top_services_done(&s);
    CHECK_INT(top_services_read(str_of(json), 100000, 5000, true, &s, &err), 0);
    CHECK_STR(s.items[0].name, "shop");
    CHECK_INT(s.items[0].value, 10); /* the mean of three */
    top_services_done(&s);
}

static void types_are_found_by_their_beginning(void)
{
    struct top_types t = {0};
    struct err err = {0};
    CHECK_INT(top_types_read(STR("{\"profileTypes\":[{\"ID\":\"process_cpu:cpu:nanoseconds:cpu:nanoseconds\"},"
                                 "{\"ID\":\"memory:alloc:bytes::\"},{\"name\":\"none\"}]}"),
                             &t, &err),
              0);
    CHECK_INT(t.len, 2);
    CHECK_INT(top_types_find(&t, ""), 1);
    CHECK_INT(top_types_find(&t, "memory"), 0);
    CHECK_INT(top_types_find(&t, "mutex"), 2);
    top_types_done(&t);
    CHECK_INT(top_types_read(STR("{}"), &t, &err), 0);
    CHECK_INT(t.len, 0);
    top_types_done(&t);
}

static void what_makes_no_sense_is_empty(void)
{
    static const char *const odd[] = {
        "{}",
        "[]",
        "{\"flamegraph\":null}",
        "{\"flamegraph\":{\"names\":[\"total\"],\"levels\":[{\"values\":[0,0,0,0]}]}}",
        "{\"flamegraph\":{\"names\":[\"total\"],\"levels\":[{\"values\":[0,9,0,77]},{\"values\":[0,9,0,0]}]}}",
        "{\"flamegraph\":{\"names\":[\"total\"],\"levels\":[{\"values\":[0,9,0,-1]},{\"values\":7},3]}}",
        "{\"flamegraph\":{\"names\":[],\"levels\":[{\"values\":[0,9,0,0]}]}}",
        "{\"functions\":{\"functions\":[1,null,{\"name\":3}]}}"};
    struct top_methods m = {0};
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        m = methods_of(odd[i]);
        CHECK_INT(m.len, 0);
        top_methods_done(&m);
    }
    CHECK_INT(top_methods_read(STR("<html>"), &m, &err), -EBADMSG);
    CHECK_HAS(err.text, "no JSON");
    int64_t newest = 1;
    CHECK_INT(top_newest_read(STR("{}"), &newest, &err), 0);
    CHECK_INT(newest, 0);
    CHECK_INT(top_newest_read(STR("{\"dataIngested\":true,\"newestProfileTime\":\"1700000000000\"}"), &newest, &err),
              0);
    CHECK_INT(newest, 1700000000000);
}

int main(void)
{
    RUN(a_flame_graph_becomes_methods);
    RUN(a_method_that_calls_itself_counts_once);
    RUN(a_list_of_functions_is_taken_as_it_is);
    RUN(services_have_values_and_a_trend);
    RUN(types_are_found_by_their_beginning);
    RUN(what_makes_no_sense_is_empty);
    return REPORT();
}
