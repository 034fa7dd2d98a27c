#include "api/store_http.h"

#include <jansson.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/wire.h"
#include "http_probe.h"
#include "pprof_maker.h"
#include "test.h"

#include "fake_agent.h"

static const char push_path[] = "/push.v1.PusherService/Push";
static const char cpu_type[] = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
static const char proto[] = "Content-Type: application/proto\r\n", json[] = "Content-Type: application/json\r\n";

static uv_loop_t loop;
static struct store *store;
static struct store_http *http;
static struct controller *controller;
static uint16_t port;

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

static void set_up(bool with_agent)
{
    struct err err = {0};
    CHECK_INT(store_open(&(struct store_options){.loop = &loop}, &store, NULL, &err), 0);
    controller =
        with_agent ? controller_new(&(struct controller_options){.loop = &loop, .components = fake_components}) : NULL;
    if (controller)
        CHECK_INT(fake_load(controller, "pyroscope.java \"all\" { }"), 0);
    CHECK_INT(store_http_open(
                  &(struct store_http_options){
                      .loop = &loop, .listen = "127.0.0.1:0", .store = store, .controller = controller},
                  &http, &err),
              0);
    port = (uint16_t)strtoul(strrchr(store_http_address(http), ':') + 1, NULL, 10);
}

static void tear_down(void)
{
    bool closed = false, stopped = !controller;
    store_http_close(http, flag_up, &closed);
    wait_for(&closed);
    closed = false;
    store_close(store, flag_up, &closed);
    wait_for(&closed);
    if (controller)
        controller_stop(controller, flag_up, &stopped);
    wait_for(&stopped);
    if (controller)
        controller_free(controller);
}

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct buf cpu_profile(int64_t time_ns)
{
    static const struct made_sample samples[] = {{"main;work;sum", {30}}, {"main;work", {5}}, {"main;say \"hi\"", {7}}};
    return make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                               .period = {"cpu", "nanoseconds"},
                                               .samples = samples,
                                               .n = 3,
                                               .time_ns = time_ns,
                                               .duration_ns = 1000000000});
}

static void put_label(struct buf *series, const char *name, const char *value)
{
    cleanup_buf struct buf label = BUF_INIT(4096);
    wire_bytes(&label, 1, str_of(name));
    wire_bytes(&label, 2, str_of(value));
    wire_bytes(series, 1, buf_slice(&label));
}

/* push.v1.PushRequest with one series of one sample. */
static struct buf push_request(const char *service, struct str pprof)
{
    struct buf request = BUF_INIT(16 << 20);
    cleanup_buf struct buf series = BUF_INIT(16 << 20), sample = BUF_INIT(16 << 20);
    put_label(&series, "__name__", "process_cpu");
    put_label(&series, "service_name", service);
    wire_bytes(&sample, 1, pprof);
    wire_bytes(&sample, 2, STR("an id of the sender"));
    wire_bytes(&series, 2, buf_slice(&sample));
    wire_bytes(&request, 1, buf_slice(&series));
    return request;
}

static struct probe_reply post(const char *headers, struct str body)
{
    return probe(&loop, port, "POST", push_path, headers, body.p ? body.p : "", body.n);
}

static json_t *ask(const char *target)
{
    cleanup_probe struct probe_reply r = probe(&loop, port, "GET", target, "", NULL, 0);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Type"), "application/json");
    json_t *answer = json_loadb(r.body, r.body_len, 0, NULL);
    CHECK(answer);
    if (!answer)
        printf("  %s: %s\n", target, r.body);
    return answer;
}

static int64_t total_of(const char *service)
{
    char target[256];
    snprintf(target, sizeof target, "/api/flamegraph?service=%s&type=%s", service, cpu_type);
    json_t *answer = ask(target);
    int64_t total = json_integer_value(json_object_get(answer, "total"));
    json_decref(answer);
    return total;
}

static void takes_a_push_in_protobuf(void)
{
    set_up(false);
    cleanup_buf struct buf pprof = cpu_profile(now_ns()), rq = push_request("a", buf_slice(&pprof));
    cleanup_probe struct probe_reply r = post(proto, buf_slice(&rq));
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Type"), "application/proto");
    CHECK_INT(r.body_len, 0);
    CHECK_INT(total_of("a"), 42);
    /* A retry after a lost answer. */
    cleanup_probe struct probe_reply again = post(proto, buf_slice(&rq));
    CHECK_INT(again.status, 200);
    CHECK_INT(total_of("a"), 42);
    tear_down();
}

