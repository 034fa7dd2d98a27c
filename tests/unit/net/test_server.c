#include "net/server.h"

#include "base/cleanup.h"
#include "base/gzip.h"
#include "http_probe.h"
#include "test.h"

enum { SMALL_BODY = 100000 };

static uv_loop_t loop;
static struct request *kept;
static uv_work_t work;
static char page[5000];

static void hello(void *ctx, struct request *rq)
{
    request_reply_text(rq, 200, "%s %s q=%s", (const char *)ctx, request_method(rq),
                       request_query(rq, "q") ? request_query(rq, "q") : "none");
}

static void echo(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply(rq, 200, "application/octet-stream", request_body(rq));
}

static void tail(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_text(rq, 200, "tail %s", request_tail(rq));
}

static void big(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_static(rq, 200, "text/html; charset=utf-8", (struct str){page, sizeof page});
}

static void keep(void *ctx, struct request *rq)
{
    (void)ctx;
    kept = rq;
}

static void answer_kept(uv_work_t *w, int status)
{
    (void)status;
    request_reply_text(w->data, 200, "late");
}

static void no_work(uv_work_t *w)
{
    (void)w;
}

static void slow(void *ctx, struct request *rq)
{
    (void)ctx;
    work.data = rq;
    uv_queue_work(&loop, &work, no_work, answer_kept);
}

static struct reply_stream *stream;
static bool stream_is_gone;

static void note_gone(void *arg)
{
    *(bool *)arg = true;
}

static void go_on(void *ctx, struct request *rq)
{
    (void)ctx;
    stream_is_gone = false;
    stream = request_stream(rq, "text/plain", note_gone, &stream_is_gone);
}

static const struct server_route routes[] = {{"GET", "/stream", go_on}, {"GET", "/hello", hello},
                                             {"POST", "/echo", echo},   {"PUT", "/echo", echo},
                                             {NULL, "/any/*", tail},    {"GET", "/any/more/*", tail},
                                             {"GET", "/big", big},      {"GET", "/keep", keep},
                                             {"GET", "/slow", slow},    {0}};

static struct server *open_at(const char *listen, const char *name)
{
    struct err err = {0};
    struct server *s = NULL;
    int code = server_open(
        &(struct server_options){
            .loop = &loop, .listen = listen, .routes = routes, .ctx = (void *)(uintptr_t)name, .max_body = SMALL_BODY},
        &s, &err);
    CHECK_INT(code, 0);
    if (code < 0)
        printf("  %s\n", err.text);
    return s;
}

static void flag(void *arg)
{
    *(bool *)arg = true;
}

static void close_and_wait(struct server *s)
{
    bool closed = false;
    server_close(s, flag, &closed);
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !closed && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(closed);
}

static void answers_by_method_and_path(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    cleanup_probe struct probe_reply get = probe(&loop, server_port(s), "GET", "/hello?q=a%20b", "", NULL, 0);
    CHECK_INT(get.status, 200);
    CHECK_STR(get.body, "one GET q=a b");
    cleanup_probe struct probe_reply missing = probe(&loop, server_port(s), "GET", "/nowhere", "", NULL, 0);
    CHECK_INT(missing.status, 404);
    CHECK_STR(missing.body, "404 page not found\n");
    cleanup_probe struct probe_reply wrong = probe(&loop, server_port(s), "DELETE", "/echo", "", NULL, 0);
    CHECK_INT(wrong.status, 405);
    CHECK_STR(probe_header(&wrong, "Allow"), "POST, PUT");
    CHECK_INT(wrong.body_len, 0);
    cleanup_probe struct probe_reply longest = probe(&loop, server_port(s), "GET", "/any/more/x", "", NULL, 0);
    CHECK_STR(longest.body, "tail x");
    cleanup_probe struct probe_reply any = probe(&loop, server_port(s), "PATCH", "/any/y/z", "", NULL, 0);
    CHECK_STR(any.body, "tail y/z");
    close_and_wait(s);
}

static void answers_head_without_a_body(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    cleanup_probe struct probe_reply head = probe(&loop, server_port(s), "HEAD", "/hello", "", NULL, 0);
    CHECK_INT(head.status, 200);
    CHECK_INT(head.body_len, 0);
    CHECK_STR(probe_header(&head, "Content-Length"), "15");
    close_and_wait(s);
}

static void puts_a_body_together_from_pieces(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    static const char *const pieces[] = {"PO", "ST /echo HTTP/1.1\r\nHost: localhost\r\nConnec",
                                         "tion: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
                                         "llo\r\n6\r\n world\r\n0\r", "\n\r\n"};
    int fd = probe_connect(server_port(s));
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        CHECK(probe_send(&loop, fd, pieces[i], strlen(pieces[i])));
        for (int j = 0; j < 20; j++)
            uv_run(&loop, UV_RUN_NOWAIT);
    }
    cleanup_buf struct buf got = BUF_INIT(1 << 20);
    CHECK(probe_receive(&loop, fd, &got));
    CHECK_HAS(buf_cstr(&got), "\r\n\r\nhello world");
    close(fd);
    close_and_wait(s);
}

