#include "components/pyroscope_scrape_args.h"

#include "flow/config.h"

#define MINIMAL "targets = []\nforward_to = []\n"

struct nth {
    size_t left;
    const char *name;
};

static void find_nth(void *arg, const char *name, const struct scrape_profile_args *p)
{
    (void)p;
    struct nth *n = arg;
    if (n->left-- == 0)
        n->name = name;
}

static const char *names_of(const struct scrape_profiling_args *a, size_t i)
{
    struct nth n = {.left = i};
    scrape_each_profile(a, find_nth, &n);
    return n.name;
}

static void defaults_are_the_pages(void)
{
    static const struct {
        enum scrape_profile profile;
        const char *name, *path;
        bool enabled, delta;
    } profiles[] = {
        {SCRAPE_MEMORY, "memory", "/debug/pprof/allocs", true, false},
        {SCRAPE_BLOCK, "block", "/debug/pprof/block", true, false},
        {SCRAPE_GOROUTINE, "goroutine", "/debug/pprof/goroutine", true, false},
        {SCRAPE_MUTEX, "mutex", "/debug/pprof/mutex", true, false},
        {SCRAPE_PROCESS_CPU, "process_cpu", "/debug/pprof/profile", true, true},
        {SCRAPE_FGPROF, "fgprof", "/debug/fgprof", false, true},
        {SCRAPE_GODELTAPROF_MEMORY, "godeltaprof_memory", "/debug/pprof/delta_heap", false, false},
        {SCRAPE_GODELTAPROF_MUTEX, "godeltaprof_mutex", "/debug/pprof/delta_mutex", false, false},
        {SCRAPE_GODELTAPROF_BLOCK, "godeltaprof_block", "/debug/pprof/delta_block", false, false},
    };
    struct scrape_args a = {0};
    char problem[ERR_MAX];
    CHECK(decode_text(&scrape_schema, MINIMAL, &a, problem));
    CHECK_INT(a.scrape_interval, 15000000000);
    CHECK_INT(a.scrape_timeout, 10000000000);
    CHECK_INT(a.delta_profiling_duration, 14000000000);
    CHECK_STR(a.scheme, "http");
    CHECK_STR(a.job_name, "");
    CHECK_INT(scrape_delta_seconds(&a), 14);
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        const struct scrape_profile_args *p = &a.profiling.known[profiles[i].profile];
        CHECK_STR(names_of(&a.profiling, i), profiles[i].name);
        CHECK_STR(p->path, profiles[i].path);
        CHECK_INT(p->enabled, profiles[i].enabled);
        CHECK_INT(p->delta, profiles[i].delta);
    }
    schema_done(&scrape_schema, &a);
}

static void a_block_changes_only_what_it_names(void)
{
    struct scrape_args a = {0};
    char problem[ERR_MAX] = "";
    CHECK(decode_text(&scrape_schema,
                      MINIMAL
                      "job_name = \"j\"\nparams = {\"a\" = [\"1\", \"2\"], \"b\" = []}\n"
                      "scrape_interval = \"30s\"\nprofiling_config {\n path_prefix = \"/x\"\n"
                      " profile.block {\n  enabled = false\n }\n profile.fgprof {\n  enabled = true\n }\n"
                      " profile.custom \"heap\" {\n  enabled = true\n  path = \"/heap\"\n }\n"
                      " profile.custom \"cold\" {\n  enabled = false\n  path = \"/cold\"\n  delta = true\n }\n}\n"
                      "clustering {\n enabled = true\n}\n",
                      &a, problem));
    CHECK_STR(problem, "");
    CHECK(!a.profiling.known[SCRAPE_BLOCK].enabled);
    CHECK_STR(a.profiling.known[SCRAPE_BLOCK].path, "/debug/pprof/block");
    CHECK(a.profiling.known[SCRAPE_FGPROF].enabled && a.profiling.known[SCRAPE_FGPROF].delta);
    CHECK(a.profiling.known[SCRAPE_MEMORY].enabled);
    CHECK_INT(a.profiling.custom.len, 2);
    CHECK_STR(((struct scrape_profile_args *)a.profiling.custom.items)[1].name, "cold");
    CHECK_INT(a.params.len, 2);
    CHECK_INT(a.params.items[0].values.len, 2);
    CHECK_INT(scrape_delta_seconds(&a), 29);
    CHECK(schema_equal(&scrape_schema, &a, &a));
    cleanup_value struct value *shown = schema_to_value(&scrape_schema, &a);
    CHECK(value_member(shown, STR("params")) != NULL);
    schema_done(&scrape_schema, &a);
}

static void impossible_arguments_are_rejected(void)
{
#define PROFILING(text) MINIMAL "profiling_config {\n" text "\n}"
#define NO_CPU          "profiling_config {\n profile.process_cpu {\n  enabled = false\n }\n}\n"
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"forward_to = []", "missing required attribute \"targets\""},
        {"targets = []", "missing required attribute \"forward_to\""},
        {MINIMAL "scrape_timeout = \"0s\"", "scrape_timeout must be greater than 0"},
        {MINIMAL "scrape_interval = \"1s\"", "scrape_interval must be at least 2 seconds when using delta profiling"},
        {MINIMAL NO_CPU "scrape_interval = \"0s\"", "scrape_interval must be between 100ms and 24h"},
        {MINIMAL "delta_profiling_duration = \"1s\"",
         "delta_profiling_duration must be larger than 1 second when using delta profiling"},
        {MINIMAL "scrape_interval = \"10s\"",
         "delta_profiling_duration must be at least 1 second smaller than scrape_interval when using delta profiling"},
        {MINIMAL "scheme = \"ftp\"", "invalid scheme: \"ftp\""},
        {MINIMAL "params = {\"a\" = \"1\"}", "should be array, got string"},
        {MINIMAL "params = {\"a\" = [1]}", "should be string, got number"},
        {MINIMAL "params = 5", "should be object, got number"},
        {MINIMAL "clustering { }", "missing required attribute \"enabled\""},
        {MINIMAL "bearer_token = \"t\"\nbearer_token_file = \"f\"", "at most one of"},
        {PROFILING("profile.custom {\n enabled = true\n path = \"/\"\n}"),
         "block \"profile.custom\" requires non-empty label"},
        {PROFILING("profile.custom \"x\" {\n enabled = true\n}"), "missing required attribute \"path\""},
        {PROFILING("profile.custom \"x\" {\n enabled = true\n path = \"/\"\n}\n"
                   "profile.custom \"x\" {\n enabled = true\n path = \"/\"\n}"),
         "profile.custom \"x\" is specified twice"},
        {PROFILING("profile.heap { }"), "unrecognized block name \"profile.heap\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scrape_args a = {0};
        char problem[ERR_MAX] = "";
        CHECK(!decode_text(&scrape_schema, cases[i].text, &a, problem));
        CHECK_HAS(problem, cases[i].problem);
    }
    /* Without a profile of some seconds an interval may be short. */
    struct scrape_args a = {0};
    char problem[ERR_MAX] = "";
    CHECK(decode_text(&scrape_schema, MINIMAL NO_CPU "scrape_interval = \"1s\"", &a, problem));
    schema_done(&scrape_schema, &a);
}

int main(void)
{
    RUN(defaults_are_the_pages);
    RUN(a_block_changes_only_what_it_names);
    RUN(impossible_arguments_are_rejected);
    return REPORT();
}
