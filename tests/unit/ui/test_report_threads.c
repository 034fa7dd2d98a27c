#include "ui/report_threads.h"

#include "base/cleanup.h"
#include "test.h"

struct threaded {
    const char *name, *thread; /* function; NULL = no thread */
    int64_t values[2];
};

static uint32_t thread_label(struct symbols *s, const char *name)
{
    const struct pprof_label labels[] = {
        {.key = symbols_string(s, STR("span_name")), .str = symbols_string(s, STR("order"))},
        {.key = symbols_string(s, STR("thread")), .str = symbols_string(s, str_of(name ? name : ""))}};
    return symbols_labels(s, labels, name ? 2 : 1);
}

/* What is written for these samples; "" where threads do not matter. */
static const char *written(const struct threaded *rows, size_t n)
{
    static char text[1024];
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_flame_table struct flame_table t;
    cleanup_report_threads struct report_threads threads;
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    symbols_init(&s, 1 << 20);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("a"), STR("count")) && profile_add_type(&p, STR("b"), STR("bytes")));
    for (size_t i = 0; i < n; i++) {
        const struct pprof_function f = {.name = symbols_string(&s, str_of(rows[i].name))};
        const uint32_t l =
            symbols_location(&s, (struct pprof_location){.function = symbols_function(&s, f), .line = (int32_t)i + 1});
        CHECK(profile_add(&p, symbols_stack(&s, &l, 1), thread_label(&s, rows[i].thread), rows[i].values));
    }
    flame_table_init(&t, &p);
    report_threads_init(&threads, &p);
    for (size_t i = 0; i < threads.count; i++) /* in the order of samples, all of which have a label */
        CHECK_INT(report_threads_index(&threads, &s, p.samples[0].labels), 0);
    if (report_threads_matter(&threads))
        report_put_threads(&threads, &p, &t, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static void entries_are_what_a_node_has_in_a_thread(void)
{
    static const struct threaded rows[] = {
        {"work", "main", {1, 10}}, {"idle", "pool", {2, 20}}, {"work", "main", {3, 30}}, /* other lines, one node */
        {"work", "pool", {4, 0}},  {"idle", NULL, {5, 50}},   {"idle", "gone", {0, -1}},
    };
    CHECK_STR(written(rows, ARRAY_LEN(rows)), ",\"threads\":{\"names\":[\"main\",\"pool\",\"\"],"
                                              "\"thread\":[0,1,1,2],\"node\":[1,1,2,2],"
                                              "\"self\":[[4,4,2,5],[40,0,20,50]]}");
}

static void names_are_json(void)
{
    static const struct threaded rows[] = {{"work", "a\"</script>", {1, 1}}};
    const char *text = written(rows, 1);
    CHECK(strstr(text, "a\\\""));
}

static void without_threads_there_is_nothing(void)
{
    static const struct threaded rows[] = {{"work", NULL, {1, 1}}, {"work", "gone", {0, 0}}};
    CHECK_STR(written(rows, ARRAY_LEN(rows)), "");
    CHECK_STR(written(NULL, 0), "");
}

int main(void)
{
    RUN(entries_are_what_a_node_has_in_a_thread);
    RUN(names_are_json);
    RUN(without_threads_there_is_nothing);
    return REPORT();
}
