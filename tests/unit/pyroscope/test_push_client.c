#include "pyroscope/push_client.h"

#include "net/fault_server.h"
#include "pyroscope/push_message.h"
#include "test.h"

static uv_loop_t loop;

struct result {
    bool done;
    struct push_outcome outcome;
};

static void keep(void *arg, const struct push_outcome *outcome)
{
    struct result *r = arg;
    r->outcome = *outcome;
    r->done = true;
}

static struct push_endpoint endpoint_of(const char *url)
{
    return (struct push_endpoint){
        .url = url, .version = "1.2.3", .timeout_ms = 2000, .follow_redirects = true, .http2 = true, .retry_429 = true};
}

static struct push_outcome push_to(const struct push_endpoint *e)
{
    struct http_client *c = http_client_get(&loop);
    struct result r = {0};
    struct push_call *p = NULL;
    struct err err = {0};
    const struct label labels[] = {{STR("__name__"), STR("process_cpu")}, {STR("service_name"), STR("shop")}};
    const struct str profiles[] = {STR("pprof"), STR("more")};
    const struct series series[] = {{labels, 2, profiles, 1}, {labels + 1, 1, profiles + 1, 1}};
    CHECK_INT(push_client_start(c, e, series, 2, keep, &r, &p, &err), 0);
    CHECK(fault_run_until(&loop, &r.done, 5000));
    http_client_put(c);
    return r.outcome;
}

static void writes_the_request_of_the_push_service(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    char url[80];
    snprintf(url, sizeof url, "%s/base//", s.url);
    struct push_endpoint e = endpoint_of(url);
    struct push_outcome o = push_to(&e);
    CHECK_INT(o.result, PUSH_OK);
    CHECK_STR(o.reason, "");
    CHECK_INT(s.len, 1);
    const struct fault_request *r = &s.requests[0];
    CHECK_HAS(r->head, "POST /base/push.v1.PusherService/Push HTTP/1.1\r\n");
    CHECK_HAS(r->head, "\r\nContent-Type: application/proto\r\n");
    CHECK_HAS(r->head, "\r\nConnect-Protocol-Version: 1\r\n");
    CHECK_HAS(r->head, "\r\nConnect-Timeout-Ms: 2000\r\n");
    CHECK_HAS(r->head, "\r\nUser-Agent: smolder/1.2.3\r\n");
    CHECK(!strstr(r->head, "Expect"));
    /* Worked out by hand from the field numbers of push.v1 and types.v1. */
    static const char want[] = "\x0a\x38"
                               "\x0a\x17\x0a\x08__name__\x12\x0bprocess_cpu"
                               "\x0a\x14\x0a\x0cservice_name\x12\x04shop"
                               "\x12\x07\x0a\x05pprof"
                               "\x0a\x1e"
                               "\x0a\x14\x0a\x0cservice_name\x12\x04shop"
                               "\x12\x06\x0a\x04more";
    CHECK_INT(r->body_len, sizeof want - 1);
    CHECK(r->body_len == sizeof want - 1 && memcmp(r->body, want, sizeof want - 1) == 0);
    fault_server_close(&s);
}

static void counts_lengths_of_more_than_one_byte(void)
{
    struct buf out = BUF_INIT(4096);
    static const char zeroes[300];
    const struct str profile = {zeroes, sizeof zeroes};
    push_message_head(&out, &(struct series){.profiles = &profile, .profile_count = 1}, 0);
    /* sample: 1 + 2 + 300 = 303; series: 1 + 2 + 303 = 306 */
    CHECK_INT(out.len, 9);
    CHECK(memcmp(out.p, "\x0a\xb2\x02\x12\xaf\x02\x0a\xac\x02", 9) == 0);
    buf_done(&out);
}

static void refuses_labels_without_measure(void)
{
    static char huge[PUSH_LABELS_MAX];
    const struct label label = {STR("a"), {huge, sizeof huge}};
    const struct str profile = STR("pprof");
    const struct series series = {&label, 1, &profile, 1};
    const struct push_endpoint e = endpoint_of("http://127.0.0.1:1");
    struct http_client *c = http_client_get(&loop);
    struct push_call *p = NULL;
    struct err err = {0};
    CHECK_INT(push_client_start(c, &e, &series, 1, keep, NULL, &p, &err), -E2BIG);
    CHECK_HAS(err.text, "labels");
    CHECK(!p);
    http_client_put(c);
}

