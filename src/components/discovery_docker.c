/* discovery.docker: the containers of a Docker Engine (or podman's service) as targets.
 *
 * All running containers and the networks are listed every refresh_interval and, unlike the reference, as soon as an
 * event says that a container started, ended, was renamed or changed its networks: the container of a JVM that was just
 * started is known before the JVM is profiled. A container without a network is a target without __address__, so that
 * discovery.process can join its labels; the reference has none for it.
 * Source: spec components §5.1; the component's page in Alloy's documentation; Docker Engine API, ContainerList,
 * NetworkList, SystemEvents.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "components/discovery_docker_targets.h"
#include "components/docker_api.h"
#include "components/env.h"
#include "components/http_fetch.h"
#include "components/refresh.h"
#include "graph/component.h"
#include "lang/json.h"

/* Several events of one change come together. */
enum { EVENTS_QUIET_MS = 300, LIST_TIMEOUT_MS = 30000 };
#define EVENTS_PATH                                                                                                    \
    "/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%2C%22event%22%3A%5B%22start%22%2C%22die"    \
    "%22%2C%22destroy%22%2C%22rename%22%2C%22connect%22%2C%22disconnect%22%5D%7D"

struct discovery_docker_args {
    char *host, *host_networking_host;
    int64_t port, refresh_interval;
    bool match_first_network;
    struct block_list filters;
    struct http_settings http;
};

static const struct option options[] = {
    {"host", OPT_STRING, offsetof(struct discovery_docker_args, host), .required = true,
     .help =
         "Address of the Docker daemon: `unix:///var/run/docker.sock`, `tcp://HOST:PORT`, `http://…`, `https://…`."},
    {"port", OPT_INT, offsetof(struct discovery_docker_args, port), .default_text = "80",
     .help = "Port in `__address__` of containers without a TCP port."},
    {"host_networking_host", OPT_STRING, offsetof(struct discovery_docker_args, host_networking_host),
     .default_text = "\"localhost\"", .help = "`__address__` of containers in the host's network."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_docker_args, refresh_interval),
     .default_text = "\"1m\"", .help = "Interval of listing all containers; a change is noticed at once regardless."},
    {"match_first_network", OPT_BOOL, offsetof(struct discovery_docker_args, match_first_network),
     .default_text = "true", .help = "Use only the first network of a container, in the order of their names."},
    {"filter", OPT_BLOCKS, offsetof(struct discovery_docker_args, filters), .block = &docker_filter_schema,
     .help = "Filter of the Docker API for containers, such as `label`."},
    HTTP_SETTINGS_OPTIONS(struct discovery_docker_args, http),
    {0},
};

static int discovery_docker_check(const void *record, struct err *err)
{
    const struct discovery_docker_args *a = record;
    struct docker_host host;
    int code = docker_host_parse(a->host, &host, err);
    if (code < 0)
        return code;
    docker_host_done(&host);
    code = refresh_check_interval(a->refresh_interval, err);
    return code < 0 ? code : http_settings_check(&a->http, err);
}
static const struct schema schema = {
    .size = sizeof(struct discovery_docker_args), .options = options, .validate = discovery_docker_check};

struct docker_discovery {
    const struct discovery_docker_args *args; /* one reference */
    struct docker_host host;
    struct refresh refresh;
    struct http_fetch fetch;
    struct http_call *call;   /* a list; NULL: none */
    struct http_call *events; /* the stream; NULL: none */
    struct value *containers; /* while the networks are asked for */
    uv_timer_t *quiet;        /* runs after an event; NULL: not started */
    bool saw_event;
};

static void discovery_docker_fail(struct docker_discovery *d, const char *why)
{
    cleanup_free char *text =
        xasprintf("%s: %s%s", d->host.socket ? d->host.socket : d->host.base, why, docker_remedy(&d->host, why));
    value_unref(TAKE_PTR(d->containers));
    refresh_failed(&d->refresh, text);
}

/* --- events --- */

static void discovery_docker_on_quiet(uv_timer_t *timer)
{
    struct docker_discovery *d = timer->data;
    d->saw_event = false;
    refresh_now(&d->refresh);
}

static void discovery_docker_on_event(void *arg, int status, struct str bytes)
{
    struct docker_discovery *d = arg;
    if (status != 200 || !bytes.n || d->saw_event || !d->quiet)
        return;
    d->saw_event = true;
    uv_timer_start(d->quiet, discovery_docker_on_quiet, EVENTS_QUIET_MS, 0);
}

/* It is opened again by the next list that succeeds: what happened meanwhile is in that. */
static void discovery_docker_on_events_end(void *arg, const struct http_response *r)
{
    (void)r;
    ((struct docker_discovery *)arg)->events = NULL;
}

static void discovery_docker_watch(struct docker_discovery *d)
{
    cleanup_free char *url = docker_url(&d->host, EVENTS_PATH, NULL);
    const struct http_fetch_request rq = {
        .url = url, .unix_socket = d->host.socket, .piece = discovery_docker_on_event};
    struct err err = {0};
    if (!d->events && http_fetch_start(&d->fetch, &rq, discovery_docker_on_events_end, d, &d->events, &err) < 0)
        d->events = NULL; /* the interval does */
}

/* --- lists --- */

