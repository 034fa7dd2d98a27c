/* Sets all options of a libcurl easy handle from a request, in one place. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"
#include "net/http_request.h"

/* What an easy handle refers to while it lives, and what its next hop needs. */
struct http_options {
    struct curl_slist *headers, *proxy_headers, *connect_to;
    char *url;         /* of this hop; it may hold a password */
    char *server_name; /* the name in the URL in place of the host's, NULL = none */
    struct {
        char *url, *no_proxy;
        bool from_environment;
    } proxy;
    bool is_get_or_head, is_unix;
    unsigned redirects; /* followed so far */
};

/* Fails where libcurl refuses an option (a malformed URL or header). */
must_check int http_options_apply(struct http_options *o, CURL *easy, const struct http_request *req, struct err *err);
/* Sets the handle up for the next hop after an answer with `status` and a Location that libcurl made absolute.
 *
 * Headers were written for one server. When the host, the port or the scheme is another one, all that may be a secret
 * are left out, from here on (base/secret.h; Go and libcurl leave out Authorization and Cookie only), and so are
 * credentials of the URL and the certificate. One change counts as none: from http to https of the same host, both on
 * their usual ports. 307 and 308 repeat method and body (*ret_body), others become GET. Source: RFC 9110 §15.4;
 * net/http of Go, redirectBehavior. */
must_check int http_options_redirect(struct http_options *o, CURL *easy, long status, const char *location,
                                     bool *ret_body, struct err *err);
/* Puts "Authorization: value" in place of an earlier one. */
void http_options_authorize(struct http_options *o, CURL *easy, const char *value);
/* Whether the request has a header of that name. */
bool http_options_has_header(const struct http_request *req, const char *name);
void http_options_done(struct http_options *o);
