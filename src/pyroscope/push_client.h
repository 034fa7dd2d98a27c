/* Push client: the Connect unary call push.v1.PusherService/Push to one Pyroscope server.
 *
 * The outcome is decided by the HTTP status first: a 4xx error page of a proxy is not retried.
 * Source: spec components §4.4, §4.5; Connect protocol (connectrpc.com/docs/protocol, "Unary-Request").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/series.h"
#include "net/http_client.h"
#include "pyroscope/push_verdict.h"

struct push_outcome {
    enum push_result result;
    int status;             /* 0 = no reply */
    int64_t retry_after_ms; /* from Retry-After; 0 = none */
    enum http_failure failure;
    struct push_limit limit;
    char reason[ERR_MAX]; /* "" when ok; else a sentence, with a remedy where one is known */
    /* One per series where the answer names those that failed, NULL otherwise: the result is that of all. Valid until
     * `done` returns. */
    const struct push_verdict *verdicts;
};
/* Classifies a response. Without `retry_429` a 429 is a rejection. */
void push_client_judge(const struct http_response *r, bool retry_429, struct push_outcome *ret);

/* Server, headers and connection settings; borrowed during push_client_start(). */
struct push_endpoint {
    const char *url;            /* base URL; trailing slashes are ignored */
    const char *const *headers; /* "Name: value", NULL-terminated; reserved headers are skipped */
    const char *authorization;  /* value of that header or NULL; `headers` take precedence */
    const char *const *extra;   /* more headers, added even if the name is present */
    const char *version;        /* for User-Agent */
    int64_t timeout_ms;
    bool follow_redirects, http2, retry_429;
    struct http_proxy proxy;
    struct http_tls tls;
    struct http_authorizer *authorizer; /* NULL or asked for Authorization; outlives the call */
};

struct push_call;
typedef void push_done(void *arg, const struct push_outcome *outcome);

/* Starts one request with `n` series, at least one, each with at least one profile. Profile bytes and IDs are borrowed
 * until `done`, labels until this returns. A verdict is found by the ID of the first profile of a series. -E2BIG: the
 * labels are longer than PUSH_LABELS_MAX. */
enum { PUSH_LABELS_MAX = 1 << 20 };
must_check int push_client_start(struct http_client *c, const struct push_endpoint *e, const struct series *series,
                                 size_t n, push_done *done, void *arg, struct push_call **ret, struct err *err);
void push_client_cancel(struct push_call *p);

/* Whether a header is reserved for the protocol: Content-Type, Content-Length, Content-Encoding, User-Agent,
 * Accept-Encoding, Transfer-Encoding, Expect and Connect-*. */
bool push_client_reserves(struct str name);
