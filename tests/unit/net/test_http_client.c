#include "net/http_client.h"

#include <errno.h>
#include <unistd.h>

#include "net/fault_server.h"
#include "test.h"

static uv_loop_t loop;

struct result {
    bool done;
    int status;
    enum http_failure failure;
    char error[256], body[64], type[64], header[64];
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
    snprintf(k->header, sizeof k->header, "%s", r->header ? r->header : "(none)");
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

static struct fault_answer header_after_redirect(struct fault_server *s, size_t n)
{
    (void)s;
    return n ? (struct fault_answer){.headers = "X-Other: 1\r\nX-Index-Old: 2\r\nx-index:  44 \r\n"}
             : (struct fault_answer){.status = 302, .headers = "Location: /there\r\nX-Index: 1\r\n"};
}

static void keeps_one_header_of_the_last_answer(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    s.decide = header_after_redirect;
    req.keep_header = "X-Index";
    CHECK_STR(ask(c, &req).header, "44");
    s.decide = NULL;
    s.answer = (struct fault_answer){.headers = "X-Other: 1\r\n"};
    CHECK_STR(ask(c, &req).header, "(none)");
    req.keep_header = NULL;
    CHECK_STR(ask(c, &req).header, "(none)");
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

/* The n-th request, but for the last, goes on to `next_hop`. */
static char next_hop[160];
static size_t hops;
static int hop_status;

static struct fault_answer redirect_on(struct fault_server *s, size_t n)
{
    (void)s;
    return n < hops ? (struct fault_answer){.status = hop_status, .headers = next_hop} : (struct fault_answer){0};
}

static void redirect_to(struct fault_server *s, size_t times, int status, const char *url)
{
    snprintf(next_hop, sizeof next_hop, "Location: %s\r\n", url);
    hops = times;
    hop_status = status;
    s->decide = redirect_on;
}

static const char *const secret_headers[] = {"X-Api-Key: s3cret-1",    "Authorization: Bearer s3cret-2",
                                             "Cookie: s3cret-3",       "X-Unknown: s3cret-4",
                                             "Host: s3cret-5.example", "X-Scope-OrgID: team",
                                             "Content-Type: text/x",   NULL};

static void drops_secret_headers_on_the_way_to_another_place(void)
{
    struct fault_server one, other;
    fault_server_open(&one, &loop);
    fault_server_open(&other, &loop);
    redirect_to(&one, 1, 307, other.url);
    struct http_client *c = http_client_get(&loop);
    char url[96];
    snprintf(url, sizeof url, "http://user:s3cret-6@127.0.0.1:%d/", one.port);
    const struct str body = STR("payload");
    struct http_request req = request_of(url);
    req.method = "POST";
    req.body = &body;
    req.body_pieces = 1;
    req.headers = secret_headers;
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_HAS(one.requests[0].head, "X-Api-Key: s3cret-1\r\n");
    CHECK_INT(other.len, 1);
    CHECK(!strstr(other.requests[0].head, "s3cret"));
    CHECK(!strstr(other.requests[0].head, "Authorization"));
    CHECK_HAS(other.requests[0].head, "X-Scope-OrgID: team\r\n");
    CHECK_HAS(other.requests[0].head, "Content-Type: text/x\r\n");
    CHECK_INT(other.requests[0].body_len, 7);
    http_client_put(c);
    fault_server_close(&one);
    fault_server_close(&other);
}

static void takes_another_name_of_the_host_for_another_place(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    char url[64];
    snprintf(url, sizeof url, "http://localhost:%d/there", s.port);
    redirect_to(&s, 1, 302, url);
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    req.headers = secret_headers;
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(s.len, 2);
    CHECK_HAS(s.requests[1].head, "GET /there ");
    CHECK(!strstr(s.requests[1].head, "s3cret"));
    http_client_put(c);
    fault_server_close(&s);
}

static void keeps_headers_on_the_way_to_the_same_place(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    redirect_to(&s, 1, 302, "/there");
    struct http_client *c = http_client_get(&loop);
    char url[96];
    snprintf(url, sizeof url, "http://u:p@127.0.0.1:%d/", s.port);
    struct http_request req = request_of(url);
    static const char *const headers[] = {"X-Api-Key: k", NULL};
    req.headers = headers;
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(s.len, 2);
    CHECK_HAS(s.requests[1].head, "GET /there ");
    CHECK_HAS(s.requests[1].head, "X-Api-Key: k\r\n");
    CHECK_HAS(s.requests[1].head, "Authorization: Basic dTpw\r\n");
    http_client_put(c);
    fault_server_close(&s);
}

static struct fault_server *detour;

static struct fault_answer send_back(struct fault_server *s, size_t n)
{
    static char back[96];
    snprintf(back, sizeof back, "Location: %s/back\r\n", detour->url);
    (void)s, (void)n;
    return (struct fault_answer){.status = 302, .headers = back};
}

static void does_not_give_back_what_was_dropped(void)
{
    struct fault_server one, other;
    fault_server_open(&one, &loop);
    fault_server_open(&other, &loop);
    redirect_to(&one, 1, 302, other.url);
    other.decide = send_back;
    detour = &one;
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(one.url);
    req.headers = secret_headers;
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_INT(one.len, 2);
    CHECK_HAS(one.requests[1].head, "GET /back ");
    CHECK(!strstr(one.requests[1].head, "s3cret"));
    http_client_put(c);
    fault_server_close(&one);
    fault_server_close(&other);
}

static void follows_as_the_status_says(void)
{
    static const struct {
        int status;
        const char *line;
        size_t body;
    } cases[] = {
        {301, "GET /x ", 0}, {302, "GET /x ", 0}, {303, "GET /x ", 0}, {307, "POST /x ", 7}, {308, "POST /x ", 7}};
    struct http_client *c = http_client_get(&loop);
    const struct str body = STR("payload");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault_server s;
        fault_server_open(&s, &loop);
        redirect_to(&s, 1, cases[i].status, "/x");
        struct http_request req = request_of(s.url);
        req.method = "POST";
        req.body = &body;
        req.body_pieces = 1;
        CHECK_INT(ask(c, &req).status, 200);
        CHECK_INT(s.len, 2);
        CHECK_HAS(s.requests[1].head, cases[i].line);
        CHECK_INT(s.requests[1].body_len, cases[i].body);
        fault_server_close(&s);
    }
    http_client_put(c);
}

static void stops_after_ten_redirects(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    redirect_to(&s, 100, 302, "/again");
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    struct result r = ask(c, &req);
    CHECK_INT(r.status, 0);
    CHECK_HAS(r.error, "Maximum (10) redirects");
    CHECK_INT(s.len, 11);
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

static struct fault_answer reset_the_second(struct fault_server *s, size_t n)
{
    (void)s;
    return (struct fault_answer){.fault = n == 1 ? FAULT_RESET : FAULT_NONE};
}

static struct fault_answer close_the_second(struct fault_server *s, size_t n)
{
    (void)s;
    return (struct fault_answer){.fault = n == 1 ? FAULT_CLOSE : FAULT_NONE};
}

/* An idle timeout of a load balancer ends just when the next request arrives. */
static void repeats_a_request_on_a_kept_connection_that_the_server_ended(void)
{
    struct fault_answer (*const ends[])(struct fault_server *, size_t) = {reset_the_second, close_the_second};
    for (size_t i = 0; i < 2; i++) {
        struct fault_server s;
        fault_server_open(&s, &loop);
        s.decide = ends[i];
        struct http_client *c = http_client_get(&loop);
        const struct str body = STR("payload");
        struct http_request req = request_of(s.url);
        req.method = "POST";
        req.body = &body;
        req.body_pieces = 1;
        CHECK_INT(ask(c, &req).status, 200);
        struct result r = ask(c, &req);
        CHECK_INT(r.status, 200);
        CHECK_STR(r.error, "");
        CHECK_INT(s.len, 3);
        CHECK_INT(s.requests[2].body_len, 7);
        http_client_put(c);
        fault_server_close(&s);
    }
}

static void reports_a_new_connection_that_the_server_ended(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    s.answer.fault = FAULT_RESET;
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of(s.url);
    struct result r = ask(c, &req);
    CHECK_INT(r.status, 0);
    CHECK_INT(r.failure, HTTP_BROKEN);
    CHECK_INT(s.len, 1);
    http_client_put(c);
    fault_server_close(&s);
}

static void resolves_names_without_blocking(void)
{
    struct http_client *c = http_client_get(&loop);
    /* .invalid never resolves (RFC 6761); whether a resolver answers or not, the deadline holds and the loop goes
     * on. */
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

/* --- streamed answers --- */

enum { STREAMED = 400000 };

struct stream {
    struct result result;
    struct http_client *client;
    struct http_call *call;
    struct buf got;
    size_t pieces, largest;
    int status;
    bool cancels, is_cancelled, asks;
    struct result asked;
    struct http_request other; /* of the question that is asked in the first callback */
};

static void stream_done(void *arg, const struct http_response *r)
{
    struct stream *s = arg;
    keep(&s->result, r);
}

static void stream_take(void *arg, int status, struct str bytes)
{
    struct stream *s = arg;
    struct http_call *call;
    struct err err = {0};
    buf_str(&s->got, bytes);
    s->status = status;
    s->largest = bytes.n > s->largest ? bytes.n : s->largest;
    if (s->pieces++ == 0 && s->asks)
        CHECK_INT(http_start(s->client, &s->other, keep, &s->asked, &call, &err), 0);
    if (s->cancels) {
        s->is_cancelled = true;
        http_cancel(s->call);
    }
}

static char *long_text(void)
{
    char *text = xmalloc(STREAMED + 1);
    for (size_t i = 0; i < STREAMED; i++)
        text[i] = (char)('a' + (i * 7 + i / 1000) % 26);
    text[STREAMED] = '\0';
    return text;
}

static void stream_start(struct stream *s, const char *url)
{
    struct http_request req = request_of(url);
    struct err err = {0};
    req.piece = stream_take;
    s->client = http_client_get(&loop);
    s->got = BUF_INIT(STREAMED + 100);
    CHECK_INT(http_start(s->client, &req, stream_done, s, &s->call, &err), 0);
}

static void stream_end(struct stream *s)
{
    buf_done(&s->got);
    http_client_put(s->client);
}

static void passes_an_answer_on_in_pieces(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    char *text = long_text();
    server.answer = (struct fault_answer){.status = 206, .body = text};
    struct stream s = {0};
    stream_start(&s, server.url);
    CHECK(fault_run_until(&loop, &s.result.done, 5000));
    CHECK_INT(s.result.status, 206);
    CHECK_INT(s.status, 206);
    CHECK_INT(s.result.body_len, 16);
    CHECK(s.pieces > 1);
    CHECK(s.largest <= HTTP_PIECE_MAX);
    CHECK_INT(s.got.len, STREAMED);
    CHECK(memcmp(s.got.p, text, STREAMED) == 0);
    free(text);
    stream_end(&s);
    fault_server_close(&server);
}

static void stops_a_stream_from_its_own_callback(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    char *text = long_text();
    server.answer = (struct fault_answer){.body = text};
    struct stream s = {.cancels = true};
    stream_start(&s, server.url);
    CHECK(fault_run_until(&loop, &s.is_cancelled, 5000));
    fault_run_until(&loop, &s.result.done, 60);
    CHECK(!s.result.done);
    CHECK_INT(s.pieces, 1);
    free(text);
    stream_end(&s);
    fault_server_close(&server);
}

static void starts_a_request_from_the_callback_of_a_stream(void)
{
    struct fault_server server, other;
    fault_server_open(&server, &loop);
    fault_server_open(&other, &loop);
    char *text = long_text();
    server.answer = (struct fault_answer){.body = text};
    struct stream s = {.asks = true, .other = request_of(other.url)};
    stream_start(&s, server.url);
    CHECK(fault_run_until(&loop, &s.result.done, 5000));
    CHECK(fault_run_until(&loop, &s.asked.done, 5000));
    CHECK_INT(s.asked.status, 200);
    CHECK_INT(s.got.len, STREAMED);
    free(text);
    stream_end(&s);
    fault_server_close(&server);
    fault_server_close(&other);
}

static struct fault_answer redirect_with_text(struct fault_server *s, size_t n)
{
    (void)s;
    return n == 0 ? (struct fault_answer){.status = 302, .headers = "Location: /x\r\n", .body = "moved"}
                  : (struct fault_answer){.body = "here"};
}

static void passes_no_text_of_a_redirect_on(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = redirect_with_text;
    struct stream s = {0};
    stream_start(&s, server.url);
    CHECK(fault_run_until(&loop, &s.result.done, 5000));
    CHECK_INT(s.status, 200);
    CHECK_STR(buf_cstr(&s.got), "here");
    stream_end(&s);
    fault_server_close(&server);
}

/* --- Unix sockets --- */

static void asks_over_a_unix_socket(void)
{
    char dir[] = "/tmp/test-http-XXXXXX", path[64];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/s", dir);
    struct fault_server s;
    fault_server_open_unix(&s, &loop, path);
    struct http_client *c = http_client_get(&loop);
    struct http_request req = request_of("http://localhost/v1/things");
    req.unix_socket = path;
    req.proxy.url = "http://127.0.0.1:1"; /* is for hosts */
    CHECK_INT(ask(c, &req).status, 200);
    CHECK_HAS(s.requests[0].head, "GET /v1/things HTTP/1.1\r\n");
    CHECK_HAS(s.requests[0].head, "Host: localhost\r\n");
    s.answer = (struct fault_answer){.status = 302, .headers = "Location: http://127.0.0.1:1/\r\n"};
    CHECK_HAS(ask(c, &req).error, "redirect from a Unix socket");
    fault_server_close(&s);
    unlink(path);
    CHECK_INT(ask(c, &req).failure, HTTP_NO_CONNECTION);
    struct http_call *call;
    struct err err = {0};
    char longest[200];
    snprintf(longest, sizeof longest, "/%0150d", 0);
    req.unix_socket = longest;
    CHECK_INT(http_start(c, &req, keep, NULL, &call, &err), -ENAMETOOLONG);
    http_client_put(c);
    rmdir(dir);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(passes_an_answer_on_in_pieces);
    RUN(stops_a_stream_from_its_own_callback);
    RUN(starts_a_request_from_the_callback_of_a_stream);
    RUN(passes_no_text_of_a_redirect_on);
    RUN(asks_over_a_unix_socket);
    RUN(gets_a_bounded_body);
    RUN(keeps_one_header_of_the_last_answer);
    RUN(sends_a_large_body_in_pieces);
    RUN(sends_the_body_again_after_a_redirect);
    RUN(drops_secret_headers_on_the_way_to_another_place);
    RUN(takes_another_name_of_the_host_for_another_place);
    RUN(keeps_headers_on_the_way_to_the_same_place);
    RUN(does_not_give_back_what_was_dropped);
    RUN(follows_as_the_status_says);
    RUN(stops_after_ten_redirects);
    RUN(refuses_other_protocols_even_by_redirect);
    RUN(gives_up_after_the_timeout_and_on_cancel);
    RUN(serves_other_requests_while_one_hangs);
    RUN(keeps_the_connection_for_the_next_request);
    RUN(repeats_a_request_on_a_kept_connection_that_the_server_ended);
    RUN(reports_a_new_connection_that_the_server_ended);
    RUN(resolves_names_without_blocking);
    RUN(takes_user_and_password_from_the_url);
    RUN(goes_through_a_proxy_except_to_loopback_where_asked);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
