/* Asynchronous HTTP client on the libuv loop: libcurl's multi interface driven by uv_poll and one timer.
 *
 * One reference-counted client for the whole program; libcurl is loaded and initialised by the first request
 * (curl_library.h). Nothing here blocks: names are resolved by libcurl's threaded resolver, and a call that is
 * cancelled or times out leaves that thread to finish by itself (CURLOPT_QUICK_EXIT, libcurl 7.87; with an older one a
 * cancel waits for the resolver).
 *
 * http and https only, also after a redirect; secrets are not sent after a redirect to another origin
 * (net/curl_options.h). Connections are kept for reuse (idle for up to two minutes, at most 8). There is no limit per
 * host here, because one slow path must not delay other users of the same host: callers limit their concurrent
 * requests. The program must ignore SIGPIPE (TLS back ends may write to a closed socket). Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/str.h"

struct http_client;
struct http_call;

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
    const char *method;         /* "GET", "POST" */
    const char *url;            /* user:password@ becomes basic authorization */
    const char *const *headers; /* "Name: value", NULL-terminated; secret ones are not sent on to another host */
    const struct str *body;     /* pieces sent one after another */
    size_t body_pieces;
    int64_t timeout_ms; /* for everything, from name resolution to the last byte */
    bool follow_redirects;
    bool http2; /* offer it by ALPN */
    struct http_proxy proxy;
    struct http_tls tls;
    size_t response_max; /* bytes of the answer's body that are kept; the rest is read and thrown away */
    /* NULL, or called with each piece of the answer's body as it arrives, whatever the status; must not cancel. */
    void (*piece)(void *arg, struct str bytes);
};

/* Why there is no answer. */
enum http_failure { HTTP_ANSWERED, HTTP_TIMED_OUT, HTTP_NO_HOST, HTTP_NO_CONNECTION, HTTP_NO_TLS, HTTP_BROKEN };

/* Valid during the callback. */
struct http_response {
    int status; /* 0 = no complete answer: see failure and error */
    enum http_failure failure;
    const char *error;      /* "" with a status */
    const char *type;       /* Content-Type, "" when missing */
    int64_t retry_after_ms; /* Retry-After, seconds or date; 0 when missing */
    struct str body;        /* NUL-terminated */
    size_t sent;            /* bytes of the request's body that went out */
};
typedef void http_done(void *arg, const struct http_response *response);

/* The client of this loop, made by the first caller; put back what you got. Handles are closed by the loop after the
 * last. */
struct http_client *http_client_get(uv_loop_t *loop);
void http_client_put(struct http_client *c);

/* Starts a request; `done` is called once, later, unless it is cancelled. `*ret` is valid until then. */
must_check int http_start(struct http_client *c, const struct http_request *req, http_done *done, void *arg,
                          struct http_call **ret, struct err *err);
/* No callback any more; the body is free at once. */
void http_cancel(struct http_call *call);
