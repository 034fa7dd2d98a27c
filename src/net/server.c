#include "net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/server_framing.h"
#include "net/server_host.h"
#include "net/server_library.h"
#include "net/server_peers.h"
#include "net/server_reply.h"
#include "net/server_tls.h"

enum {
    REQUEST_MS = 60000,
    AT_WORK_MAX = SERVER_CONNECTIONS,
    LEAVING_MAX = 64,             /* that were told to go, until libmicrohttpd has noticed */
    CONNECTION_MEMORY = 16 << 10, /* request line and headers */
};

/* ---- routing ---- */

static bool server_path_matches(const char *pattern, const char *path, size_t *ret_tail)
{
    size_t n = strlen(pattern);
    if (n && pattern[n - 1] == '*') {
        *ret_tail = n - 1;
        return strncmp(pattern, path, n - 1) == 0;
    }
    *ret_tail = strlen(path);
    return strcmp(pattern, path) == 0;
}

static bool server_method_matches(const struct server_route *r, const char *method)
{
    return !r->method || strcmp(r->method, method) == 0 ||
           (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* Finds the route, or prepares 404 or 405. The pattern decides first, the method among the routes of that pattern. */
static void server_find_route(struct request *rq)
{
    const char *best = NULL;
    for (const struct server_route *r = rq->server->routes; r->path; r++) {
        size_t tail;
        if (server_path_matches(r->path, rq->path, &tail) && (!best || strlen(r->path) > strlen(best))) {
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
        if (server_method_matches(r, rq->method)) {
            rq->route = r;
            return;
        }
        size_t n = strlen(allow);
        snprintf(allow + n, sizeof allow - n, "%s%s", n ? ", " : "", r->method);
    }
    request_set_header(rq, "Allow", allow);
    rq->refusal = 405;
}

/* ---- what libmicrohttpd calls ---- */

/* Requests whose handlers are at work. */
static size_t server_count_kept(const struct server *s)
{
    size_t n = 0;
    list_each(&s->kept, node) n++;
    return n;
}

static bool server_is_cross_origin(const struct request *rq)
{
    const char *mode = request_header(rq, "Sec-Fetch-Mode");
    const bool is_ours =
        origin_is_ours(request_header(rq, "Sec-Fetch-Site"), request_header(rq, "Origin"), request_header(rq, "Host"));
    const bool follows_link = mode && strcmp(mode, "navigate") == 0 && strcmp(rq->method, "GET") == 0;
    switch (rq->route->origin) {
    case FROM_ANYWHERE:
        return false;
    case FROM_LINKS:
        return !is_ours && !follows_link;
    default:
        return !is_ours;
    }
}

static void server_admit(struct request *rq, const char *version)
{
    struct server *s = rq->server;
    if (!framing_is_clear(rq->connection, version))
        rq->refusal = 400;
    else if (s->is_local && !host_is_ours(request_header(rq, "Host"), s->allowed_hosts))
        rq->refusal = 421;
    else if (s->guard)
        rq->refusal = s->guard(s->ctx, rq);
    if (rq->refusal)
        return;
    server_find_route(rq);
    if (!rq->refusal && server_is_cross_origin(rq)) {
        rq->refusal = 403;
        rq->is_elsewhere = true;
    }
    if (!rq->refusal && !rq->route->always && server_count_kept(s) >= AT_WORK_MAX)
        rq->refusal = 503;
    uint64_t length = 0;
    const char *said = request_header(rq, "Content-Length");
    if (!rq->refusal && said && str_to_u64(str_of(said), &length) && length > s->max_body)
        rq->refusal = 413;
}

static void server_take_body(struct request *rq, const char *data, size_t n)
{
    struct server *s = rq->server;
    if (rq->refusal)
        return; /* read to its end and dropped: a reply is possible only then */
    if (n > s->max_body - rq->body.len)
        rq->refusal = 413;
    else if (s->bodies + n > 2 * s->max_body) {
        rq->refusal = 503;
        peer_reclaim_memory(s, rq->peer);
    }
    if (rq->refusal) {
        request_release_body(rq);
        return;
    }
    buf_append(&rq->body, data, n);
    if (buf_ok(&rq->body))
        s->bodies += n;
    else
        rq->refusal = 503;
}

static enum MHD_Result server_on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                         const char *method, const char *version, const char *data, size_t *data_size,
                                         void **state)
{
    struct server *s = ((struct daemon *)arg)->server;
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
        rq->peer->is_known = true;
        peer_enter(rq->peer, PEER_BODY);
        server_admit(rq, version);
        /* An announced body that is too large, or whose end is not clear, is refused before it is read; libmicrohttpd
         * closes the connection then. */
        if (rq->refusal != 413 && rq->refusal != 400)
            return MHD_YES;
    } else if (*data_size) {
        peer_progress(rq->peer, *data_size);
        server_take_body(rq, data, *data_size);
        *data_size = 0;
        return MHD_YES;
    }
    if (rq->state == READING) {
        rq->state = HANDLING;
        peer_enter(rq->peer, PEER_AT_WORK);
        if (rq->refusal)
            request_refuse(rq);
        else
            rq->route->handle(s->ctx, rq);
    }
    if (rq->state == ANSWERED) {
        request_send(rq);
    } else {
        rq->state = KEPT;
        list_push(&s->kept, &rq->link);
        MHD_suspend_connection(connection);
    }
    return MHD_YES;
}

static void server_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                                enum MHD_RequestTerminationCode why)
{
    (void)connection;
    (void)why;
    (void)arg;
    struct request *rq = *state;
    *state = NULL;
    if (!rq)
        return;
    if (rq->peer)
        peer_enter(rq->peer, PEER_IDLE);
    if (rq->state == KEPT)
        request_orphan(rq);
    else
        request_free(rq);
}

