/* A small HTTP server on the test's own loop, for the faults a real one cannot be asked for: it answers what the test
 * says, late, never, or by closing. Requests are kept for inspection. Header only; one test program includes it once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "base/buf.h"
#include "base/mem.h"

enum fault { FAULT_NONE, FAULT_HANG, FAULT_CLOSE, FAULT_RESET };

struct fault_answer {
    enum fault fault;
    int status;          /* 0 = 200 */
    const char *headers; /* whole lines with \r\n, or NULL */
    const char *body;
};

struct fault_request {
    char *head; /* request line and headers */
    uint8_t *body;
    size_t body_len;
    uint64_t at_ms; /* uv_now */
};

struct fault_server {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    uv_pipe_t pipe; /* in place of tcp, with fault_server_open_unix() */
    int port;       /* 0: it listens on a Unix socket */
    char url[64];
    struct fault_answer answer;                                      /* unless `decide` is set */
    struct fault_answer (*decide)(struct fault_server *s, size_t n); /* n-th request, from 0 */
    struct fault_request *requests;
    size_t len, cap;
    unsigned open, most_open; /* requests that are read and not answered */
    struct fault_peer *peers;
};

struct fault_peer {
    uv_tcp_t tcp;
    struct fault_server *server;
    struct fault_peer *next;
    struct buf in;
    bool waiting;
};

static void fault_peer_closed(uv_handle_t *h)
{
    struct fault_peer *p = h->data;
    for (struct fault_peer **at = &p->server->peers; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    buf_done(&p->in);
    free(p);
}

static void fault_peer_close(struct fault_peer *p)
{
    if (uv_is_closing((uv_handle_t *)&p->tcp))
        return;
    if (p->waiting)
        p->server->open--;
    p->waiting = false;
    uv_close((uv_handle_t *)&p->tcp, fault_peer_closed);
}

/* With a TCP reset in place of an orderly end. */
static void fault_peer_reset(struct fault_peer *p)
{
    p->server->open--;
    p->waiting = false;
    uv_tcp_close_reset(&p->tcp, fault_peer_closed);
}

static void fault_written(uv_write_t *w, int status)
{
    (void)status;
    free(w->data);
    free(w);
}

static void fault_reply(struct fault_peer *p, const struct fault_answer *a)
{
    const char *body = a->body ? a->body : "";
    char *text = xasprintf("HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", a->status ? a->status : 200,
                           a->headers ? a->headers : "", strlen(body), body);
    uv_write_t *w = xcalloc(1, sizeof *w);
    w->data = text;
    uv_buf_t b = uv_buf_init(text, (unsigned)strlen(text));
    uv_write(w, (uv_stream_t *)&p->tcp, &b, 1, fault_written);
    p->server->open--;
    p->waiting = false;
}

/* One whole request at the start of p->in, if it is there. */
static void fault_serve(struct fault_peer *p)
{
    struct fault_server *s = p->server;
    const char *in = buf_cstr(&p->in), *end = strstr(in, "\r\n\r\n");
    if (!end || p->waiting)
        return;
    size_t head = (size_t)(end - in) + 4;
    const char *length = strcasestr(in, "\r\nContent-Length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (p->in.len < head + body)
        return;
    xgrow(&s->requests, &s->cap, s->len + 1, sizeof *s->requests);
    struct fault_request *r = &s->requests[s->len++];
    *r = (struct fault_request){xstrndup(in, head), xmalloc(body + 1), body, uv_now(s->loop)};
    memcpy(r->body, in + head, body);
    buf_reset(&p->in);
    p->waiting = true;
    if (++s->open > s->most_open)
        s->most_open = s->open;
    struct fault_answer a = s->decide ? s->decide(s, s->len - 1) : s->answer;
    if (a.fault == FAULT_CLOSE)
        fault_peer_close(p);
    else if (a.fault == FAULT_RESET)
        fault_peer_reset(p);
    else if (a.fault == FAULT_NONE)
        fault_reply(p, &a);
}

static void fault_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
    (void)h;
    *b = uv_buf_init(xmalloc(n), (unsigned)n);
}

static void fault_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct fault_peer *p = stream->data;
    if (n > 0) {
        buf_append(&p->in, b->base, (size_t)n);
        fault_serve(p);
    }
    free(b->base);
    if (n < 0 && !uv_is_closing((uv_handle_t *)&p->tcp))
        fault_peer_close(p);
}

