#include "net/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/listen.h"

enum {
    IDLE_S = 30,
    REQUEST_MS = 60000,
    REPLY_MS = 120000,
    SWEEP_MS = 5000,
    CONNECTION_MEMORY = 16 << 10, /* request line and headers */
    GZIP_LEAST = 1024,            /* below this a packet is a packet */
    GZIP_LEVEL = 3,
    REPLY_HEADERS = 8,
    TEXT_MAX = 4096,
};

struct server {
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t tick, sweep;
    unsigned handles; /* still to be closed by the loop */
    struct MHD_Daemon *daemon;
    struct list peers, kept; /* connections; requests whose handler replies later */
    size_t peer_count;
    const struct server_route *routes;
    void *ctx;
    uint64_t request_ms;
    size_t max_body, bodies; /* bytes: cap of one, all of them now */
    uint16_t port;
    char address[LISTEN_ADDRESS_MAX];
    void (*closed)(void *arg);
    void *closed_arg;
};

/* One connection; deadline 0 = the handler is at work. */
struct peer {
    struct list link;
    int fd;
    uint64_t deadline; /* uv_now */
};

enum request_state { READING, HANDLING, KEPT, ANSWERED };

struct request {
    struct server *server; /* NULL once the server is closed */
    struct MHD_Connection *connection;
    struct peer *peer;
    enum request_state state;
    const struct server_route *route;
    const char *method, *path;
    size_t tail; /* of path */
    struct buf body;
    unsigned refusal; /* status to answer instead of handling; 0 = none */
    struct MHD_Response *response;
    unsigned status;
    struct {
        char *name, *value;
    } headers[REPLY_HEADERS];
    size_t header_count;
    struct list link;
};

static void run_soon(struct server *s);

/* ---- requests ---- */

static void release_body(struct request *rq)
{
    if (rq->server)
        rq->server->bodies -= rq->body.len;
    buf_done(&rq->body);
}

