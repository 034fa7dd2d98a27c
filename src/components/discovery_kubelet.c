/* discovery.kubelet: the pods of one node as targets, from its kubelet.
 *
 * The kubelet has no watches: its list is fetched every refresh_interval. Of a pod whose text is as it was, nothing is
 * parsed. Intervals, failures, metrics and exports: components/refresh.h.
 * Source: spec components §5.3.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "components/env.h"
#include "components/http_settings.h"
#include "components/kubernetes_access.h"
#include "components/kubernetes_store.h"
#include "components/refresh.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "kubernetes/kube_items.h"
#include "kubernetes/kube_object.h"
#include "net/url.h"

#define DEFAULT_NS (5 * NS_PER_SEC)

enum { TIMEOUT_MS = 30000, ERROR_MAX = 4096, STATUS_OK = 200 };

struct discovery_kubelet_args {
    char *url;
    int64_t refresh_interval;
    struct string_list namespaces;
    struct http_settings http;
};

static const struct option options[] = {
    {"url", OPT_STRING, offsetof(struct discovery_kubelet_args, url), .default_text = "\"https://localhost:10250\"",
     .help = "URL of the kubelet; `/pods` is appended."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_kubelet_args, refresh_interval),
     .default_text = "\"5s\"", .help = "Interval of the requests; `0s` is the default."},
    {"namespaces", OPT_STRING_LIST, offsetof(struct discovery_kubelet_args, namespaces),
     .help = "Namespaces of the pods; all if empty."},
    HTTP_SETTINGS_OPTIONS(struct discovery_kubelet_args, http),
    {0},
};

static int kubelet_check(const void *record, struct err *err)
{
    const struct discovery_kubelet_args *a = record;
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(a->url, &url, err);
    if (code < 0)
        return err_wrap(err, code, "url");
    if (a->refresh_interval < 0 || (a->refresh_interval > 0 && a->refresh_interval < NS_PER_MS))
        return err_set(err, -EINVAL, "refresh_interval must be 0 or at least 1ms");
    return http_settings_check(&a->http, err);
}
static const struct schema schema = {
    .size = sizeof(struct discovery_kubelet_args), .options = options, .validate = kubelet_check};

struct kubelet_discovery {
    const struct component_env *env;
    const struct discovery_kubelet_args *args; /* one reference */
    struct refresh refresh;
    struct kubernetes_access *access; /* borrows from args */
    struct kubernetes_store *store;
    struct kube_items items; /* of the answer under way */
    struct http_client *client;
    struct http_call *call;
    bool is_broken; /* the answer is not JSON */
};

/* --- one request --- */

static bool kubelet_is_wanted(const struct kubelet_discovery *d, const json_t *pod)
{
    const struct string_list *namespaces = &d->args->namespaces;
    const struct str space = kube_str(kube_get(pod, "metadata"), "namespace");
    bool is_wanted = namespaces->len == 0;
    for (size_t i = 0; !is_wanted && i < namespaces->len; i++)
        is_wanted = str_is(space, namespaces->items[i]);
    return is_wanted;
}

static void kubelet_take_pod(void *arg, enum kube_item_kind kind, struct str text)
{
    struct kubelet_discovery *d = arg;
    if (kind != KUBE_ITEM || kubernetes_store_known(d->store, 0, text))
        return;
    json_t *pod = json_loadb(text.p, text.n, 0, NULL);
    if (pod && kubelet_is_wanted(d, pod))
        (void)kubernetes_store_put_text(d->store, KUBE_POD, 0, pod, text);
    json_decref(pod);
}

static void kubelet_on_piece(void *arg, int status, struct str bytes)
{
    struct kubelet_discovery *d = arg;
    if (status == STATUS_OK && !d->is_broken)
        d->is_broken = kube_items_feed(&d->items, bytes) < 0;
}