/* The parsed answer, or NULL after refresh_failed(). */
static struct value *discovery_docker_answer(struct docker_discovery *d, const struct http_response *r)
{
    struct value *v = NULL;
    struct err err = {0};
    cleanup_free char *why = http_fetch_problem(r, DOCKER_ANSWER_MAX);
    d->call = NULL;
    if (!why && json_read(r->body, JSON_KEEP_INTEGERS | JSON_QUOTE_NOTHING, &v, &err) < 0)
        why = xstrdup(err.text);
    if (why)
        discovery_docker_fail(d, why);
    return v;
}

static void discovery_docker_on_networks(void *arg, const struct http_response *r)
{
    struct docker_discovery *d = arg;
    cleanup_value struct value *networks = discovery_docker_answer(d, r);
    if (!networks)
        return;
    struct targets targets = {0};
    docker_targets(d->containers, networks,
                   &(struct docker_target_options){.port = d->args->port,
                                                   .host_networking_host = d->args->host_networking_host,
                                                   .match_first_network = d->args->match_first_network},
                   &targets);
    value_unref(TAKE_PTR(d->containers));
    refresh_targets(&d->refresh, &targets);
    discovery_docker_watch(d);
}

static void discovery_docker_get(struct docker_discovery *d, const char *path, const struct block_list *filters,
                                 http_done *done)
{
    cleanup_free char *url = docker_url(&d->host, path, filters);
    const struct http_fetch_request rq = {
        .url = url, .unix_socket = d->host.socket, .timeout_ms = LIST_TIMEOUT_MS, .response_max = DOCKER_ANSWER_MAX};
    struct err err = {0};
    if (http_fetch_start(&d->fetch, &rq, done, d, &d->call, &err) < 0)
        discovery_docker_fail(d, err.text);
}

static void discovery_docker_on_containers(void *arg, const struct http_response *r)
{
    struct docker_discovery *d = arg;
    value_unref(d->containers);
    d->containers = discovery_docker_answer(d, r);
    if (d->containers)
        discovery_docker_get(d, "/networks", NULL, discovery_docker_on_networks);
}

static void discovery_docker_ask(void *arg)
{
    struct docker_discovery *d = arg;
    discovery_docker_get(d, "/containers/json", &d->args->filters, discovery_docker_on_containers);
}

/* --- life --- */

static void discovery_docker_cancel(struct docker_discovery *d)
{
    if (d->call)
        http_cancel(TAKE_PTR(d->call));
    if (d->events)
        http_cancel(TAKE_PTR(d->events));
    if (d->quiet)
        uv_timer_stop(d->quiet);
    d->saw_event = false;
    value_unref(TAKE_PTR(d->containers));
    refresh_cancelled(&d->refresh);
}

/* Keeps the arguments, on success only. */
static int discovery_docker_set_args(struct docker_discovery *d, const struct discovery_docker_args *a, struct err *err)
{
    const struct component_env *env = component_env(d->refresh.self);
    struct docker_host host = {0};
    int code = docker_host_parse(a->host, &host, err);
    if (code == 0)
        code = http_fetch_open(&d->fetch, env->loop, &a->http, env->version, err);
    if (code < 0) {
        docker_host_done(&host);
        return code;
    }
    docker_host_done(&d->host);
    d->host = host;
    args_unref(d->args);
    d->args = args_ref(a);
    refresh_set_interval(&d->refresh, a->refresh_interval);
    return 0;
}

static void discovery_docker_on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void discovery_docker_end(struct docker_discovery *d)
{
    discovery_docker_cancel(d);
    if (d->quiet)
        uv_close((uv_handle_t *)TAKE_PTR(d->quiet), discovery_docker_on_closed);
    refresh_stop(&d->refresh);
}

static void discovery_docker_free(void *state)
{
    struct docker_discovery *d = state;
    discovery_docker_end(d);
    refresh_done(&d->refresh);
    http_fetch_close(&d->fetch);
    docker_host_done(&d->host);
    args_unref(d->args);
    free(d);
}

static int discovery_docker_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    const struct component_env *env = component_env(self);
    struct docker_discovery *d = xcalloc(1, sizeof *d);
    d->fetch = HTTP_FETCH_INIT;
    refresh_init(&d->refresh, self, env->loop, "docker", discovery_docker_ask, d);
    const int code = discovery_docker_set_args(d, args, err);
    if (code < 0) {
        discovery_docker_free(d);
        return code;
    }
    *ret_state = d;
    return 0;
}

static int discovery_docker_update(void *state, const void *args, struct err *err)
{
    struct docker_discovery *d = state;
    discovery_docker_cancel(d);
    const int code = discovery_docker_set_args(d, args, err);
    refresh_now(&d->refresh);
    return code;
}

static void discovery_docker_start(void *state)
{
    struct docker_discovery *d = state;
    d->quiet = xcalloc(1, sizeof *d->quiet);
    uv_timer_init(d->refresh.loop, d->quiet);
    d->quiet->data = d;
    refresh_start(&d->refresh);
}

static void discovery_docker_stop(void *state)
{
    struct docker_discovery *d = state;
    discovery_docker_end(d);
    component_stopped(d->refresh.self);
}

const struct component_def discovery_docker = {
    .name = "discovery.docker",
    .help = "Discovers the containers of a Docker Engine.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_docker_build,
    .update = discovery_docker_update,
    .start = discovery_docker_start,
    .stop = discovery_docker_stop,
    .free = discovery_docker_free,
};
