#include "net/server_reply.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "net/server_peers.h"
#include "net/server_request.h"

enum {
    GZIP_LEAST = 1024, /* below this a packet is a packet */
    GZIP_LEVEL = 3,
    TEXT_MAX = 4096,
    STREAM_MAX = 1 << 20,
    STREAM_BLOCK = 16 << 10,
};

static void stream_gone(struct reply_stream *s);

/* ---- requests ---- */

void request_release_body(struct request *rq)
{
    if (rq->server)
        rq->server->bodies -= rq->body.len;
    buf_done(&rq->body);
}

void request_free(struct request *rq)
{
    request_release_body(rq);
    list_del(&rq->link);
    if (rq->stream)
        stream_gone(rq->stream);
    if (rq->response)
        MHD_destroy_response(rq->response);
    for (size_t i = 0; i < rq->header_count; i++) {
        free(rq->headers[i].name);
        free(rq->headers[i].value);
    }
    free(rq);
}

const char *request_method(const struct request *rq)
{
    return rq->method;
}

const char *request_path(const struct request *rq)
{
    return rq->path;
}

const char *request_tail(const struct request *rq)
{
    return rq->path + rq->tail;
}

const char *request_query(const struct request *rq, const char *name)
{
    return rq->connection ? MHD_lookup_connection_value(rq->connection, MHD_GET_ARGUMENT_KIND, name) : NULL;
}

struct each_parameter {
    void (*visit)(void *arg, const char *name, const char *value);
    void *arg;
};

static enum MHD_Result request_visit_parameter(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    const struct each_parameter *each = arg;
    each->visit(each->arg, key, value);
    return MHD_YES;
}

void request_each_parameter(const struct request *rq, void (*visit)(void *arg, const char *name, const char *value),
                            void *arg)
{
    struct each_parameter each = {visit, arg};
    if (rq->connection)
        MHD_get_connection_values(rq->connection, MHD_GET_ARGUMENT_KIND, request_visit_parameter, &each);
}

const char *request_header(const struct request *rq, const char *name)
{
    return rq->connection ? MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, name) : NULL;
}

struct str request_body(const struct request *rq)
{
    return buf_slice(&rq->body);
}

uint8_t *request_take_body(struct request *rq, size_t *len)
{
    if (rq->server)
        rq->server->bodies -= rq->body.len;
    *len = 0;
    return buf_take(&rq->body, len);
}

void request_set_header(struct request *rq, const char *name, const char *value)
{
    if (rq->header_count == REPLY_HEADERS)
        return;
    rq->headers[rq->header_count].name = xstrdup(name);
    rq->headers[rq->header_count++].value = xstrdup(value);
}

/* The handler still has it; its reply will find nobody. */
void request_orphan(struct request *rq)
{
    request_release_body(rq);
    list_del(&rq->link);
    rq->connection = NULL;
    rq->server = NULL;
    rq->peer = NULL;
    rq->method = rq->path = "";
    rq->tail = 0;
}

/* ---- replies ---- */

bool request_accepts_gzip(const struct request *rq)
{
    const char *accept = request_header(rq, "Accept-Encoding");
    struct str rest = str_of(accept), one;
    while (accept && str_split(&rest, ',', &one))
        if (str_is(str_trim(one), "gzip"))
            return true;
    return false;
}

/* Not what its handler has compressed already. */
static bool reply_is_compressible(const struct request *rq, const char *type)
{
    for (size_t i = 0; i < rq->header_count; i++)
        if (strcmp(rq->headers[i].name, "Content-Encoding") == 0)
            return false;
    return type && (strncmp(type, "text/", 5) == 0 || strncmp(type, "application/json", 16) == 0);
}

static struct MHD_Response *reply_gzip(struct str body, size_t *size)
{
    cleanup_buf struct buf out = BUF_INIT(SIZE_MAX / 4);
    if (gzip_deflate(body, GZIP_LEVEL, &out) < 0 || out.len >= body.n)
        return NULL;
    size_t n;
    uint8_t *p = buf_take(&out, &n);
    *size = n;
    struct MHD_Response *r = MHD_create_response_from_buffer(n, p, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(r, "Content-Encoding", "gzip");
    return r;
}

void request_send(struct request *rq)
{
    peer_reply(rq->peer, rq->reply_bytes);
    if (rq->refusal == 400)
        MHD_add_response_header(rq->response, "Connection", "close");
    MHD_queue_response(rq->connection, rq->status, rq->response);
}

/* The response is there: headers, and word to libmicrohttpd. */
static void reply_finish(struct request *rq, enum request_state was, unsigned status, const char *type)
{
    if (type)
        MHD_add_response_header(rq->response, "Content-Type", type);
    MHD_add_response_header(rq->response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < rq->header_count; i++)
        MHD_add_response_header(rq->response, rq->headers[i].name, rq->headers[i].value);
    /* The next request is for the daemon that listens now. */
    if (rq->peer->daemon != list_entry(rq->server->daemons.next, struct daemon, link))
        MHD_add_response_header(rq->response, "Connection", "close");
    rq->status = status;
    request_release_body(rq); /* only now: the reply may have been made of it */
    if (was == KEPT) {
        MHD_resume_connection(rq->connection);
        rq->server->run_soon(rq->server);
    }
}

static void reply_send(struct request *rq, unsigned status, const char *type, struct str body,
                       enum MHD_ResponseMemoryMode mode)
{
    enum request_state was = rq->state;
    rq->state = ANSWERED;
    list_del(&rq->link);
    if (!rq->connection) { /* the server was closed meanwhile */
        if (mode == MHD_RESPMEM_MUST_FREE)
            free((void *)(uintptr_t)body.p);
        request_free(rq);
        return;
    }
    if (reply_is_compressible(rq, type) && body.n >= GZIP_LEAST) {
        request_set_header(rq, "Vary", "Accept-Encoding");
        rq->response = request_accepts_gzip(rq) ? reply_gzip(body, &rq->reply_bytes) : NULL;
    }
    if (!rq->response) {
        rq->response = MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, mode);
        rq->reply_bytes = mode == MHD_RESPMEM_PERSISTENT ? 0 : body.n;
    } else if (mode == MHD_RESPMEM_MUST_FREE) {
        free((void *)(uintptr_t)body.p);
    }
    reply_finish(rq, was, status, type);
}

