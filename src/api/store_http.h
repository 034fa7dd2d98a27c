/* HTTP server of the store: Pyroscope's API (api/pyroscope) and the web page with its API (api/page) on one address.
 *
 * The `http` block of the configuration applies to every route.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "graph/controller.h"
#include "settings/settings.h"
#include "store/store.h"

struct store_http;

struct store_http_options {
    uv_loop_t *loop;
    const char *listen;
    bool token;                    /* access by a token (api/shared/token_gate.h), set by store_http_set_token() */
    const char *allowed_hosts;     /* names of this host, comma-separated (net/server_host.h); borrowed */
    struct store *store;           /* outlives the server */
    struct parser_pool *parsers;   /* likewise; NULL: see parser/parser_batch.h */
    struct controller *controller; /* for the list of JVMs; NULL without an agent */
    void (*problem)(void *arg, const char *what); /* a message for the operator; may be NULL */
    void *problem_arg;
};

must_check int store_http_open(const struct store_http_options *options, struct store_http **ret, struct err *err);
/* As bound: "127.0.0.1:4040". */
const char *store_http_address(const struct store_http *h);
/* Copies. Before it, nobody is admitted. */
void store_http_set_token(struct store_http *h, const char *token);
/* Where the agent of this process has its API, for the page. Copies. */
void store_http_set_agent(struct store_http *h, const char *address, const char *path);
/* Stages the `http` block, which can fail, and puts it in force; as for the agent's API. */
must_check int store_http_prepare(struct store_http *h, const struct settings *s, struct err *err);
void store_http_apply(struct store_http *h, const struct settings *s);
/* Whether clients on the network need no authentication under these settings, which are in force. */
bool store_http_is_open(const struct store_http *h, const struct settings *s);
/* Frees, then calls `closed` (may be NULL) once no job refers to the store. Before store_close() and controller_free().
 * NULL is allowed. */
void store_http_close(struct store_http *h, void (*closed)(void *arg), void *arg);
