#include "pprof/layout.h"

#include "pprof/pass_fixture.h"

static const struct conversion_options plain = {.event = "cpu", .cpu_ns = 10};

static struct chunk_builder one_sample(const char *more)
{
    char types[8192];
    snprintf(types, sizeof types, "%s%s", recording_types, more);
    struct chunk_builder c = chunk_begin(types);
    recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    return c;
}

static void a_class_is_unread_until_its_plan_is_made(void)
{
    struct pass_fixture f;
    pass_fixture_open(&f, one_sample(""), &plain);
    const uint64_t id = f.layout.of[CLASS_EXECUTION].id;
    CHECK_INT(id, 101);
    CHECK_INT(layout_class(&f.layout, id), UNREAD + CLASS_EXECUTION);
    CHECK_INT(layout_compile(&f.layout, CLASS_EXECUTION, NULL), 0);
    CHECK_INT(layout_class(&f.layout, id), CLASS_EXECUTION);
    CHECK_INT(layout_class(&f.layout, 106), NO_CLASS); /* jdk.CPULoad */
    CHECK_INT(layout_class(&f.layout, UINT64_MAX), NO_CLASS);
    CHECK_INT(layout_class(&f.layout, JFR_EVENT_METADATA), NO_CLASS);
    pass_fixture_done(&f);
}

static void ids_beyond_the_table_are_found_as_well(void)
{
    struct pass_fixture f;
    pass_fixture_open(
        &f, one_sample("\n700000 profiler.NativeLock startTime:11 duration:11 eventThread:22* stackTrace:26*"), &plain);
    CHECK_INT(layout_class(&f.layout, 700000), UNREAD + CLASS_NATIVE_LOCK);
    CHECK_INT(layout_compile(&f.layout, CLASS_NATIVE_LOCK, NULL), 0);
    CHECK_INT(layout_class(&f.layout, 700000), CLASS_NATIVE_LOCK);
    pass_fixture_done(&f);
}

static void the_reference_leaves_types_out(void)
{
    struct pass_fixture f;
    pass_fixture_open(&f, one_sample(recording_more_types),
                      &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .compat = true});
    CHECK_INT(f.layout.of[CLASS_NATIVE_LOCK].id, JFR_EVENT_METADATA);
    CHECK_INT(f.layout.of[CLASS_EXECUTION].id, 101);
    pass_fixture_done(&f);
}

/* Nobody pays for labels that no event can have. */
static void a_layout_knows_whether_labels_are_possible(void)
{
    struct pass_fixture f;
    pass_fixture_open(&f, one_sample(""), &plain);
    CHECK_INT(layout_compile(&f.layout, CLASS_EXECUTION, NULL), 0);
    CHECK(!f.layout.labelled);
    pass_fixture_done(&f);

    pass_fixture_open(
        &f,
        one_sample("\n201 jdk.CPUTimeSample startTime:11 stackTrace:26* eventThread:22* samplingPeriod:11 "
                   "contextId:11"),
        &plain);
    CHECK_INT(layout_compile(&f.layout, CLASS_CPU_TIME, NULL), 0);
    CHECK(f.layout.labelled);
    pass_fixture_done(&f);
}

int main(void)
{
    RUN(a_class_is_unread_until_its_plan_is_made);
    RUN(ids_beyond_the_table_are_found_as_well);
    RUN(the_reference_leaves_types_out);
    RUN(a_layout_knows_whether_labels_are_possible);
    return REPORT();
}