static void takes_a_push_with_gzip_around_and_inside(void)
{
    set_up(false);
    cleanup_buf struct buf pprof = cpu_profile(now_ns()), packed = BUF_INIT(1 << 20), outer = BUF_INIT(1 << 20);
    CHECK_INT(gzip_deflate(buf_slice(&pprof), 6, &packed), 0);
    cleanup_buf struct buf rq = push_request("gz", buf_slice(&packed));
    CHECK_INT(gzip_deflate(buf_slice(&rq), 6, &outer), 0);
    cleanup_probe struct probe_reply r =
        post("Content-Type: application/proto\r\nContent-Encoding: gzip\r\n", buf_slice(&outer));
    CHECK_INT(r.status, 200);
    CHECK_INT(total_of("gz"), 42);
    tear_down();
}

static void encode_base64(struct str in, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < in.n; i += 3) {
        uint32_t v = 0;
        size_t left = in.n - i < 3 ? in.n - i : 3;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < left ? (uint8_t)in.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_byte(out, k <= left ? (uint8_t)digits[v >> (18 - 6 * k) & 63] : '=');
    }
}

static void takes_a_push_in_json(void)
{
    set_up(false);
    /* One byte more each time, so that every kind of padding is met. */
    for (int i = 0; i < 3; i++) {
        cleanup_buf struct buf pprof = cpu_profile(now_ns()), body = BUF_INIT(1 << 20);
        for (int k = 0; k < i; k++)
            wire_number(&pprof, 12, 1); /* period again: the last one counts */
        buf_printf(&body,
                   "{\"series\":[{\"labels\":[{\"name\":\"__name__\",\"value\":\"process_cpu\"},"
                   "{\"name\":\"service_name\",\"value\":\"js%d\"}],\"unknown\":[1],\"samples\":[{\"%s\":\"",
                   i, i ? "rawProfile" : "raw_profile");
        encode_base64(buf_slice(&pprof), &body);
        buf_puts(&body, "\",\"ID\":null}]}]}");
        cleanup_probe struct probe_reply r = post(json, buf_slice(&body));
        CHECK_INT(r.status, 200);
        CHECK_STR(r.body, "{}");
        char service[8];
        snprintf(service, sizeof service, "js%d", i);
        CHECK_INT(total_of(service), 42);
    }
    tear_down();
}

static void refuses_what_is_not_a_push(void)
{
    static const struct {
        const char *headers;
        struct str body;
        int status;
        const char *has;
    } table[] = {
        {proto, {"", 0}, 400, "{\"code\":\"invalid_argument\",\"message\":\"no profiles received\"}"},
        {json, {"{}", 2}, 400, "no profiles received"},
        {json, {"", 0}, 400, "unmarshal message: zero-length payload is not a valid JSON object"},
        {json, {"{\"series\":", 10}, 400, "unmarshal message: unmarshal into"},
        {json, {"{\"series\":[{\"samples\":[{\"rawProfile\":\"a*b\"}]}]}", 47}, 400, "base64"},
        {proto, {"\x0a\x7f", 2}, 400, "unmarshal message: unexpected EOF"},
        {"Content-Type: application/proto\r\nContent-Encoding: gzip\r\n",
         {"no gzip at all, by no means", 27},
         400,
         "get decompressor: gzip: invalid header"},
    };
    set_up(false);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        cleanup_probe struct probe_reply r = post(table[i].headers, table[i].body);
        CHECK_INT(r.status, table[i].status);
        CHECK_HAS(r.body, table[i].has);
    }
    cleanup_buf struct buf rq = push_request("junk", STR("\x1f\x8b junk that is no profile"));
    cleanup_probe struct probe_reply junk = post(proto, buf_slice(&rq));
    CHECK_INT(junk.status, 400);
    CHECK_HAS(junk.body, "invalid_argument");
    tear_down();
}

