/* discovery.consul: the services of a Consul catalog as targets.
 *
 * The catalog is followed, unless `services` names the services and `tags` does not select, and each of the services
 * (components/discovery_consul_watch.h): what did not change costs nothing. Targets are exported when everything has
 * answered or failed once, and after each change. A failure keeps the targets that it concerns. `username` and
 * `password`, which the reference accepts without effect, are used.
 * Source: spec components §5.5; the component's page in Alloy's documentation; Consul HTTP API, "Catalog", "Health";
 * Prometheus, consul_sd_config.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/discovery_consul_watch.h"
#include "components/env.h"
#include "components/meta_labels.h"
#include "components/refresh.h"
#include "graph/component.h"
#include "graph/measured.h"
#include "net/url.h"

enum { CONSUL_SERVICES_MAX = 10000, CONSUL_URL_MAX = 64 << 10, EXPORT_DELAY_MS = 50 };

static struct metric_family rpc_failures = {.name = "prometheus_sd_consul_rpc_failures_total",
                                            .help = "Failed requests to Consul.",
                                            .kind = METRIC_COUNTER,
                                            .labels = {"component_id", "component_path"}};

struct discovery_consul_args {
    char *server, *token, *datacenter, *namespace, *partition, *tag_separator, *scheme, *username, *password;
    bool allow_stale;
    struct string_list services, tags;
    struct string_map node_meta;
    int64_t refresh_interval;
    struct http_settings http;
};

static const struct option options[] = {
    {"server", OPT_STRING, offsetof(struct discovery_consul_args, server), .default_text = "\"localhost:8500\"",
     .help = "Host and port of the Consul API."},
    {"token", OPT_SECRET, offsetof(struct discovery_consul_args, token), .help = "Token for the Consul API."},
    {"datacenter", OPT_STRING, offsetof(struct discovery_consul_args, datacenter),
     .help = "Data center to query; default: that of the agent."},
    {"namespace", OPT_STRING, offsetof(struct discovery_consul_args, namespace),
     .help = "Namespace to query (Consul Enterprise)."},
    {"partition", OPT_STRING, offsetof(struct discovery_consul_args, partition),
     .help = "Admin partition to query (Consul Enterprise)."},
    {"tag_separator", OPT_STRING, offsetof(struct discovery_consul_args, tag_separator), .default_text = "\",\"",
     .help = "Text between the tags in `__meta_consul_tags`."},
    {"scheme", OPT_STRING, offsetof(struct discovery_consul_args, scheme), .default_text = "\"http\"",
     .help = "`http` or `https`."},
    {"username", OPT_STRING, offsetof(struct discovery_consul_args, username),
     .help = "User name; `basic_auth` is preferred."},
    {"password", OPT_SECRET, offsetof(struct discovery_consul_args, password),
     .help = "Password; `basic_auth` is preferred."},
    {"allow_stale", OPT_BOOL, offsetof(struct discovery_consul_args, allow_stale), .default_text = "true",
     .help = "Allow answers of servers that are not the leader."},
    {"services", OPT_STRING_LIST, offsetof(struct discovery_consul_args, services),
     .help = "Names of the services; none: all."},
    {"tags", OPT_STRING_LIST, offsetof(struct discovery_consul_args, tags),
     .help = "Tags, all of which a service must have."},
    {"node_meta", OPT_STRING_MAP, offsetof(struct discovery_consul_args, node_meta),
     .help = "Metadata that the nodes must have."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_consul_args, refresh_interval),
     .default_text = "\"30s\"", .help = "Minimum interval between two requests of the same service or of the catalog."},
    HTTP_SETTINGS_OPTIONS(struct discovery_consul_args, http),
    {0},
};

static int discovery_consul_check(const void *record, struct err *err)
{
    const struct discovery_consul_args *a = record;
    cleanup_http_url struct http_url url = {0};
    cleanup_free char *text = xasprintf("%s://%s", a->scheme, a->server);
    if (!str_trim(str_of(a->server)).n)
        return err_set(err, -EINVAL, "consul SD configuration requires a server address");
    if ((*a->username || *a->password) && a->http.has_basic_auth)
        return err_set(err, -EINVAL,
                       "at most one of consul SD configuration username and password and basic auth can be configured");
    if (*a->token && (a->http.has_authorization || a->http.has_oauth2))
        return err_set(err, -EINVAL, "at most one of consul SD token, authorization, or oauth2 can be configured");
    int code = http_url_parse(text, &url, err);
    if (code < 0)
        return err_wrap(err, code, "server");
    code = refresh_check_interval(a->refresh_interval, err);
    return code < 0 ? code : http_settings_check(&a->http, err);
}
static const struct schema schema = {
    .size = sizeof(struct discovery_consul_args), .options = options, .validate = discovery_consul_check};

struct consul_discovery {
    struct component *self;
    uv_loop_t *loop;
    const struct discovery_consul_args *args; /* one reference */
    struct http_fetch fetch;
    char *token, *basic; /* headers, or NULL */
    struct consul_watches watches;
    struct consul_watch catalog;
    struct consul_service **services; /* by name */
    size_t len, cap, known, failing;  /* known: answered or failed once */
    bool has_names, is_catalog_failing;
    uv_timer_t *export; /* NULL: not started, or stopped */
    bool has_targets, was_failing;
    char *why; /* the last failure; NULL: none */
    char *component_path;
    const char *component_id;
};

