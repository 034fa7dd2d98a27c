/* discovery.kubernetes: targets from the Kubernetes API.
 *
 * One watch (components/kubernetes_watch.h) per kind of object and namespace keeps a store of targets
 * (components/kubernetes_store.h) up to date. Exports begin when all have been listed, and follow changes within a
 * second. While the API cannot be reached the targets stay; so do they after an update until the new lists are
 * complete.
 *
 * Unlike the reference, which does not check them, arguments that contradict each other are errors.
 * Source: spec components §5.0, §5.2.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/discovery_kubernetes_args.h"
#include "components/env.h"
#include "components/kubernetes_access.h"
#include "components/kubernetes_store.h"
#include "components/kubernetes_watch.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/measured.h"

enum {
    EXPORT_MS = 1000, /* between exports: a starting pod changes several times */
    COLLECT_MS = 50,  /* changes that come together are exported together */
};

static struct metric_family events_total = {.name = "prometheus_sd_kubernetes_events_total",
                                            .help = "Changes of Kubernetes objects, by kind and event.",
                                            .kind = METRIC_COUNTER,
                                            .labels = {"component_id", "component_path", "role", "event"}};
static struct metric_family failures_total = {.name = "prometheus_sd_kubernetes_failures_total",
                                              .help = "Failed lists and watches of Kubernetes objects.",
                                              .kind = METRIC_COUNTER,
                                              .labels = {"component_id", "component_path"}};

struct kubernetes_discovery;

/* One list of objects that is followed. */
struct kubernetes_source {
    struct kubernetes_discovery *discovery;
    enum kube_kind kind;
    unsigned number;
    char *namespace; /* NULL: all */
    struct kubernetes_watch *watch;
    bool is_synced;
    char *trouble; /* NULL: none */
};

struct kubernetes_discovery {
    struct component *self;
    const struct component_env *env;
    const struct discovery_kubernetes_args *args; /* one reference */
    struct kubernetes_access *access;             /* borrows from args */
    char *own_namespace;                          /* NULL unless asked for */
    struct kubernetes_store *store;
    struct kubernetes_source *sources; /* fixed while they run */
    size_t len, cap;
    uv_timer_t *timer; /* NULL: not started */
    bool is_exported;  /* since the last change of arguments */
    uint64_t exported_ms;
    char *component_path;
    const char *component_id;
};

/* --- exports and health --- */

static void kubernetes_tell_health(const struct kubernetes_discovery *d, size_t targets)
{
    for (size_t i = 0; i < d->len; i++) {
        const struct kubernetes_source *s = &d->sources[i];
        if (!s->trouble)
            continue;
        component_health(d->self, false, "%s%s%s: %s", kube_kinds[s->kind].plural, s->namespace ? " in " : "",
                         s->namespace ? s->namespace : "", s->trouble);
        return;
    }
    if (d->is_exported)
        component_health(d->self, true, "%zu targets of %zu %s", targets, kubernetes_store_len(d->store),
                         kube_kinds[d->args->role].plural);
}

static bool kubernetes_is_synced(const struct kubernetes_discovery *d)
{
    bool all = true;
    for (size_t i = 0; i < d->len; i++)
        all = all && d->sources[i].is_synced;
    return all;
}

static void kubernetes_on_export(uv_timer_t *timer)
{
    struct kubernetes_discovery *d = timer->data;
    if (!kubernetes_store_settle(d->store) && d->is_exported)
        return;
    size_t n;
    cleanup_free struct labels **targets = kubernetes_store_targets(d->store, &n);
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), targets_value(targets, n));
    d->is_exported = true;
    d->exported_ms = uv_now(d->env->loop);
    kubernetes_tell_health(d, n);
    component_export(d->self, exports);
}

/* Something may have changed. */
static void kubernetes_export_soon(struct kubernetes_discovery *d)
{
    if (uv_is_active((uv_handle_t *)d->timer) || !kubernetes_is_synced(d))
        return;
    const uint64_t since = uv_now(d->env->loop) - d->exported_ms;
    const uint64_t wait = !d->is_exported || since >= EXPORT_MS ? 0 : EXPORT_MS - since;
    uv_timer_start(d->timer, kubernetes_on_export, wait > COLLECT_MS ? wait : COLLECT_MS, 0);
}

/* --- what the watches tell --- */

static void kubernetes_on_begin(void *arg)
{
    const struct kubernetes_source *s = arg;
    kubernetes_store_begin(s->discovery->store, s->number);
}

