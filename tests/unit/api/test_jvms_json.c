#include "api/shared/jvms_json.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "http_probe.h"
#include "test.h"

#include "fake_agent.h"

static uv_loop_t loop;
static struct server *server;
static struct controller *controller;

/* A component of another name, with a JVM whose labels and reason have secrets in them. */
static void other_jvms(void *state, jvm_status_visit *visit, void *arg)
{
    (void)state;
    struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("db_password"), STR("hunter2"));
    labels_set(&b, STR("zone"), STR("eu"));
    struct labels *labels = labels_build(&b, false);
    visit(arg, &(struct jvm_status){.pid = 99,
                                    .service_name = STR("till"),
                                    .main = STR("app"),
                                    .state = "profiling",
                                    .reason = "https://ann:s3cret@host/ does not answer",
                                    .profiles = 3,
                                    .labels = labels,
                                    .version = "17.0.15+6-Debian",
                                    .vendor = "Debian",
                                    .options = "event=itimer,interval=10000000",
                                    .container = STR("3f1c"),
                                    .profiled_since_ns = 1700000000123456789,
                                    .recorded_bytes = 4096,
                                    .delivered = 2,
                                    .dropped = 1,
                                    .last_delivered_ns = 1700000001000000000,
                                    .agent_cpu_ns = 1500000});
    labels_unref(labels);
    labels_builder_done(&b);
}

static void other_ended(void *state, jvm_status_visit *visit, void *arg)
{
    (void)state;
    visit(arg, &(struct jvm_status){.pid = 98,
                                    .service_name = STR("old"),
                                    .state = "gone",
                                    .reason = "the process ended: password=hunter2",
                                    .ended_ns = 1700000002000000000});
}

static const struct component_def other = {.name = "other.profiler",
                                           .help = "Fake.",
                                           .args = &fake_schema,
                                           .exports = fake_no_exports,
                                           .build = fake_build,
                                           .update = fake_update,
                                           .start = fake_start,
                                           .stop = fake_stop,
                                           .free = fake_free,
                                           .jvms = other_jvms,
                                           .jvms_ended = other_ended};
static const struct component_def *const components[] = {&other, &fake_java, &fake_sink, NULL};

static void handle(void *ctx, struct request *rq)
{
    (void)ctx;
    jvms_json_reply(controller, rq);
}

static const struct server_route routes[] = {{"GET", "/api/jvms", handle}, {0}};

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static void start(const char *config)
{
    controller = controller_new(&(struct controller_options){.loop = &loop, .components = components});
    CHECK_INT(fake_load(controller, config), 0);
}

static void stop(void)
{
    bool stopped = false;
    controller_stop(controller, flag_up, &stopped);
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !stopped && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(stopped);
    controller_free(controller);
    controller = NULL;
}