struct consul_service {
    struct consul_watch watch;
    struct consul_discovery *discovery;
    char *name;
    struct targets targets; /* of the last answer */
    bool is_known, is_failing, is_gone;
};

/* --- exports --- */

static void consul_judge(struct consul_discovery *d, size_t targets)
{
    const bool is_failing = d->is_catalog_failing || d->failing > 0;
    if (is_failing)
        component_health(d->self, false, "%s", d->why);
    else
        component_health(d->self, true, "%zu targets", targets);
    if (is_failing && !d->was_failing)
        log_warn(d->has_targets ? "cannot refresh targets; keeping the previous ones" : "cannot discover targets",
                 L_COMPONENT(component_id(d->self)), L_STR("err", d->why));
    else if (!is_failing && d->was_failing)
        log_info("discovery works again", L_COMPONENT(component_id(d->self)));
    d->was_failing = is_failing;
}

/* Where nothing has ever answered there is nothing to export: an empty list would end what is profiled. */
static void consul_on_export(uv_timer_t *timer)
{
    struct consul_discovery *d = timer->data;
    struct meta_targets all = {0};
    for (size_t i = 0; i < d->len; i++)
        for (size_t k = 0; k < d->services[i]->targets.len; k++)
            meta_add(&all, labels_ref(d->services[i]->targets.items[k]));
    consul_judge(d, all.list.len);
    if (d->has_targets || !d->len || d->failing < d->len) {
        struct value *exports = value_object();
        d->has_targets = true;
        value_object_put(exports, STR("targets"), targets_value(all.list.items, all.list.len));
        component_export(d->self, exports);
    }
    targets_done(&all.list);
}

/* Exports soon, and once for answers that come together, when everything has answered or failed once. */
static void consul_settle(struct consul_discovery *d)
{
    const bool is_complete = d->has_names && d->known == d->len;
    if (!is_complete && (d->is_catalog_failing || d->failing))
        consul_judge(d, 0);
    else if (is_complete && !uv_is_active((uv_handle_t *)d->export))
        uv_timer_start(d->export, consul_on_export, EXPORT_DELAY_MS, 0);
}

static void consul_note_failure(struct consul_discovery *d, const char *why)
{
    metric_add(&rpc_failures, 1, d->component_id, d->component_path);
    free(d->why);
    d->why = xstrdup(why);
}

static void consul_put_query(struct buf *url, const char *name, const char *value)
{
    if (!*value)
        return;
    buf_printf(url, "&%s=", name);
    meta_put_escaped(url, str_of(value));
}