static void judges_by_the_status_first(void)
{
    static const struct {
        int status;
        const char *type, *body;
        bool retry_429;
        enum push_result want;
        const char *reason;
    } cases[] = {
        {200, "application/proto", "", true, PUSH_OK, ""},
        {200, "", "", true, PUSH_OK, ""},
        {204, "", "", true, PUSH_OK, ""},
        {200, "text/html", "<html>", true, PUSH_RETRY, "not from a Pyroscope server"},
        {302, "text/html", "", true, PUSH_REJECTED, "302"},
        {400, "text/html", "<html>", true, PUSH_REJECTED, "HTTP status 400"},
        {400, "application/json", "{\"code\":\"unavailable\",\"message\":\"no\"}", true, PUSH_REJECTED,
         "unavailable: no"},
        {401, "application/json; charset=utf-8", "{\"code\":\"unauthenticated\",\"message\":\"no org id\"}", true,
         PUSH_REJECTED, "no org id"},
        {404, "text/plain", "404 page not found\n", true, PUSH_REJECTED, ": 404 page not found;"},
        {408, "", "", true, PUSH_RETRY, "408"},
        {413, "", "", true, PUSH_REJECTED, "size limit"},
        {415, "", "", true, PUSH_REJECTED, "415"},
        {422, "application/json", "not json", true, PUSH_REJECTED, "422"},
        {429, "application/json", "{\"code\":\"resource_exhausted\",\"message\":\"push rate limit\"}", true, PUSH_RETRY,
         "push rate limit"},
        {429, "text/html", "", false, PUSH_REJECTED, "429"},
        {500, "application/json", "{\"code\":7,\"message\":[]}", true, PUSH_RETRY, "500"},
        {502, "text/html", "", true, PUSH_RETRY, "502"},
        {503, "text/plain",
         "a\r\n\x01"
         "b",
         true, PUSH_RETRY, "a   b"},
        {504, "", "", true, PUSH_RETRY, "504"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response r = {
            .status = cases[i].status, .error = "", .type = cases[i].type, .body = str_of(cases[i].body)};
        struct push_outcome o;
        push_client_judge(&r, cases[i].retry_429, &o);
        CHECK_INT(o.status, cases[i].status);
        CHECK_INT(o.result, cases[i].want);
        CHECK_HAS(o.reason, cases[i].reason);
    }
}

static void retries_what_got_no_answer(void)
{
    uv_tcp_t holder;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", fault_dead_port(&loop, &holder));
    struct push_endpoint e = endpoint_of(url);
    struct push_outcome o = push_to(&e);
    CHECK_INT(o.result, PUSH_RETRY);
    CHECK_INT(o.status, 0);
    CHECK_HAS(o.reason, "check that a Pyroscope server is running there");
    fault_close_now(&loop, (uv_handle_t *)&holder);

    struct fault_server s;
    fault_server_open(&s, &loop);
    s.answer.fault = FAULT_HANG;
    e = endpoint_of(s.url);
    e.timeout_ms = 100;
    o = push_to(&e);
    CHECK_INT(o.result, PUSH_RETRY);
    CHECK_HAS(o.reason, "remote_timeout");
    s.answer.fault = FAULT_CLOSE;
    e.timeout_ms = 2000;
    CHECK_INT(push_to(&e).result, PUSH_RETRY);
    fault_server_close(&s);
}

static void passes_on_how_long_to_wait(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    s.answer = (struct fault_answer){.status = 429, .headers = "Retry-After: 7\r\n"};
    struct push_endpoint e = endpoint_of(s.url);
    struct push_outcome o = push_to(&e);
    CHECK_INT(o.result, PUSH_RETRY);
    CHECK_INT(o.retry_after_ms, 7000);
    fault_server_close(&s);
}

struct verdicts {
    bool done;
    size_t n;
    struct push_verdict of[3];
};

static void keep_verdicts(void *arg, const struct push_outcome *outcome)
{
    struct verdicts *v = arg;
    v->n = outcome->verdicts ? 3 : 0;
    for (size_t i = 0; i < v->n; i++)
        v->of[i] = outcome->verdicts[i];
    v->done = true;
}

/* As PushBatch of Pyroscope's distributor answers. */
static void tells_the_profiles_that_were_stored_from_the_others(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    s.answer = (struct fault_answer){
        .status = 400,
        .headers = "Content-Type: application/json\r\n",
        .body =
            "{\"code\":\"invalid_argument\",\"message\":\"2 errors: push series with index 2 and id id-c failed: "
            "resource_exhausted: push rate limit (4.0 MiB) exceeded while adding 2.9 MiB; push series with index "
            "0 and id id-a failed: invalid_argument: the profile with labels '{a=\\\"push series with index 1 and id "
            "id-x failed: \\\"}' exceeds the samples count limit (max_profile_stacktrace_samples, actual: 16001, "
            "limit: 16000)\"}"};
    const struct push_endpoint e = endpoint_of(s.url);
    struct http_client *c = http_client_get(&loop);
    struct verdicts v = {0};
    struct push_call *p = NULL;
    struct err err = {0};
    const struct label label = {STR("__name__"), STR("process_cpu")};
    const struct str profile = STR("pprof"), ids[] = {STR("id-a"), STR("id-b"), STR("id-c")};
    const struct series series[] = {
        {&label, 1, &profile, 1, ids}, {&label, 1, &profile, 1, ids + 1}, {&label, 1, &profile, 1, ids + 2}};
    CHECK_INT(push_client_start(c, &e, series, 3, keep_verdicts, &v, &p, &err), 0);
    CHECK(fault_run_until(&loop, &v.done, 5000));
    CHECK_INT(v.n, 3);
    CHECK_INT(v.of[0].result, PUSH_REJECTED);
    CHECK_INT(v.of[0].limit.kind, PUSH_LIMIT_SAMPLES);
    CHECK_INT(v.of[0].limit.most, 16000);
    CHECK_INT(v.of[1].result, PUSH_OK);
    CHECK_INT(v.of[2].result, PUSH_RETRY);
    CHECK_INT(v.of[2].limit.kind, PUSH_LIMIT_RATE);
    CHECK_STR(v.of[2].reason, "resource_exhausted: push rate limit (4.0 MiB) exceeded while adding 2.9 MiB");
    http_client_put(c);
    fault_server_close(&s);
}

static void sends_configured_headers_but_not_over_the_protocols_own(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    struct push_endpoint e = endpoint_of(s.url);
    e.headers = (const char *const[]){"X-Scope-OrgID: team",
                                      "content-type: text/evil",
                                      "USER-AGENT: me",
                                      "Connect-Timeout-Ms: 1",
                                      "Host: other.example",
                                      "Content-Encoding: gzip",
                                      NULL};
    e.authorization = "Bearer tok";
    e.extra = (const char *const[]){"X-More: 1", "X-More: 2", NULL};
    CHECK_INT(push_to(&e).result, PUSH_OK);
    const char *head = s.requests[0].head;
    CHECK_HAS(head, "\r\nX-Scope-OrgID: team\r\n");
    CHECK_HAS(head, "\r\nHost: other.example\r\n");
    CHECK_HAS(head, "\r\nAuthorization: Bearer tok\r\n");
    CHECK_HAS(head, "\r\nX-More: 1\r\nX-More: 2\r\n");
    CHECK(!strstr(head, "evil") && !strstr(head, ": me") && !strstr(head, "Ms: 1\r") && !strstr(head, "gzip"));

    e.headers = (const char *const[]){"authorization: Basic abc", NULL};
    CHECK_INT(push_to(&e).result, PUSH_OK);
    CHECK_HAS(s.requests[1].head, "authorization: Basic abc");
    CHECK(!strstr(s.requests[1].head, "tok"));
    fault_server_close(&s);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(writes_the_request_of_the_push_service);
    RUN(counts_lengths_of_more_than_one_byte);
    RUN(refuses_labels_without_measure);
    RUN(judges_by_the_status_first);
    RUN(retries_what_got_no_answer);
    RUN(passes_on_how_long_to_wait);
    RUN(tells_the_profiles_that_were_stored_from_the_others);
    RUN(sends_configured_headers_but_not_over_the_protocols_own);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
