/* The component in a running graph, a client in front of it and a sink behind it. */
#include "http_probe.h"

#include "base/cleanup.h"
#include "base/metric.h"
#include "components/forward_fixture.h"
#include "net/tls_fixture.h"
#include "pyroscope/push_message.h"

extern const struct component_def pyroscope_receive_http;

static const char proto[] = "Content-Type: application/proto\r\n", json[] = "Content-Type: application/json\r\n";

static void load_(int line, struct controller *c, const char *http, const char *forward, const char *want)
{
    char text[4096];
    snprintf(
        text, sizeof text,
        "pyroscope.receive_http \"r\" {\n forward_to = [%s]\n http {\n  listen_address = \"127.0.0.1\"\n%s\n }\n}\n"
        "test.sink \"k\" { }\n",
        forward, http);
    load_check(line, c, text, want);
}
#define RECEIVE(c, http) load_(__LINE__, c, http, "test.sink.k.receiver", "")
#define FREE_PORT        "listen_port = 0"

static uint16_t port_of(struct controller *c)
{
    const char *listen = debug_member(c, "pyroscope.receive_http.r", "listen");
    const char *colon = strrchr(listen, ':');
    return colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

/* One series with these labels and these profiles. */
static struct buf push_of(const char *const *pairs, const char *first, const char *second)
{
    struct labels *labels = labels_of(pairs);
    const struct str profiles[] = {str_of(first), str_of(second ? second : "")};
    const struct series series = {labels_len(labels) ? labels_at(labels, 0) : NULL, labels_len(labels), profiles,
                                  second ? 2 : 1};
    struct buf out = BUF_INIT(1 << 20);
    for (size_t i = 0; i < series.profile_count; i++) {
        push_message_head(&out, &series, i);
        buf_str(&out, profiles[i]);
    }
    labels_unref(labels);
    return out;
}
#define PUSH(first, second, ...) push_of((const char *const[]){__VA_ARGS__, NULL}, first, second)

static void pushes_are_passed_on(void)
{
    struct controller *c = forward_begin(&pyroscope_receive_http);
    RECEIVE(c, FREE_PORT);
    cleanup_buf struct buf rq = PUSH("one", "two", "__name__", "process_cpu", "service_name", "shop");
    cleanup_probe struct probe_reply r = probe(&loop, port_of(c), "POST", PUSH_PATH, proto, rq.p, rq.len);
    CHECK_INT(r.status, 200);
    CHECK_STR(buf_cstr(&arrived), "{__name__=\"process_cpu\", app_name=\"process_cpu\", service_name=\"shop\"} one\n"
                                  "{__name__=\"process_cpu\", app_name=\"process_cpu\", service_name=\"shop\"} two\n");
    buf_reset(&arrived);
    static const char body[] = "{\"series\":[{\"labels\":[{\"name\":\"__name__\",\"value\":\"memory\"}],"
                               "\"samples\":[{\"rawProfile\":\"anNvbg==\"}]}]}";
    cleanup_probe struct probe_reply text = probe(&loop, port_of(c), "POST", PUSH_PATH, json, body, sizeof body - 1);
    CHECK_INT(text.status, 200);
    CHECK_STR(buf_cstr(&arrived), "{__name__=\"memory\", service_name=\"memory\"} json\n");
    CHECK_STR(debug_member(c, "pyroscope.receive_http.r", "profiles"), "3");
    CHECK_STR(debug_member(c, "pyroscope.receive_http.r", "pushes"), "2");
    forward_end(c);
}

static void bodies_of_ingest_are_passed_on_as_they_are(void)
{
    struct controller *c = forward_begin(&pyroscope_receive_http);
    RECEIVE(c, FREE_PORT);
    cleanup_probe struct probe_reply r =
        probe(&loop, port_of(c), "POST", "/ingest?name=shop.cpu%7Bzone%3Da%20b%7D&from=1&until=2&format=&units=a%26b",
              "Content-Type: binary/octet-stream+tree\r\n", "body", 4);
    CHECK_INT(r.status, 200);
    CHECK_STR(buf_cstr(&arrived), "{__name__=\"shop.cpu\", service_name=\"shop.cpu\", zone=\"a b\"} "
                                  "binary/octet-stream+tree|from=1&until=2&format=&units=a%26b|body\n");
    buf_reset(&arrived);
    cleanup_probe struct probe_reply named =
        probe(&loop, port_of(c), "POST", "/pyroscope/ingest?name=shop%7Bservice_name%3Dbank%7D", "", "x", 1);
    CHECK_INT(named.status, 200);
    CHECK_STR(buf_cstr(&arrived), "{__name__=\"shop\", app_name=\"shop\", service_name=\"bank\"} ||x\n");
    cleanup_probe struct probe_reply empty = probe(&loop, port_of(c), "POST", "/ingest?name=shop", "", "", 0);
    CHECK_INT(empty.status, 200);
    CHECK_INT(arrivals, 2);
    CHECK_STR(debug_member(c, "pyroscope.receive_http.r", "ingests"), "3");
    forward_end(c);
}

static void what_is_no_push_is_refused(void)
{
    struct controller *c = forward_begin(&pyroscope_receive_http);
    RECEIVE(c, FREE_PORT);
    static const struct {
        const char *method, *path, *headers, *body;
        int status;
    } cases[] = {
        {"GET", PUSH_PATH, "", NULL, 405},
        {"POST", "/", "", "x", 404},
        {"POST", PUSH_PATH, "Content-Type: application/proto\r\n", "garbage", 400},
        {"POST", PUSH_PATH, "Content-Type: application/proto\r\n", "", 400},
        {"POST", PUSH_PATH, "Content-Type: text/plain\r\n", "x", 415},
        {"POST", PUSH_PATH, "Content-Type: application/proto\r\nContent-Encoding: zstd\r\n", "x", 501},
        {"GET", "/ingest?name=shop", "", NULL, 405},
        {"POST", "/ingest", "", "x", 400},
        {"POST", "/ingest?name=a%20b", "", "x", 400},
        {"POST", "/ingest?name=shop", "Content-Encoding: gzip\r\n", "x", 415},
        {"POST", PUSH_PATH, "Content-Type: application/proto\r\nOrigin: http://evil.example\r\n", "x", 403},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cleanup_probe struct probe_reply r = probe(&loop, port_of(c), cases[i].method, cases[i].path, cases[i].headers,
                                                   cases[i].body, cases[i].body ? strlen(cases[i].body) : 0);
        if (r.status != cases[i].status)
            FAIL_("case %zu is %d, want %d", i, r.status, cases[i].status);
        if (r.status == 501)
            CHECK_STR(r.body, "{\"code\":\"unimplemented\",\"message\":\"unknown compression \\\"zstd\\\": supported "
                              "encodings are gzip\"}");
    }
    CHECK_INT(arrivals, 0);
    forward_end(c);
}

static void a_change_of_the_receivers_keeps_the_socket_and_one_of_the_port_does_not(void)
{
    struct controller *c = forward_begin(&pyroscope_receive_http);
    RECEIVE(c, FREE_PORT);
    const uint16_t port = port_of(c);
    cleanup_buf struct buf rq = PUSH("one", NULL, "__name__", "process_cpu");
    load_(__LINE__, c, FREE_PORT, "test.sink.k.receiver, null, test.sink.k.receiver", "");
    CHECK_INT(port_of(c), port);
    cleanup_probe struct probe_reply twice = probe(&loop, port, "POST", PUSH_PATH, proto, rq.p, rq.len);
    CHECK_INT(twice.status, 200);
    CHECK_INT(arrivals, 2);
    load_(__LINE__, c, FREE_PORT, "", "");
    cleanup_probe struct probe_reply nobody = probe(&loop, port, "POST", PUSH_PATH, proto, rq.p, rq.len);
    CHECK_INT(nobody.status, 200);
    CHECK_INT(arrivals, 2);
    RECEIVE(c, FREE_PORT "\nconn_limit = 3"); /* opens it anew */
    cleanup_probe struct probe_reply fresh = probe(&loop, port_of(c), "POST", PUSH_PATH, proto, rq.p, rq.len);
    CHECK_INT(fresh.status, 200);
    CHECK_INT(arrivals, 3);
    forward_end(c);
}

static void a_taken_port_is_reported_and_taken_once_it_is_free(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&at, len), 0);
    CHECK_INT(listen(fd, 1), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    char http[64];
    snprintf(http, sizeof http, "listen_port = %d", ntohs(at.sin_port));
    struct controller *c = forward_begin(&pyroscope_receive_http);
    RECEIVE(c, http);
    struct component_view view;
    CHECK(controller_view(c, "pyroscope.receive_http.r", &view) && view.health == HEALTH_UNHEALTHY);
    CHECK_HAS(view.message, "address already in use by test_pyroscope");
    close(fd);
    WAIT_FOR(controller_view(c, "pyroscope.receive_http.r", &view) && view.health == HEALTH_HEALTHY);
    CHECK_INT(port_of(c), ntohs(at.sin_port));
    forward_end(c);
}