/* To be freed. */
static char *consul_url(const struct consul_discovery *d, const char *path, const char *service)
{
    const struct discovery_consul_args *a = d->args;
    cleanup_buf struct buf url = BUF_INIT(CONSUL_URL_MAX);
    buf_printf(&url, "%s://%s%s", a->scheme, a->server, path);
    meta_put_escaped(&url, str_of(service));
    buf_puts(&url, a->allow_stale ? "?stale=" : "?");
    consul_put_query(&url, "dc", a->datacenter);
    consul_put_query(&url, "ns", a->namespace);
    consul_put_query(&url, "partition", a->partition);
    for (size_t i = 0; i < a->node_meta.len; i++) {
        cleanup_free char *pair = xasprintf("%s:%s", a->node_meta.items[i].name, a->node_meta.items[i].value);
        consul_put_query(&url, "node-meta", pair);
    }
    for (size_t i = 0; *service && i < a->tags.len; i++)
        consul_put_query(&url, "tag", a->tags.items[i]);
    return xstrdup(buf_cstr(&url));
}

/* --- one service --- */

/* The worst of its checks. */
static struct str consul_health(const struct value *checks)
{
    static const char *const order[] = {"passing", "warning", "critical", "maintenance"};
    size_t worst = 0;
    for (size_t i = 0; i < meta_items(checks); i++) {
        const struct str id = meta_text(value_item(checks, i), "CheckID");
        const struct str status = meta_text(value_item(checks, i), "Status");
        if (str_is(id, "_node_maintenance") || str_has_prefix(id, STR("_service_maintenance:")))
            return STR("maintenance");
        for (size_t k = 0; k < ARRAY_LEN(order); k++)
            if (k > worst && str_is(status, order[k]))
                worst = k;
    }
    return str_of(order[worst]);
}

static struct labels *consul_target(const struct consul_discovery *d, const struct value *entry)
{
    static const char *const texts[][2] = {
        {"Node.Address", "__meta_consul_address"},        {"Node.Node", "__meta_consul_node"},
        {"Node.Datacenter", "__meta_consul_dc"},          {"Service.Service", "__meta_consul_service"},
        {"Service.ID", "__meta_consul_service_id"},       {"Service.Address", "__meta_consul_service_address"},
        {"Service.Namespace", "__meta_consul_namespace"}, {"Service.Partition", "__meta_consul_partition"},
    };
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        meta_put(&b, texts[i][1], meta_text(entry, texts[i][0]));
    const struct str own = meta_text(entry, "Service.Address"), node = meta_text(entry, "Node.Address");
    meta_put_address(&b, own.n ? own : node, meta_number(entry, "Service.Port"));
    meta_put_number(&b, "__meta_consul_service_port", meta_number(entry, "Service.Port"));
    meta_put(&b, "__meta_consul_health", consul_health(meta_member(entry, "Checks")));
    meta_put_tags(&b, "__meta_consul_tags", meta_path(entry, "Service.Tags"), d->args->tag_separator);
    meta_put_map(&b, "__meta_consul_metadata_", meta_path(entry, "Node.Meta"));
    meta_put_map(&b, "__meta_consul_service_metadata_", meta_path(entry, "Service.Meta"));
    meta_put_map(&b, "__meta_consul_tagged_address_", meta_path(entry, "Node.TaggedAddresses"));
    return labels_build(&b, true);
}

static void consul_on_service(void *arg, const struct value *list)
{
    struct consul_service *s = arg;
    struct meta_targets targets = {0};
    for (size_t i = 0; i < meta_items(list); i++)
        meta_add(&targets, consul_target(s->discovery, value_item(list, i)));
    targets_done(&s->targets);
    s->targets = targets.list;
}

static void consul_on_service_state(void *arg, const char *why)
{
    struct consul_service *s = arg;
    struct consul_discovery *d = s->discovery;
    const bool was_known = s->is_known, was_failing = s->is_failing;
    s->is_known = true;
    s->is_failing = why != NULL;
    d->known += !was_known;
    d->failing += (size_t)s->is_failing - (size_t)was_failing;
    if (why) {
        cleanup_free char *text = xasprintf("service %s: %s", s->name, why);
        consul_note_failure(d, text);
    }
    consul_settle(d);
}