static void server_attach_tls(struct peer *p, struct MHD_Connection *connection)
{
    struct server *s = p->daemon->server;
    struct err err = {0};
    if (server_tls_refresh(s->tls, uv_now(s->loop), &err) < 0 && s->problem)
        s->problem(s->ctx, err.text);
    p->credentials =
        server_tls_attach(s->tls, MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session);
}

static void server_on_connection(void *arg, struct MHD_Connection *connection, void **state,
                                 enum MHD_ConnectionNotificationCode what)
{
    struct daemon *d = arg;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        peer_free(*state);
        return;
    }
    struct peer *p = *state = peer_new(d, connection);
    if (d->has_tls)
        server_attach_tls(p, connection);
}

/* ---- the loop ---- */

static void server_on_handle_closed(struct server *s)
{
    if (--s->handles || !s->closing)
        return;
    if (s->closed)
        s->closed(s->closed_arg);
    free(s);
}

static void server_on_timer_closed(uv_handle_t *h)
{
    server_on_handle_closed(h->data);
}

static void server_on_poll_closed(uv_handle_t *h)
{
    struct daemon *d = h->data;
    struct server *s = d->server;
    free(d);
    server_on_handle_closed(s);
}

static void server_on_tick(uv_timer_t *t);
static void server_on_ready(uv_poll_t *p, int status, int events);

/* Credentials are what GnuTLS asks the caller for when a certificate is to be chosen; each session gets its own before
 * that. */
static int server_no_certificate(gnutls_session_t session, const gnutls_datum_t *ca, int ca_count,
                                 const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **pcert,
                                 unsigned *pcert_count, gnutls_privkey_t *key)
{
    (void)session, (void)ca, (void)ca_count, (void)algorithms, (void)algorithm_count, (void)pcert, (void)pcert_count;
    (void)key;
    return -1;
}