static void kubelet_on_done(void *arg, const struct http_response *r)
{
    struct kubelet_discovery *d = arg;
    d->call = NULL;
    if (r->status != STATUS_OK) {
        cleanup_free char *why = kubernetes_access_failure(r);
        refresh_failed(&d->refresh, why);
        return;
    }
    if (d->is_broken || !kube_items_complete(&d->items)) {
        refresh_failed(&d->refresh, "the answer is not a list of pods");
        return;
    }
    struct targets targets = {0};
    kubernetes_store_end(d->store, KUBE_POD, 0);
    (void)kubernetes_store_settle(d->store);
    targets.items = kubernetes_store_targets(d->store, &targets.len);
    for (size_t i = 0; i < targets.len; i++)
        labels_ref(targets.items[i]);
    refresh_targets(&d->refresh, &targets);
}

static void kubelet_ask(void *arg)
{
    struct kubelet_discovery *d = arg;
    struct err err = {0};
    const struct kubernetes_request req = {.path = "/pods",
                                           .version = d->env->version,
                                           .timeout_ms = TIMEOUT_MS,
                                           .response_max = ERROR_MAX,
                                           .piece = kubelet_on_piece,
                                           .done = kubelet_on_done,
                                           .arg = d};
    kube_items_done(&d->items);
    kube_items_init(&d->items, KUBE_LIST, kubelet_take_pod, d);
    d->is_broken = false;
    kubernetes_store_begin(d->store, 0);
    if (kubernetes_access_get(d->access, d->client, &req, &d->call, &err) < 0)
        refresh_failed(&d->refresh, err.text);
}

/* --- life --- */

static void kubelet_cancel(struct kubelet_discovery *d)
{
    if (d->call)
        http_cancel(TAKE_PTR(d->call));
    refresh_cancelled(&d->refresh);
}

static void kubelet_free_access(struct kubernetes_access *a)
{
    if (a)
        kubernetes_access_close(a);
    free(a);
}

/* Keeps the arguments, on success only. */
static int kubelet_set_args(struct kubelet_discovery *d, const struct discovery_kubelet_args *a, struct err *err)
{
    struct kubernetes_access *access = xcalloc(1, sizeof *access);
    const int code = kubernetes_access_open(access, a->url, "", &a->http, err);
    if (code < 0) {
        free(access);
        return code;
    }
    kubelet_cancel(d);
    kubelet_free_access(d->access);
    d->access = access;
    kubernetes_store_free(d->store);
    d->store = kubernetes_store_new(KUBE_POD, false, false);
    refresh_set_interval(&d->refresh, a->refresh_interval ? a->refresh_interval : DEFAULT_NS);
    args_unref(d->args);
    d->args = args_ref(a);
    return 0;
}

static int discovery_kubelet_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    struct kubelet_discovery *d = xcalloc(1, sizeof *d);
    d->env = component_env(self);
    refresh_init(&d->refresh, self, d->env->loop, "kubelet", kubelet_ask, d);
    const int code = kubelet_set_args(d, args, err);
    if (code < 0) {
        refresh_done(&d->refresh);
        free(d);
        return code;
    }
    *ret_state = d;
    return 0;
}

static int discovery_kubelet_update(void *state, const void *args, struct err *err)
{
    struct kubelet_discovery *d = state;
    const int code = kubelet_set_args(d, args, err);
    if (code == 0)
        refresh_now(&d->refresh);
    return code;
}

static void discovery_kubelet_start(void *state)
{
    struct kubelet_discovery *d = state;
    d->client = http_client_get(d->env->loop);
    refresh_start(&d->refresh);
}

static void kubelet_end(struct kubelet_discovery *d)
{
    kubelet_cancel(d);
    refresh_stop(&d->refresh);
    http_client_put(TAKE_PTR(d->client));
}

static void discovery_kubelet_stop(void *state)
{
    struct kubelet_discovery *d = state;
    kubelet_end(d);
    component_stopped(d->refresh.self);
}

static void discovery_kubelet_free(void *state)
{
    struct kubelet_discovery *d = state;
    kubelet_end(d);
    refresh_done(&d->refresh);
    kube_items_done(&d->items);
    kubernetes_store_free(d->store);
    kubelet_free_access(d->access);
    args_unref(d->args);
    free(d);
}

const struct component_def discovery_kubelet = {
    .name = "discovery.kubelet",
    .help = "Discovers the pods of one node through its kubelet.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_kubelet_build,
    .update = discovery_kubelet_update,
    .start = discovery_kubelet_start,
    .stop = discovery_kubelet_stop,
    .free = discovery_kubelet_free,
};
