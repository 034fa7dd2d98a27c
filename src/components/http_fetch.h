/* Requests of a component to a server, with its HTTP client settings (components/http_settings.h): authentication, TLS,
 * proxy. A component opens one with its arguments, and starts any number of calls. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "components/http_settings.h"
#include "net/http_client.h"

struct http_fetch {
    uv_loop_t *loop;
    const struct http_settings *settings; /* borrowed: of the arguments, which the caller keeps */
    struct http_settings_open opened;
    struct http_client *client; /* NULL until the first call */
    const char *version;
};
#define HTTP_FETCH_INIT ((struct http_fetch){.opened = HTTP_SETTINGS_OPEN_INIT})

struct http_fetch_request {
    const char *url, *unix_socket; /* NULL: by TCP */
    const char *method;            /* NULL: GET */
    const char *const *headers;    /* "Name: value", NULL-terminated; NULL: none. Authorization and User-Agent win */
    const struct str *body;        /* NULL: none */
    const char *keep_header;       /* see http_request; NULL: none */
    int64_t timeout_ms;            /* 0: none */
    size_t response_max;
    void (*piece)(void *arg, int status, struct str bytes); /* see http_request */
};

/* `settings` must outlive the fetch or be replaced by another open. On failure `f` is as before. */
must_check int http_fetch_open(struct http_fetch *f, uv_loop_t *loop, const struct http_settings *settings,
                               const char *version, struct err *err);
must_check int http_fetch_start(struct http_fetch *f, const struct http_fetch_request *rq, http_done *done, void *arg,
                                struct http_call **ret, struct err *err);
/* All calls have to be over or cancelled. */
void http_fetch_close(struct http_fetch *f);

/* Why an answer is none: the text for people. */
char *http_fetch_problem(const struct http_response *r, size_t response_max);
