/* HTTP/1.1 server on the loop: routes by method and path, limited bodies, immediate or deferred replies.
 *
 * Built on libmicrohttpd without threads: the loop polls its epoll descriptor, so handlers run on the loop thread and
 * must not block. A handler either replies before it returns, or keeps the request and replies later from the loop
 * thread; meanwhile the connection is suspended. Several servers may run in one process.
 *
 * TLS can be enabled, disabled and changed at run time; see server_prepare(). A server on a loopback address only
 * accepts requests whose Host is a name of this host (net/server_host.h).
 *
 * Limits per server: connections (64 unless set, and 64 with a request being processed; eviction and minimum rates:
 * net/server_peers.h), one body (max_body), all bodies in memory together (twice max_body), all replies in memory
 * together (max_replies), a minute to send a request, two to read its reply. A request with ambiguous framing is
 * rejected (net/server_framing.h). HEAD is answered by the GET route; an unknown path is 404, a known path with another
 * method 405 with Allow. Replies of text and JSON are gzipped if the client accepts it and it saves bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "net/server_request.h"

enum { SERVER_BODY_MAX = 64 << 20, SERVER_REPLIES_MAX = 64 << 20, SERVER_CONNECTIONS_MOST = 512 };

struct server;
struct server_tls_options; /* net/server_tls.h */

struct server_options {
    uv_loop_t *loop;
    const char *listen; /* "127.0.0.1:4040", "[::1]:0", ":80" (every address), "localhost:1"; port 0 picks a free one */
    const struct server_route *routes; /* outlives the server */
    void *ctx;                         /* handed to every handler */
    /* Optional: looks at every request before it is routed. Returns 0, or 401, 403 or 503, whose headers it may set. */
    unsigned (*guard)(void *ctx, struct request *rq);
    /* Optional: something to tell the operator, such as a certificate that cannot be read again. */
    void (*problem)(void *ctx, const char *what);
    const char *allowed_hosts; /* names of this machine beside the obvious ones, separated by commas; borrowed */
    unsigned request_ms;       /* to send a request in; 0 = a minute */
    unsigned reply_ms;         /* to read its reply in; 0 = two minutes */
    unsigned idle_ms;          /* between two requests; 0 = half a minute */
    size_t connections;        /* open at a time without a request being processed; 0 = 64 */
    size_t max_body;           /* bytes of one request body; 0 = SERVER_BODY_MAX */
    size_t max_replies;        /* bytes of replies that clients have not read; 0 = SERVER_REPLIES_MAX */
};

/* Listens. A taken port is named with its holder: "listen 127.0.0.1:4040: address already in use by java (pid 123)". */
must_check int server_open(const struct server_options *options, struct server **ret, struct err *err);
/* "127.0.0.1:4040", the port as bound. Lives as long as the server. */
const char *server_address(const struct server *s);
uint16_t server_port(const struct server *s);
/* Connections that are open. */
size_t server_connections(const struct server *s);
/* Whether it listens on a loopback address. */
bool server_is_local(const struct server *s);
/* TLS for new connections; NULL: none. Two steps, so that what can fail does so before anything changes: after
 * server_prepare() either server_commit() or nothing is called; a later server_prepare() replaces it. When encryption
 * is turned on or off, idle connections end, and others with the reply that is due. */
must_check int server_prepare(struct server *s, const struct server_tls_options *tls, struct err *err);
void server_commit(struct server *s);
/* Closes every connection; requests still kept by handlers stay valid until replied to, which then goes nowhere. The
 * server is freed by the loop soon after; `closed` (may be NULL) is called then. NULL is fine. */
void server_close(struct server *s, void (*closed)(void *arg), void *arg);
