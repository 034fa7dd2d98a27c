/* A raw HTTP client for tests that share the loop with the server: bytes out, bytes in, nothing hidden. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"

enum { PROBE_DEADLINE_MS = 10000 };

static inline int64_t probe_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline int probe_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Sends all of it while the loop runs; false when the server hung up or time is over. */
static inline bool probe_send(uv_loop_t *loop, int fd, const void *p, size_t n)
{
    int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS;
    for (const char *at = p; n && probe_now_ms() < deadline;) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
        } else if (errno != EAGAIN && errno != ENOTCONN) {
            return false;
        }
        uv_run(loop, UV_RUN_NOWAIT);
    }
    return n == 0;
}

/* Everything the server sends until it closes (ask for "Connection: close"); false when it does not in time. */
static inline bool probe_receive(uv_loop_t *loop, int fd, struct buf *out)
{
    int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS;
    while (probe_now_ms() < deadline) {
        uv_run(loop, UV_RUN_NOWAIT);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 1) <= 0)
            continue;
        uint8_t *to = buf_reserve(out, 65536);
        ssize_t n = to ? recv(fd, to, 65536, 0) : -1;
        if (n > 0) {
            out->len += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EAGAIN)
            continue;
        (void)buf_cstr(out);
        return true;
    }
    return false;
}

struct probe_reply {
    struct buf raw;
    int status;       /* 0: no answer */
    const char *body; /* NUL-terminated */
    size_t body_len;
};

static inline void probe_reply_done(struct probe_reply *r)
{
    buf_done(&r->raw);
}
#define cleanup_probe __attribute__((cleanup(probe_reply_done)))

/* Value of a header in lower or original spelling, copied into a static buffer; "" when missing. */
static inline const char *probe_header(const struct probe_reply *r, const char *name)
{
    static char value[256];
    value[0] = '\0';
    char want[64];
    snprintf(want, sizeof want, "\r\n%s: ", name);
    const char *at = r->raw.p ? strcasestr((const char *)r->raw.p, want) : NULL;
    if (at && at < r->body)
        snprintf(value, sizeof value, "%.*s", (int)strcspn(at + strlen(want), "\r"), at + strlen(want));
    return value;
}

/* One request on a connection of its own. `headers` are whole lines, each with CRLF. */
static inline struct probe_reply probe(uv_loop_t *loop, uint16_t port, const char *method, const char *target,
                                       const char *headers, const void *body, size_t body_len)
{
    struct probe_reply r = {.raw = BUF_INIT(64 << 20), .body = ""};
    struct buf rq = BUF_INIT(128 << 20);
    buf_printf(&rq, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", method, target, headers);
    if (body)
        buf_printf(&rq, "Content-Length: %zu\r\n", body_len);
    buf_puts(&rq, "\r\n");
    buf_append(&rq, body, body_len);
    int fd = probe_connect(port);
    /* A server may answer and close before it has read a body it does not want. */
    (void)probe_send(loop, fd, rq.p, rq.len);
    if (probe_receive(loop, fd, &r.raw) && r.raw.len) {
        (void)sscanf((const char *)r.raw.p, "HTTP/1.1 %d", &r.status);
        const char *end = strstr((const char *)r.raw.p, "\r\n\r\n");
        r.body = end ? end + 4 : "";
        r.body_len = end ? r.raw.len - (size_t)(r.body - (const char *)r.raw.p) : 0;
    }
    close(fd);
    buf_done(&rq);
    return r;
}
