#include "api/agent_http.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "http_probe.h"
#include "test.h"

#include "fake_agent.h"

static uv_loop_t loop;
static struct controller *controller;
static struct agent_http *http;
static uint16_t port;
static const char *refusal;
static struct metric_family served = {
    .name = "test_served", .help = "Set before metrics are shown.", .kind = METRIC_GAUGE};

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static void wait_for(const bool *flag)
{
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !*flag && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(*flag);
}

static bool reload(void *arg, struct buf *why)
{
    (void)arg;
    if (refusal)
        buf_puts(why, refusal);
    return !refusal;
}

static void set_gauge(void *arg)
{
    (void)arg;
    metric_set(&served, 7);
}

static int prepare(void *arg, const struct settings *s, struct err *err)
{
    (void)arg;
    return agent_http_prepare(http, s, err);
}

static void apply(void *arg, const struct settings *s)
{
    (void)arg;
    agent_http_apply(http, s);
}

static void set_up(void)
{
    struct err err = {0};
    controller = controller_new(
        &(struct controller_options){.loop = &loop, .components = fake_components, .prepare = prepare, .apply = apply});
    CHECK_INT(agent_http_open(&(struct agent_http_options){.loop = &loop,
                                                           .listen = "127.0.0.1:0",
                                                           .controller = controller,
                                                           .reload = reload,
                                                           .before_metrics = set_gauge,
                                                           .store_address = "127.0.0.1:4040"},
                              &http, &err),
              0);
    port = (uint16_t)strtoul(strrchr(agent_http_address(http), ':') + 1, NULL, 10);
}

static void tear_down(void)
{
    bool closed = false, stopped = false;
    agent_http_close(http, flag_up, &closed);
    wait_for(&closed);
    controller_stop(controller, flag_up, &stopped);
    wait_for(&stopped);
    controller_free(controller);
}

static struct probe_reply get(const char *target)
{
    return probe(&loop, port, "GET", target, "", NULL, 0);
}

static void is_ready_after_the_first_good_load(void)
{
    set_up();
    cleanup_probe struct probe_reply before = get("/-/ready");
    CHECK_INT(before.status, 503);
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }"), 0);
    cleanup_probe struct probe_reply after = get("/-/ready");
    CHECK_INT(after.status, 200);
    tear_down();
}

static void names_the_unhealthy_components(void)
{
    set_up();
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }"), 0);
    cleanup_probe struct probe_reply fine = get("/-/healthy");
    CHECK_INT(fine.status, 200);
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }\npyroscope.java \"bad\" { mode = \"broken\" }"), 0);
    cleanup_probe struct probe_reply sick = get("/-/healthy");
    CHECK_INT(sick.status, 500);
    CHECK_STR(sick.body, "unhealthy components: pyroscope.java.bad\n");
    tear_down();
}

static void reloads_and_says_why_not(void)
{
    set_up();
    refusal = NULL;
    cleanup_probe struct probe_reply ok = probe(&loop, port, "POST", "/-/reload", "", "", 0);
    CHECK_INT(ok.status, 200);
    CHECK_STR(ok.body, "config reloaded\n");
    refusal = "test:1:1: unexpected end of file";
    cleanup_probe struct probe_reply no = get("/-/reload");
    CHECK_INT(no.status, 400);
    CHECK_STR(no.body, "test:1:1: unexpected end of file\n");
    tear_down();
}

static void shows_metrics(void)
{
    set_up();
    cleanup_probe struct probe_reply r = get("/metrics");
    CHECK_INT(r.status, 200);
    CHECK_HAS(probe_header(&r, "Content-Type"), "text/plain; version=0.0.4");
    CHECK_HAS(r.body, "\ntest_served 7\n");
    CHECK_HAS(r.body, "process_resident_memory_bytes ");
    tear_down();
}

