#include "components/http_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { FETCH_OK = 200 };

int http_fetch_open(struct http_fetch *f, uv_loop_t *loop, const struct http_settings *settings, const char *version,
                    struct err *err)
{
    struct http_settings_open opened = HTTP_SETTINGS_OPEN_INIT;
    const int code = http_settings_open(settings, &opened, err);
    if (code < 0)
        return code;
    http_settings_close(&f->opened);
    f->loop = loop;
    f->settings = settings;
    f->opened = opened;
    f->version = version;
    return 0;
}

static bool fetch_has_header(const char *const *headers, const char *name)
{
    for (size_t i = 0; headers && headers[i]; i++)
        if (strncasecmp(headers[i], name, strlen(name)) == 0)
            return true;
    return false;
}

/* NULL-terminated; the lines belong to the list. */
static char **fetch_headers(const struct http_fetch *f, const struct http_fetch_request *rq, const char *authorization)
{
    const struct header_lines *more = &f->settings->http_headers;
    size_t n = 0, len = more->len + 3;
    for (size_t i = 0; rq->headers && rq->headers[i]; i++)
        len++;
    char **lines = xcalloc(len, sizeof *lines);
    if (!fetch_has_header(rq->headers, "User-Agent:"))
        lines[n++] = xasprintf("User-Agent: smolder/%s", f->version);
    for (size_t i = 0; rq->headers && rq->headers[i]; i++)
        lines[n++] = xstrdup(rq->headers[i]);
    for (size_t i = 0; i < more->len; i++)
        lines[n++] = xstrdup(more->lines[i]);
    if (authorization && !fetch_has_header(rq->headers, "Authorization:"))
        lines[n++] = xasprintf("Authorization: %s", authorization);
    return lines;
}

static void fetch_headers_free(char **lines)
{
    for (char **l = lines; *l; l++)
        free(*l);
    free(lines);
}

int http_fetch_start(struct http_fetch *f, const struct http_fetch_request *rq, http_done *done, void *arg,
                     struct http_call **ret, struct err *err)
{
    cleanup_free char *authorization = NULL;
    int code = http_settings_authorization(f->settings, &authorization, err);
    if (code < 0)
        return code;
    if (!f->client)
        f->client = http_client_get(f->loop);
    char **headers = fetch_headers(f, rq, authorization);
    const struct http_request request = {
        .method = rq->method ? rq->method : "GET",
        .url = rq->url,
        .unix_socket = rq->unix_socket,
        .headers = (const char *const *)headers,
        .body = rq->body,
        .body_pieces = rq->body && rq->body->n > 0,
        .timeout_ms = rq->timeout_ms,
        .follow_redirects = f->settings->follow_redirects,
        .http2 = f->settings->enable_http2,
        .proxy = f->opened.proxy,
        .tls = f->opened.tls,
        .authorizer = oauth2_authorizer(f->opened.oauth2),
        .keep_header = rq->keep_header,
        .response_max = rq->response_max,
        .piece = rq->piece,
    };
    code = http_start(f->client, &request, done, arg, ret, err);
    fetch_headers_free(headers);
    return code;
}

void http_fetch_close(struct http_fetch *f)
{
    if (f->client)
        http_client_put(TAKE_PTR(f->client));
    http_settings_close(&f->opened);
}

char *http_fetch_problem(const struct http_response *r, size_t response_max)
{
    if (!r->status)
        return xstrdup(r->error);
    if (r->status != FETCH_OK)
        return xasprintf("HTTP status %d", r->status);
    return r->body.n >= response_max ? xasprintf("the answer is larger than %zu bytes", response_max - 1) : NULL;
}
