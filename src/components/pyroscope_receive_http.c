/* pyroscope.receive_http: takes profiles that other programs push over HTTP, and passes them on.
 *
 *     POST /push.v1.PusherService/Push   Connect unary, protobuf or JSON, gzip (pyroscope/push_server.h)
 *     POST /ingest                       any format of Pyroscope's older API, passed on as it is
 *
 * The server listens from start on. An address that is taken makes the component unhealthy and is opened again after
 * RETRY_MIN_MS to RETRY_MAX_MS. A change of the `tls` block applies to new connections, other changes of the `http`
 * block open the server anew. On stop new requests are refused with 503 until those in progress are answered, so that
 * no client pushes twice what was taken.
 *
 * A push is answered when its profiles were passed on: receivers queue and retry by themselves. Unlike Alloy, which
 * answers when the last receiver has delivered; its clients wait for every retry behind it.
 * Source: spec components §6.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/env.h"
#include "components/fanout.h"
#include "components/pyroscope_receive_http_args.h"
#include "graph/component.h"
#include "net/server.h"
#include "net/url.h"
#include "pyroscope/ingest_name.h"
#include "pyroscope/push_message.h"
#include "pyroscope/push_server.h"

enum { RETRY_MIN_MS = 1000, RETRY_MAX_MS = 30000, TICK_MS = 5000, DRAIN_TICK_MS = 20, DRAIN_MAX_MS = 3000 };
enum { STATUS_UNAVAILABLE = 503, QUERY_MAX = 64 << 10 };

static struct metric_family connections = {.name = "pyroscope_receive_http_tcp_connections",
                                           .help = "Open connections of the component's server.",
                                           .kind = METRIC_GAUGE,
                                           .labels = {"component_id", "component_path"}};
static struct metric_family connections_limit = {.name = "pyroscope_receive_http_tcp_connections_limit",
                                                 .help = "Maximum number of connections of the component's server.",
                                                 .kind = METRIC_GAUGE,
                                                 .labels = {"component_id", "component_path"}};

struct receive_server; /* the listening side, which outlives a change of the address until it is closed */

struct receiver_http {
    struct component *self;
    struct component_env *env;
    const struct receive_args *args; /* one reference */
    struct fanout fanout;
    struct receive_server *server; /* NULL: not open */
    uv_timer_t *timer;             /* NULL: not started; opens again, shows connections, waits for the end */
    uint64_t retry_ms;
    int64_t stop_by_ms;
    bool stopping, stopped, failing;
    bool quiet_tick; /* while stopping: nothing was in progress at the last tick */
    uint64_t pushes, ingests, profiles;
};

struct receive_server {
    struct receiver_http *owner; /* NULL: gone */
    struct server *http;
    struct push_server *pushes;
};

/* --- labels --- */

/* As Alloy has it: a profile has a service, by its name if by nothing else. New reference. */
static struct labels *receive_with_service(struct labels_builder *b)
{
    const struct str name = labels_builder_get(b, STR("__name__"));
    const bool has_service = labels_builder_get(b, STR("service_name")).n > 0;
    cleanup_free char *copy = str_dup(name);
    if (name.n)
        labels_set(b, has_service ? STR("app_name") : STR("service_name"), str_of(copy));
    return labels_build(b, true);
}

static struct labels *receive_labels(const struct series *series)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (size_t i = 0; i < series->label_count; i++)
        labels_set(&b, series->labels[i].name, series->labels[i].value);
    return receive_with_service(&b);
}

/* --- requests --- */

static void receive_series(struct receiver_http *r, const struct series *series)
{
    struct labels *labels = receive_labels(series);
    for (size_t i = 0; i < series->profile_count; i++) {
        const struct str bytes = series->profiles[i];
        uint8_t *copy = xmalloc(bytes.n + 1);
        if (bytes.n)
            memcpy(copy, bytes.p, bytes.n);
        struct encoded_profile *p = encoded_profile_new(copy, bytes.n, 1, 0, 0);
        fanout_send(&r->fanout, &r->args->forward_to, labels, p);
        encoded_profile_unref(p);
        r->profiles++;
    }
    component_sent(r->self, series->profile_count);
    labels_unref(labels);
}

static void receive_push(void *ctx, struct push_request *push, const struct push_delivery *d)
{
    const struct receive_server *s = ctx;
    if (!s->owner) {
        push_server_postpone(push, "shutting down");
        return;
    }
    s->owner->pushes++;
    for (size_t i = 0; i < d->count; i++)
        receive_series(s->owner, &d->series[i]);
    push_server_accept(push);
}

