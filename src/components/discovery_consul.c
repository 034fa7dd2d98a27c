/* discovery.consul: the services of a Consul catalog as targets.
 *
 * Every refresh_interval the catalog lists the services, unless `services` names them and `tags` does not select, then
 * each of them is asked for, one after the other. Unlike the reference there are no blocking queries: a change is
 * noticed at the next refresh. A failure keeps all targets as they are. `username` and `password`, which the reference
 * accepts without effect, are used.
 * Source: spec components §5.5; the component's page in Alloy's documentation; Consul HTTP API, "Catalog", "Health";
 * Prometheus, consul_sd_config.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "components/http_refresh.h"
#include "components/meta_labels.h"
#include "graph/component.h"
#include "net/url.h"

enum { CONSUL_ANSWER_MAX = 4 << 20, CONSUL_TIMEOUT_MS = 30000, CONSUL_SERVICES_MAX = 10000, CONSUL_URL_MAX = 64 << 10 };

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
     .default_text = "\"30s\"", .help = "Interval of listing all services."},
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
    struct http_refresh http;
    /* Of the refresh that runs. */
    char **services;
    size_t len, cap, next;
    struct meta_targets targets;
};

static const struct discovery_consul_args *consul_args(const struct consul_discovery *d)
{
    return d->http.args;
}

static void consul_forget_services(void *state)
{
    struct consul_discovery *d = state;
    for (size_t i = 0; i < d->len; i++)
        free(d->services[i]);
    free(d->services);
    targets_done(&d->targets.list);
    d->services = NULL;
    d->targets = (struct meta_targets){0};
    d->len = d->cap = d->next = 0;
}

static void consul_fail(struct consul_discovery *d, const char *why)
{
    consul_forget_services(d);
    refresh_failed(&d->http.refresh, why);
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
    const struct discovery_consul_args *a = consul_args(d);
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

static void consul_get(struct consul_discovery *d, const char *path, const char *service, http_done *done)
{
    const struct discovery_consul_args *a = consul_args(d);
    cleanup_free char *url = consul_url(d, path, service), *token = xasprintf("X-Consul-Token: %s", a->token);
    cleanup_free char *pair = xasprintf("%s:%s", a->username, a->password), *coded = base64_encode(str_of(pair));
    cleanup_free char *basic = xasprintf("Authorization: Basic %s", coded);
    const char *headers[3] = {0};
    size_t n = 0;
    if (*a->token)
        headers[n++] = token;
    if (*a->username || *a->password)
        headers[n++] = basic;
    const struct http_fetch_request rq = {
        .url = url, .headers = headers, .timeout_ms = CONSUL_TIMEOUT_MS, .response_max = CONSUL_ANSWER_MAX};
    struct err err = {0};
    if (http_fetch_start(&d->http.fetch, &rq, done, d, &d->http.call, &err) < 0)
        consul_fail(d, err.text);
}

/* The parsed answer, or NULL after a failure. */
static struct value *consul_answer(struct consul_discovery *d, const struct http_response *r)
{
    struct value *v = NULL;
    cleanup_free char *why = http_refresh_json(&d->http, r, CONSUL_ANSWER_MAX, &v);
    if (why)
        consul_fail(d, why);
    return v;
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
    meta_put_tags(&b, "__meta_consul_tags", meta_path(entry, "Service.Tags"), consul_args(d)->tag_separator);
    meta_put_map(&b, "__meta_consul_metadata_", meta_path(entry, "Node.Meta"));
    meta_put_map(&b, "__meta_consul_service_metadata_", meta_path(entry, "Service.Meta"));
    meta_put_map(&b, "__meta_consul_tagged_address_", meta_path(entry, "Node.TaggedAddresses"));
    return labels_build(&b, true);
}

static void consul_ask_next(struct consul_discovery *d);

static void consul_on_service(void *arg, const struct http_response *r)
{
    struct consul_discovery *d = arg;
    cleanup_value struct value *list = consul_answer(d, r);
    if (!list)
        return;
    for (size_t i = 0; i < meta_items(list); i++)
        meta_add(&d->targets, consul_target(d, value_item(list, i)));
    consul_ask_next(d);
}

static void consul_ask_next(struct consul_discovery *d)
{
    if (d->next < d->len) {
        consul_get(d, "/v1/health/service/", d->services[d->next++], consul_on_service);
        return;
    }
    struct targets targets = d->targets.list;
    d->targets = (struct meta_targets){0};
    consul_forget_services(d);
    refresh_targets(&d->http.refresh, &targets);
}

/* --- the catalog --- */

static void consul_add_service(struct consul_discovery *d, struct str name)
{
    if (!name.n || d->len == CONSUL_SERVICES_MAX)
        return;
    xgrow(&d->services, &d->cap, d->len + 1, sizeof *d->services);
    d->services[d->len++] = str_dup(name);
}

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

static int consul_by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void consul_ask_services(struct consul_discovery *d)
{
    if (d->len > 1)
        qsort(d->services, d->len, sizeof *d->services, consul_by_name);
    consul_ask_next(d);
}

/* {"shop": ["jvm", "blue"]} */
static void consul_on_catalog(void *arg, const struct http_response *r)
{
    struct consul_discovery *d = arg;
    cleanup_value struct value *catalog = consul_answer(d, r);
    if (!catalog)
        return;
    for (size_t i = 0; value_kind(catalog) == VALUE_OBJECT && i < value_len(catalog); i++) {
        struct value *tags;
        const struct str name = value_key(catalog, i, &tags);
        if (consul_is_wanted(consul_args(d), name, tags))
            consul_add_service(d, name);
    }
    consul_ask_services(d);
}

static void discovery_consul_ask(void *arg)
{
    struct consul_discovery *d = arg;
    consul_forget_services(d);
    if (consul_args(d)->services.len == 0 || consul_args(d)->tags.len > 0) {
        consul_get(d, "/v1/catalog/services", "", consul_on_catalog);
        return;
    }
    for (size_t i = 0; i < consul_args(d)->services.len; i++)
        consul_add_service(d, str_of(consul_args(d)->services.items[i]));
    consul_ask_services(d);
}

/* --- life --- */

static int discovery_consul_set_args(void *state, const void *args, struct err *err)
{
    struct consul_discovery *d = state;
    const struct discovery_consul_args *a = args;
    return http_refresh_take(&d->http, a, &a->http, a->refresh_interval, err);
}

static const struct http_refresh_kind consul_kind = {
    .mechanism = "consul",
    .state_size = sizeof(struct consul_discovery),
    .ask = discovery_consul_ask,
    .set_args = discovery_consul_set_args,
    .forget = consul_forget_services,
};

static int discovery_consul_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    return http_refresh_build(self, &consul_kind, args, ret_state, err);
}

const struct component_def discovery_consul = {
    .name = "discovery.consul",
    .help = "Discovers the services of a Consul catalog.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_consul_build,
    .update = http_refresh_update,
    .start = http_refresh_start,
    .stop = http_refresh_stop,
    .free = http_refresh_free,
};