static struct MHD_Daemon *server_daemon_start(struct daemon *d, int fd)
{
    const struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)server_no_certificate},
                                         {MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    const uint64_t idle_ms = d->server->idle_ms, idle_s = ((idle_ms > IDLE_MS ? idle_ms : IDLE_MS) + 999) / 1000;
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(d->server->connections + AT_WORK_MAX + LEAVING_MAX), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)idle_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)server_on_completed, d},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)server_on_connection, d},
        {MHD_OPTION_ARRAY, 0, d->has_tls ? (void *)tls : (void *)plain},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (d->has_tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
                            server_on_request, d, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* Takes fd. What it accepts is served once the loop polls it. */
static int server_daemon_new(struct server *s, int fd, bool has_tls, struct daemon **ret, struct err *err)
{
    cleanup_free struct daemon *d = xcalloc(1, sizeof *d);
    *d = (struct daemon){.server = s, .has_tls = has_tls};
    list_init(&d->link);
    d->mhd = server_daemon_start(d, fd);
    if (!d->mhd) {
        close(fd);
        return err_set(err, -ENOMEM, "listen %s: cannot start the HTTP server", s->address);
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    int code = uv_poll_init(s->loop, &d->poll, info->epoll_fd);
    if (code < 0) {
        MHD_stop_daemon(d->mhd);
        return err_set(err, code, "listen %s: %s", s->address, uv_strerror(code));
    }
    s->handles++;
    d->poll.data = d;
    *ret = TAKE_PTR(d);
    return 0;
}

static void server_daemon_free(struct daemon *d)
{
    if (!d)
        return;
    list_del(&d->link);
    uv_poll_stop(&d->poll);
    MHD_stop_daemon(d->mhd);
    uv_close((uv_handle_t *)&d->poll, server_on_poll_closed);
}

/* How long to wait when libmicrohttpd wants to go on at once. Never 0: the loop would run the timer again before it
 * looks at any descriptor. And libmicrohttpd 0.9.75 wants it all through a handshake, although there is nothing to do
 * until a descriptor is ready: a client that stops in the middle of one must not keep us busy. */
static uint64_t server_pause_ms(struct server *s)
{
    enum { LEAST = 1, MOST = 64 };
    bool only_handshakes = true;
    list_each(&s->peers, node)
    {
        const struct peer *p = list_entry(node, struct peer, link);
        only_handshakes &= p->credentials && !p->is_known;
    }
    const uint64_t ms = only_handshakes ? s->pause_ms : LEAST;
    s->pause_ms = s->pause_ms < MOST ? s->pause_ms * 2 : MOST;
    return ms;
}

/* After libmicrohttpd has worked: daemons that are no longer needed end, and its timeouts become ours. */
static void server_settle(struct server *s)
{
    MHD_UNSIGNED_LONG_LONG ms, least = UINT64_MAX;
    list_each(&s->daemons, node)
    {
        struct daemon *d = list_entry(node, struct daemon, link);
        if (node != s->daemons.next && d->peer_count == 0)
            server_daemon_free(d);
        else if (MHD_get_timeout(d->mhd, &ms) == MHD_YES && ms < least)
            least = ms;
    }
    if (least == UINT64_MAX)
        uv_timer_stop(&s->tick);
    else
        uv_timer_start(&s->tick, server_on_tick, least ? least : server_pause_ms(s), 0);
}

static void server_on_tick(uv_timer_t *t)
{
    struct server *s = t->data;
    list_each(&s->daemons, node) MHD_run(list_entry(node, struct daemon, link)->mhd);
    server_settle(s);
}

static void server_on_ready(uv_poll_t *p, int status, int events)
{
    (void)status;
    (void)events;
    struct daemon *d = p->data;
    d->server->pause_ms = 1;
    MHD_run(d->mhd);
    server_settle(d->server);
}

static void server_run_soon(struct server *s)
{
    uv_timer_start(&s->tick, server_on_tick, 0, 0);
}

/* ---- TLS on, off or changed ---- */

static void server_drop_prepared(struct server *s)
{
    server_daemon_free(TAKE_PTR(s->next));
    server_tls_free(TAKE_PTR(s->next_tls));
    s->prepared = false;
}

static struct daemon *server_listening(const struct server *s)
{
    return list_entry(s->daemons.next, struct daemon, link);
}

int server_prepare(struct server *s, const struct server_tls_options *tls, struct err *err)
{
    server_drop_prepared(s);
    int code = tls ? server_tls_new(tls, &s->next_tls, err) : 0;
    if (code < 0)
        return code;
    if (server_listening(s)->has_tls != (tls != NULL)) {
        const int fd = MHD_get_daemon_info(server_listening(s)->mhd, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd;
        const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        code =
            own < 0 ? err_errno(err, "listen %s", s->address) : server_daemon_new(s, own, tls != NULL, &s->next, err);
    }
    if (code < 0)
        server_drop_prepared(s);
    else
        s->prepared = true;
    return code;
}

/* No new connections for this one. Idle ones end now, busy ones with their reply. */
static void server_daemon_retire(struct daemon *d)
{
    const int fd = MHD_quiesce_daemon(d->mhd);
    if (fd >= 0)
        close(fd);
    list_each(&d->server->peers, node)
    {
        struct peer *p = list_entry(node, struct peer, link);
        if (p->daemon == d && !peer_is_busy(p))
            peer_hang_up(p);
    }
}

void server_commit(struct server *s)
{
    if (!s->prepared)
        return;
    server_tls_free(s->tls);
    s->tls = TAKE_PTR(s->next_tls);
    s->prepared = false;
    struct daemon *next = TAKE_PTR(s->next);
    if (!next)
        return;
    server_daemon_retire(server_listening(s));
    list_push(s->daemons.next, &next->link); /* before the first */
    uv_poll_start(&next->poll, UV_READABLE, server_on_ready);
    server_run_soon(s);
}

/* ---- opening and closing ---- */

static bool server_address_is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0;
}

int server_open(const struct server_options *options, struct server **ret, struct err *err)
{
    cleanup_free struct server *s = xcalloc(1, sizeof *s);
    *s = (struct server){.loop = options->loop,
                         .routes = options->routes,
                         .guard = options->guard,
                         .problem = options->problem,
                         .ctx = options->ctx,
                         .allowed_hosts = options->allowed_hosts,
                         .run_soon = server_run_soon,
                         .pause_ms = 1,
                         .request_ms = options->request_ms ? options->request_ms : REQUEST_MS,
                         .reply_ms = options->reply_ms ? options->reply_ms : REPLY_MS,
                         .idle_ms = options->idle_ms ? options->idle_ms : IDLE_MS,
                         .connections = SERVER_CONNECTIONS,
                         .max_body = options->max_body ? options->max_body : SERVER_BODY_MAX,
                         .max_replies = options->max_replies ? options->max_replies : SERVER_REPLIES_MAX};
    if (options->connections)
        s->connections =
            options->connections < SERVER_CONNECTIONS_MOST ? options->connections : SERVER_CONNECTIONS_MOST;
    list_init(&s->daemons);
    list_init(&s->peers);
    list_init(&s->groups);
    list_init(&s->kept);
    list_init(&s->streams);
    int fd = -1;
    int code = server_library_open(err);
    if (code == 0)
        code = listen_open(options->listen, &fd, s->address, &s->port, err);
    if (code < 0)
        return code;
    s->is_local = server_address_is_loopback(s->address);
    struct daemon *d;
    code = server_daemon_new(s, fd, false, &d, err);
    if (code < 0)
        return code;
    list_push(&s->daemons, &d->link);
    uv_poll_start(&d->poll, UV_READABLE, server_on_ready);
    uv_timer_init(s->loop, &s->tick);
    uv_timer_init(s->loop, &s->sweep);
    s->handles += 2;
    s->tick.data = s->sweep.data = s;
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

size_t server_connections(const struct server *s)
{
    return s->peer_count;
}

bool server_is_local(const struct server *s)
{
    return s->is_local;
}

void server_close(struct server *s, void (*closed)(void *arg), void *arg)
{
    if (!s)
        return;
    s->closing = true;
    s->closed = closed;
    s->closed_arg = arg;
    server_drop_prepared(s);
    /* A daemon must not be stopped with suspended connections; requests that are kept are orphaned first. */
    list_each(&s->kept, node)
    {
        struct request *rq = list_entry(node, struct request, link);
        MHD_resume_connection(rq->connection);
        request_orphan(rq);
    }
    list_each(&s->streams, node) stream_wake(list_entry(node, struct request, link)->stream);
    list_each(&s->daemons, node) server_daemon_free(list_entry(node, struct daemon, link));
    server_tls_free(TAKE_PTR(s->tls));
    uv_close((uv_handle_t *)&s->tick, server_on_timer_closed);
    uv_close((uv_handle_t *)&s->sweep, server_on_timer_closed);
}