static void receive_handle_push(void *ctx, struct request *rq)
{
    const struct receive_server *s = ctx;
    push_server_handle(s->pushes, rq);
}

/* All parameters but the name, which is made of labels again. */
static void receive_keep_parameter(void *arg, const char *name, const char *value)
{
    struct buf *out = arg;
    if (strcmp(name, "name") == 0)
        return;
    if (out->len)
        buf_byte(out, '&');
    http_url_encode(out, str_of(name));
    buf_byte(out, '=');
    http_url_encode(out, str_of(value));
}

/* The labels of a request to /ingest, new reference; NULL: it was answered. */
static struct labels *receive_ingest_labels(struct request *rq)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    struct labels *named;
    struct err err = {0};
    const char *name = request_query(rq, "name"), *coding = request_header(rq, "Content-Encoding");
    if (coding && *coding && strcmp(coding, "identity") != 0) {
        request_reply_text(rq, 415, "Content-Encoding is not supported; send compressed profiles as they are\n");
        return NULL;
    }
    if (request_body(rq).n > INGEST_BODY_MAX) {
        request_reply_text(rq, 413, "body larger than %d MiB\n", INGEST_BODY_MAX >> 20);
        return NULL;
    }
    if (ingest_name_parse(str_of(name ? name : ""), &named, &err) < 0) {
        request_reply_text(rq, 400, "name: %s\n", err.text);
        return NULL;
    }
    labels_builder_from(&b, named);
    labels_unref(named);
    return receive_with_service(&b);
}

static void receive_handle_ingest(void *ctx, struct request *rq)
{
    const struct receive_server *s = ctx;
    struct labels *labels = s->owner ? receive_ingest_labels(rq) : NULL;
    if (!s->owner)
        request_reply_text(rq, STATUS_UNAVAILABLE, "shutting down\n");
    if (!labels)
        return;
    struct buf query = BUF_INIT(QUERY_MAX);
    request_each_parameter(rq, receive_keep_parameter, &query);
    size_t len, query_len;
    const char *type = request_header(rq, "Content-Type");
    char *kind = xstrdup(type ? type : "");
    (void)buf_cstr(&query);
    char *rest = (char *)buf_take(&query, &query_len);
    struct ingest_body *body = ingest_body_new(request_take_body(rq, &len), 0, kind, rest ? rest : xstrdup(""));
    body->len = len;
    s->owner->ingests++;
    if (len)
        fanout_ingest(&s->owner->args->forward_to, labels, body);
    component_sent(s->owner->self, 1);
    ingest_body_unref(body);
    labels_unref(labels);
    request_reply_static(rq, 200, NULL, STR(""));
}

static unsigned receive_guard(void *ctx, struct request *rq)
{
    const struct receive_server *s = ctx;
    (void)rq;
    return !s->owner || s->owner->stopping ? STATUS_UNAVAILABLE : 0;
}

static void receive_problem(void *ctx, const char *what)
{
    const struct receive_server *s = ctx;
    if (s->owner)
        log_error("cannot use the certificate; the previous one stays in use",
                  L_COMPONENT(component_id(s->owner->self)), L_STR("err", what));
}

static void receive_set_aside(void *ctx, const char *what)
{
    const struct receive_server *s = ctx;
    if (s->owner)
        log_error("pushes were set aside", L_COMPONENT(component_id(s->owner->self)), L_STR("err", what));
}

static const struct server_route routes[] = {
    {"POST", PUSH_PATH, receive_handle_push, .origin = FROM_HERE},
    {"POST", "/ingest", receive_handle_ingest, .origin = FROM_HERE},
    {"POST", "/pyroscope/ingest", receive_handle_ingest, .origin = FROM_HERE},
    {0},
};

/* --- the server --- */

static size_t receive_connections(const struct receive_server_args *a)
{
    return a->conn_limit && a->conn_limit < SERVER_CONNECTIONS_MOST ? (size_t)a->conn_limit : SERVER_CONNECTIONS_MOST;
}

