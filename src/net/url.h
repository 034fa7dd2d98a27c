/* Parses http and https URLs. Uses libcurl, so that the check at load and the later request agree. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct http_url {
    bool tls;      /* https */
    char *host;    /* owned; an IPv6 address is in brackets */
    unsigned port; /* said or implied */
    char *bare;    /* owned; as written but without user and password, fit for labels and messages */
    bool query;    /* it has a query or a fragment */
};

/* -EINVAL with the reason; it does not repeat the text, which may hold a password. */
must_check int http_url_parse(const char *text, struct http_url *ret, struct err *err);
void http_url_done(struct http_url *u);
#define cleanup_http_url __attribute__((cleanup(http_url_done)))

/* localhost, *.localhost, 127.0.0.0/8 or ::1, by name only. */
bool http_url_is_loopback(const struct http_url *u);

/* Appends what a name or value of a query is written as: all but unreserved characters percent-encoded (RFC 3986
 * §2.3). */
void http_url_encode(struct buf *out, struct str text);