static void fault_accept(uv_stream_t *listener, int status)
{
    struct fault_server *s = listener->data;
    struct fault_peer *p = xcalloc(1, sizeof *p);
    p->server = s;
    p->in = BUF_INIT(64u << 20);
    uv_tcp_init(s->loop, &p->tcp);
    p->tcp.data = p;
    p->next = s->peers;
    s->peers = p;
    if (status < 0 || uv_accept(listener, (uv_stream_t *)&p->tcp) < 0)
        fault_peer_close(p);
    else
        uv_read_start((uv_stream_t *)&p->tcp, fault_alloc, fault_read);
}

static inline void fault_closed(uv_handle_t *h)
{
    h->data = h;
}

/* Closes a handle that lies on the test's stack. */
static inline void fault_close_now(uv_loop_t *loop, uv_handle_t *h)
{
    h->data = NULL;
    uv_close(h, fault_closed);
    while (!h->data)
        uv_run(loop, UV_RUN_NOWAIT);
}

/* Port 0: any. */
static inline void fault_server_open_at(struct fault_server *s, uv_loop_t *loop, int port)
{
    *s = (struct fault_server){.loop = loop};
    struct sockaddr_in any;
    uv_ip4_addr("127.0.0.1", port, &any);
    uv_tcp_init(loop, &s->tcp);
    s->tcp.data = s;
    uv_tcp_bind(&s->tcp, (struct sockaddr *)&any, 0);
    uv_listen((uv_stream_t *)&s->tcp, 16, fault_accept);
    int n = sizeof any;
    uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&any, &n);
    s->port = ntohs(any.sin_port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
}

static inline void fault_server_open_unix(struct fault_server *s, uv_loop_t *loop, const char *path)
{
    *s = (struct fault_server){.loop = loop};
    uv_pipe_init(loop, &s->pipe, 0);
    s->pipe.data = s;
    uv_pipe_bind(&s->pipe, path);
    uv_listen((uv_stream_t *)&s->pipe, 16, fault_accept);
    snprintf(s->url, sizeof s->url, "http://localhost");
}

static inline void fault_server_open(struct fault_server *s, uv_loop_t *loop)
{
    fault_server_open_at(s, loop, 0);
}

/* Answers what hangs so far. */
static inline void fault_server_release(struct fault_server *s, const struct fault_answer *a)
{
    for (struct fault_peer *p = s->peers; p; p = p->next) {
        if (p->waiting)
            fault_reply(p, a);
    }
}

/* Runs the loop until its handles are gone. */
static inline void fault_server_close(struct fault_server *s)
{
    for (struct fault_peer *p = s->peers; p; p = p->next)
        fault_peer_close(p);
    for (size_t i = 0; i < s->len; i++) {
        free(s->requests[i].head);
        free(s->requests[i].body);
    }
    free(s->requests);
    s->requests = NULL;
    s->len = s->cap = 0;
    while (s->peers)
        uv_run(s->loop, UV_RUN_NOWAIT);
    fault_close_now(s->loop, s->port ? (uv_handle_t *)&s->tcp : (uv_handle_t *)&s->pipe);
}

/* A port of 127.0.0.1 where nobody listens: bound, never listened on, so that nobody else gets it meanwhile. */
static inline int fault_dead_port(uv_loop_t *loop, uv_tcp_t *holder)
{
    struct sockaddr_in any;
    int n = sizeof any;
    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_tcp_init(loop, holder);
    uv_tcp_bind(holder, (struct sockaddr *)&any, 0);
    uv_tcp_getsockname(holder, (struct sockaddr *)&any, &n);
    return ntohs(any.sin_port);
}

static inline void fault_tick(uv_timer_t *t)
{
    (void)t;
}

/* Runs the loop until *flag or the deadline; whether the flag came. */
static inline bool fault_run_until(uv_loop_t *loop, const bool *flag, uint64_t deadline_ms)
{
    uv_timer_t tick;
    uv_timer_init(loop, &tick);
    uv_timer_start(&tick, fault_tick, 0, 5);
    uv_update_time(loop);
    uint64_t end = uv_now(loop) + deadline_ms;
    while (!*flag && uv_now(loop) < end)
        uv_run(loop, UV_RUN_ONCE);
    bool came = *flag;
    fault_close_now(loop, (uv_handle_t *)&tick);
    return came;
}

/* Lets everything that is closing close; false when a handle stays open. */
static inline bool fault_loop_close(uv_loop_t *loop)
{
    for (int i = 0; i < 100 && uv_loop_alive(loop); i++)
        uv_run(loop, UV_RUN_NOWAIT);
    return uv_loop_close(loop) == 0;
}
