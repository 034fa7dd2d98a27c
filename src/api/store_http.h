/* The store's server: Pyroscope's API for agents (api/pyroscope) and the page for people (api/page) at one address.
 *
 * A configuration's `http` block guards all of it, with the paths of its filter.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "graph/controller.h"
#include "graph/settings.h"
#include "store/store.h"

struct store_http;

struct store_http_options {
    uv_loop_t *loop;
    const char *listen;
    const char *allowed_hosts;     /* names of this machine, separated by commas (net/server_host.h); borrowed */
    struct store *store;           /* outlives the server */
    struct controller *controller; /* for the list of JVMs; NULL where no agent runs in this process */
    void (*problem)(void *arg, const char *what); /* something to tell the operator; may be NULL */
    void *problem_arg;
};

must_check int store_http_open(const struct store_http_options *options, struct store_http **ret, struct err *err);
/* As bound: "127.0.0.1:4040". */
const char *store_http_address(const struct store_http *h);
/* The `http` block of the configuration, as for the agent's API: what can fail, then the rest. */
must_check int store_http_prepare(struct store_http *h, const struct settings *s, struct err *err);
void store_http_apply(struct store_http *h, const struct settings *s);
/* Whether the network can ask without a password with these settings, which are in force. */
bool store_http_is_open(const struct store_http *h, const struct settings *s);
/* Frees, then calls `closed` (may be NULL) once no job refers to the store any more. Before store_close() and controller_free(). NULL is
 * fine. */
void store_http_close(struct store_http *h, void (*closed)(void *arg), void *arg);
