/* What a reply looks like to the client: bodies of every origin, headers, compression, refusals; how a stream ends. */
#include "net/server.h"

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "http_probe.h"
#include "test.h"

enum { MAX_BODY = 200000, BUFFER_MAX = 1000 };

static uv_loop_t loop;
static void (*answer)(struct request *rq); /* of the request at hand */
static char text_page[8000];

static void handle(void *ctx, struct request *rq)
{
    (void)ctx;
    answer(rq);
}

static unsigned refused; /* by the guard; 0 = nobody is */

static unsigned guard(void *ctx, struct request *rq)
{
    (void)ctx;
    if (refused == 401)
        request_set_header(rq, "WWW-Authenticate", "Basic realm=\"smolder\"");
    return refused;
}

static const struct server_route routes[] = {{NULL, "/x", handle, false, FROM_ANYWHERE}, {0}};

static struct server *opened(void)
{
    struct server *s = NULL;
    struct err err = {0};
    const struct server_options options = {
        .loop = &loop, .listen = "127.0.0.1:0", .routes = routes, .guard = guard, .max_body = MAX_BODY};
    CHECK_INT(server_open(&options, &s, &err), 0);
    CHECK_STR(err.text, "");
    return s;
}

static void flag(void *arg)
{
    *(bool *)arg = true;
}

static void closed(struct server *s)
{
    bool done = false;
    server_close(s, flag, &done);
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !done && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(done);
}

/* One request to a server of its own, answered by `how`. */
static struct probe_reply ask(void (*how)(struct request *rq), const char *target, const char *headers, struct str body)
{
    struct server *s = opened();
    answer = how;
    struct probe_reply r = probe(&loop, server_port(s), body.p ? "POST" : "GET", target, headers, body.p, body.n);
    closed(s);
    return r;
}

static const struct str no_body = {NULL, 0};

static void with_an_empty_buffer(struct request *rq)
{
    struct buf b = BUF_INIT(BUFFER_MAX);
    request_reply_buf(rq, 200, "application/json", &b);
}

static void with_a_buffer(struct request *rq)
{
    struct buf b = BUF_INIT(BUFFER_MAX);
    buf_append(&b, "a\0b", 3);
    request_reply_buf(rq, 202, "application/octet-stream", &b);
    CHECK(b.p == NULL);
}

static void with_a_buffer_that_overflowed(struct request *rq)
{
    struct buf b = BUF_INIT(BUFFER_MAX);
    for (int i = 0; i < 100; i++)
        buf_puts(&b, "some of it is here");
    CHECK(!buf_ok(&b));
    request_reply_buf(rq, 200, "application/json", &b);
}

static void buffers_move_into_the_reply(void)
{
    cleanup_probe struct probe_reply empty = ask(with_an_empty_buffer, "/x", "", no_body);
    CHECK_INT(empty.status, 200);
    CHECK_STR(probe_header(&empty, "Content-Length"), "0");
    cleanup_probe struct probe_reply some = ask(with_a_buffer, "/x", "", no_body);
    CHECK_INT(some.status, 202);
    CHECK_INT(some.body_len, 3);
    CHECK(some.body_len == 3 && memcmp(some.body, "a\0b", 3) == 0);
}

static void a_buffer_that_overflowed_is_an_error_without_a_part_of_it(void)
{
    cleanup_probe struct probe_reply r = ask(with_a_buffer_that_overflowed, "/x", "", no_body);
    CHECK_INT(r.status, 500);
    CHECK_STR(r.body, "response too large\n");
    CHECK_STR(probe_header(&r, "Content-Type"), "text/plain; charset=utf-8");
}

static void with_a_long_text(struct request *rq)
{
    request_reply_text(rq, 200, "%s", text_page);
}

static void texts_are_cut_at_a_page(void)
{
    cleanup_probe struct probe_reply r = ask(with_a_long_text, "/x", "", no_body);
    CHECK_INT(r.status, 200);
    CHECK_INT(r.body_len, 4095);
    CHECK(r.body_len == 4095 && memcmp(r.body, text_page, 4095) == 0);
}

static void with_headers(struct request *rq)
{
    char name[16];
    for (int i = 1; i <= 10; i++) {
        snprintf(name, sizeof name, "X-Number-%d", i);
        request_set_header(rq, name, "yes");
    }
    request_reply(rq, 200, NULL, STR("x"));
}

static void with_a_header_that_would_end_the_head(struct request *rq)
{
    request_set_header(rq, "X-Split", "a\r\nX-Injected: yes");
    request_reply(rq, 200, "text/plain", STR("x"));
}

