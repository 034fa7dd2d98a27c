/* The content of a URL, polled: the arguments and requests of import.http and remote.http.
 *
 * The component has the arguments as a member of its own, and embeds a struct http_content. Loop thread only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "components/content_poll.h"
#include "components/env.h"
#include "components/http_fetch.h"
#include "lang/schema.h"

struct http_content_client {
    struct http_settings http;
};
struct http_content_args {
    char *url, *method, *body;
    struct string_map headers;
    int64_t poll_frequency, poll_timeout;
    struct http_content_client client;
};
extern const struct schema http_content_client_schema;

#define HTTP_CONTENT_AT_(record, member, field) (offsetof(record, member) + offsetof(struct http_content_args, field))
/* Options for a struct http_content_args `member` of `record`, all but the block client. */
#define HTTP_CONTENT_OPTIONS(record, member, url_help)                                                                 \
    {"url", OPT_STRING, HTTP_CONTENT_AT_(record, member, url), .required = true, .help = (url_help)},                  \
        {"method", OPT_STRING, HTTP_CONTENT_AT_(record, member, method), .default_text = "\"GET\"",                    \
         .help = "HTTP method."},                                                                                      \
        {"headers", OPT_STRING_MAP, HTTP_CONTENT_AT_(record, member, headers), .help = "Request headers."},            \
        {"body", OPT_STRING, HTTP_CONTENT_AT_(record, member, body), .help = "Request body."},                         \
        {"poll_frequency", OPT_DURATION, HTTP_CONTENT_AT_(record, member, poll_frequency), .default_text = "\"1m\"",   \
         .help = "Polling interval."},                                                                                 \
    {                                                                                                                  \
        "poll_timeout", OPT_DURATION, HTTP_CONTENT_AT_(record, member, poll_timeout), .default_text = "\"10s\"",       \
                                                                                      .help = "Timeout of a request."  \
    }
#define HTTP_CONTENT_CLIENT(record, member)                                                                            \
    {                                                                                                                  \
        "client", OPT_BLOCK, HTTP_CONTENT_AT_(record, member, client), .block = &http_content_client_schema,           \
                                                                       .help = "HTTP client settings."                 \
    }
/* The rules between the options, in the words of the spec. */
must_check int http_content_check(const struct http_content_args *a, struct err *err);

struct http_content {
    struct content_poll poll; /* first */
    const struct component_env *env;
    const void *record;                   /* one reference to the arguments of the component … */
    const struct http_content_args *args; /* … which these are a part of; NULL: none yet */
    struct http_fetch fetch;
    struct str body; /* of the call */
    char **headers;  /* "Name: value", NULL-terminated; owned */
    size_t response_max;
    http_done *answered; /* calls content_poll_succeeded() or content_poll_failed() */
};

/* `failed` as in struct content_poll; it and `answered` get `arg`. */
void http_content_init(struct http_content *c, const struct component_env *env, size_t response_max,
                       http_done *answered, void (*failed)(void *arg, const char *why, bool is_new), void *arg);
/* Keeps `record`, which `args` are a part of, on success only. Nothing may be under way. */
must_check int http_content_set_args(struct http_content *c, const void *record, const struct http_content_args *args,
                                     struct err *err);
/* Ends the poll. */
void http_content_done(struct http_content *c);
