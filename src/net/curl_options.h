/* A request in libcurl's words: every option of one easy handle is set here, so that the rules stand in one place. */
#pragma once

#include <curl/curl.h>

#include "base/err.h"
#include "net/http_client.h"

/* What an easy handle refers to while it lives. */
struct http_options {
    struct curl_slist *headers, *proxy_headers, *connect_to;
};

/* Fails where libcurl refuses an option (a malformed URL or header). */
must_check int http_options_apply(struct http_options *o, CURL *easy, const struct http_request *req, struct err *err);
void http_options_done(struct http_options *o);
