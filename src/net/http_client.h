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
 *
 * HTTP/2 over TLS where the server has it and the request wants it. A connection that the server gives up (GOAWAY) is
 * replaced without a word; one that brought nothing while a request timed out is not used again: it may be half open.
 *
 * An answer may be streamed (http_request.piece): its pieces are passed on as they arrive. At most HTTP_PIECE_MAX bytes
 * are held, and nothing is read from the peer beyond them. TCP keep-alive finds a peer that is gone after three minutes
 * of silence. All callbacks run outside of libcurl, so they may start and cancel any call.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/str.h"
#include "net/http_request.h"

struct http_client;
struct http_call;

/* Why there is no answer. */
enum http_failure {
    HTTP_ANSWERED,
    HTTP_TIMED_OUT,
    HTTP_NO_HOST,
    HTTP_NO_CONNECTION,
    HTTP_NO_TLS,
    HTTP_BROKEN,
    HTTP_NO_TOKEN /* the authorizer has none */
};

/* Valid during the callback. */
struct http_response {
    int status; /* 0 = no complete answer: see failure and error */
    enum http_failure failure;
    const char *error;      /* "" with a status */
    const char *type;       /* Content-Type, "" when missing */
    const char *header;     /* value of the request's keep_header; NULL when missing */
    int64_t retry_after_ms; /* Retry-After, seconds or date; 0 when missing */
    struct str body;        /* NUL-terminated */
    size_t sent;            /* bytes of the request's body that went out */
};
typedef void http_done(void *arg, const struct http_response *response);

/* The client of this loop, made by the first caller; put back what you got. Handles are closed by the loop after the
 * last. */
struct http_client *http_client_get(uv_loop_t *loop);
/* Another reference to it, within a call. */
struct http_client *http_client_again(void);
void http_client_put(struct http_client *c);

/* Starts a request; `done` is called once, later, unless it is cancelled. `*ret` is valid until then. */
must_check int http_start(struct http_client *c, const struct http_request *req, http_done *done, void *arg,
                          struct http_call **ret, struct err *err);
/* No callback any more; the body is free at once. */
void http_cancel(struct http_call *call);