static void shows_components_as_json(void)
{
    set_up();
    CHECK_INT(fake_load(controller, "test.sink \"out\" { }\n"
                                    "pyroscope.java \"all\" {\n"
                                    "    forward_to = [test.sink.out.receiver]\n"
                                    "    password = \"hunter2\"\n"
                                    "}"),
              0);
    cleanup_probe struct probe_reply list = get("/api/v0/web/components");
    CHECK_STR(probe_header(&list, "Content-Type"), "application/json");
    json_t *all = json_loads(list.body, 0, NULL);
    CHECK_INT(json_array_size(all), 2);
    json_t *java = json_array_get(all, 0);
    CHECK_STR(json_string_value(json_object_get(java, "localID")), "pyroscope.java.all");
    CHECK_STR(json_string_value(json_object_get(java, "name")), "pyroscope.java");
    CHECK_STR(json_string_value(json_object_get(java, "label")), "all");
    CHECK_INT(json_array_size(json_object_get(java, "arguments")), 0);
    CHECK_STR(json_string_value(json_object_get(json_object_get(java, "health"), "state")), "healthy");
    CHECK_STR(json_string_value(json_array_get(json_object_get(java, "dataFlowEdgesTo"), 0)), "test.sink.out");
    CHECK_INT(json_array_size(json_object_get(json_array_get(all, 1), "dataFlowEdgesTo")), 0);
    CHECK_STR(json_string_value(json_array_get(json_object_get(json_array_get(all, 1), "referencedBy"), 0)),
              "pyroscope.java.all");
    json_decref(all);

    cleanup_probe struct probe_reply detail = get("/api/v0/web/components/pyroscope.java.all");
    CHECK_INT(detail.status, 200);
    CHECK(!strstr(detail.body, "hunter2"));
    CHECK_HAS(detail.body, "{\"name\":\"forward_to\",\"type\":\"attr\",\"value\":{\"type\":\"array\",\"value\":"
                           "[{\"type\":\"string\",\"value\":\"inbox\"}]}}");
    CHECK_HAS(detail.body,
              "{\"name\":\"password\",\"type\":\"attr\",\"value\":{\"type\":\"capsule\",\"value\":\"(secret)\"}}");
    CHECK_HAS(detail.body, "\"debugInfo\":[{\"name\":\"profiled_targets\"");
    CHECK_HAS(detail.body, "{\"key\":\"pid\",\"value\":{\"type\":\"number\",\"value\":4711}}");
    cleanup_probe struct probe_reply none = get("/api/v0/web/components/pyroscope.java.nope");
    CHECK_INT(none.status, 404);
    tear_down();
}

static int status_of(const char *target, const char *headers)
{
    cleanup_probe struct probe_reply r = probe(&loop, port, "GET", target, headers, NULL, 0);
    return r.status;
}

#define ANN      "Authorization: Basic YW5uOnNlY3JldDp3b3Jk\r\n" /* ann:secret:word */
#define BASIC    "basic {\n username = \"ann\"\n password = \"secret:word\"\n }\n"
#define AUTH(in) "http {\n auth {\n" BASIC in "}\n}\n"