static void draws_the_merged_stacks(void)
{
    set_up(false);
    for (int i = 0; i < 2; i++) {
        cleanup_buf struct buf pprof = cpu_profile(now_ns() - i * 1000000000LL),
                               rq = push_request("shop", buf_slice(&pprof));
        cleanup_probe struct probe_reply r = post(proto, buf_slice(&rq));
        CHECK_INT(r.status, 200);
    }
    json_t *services = ask("/api/services");
    CHECK_STR(json_string_value(json_object_get(json_array_get(json_object_get(services, "services"), 0), "name")),
              "shop");
    json_decref(services);
    json_t *types = ask("/api/types?service=shop");
    CHECK_STR(json_string_value(json_object_get(json_array_get(json_object_get(types, "types"), 0), "id")), cpu_type);
    json_decref(types);
    char target[256];
    snprintf(target, sizeof target, "/api/flamegraph?service=shop&type=%s", cpu_type);
    json_t *answer = ask(target);
    char *text = json_dumps(json_object_get(answer, "nodes"), JSON_COMPACT);
    CHECK_STR(text, "[0,0,0,84,1,1,0,84,2,2,10,70,3,3,60,60,2,4,14,14]");
    free(text);
    text = json_dumps(json_object_get(answer, "names"), JSON_COMPACT);
    CHECK_STR(text, "[\"total\",\"main\",\"work\",\"sum\",\"say \\\"hi\\\"\"]");
    free(text);
    text = json_dumps(json_object_get(answer, "top"), JSON_COMPACT);
    CHECK_STR(text, "[3,60,4,14,2,10]");
    free(text);
    CHECK_STR(json_string_value(json_object_get(answer, "unit")), "nanoseconds");
    CHECK_INT(json_integer_value(json_object_get(answer, "profiles")), 2);
    json_decref(answer);
    /* Small children share one frame when there are more than asked for; no value is lost. */
    snprintf(target, sizeof target, "/api/flamegraph?service=shop&type=%s&max_nodes=4", cpu_type);
    answer = ask(target);
    text = json_dumps(json_object_get(answer, "nodes"), JSON_COMPACT);
    CHECK_STR(text, "[0,0,0,84,1,1,0,84,2,2,10,70,3,3,60,60,2,4,14,14]");
    free(text);
    CHECK_STR(json_string_value(json_array_get(json_object_get(answer, "names"), 4)), "(other)");
    json_decref(answer);
    snprintf(target, sizeof target, "/api/flamegraph?service=shop&type=%s&label=zone%%3Deu", cpu_type);
    answer = ask(target);
    CHECK_INT(json_integer_value(json_object_get(answer, "total")), 0);
    json_decref(answer);
    snprintf(target, sizeof target, "/api/timeline?service=shop&type=%s&buckets=5", cpu_type);
    answer = ask(target);
    CHECK_INT(json_array_size(json_object_get(answer, "values")), 5);
    CHECK_INT(json_integer_value(json_array_get(json_object_get(answer, "values"), 4)), 84);
    json_decref(answer);
    tear_down();
}

static void says_what_is_wrong_with_a_question(void)
{
    static const char *const bad[] = {"/api/flamegraph?service=x", "/api/types", "/api/services?from=yesterday",
                                      "/api/services?from=2&until=1", "/api/flamegraph?service=x&type=y&label=zone"};
    set_up(false);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cleanup_probe struct probe_reply r = probe(&loop, port, "GET", bad[i], "", NULL, 0);
        CHECK_INT(r.status, 400);
        CHECK_HAS(r.body, "{\"error\":\"");
    }
    tear_down();
}

static void lists_the_jvms_of_the_agent(void)
{
    set_up(true);
    json_t *answer = ask("/api/jvms");
    const json_t *jvms = json_object_get(answer, "jvms"), *second = json_array_get(jvms, 1);
    CHECK(json_is_true(json_object_get(answer, "agent")));
    CHECK_INT(json_array_size(jvms), 2);
    CHECK_INT(json_integer_value(json_object_get(second, "pid")), 4712);
    CHECK_STR(json_string_value(json_object_get(second, "state")), "waiting");
    CHECK_STR(json_string_value(json_object_get(second, "component")), "pyroscope.java.all");
    CHECK_HAS(json_string_value(json_object_get(second, "reason")), "DisableAttachMechanism");
    json_decref(answer);
    tear_down();
    set_up(false);
    answer = ask("/api/jvms");
    CHECK(json_is_false(json_object_get(answer, "agent")));
    json_decref(answer);
    tear_down();
}

static void serves_the_page_and_says_it_is_ready(void)
{
    set_up(false);
    cleanup_probe struct probe_reply page = probe(&loop, port, "GET", "/", "", NULL, 0);
    CHECK_INT(page.status, 200);
    CHECK_STR(probe_header(&page, "Content-Type"), "text/html; charset=utf-8");
    CHECK_HAS(probe_header(&page, "Content-Security-Policy"), "default-src 'none'");
    CHECK_HAS(page.body, "make demo-app");
    /* Self-contained: nothing is loaded from anywhere. */
    CHECK(!strstr(page.body, "src=\"") && !strstr(page.body, "https://"));
    cleanup_probe struct probe_reply ready = probe(&loop, port, "GET", "/ready", "", NULL, 0);
    CHECK_STR(ready.body, "ready\n");
    tear_down();
}

static void closes_while_a_push_is_under_way(void)
{
    set_up(false);
    cleanup_buf struct buf pprof = cpu_profile(now_ns()), rq = push_request("late", buf_slice(&pprof)),
                           raw = BUF_INIT(1 << 20);
    buf_printf(&raw, "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", push_path, proto, rq.len);
    buf_str(&raw, buf_slice(&rq));
    int fd = probe_connect(port);
    CHECK(probe_send(&loop, fd, raw.p, raw.len));
    tear_down();
    close(fd);
}

