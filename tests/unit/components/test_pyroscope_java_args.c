#include "components/pyroscope_java_args.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "lang/parser.h"
#include "test.h"

/* Decodes the body of a pyroscope.java block; the diagnostics' text goes to `said`. */
static int decode(const char *body, struct java_args *ret, struct buf *said)
{
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct scope scope = {0};
    *ret = (struct java_args){0};
    CHECK_INT(source_new("", str_of(body), &source, NULL), 0);
    int code = parse_file(source, &file, &ds);
    if (code == 0)
        code = schema_decode(&java_schema, &file->body, source_range(source, 0, 0), &scope, ret, &ds);
    for (size_t i = 0; i < ds.len; i++)
        buf_printf(said, "%s\n", ds.items[i].message);
    return code;
}

#define MINIMAL "targets = []\nforward_to = []\n"

static void defaults_are_the_documents(void)
{
    struct java_args a;
    cleanup_buf struct buf said = BUF_INIT(4096);
    cleanup_free char *events = NULL;
    CHECK_INT(decode(MINIMAL, &a, &said), 0);
    CHECK_STR(a.tmp_dir, "/tmp");
    CHECK_STR(a.dist, "");
    CHECK_INT(a.min_age, 1000000000);
    CHECK_STR(a.memory_headroom, "24MiB");
    CHECK(!a.untested_versions && !a.retry_crashed);
    CHECK_INT(a.profiling.interval, 60000000000);
    CHECK_INT(a.profiling.roll_over, 900000000000);
    CHECK_INT(java_profiling_events(&a.profiling, &events, NULL), 0);
    CHECK_STR(events, "event=itimer,interval=10000000,alloc=512k,lock=10ms,loglevel=INFO");
    schema_done(&java_schema, &a);
}