static void tls_is_required_once_it_is_configured(void)
{
    struct controller *c = forward_begin(&pyroscope_receive_http);
    char http[4096];
    RECEIVE(c, FREE_PORT);
    const uint16_t port = port_of(c);
    cleanup_buf struct buf rq = PUSH("one", NULL, "__name__", "process_cpu");
    snprintf(http, sizeof http, FREE_PORT "\ntls {\n cert_pem = `%s`\n key_pem = `%s`\n}", tls_cert, tls_key);
    RECEIVE(c, http);
    CHECK_INT(port_of(c), port);
    cleanup_probe struct probe_reply plain = probe(&loop, port, "POST", PUSH_PATH, proto, rq.p, rq.len);
    CHECK_INT(plain.status, 0);
    CHECK_INT(arrivals, 0);
    /* A key that does not belong to the certificate changes nothing. */
    snprintf(http, sizeof http, FREE_PORT "\ntls {\n cert_pem = `%s`\n key_pem = `%s`\n}", tls_cert, tls_other_key);
    cleanup_diags struct diags ds = DIAGS_INIT;
    char text[8192];
    snprintf(text, sizeof text,
             "pyroscope.receive_http \"r\" {\n forward_to = []\n http {\n  listen_address = \"127.0.0.1\"\n%s\n }\n}\n",
             http);
    CHECK(controller_load(c, &(struct config_file){"f", text, strlen(text)}, 1, &ds) < 0);
    CHECK(ds.len > 0 && strstr(ds.items[0].message, "http tls"));
    RECEIVE(c, FREE_PORT);
    cleanup_probe struct probe_reply again = probe(&loop, port, "POST", PUSH_PATH, proto, rq.p, rq.len);
    CHECK_INT(again.status, 200);
    forward_end(c);
}

