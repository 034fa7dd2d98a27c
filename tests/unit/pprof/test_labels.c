#include "pprof/labels.h"

#include "pprof/conversion_finish.h"
#include "pprof/converting.h"
#include "pprof/group.h"
#include "pprof/pass_fixture.h"
#include "pprof/text.h"

static const char span_types[] =
    "\n201 jdk.CPUTimeSample startTime:11 stackTrace:26* eventThread:22* samplingPeriod:11 spanId:11 spanName:20";

static struct chunk_builder in_span(uint64_t id, const char *name)
{
    char types[sizeof recording_types + sizeof span_types];
    snprintf(types, sizeof types, "%s%s", recording_types, span_types);
    struct chunk_builder c = chunk_begin(types);
    chunk_event(&c, 201);
    CHUNK_VARINTS(&c, 1, STACK_MAIN, THREAD_MAIN, 10, id);
    chunk_text(&c, name);
    chunk_event_end(&c);
    recording_end(&c);
    return c;
}

static uint32_t set_of(struct pass_fixture *f)
{
    struct jfr_record e;
    CHECK(pass_fixture_event(f, CLASS_CPU_TIME, &e));
    return labels_of_event(&f->pass, &event_classes[CLASS_CPU_TIME], &e);
}

static const char *texts_of(const struct pass_fixture *f, uint32_t number)
{
    static char text[512];
    const struct symbols *s = &f->c->symbols;
    const struct pprof_labels *set = &s->label_sets[number];
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < set->count && n < sizeof text; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%.*s=%.*s ", STR_ARG(s->strings[set->labels[i].key]),
                              STR_ARG(s->strings[set->labels[i].str]));
    return text;
}