static void kubernetes_on_object(void *arg, json_t *object, bool exists)
{
    static const char *const names[] = {
        [KUBERNETES_ADDED] = "add", [KUBERNETES_UPDATED] = "update", [KUBERNETES_DELETED] = "delete"};
    const struct kubernetes_source *s = arg;
    struct kubernetes_discovery *d = s->discovery;
    const enum kubernetes_change change = exists ? kubernetes_store_put(d->store, s->kind, s->number, object)
                                                 : kubernetes_store_delete(d->store, s->kind, object);
    if (change == KUBERNETES_SAME)
        return;
    metric_add(&events_total, 1, d->component_id, d->component_path, kube_kinds[s->kind].role, names[change]);
    kubernetes_export_soon(d);
}

static void kubernetes_on_synced(void *arg)
{
    struct kubernetes_source *s = arg;
    kubernetes_store_end(s->discovery->store, s->kind, s->number);
    s->is_synced = true;
    kubernetes_export_soon(s->discovery);
}

static void kubernetes_on_health(void *arg, const char *why)
{
    struct kubernetes_source *s = arg;
    struct kubernetes_discovery *d = s->discovery;
    size_t n;
    if (why)
        metric_add(&failures_total, 1, d->component_id, d->component_path);
    if (why && (!s->trouble || strcmp(s->trouble, why) != 0))
        log_warn(d->is_exported ? "cannot follow Kubernetes objects; keeping the previous targets"
                                : "cannot list Kubernetes objects",
                 L_COMPONENT(component_id(d->self)), L_STR("kind", kube_kinds[s->kind].plural),
                 L_STR("namespace", s->namespace ? s->namespace : ""), L_STR("err", why));
    else if (!why && s->trouble)
        log_info("following Kubernetes objects works again", L_COMPONENT(component_id(d->self)),
                 L_STR("kind", kube_kinds[s->kind].plural));
    char *old = s->trouble;
    s->trouble = why ? xstrdup(why) : NULL;
    free(old);
    free(kubernetes_store_targets(d->store, &n));
    kubernetes_tell_health(d, n);
}

/* --- sources --- */

static void kubernetes_add_source(struct kubernetes_discovery *d, enum kube_kind kind, const char *namespace)
{
    for (size_t i = 0; namespace && i < d->len; i++) {
        const struct kubernetes_source *s = &d->sources[i];
        if (s->kind == kind && s->namespace && strcmp(s->namespace, namespace) == 0)
            return; /* named twice */
    }
    xgrow(&d->sources, &d->cap, d->len + 1, sizeof *d->sources);
    d->sources[d->len] = (struct kubernetes_source){
        .discovery = d, .kind = kind, .number = (unsigned)d->len, .namespace = namespace ? xstrdup(namespace) : NULL};
    d->len++;
}

static void kubernetes_add_kind(struct kubernetes_discovery *d, enum kube_kind kind)
{
    const struct kubernetes_namespaces_args *n = &d->args->namespaces;
    if (!kube_kinds[kind].is_namespaced || (!n->names.len && !d->own_namespace)) {
        kubernetes_add_source(d, kind, NULL);
        return;
    }
    for (size_t i = 0; i < n->names.len; i++)
        kubernetes_add_source(d, kind, n->names.items[i]);
    if (d->own_namespace)
        kubernetes_add_source(d, kind, d->own_namespace);
}

static void kubernetes_watch_source(struct kubernetes_source *s)
{
    static const struct kubernetes_watch_events events = {.begin = kubernetes_on_begin,
                                                          .object = kubernetes_on_object,
                                                          .synced = kubernetes_on_synced,
                                                          .health = kubernetes_on_health};
    struct kubernetes_discovery *d = s->discovery;
    const struct kube_kind_facts *kind = &kube_kinds[s->kind];
    const struct kubernetes_selector_args *selector = discovery_kubernetes_selector(d->args, s->kind);
    cleanup_free char *path = s->namespace ? xasprintf("%s/namespaces/%s/%s", kind->group, s->namespace, kind->plural)
                                           : xasprintf("%s/%s", kind->group, kind->plural);
    s->watch = kubernetes_watch_new(&(struct kubernetes_watch_options){.loop = d->env->loop,
                                                                       .access = d->access,
                                                                       .version = d->env->version,
                                                                       .path = path,
                                                                       .label = selector ? selector->label : "",
                                                                       .field = selector ? selector->field : "",
                                                                       .events = &events,
                                                                       .arg = s});
}

