#include "net/http_client.h"

#include "net/fault_server.h"
#include "test.h"

static uv_loop_t loop;

struct result {
    bool done;
    int status;
    enum http_failure failure;
    char error[256], body[64], type[64];
    size_t body_len, sent;
};

static void keep(void *arg, const struct http_response *r)
{
    struct result *k = arg;
    k->status = r->status;
    k->failure = r->failure;
    snprintf(k->error, sizeof k->error, "%s", r->error);
    snprintf(k->body, sizeof k->body, "%s", r->body.p);
    snprintf(k->type, sizeof k->type, "%s", r->type);
    k->body_len = r->body.n;
    k->sent = r->sent;
    k->done = true;
}

static struct http_request request_of(const char *url)
{
    return (struct http_request){
        .method = "GET", .url = url, .timeout_ms = 3000, .follow_redirects = true, .response_max = 16};
}

static struct result ask(struct http_client *c, const struct http_request *req)
{
    struct result r = {0};
    struct http_call *call;
    struct err err = {0};
    CHECK_INT(http_start(c, req, keep, &r, &call, &err), 0);
    CHECK(fault_run_until(&loop, &r.done, 5000));
    return r;
}

static void gets_a_bounded_body(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    s.answer = (struct fault_answer){.headers = "Content-Type: text/x\r\n", .body = "0123456789abcdefghijkl"};
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    struct result r = ask(c, &req);
    CHECK_INT(r.status, 200);
    CHECK_STR(r.type, "text/x");
    CHECK_STR(r.body, "0123456789abcdef");
    CHECK_HAS(s.requests[0].head, "GET / HTTP/1.1");
    http_client_put(c);
    fault_server_close(&s);
}

static void sends_a_large_body_in_pieces(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    struct http_client *c = http_client_get(&loop);
    enum { LARGE = 3 << 20 };
    char *large = xmalloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 31 >> 3);
    const struct str body[] = {STR("head"), {0}, {large, LARGE}, STR("tail")};
    struct http_request req = request_of(s.url);
    req.method = "POST";
    req.body = body;
    req.body_pieces = 4;
    struct result r = ask(c, &req);
    CHECK_INT(r.status, 200);
    CHECK_INT(r.sent, LARGE + 8);
    CHECK_INT(s.len, 1);
    CHECK_INT(s.requests[0].body_len, LARGE + 8);
    CHECK(memcmp(s.requests[0].body + 4, large, LARGE) == 0);
    CHECK(memcmp(s.requests[0].body + LARGE + 4, "tail", 4) == 0);
    free(large);
    http_client_put(c);
    fault_server_close(&s);
}

static struct fault_answer redirect_once(struct fault_server *s, size_t n)
{
    static char location[96];
    snprintf(location, sizeof location, "Location: %s/there\r\n", s->url);
    return n == 0 ? (struct fault_answer){.status = 307, .headers = location} : (struct fault_answer){0};
}

static void sends_the_body_again_after_a_redirect(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    s.decide = redirect_once;
    struct http_client *c = http_client_get(&loop);
    const struct str body = STR("payload");
    struct http_request req = request_of(s.url);
    req.method = "POST";
    req.body = &body;
    req.body_pieces = 1;
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(s.len, 2);
    CHECK_HAS(s.requests[1].head, "POST /there ");
    CHECK_INT(s.requests[1].body_len, 7);
    req.follow_redirects = false;
    fault_server_close(&s);

    fault_server_open(&s, &loop);
    s.decide = redirect_once;
    req.url = s.url;
    CHECK_INT(ask(c, &req).status, 307);
    CHECK_INT(s.len, 1);
    http_client_put(c);
    fault_server_close(&s);
}

static void refuses_other_protocols_even_by_redirect(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    s.answer = (struct fault_answer){.status = 302, .headers = "Location: file:///etc/passwd\r\n"};
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    struct result r = ask(c, &req);
    CHECK_INT(r.status, 0);
    CHECK_HAS(r.error, "rotocol");
    struct http_call *call;
    struct err err = {0};
    req.url = "file:///etc/passwd";
    CHECK(http_start(c, &req, keep, &r, &call, &err) < 0);
    CHECK_HAS(err.text, "http://");
    http_client_put(c);
    fault_server_close(&s);
}