static void so_many_headers_and_no_more_are_sent(void)
{
    cleanup_probe struct probe_reply r = ask(with_headers, "/x", "", no_body);
    CHECK_STR(probe_header(&r, "X-Number-8"), "yes");
    CHECK_STR(probe_header(&r, "X-Number-9"), "");
    CHECK_STR(probe_header(&r, "X-Content-Type-Options"), "nosniff");
    CHECK_STR(probe_header(&r, "Content-Type"), "");
}

static void no_header_ends_the_head_of_a_reply(void)
{
    cleanup_probe struct probe_reply r = ask(with_a_header_that_would_end_the_head, "/x", "", no_body);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "X-Injected"), "");
    CHECK_STR(r.body, "x");
}

static void with_json(struct request *rq)
{
    request_reply_static(rq, 200, "application/json", (struct str){text_page, sizeof text_page});
}

static void with_bytes(struct request *rq)
{
    request_reply_static(rq, 200, "application/octet-stream", (struct str){text_page, sizeof text_page});
}

static void with_little_text(struct request *rq)
{
    request_reply_static(rq, 200, "text/plain", (struct str){text_page, 1023});
}

static void with_text_that_does_not_shrink(struct request *rq)
{
    char noise[2000];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++) {
        x = x * 1664525 + 1013904223;
        noise[i] = (char)(x >> 24);
    }
    request_reply(rq, 200, "text/plain", (struct str){noise, sizeof noise});
}

static void check_coding(void (*how)(struct request *rq), const char *accept, const char *coding, const char *vary)
{
    char headers[128] = "";
    if (accept)
        snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n", accept);
    cleanup_probe struct probe_reply r = ask(how, "/x", headers, no_body);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Encoding"), coding);
    CHECK_STR(probe_header(&r, "Vary"), vary);
}

static void text_is_compressed_for_those_who_take_it(void)
{
    check_coding(with_json, "deflate, gzip", "gzip", "Accept-Encoding");
    check_coding(with_json, " gzip ,br", "gzip", "Accept-Encoding");
    check_coding(with_json, NULL, "", "Accept-Encoding");
    check_coding(with_json, "gzip;q=0", "", "Accept-Encoding");
    check_coding(with_json, "xgzip", "", "Accept-Encoding");
    check_coding(with_json, "", "", "Accept-Encoding");
    check_coding(with_bytes, "gzip", "", "");
    check_coding(with_little_text, "gzip", "", "");
    check_coding(with_text_that_does_not_shrink, "gzip", "", "Accept-Encoding");
}

static void what_is_compressed_is_whole(void)
{
    cleanup_probe struct probe_reply r = ask(with_json, "/x", "Accept-Encoding: gzip\r\n", no_body);
    cleanup_buf struct buf plain = BUF_INIT(1 << 20);
    struct err err = {0};
    CHECK(r.body_len < sizeof text_page);
    CHECK_INT(gzip_inflate((struct str){r.body, r.body_len}, &plain, &err), 0);
    CHECK_INT(plain.len, sizeof text_page);
    CHECK(plain.len == sizeof text_page && memcmp(plain.p, text_page, sizeof text_page) == 0);
}

static void count_value(void *arg, const char *name, const char *value)
{
    if (strcmp(name, "q") == 0 && value)
        buf_printf(arg, "[%s]", value);
}

static void with_its_queries(struct request *rq)
{
    cleanup_buf struct buf all = BUF_INIT(BUFFER_MAX);
    request_each_parameter(rq, count_value, &all);
    request_reply_text(rq, 200, "%s first=%s other=%s", buf_cstr(&all), request_query(rq, "q"),
                       request_query(rq, "other") ? "yes" : "no");
}

static void queries_come_one_by_one_and_decoded(void)
{
    cleanup_probe struct probe_reply r = ask(with_its_queries, "/x?q=1&p=2&q=a%26b&q=&q", "", no_body);
    CHECK_STR(r.body, "[1][a&b][] first=1 other=no");
}

static void with_the_body_it_took(struct request *rq)
{
    size_t n;
    uint8_t *body = request_take_body(rq, &n);
    CHECK_INT(request_body(rq).n, 0);
    request_reply(rq, 200, "application/octet-stream", (struct str){(char *)body, n});
    free(body);
}

static void a_body_that_was_taken_counts_no_more(void)
{
    cleanup_free char *body = xmalloc(MAX_BODY);
    memset(body, 'b', MAX_BODY);
    struct server *s = opened();
    answer = with_the_body_it_took;
    for (int i = 0; i < 5; i++) { /* twice max_body is all that may be held at once */
        cleanup_probe struct probe_reply r = probe(&loop, server_port(s), "POST", "/x", "", body, MAX_BODY);
        CHECK_INT(r.status, 200);
        CHECK_INT(r.body_len, MAX_BODY);
    }
    closed(s);
}

