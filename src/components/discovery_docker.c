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
#include "components/http_refresh.h"
#include "graph/component.h"

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
    struct http_refresh http;
    struct docker_host host;
    struct http_call *events; /* the stream; NULL: none */
    struct value *containers; /* while the networks are asked for */
    uv_timer_t *quiet;        /* runs after an event; NULL: not started */
    bool saw_event;
};

static const struct discovery_docker_args *docker_args(const struct docker_discovery *d)
{
    return d->http.args;
}

static void discovery_docker_fail(struct docker_discovery *d, const char *why)
{
    cleanup_free char *text = docker_problem(&d->host, why);
    value_unref(TAKE_PTR(d->containers));
    refresh_failed(&d->http.refresh, text);
}

/* --- events --- */

static void discovery_docker_on_quiet(uv_timer_t *timer)
{
    struct docker_discovery *d = timer->data;
    d->saw_event = false;
    refresh_now(&d->http.refresh);
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
    if (!d->events && http_fetch_start(&d->http.fetch, &rq, discovery_docker_on_events_end, d, &d->events, &err) < 0)
        d->events = NULL; /* the interval does */
}

/* --- lists --- */

/* The parsed answer, or NULL after refresh_failed(). */
static struct value *discovery_docker_answer(struct docker_discovery *d, const struct http_response *r)
{
    struct value *v = NULL;
    cleanup_free char *why = http_refresh_json(&d->http, r, DOCKER_ANSWER_MAX, &v);
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
                   &(struct docker_target_options){.port = docker_args(d)->port,
                                                   .host_networking_host = docker_args(d)->host_networking_host,
                                                   .match_first_network = docker_args(d)->match_first_network},
                   &targets);
    value_unref(TAKE_PTR(d->containers));
    refresh_targets(&d->http.refresh, &targets);
    discovery_docker_watch(d);
}

static void discovery_docker_get(struct docker_discovery *d, const char *path, const struct block_list *filters,
                                 http_done *done)
{
    cleanup_free char *url = docker_url(&d->host, path, filters);
    const struct http_fetch_request rq = {
        .url = url, .unix_socket = d->host.socket, .timeout_ms = LIST_TIMEOUT_MS, .response_max = DOCKER_ANSWER_MAX};
    struct err err = {0};
    if (http_fetch_start(&d->http.fetch, &rq, done, d, &d->http.call, &err) < 0)
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
    discovery_docker_get(d, "/containers/json", &docker_args(d)->filters, discovery_docker_on_containers);
}

/* --- life --- */

static int discovery_docker_set_args(void *state, const void *args, struct err *err)
{
    struct docker_discovery *d = state;
    const struct discovery_docker_args *a = args;
    return docker_host_take(&d->host, a->host, &d->http, a, &a->http, a->refresh_interval, err);
}

static void docker_forget(void *state)
{
    struct docker_discovery *d = state;
    if (d->events)
        http_cancel(TAKE_PTR(d->events));
    if (d->quiet)
        uv_timer_stop(d->quiet);
    d->saw_event = false;
    value_unref(TAKE_PTR(d->containers));
}

static void docker_on_quiet_closed(uv_handle_t *handle)
{
    free(handle);
}

static void docker_end_quiet(struct docker_discovery *d)
{
    if (d->quiet)
        uv_close((uv_handle_t *)TAKE_PTR(d->quiet), docker_on_quiet_closed);
}

static void docker_done(void *state)
{
    struct docker_discovery *d = state;
    docker_end_quiet(d);
    docker_host_done(&d->host);
}

static const struct http_refresh_kind docker_kind = {
    .mechanism = "docker",
    .state_size = sizeof(struct docker_discovery),
    .ask = discovery_docker_ask,
    .set_args = discovery_docker_set_args,
    .forget = docker_forget,
    .done = docker_done,
};

static int discovery_docker_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    return http_refresh_build(self, &docker_kind, args, ret_state, err);
}

static void discovery_docker_start(void *state)
{
    struct docker_discovery *d = state;
    d->quiet = xcalloc(1, sizeof *d->quiet);
    uv_timer_init(d->http.refresh.loop, d->quiet);
    d->quiet->data = d;
    http_refresh_start(d);
}

static void discovery_docker_stop(void *state)
{
    docker_end_quiet(state);
    http_refresh_stop(state);
}

const struct component_def discovery_docker = {
    .name = "discovery.docker",
    .help = "Discovers the containers of a Docker Engine.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_docker_build,
    .update = http_refresh_update,
    .start = discovery_docker_start,
    .stop = discovery_docker_stop,
    .free = http_refresh_free,
};
