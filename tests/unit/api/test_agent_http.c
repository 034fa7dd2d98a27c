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

static void set_up(void)
{
    struct err err = {0};
    controller = controller_new(&(struct controller_options){.loop = &loop, .components = fake_components});
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
    RUN(has_an_index);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