static void gives_up_after_the_timeout_and_on_cancel(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    s.answer.fault = FAULT_HANG;
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    req.timeout_ms = 80;
    struct result r = ask(c, &req);
    CHECK_INT(r.status, 0);
    CHECK_INT(r.failure, HTTP_TIMED_OUT);

    struct result never = {0};
    struct http_call *call;
    struct err err = {0};
    CHECK_INT(http_start(c, &req, keep, &never, &call, &err), 0);
    fault_run_until(&loop, &never.done, 20);
    http_cancel(call);
    fault_run_until(&loop, &never.done, 150);
    CHECK(!never.done);
    http_client_put(c);
    fault_server_close(&s);
}

static void serves_other_requests_while_one_hangs(void)
{
    struct fault_server slow, quick;
    fault_server_open(&slow, &loop);
    fault_server_open(&quick, &loop);
    slow.answer.fault = FAULT_HANG;
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(slow.url);
    struct result hung = {0};
    struct http_call *calls[3];
    struct err err = {0};
    for (int i = 0; i < 3; i++)
        CHECK_INT(http_start(c, &req, keep, &hung, &calls[i], &err), 0);
    req.url = quick.url;
    CHECK_INT(ask(c, &req).status, 200);
    CHECK(!hung.done);
    for (int i = 0; i < 3; i++)
        http_cancel(calls[i]);
    http_client_put(c);
    fault_server_close(&slow);
    fault_server_close(&quick);
}

static void keeps_the_connection_for_the_next_request(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    for (int i = 0; i < 3; i++)
        CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(s.len, 3);
    CHECK(s.peers && !s.peers->next);
    http_client_put(c);
    fault_server_close(&s);
}

static void resolves_names_without_blocking(void)
{
    struct http_client *c = http_client_get(&loop);
    /* .invalid never resolves (RFC 6761); whether a resolver answers or not, the deadline holds and the loop goes on. */
    struct http_request req = request_of("http://nowhere.invalid:4040");
    req.timeout_ms = 300;
    struct result r = ask(c, &req);
    CHECK_INT(r.status, 0);
    CHECK(r.error[0] != '\0');
    http_client_put(c);
}

static void takes_user_and_password_from_the_url(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    char url[80];
    snprintf(url, sizeof url, "http://u:p@127.0.0.1:%d/", s.port);
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(url);
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_HAS(s.requests[0].head, "Authorization: Basic dTpw\r\n");
    http_client_put(c);
    fault_server_close(&s);
}

static void goes_through_a_proxy_except_to_loopback_where_asked(void)
{
    struct fault_server proxy, s;
    fault_server_open(&proxy, &loop);
    fault_server_open(&s, &loop);
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of("http://profiles.example:4040/x");
    req.proxy.url = proxy.url;
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_HAS(proxy.requests[0].head, "GET http://profiles.example:4040/x HTTP/1.1");
    req.url = s.url;
    req.proxy.no_proxy = "other.example";
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(s.len, 1);
    /* Without leave, the environment does not count. */
    setenv("http_proxy", proxy.url, 1);
    req.proxy = (struct http_proxy){0};
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(s.len, 2);
    req.proxy.from_environment = true;
    req.url = "http://profiles.example/";
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(proxy.len, 2);
    unsetenv("http_proxy");
    http_client_put(c);
    fault_server_close(&proxy);
    fault_server_close(&s);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(gets_a_bounded_body);
    RUN(sends_a_large_body_in_pieces);
    RUN(sends_the_body_again_after_a_redirect);
    RUN(refuses_other_protocols_even_by_redirect);
    RUN(gives_up_after_the_timeout_and_on_cancel);
    RUN(serves_other_requests_while_one_hangs);
    RUN(keeps_the_connection_for_the_next_request);
    RUN(resolves_names_without_blocking);
    RUN(takes_user_and_password_from_the_url);
    RUN(goes_through_a_proxy_except_to_loopback_where_asked);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