static void the_metrics_are_those_of_the_page(void)
{
    struct controller *c = forward_begin(&pyroscope_receive_http);
    RECEIVE(c, FREE_PORT "\nconn_limit = 7");
    cleanup_buf struct buf page = BUF_INIT(1 << 20);
    metric_render(&page);
#define OURS "{component_id=\"pyroscope.receive_http.r\",component_path=\"/\"} "
    CHECK_HAS(buf_cstr(&page), "\npyroscope_receive_http_tcp_connections_limit" OURS "7\n");
    CHECK_HAS(buf_cstr(&page), "\npyroscope_receive_http_tcp_connections" OURS "0\n");
    forward_end(c);
    buf_reset(&page);
    metric_render(&page);
    CHECK(!strstr(buf_cstr(&page), "pyroscope.receive_http.r"));
}

int main(void)
{
    RUN(pushes_are_passed_on);
    RUN(bodies_of_ingest_are_passed_on_as_they_are);
    RUN(what_is_no_push_is_refused);
    RUN(a_change_of_the_receivers_keeps_the_socket_and_one_of_the_port_does_not);
    RUN(a_taken_port_is_reported_and_taken_once_it_is_free);
    RUN(tls_is_required_once_it_is_configured);
    RUN(the_metrics_are_those_of_the_page);
    return REPORT();
}