static void kubernetes_watch_all(struct kubernetes_discovery *d)
{
    const struct discovery_kubernetes_args *a = d->args;
    const bool is_joined = a->role == KUBE_ENDPOINTS || a->role == KUBE_ENDPOINTSLICE;
    const bool with_node = a->attach_metadata.node && (is_joined || a->role == KUBE_POD),
               with_namespace = a->attach_metadata.namespace && a->role != KUBE_NODE;
    d->store = kubernetes_store_new(a->role, with_node, with_namespace);
    kubernetes_add_kind(d, a->role);
    if (is_joined) {
        kubernetes_add_kind(d, KUBE_SERVICE);
        kubernetes_add_kind(d, KUBE_POD);
    }
    if (with_node)
        kubernetes_add_kind(d, KUBE_NODE);
    if (with_namespace)
        kubernetes_add_kind(d, KUBE_NAMESPACE);
    for (size_t i = 0; i < d->len; i++)
        kubernetes_watch_source(&d->sources[i]);
}

static void kubernetes_end_sources(struct kubernetes_discovery *d)
{
    for (size_t i = 0; i < d->len; i++) {
        kubernetes_watch_free(d->sources[i].watch);
        free(d->sources[i].namespace);
        free(d->sources[i].trouble);
    }
    d->len = 0;
    kubernetes_store_free(TAKE_PTR(d->store));
    d->is_exported = false;
}

/* --- life --- */

static void kubernetes_free_access(struct kubernetes_access *a)
{
    if (a)
        kubernetes_access_close(a);
    free(a);
}

/* Keeps the arguments, on success only. */
static int kubernetes_set_args(struct kubernetes_discovery *d, const struct discovery_kubernetes_args *a,
                               struct err *err)
{
    struct kubernetes_access *access = xcalloc(1, sizeof *access);
    char *namespace = NULL;
    int code = kubernetes_access_open(access, a->api_server, a->kubeconfig_file, &a->http, err);
    if (code == 0 && a->namespaces.own_namespace)
        code = kubernetes_access_namespace(&namespace, err);
    if (code < 0) {
        kubernetes_free_access(access);
        return code;
    }
    kubernetes_end_sources(d);
    kubernetes_free_access(d->access);
    d->access = access;
    free(d->own_namespace);
    d->own_namespace = namespace;
    args_unref(d->args);
    d->args = args_ref(a);
    return 0;
}

static int discovery_kubernetes_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    struct kubernetes_discovery *d = xcalloc(1, sizeof *d);
    *d = (struct kubernetes_discovery){.self = self, .env = component_env(self)};
    const int code = kubernetes_set_args(d, args, err);
    if (code < 0) {
        free(d);
        return code;
    }
    measured_labels(component_id(self), &d->component_path, &d->component_id);
    *ret_state = d;
    return 0;
}

static int discovery_kubernetes_update(void *state, const void *args, struct err *err)
{
    struct kubernetes_discovery *d = state;
    const int code = kubernetes_set_args(d, args, err);
    if (code == 0 && d->timer) {
        uv_timer_stop(d->timer);
        kubernetes_watch_all(d);
    }
    return code;
}

static void discovery_kubernetes_start(void *state)
{
    struct kubernetes_discovery *d = state;
    d->timer = xcalloc(1, sizeof *d->timer);
    uv_timer_init(d->env->loop, d->timer);
    d->timer->data = d;
    kubernetes_watch_all(d);
}

static void kubernetes_on_timer_closed(uv_handle_t *timer)
{
    free(timer);
}

static void kubernetes_end(struct kubernetes_discovery *d)
{
    kubernetes_end_sources(d);
    if (d->timer)
        uv_close((uv_handle_t *)TAKE_PTR(d->timer), kubernetes_on_timer_closed);
}

static void discovery_kubernetes_stop(void *state)
{
    struct kubernetes_discovery *d = state;
    kubernetes_end(d);
    component_stopped(d->self);
}

static void discovery_kubernetes_free(void *state)
{
    struct kubernetes_discovery *d = state;
    kubernetes_end(d);
    kubernetes_free_access(d->access);
    args_unref(d->args);
    free(d->sources);
    free(d->own_namespace);
    free(d->component_path);
    free(d);
}

static const char *const exports[] = {"targets", NULL};

const struct component_def discovery_kubernetes = {
    .name = "discovery.kubernetes",
    .help = "Discovers pods, nodes, services, endpoints and ingresses through the Kubernetes API.",
    .stability = STABILITY_GA,
    .args = &discovery_kubernetes_schema,
    .exports = exports,
    .build = discovery_kubernetes_build,
    .update = discovery_kubernetes_update,
    .start = discovery_kubernetes_start,
    .stop = discovery_kubernetes_stop,
    .free = discovery_kubernetes_free,
};