static void an_event_has_the_labels_that_were_asked_for(void)
{
    static const struct {
        struct conversion_options o;
        const char *want;
    } cases[] = {
        {{.event = "cpu", .cpu_ns = 10}, "profile_id=0000000000000abc span_name=checkout "},
        {{.event = "cpu", .cpu_ns = 10, .per_thread = true},
         "thread=main profile_id=0000000000000abc span_name=checkout "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pass_fixture f;
        pass_fixture_open(&f, in_span(0xabc, "checkout"), &cases[i].o);
        CHECK_STR(texts_of(&f, set_of(&f)), cases[i].want);
        pass_fixture_done(&f);
    }
}

static size_t known_after(struct u64map *known, uint64_t key, uint64_t id, const char *name, bool *taken)
{
    struct pass_fixture f;
    pass_fixture_open(&f, in_span(id, name),
                      &(struct conversion_options){
                          .event = "cpu", .cpu_ns = 10, .series = known, .series_max = 2, .series_key = {key, key}});
    *taken = set_of(&f) != SYMBOLS_FULL;
    pass_fixture_done(&f);
    return known->len;
}

/* From one conversion to the next they are known by their texts. */
static void series_are_remembered_and_bounded(void)
{
    struct u64map known = U64MAP_INIT;
    bool taken;
    CHECK_INT(known_after(&known, 1, 0, "a", &taken), 1);
    CHECK(taken);
    CHECK_INT(known_after(&known, 1, 77, "a", &taken), 1); /* a span's id is no series */
    CHECK(taken);
    CHECK_INT(known_after(&known, 1, 0, "b", &taken), 2);
    CHECK(taken);
    CHECK_INT(known_after(&known, 1, 0, "c", &taken), 2);
    CHECK(!taken);
    CHECK_INT(known_after(&known, 1, 0, "b", &taken), 2);
    CHECK(taken);
    u64map_done(&known);
}

static void what_they_are_known_by_depends_on_the_key_alone(void)
{
    struct u64map one = U64MAP_INIT, same = U64MAP_INIT, other = U64MAP_INIT;
    uint64_t a = 0, b = 0, c = 0;
    bool taken;
    (void)known_after(&one, 1, 0, "a", &taken);
    (void)known_after(&same, 1, 5, "a", &taken);
    (void)known_after(&other, 2, 0, "a", &taken);
    CHECK(u64map_keys(&one, 1, &a) == 1 && u64map_keys(&same, 1, &b) == 1 && u64map_keys(&other, 1, &c) == 1);
    CHECK(a == b);
    CHECK(a != c);
    u64map_done(&one);
    u64map_done(&same);
    u64map_done(&other);
}

/* The collapsed stacks of the wall clock's samples, with that label as root. */
static const char *grouped(struct conversion_options o, const char *label)
{
    static char text[1024];
    struct conversion_profile profiles[CONVERSION_PROFILES_MAX];
    cleanup_profile struct profile group;
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    struct err err = {0};
    struct chunk_builder chunk = recording_begin();
    recording_setting(&chunk, "event", "wall");
    recording_wall(&chunk, STACK_WORK, THREAD_MAIN, STATE_RUNNABLE, 1);
    recording_wall(&chunk, STACK_MAIN, THREAD_GC, STATE_SLEEPING, 2);
    recording_wall(&chunk, STACK_MAIN, THREAD_NONE, STATE_NONE, 3);
    recording_end(&chunk);
    o.cpu_ns = 10;
    struct conversion *c = conversion_new(&o);
    convert(c, &chunk);
    const size_t n = conversion_profiles(c, profiles);
    CHECK_STR(n ? profiles[n - 1].name : "", "wall");
    profile_init(&group, profiles[n - 1].p->symbols);
    CHECK_INT(profile_group(&group, profiles[n - 1].p, str_of(label), &err), 0);
    pprof_text(&group, PPROF_TEXT_COLLAPSED, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    profile_done(&group);
    conversion_free(c);
    group = (struct profile){0};
    return text;
}

static void a_thread_may_have_its_id(void)
{
    CHECK_STR(grouped((struct conversion_options){.per_thread = true, .raw_threads = true}, "thread"),
              "[GC Thread#0];app/Main.main 20\n[main];app/Main.main;app/Main.work 10\napp/Main.main 30\n");
    CHECK_STR(
        grouped((struct conversion_options){.per_thread = true, .raw_threads = true, .thread_ids = true}, "thread"),
        "[GC Thread#0 tid=1001];app/Main.main 20\n[main tid=1000];app/Main.main;app/Main.work 10\n"
        "app/Main.main 30\n");
}

static void samples_may_have_the_state_of_their_thread(void)
{
    CHECK_STR(grouped((struct conversion_options){.per_state = true}, "state"),
              "[runnable];app/Main.main;app/Main.work 10\n[sleeping];app/Main.main 20\napp/Main.main 30\n");
}

/* The chunk begins at a time, and ticks are nanoseconds. */
static void samples_may_have_their_time(void)
{
    struct pass_fixture f;
    struct jfr_record e;
    struct chunk_builder chunk = recording_begin();
    chunk.start_ns = 1000;
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    pass_fixture_open(&f, chunk, &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .time_ns = 50});
    CHECK(pass_fixture_event(&f, CLASS_EXECUTION, &e));
    e.v[SLOT_TIME].num = f.header.start_ticks + 70;
    const uint32_t set = labels_of_event(&f.pass, &event_classes[CLASS_EXECUTION], &e);
    const struct symbols *s = &f.c->symbols;
    CHECK_INT(s->label_sets[set].count, 1);
    CHECK(str_eq(s->strings[s->label_sets[set].labels[0].key], CONVERSION_TIME));
    CHECK_INT(s->label_sets[set].labels[0].num, 1050);
    CHECK_INT(f.c->series, 0); /* as a span's id */
    pass_fixture_done(&f);
}

/* An event of execution is a sample of the CPU, the wall clock or a counter; an allocation is neither. */
static void only_some_profiles_may_have_times(void)
{
    static const struct {
        uint32_t kinds;
        int class, labels;
    } rows[] = {
        {1U << KIND_CPU, CLASS_EXECUTION, 1},      {1U << KIND_WALL, CLASS_EXECUTION, 1},
        {1U << KIND_CPU, CLASS_ALLOC, 0},          {1U << KIND_LOCK, CLASS_EXECUTION, 0},
        {1U << KIND_MALLOC_LIVE, CLASS_MALLOC, 1}, {0, CLASS_ALLOC, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pass_fixture f;
        struct jfr_record e;
        struct chunk_builder chunk = recording_begin();
        recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
        recording_end(&chunk);
        pass_fixture_open(
            &f, chunk,
            &(struct conversion_options){.event = "cpu", .cpu_ns = 10, .time_ns = 50, .time_kinds = rows[i].kinds});
        CHECK(pass_fixture_event(&f, CLASS_EXECUTION, &e));
        const uint32_t set = labels_of_event(&f.pass, &event_classes[rows[i].class], &e);
        CHECK_INT(f.c->symbols.label_sets[set].count, rows[i].labels);
        pass_fixture_done(&f);
    }
}

/* Where lines would be. */
static void frames_may_have_bytecode_indices(void)
{
    struct chunk_builder chunk = recording_begin();
    recording_execution(&chunk, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&chunk);
    struct conversion *c =
        conversion_new(&(struct conversion_options){.event = "cpu", .cpu_ns = 10, .bytecode_indices = true});
    struct conversion_profile profiles[CONVERSION_PROFILES_MAX];
    convert(c, &chunk);
    CHECK_INT(conversion_profiles(c, profiles), 1);
    const struct profile *p = profiles[0].p;
    const struct pprof_stack *stack = &p->symbols->stacks[p->samples[0].stack];
    CHECK_INT(stack->count, 2);
    CHECK_INT(p->symbols->locations[stack->locations[0]].line, 4);
    CHECK_INT(p->symbols->locations[stack->locations[1]].line, 3);
    conversion_free(c);
}

int main(void)
{
    RUN(a_thread_may_have_its_id);
    RUN(samples_may_have_the_state_of_their_thread);
    RUN(samples_may_have_their_time);
    RUN(only_some_profiles_may_have_times);
    RUN(frames_may_have_bytecode_indices);
    RUN(an_event_has_the_labels_that_were_asked_for);
    RUN(series_are_remembered_and_bounded);
    RUN(what_they_are_known_by_depends_on_the_key_alone);
    return REPORT();
}