void request_reply(struct request *rq, unsigned status, const char *content_type, struct str body)
{
    reply_send(rq, status, content_type, body, MHD_RESPMEM_MUST_COPY);
}

void request_reply_static(struct request *rq, unsigned status, const char *content_type, struct str body)
{
    reply_send(rq, status, content_type, body, MHD_RESPMEM_PERSISTENT);
}

void request_reply_buf(struct request *rq, unsigned status, const char *content_type, struct buf *body)
{
    size_t n = 0;
    uint8_t *p = buf_take(body, &n);
    if (!p)
        request_reply_text(rq, 500, "response too large\n");
    else
        reply_send(rq, status, content_type, (struct str){(const char *)p, n}, MHD_RESPMEM_MUST_FREE);
}

void request_reply_text(struct request *rq, unsigned status, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    request_reply(rq, status, "text/plain; charset=utf-8", str_of(text));
}

void request_refuse(struct request *rq)
{
    switch (rq->refusal) {
    case 400:
        request_reply_text(rq, 400, "400 bad request: ambiguous message framing\n");
        break;
    case 404:
        request_reply_text(rq, 404, "404 page not found\n");
        break;
    case 401:
        request_reply_text(rq, 401, "401 unauthorized\n");
        break;
    case 403:
        request_reply_text(rq, 403, rq->is_elsewhere ? "403 forbidden: cross-origin request\n" : "403 forbidden\n");
        break;
    case 405:
        request_reply_static(rq, 405, NULL, STR(""));
        break;
    case 413:
        request_reply_text(rq, 413, "413 request body larger than %zu bytes\n", rq->server->max_body);
        break;
    case 421:
        request_reply_text(rq, 421, "%s is a loopback address, and \"%.200s\" is not a name of this host\n",
                           rq->server->address, request_header(rq, "Host"));
        break;
    default:
        request_set_header(rq, "Retry-After", "1");
        request_reply_text(rq, 503, "503 too many concurrent or too large requests; retry later\n");
    }
}

/* ---- replies that go on ---- */

struct reply_stream {
    struct request *rq;
    struct buf waiting;
    size_t sent; /* of waiting */
    bool suspended, ended;
    void (*gone)(void *arg);
    void *arg;
};

/* The request ends, and with it the stream. */
static void stream_gone(struct reply_stream *s)
{
    if (!s->ended && s->gone)
        s->gone(s->arg);
    buf_done(&s->waiting);
    free(s);
}

static ssize_t reply_stream_read(void *arg, uint64_t pos, char *to, size_t max)
{
    (void)pos;
    struct reply_stream *s = arg;
    struct request *rq = s->rq;
    size_t n = s->waiting.len - s->sent;
    if (n == 0 && (s->ended || rq->server->closing))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n == 0) {
        s->suspended = true;
        peer_enter(rq->peer, PEER_AT_WORK);
        MHD_suspend_connection(rq->connection);
        return 0;
    }
    peer_enter(rq->peer, PEER_REPLY);
    if (n > max)
        n = max;
    memcpy(to, s->waiting.p + s->sent, n);
    s->sent += n;
    if (s->sent == s->waiting.len) {
        buf_reset(&s->waiting);
        s->sent = 0;
    }
    return (ssize_t)n;
}

void stream_wake(struct reply_stream *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    peer_enter(s->rq->peer, PEER_REPLY);
    MHD_resume_connection(s->rq->connection);
    s->rq->server->run_soon(s->rq->server);
}

struct reply_stream *request_stream(struct request *rq, const char *content_type, void (*gone)(void *arg), void *arg)
{
    const enum request_state was = rq->state;
    rq->state = ANSWERED;
    list_del(&rq->link);
    if (!rq->connection) { /* the server was closed meanwhile */
        request_free(rq);
        return NULL;
    }
    struct reply_stream *s = rq->stream = xcalloc(1, sizeof *s);
    *s = (struct reply_stream){.rq = rq, .waiting = BUF_INIT(STREAM_MAX), .gone = gone, .arg = arg};
    list_push(&rq->server->streams, &rq->link);
    rq->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, reply_stream_read, s, NULL);
    reply_finish(rq, was, 200, content_type);
    return s;
}

bool stream_send(struct reply_stream *s, struct str text)
{
    if (text.n > s->waiting.max - s->waiting.len)
        return false;
    buf_str(&s->waiting, text);
    stream_wake(s);
    return true;
}

void stream_set_max(struct reply_stream *s, size_t max)
{
    s->waiting.max = max;
}

void stream_end(struct reply_stream *s)
{
    s->ended = true;
    stream_wake(s);
}