static void not_called(struct request *rq)
{
    FAIL_("%s was handled", request_path(rq));
    request_reply_text(rq, 200, "handled");
}

static void refusals_say_what_is_wrong(void)
{
    cleanup_probe struct probe_reply nowhere = ask(not_called, "/y", "", no_body);
    CHECK_INT(nowhere.status, 404);
    cleanup_free char *body = xcalloc(1, MAX_BODY + 1);
    cleanup_probe struct probe_reply large = ask(not_called, "/x", "", (struct str){body, MAX_BODY + 1});
    CHECK_INT(large.status, 413);
    CHECK_STR(large.body, "413 request body larger than 200000 bytes\n");
    refused = 401;
    cleanup_probe struct probe_reply stranger = ask(not_called, "/x", "", no_body);
    CHECK_INT(stranger.status, 401);
    CHECK_STR(probe_header(&stranger, "WWW-Authenticate"), "Basic realm=\"smolder\"");
    refused = 403;
    cleanup_probe struct probe_reply forbidden = ask(not_called, "/x", "", no_body);
    CHECK_INT(forbidden.status, 403);
    refused = 0;
}

static struct request *kept;

static void later(struct request *rq)
{
    kept = rq;
}

static void a_reply_that_finds_nobody_frees_what_it_was_given(void)
{
    static const char rq[] = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    struct server *s = opened();
    answer = later;
    kept = NULL;
    int fd = probe_connect(server_port(s));
    CHECK(probe_send(&loop, fd, rq, sizeof rq - 1));
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !kept && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    closed(s);
    close(fd);
    if (!kept) {
        FAIL_("%s", "the request did not come");
        return;
    }
    CHECK_STR(request_method(kept), "");
    CHECK_STR(request_path(kept), "");
    CHECK_STR(request_tail(kept), "");
    CHECK(request_query(kept, "q") == NULL);
    CHECK(request_header(kept, "Host") == NULL);
    CHECK_INT(request_body(kept).n, 0);
    struct buf b = BUF_INIT(BUFFER_MAX); /* a sanitizer sees whether it is freed */
    buf_puts(&b, "nobody reads this");
    request_reply_buf(kept, 200, "text/plain", &b);
}

static struct reply_stream *stream;

static void not_gone(void *arg)
{
    (void)arg;
    FAIL_("%s", "the stream was told that it is gone, after its end");
}

static void with_a_stream(struct request *rq)
{
    stream = request_stream(rq, "text/plain", not_gone, NULL);
    CHECK(stream_send(stream, STR("one ")));
    CHECK(stream_send(stream, STR("two")));
    stream_end(stream);
}

static void a_stream_that_ends_at_once_is_sent_whole(void)
{
    cleanup_probe struct probe_reply r = ask(with_a_stream, "/x", "", no_body);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Transfer-Encoding"), "chunked");
    CHECK_HAS(r.body, "one two");
    CHECK_HAS(r.body, "\r\n0\r\n\r\n");
}

static void with_a_piece_larger_than_the_stream(struct request *rq)
{
    enum { TOO_MUCH = (1 << 20) + 1 };
    cleanup_free char *piece = xcalloc(1, TOO_MUCH);
    stream = request_stream(rq, "text/plain", not_gone, NULL);
    CHECK(!stream_send(stream, (struct str){piece, TOO_MUCH}));
    CHECK(stream_send(stream, STR("small")));
    stream_end(stream);
}

static void a_piece_that_does_not_fit_is_left_out_whole(void)
{
    cleanup_probe struct probe_reply r = ask(with_a_piece_larger_than_the_stream, "/x", "", no_body);
    CHECK_INT(r.status, 200);
    CHECK_HAS(r.body, "5\r\nsmall\r\n0\r\n\r\n");
}

int main(void)
{
    for (size_t i = 0; i < sizeof text_page - 1; i++)
        text_page[i] = (char)('a' + i / 7 % 26);

    uv_loop_init(&loop);
    RUN(buffers_move_into_the_reply);
    RUN(a_buffer_that_overflowed_is_an_error_without_a_part_of_it);
    RUN(texts_are_cut_at_a_page);
    RUN(so_many_headers_and_no_more_are_sent);
    RUN(no_header_ends_the_head_of_a_reply);
    RUN(text_is_compressed_for_those_who_take_it);
    RUN(what_is_compressed_is_whole);
    RUN(queries_come_one_by_one_and_decoded);
    RUN(a_body_that_was_taken_counts_no_more);
    RUN(refusals_say_what_is_wrong);
    RUN(a_reply_that_finds_nobody_frees_what_it_was_given);
    RUN(a_stream_that_ends_at_once_is_sent_whole);
    RUN(a_piece_that_does_not_fit_is_left_out_whole);
    uv_loop_close(&loop);
    return REPORT();
}
