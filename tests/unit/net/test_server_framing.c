#include "net/server_framing.h"

#include "base/cleanup.h"
#include "http_probe.h"
#include "net/server.h"
#include "test.h"

static uv_loop_t loop;
static unsigned handled;

static void count(void *ctx, struct request *rq)
{
    (void)ctx;
    handled++;
    request_reply_text(rq, 200, "%zu", request_body(rq).n);
}

static const struct server_route routes[] = {{NULL, "/x", count}, {NULL, "/smuggled", count}, {0}};
static struct server *server;

/* Status of the first answer; 0 when the server does not close after a refusal. */
static int ask_(const char *head, const char *rest, struct buf *answer)
{
    cleanup_buf struct buf rq = BUF_INIT(1 << 20);
    buf_printf(&rq, "%s\r\n\r\n%s", head, rest);
    int fd = probe_connect(server_port(server)), status = 0;
    handled = 0;
    (void)probe_send(&loop, fd, rq.p, rq.len);
    if (probe_receive(&loop, fd, answer))
        (void)sscanf(buf_cstr(answer), "HTTP/1.%*d %d", &status);
    close(fd);
    return status;
}

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static void refuses_what_does_not_say_where_it_ends(void)
{
    static const char *const heads[] = {
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 5",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\ncontent-length: 0",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, 0",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: +0",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x0",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \013chunked",
        "POST /x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked",
        "GET /x HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
        "GET /x HTTP/1.1\r\nHost: localhost\r\nX Y: z",
    };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        cleanup_buf struct buf answer = BUF_INIT(1 << 20);
        int status = ask_(heads[i], "0\r\n\r\n" SMUGGLED, &answer);
        if (status != 400 || handled)
            FAIL_("%s: status %d, %u requests handled", heads[i], status, handled);
        /* Closed, without an answer to what may be a second request. */
        const char *second = strstr(buf_cstr(&answer), "HTTP/1.1 200");
        if (second)
            FAIL_("%s: a second answer: %s", heads[i], second);
    }
}

static void takes_what_does(void)
{
    static const struct {
        const char *head, *body, *want;
    } cases[] = {
        {"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close", "", "\r\n\r\n0"},
        {"GET /x HTTP/1.0", "", "\r\n\r\n0"},
        {"POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3", "abc", "\r\n\r\n3"},
        {"POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: Chunked",
         "3\r\nabc\r\n0\r\n\r\n", "\r\n\r\n3"},
        {"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: 1\r\nX-A: 2", "", "\r\n\r\n0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf answer = BUF_INIT(1 << 20);
        CHECK_INT(ask_(cases[i].head, cases[i].body, &answer), 200);
        CHECK_HAS(buf_cstr(&answer), cases[i].want);
        CHECK_INT(handled, 1);
    }
}

static void flag(void *arg)
{
    *(bool *)arg = true;
}

int main(void)
{
    struct err err = {0};
    bool closed = false;
    uv_loop_init(&loop);
    if (server_open(&(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes}, &server, &err) <
        0)
        FAIL_("%s", err.text);
    RUN(refuses_what_does_not_say_where_it_ends);
    RUN(takes_what_does);
    server_close(server, flag, &closed);
    while (!closed)
        uv_run(&loop, UV_RUN_NOWAIT);
    return REPORT();
}
