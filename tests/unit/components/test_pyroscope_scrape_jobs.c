#include "components/pyroscope_scrape_jobs.h"

#include "flow/config.h"

/* URL and labels of each job, a line each. */
static const char *jobs_of(const char *targets, const char *more)
{
    static char text[16384];
    char config[4096], problem[ERR_MAX] = "";
    struct scrape_args a = {0};
    struct scrape_jobs jobs;
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    snprintf(config, sizeof config, "targets = [%s]\nforward_to = []\n%s", targets, more);
    CHECK(decode_text(&scrape_schema, config, &a, problem));
    CHECK_STR(problem, "");
    scrape_jobs_make(&jobs, &a, "pyroscope.scrape.test", "1.2.3");
    for (size_t i = 0; i < jobs.len; i++) {
        const struct scrape_job *j = &jobs.items[i];
        buf_printf(&out, "%s %s%s %lld ", j->url, j->profile, j->deltas ? "*" : "", (long long)j->seconds);
        for (size_t k = 0; k < labels_len(j->labels); k++) {
            const struct label *l = labels_at(j->labels, k);
            if (!str_has_prefix(l->name, STR("__")) || str_is(l->name, "__name__") || str_is(l->name, "__delta__"))
                buf_printf(&out, "%s%.*s=%.*s", k ? "," : "", STR_ARG(l->name), STR_ARG(l->value));
        }
        buf_byte(&out, '\n');
    }
    if (jobs.problems)
        buf_printf(&out, "%zu: %s\n", jobs.problems, jobs.problem);
    scrape_jobs_done(&jobs);
    schema_done(&scrape_schema, &a);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

#define ONLY_CPU                                                                                                       \
    "profiling_config {\n profile.memory {\n  enabled = false\n }\n profile.block {\n  enabled = false\n }\n"          \
    " profile.goroutine {\n  enabled = false\n }\n profile.mutex {\n  enabled = false\n }\n"
#define SCOPE ",otel.scope.name=com.grafana.alloy/pyroscope.scrape,otel.scope.version=1.2.3"

static void a_target_is_asked_for_every_enabled_profile(void)
{
    const char *jobs = jobs_of("{\"__address__\" = \"localhost:12345\", \"service_name\" = \"alloy\"}", "");
    static const char *const wanted[] = {
        "http://localhost:12345/debug/pprof/allocs memory* 0 ,__delta__=false,",
        "http://localhost:12345/debug/pprof/block block* 0 ,__delta__=false,",
        "http://localhost:12345/debug/pprof/goroutine goroutine 0 ",
        "http://localhost:12345/debug/pprof/mutex mutex* 0 ,__delta__=false,",
        "http://localhost:12345/debug/pprof/profile?seconds=14 process_cpu 14 ",
        "__name__=process_cpu",
        ",instance=localhost:12345,job=pyroscope.scrape.test" SCOPE ",service_name=alloy\n",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        CHECK_HAS(jobs, wanted[i]);
    CHECK(!strstr(jobs, "fgprof"));
}

static void labels_of_the_target_change_the_request(void)
{
    const char *jobs = jobs_of("{\"__address__\" = \"[::1]\", \"__scheme__\" = \"https\", \"job\" = \"own\",\n"
                               " \"__profile_path_prefix__\" = \"/mimir/\", \"__param_x\" = \"a b\",\n"
                               " \"__param_debug\" = \"0\", \"instance\" = \"i\"}",
                               "params = {\"x\" = [\"1\", \"2\"], \"y\" = [\"&\"]}\n" ONLY_CPU "}");
    CHECK_HAS(jobs, "https://[::1]:443/mimir/debug/pprof/profile?x=a%20b&x=2&y=%26&debug=0&seconds=14 process_cpu");
    CHECK_HAS(jobs, ",instance=i,job=own,");
    jobs = jobs_of("{\"__address__\" = \"h\", \"__param_seconds\" = \"3\"}", ONLY_CPU "}");
    CHECK_HAS(jobs, "http://h:80/debug/pprof/profile?seconds=3 ");
    jobs = jobs_of("{\"__address__\" = \"h:1\", \"__profile_path__\" = \"own\", \"__name__\" = \"memory\"}",
                   ONLY_CPU " path_prefix = \"p\"\n}");
    CHECK_HAS(jobs, "http://h:1/p/own memory* 0 ");
}

static void godeltaprof_is_called_as_what_it_measures(void)
{
    const char *jobs = jobs_of("{\"__address__\" = \"h:1\"}", ONLY_CPU
                               " profile.process_cpu {\n  enabled = false\n }\n"
                               " profile.godeltaprof_memory {\n  enabled = true\n }\n"
                               " profile.custom \"heap\" {\n  enabled = true\n  path = \"/h\"\n  delta = true\n }\n"
                               "}");
    CHECK_HAS(jobs, "http://h:1/debug/pprof/delta_heap memory 0 ,__delta__=false,__name__=memory,");
    CHECK_HAS(jobs, "http://h:1/h?seconds=14 heap 14 ");
    CHECK_HAS(jobs, "__name__=heap");
}

static void the_service_is_inferred(void)
{
    static const struct {
        const char *target, *service;
    } cases[] = {
        {"", "unspecified"},
        {", \"__meta_dockerswarm_service_name\" = \"s\"", "s"},
        {", \"__meta_dockerswarm_service_name\" = \"s\", \"__meta_docker_container_name\" = \"/d\"", "d"},
        {", \"__meta_kubernetes_namespace\" = \"ns\", \"__meta_docker_container_name\" = \"/d\"", "d"},
        {", \"__meta_kubernetes_namespace\" = \"ns\", \"__meta_kubernetes_pod_container_name\" = \"c\"", "ns/c"},
        {", \"__meta_kubernetes_namespace\" = \"ns\", \"__meta_kubernetes_pod_container_name\" = \"c\",\n"
         "\"__meta_kubernetes_pod_annotation_pyroscope_io_service_name\" = \"a\"",
         "a"},
        {", \"service_name\" = \"own\", \"__meta_docker_container_name\" = \"/d\"", "own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char target[512], wanted[100];
        snprintf(target, sizeof target, "{\"__address__\" = \"h:1\"%s}", cases[i].target);
        snprintf(wanted, sizeof wanted, ",service_name=%s\n", cases[i].service);
        CHECK_HAS(jobs_of(target, ONLY_CPU "}"), wanted);
    }
}

static void the_scope_of_the_target_is_kept(void)
{
    const char *jobs = jobs_of("{\"__address__\" = \"h:1\", \"otel.scope.name\" = \"mine\"}", ONLY_CPU "}");
    CHECK_HAS(jobs, ",otel.scope.name=mine,service_name");
}

static void a_target_that_cannot_be_scraped_does_not_affect_others(void)
{
    const char *jobs = jobs_of("{\"a\" = \"1\"}, {\"__address__\" = \"h:1\"}, {\"__address__\" = \"h/x\"},\n"
                               "{\"__address__\" = \"h\", \"__scheme__\" = \"ftp\"}, {\"__address__\" = \"[::1\"}",
                               ONLY_CPU "}");
    CHECK_HAS(jobs, "http://h:1/debug/pprof/profile?seconds=14");
    CHECK_HAS(jobs, "\n4: not an address: {__address__=\"[::1\"}\n");
    CHECK_HAS(jobs_of("{\"a\" = \"1\"}", ONLY_CPU "}"), "1: no address: {a=\"1\"}\n");
    CHECK_HAS(jobs_of("{\"__address__\" = \"h\", \"__scheme__\" = \"ftp\"}", ONLY_CPU "}"), "1: invalid scheme");
}

int main(void)
{
    RUN(a_target_is_asked_for_every_enabled_profile);
    RUN(labels_of_the_target_change_the_request);
    RUN(godeltaprof_is_called_as_what_it_measures);
    RUN(the_service_is_inferred);
    RUN(the_scope_of_the_target_is_kept);
    RUN(a_target_that_cannot_be_scraped_does_not_affect_others);
    return REPORT();
}
