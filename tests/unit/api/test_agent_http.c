#include "api/agent/agent_http.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/metric.h"
#include "http_probe.h"
#include "test.h"

#include "fake_agent.h"

static uv_loop_t loop;
static struct controller *controller;
static struct agent_http *http;
static uint16_t port;
static const char *refusal;

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

static void put_flags(void *arg, struct buf *out)
{
    (void)arg;
    buf_puts(out, "storage.path=/data\nproxy=http://ann:s3cret@proxy/\n");
}

static const char *source_text = "";
static void each_source(void *arg, void (*visit)(void *visit_arg, const struct config_file *file), void *visit_arg)
{
    (void)arg;
    visit(visit_arg, &(struct config_file){"/etc/smolder/config.alloy", source_text, strlen(source_text)});
}

static const char *prefix;

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

static const char *program_trouble; /* NULL: none */

static bool program_is_healthy(void *arg, struct buf *why)
{
    (void)arg;
    buf_puts(why, program_trouble ? program_trouble : "");
    return !program_trouble;
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
                                                           .healthy = program_is_healthy,
                                                           .support_bundle = true,
                                                           .flags = put_flags,
                                                           .sources = each_source,
                                                           .prefix = prefix,
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

static int status_of(const char *target, const char *headers)
{
    cleanup_probe struct probe_reply r = probe(&loop, port, "GET", target, headers, NULL, 0);
    return r.status;
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

static void says_what_is_unhealthy(void)
{
    set_up();
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }"), 0);
    cleanup_probe struct probe_reply fine = get("/-/healthy");
    CHECK_INT(fine.status, 200);
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }\npyroscope.java \"bad\" { mode = \"broken\" }"), 0);
    cleanup_probe struct probe_reply sick = get("/-/healthy");
    CHECK_INT(sick.status, 500);
    CHECK_STR(sick.body, "unhealthy components: pyroscope.java.bad\n");
    program_trouble = "the helper does not answer";
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }"), 0);
    cleanup_probe struct probe_reply program = get("/-/healthy");
    CHECK_INT(program.status, 500);
    CHECK_STR(program.body, "unhealthy: the helper does not answer\n");
    program_trouble = NULL;
    CHECK_INT(status_of("/-/healthy", ""), 200);
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
    CHECK_HAS(r.body, "\nsmolder_resources_process_resident_memory_bytes ");
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
    CHECK_HAS(detail.body, "\"debugInfo\":[{\"name\":\"profiled_targets\",\"type\":\"block\",\"body\":["
                           "{\"name\":\"pid\",\"type\":\"attr\",\"value\":{\"type\":\"number\",\"value\":4711}},");
    CHECK_HAS(detail.body, "]},{\"name\":\"profiled_targets\",\"type\":\"block\",\"body\":["
                           "{\"name\":\"pid\",\"type\":\"attr\",\"value\":{\"type\":\"number\",\"value\":4712}},");
    cleanup_probe struct probe_reply none = get("/api/v0/web/components/pyroscope.java.nope");
    CHECK_INT(none.status, 404);
    tear_down();
}

