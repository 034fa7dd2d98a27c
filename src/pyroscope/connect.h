/* Server side of Connect's unary protocol: request validation and error format.
 * Source: spec store-query §1.1-1.3 (Connect protocol reference, connect-go 1.19).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "net/server.h"

enum connect_code {
    CONNECT_CANCELED,
    CONNECT_UNKNOWN,
    CONNECT_INVALID_ARGUMENT,
    CONNECT_DEADLINE_EXCEEDED,
    CONNECT_NOT_FOUND,
    CONNECT_ALREADY_EXISTS,
    CONNECT_PERMISSION_DENIED,
    CONNECT_RESOURCE_EXHAUSTED,
    CONNECT_FAILED_PRECONDITION,
    CONNECT_ABORTED,
    CONNECT_OUT_OF_RANGE,
    CONNECT_UNIMPLEMENTED,
    CONNECT_INTERNAL,
    CONNECT_UNAVAILABLE,
    CONNECT_DATA_LOSS,
    CONNECT_UNAUTHENTICATED,
    CONNECT_CODES
};

enum connect_codec { CONNECT_PROTO, CONNECT_JSON };
struct connect_call {
    enum connect_codec codec;
    bool gzip;                /* the body is compressed */
    const char *content_type; /* of the reply; static */
};

/* Checks the headers of a POST request. False: an error reply was sent (415, 400 or 501). */
bool connect_accept(struct request *rq, struct connect_call *ret);
/* The reply; `body` is the encoded message, copied. */
void connect_reply(struct request *rq, const struct connect_call *call, struct str body);
void connect_error(struct request *rq, enum connect_code code, const char *fmt, ...) printf_like(3, 4);
