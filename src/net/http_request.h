/* What an HTTP request of the client is made of: method, URL, headers, body, proxy, TLS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"

/* Bytes of a streamed body that are held at once. */
enum { HTTP_PIECE_MAX = 65536 };

/* TLS 1.2 is the least when nothing is said. */
enum http_tls_version { HTTP_TLS_DEFAULT, HTTP_TLS_10, HTTP_TLS_11, HTTP_TLS_12, HTTP_TLS_13 };

/* NULL or "" = not set. Files are read by every new connection, and a changed file makes connections with the old one
 * unused (net/tls_files.h). */
struct http_tls {
    const char *ca_file; /* instead of the system's roots */
    const char *cert_file, *key_file;
    const char *server_name; /* for SNI and verification, instead of the URL's host */
    bool insecure_skip_verify;
    enum http_tls_version min_version;
};

/* "" = no proxy at all unless from_environment, which reads http_proxy, https_proxy and no_proxy in either case. With
 * no_proxy or from_environment, loopback addresses are never sent to a proxy (golang.org/x/net/http/httpproxy). */
struct http_proxy {
    const char *url, *no_proxy;
    bool from_environment;
    const char *const *connect_headers; /* "Name: value", NULL-terminated, or NULL */
};

/* A request that waits for its Authorization header. */
struct http_wait {
    struct list node; /* to be unlinked by whoever waits no longer */
    /* The header's value, or NULL and why there is none; borrowed. */
    void (*done)(struct http_wait *w, const char *authorization, const char *problem);
};

/* Provides the Authorization header of requests: tokens of OAuth 2.0 (net/oauth2.h). */
struct http_authorizer {
    unsigned refs; /* its owner's, and one of each call */
    /* The value, borrowed until the next call; or NULL, then w->done is called later. */
    int (*ask)(struct http_authorizer *a, struct http_wait *w, const char **ret, struct err *err);
    /* A server did not accept the last value. */
    void (*reject)(struct http_authorizer *a);
    void (*free)(struct http_authorizer *a); /* after the last reference */
};

/* Everything is copied by http_start() but the body's bytes, which stay untouched until `done`. */
struct http_request {
    const char *method; /* "GET", "POST" */
    const char *url;    /* user:password@ becomes basic authorization */
    /* Path of a Unix socket to connect to instead of the URL's host, without a proxy; NULL = none. A redirect to
     * another host fails. */
    const char *unix_socket;
    const char *const *headers; /* "Name: value", NULL-terminated; secret ones are not sent on to another host */
    const struct str *body;     /* pieces sent one after another */
    size_t body_pieces;
    int64_t timeout_ms; /* for everything, from name resolution to the last byte; 0 = none */
    bool follow_redirects;
    bool http2; /* offer it by ALPN */
    struct http_proxy proxy;
    struct http_tls tls;
    /* NULL, or asked for the Authorization header, unless `headers` have one; once more if the server answers 401. */
    struct http_authorizer *authorizer;
    const char *keep_header; /* name of a header of the answer for http_response.header; NULL = none */
    size_t response_max;     /* bytes of the answer's body that are kept; the rest is read and thrown away */
    /* NULL, or called with each piece of the answer's body as it arrives, whatever the status, but for answers that are
     * redirects and followed. At most HTTP_PIECE_MAX bytes, valid during the callback, which may start and cancel any
     * call. */
    void (*piece)(void *arg, int status, struct str bytes);
};