static char ann[] = "ann", password[] = "secret:word";

static void use_settings_of(struct store_http *h, const struct settings *s)
{
    struct err err = {0};
    if (store_http_prepare(h, s, &err) < 0)
        FAIL_("%s", err.text);
    store_http_apply(h, s);
}

static void use_settings(const struct settings *s)
{
    use_settings_of(http, s);
}

static int status_of(const char *method, const char *target, const char *headers)
{
    cleanup_probe struct probe_reply r = probe(&loop, port, method, target, headers, NULL, 0);
    return r.status;
}

static void obeys_the_http_block(void)
{
    static const char right[] = "Authorization: Basic YW5uOnNlY3JldDp3b3Jk\r\n",
                      wrong[] = "Authorization: Basic YW5uOnNlY3JldA==\r\n";
    set_up(false);
    struct settings s = settings_default;
    s.http.has_auth = s.http.auth.has_basic = true;
    s.http.auth.basic = (struct http_server_basic){.username = ann, .password = password};
    use_settings(&s);
    static const char *const targets[] = {"/", "/ready", "/api/services", "/api/jvms", "/no-such-page"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        CHECK_INT(status_of("GET", targets[i], ""), 401);
        CHECK_INT(status_of("GET", targets[i], wrong), 401);
    }
    CHECK_INT(status_of("POST", push_path, "Content-Type: application/json\r\nContent-Length: 0\r\n"), 401);
    CHECK_INT(status_of("GET", "/api/services", right), 200);
    /* A probe without a password is let in by the filter, as for the agent. */
    char *probe_path = (char[]){"/ready"};
    s.http.auth.filter.paths = (struct string_list){.items = &probe_path, .len = 1};
    use_settings(&s);
    CHECK_INT(status_of("GET", "/ready", ""), 200);
    CHECK_INT(status_of("GET", "/api/services", ""), 401);
    use_settings(&settings_default);
    CHECK_INT(status_of("GET", "/api/services", ""), 200);
    tear_down();
}

static void knows_when_it_is_open_to_the_network(void)
{
    struct err err = {0};
    bool closed = false;
    struct store_http *wide = NULL;
    struct settings s = settings_default;
    char *pushes = (char[]){"/push"}, *everything = (char[]){"/"};
    s.http.has_auth = s.http.auth.has_basic = true;
    s.http.auth.basic = (struct http_server_basic){.username = ann, .password = password};
    set_up(false);
    CHECK_INT(store_http_open(&(struct store_http_options){.loop = &loop, .listen = ":0", .store = store}, &wide, &err),
              0);
    CHECK(!store_http_is_open(http, &settings_default));
    CHECK(store_http_is_open(wide, &settings_default));
    use_settings_of(wide, &s);
    CHECK(!store_http_is_open(wide, &s));
    /* A password for pushes only is none for those who read. */
    s.http.auth.filter =
        (struct http_server_filter){.paths = {.items = &pushes, .len = 1}, .authenticate_matching_paths = true};
    use_settings_of(wide, &s);
    CHECK(store_http_is_open(wide, &s));
    s.http.auth.filter.paths.items = &everything;
    use_settings_of(wide, &s);
    CHECK(!store_http_is_open(wide, &s));
    store_http_close(wide, flag_up, &closed);
    wait_for(&closed);
    tear_down();
}

static void pages_of_other_origins_neither_push_nor_read(void)
{
    static const char evil[] = "Origin: https://evil.example\r\n";
    set_up(false);
    CHECK_INT(status_of("POST", push_path, "Origin: https://evil.example\r\nContent-Length: 0\r\n"), 403);
    CHECK_INT(status_of("GET", "/api/services", evil), 403);
    CHECK_INT(status_of("GET", "/api/services", "Sec-Fetch-Site: same-site\r\n"), 403);
    CHECK_INT(status_of("GET", "/api/services", "Sec-Fetch-Site: same-origin\r\n"), 200);
    CHECK_INT(status_of("GET", "/", evil), 200);
    tear_down();
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(takes_a_push_in_protobuf);
    RUN(takes_a_push_with_gzip_around_and_inside);
    RUN(takes_a_push_in_json);
    RUN(refuses_what_is_not_a_push);
    RUN(draws_the_merged_stacks);
    RUN(says_what_is_wrong_with_a_question);
    RUN(lists_the_jvms_of_the_agent);
    RUN(serves_the_page_and_says_it_is_ready);
    RUN(obeys_the_http_block);
    RUN(knows_when_it_is_open_to_the_network);
    RUN(pages_of_other_origins_neither_push_nor_read);
    RUN(closes_while_a_push_is_under_way);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