static void refuses_a_body_that_is_too_large(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    cleanup_free char *body = calloc(1, SMALL_BODY + 1);
    cleanup_probe struct probe_reply fits = probe(&loop, server_port(s), "POST", "/echo", "", body, SMALL_BODY);
    CHECK_INT(fits.status, 200);
    CHECK_INT(fits.body_len, SMALL_BODY);
    /* Announced: refused before a byte of it is sent. */
    cleanup_probe struct probe_reply announced =
        probe(&loop, server_port(s), "POST", "/echo", "Content-Length: 100001\r\n", NULL, 0);
    CHECK_INT(announced.status, 413);
    /* Not announced: counted while it comes. */
    cleanup_buf struct buf chunked = BUF_INIT(1 << 20);
    buf_printf(&chunked, "%x\r\n", SMALL_BODY + 1);
    buf_append(&chunked, body, SMALL_BODY + 1);
    buf_puts(&chunked, "\r\n0\r\n\r\n");
    int fd = probe_connect(server_port(s));
    static const char head[] =
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK(probe_send(&loop, fd, head, sizeof head - 1));
    CHECK(probe_send(&loop, fd, chunked.p, chunked.len));
    cleanup_buf struct buf got = BUF_INIT(1 << 20);
    CHECK(probe_receive(&loop, fd, &got));
    CHECK_HAS(buf_cstr(&got), "HTTP/1.1 413");
    close(fd);
    close_and_wait(s);
}

static void compresses_text_for_clients_that_take_it(void)
{
    memset(page, 'x', sizeof page);
    struct server *s = open_at("127.0.0.1:0", "one");
    cleanup_probe struct probe_reply plain = probe(&loop, server_port(s), "GET", "/big", "", NULL, 0);
    CHECK_INT(plain.body_len, sizeof page);
    CHECK_STR(probe_header(&plain, "Content-Encoding"), "");
    cleanup_probe struct probe_reply coded =
        probe(&loop, server_port(s), "GET", "/big", "Accept-Encoding: br, gzip\r\n", NULL, 0);
    CHECK_STR(probe_header(&coded, "Content-Encoding"), "gzip");
    CHECK(coded.body_len < 200);
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    struct err err = {0};
    CHECK_INT(gzip_inflate((struct str){coded.body, coded.body_len}, &out, &err), 0);
    CHECK_INT(out.len, sizeof page);
    close_and_wait(s);
}

static void answers_later_from_a_worker(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    cleanup_probe struct probe_reply late = probe(&loop, server_port(s), "GET", "/slow", "", NULL, 0);
    CHECK_INT(late.status, 200);
    CHECK_STR(late.body, "late");
    close_and_wait(s);
}

static void hangs_up_on_a_client_that_never_finishes(void)
{
    struct err err = {0};
    struct server *s = NULL;
    CHECK_INT(server_open(
                  &(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes, .request_ms = 50},
                  &s, &err),
              0);
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nonly this";
    int fd = probe_connect(server_port(s));
    CHECK(probe_send(&loop, fd, head, sizeof head - 1));
    /* A byte now and then is activity, but no progress. */
    bool closed = false;
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !closed && probe_now_ms() < deadline;) {
        uv_run(&loop, UV_RUN_NOWAIT);
        closed = send(fd, ".", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN;
        poll(NULL, 0, 5);
    }
    CHECK(closed);
    close(fd);
    close_and_wait(s);
}

static void survives_a_reply_after_it_was_closed(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    static const char rq[] = "GET /keep HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = probe_connect(server_port(s));
    kept = NULL;
    CHECK(probe_send(&loop, fd, rq, sizeof rq - 1));
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !kept && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    close_and_wait(s);
    CHECK(kept);
    if (kept)
        request_reply_text(kept, 200, "nobody reads this");
    close(fd);
}

static void turn(unsigned times)
{
    while (times--)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static int ask_for_the_stream(struct server *s)
{
    static const char rq[] = "GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int fd = probe_connect(server_port(s));
    stream = NULL;
    CHECK(probe_send(&loop, fd, rq, sizeof rq - 1));
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !stream && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(stream);
    return fd;
}

/* Reads until the text is there. */
static void wait_text(int fd, const char *text)
{
    cleanup_buf struct buf got = BUF_INIT(1 << 20);
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS;
         probe_now_ms() < deadline && !strstr(buf_cstr(&got), text);) {
        uv_run(&loop, UV_RUN_NOWAIT);
        uint8_t *to = buf_reserve(&got, 4096);
        ssize_t n = recv(fd, to, 4096, MSG_DONTWAIT);
        got.len += n > 0 ? (size_t)n : 0;
    }
    CHECK_HAS(buf_cstr(&got), text);
}