static void shows_blocks_as_blocks(void)
{
    set_up();
    CHECK_INT(
        fake_load(controller, "test.sink \"out\" {\n only { action = \"x\" }\n rule { action = \"a\" }\n rule { }\n}"),
        0);
    cleanup_probe struct probe_reply r = get("/api/v0/web/components/test.sink.out");
    CHECK_HAS(r.body, "\"arguments\":["
                      "{\"name\":\"only\",\"type\":\"block\",\"body\":["
                      "{\"name\":\"action\",\"type\":\"attr\",\"value\":{\"type\":\"string\",\"value\":\"x\"}}]},"
                      "{\"name\":\"rule\",\"type\":\"block\",\"body\":["
                      "{\"name\":\"action\",\"type\":\"attr\",\"value\":{\"type\":\"string\",\"value\":\"a\"}}]},"
                      "{\"name\":\"rule\",\"type\":\"block\",\"body\":[]}],\"exports\"");
    tear_down();
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

static void protects_the_page_where_the_same_is_protected(void)
{
    set_up();
    CHECK_INT(fake_load(controller, AUTH("filter {\n paths = [\"/api/v0/record\", \"/api/v0/jvms\"]\n}\n")), 0);
    CHECK_INT(status_of("/api/v0/web/record", ""), 401);
    CHECK_INT(status_of("/api/v0/web/record", ANN), 405);
    CHECK_INT(status_of("/api/v0/web/jvms", ""), 401);
    CHECK_INT(status_of("/api/v0/web/jvms", ANN), 200);
    CHECK_INT(status_of("/api/v0/web/pipeline", ""), 200);
    CHECK_INT(status_of("/", ""), 200);
    CHECK_INT(fake_load(controller, AUTH("filter {\n paths = [\"/metrics\"]\n}\n")), 0);
    CHECK_INT(status_of("/api/v0/web/pipeline", ""), 401);
    CHECK_INT(status_of("/api/v0/web/pipeline", ANN), 200);
    CHECK_INT(status_of("/api/v0/web/record", ""), 405);
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
    CHECK_HAS(buf_cstr(&reply), "is a loopback address, and \"evil.example\" is not a name of this host\n");
    close(fd);
    tear_down();
}

static void refuses_to_reload_for_pages_of_others(void)
{
    set_up();
    refusal = NULL;
    CHECK_INT(status_of("/-/reload", "Sec-Fetch-Site: cross-site\r\n"), 403);
    CHECK_INT(status_of("/-/support?duration=1", "Origin: https://evil.example\r\n"), 403);
    CHECK_INT(status_of("/-/support?duration=1", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"), 403);
    CHECK_INT(status_of("/api/v0/web/components", "Sec-Fetch-Site: cross-site\r\n"), 403);
    CHECK_INT(status_of("/api/v0/web/components", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"), 200);
    CHECK_INT(status_of("/-/healthy", "Sec-Fetch-Site: cross-site\r\n"), 200);
    CHECK_INT(status_of("/-/reload", "Sec-Fetch-Site: same-site\r\n"), 403);
    CHECK_INT(status_of("/-/reload", "Origin: https://evil.example\r\n"), 403);
    CHECK_INT(status_of("/-/reload", "Origin: null\r\n"), 403);
    CHECK_INT(status_of("/-/reload", "Sec-Fetch-Site: same-origin\r\n"), 200);
    CHECK_INT(status_of("/-/reload", "Sec-Fetch-Site: none\r\n"), 200);
    CHECK_INT(status_of("/-/reload", "Origin: http://localhost\r\n"), 200);
    cleanup_probe struct probe_reply deleted = probe(&loop, port, "DELETE", "/-/reload", "", NULL, 0);
    CHECK_INT(deleted.status, 405);
    CHECK_STR(probe_header(&deleted, "Allow"), "GET, POST");
    tear_down();
}

static void knows_the_other_paths_of_the_reference(void)
{
    set_up();
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }"), 0);
    cleanup_probe struct probe_reply peers = get("/api/v0/web/peers");
    CHECK_STR(peers.body, "[]");
    CHECK_STR(probe_header(&peers, "Content-Type"), "application/json");
    cleanup_probe struct probe_reply module = get("/api/v0/web/modules/no.such/components");
    CHECK_INT(module.status, 500);
    CHECK_STR(module.body, "module not found\n");
    CHECK_INT(status_of("/api/v0/web/modules/", ""), 404);
    CHECK_INT(status_of("/api/v0/web/modules//components", ""), 404);
    CHECK_INT(status_of("/api/v0/web/remotecfg/components", ""), 500);
    CHECK_INT(status_of("/api/v0/component/pyroscope.java.all/x", ""), 404);
    CHECK_INT(status_of("/no/such/page", ""), 404);
    tear_down();
}

static void serves_its_pages_below_a_prefix(void)
{
    prefix = "smolder/agent";
    set_up();
    prefix = NULL;
    CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }"), 0);
    CHECK_INT(status_of("/smolder/agent/api/v0/web/components", ""), 200);
    CHECK_INT(status_of("/smolder/agent/api/v0/web/components/pyroscope.java.all", ""), 200);
    CHECK_INT(status_of("/api/v0/web/components", ""), 404);
    CHECK_INT(status_of("/smolder/agent/-/ready", ""), 404);
    CHECK_INT(status_of("/-/ready", ""), 200);
    CHECK_INT(status_of("/metrics", ""), 200);
    CHECK_INT(status_of("/", ""), 404);
    cleanup_probe struct probe_reply page = get("/smolder/agent/");
    CHECK_HAS(page.body, "<title>smolder</title>");
    cleanup_probe struct probe_reply place = get("/smolder/agent/api/page");
    CHECK_HAS(place.body, "\"path\":\"/smolder/agent/\"");
    tear_down();
}

static void counts_components_and_their_connections(void)
{
    set_up();
    CHECK_INT(fake_load(controller,
                        "test.sink \"out\" { }\npyroscope.java \"all\" {\n forward_to = [test.sink.out.receiver]\n}\n"
                        "pyroscope.java \"bad\" { mode = \"broken\" }"),
              0);
    cleanup_probe struct probe_reply ours = get("/metrics");
    CHECK_HAS(ours.body, "\nsmolder_component_controller_running_components{controller_path=\"/\",controller_id=\"\","
                         "health_type=\"healthy\"} 2\n");
    CHECK_HAS(ours.body, "health_type=\"unhealthy\"} 1\n");
    CHECK_HAS(ours.body, "\nsmolder_component_graph_connection{controller_path=\"/\",controller_id=\"\","
                         "from=\"pyroscope.java.all\",to=\"test.sink.out\"} 1\n");
    CHECK_HAS(ours.body, "\nsmolder_component_controller_evaluating{controller_path=\"/\",controller_id=\"\"} 0\n");
    /* What is gone is not counted any more. */
    CHECK_INT(fake_load(controller, ""), 0);
    metric_use_alloy_names(true);
    cleanup_probe struct probe_reply theirs = get("/metrics");
    metric_use_alloy_names(false);
    CHECK(!strstr(theirs.body, "running_components{"));
    CHECK(!strstr(theirs.body, "smolder_resources"));
    CHECK_HAS(theirs.body,
              "\n# TYPE alloy_resources_process_cpu_seconds_total counter\nalloy_resources_process_cpu_seconds_total ");
    CHECK_HAS(theirs.body, "\nalloy_resources_machine_rx_bytes_total ");
    tear_down();
}

static void makes_a_support_bundle_without_secrets(void)
{
    set_up();
    setenv("SMOLDER_TEST_TOKEN", "env-s3cret", 1);
    setenv("SMOLDER_TEST_OTHER", "shown", 1);
    setenv("KUBECONFIG_DATA", "kube-s3cret", 1); /* whose name does not tell */
    source_text = "pyroscope.java \"all\" {\n  password = \"conf-s3cret\"\n}\n";
    CHECK_INT(fake_load(controller, source_text), 0);
    CHECK_INT(status_of("/-/support?duration=31", ""), 400);
    CHECK_INT(status_of("/-/support?duration=0", ""), 400);
    CHECK_INT(status_of("/-/support?duration=x", ""), 400);
    /* A first one is under way while a second is asked for. */
    static const char rq[] = "GET /-/support?duration=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int fd = probe_connect(port);
    CHECK(probe_send(&loop, fd, rq, sizeof rq - 1));
    CHECK_INT(status_of("/-/support?duration=1", ""), 503);
    log_warn("said meanwhile");
    cleanup_buf struct buf reply = BUF_INIT(64 << 20);
    CHECK(probe_receive(&loop, fd, &reply));
    close(fd);
    CHECK_HAS(buf_cstr(&reply), "HTTP/1.1 200 ");
    CHECK_HAS(buf_cstr(&reply), "Content-Type: application/zip\r\n");
    const char *zip = strstr(buf_cstr(&reply), "\r\n\r\n");
    char path[] = "/tmp/smolder-test-XXXXXX", command[256];
    int file = mkstemp(path);
    const size_t head = zip ? (size_t)(zip + 4 - buf_cstr(&reply)) : reply.len;
    CHECK_INT(write(file, reply.p + head, reply.len - head), reply.len - head);
    close(file);
    snprintf(command, sizeof command,
             "python3 -c 'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; "
             "[print(n, z.read(n).decode()) for n in z.namelist()]' %s",
             path);
    FILE *out = popen(command, "r");
    cleanup_buf struct buf text = BUF_INIT(64 << 20);
    for (size_t n = 1; n;) {
        n = fread(buf_reserve(&text, 65536), 1, 65536, out);
        text.len += n;
    }
    CHECK_INT(pclose(out), 0);
    unlink(path);
    static const char *const contents[] = {
        "smolder-support-bundle/smolder-metadata.yaml build_version: ",
        "smolder-components.json [{\"name\":\"pyroscope.java\"",
        "smolder-peers.json []",
        "smolder-metrics-sample-start.txt # HELP",
        "smolder-metrics-sample-end.txt # HELP",
        "storage.path=/data\nproxy=http://(secret)@proxy/\n",
        "SMOLDER_TEST_TOKEN=(secret)\n",
        "SMOLDER_TEST_OTHER=shown\n",
        "msg=\"said meanwhile\"",
        "smolder-process.txt --- /proc/self/status\nName:",
        "sources/config.alloy pyroscope.java \"all\" {\n  password = \"(secret)\"\n}",
    };
    for (size_t i = 0; i < ARRAY_LEN(contents); i++)
        CHECK_HAS(buf_cstr(&text), contents[i]);
    CHECK(!strstr(buf_cstr(&text), "s3cret"));
    tear_down();
}

static void ends_while_a_support_bundle_is_made(void)
{
    set_up();
    static const char rq[] = "GET /-/support HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = probe_connect(port);
    CHECK(probe_send(&loop, fd, rq, sizeof rq - 1));
    CHECK_INT(status_of("/-/support", ""), 503);
    tear_down();
    close(fd);
}

static void has_an_index(void)
{
    set_up();
    cleanup_probe struct probe_reply r = get("/");
    CHECK_INT(r.status, 200);
    CHECK_HAS(r.body, "/api/v0/web/components");
    CHECK_HAS(probe_header(&r, "Content-Security-Policy"), "frame-ancestors 'none'");
    cleanup_probe struct probe_reply place = get("/api/page");
    CHECK_HAS(place.body,
              "\"here\":\"agent\",\"store\":{\"address\":\"127.0.0.1:4040\",\"path\":\"/\",\"token\":false}");
    tear_down();
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(is_ready_after_the_first_good_load);
    RUN(says_what_is_unhealthy);
    RUN(reloads_and_says_why_not);
    RUN(shows_metrics);
    RUN(shows_components_as_json);
    RUN(shows_blocks_as_blocks);
    RUN(asks_for_a_password);
    RUN(protects_the_paths_of_the_filter);
    RUN(protects_the_page_where_the_same_is_protected);
    RUN(a_certificate_that_is_missing_refuses_the_configuration);
    RUN(answers_to_names_of_this_machine_only);
    RUN(refuses_to_reload_for_pages_of_others);
    RUN(knows_the_other_paths_of_the_reference);
    RUN(serves_its_pages_below_a_prefix);
    RUN(counts_components_and_their_connections);
    RUN(makes_a_support_bundle_without_secrets);
    RUN(ends_while_a_support_bundle_is_made);
    RUN(has_an_index);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