static void asks_for_a_password(void)
{
    set_up();
    CHECK_INT(fake_load(controller, AUTH("")), 0);
    cleanup_probe struct probe_reply no = get("/metrics");
    CHECK_INT(no.status, 401);
    CHECK_STR(probe_header(&no, "WWW-Authenticate"), "Basic realm=\"Restricted\"");
    CHECK(!strstr(no.body, "process_"));
    static const char *const wrong[] = {
        "Authorization: Basic YW5uOnNlY3JldDp3b3J\r\n",      "Authorization: Basic \r\n",
        "Authorization: Basic YW5uOnNlY3JldDp3b3JkZA==\r\n", "Authorization: Bearer YW5uOnNlY3JldDp3b3Jk\r\n",
        "Authorization: YW5uOnNlY3JldDp3b3Jk\r\n",           "Authorization: Basic Ym9iOnNlY3JldDp3b3Jk\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        CHECK_INT(status_of("/metrics", wrong[i]), 401);
    CHECK_INT(status_of("/no-such-page", ""), 401);
    CHECK_INT(status_of("/metrics", ANN), 200);
    CHECK_INT(status_of("/metrics", "authorization: bASIC  YW5uOnNlY3JldDp3b3Jk \r\n"), 200);
    /* A configuration that is refused opens nothing. */
    CHECK(fake_load(controller, "nonsense { }") < 0);
    CHECK_INT(status_of("/metrics", ""), 401);
    CHECK_INT(fake_load(controller, ""), 0);
    CHECK_INT(status_of("/metrics", ""), 200);
    tear_down();
}

static void protects_the_paths_of_the_filter(void)
{
    set_up();
    CHECK_INT(fake_load(controller, AUTH("filter {\n paths = [\"/api\", \"/-/reload\"]\n}\n")), 0);
    CHECK_INT(status_of("/metrics", ""), 200);
    CHECK_INT(status_of("/-/reload", ""), 401);
    CHECK_INT(status_of("/api/v0/web/components", ""), 401);
    CHECK_INT(status_of("/%61pi/v0/web/components", ""), 401);
    CHECK_INT(status_of("/api/v0/web/components", ANN), 200);
    CHECK_INT(
        fake_load(controller, AUTH("filter {\n paths = [\"/-/ready\"]\n authenticate_matching_paths = false\n}\n")), 0);
    CHECK_INT(status_of("/-/ready", ""), 200);
    CHECK_INT(status_of("/metrics", ""), 401);
    /* Selects nothing, so it changes nothing. */
    CHECK_INT(fake_load(controller, AUTH("filter { }\n")), 0);
    CHECK_INT(status_of("/metrics", ""), 401);
    CHECK_INT(fake_load(controller, AUTH("filter {\n authenticate_matching_paths = false\n}\n")), 0);
    CHECK_INT(status_of("/metrics", ""), 401);
    tear_down();
}

static void a_certificate_that_is_missing_refuses_the_configuration(void)
{
    set_up();
    struct diags ds = {0};
    static const char text[] =
        "http {\n  tls {\n    cert_file = \"/nonexistent\"\n    key_file = \"/nonexistent\"\n  }\n}\n";
    CHECK(controller_load(controller, &(struct config_file){.name = "f", .text = text, .len = sizeof text - 1}, 1,
                          &ds) < 0);
    CHECK_STR(ds.len ? ds.items[0].message : "",
              "Failed to evaluate service: read /nonexistent: No such file or directory");
    diags_done(&ds);
    CHECK_INT(status_of("/metrics", ""), 200);
    tear_down();
}

static void answers_to_names_of_this_machine_only(void)
{
    set_up();
    static const char rq[] = "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    int fd = probe_connect(port);
    cleanup_buf struct buf reply = BUF_INIT(1 << 20);
    CHECK(probe_send(&loop, fd, rq, sizeof rq - 1) && probe_receive(&loop, fd, &reply));
    CHECK_HAS(buf_cstr(&reply), "HTTP/1.1 421 ");
    CHECK_HAS(buf_cstr(&reply), "answers on this machine only, and \"evil.example\" is no name of it\n");
    close(fd);
    tear_down();
}

static void has_an_index(void)
{
    set_up();
    cleanup_probe struct probe_reply r = get("/");
    CHECK_INT(r.status, 200);
    CHECK_HAS(r.body, "/api/v0/web/components");
    CHECK_HAS(r.body, "http://127.0.0.1:4040/");
    tear_down();
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(is_ready_after_the_first_good_load);
    RUN(names_the_unhealthy_components);
    RUN(reloads_and_says_why_not);
    RUN(shows_metrics);
    RUN(shows_components_as_json);
    RUN(asks_for_a_password);
    RUN(protects_the_paths_of_the_filter);
    RUN(a_certificate_that_is_missing_refuses_the_configuration);
    RUN(answers_to_names_of_this_machine_only);
    RUN(has_an_index);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