static void sends_a_reply_piece_by_piece(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    int fd = ask_for_the_stream(s);
    CHECK(stream_send(stream, STR("first;")));
    wait_text(fd, "first;");
    turn(20);
    CHECK(stream_send(stream, STR("second;")));
    CHECK(stream_send(stream, STR("third;")));
    wait_text(fd, "second;third;");
    CHECK(stream_send(stream, STR("last;")));
    stream_end(stream);
    cleanup_buf struct buf rest = BUF_INIT(1 << 20);
    CHECK(probe_receive(&loop, fd, &rest));
    CHECK_HAS(buf_cstr(&rest), "last;\r\n0\r\n\r\n");
    CHECK(!stream_is_gone);
    close(fd);
    close_and_wait(s);
}

static void notices_that_the_reader_of_a_stream_is_gone(void)
{
    struct server *s = open_at("127.0.0.1:0", "one");
    close(ask_for_the_stream(s));
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !stream_is_gone && probe_now_ms() < deadline;) {
        CHECK(stream_send(stream, STR("is anybody there?")));
        turn(5);
    }
    CHECK(stream_is_gone);
    /* Closing the server is the other end of a stream. */
    int fd = ask_for_the_stream(s);
    close_and_wait(s);
    CHECK(stream_is_gone);
    close(fd);
}

static void leaves_out_what_a_slow_reader_cannot_take(void)
{
    enum { PIECE = 100000, PIECES = 400 };
    struct server *s = open_at("127.0.0.1:0", "one");
    int fd = ask_for_the_stream(s);
    cleanup_buf struct buf piece = BUF_INIT(PIECE);
    memset(buf_reserve(&piece, PIECE), 'x', PIECE);
    piece.len = PIECE;
    unsigned taken = 0;
    for (unsigned i = 0; i < PIECES; i++) {
        taken += stream_send(stream, buf_slice(&piece));
        turn(2);
    }
    CHECK(taken > 1 && taken < PIECES);
    close(fd);
    close_and_wait(s);
}

static void runs_two_servers_side_by_side(void)
{
    struct server *a = open_at("127.0.0.1:0", "a"), *b = open_at("localhost:0", "b");
    CHECK(server_port(a) != server_port(b));
    cleanup_probe struct probe_reply from_a = probe(&loop, server_port(a), "GET", "/hello", "", NULL, 0);
    cleanup_probe struct probe_reply from_b = probe(&loop, server_port(b), "GET", "/hello", "", NULL, 0);
    CHECK_STR(from_a.body, "a GET q=none");
    CHECK_STR(from_b.body, "b GET q=none");
    close_and_wait(a);
    close_and_wait(b);
}

static void names_the_process_that_holds_the_port(void)
{
    struct server *a = open_at("127.0.0.1:0", "a"), *b = NULL;
    struct err err = {0};
    CHECK_INT(
        server_open(&(struct server_options){.loop = &loop, .listen = server_address(a), .routes = routes}, &b, &err),
        -EADDRINUSE);
    char want[128];
    snprintf(want, sizeof want, "listen %s: address already in use by test_server (pid %d)", server_address(a),
             getpid());
    CHECK_STR(err.text, want);
    CHECK(!b);
    close_and_wait(a);
}

static void refuses_what_is_not_an_address(void)
{
    static const char *const bad[] = {"",     "4040", "127.0.0.1",      "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
                                      "[::1", "[]:1", "host.example:80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        struct server *s = NULL;
        CHECK_INT(server_open(&(struct server_options){.loop = &loop, .listen = bad[i], .routes = routes}, &s, &err),
                  -EINVAL);
        CHECK_HAS(err.text, bad[i]);
    }
    struct server *everywhere = open_at(":0", "x");
    cleanup_probe struct probe_reply r = probe(&loop, server_port(everywhere), "GET", "/hello", "", NULL, 0);
    CHECK_INT(r.status, 200);
    close_and_wait(everywhere);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(answers_by_method_and_path);
    RUN(answers_head_without_a_body);
    RUN(puts_a_body_together_from_pieces);
    RUN(refuses_a_body_that_is_too_large);
    RUN(compresses_text_for_clients_that_take_it);
    RUN(answers_later_from_a_worker);
    RUN(hangs_up_on_a_client_that_never_finishes);
    RUN(survives_a_reply_after_it_was_closed);
    RUN(sends_a_reply_piece_by_piece);
    RUN(notices_that_the_reader_of_a_stream_is_gone);
    RUN(leaves_out_what_a_slow_reader_cannot_take);
    RUN(runs_two_servers_side_by_side);
    RUN(names_the_process_that_holds_the_port);
    RUN(refuses_what_is_not_an_address);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
