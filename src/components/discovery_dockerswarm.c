/* discovery.dockerswarm: the nodes, services or tasks of a Docker Swarm, asked of one of its managers.
 *
 * Source: spec components §5.4; the component's page in Alloy's documentation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "components/discovery_dockerswarm_targets.h"
#include "components/docker_api.h"
#include "components/http_refresh.h"
#include "graph/component.h"

enum { SWARM_TIMEOUT_MS = 30000, SWARM_LISTS = 4 };

struct discovery_dockerswarm_args {
    char *host;
    enum swarm_role role;
    int64_t port, refresh_interval;
    struct block_list filters;
    struct http_settings http;
};

static const struct option_words role_words = {
    .unknown = "invalid role",
    .words = (const struct option_word[]){
        {"tasks", SWARM_TASKS}, {"services", SWARM_SERVICES}, {"nodes", SWARM_NODES}, {0}}};

static const struct option options[] = {
    {"host", OPT_STRING, offsetof(struct discovery_dockerswarm_args, host), .required = true,
     .help = "Address of the Docker daemon of a manager: `unix:///var/run/docker.sock`, `tcp://HOST:PORT`, `http://…`, "
             "`https://…`."},
    {"role", OPT_ENUM, offsetof(struct discovery_dockerswarm_args, role), .words = &role_words, .required = true,
     .help = "What to discover."},
    {"port", OPT_INT, offsetof(struct discovery_dockerswarm_args, port), .default_text = "80",
     .help = "Port in `__address__` of nodes, and of services and tasks without a published port."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_dockerswarm_args, refresh_interval),
     .default_text = "\"60s\"", .help = "Interval of requests."},
    {"filter", OPT_BLOCKS, offsetof(struct discovery_dockerswarm_args, filters), .block = &docker_filter_schema,
     .help = "Filter of the Docker API for the role's list."},
    HTTP_SETTINGS_OPTIONS(struct discovery_dockerswarm_args, http),
    {0},
};

static int discovery_dockerswarm_check(const void *record, struct err *err)
{
    const struct discovery_dockerswarm_args *a = record;
    struct docker_host host;
    int code = docker_host_parse(a->host, &host, err);
    if (code < 0)
        return code;
    docker_host_done(&host);
    code = refresh_check_interval(a->refresh_interval, err);
    return code < 0 ? code : http_settings_check(&a->http, err);
}
static const struct schema schema = {
    .size = sizeof(struct discovery_dockerswarm_args), .options = options, .validate = discovery_dockerswarm_check};

/* What a role asks for, in this order. */
static const char *const swarm_paths[SWARM_LISTS] = {"/networks", "/nodes", "/services", "/tasks"};
static const bool swarm_needs[][SWARM_LISTS] = {
    [SWARM_SERVICES] = {true, false, true, false},
    [SWARM_TASKS] = {true, true, true, true},
    [SWARM_NODES] = {false, true, false, false},
};
static const size_t swarm_own[] = {[SWARM_SERVICES] = 2, [SWARM_TASKS] = 3, [SWARM_NODES] = 1};

struct swarm_discovery {
    struct http_refresh http;
    struct docker_host host;
    size_t asked; /* the list that is asked for */
    struct value *lists[SWARM_LISTS];
};

static const struct discovery_dockerswarm_args *swarm_args(const struct swarm_discovery *d)
{
    return d->http.args;
}

static void swarm_forget(void *state)
{
    struct swarm_discovery *d = state;
    for (size_t i = 0; i < SWARM_LISTS; i++)
        value_unref(TAKE_PTR(d->lists[i]));
}

static void swarm_fail(struct swarm_discovery *d, const char *why)
{
    cleanup_free char *text = docker_problem(&d->host, why);
    swarm_forget(d);
    refresh_failed(&d->http.refresh, text);
}

static void swarm_finish(struct swarm_discovery *d)
{
    struct targets targets = {0};
    const struct swarm_answers answers = {
        .networks = d->lists[0], .nodes = d->lists[1], .services = d->lists[2], .tasks = d->lists[3]};
    swarm_targets(swarm_args(d)->role, &answers, swarm_args(d)->port, &targets);
    swarm_forget(d);
    refresh_targets(&d->http.refresh, &targets);
}

static void swarm_ask_next(struct swarm_discovery *d);

static void swarm_on_answer(void *arg, const struct http_response *r)
{
    struct swarm_discovery *d = arg;
    cleanup_free char *why = http_refresh_json(&d->http, r, DOCKER_ANSWER_MAX, &d->lists[d->asked]);
    if (r->status == 503)
        why = (free(why), xstrdup("the daemon is not a manager of a swarm"));
    if (why) {
        swarm_fail(d, why);
        return;
    }
    d->asked++;
    swarm_ask_next(d);
}

static void swarm_ask_next(struct swarm_discovery *d)
{
    const enum swarm_role role = swarm_args(d)->role;
    while (d->asked < SWARM_LISTS && !swarm_needs[role][d->asked])
        d->asked++;
    if (d->asked == SWARM_LISTS) {
        swarm_finish(d);
        return;
    }
    const struct block_list *filters = d->asked == swarm_own[role] ? &swarm_args(d)->filters : NULL;
    cleanup_free char *url = docker_url(&d->host, swarm_paths[d->asked], filters);
    const struct http_fetch_request rq = {
        .url = url, .unix_socket = d->host.socket, .timeout_ms = SWARM_TIMEOUT_MS, .response_max = DOCKER_ANSWER_MAX};
    struct err err = {0};
    if (http_fetch_start(&d->http.fetch, &rq, swarm_on_answer, d, &d->http.call, &err) < 0)
        swarm_fail(d, err.text);
}

static void discovery_dockerswarm_ask(void *arg)
{
    struct swarm_discovery *d = arg;
    swarm_forget(d);
    d->asked = 0;
    swarm_ask_next(d);
}

/* --- life --- */

static int discovery_dockerswarm_set_args(void *state, const void *args, struct err *err)
{
    struct swarm_discovery *d = state;
    const struct discovery_dockerswarm_args *a = args;
    return docker_host_take(&d->host, a->host, &d->http, a, &a->http, a->refresh_interval, err);
}

static void swarm_done(void *state)
{
    docker_host_done(&((struct swarm_discovery *)state)->host);
}

static const struct http_refresh_kind dockerswarm_kind = {
    .mechanism = "dockerswarm",
    .state_size = sizeof(struct swarm_discovery),
    .ask = discovery_dockerswarm_ask,
    .set_args = discovery_dockerswarm_set_args,
    .forget = swarm_forget,
    .done = swarm_done,
};

static int discovery_dockerswarm_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    return http_refresh_build(self, &dockerswarm_kind, args, ret_state, err);
}

const struct component_def discovery_dockerswarm = {
    .name = "discovery.dockerswarm",
    .help = "Discovers the nodes, services or tasks of a Docker Swarm.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_dockerswarm_build,
    .update = http_refresh_update,
    .start = http_refresh_start,
    .stop = http_refresh_stop,
    .free = http_refresh_free,
};
