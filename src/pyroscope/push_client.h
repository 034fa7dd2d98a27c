/* Profiles to one Pyroscope server: Connect unary call push.v1.PusherService/Push.
 *
 * Source: spec components §4.4, §4.5; Connect protocol (connectrpc.com/docs/protocol, "Unary-Request"). The answer is judged by
 * its HTTP status first, so that a proxy's 4xx page is not mistaken for something worth retrying.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/series.h"
#include "net/http_client.h"

enum push_result {
    PUSH_OK,
    PUSH_RETRY,   /* may succeed later: no answer, 408, 429, 5xx, or a 2xx that no Pyroscope server gave */
    PUSH_REJECTED /* will not succeed as it is */
};
const char *push_result_name(enum push_result r); /* "ok", "retry", "rejected" */

struct push_outcome {
    enum push_result result;
    int status;             /* 0 = no answer */
    int64_t retry_after_ms; /* as the server asks; 0 = it does not say */
    char reason[ERR_MAX];   /* "" when ok; else a sentence with what to do about it where that is known */
};
/* retry_429 = false makes 429 a rejection. */
void push_client_judge(const struct http_response *r, bool retry_429, struct push_outcome *ret);

/* Where and how to push; borrowed during push_client_start(). */
struct push_endpoint {
    const char *url;            /* base URL; slashes at its end do not count */
    const char *const *headers; /* "Name: value", NULL-terminated; the protocol's own headers in it are left out */
    const char *authorization;  /* NULL, or the value of that header; one in `headers` wins */
    const char *const *extra;   /* more headers, added even where the name is there already */
    const char *version;        /* for User-Agent */
    int64_t timeout_ms;
    bool follow_redirects, http2, retry_429;
    struct http_proxy proxy;
    struct http_tls tls;
};

struct push_call;
typedef void push_done(void *arg, const struct push_outcome *outcome);

/* One request with `n` series, at least one, each with at least one profile. The profiles' bytes are borrowed until `done`, the labels
 * until this returns. -E2BIG: the labels are longer than PUSH_LABELS_MAX. */
enum { PUSH_LABELS_MAX = 1 << 20 };
must_check int push_client_start(struct http_client *c, const struct push_endpoint *e, const struct series *series,
                                 size_t n, push_done *done, void *arg, struct push_call **ret, struct err *err);
void push_client_cancel(struct push_call *p);

/* Whether a configured header is the protocol's business: Content-Type, Content-Length, Content-Encoding, User-Agent,
 * Accept-Encoding, Transfer-Encoding, Expect and Connect-*. */
bool push_client_reserves(struct str name);
