/* HTTP/1.1 server on the loop: routes by method and path, limited bodies, immediate or deferred replies.
 *
 * Built on libmicrohttpd without threads: the loop polls its epoll descriptor, so handlers run on the loop thread and
 * must not block. A handler either replies before it returns, or keeps the request and replies later from the loop
 * thread; meanwhile the connection is suspended. Several servers may run in one process.
 *
 * TLS can be enabled, disabled and changed at run time; see server_prepare(). A server on a loopback address only
 * accepts requests whose Host is a name of this host (net/server_host.h).
 *
 * Limits per server: connections (SERVER_CONNECTIONS, and as many with a request being processed; eviction and minimum
 * rates: net/server_peers.h), one body (max_body), all bodies in memory together (twice max_body), a minute to send a
 * request, two to read its reply. A request with ambiguous framing is rejected (net/server_framing.h). HEAD is answered
 * by the GET route; an unknown path is 404, a known path with another method 405 with Allow. Replies of text and JSON
 * are gzipped if the client accepts it and it saves bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { SERVER_CONNECTIONS = 64, SERVER_BODY_MAX = 64 << 20 };

struct server;
struct server_tls_options; /* net/server_tls.h */
struct request;
struct reply_stream;

/* From where the browser may send a request: what a page of another origin starts it must not read, and may not start
 * all of it. */
enum route_origin {
    FROM_ANYWHERE,
    FROM_LINKS, /* where somebody follows one; not embedded in a page or fetched by it */
    FROM_HERE,  /* from pages of this server only, and from what is no browser */
};

/* A path ending in '*' matches every path with what is before it; the longest match wins. method NULL: any method. */
struct server_route {
    const char *method, *path; /* path NULL ends the table */
    void (*handle)(void *ctx, struct request *rq);
    bool always; /* also while too many other requests are at work: probes, which answer at once */
    enum route_origin origin;
};

struct server_options {
    uv_loop_t *loop;
    const char *listen; /* "127.0.0.1:4040", "[::1]:0", ":80" (every address), "localhost:1"; port 0 picks a free one */
    const struct server_route *routes; /* outlives the server */
    void *ctx;                         /* handed to every handler */
    /* Optional: looks at every request before it is routed. Returns 0, or 401 or 403, whose headers it may set. */
    unsigned (*guard)(void *ctx, struct request *rq);
    /* Optional: something to tell the operator, such as a certificate that cannot be read again. */
    void (*problem)(void *ctx, const char *what);
    const char *allowed_hosts; /* names of this machine beside the obvious ones, separated by commas; borrowed */
    unsigned request_ms;       /* to send a request in; 0 = a minute */
    size_t max_body;           /* bytes of one request body; 0 = SERVER_BODY_MAX */
};

/* Listens. A taken port is named with its holder: "listen 127.0.0.1:4040: address already in use by java (pid 123)". */
must_check int server_open(const struct server_options *options, struct server **ret, struct err *err);
/* "127.0.0.1:4040", the port as bound. Lives as long as the server. */
const char *server_address(const struct server *s);
uint16_t server_port(const struct server *s);
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

/* The request: valid in the handler and, when it is kept, until the reply. Strings are borrowed for that long. */
const char *request_method(const struct request *rq);
const char *request_path(const struct request *rq); /* percent-decoded */
const char *request_tail(const struct request *rq); /* what the route's '*' matched, "" without one */
/* NULL when missing. The first one of that name. */
const char *request_query(const struct request *rq, const char *name);
void request_each_query(const struct request *rq, const char *name, void (*visit)(void *arg, const char *value),
                        void *arg);
const char *request_header(const struct request *rq, const char *name);
struct str request_body(const struct request *rq);
/* The body moves to the caller: freed with free(), no longer counted against the server's memory. */
uint8_t *request_take_body(struct request *rq, size_t *len);

/* Adds a header to the reply to come; name and value are copied. */
void request_set_header(struct request *rq, const char *name, const char *value);
/* Exactly one reply per request; the request is gone afterwards. content_type NULL: no such header. */
void request_reply(struct request *rq, unsigned status, const char *content_type, struct str body);        /* copies */
void request_reply_static(struct request *rq, unsigned status, const char *content_type, struct str body); /* borrows */
/* Moves the content out of `body`; a failed buffer becomes a 500. */
void request_reply_buf(struct request *rq, unsigned status, const char *content_type, struct buf *body);
void request_reply_text(struct request *rq, unsigned status, const char *fmt, ...) printf_like(3, 4);

/* A reply of unknown length instead, status 200: it goes on until stream_end(), or until the client or the server ends,
 * when `gone` is called (but not after stream_end()) and the stream must not be used any more. NULL when it has gone
 * already; `gone` is not called then. */
struct reply_stream *request_stream(struct request *rq, const char *content_type, void (*gone)(void *arg), void *arg);
/* Copies. False: the client reads too slowly, and this piece is left out; a piece is never cut. */
bool stream_send(struct reply_stream *s, struct str text);
void stream_end(struct reply_stream *s);
/* How much may wait for the client, instead of 1 MiB; before the first piece. */
void stream_set_max(struct reply_stream *s, size_t max);