static json_t *ask(void)
{
    cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "GET", "/api/jvms", "", NULL, 0);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Type"), "application/json");
    CHECK_STR(probe_header(&r, "Cache-Control"), "no-store");
    json_t *answer = json_loadb(r.body, r.body_len, 0, NULL);
    CHECK(answer);
    return answer;
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void whatever_profiles_jvms_is_asked_for_them(void)
{
    start("pyroscope.java \"all\" { }\nother.profiler \"x\" { }\ntest.sink \"out\" { }");
    json_t *answer = ask();
    const json_t *jvms = json_object_get(answer, "jvms");
    CHECK(json_is_true(json_object_get(answer, "agent")));
    CHECK(json_integer_value(json_object_get(answer, "now_ms")) > 1700000000000);
    CHECK_INT(json_array_size(jvms), 3);
    const json_t *till = json_array_get(jvms, 0);
    CHECK_STR(text(till, "component"), "other.profiler.x");
    CHECK_INT(json_integer_value(json_object_get(till, "pid")), 99);
    CHECK_STR(text(till, "service_name"), "till");
    CHECK_STR(text(till, "main"), "app");
    CHECK_STR(text(till, "state"), "profiling");
    CHECK_INT(json_integer_value(json_object_get(till, "profiles")), 3);
    CHECK_STR(text(json_array_get(jvms, 2), "component"), "pyroscope.java.all");
    CHECK_STR(text(json_array_get(jvms, 2), "service_name"), "ledger");
    json_decref(answer);
    stop();
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void a_jvm_has_what_a_table_of_them_needs(void)
{
    start("other.profiler \"x\" { }\npyroscope.java \"all\" { }");
    json_t *answer = ask();
    const json_t *till = json_array_get(json_object_get(answer, "jvms"), 0);
    CHECK_STR(text(till, "version"), "17.0.15+6-Debian");
    CHECK_STR(text(till, "vendor"), "Debian");
    CHECK_STR(text(till, "container"), "3f1c");
    CHECK_STR(text(till, "options"), "event=itimer,interval=10000000");
    CHECK_INT(number(till, "profiled_since_ms"), 1700000000123);
    CHECK_INT(number(till, "last_delivered_ms"), 1700000001000);
    CHECK_INT(number(till, "recorded_bytes"), 4096);
    CHECK_INT(number(till, "delivered"), 2);
    CHECK_INT(number(till, "dropped"), 1);
    CHECK(json_real_value(json_object_get(till, "agent_cpu_ms")) == 1.5);
    CHECK(json_is_null(json_object_get(till, "ended_ms")));
    const json_t *checkout = json_array_get(json_object_get(answer, "jvms"), 1); /* of which none of that is known */
    CHECK_STR(text(checkout, "version"), "");
    CHECK(json_is_null(json_object_get(checkout, "last_delivered_ms")));
    const json_t *ended = json_object_get(answer, "ended"), *old = json_array_get(ended, 0);
    CHECK_INT(json_array_size(ended), 1);
    CHECK_STR(text(old, "component"), "other.profiler.x");
    CHECK_STR(text(old, "reason"), "the process ended: password=(secret)");
    CHECK_INT(number(old, "ended_ms"), 1700000002000);
    json_decref(answer);
    stop();
}

static void secrets_are_hidden(void)
{
    start("other.profiler \"x\" { }");
    json_t *answer = ask();
    const json_t *till = json_array_get(json_object_get(answer, "jvms"), 0);
    CHECK_STR(text(till, "reason"), "https://(secret)@host/ does not answer");
    CHECK_STR(text(json_object_get(till, "labels"), "db_password"), "(secret)");
    CHECK_STR(text(json_object_get(till, "labels"), "zone"), "eu");
    json_decref(answer);
    stop();
}

static void components_are_listed_with_their_health(void)
{
    start("pyroscope.java \"all\" {\n  mode = \"broken\"\n}\ntest.sink \"out\" { }");
    json_t *answer = ask();
    const json_t *all = json_object_get(answer, "components"), *java = json_array_get(all, 0);
    CHECK_INT(json_array_size(all), 2);
    CHECK_STR(text(java, "id"), "pyroscope.java.all");
    CHECK_STR(text(java, "health"), "unhealthy");
    CHECK_STR(text(java, "message"), "it does not \"work\"");
    CHECK_STR(text(json_array_get(all, 1), "health"), "healthy");
    json_decref(answer);
    stop();
}

static void without_an_agent_there_is_nothing_to_list(void)
{
    json_t *answer = ask();
    CHECK(json_is_false(json_object_get(answer, "agent")));
    CHECK_INT(json_array_size(json_object_get(answer, "jvms")), 0);
    CHECK_INT(json_array_size(json_object_get(answer, "components")), 0);
    json_decref(answer);
}

int main(void)
{
    struct err err = {0};
    uv_loop_init(&loop);
    if (server_open(&(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes}, &server, &err) <
        0)
        return 1;
    RUN(whatever_profiles_jvms_is_asked_for_them);
    RUN(a_jvm_has_what_a_table_of_them_needs);
    RUN(secrets_are_hidden);
    RUN(components_are_listed_with_their_health);
    RUN(without_an_agent_there_is_nothing_to_list);
    server_close(server, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
