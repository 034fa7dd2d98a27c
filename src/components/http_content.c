#include "components/http_content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "graph/args.h"
#include "net/url.h"

/* --- arguments --- */

static int http_content_check_client(const void *record, struct err *err)
{
    return http_settings_check(&((const struct http_content_client *)record)->http, err);
}

static const struct option client_options[] = {HTTP_SETTINGS_OPTIONS(struct http_content_client, http), {0}};
const struct schema http_content_client_schema = {
    .size = sizeof(struct http_content_client), .options = client_options, .validate = http_content_check_client};

int http_content_check(const struct http_content_args *a, struct err *err)
{
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->url, &url, err);
    if (code < 0)
        return err_wrap(err, code, "url");
    if (a->poll_frequency < NS_PER_MS)
        return err_set(err, -EINVAL, "poll_frequency must be greater than 0");
    if (a->poll_timeout < NS_PER_MS)
        return err_set(err, -EINVAL, "poll_timeout must be greater than 0");
    if (a->poll_timeout >= a->poll_frequency)
        return err_set(err, -EINVAL, "poll_timeout must be less than poll_frequency");
    if (!*a->method || a->method[strspn(a->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
        return err_set(err, -EINVAL, "method must be in upper case, such as GET");
    for (size_t i = 0; i < a->headers.len; i++) {
        cleanup_free char *line = NULL;
        code = header_line(str_of(a->headers.items[i].name), str_of(a->headers.items[i].value), &line, err);
        if (code < 0)
            return err_wrap(err, code, "headers");
    }
    return 0;
}

/* --- requests --- */

static int http_content_ask(struct content_poll *p, struct err *err)
{
    struct http_content *c = (struct http_content *)p;
    const struct http_fetch_request rq = {.url = c->args->url,
                                          .method = c->args->method,
                                          .headers = (const char *const *)c->headers,
                                          .body = &c->body,
                                          .timeout_ms = c->args->poll_timeout / NS_PER_MS,
                                          .response_max = c->response_max};
    c->body = str_of(c->args->body);
    return http_fetch_start(&c->fetch, &rq, c->answered, p->arg, &p->call, err);
}

void http_content_init(struct http_content *c, const struct component_env *env, size_t response_max,
                       http_done *answered, void (*failed)(void *arg, const char *why, bool is_new), void *arg)
{
    *c = (struct http_content){.poll = {.loop = env->loop, .ask = http_content_ask, .failed = failed, .arg = arg},
                               .env = env,
                               .fetch = HTTP_FETCH_INIT,
                               .response_max = response_max,
                               .answered = answered};
}

static void http_content_free_headers(struct http_content *c)
{
    for (char **line = c->headers; line && *line; line++)
        free(*line);
    free(TAKE_PTR(c->headers));
}

int http_content_set_args(struct http_content *c, const void *record, const struct http_content_args *args,
                          struct err *err)
{
    const int code = http_fetch_open(&c->fetch, c->env->loop, &args->client.http, c->env->version, err);
    if (code < 0)
        return code;
    args_unref(c->record);
    c->record = args_ref(record);
    c->args = args;
    c->poll.frequency_ms = args->poll_frequency / NS_PER_MS;
    http_content_free_headers(c);
    c->headers = xcalloc(args->headers.len + 1, sizeof *c->headers);
    for (size_t i = 0; i < args->headers.len; i++)
        c->headers[i] = xasprintf("%s: %s", args->headers.items[i].name, args->headers.items[i].value);
    return 0;
}

void http_content_done(struct http_content *c)
{
    content_poll_end(&c->poll);
    http_fetch_close(&c->fetch);
    http_content_free_headers(c);
    args_unref(c->record);
}
