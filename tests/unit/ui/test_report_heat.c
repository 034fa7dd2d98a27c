#include "ui/report_heat.h"

#include "base/cleanup.h"
#include "pprof/conversion_options.h"
#include "test.h"

enum { CELL = 20 };

struct timed {
    const char *name;
    int64_t at; /* negative = no time */
    int64_t values[2];
};

static uint32_t time_label(struct symbols *s, int64_t at)
{
    const struct pprof_label labels[] = {
        {.key = symbols_string(s, STR("thread")), .str = symbols_string(s, STR("main"))},
        {.key = symbols_string(s, CONVERSION_TIME), .num = at, .unit = symbols_string(s, STR("nanoseconds"))}};
    return symbols_labels(s, labels, at < 0 ? 1 : 2);
}

/* What is written for these samples. */
static const char *written(const struct timed *rows, size_t n)
{
    static char text[1024];
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_flame_table struct flame_table t;
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    symbols_init(&s, 1 << 20);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("a"), STR("count")) && profile_add_type(&p, STR("b"), STR("bytes")));
    for (size_t i = 0; i < n; i++) {
        const struct pprof_function f = {.name = symbols_string(&s, str_of(rows[i].name))};
        const uint32_t l =
            symbols_location(&s, (struct pprof_location){.function = symbols_function(&s, f), .line = (int32_t)i + 1});
        CHECK(profile_add(&p, symbols_stack(&s, &l, 1), time_label(&s, rows[i].at), rows[i].values));
    }
    flame_table_init(&t, &p);
    report_put_heat(&p, &t, CELL, NULL, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static void entries_are_what_a_node_has_in_a_cell(void)
{
    static const struct timed rows[] = {
        {"later", 160, {1, 10}}, {"first", 100, {2, 20}}, {"first", 100, {3, 30}}, /* other lines, the same node */
        {"later", 100, {4, 0}},  {"never", 100, {0, 0}},  {"untimed", -1, {9, 9}}, {"less", 120, {-5, 7}},
    };
    CHECK_STR(written(rows, ARRAY_LEN(rows)), ",\"heat\":{\"cell_ns\":20,\"start\":5,\"at\":[0,0,1,2],"
                                              "\"node\":[1,2,4,1],\"self\":[[4,5,0,1],[0,50,7,10]]}");
}

static void without_times_there_is_none(void)
{
    static const struct timed rows[] = {{"a", -1, {1, 1}}};
    CHECK_STR(written(rows, 1), "");
    CHECK_STR(written(NULL, 0), "");
}

int main(void)
{
    RUN(entries_are_what_a_node_has_in_a_cell);
    RUN(without_times_there_is_none);
    return REPORT();
}
