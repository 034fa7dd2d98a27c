/* State shared by the parts of the HTTP server: the server, its daemons, connections and requests. */
#pragma once

#include <microhttpd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "net/listen.h"

struct server_route;
struct server_tls;
struct tls_credentials;
struct reply_stream;
struct request;

enum { REPLY_HEADERS = 8 };

struct server {
    uv_loop_t *loop;
    uv_timer_t tick, sweep;
    unsigned handles; /* still to be closed by the loop */
    bool closing;
    /* The first one listens. Others were told not to when TLS was turned on or off, and end with their last
     * connection. */
    struct list daemons;
    struct server_tls *tls; /* of new connections; NULL: plain */
    /* What server_prepare() made ready: */
    bool prepared;
    struct daemon *next; /* NULL: the present one stays */
    struct server_tls *next_tls;
    struct list peers, kept, streams; /* connections; requests whose handler replies later; those whose reply goes on */
    struct list groups;               /* of peers, by their address; net/server_peers.h */
    size_t peer_count;
    const struct server_route *routes;
    unsigned (*guard)(void *ctx, struct request *rq);
    void (*problem)(void *ctx, const char *what);
    void *ctx;
    void (*run_soon)(struct server *s); /* lets libmicrohttpd continue: a connection was resumed */
    uint64_t request_ms, reply_ms, idle_ms, pause_ms;
    size_t connections;          /* that may be open without a request at work */
    size_t max_body, bodies;     /* bytes: cap of one, all of them now */
    size_t max_replies, replies; /* bytes in memory that are being sent: cap, all of them now */
    uint16_t port;
    bool is_local;             /* listens on a loopback address only */
    const char *allowed_hosts; /* beside those that are ours anyway */
    char address[LISTEN_ADDRESS_MAX];
    void (*closed)(void *arg);
    void *closed_arg;
};

/* libmicrohttpd's side of the server, plain or with TLS. */
struct daemon {
    struct list link;
    struct server *server;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    bool has_tls;
    size_t peer_count;
};

/* In the order in which connections go when there are too many; net/server_peers.h. */
enum peer_phase {
    PEER_IDLE,   /* kept alive between requests */
    PEER_HEADER, /* new: handshake, request line and header */
    PEER_BODY,   /* of the request */
    PEER_REPLY,  /* is being sent */
    /* the handler has the request, or a reply that goes on has nothing to say; libmicrohttpd does not look at it */
    PEER_AT_WORK,
    PEER_LEAVING, /* was told to go */
};

struct peer_group;

/* One connection. */
struct peer {
    struct list link;
    struct daemon *daemon;
    struct peer_group *group;
    struct tls_credentials *credentials; /* NULL: plain */
    int fd;
    bool is_known; /* has sent a request */
    enum peer_phase phase;
    uint64_t since, deadline; /* uv_now; deadline 0 = none */
    uint64_t body_bytes;
    size_t reply_bytes; /* in memory, of the reply that is being sent */
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
    unsigned refusal;  /* status to answer instead of handling; 0 = none */
    bool is_elsewhere; /* refused for the page that it comes from */
    struct MHD_Response *response;
    size_t reply_bytes;          /* of response, in memory of its own */
    struct reply_stream *stream; /* of an answer that goes on */
    unsigned status;
    struct {
        char *name, *value;
    } headers[REPLY_HEADERS];
    size_t header_count;
    struct list link;
};