static void request_free(struct request *rq)
{
    release_body(rq);
    list_del(&rq->link);
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

struct each_query {
    const char *name;
    void (*visit)(void *arg, const char *value);
    void *arg;
};

static enum MHD_Result visit_query(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    struct each_query *each = arg;
    if (value && strcmp(key, each->name) == 0)
        each->visit(each->arg, value);
    return MHD_YES;
}

void request_each_query(const struct request *rq, const char *name, void (*visit)(void *arg, const char *value),
                        void *arg)
{
    struct each_query each = {name, visit, arg};
    if (rq->connection)
        MHD_get_connection_values(rq->connection, MHD_GET_ARGUMENT_KIND, visit_query, &each);
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
static void orphan(struct request *rq)
{
    release_body(rq);
    list_del(&rq->link);
    rq->connection = NULL;
    rq->server = NULL;
    rq->peer = NULL;
    rq->method = rq->path = "";
    rq->tail = 0;
}

/* ---- replies ---- */

static bool takes_gzip(const struct request *rq)
{
    const char *accept = request_header(rq, "Accept-Encoding");
    struct str rest = str_of(accept), one;
    while (accept && str_split(&rest, ',', &one))
        if (str_is(str_trim(one), "gzip"))
            return true;
    return false;
}

static bool compressible(const char *type)
{
    return type && (strncmp(type, "text/", 5) == 0 || strncmp(type, "application/json", 16) == 0);
}

static struct MHD_Response *gzipped(struct str body)
{
    cleanup_buf struct buf out = BUF_INIT(SIZE_MAX / 4);
    if (gzip_deflate(body, GZIP_LEVEL, &out) < 0 || out.len >= body.n)
        return NULL;
    size_t n;
    uint8_t *p = buf_take(&out, &n);
    struct MHD_Response *r = MHD_create_response_from_buffer(n, p, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(r, "Content-Encoding", "gzip");
    return r;
}

static void queue_response(struct request *rq)
{
    rq->peer->deadline = uv_now(rq->server->loop) + REPLY_MS;
    MHD_queue_response(rq->connection, rq->status, rq->response);
}

static void reply(struct request *rq, unsigned status, const char *type, struct str body,
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
    if (compressible(type) && body.n >= GZIP_LEAST) {
        request_set_header(rq, "Vary", "Accept-Encoding");
        rq->response = takes_gzip(rq) ? gzipped(body) : NULL;
    }
    if (!rq->response)
        rq->response = MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, mode);
    else if (mode == MHD_RESPMEM_MUST_FREE)
        free((void *)(uintptr_t)body.p);
    if (type)
        MHD_add_response_header(rq->response, "Content-Type", type);
    MHD_add_response_header(rq->response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < rq->header_count; i++)
        MHD_add_response_header(rq->response, rq->headers[i].name, rq->headers[i].value);
    rq->status = status;
    release_body(rq); /* only now: the reply may have been made of it */
    if (was == KEPT) {
        MHD_resume_connection(rq->connection);
        run_soon(rq->server);
    }
}

void request_reply(struct request *rq, unsigned status, const char *content_type, struct str body)
{
    reply(rq, status, content_type, body, MHD_RESPMEM_MUST_COPY);
}

void request_reply_static(struct request *rq, unsigned status, const char *content_type, struct str body)
{
    reply(rq, status, content_type, body, MHD_RESPMEM_PERSISTENT);
}

void request_reply_buf(struct request *rq, unsigned status, const char *content_type, struct buf *body)
{
    size_t n = 0;
    uint8_t *p = buf_take(body, &n);
    if (!p)
        request_reply_text(rq, 500, "the answer is too large\n");
    else
        reply(rq, status, content_type, (struct str){(const char *)p, n}, MHD_RESPMEM_MUST_FREE);
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

/* ---- routing ---- */

static bool path_matches(const char *pattern, const char *path, size_t *ret_tail)
{
    size_t n = strlen(pattern);
    if (n && pattern[n - 1] == '*') {
        *ret_tail = n - 1;
        return strncmp(pattern, path, n - 1) == 0;
    }
    *ret_tail = strlen(path);
    return strcmp(pattern, path) == 0;
}

static bool method_matches(const struct server_route *r, const char *method)
{
    return !r->method || strcmp(r->method, method) == 0 ||
           (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* Finds the route, or prepares 404 or 405. The pattern decides first, the method among the routes of that pattern. */
static void route(struct request *rq)
{
    const char *best = NULL;
    for (const struct server_route *r = rq->server->routes; r->path; r++) {
        size_t tail;
        if (path_matches(r->path, rq->path, &tail) && (!best || strlen(r->path) > strlen(best))) {
            best = r->path;
            rq->tail = tail;
        }
    }
    if (!best) {
        rq->refusal = 404;
        return;
    }
    char allow[64] = "";
    for (const struct server_route *r = rq->server->routes; r->path; r++) {
        if (strcmp(r->path, best) != 0)
            continue;
        if (method_matches(r, rq->method)) {
            rq->route = r;
            return;
        }
        size_t n = strlen(allow);
        snprintf(allow + n, sizeof allow - n, "%s%s", n ? ", " : "", r->method);
    }
    request_set_header(rq, "Allow", allow);
    rq->refusal = 405;
}

static void refuse(struct request *rq)
{
    switch (rq->refusal) {
    case 404:
        request_reply_text(rq, 404, "404 page not found\n");
        break;
    case 405:
        request_reply_static(rq, 405, NULL, STR(""));
        break;
    case 413:
        request_reply_text(rq, 413, "the body is larger than %zu bytes\n", rq->server->max_body);
        break;
    default:
        request_set_header(rq, "Retry-After", "1");
        request_reply_text(rq, 503, "too many large requests at once, try again\n");
    }
}

/* ---- what libmicrohttpd calls ---- */

static void admit(struct request *rq)
{
    route(rq);
    uint64_t length = 0;
    const char *said = request_header(rq, "Content-Length");
    if (!rq->refusal && said && str_to_u64(str_of(said), &length) && length > rq->server->max_body)
        rq->refusal = 413;
}

static void take_body(struct request *rq, const char *data, size_t n)
{
    struct server *s = rq->server;
    if (rq->refusal)
        return; /* read to its end and dropped: a reply is possible only then */
    if (n > s->max_body - rq->body.len)
        rq->refusal = 413;
    else if (s->bodies + n > 2 * s->max_body)
        rq->refusal = 503;
    if (rq->refusal) {
        release_body(rq);
        return;
    }
    buf_append(&rq->body, data, n);
    if (buf_ok(&rq->body))
        s->bodies += n;
    else
        rq->refusal = 503;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_size, void **state)
{
    (void)version;
    struct server *s = arg;
    struct request *rq = *state;
    if (!rq) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        rq = *state = xcalloc(1, sizeof *rq);
        *rq = (struct request){.server = s,
                               .connection = connection,
                               .peer = info ? info->socket_context : NULL,
                               .method = method,
                               .path = url,
                               .body = BUF_INIT(s->max_body)};
        list_init(&rq->link);
        if (!rq->peer)
            return MHD_NO;
        admit(rq);
        /* An announced body that is too large is refused before it is sent; libmicrohttpd closes the connection then. */
        if (rq->refusal != 413)
            return MHD_YES;
    } else if (*data_size) {
        take_body(rq, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    if (rq->state == READING) {
        rq->state = HANDLING;
        rq->peer->deadline = 0;
        if (rq->refusal)
            refuse(rq);
        else
            rq->route->handle(s->ctx, rq);
    }
    if (rq->state == ANSWERED) {
        queue_response(rq);
    } else {
        rq->state = KEPT;
        list_push(&s->kept, &rq->link);
        MHD_suspend_connection(connection);
    }
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    (void)connection;
    (void)why;
    struct server *s = arg;
    struct request *rq = *state;
    *state = NULL;
    if (!rq)
        return;
    if (rq->peer)
        rq->peer->deadline = uv_now(s->loop) + s->request_ms;
    if (rq->state != KEPT) {
        request_free(rq);
        return;
    }
    orphan(rq);
}

static void on_sweep(uv_timer_t *t)
{
    struct server *s = t->data;
    list_each(&s->peers, node)
    {
        struct peer *p = list_entry(node, struct peer, link);
        if (p->deadline && p->deadline < uv_now(s->loop))
            shutdown(p->fd, SHUT_RDWR);
    }
}

static void start_sweep(struct server *s)
{
    uint64_t every = s->request_ms < SWEEP_MS ? s->request_ms : SWEEP_MS;
    uv_timer_start(&s->sweep, on_sweep, every, every);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server *s = arg;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct peer *p = *state = xcalloc(1, sizeof *p);
        p->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        p->deadline = uv_now(s->loop) + s->request_ms;
        list_push(&s->peers, &p->link);
        if (s->peer_count++ == 0)
            start_sweep(s);
        return;
    }
    struct peer *p = *state;
    list_del(&p->link);
    free(p);
    if (--s->peer_count == 0)
        uv_timer_stop(&s->sweep);
}

/* ---- the loop ---- */

static void on_tick(uv_timer_t *t);

static void run(struct server *s)
{
    MHD_run(s->daemon);
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
        uv_timer_start(&s->tick, on_tick, ms, 0);
    else
        uv_timer_stop(&s->tick);
}

static void on_tick(uv_timer_t *t)
{
    run(t->data);
}

static void on_ready(uv_poll_t *p, int status, int events)
{
    (void)status;
    (void)events;
    run(p->data);
}

static void run_soon(struct server *s)
{
    uv_timer_start(&s->tick, on_tick, 0, 0);
}

static struct MHD_Daemon *start_daemon(struct server *s, int fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, s,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
}

int server_open(const struct server_options *options, struct server **ret, struct err *err)
{
    cleanup_free struct server *s = xcalloc(1, sizeof *s);
    s->loop = options->loop;
    s->routes = options->routes;
    s->ctx = options->ctx;
    s->request_ms = options->request_ms ? options->request_ms : REQUEST_MS;
    s->max_body = options->max_body ? options->max_body : SERVER_BODY_MAX;
    list_init(&s->peers);
    list_init(&s->kept);
    cleanup_close int fd = -1;
    int code = listen_open(options->listen, &fd, s->address, &s->port, err);
    if (code < 0)
        return code;
    s->daemon = start_daemon(s, fd);
    if (!s->daemon)
        return err_set(err, -ENOMEM, "listen %s: the HTTP server does not start", options->listen);
    (void)TAKE_FD(fd); /* closed by the daemon */
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    code = uv_poll_init(s->loop, &s->poll, info->epoll_fd);
    if (code < 0) {
        MHD_stop_daemon(s->daemon);
        return err_set(err, code, "listen %s: %s", options->listen, uv_strerror(code));
    }
    uv_timer_init(s->loop, &s->tick);
    uv_timer_init(s->loop, &s->sweep);
    s->handles = 3;
    s->poll.data = s->tick.data = s->sweep.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_ready);
    uv_unref((uv_handle_t *)&s->sweep);
    *ret = TAKE_PTR(s);
    return 0;
}

const char *server_address(const struct server *s)
{
    return s->address;
}

uint16_t server_port(const struct server *s)
{
    return s->port;
}

static void on_handle_closed(uv_handle_t *h)
{
    struct server *s = h->data;
    if (--s->handles)
        return;
    if (s->closed)
        s->closed(s->closed_arg);
    free(s);
}

void server_close(struct server *s, void (*closed)(void *arg), void *arg)
{
    if (!s)
        return;
    s->closed = closed;
    s->closed_arg = arg;
    uv_poll_stop(&s->poll);
    /* A daemon must not be stopped with suspended connections; their requests are orphaned first. */
    list_each(&s->kept, node)
    {
        struct request *rq = list_entry(node, struct request, link);
        MHD_resume_connection(rq->connection);
        orphan(rq);
    }
    MHD_stop_daemon(s->daemon);
    uv_close((uv_handle_t *)&s->poll, on_handle_closed);
    uv_close((uv_handle_t *)&s->tick, on_handle_closed);
    uv_close((uv_handle_t *)&s->sweep, on_handle_closed);
}
