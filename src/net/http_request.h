/* What an HTTP request of the client is made of: method, URL, headers, body, proxy, TLS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Bytes of a streamed body that are held at once. */
enum { HTTP_PIECE_MAX = 65536 };

/* TLS 1.2 is the least when nothing is said. */
enum http_tls_version { HTTP_TLS_DEFAULT, HTTP_TLS_10, HTTP_TLS_11, HTTP_TLS_12, HTTP_TLS_13 };

/* NULL or "" = not set. Files are read by every new connection. */
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
    size_t response_max; /* bytes of the answer's body that are kept; the rest is read and thrown away */
    /* NULL, or called with each piece of the answer's body as it arrives, whatever the status, but for answers that are
     * redirects and followed. At most HTTP_PIECE_MAX bytes, valid during the callback, which may start and cancel any
     * call. */
    void (*piece)(void *arg, int status, struct str bytes);
};