static int receive_server_new(struct receiver_http *r, struct receive_server **ret, struct err *err)
{
    const struct receive_server_args *a = &r->args->http;
    cleanup_free char *listen = receive_listen_address(a);
    cleanup_receive_tls struct receive_tls room;
    const struct server_tls_options *tls = receive_tls_of(a, &room);
    struct receive_server *s = xcalloc(1, sizeof *s);
    s->owner = r;
    const struct server_options o = {
        .loop = r->env->loop,
        .listen = listen,
        .routes = routes,
        .ctx = s,
        .guard = receive_guard,
        .problem = receive_problem,
        .request_ms = (unsigned)(a->server_read_timeout / NS_PER_MS),
        .reply_ms = (unsigned)(a->server_write_timeout / NS_PER_MS),
        .idle_ms = (unsigned)(a->server_idle_timeout / NS_PER_MS),
        .connections = receive_connections(a),
    };
    int code = server_open(&o, &s->http, err);
    if (code < 0) {
        free(s);
        return code;
    }
    s->pushes = push_server_new(&(struct push_server_options){.loop = r->env->loop,
                                                              .parsers = r->env->parsers,
                                                              .receive = receive_push,
                                                              .ctx = s,
                                                              .problem = receive_set_aside,
                                                              .problem_arg = s});
    code = server_prepare(s->http, tls, err);
    if (code == 0)
        server_commit(s->http);
    *ret = s;
    return code;
}

static void receive_on_pushes_closed(void *arg)
{
    free(arg);
}

static void receive_on_server_closed(void *arg)
{
    struct receive_server *s = arg;
    push_server_close(s->pushes, receive_on_pushes_closed, s);
}

static void receive_server_close(struct receive_server *s)
{
    if (!s)
        return;
    s->owner = NULL;
    server_close(s->http, receive_on_server_closed, s);
}

static void receive_on_tick(uv_timer_t *t);

static void receive_show_connections(const struct receiver_http *r)
{
    metric_set(&connections, r->server ? (double)server_connections(r->server->http) : 0, r->fanout.component_id,
               r->fanout.component_path);
    metric_set(&connections_limit, (double)receive_connections(&r->args->http), r->fanout.component_id,
               r->fanout.component_path);
}

static void receive_fail(struct receiver_http *r, const char *why)
{
    if (!r->failing)
        log_error("cannot receive profiles", L_COMPONENT(component_id(r->self)), L_STR("err", why));
    r->failing = true;
    component_health(r->self, false, "%s", why);
    uv_timer_start(r->timer, receive_on_tick, r->retry_ms, 0);
    r->retry_ms = r->retry_ms * 2 < RETRY_MAX_MS ? r->retry_ms * 2 : RETRY_MAX_MS;
}

static bool receive_leaves_open(const struct receiver_http *r)
{
    const struct receive_server_args *a = &r->args->http;
    return !server_is_local(r->server->http) && !(a->has_tls && a->tls.client_auth == RECEIVE_AUTH_REQUIRE_AND_VERIFY);
}

static void receive_open(struct receiver_http *r)
{
    struct err err = {0};
    struct receive_server *s = NULL;
    const int code = receive_server_new(r, &s, &err);
    if (code < 0) {
        receive_server_close(s);
        receive_fail(r, err.text);
        return;
    }
    r->server = s;
    r->failing = false;
    r->retry_ms = RETRY_MIN_MS;
    log_info("receiving profiles", L_COMPONENT(component_id(r->self)), L_STR("listen", server_address(s->http)));
    if (receive_leaves_open(r))
        log_warn("every host of the network can push profiles; set listen_address or tls with client_auth_type",
                 L_COMPONENT(component_id(r->self)), L_STR("listen", server_address(s->http)));
    component_health(r->self, true, "listening on %s", server_address(s->http));
    receive_show_connections(r);
    uv_timer_start(r->timer, receive_on_tick, TICK_MS, TICK_MS);
}

/* --- stop --- */

static void receive_tell_stopped(struct receiver_http *r)
{
    if (r->stopped)
        return;
    r->stopped = true;
    uv_timer_stop(r->timer);
    receive_server_close(TAKE_PTR(r->server));
    component_stopped(r->self);
}

/* Quiet twice: the last answer had a turn of the loop to get out. */
static void receive_drain(struct receiver_http *r)
{
    const bool quiet = !r->server || push_server_is_idle(r->server->pushes);
    if ((quiet && r->quiet_tick) || clock_ms() >= r->stop_by_ms)
        receive_tell_stopped(r);
    r->quiet_tick = quiet;
}

static void receive_on_tick(uv_timer_t *t)
{
    struct receiver_http *r = t->data;
    if (r->stopping)
        receive_drain(r);
    else if (!r->server)
        receive_open(r);
    else
        receive_show_connections(r);
}

static void receive_stop(void *state)
{
    struct receiver_http *r = state;
    r->stopping = true;
    if (!r->timer) {
        r->stopped = true;
        component_stopped(r->self);
        return;
    }
    const int64_t most = r->args->graceful_shutdown_timeout / NS_PER_MS;
    r->stop_by_ms = clock_ms() + (most < DRAIN_MAX_MS ? most : DRAIN_MAX_MS);
    if (!r->server)
        receive_tell_stopped(r);
    else
        uv_timer_start(r->timer, receive_on_tick, 0, DRAIN_TICK_MS);
}