static const struct consul_watch_events service_events = {consul_on_service, consul_on_service_state};

static void consul_service_free(struct consul_service *s)
{
    s->discovery->known -= s->is_known;
    s->discovery->failing -= s->is_failing;
    consul_watch_stop(&s->watch);
    targets_done(&s->targets);
    free(s->name);
    free(s);
}

/* --- the catalog --- */

static bool consul_has_text(const struct string_list *list, struct str text)
{
    for (size_t i = 0; i < list->len; i++)
        if (str_is(text, list->items[i]))
            return true;
    return false;
}

static bool consul_has_tag(const struct value *tags, const char *tag)
{
    for (size_t i = 0; i < meta_items(tags); i++)
        if (value_kind(value_item(tags, i)) == VALUE_STRING && str_is(value_as_str(value_item(tags, i)), tag))
            return true;
    return false;
}

static bool consul_is_wanted(const struct discovery_consul_args *a, struct str name, const struct value *tags)
{
    for (size_t i = 0; i < a->tags.len; i++)
        if (!consul_has_tag(tags, a->tags.items[i]))
            return false;
    return a->services.len == 0 || consul_has_text(&a->services, name);
}

/* Where the service is, or belongs. */
static size_t consul_find(const struct consul_discovery *d, struct str name)
{
    size_t low = 0, high = d->len;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (str_cmp(str_of(d->services[mid]->name), name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Follows the service from now on, or still. */
static void consul_follow_service(struct consul_discovery *d, struct str name)
{
    const size_t at = consul_find(d, name);
    if (at < d->len && str_is(name, d->services[at]->name)) {
        d->services[at]->is_gone = false;
        return;
    }
    if (!name.n || d->len == CONSUL_SERVICES_MAX)
        return;
    struct consul_service *s = xcalloc(1, sizeof *s);
    s->discovery = d;
    s->name = str_dup(name);
    xgrow(&d->services, &d->cap, d->len + 1, sizeof *d->services);
    memmove(&d->services[at + 1], &d->services[at], (d->len - at) * sizeof *d->services);
    d->services[at] = s;
    d->len++;
    consul_watch_start(&s->watch, &d->watches, consul_url(d, "/v1/health/service/", s->name), &service_events, s);
}

/* {"shop": ["jvm", "blue"]} */
static void consul_on_catalog(void *arg, const struct value *catalog)
{
    struct consul_discovery *d = arg;
    size_t kept = 0;
    for (size_t i = 0; i < d->len; i++)
        d->services[i]->is_gone = true;
    for (size_t i = 0; value_kind(catalog) == VALUE_OBJECT && i < value_len(catalog); i++) {
        struct value *tags;
        const struct str name = value_key(catalog, i, &tags);
        if (consul_is_wanted(d->args, name, tags))
            consul_follow_service(d, name);
    }
    for (size_t i = 0; i < d->len; i++) {
        if (d->services[i]->is_gone)
            consul_service_free(d->services[i]);
        else
            d->services[kept++] = d->services[i];
    }
    d->len = kept;
    d->has_names = true;
}

static void consul_on_catalog_state(void *arg, const char *why)
{
    struct consul_discovery *d = arg;
    d->is_catalog_failing = why != NULL;
    if (why)
        consul_note_failure(d, why);
    consul_settle(d);
}

static const struct consul_watch_events catalog_events = {consul_on_catalog, consul_on_catalog_state};

/* --- life --- */

static void consul_begin(struct consul_discovery *d)
{
    const struct discovery_consul_args *a = d->args;
    if (!d->export)
        return;
    if (a->services.len == 0 || a->tags.len > 0) {
        consul_watch_start(&d->catalog, &d->watches, consul_url(d, "/v1/catalog/services", ""), &catalog_events, d);
        return;
    }
    for (size_t i = 0; i < a->services.len; i++)
        consul_follow_service(d, str_of(a->services.items[i]));
    d->has_names = true;
    consul_settle(d);
}

/* Follows nothing any more; what is exported stays. */
static void consul_cancel(struct consul_discovery *d)
{
    consul_watch_stop(&d->catalog);
    for (size_t i = 0; i < d->len; i++)
        consul_service_free(d->services[i]);
    free(d->services);
    d->services = NULL;
    d->len = d->cap = 0;
    d->has_names = d->is_catalog_failing = false;
    if (d->export)
        uv_timer_stop(d->export);
}

static void consul_set_headers(struct consul_discovery *d)
{
    const struct discovery_consul_args *a = d->args;
    cleanup_free char *pair = xasprintf("%s:%s", a->username, a->password), *coded = base64_encode(str_of(pair));
    size_t n = 0;
    free(d->token);
    free(d->basic);
    d->token = xasprintf("X-Consul-Token: %s", a->token);
    d->basic = xasprintf("Authorization: Basic %s", coded);
    memset(d->watches.headers, 0, sizeof d->watches.headers);
    if (*a->token)
        d->watches.headers[n++] = d->token;
    if (*a->username || *a->password)
        d->watches.headers[n] = d->basic;
}

/* On failure all is as before. */
static int consul_set_args(struct consul_discovery *d, const struct discovery_consul_args *a, struct err *err)
{
    const int code =
        http_fetch_open(&d->fetch, d->loop, &a->http, ((struct component_env *)component_env(d->self))->version, err);
    if (code < 0)
        return code;
    args_unref(d->args);
    d->args = args_ref(a);
    d->watches.interval_ms = a->refresh_interval / NS_PER_MS;
    consul_set_headers(d);
    return 0;
}

static int discovery_consul_update(void *state, const void *args, struct err *err)
{
    struct consul_discovery *d = state;
    consul_cancel(d);
    const int code = consul_set_args(d, args, err);
    consul_begin(d);
    return code;
}

static void discovery_consul_start(void *state)
{
    struct consul_discovery *d = state;
    d->export = xcalloc(1, sizeof *d->export);
    uv_timer_init(d->loop, d->export);
    d->export->data = d;
    metric_add(&rpc_failures, 0, d->component_id, d->component_path);
    consul_begin(d);
}

static void consul_on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void consul_end(struct consul_discovery *d)
{
    consul_cancel(d);
    if (d->export)
        uv_close((uv_handle_t *)TAKE_PTR(d->export), consul_on_closed);
}

static void discovery_consul_stop(void *state)
{
    struct consul_discovery *d = state;
    consul_end(d);
    component_stopped(d->self);
}

static void discovery_consul_free(void *state)
{
    struct consul_discovery *d = state;
    consul_end(d);
    http_fetch_close(&d->fetch);
    metric_forget(&rpc_failures, d->component_id, d->component_path);
    args_unref(d->args);
    free(d->component_path);
    free(d->token);
    free(d->basic);
    free(d->why);
    free(d);
}

static int discovery_consul_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    struct consul_discovery *d = xcalloc(1, sizeof *d);
    d->self = self;
    d->loop = ((struct component_env *)component_env(self))->loop;
    d->fetch = HTTP_FETCH_INIT;
    d->watches = (struct consul_watches){.loop = d->loop, .fetch = &d->fetch};
    consul_watches_init(&d->watches);
    measured_labels(component_id(self), &d->component_path, &d->component_id);
    const int code = consul_set_args(d, args, err);
    if (code < 0) {
        discovery_consul_free(d);
        return code;
    }
    *ret_state = d;
    return 0;
}

const struct component_def discovery_consul = {
    .name = "discovery.consul",
    .help = "Discovers the services of a Consul catalog.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_consul_build,
    .update = discovery_consul_update,
    .start = discovery_consul_start,
    .stop = discovery_consul_stop,
    .free = discovery_consul_free,
};