static void attributes_become_the_profilers_options(void)
{
    static const struct {
        const char *config, *events;
    } cases[] = {
        {"sample_rate = 1000", "event=itimer,interval=1000000,alloc=512k,lock=10ms,loglevel=INFO"},
        {"cpu = false\nlog_level = \"\"", "alloc=512k,lock=10ms"},
        {"alloc = \"\"\nlock = \"\"\nlog_level = \"error\"", "event=itimer,interval=10000000,loglevel=error"},
        {"event = \"ctimer\"\nalloc = \"2m\"\ntlab = true\nlock = \"0\"\nlog_level = \"\"",
         "event=ctimer,interval=10000000,alloc=2m,tlab,lock=0"},
        {"quiet = true\nper_thread = true\ncpu = false\nalloc = \"\"\nlog_level = \"\"", "lock=10ms"},
        {"live = true\nlock = \"\"\nlog_level = \"\"", "event=itimer,interval=10000000,alloc=512k,live"},
        {"cpu = false\nalloc = \"\"\nlock = \"\"\nlog_level = \"\"\nwall = \"50ms\"", "wall=50ms"},
        {"cpu = false\nalloc = \"\"\nlock = \"\"\nlog_level = \"\"\nnative_mem = \"1m\"\nnative_lock = \"5ms\"",
         "nativemem=1m,nativelock=5ms"},
        {"alloc = \"\"\nlock = \"\"\nlog_level = \"\"\njstackdepth = 64\ncstack = \"vmx\"\nfeatures = [\"vtable\", "
         "\"comptask\"]",
         "event=itimer,interval=10000000,cstack=vmx,jstackdepth=64,features=vtable+comptask"},
        {"custom_arguments = [\"-e\", \"cpu\", \"--wall\", \"100ms\", \"-t\"]\nsample_rate = 0",
         "event=cpu,wall=100ms,threads"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf text = BUF_INIT(4096), said = BUF_INIT(4096);
        cleanup_free char *events = NULL;
        struct java_args a;
        buf_printf(&text, MINIMAL "profiling_config {\n%s\n}\n", cases[i].config);
        CHECK_INT(decode(buf_cstr(&text), &a, &said), 0);
        CHECK_STR(buf_cstr(&said), "");
        if (java_profiling_events(&a.profiling, &events, NULL) == 0)
            CHECK_STR(events, cases[i].events);
        schema_done(&java_schema, &a);
    }
}

static void refuses_at_load_what_would_fail_later(void)
{
    static const struct {
        const char *config, *said;
    } cases[] = {
        {"sample_rate = 0", "sample_rate must be between 1 and 100000, got 0"},
        {"sample_rate = -100", "sample_rate must be between"},
        {"sample_rate = 1000000000", "sample_rate must be between"},
        {"interval = \"0s\"", "interval must be at least 1s"},
        {"interval = \"-1m\"", "interval must be at least 1s"},
        {"interval = \"999ms\"", "interval must be at least 1s"},
        {"interval = \"25h\"", "interval must be at most 24h"},
        {"roll_over = \"9s\"", "roll_over must be between"},
        {"cpu = false\nalloc = \"\"\nlock = \"\"", "nothing to profile"},
        {"tlab = true\nalloc = \"\"", "tlab requires alloc"},
        {"alloc = \"10ms\"", "alloc \""},
        {"alloc = \"lots\"", "alloc \""},
        {"lock = \"512k\"", "lock \""},
        {"lock = \"10 ms\"", "lock \""},
        {"lock = \"ms\"", "lock \""},
        {"lock = \"-1ms\"", "lock \""},
        {"event = \"\"", "event must not be empty"},
        {"event = \"cpu,alloc\"", "event must be a single event"},
        {"event = \"cpu alloc\"", "contains an invalid character"},
        {"event = \"cpu=1\"", "contains an invalid character"},
        {"log_level = \"LOUD\"", "invalid log_level \"LOUD\""},
        {"live = true\nalloc = \"\"", "live requires alloc"},
        {"wall = \"fast\"", "wall \""},
        {"wall = \"10ms\"\nevent = \"wall\"", "wall goes beside another event"},
        {"native_mem = \"10ms\"", "native_mem \""},
        {"native_lock = \"1m\\n\"", "native_lock \""},
        {"jstackdepth = -1", "jstackdepth must be between 0 and 16384, got -1"},
        {"jstackdepth = 20000", "jstackdepth must be between"},
        {"cstack = \"lbr\"", "cstack: --cstack: \"lbr\" should be of: vm vmx dwarf fp no"},
        {"features = [\"magic\"]", "features: --features: \"magic\" should be of: stats"},
        {"features = [\"vtable,file=/x\"]", "features: --features"},
        {"include = [\"\"]", "include: a pattern must not be empty"},
        {"exclude = [\"a\\nb\"]", "exclude: \"a\nb\" contains an invalid character"},
        {"custom_arguments = [\"-I\", \"x\"]", "use the attribute `include`"},
        {"custom_arguments = [\"-f\", \"/etc/passwd\"]", "custom_arguments: -f is not allowed"},
        {"custom_arguments = [\"-e\", \"cpu\", \"--loop\", \"1m\"]", "--loop"},
        {"custom_arguments = [\"-e\", \"cpu\", \"--chunktime\", \"1s\"]", "--chunktime"},
        {"custom_arguments = [\"stop\"]", "stop"},
        {"custom_arguments = [\"4711\"]", "4711"},
        {"custom_arguments = [\"--cstack\", \"vm\"]", "nothing to profile"},
        {"custom_arguments = [\"-e\"]", "-e needs a value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf text = BUF_INIT(4096), said = BUF_INIT(4096);
        struct java_args a;
        buf_printf(&text, MINIMAL "profiling_config {\n%s\n}\n", cases[i].config);
        CHECK(decode(buf_cstr(&text), &a, &said) < 0);
        schema_done(&java_schema, &a); /* empty unless the check failed */
        CHECK_HAS(buf_cstr(&said), cases[i].said);
    }
}

static void refuses_relative_paths_and_missing_arguments(void)
{
    static const struct {
        const char *config, *said;
    } cases[] = {
        {MINIMAL "tmp_dir = \"tmp\"", "tmp_dir must be an absolute path"},
        {MINIMAL "dist = \"asprof\"", "dist must be an absolute path"},
        {MINIMAL "min_age = \"-1s\"", "min_age must be between 0s and 24h"},
        {MINIMAL "max_targets = -1", "max_targets must be between 0 and 4194304, got -1"},
        {MINIMAL "memory_headroom = \"much\"", "memory_headroom \"much\" is not a size"},
        {"targets = []", "forward_to"},
        {"forward_to = []", "targets"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf said = BUF_INIT(4096);
        struct java_args a;
        CHECK(decode(cases[i].config, &a, &said) < 0);
        CHECK_HAS(buf_cstr(&said), cases[i].said);
    }
}

static void samples_weigh_what_the_settings_say(void)
{
    static const struct {
        const char *events, *event;
        int64_t cpu_ns, wall_ns;
        bool per_thread;
    } cases[] = {
        {"event=itimer,interval=1000000", "itimer", 1000000, 0, false},
        {"event=wall,interval=20ms", "wall", 20000000, 0, false},
        {"event=cpu,wall=100ms,threads", "cpu", 10000000, 100000000, true},
        {"event=cpu,wall,interval=5us", "cpu", 5000, 50000000, false},
        {"alloc=512k", "", 10000000, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct java_profiling p = {0};
        struct convert_options o = java_conversion(&p, cases[i].events);
        CHECK_STR(o.settings.event, cases[i].event);
        CHECK_INT(o.settings.cpu_ns, cases[i].cpu_ns);
        CHECK_INT(o.settings.wall_ns, cases[i].wall_ns);
        CHECK_INT(o.per_thread, cases[i].per_thread);
        CHECK(o.gzip);
        CHECK(o.raw_threads);
    }
}

static void who_wants_no_cpu_time_gets_none(void)
{
    char wall[] = "--wall", *custom[] = {wall};
    struct java_profiling p = {.cpu = true};
    CHECK(java_wants_profile(&p, "process_cpu"));
    p.cpu = false;
    CHECK(!java_wants_profile(&p, "process_cpu"));
    CHECK(java_wants_profile(&p, "wall"));
    p.custom_arguments = (struct string_list){.items = custom, .len = 1};
    CHECK(java_wants_profile(&p, "process_cpu"));
}

int main(void)
{
    RUN(defaults_are_the_documents);
    RUN(attributes_become_the_profilers_options);
    RUN(refuses_at_load_what_would_fail_later);
    RUN(refuses_relative_paths_and_missing_arguments);
    RUN(samples_weigh_what_the_settings_say);
    RUN(who_wants_no_cpu_time_gets_none);
    return REPORT();
}