/* --- life --- */

/* Certificates are read and checked before anything depends on them. */
static int receive_check_tls(const struct receive_args *a, struct err *err)
{
    cleanup_receive_tls struct receive_tls room;
    const struct server_tls_options *options = receive_tls_of(&a->http, &room);
    struct server_tls *tls = NULL;
    const int code = options ? server_tls_new(options, &tls, err) : 0;
    server_tls_free(tls);
    return code < 0 ? err_wrap(err, code, "http tls") : 0;
}

static void receive_warn_unused(const struct receiver_http *r)
{
    if (r->args->http.http2.enabled)
        log_warn("http2 has no effect; connections use HTTP/1.1", L_COMPONENT(component_id(r->self)));
    if (r->args->has_grpc)
        log_warn("grpc has no effect; no profiles are received over gRPC", L_COMPONENT(component_id(r->self)));
}

static int receive_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    const int code = receive_check_tls(args, err);
    if (code < 0)
        return code;
    struct receiver_http *r = xcalloc(1, sizeof *r);
    *r = (struct receiver_http){
        .self = self, .env = component_env(self), .args = args_ref(args), .retry_ms = RETRY_MIN_MS};
    fanout_init(&r->fanout, component_id(self));
    *ret_state = r;
    return 0;
}

/* Whether the two differ in nothing that needs a new socket. */
static bool receive_same_socket(const struct receive_server_args *a, const struct receive_server_args *b)
{
    return strcmp(a->listen_address, b->listen_address) == 0 && a->listen_port == b->listen_port &&
           a->conn_limit == b->conn_limit && a->server_read_timeout == b->server_read_timeout &&
           a->server_write_timeout == b->server_write_timeout && a->server_idle_timeout == b->server_idle_timeout;
}

static int receive_update(void *state, const void *args, struct err *err)
{
    struct receiver_http *r = state;
    const struct receive_args *next = args;
    const bool same = receive_same_socket(&r->args->http, &next->http);
    int code = receive_check_tls(next, err);
    if (code == 0 && r->server && same) {
        cleanup_receive_tls struct receive_tls room;
        const struct server_tls_options *tls = receive_tls_of(&next->http, &room);
        code = server_prepare(r->server->http, tls, err);
        if (code == 0)
            server_commit(r->server->http);
    }
    if (code < 0)
        return code;
    args_unref(r->args);
    r->args = args_ref(next);
    if (!r->timer || r->stopping)
        return 0;
    receive_warn_unused(r);
    if (!same || !r->server) {
        receive_server_close(TAKE_PTR(r->server));
        receive_open(r);
    }
    return 0;
}

static void receive_start(void *state)
{
    struct receiver_http *r = state;
    r->timer = xcalloc(1, sizeof *r->timer);
    uv_timer_init(r->env->loop, r->timer);
    r->timer->data = r;
    receive_warn_unused(r);
    receive_open(r);
}

static void receive_on_timer_closed(uv_handle_t *h)
{
    free(h);
}

static void receive_free(void *state)
{
    struct receiver_http *r = state;
    receive_server_close(TAKE_PTR(r->server));
    if (r->timer)
        uv_close((uv_handle_t *)TAKE_PTR(r->timer), receive_on_timer_closed);
    metric_forget(&connections, r->fanout.component_id, r->fanout.component_path);
    metric_forget(&connections_limit, r->fanout.component_id, r->fanout.component_path);
    fanout_done(&r->fanout);
    args_unref(r->args);
    free(r);
}

static struct value *receive_debug_info(void *state)
{
    const struct receiver_http *r = state;
    struct value *o = value_object();
    value_object_put(o, STR("listen"), value_string(str_of(r->server ? server_address(r->server->http) : "")));
    value_object_put(o, STR("connections"), value_int(r->server ? (int64_t)server_connections(r->server->http) : 0));
    value_object_put(o, STR("pushes"), value_int((int64_t)r->pushes));
    value_object_put(o, STR("ingests"), value_int((int64_t)r->ingests));
    value_object_put(o, STR("profiles"), value_int((int64_t)r->profiles));
    return o;
}

static const char *const no_exports[] = {NULL};

const struct component_def pyroscope_receive_http = {
    .name = "pyroscope.receive_http",
    .help = "Receives profiles over HTTP and passes them on.",
    .stability = STABILITY_GA,
    .args = &receive_schema,
    .exports = no_exports,
    .build = receive_build,
    .update = receive_update,
    .start = receive_start,
    .stop = receive_stop,
    .free = receive_free,
    .debug_info = receive_debug_info,
};
