#include "ui/report_entries.h"

#include "base/cleanup.h"
#include "test.h"

/* By the set of labels: its number is the thread, none leaves the sample out. */
static bool by_set(const void *context, uint32_t labels, struct report_entry *e)
{
    e->thread = labels;
    e->at = *(const int64_t *)context;
    return labels != 0;
}

static void equal_entries_are_one_and_saturate(void)
{
    static const int64_t values[][1] = {{INT64_MAX}, {5}, {7}, {-3}, {9}};
    const int64_t at = 4;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    cleanup_flame_table struct flame_table t;
    cleanup_report_entries struct report_entries r;
    cleanup_buf struct buf out = BUF_INIT(256);
    symbols_init(&s, 1 << 20);
    profile_init(&p, &s);
    CHECK(profile_add_type(&p, STR("a"), STR("count")));
    const struct pprof_label label = {.key = symbols_string(&s, STR("k")), .str = symbols_string(&s, STR("v"))};
    const uint32_t labelled = symbols_labels(&s, &label, 1);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        const struct pprof_function f = {.name = symbols_string(&s, i < 2 ? STR("one") : STR("two"))};
        const uint32_t l =
            symbols_location(&s, (struct pprof_location){.function = symbols_function(&s, f), .line = (int32_t)i + 1});
        CHECK(profile_add(&p, symbols_stack(&s, &l, 1), i == 4 ? 0 : labelled, values[i]));
    }
    flame_table_init(&t, &p);
    report_entries_init(&r, &p, &t, by_set, &at);
    CHECK_INT(r.len, 2);
    CHECK_INT(r.items[0].at, 4);
    report_put_entry_threads(&r, &out);
    report_put_entry_values(&r, 1, &out);
    CHECK_STR(buf_cstr(&out), "\"thread\":[1,1]\"node\":[1,2],\"self\":[[9223372036854775807,7]]");
}

int main(void)
{
    RUN(equal_entries_are_one_and_saturate);
    return REPORT();
}
