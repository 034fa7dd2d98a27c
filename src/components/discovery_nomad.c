/* discovery.nomad: the services registered with Nomad as targets.
 *
 * Every refresh_interval the services are listed, then, if something changed since, each of them is asked for, one
 * after the other. The list has the index of all registrations, which every change of one advances. A service that is
 * gone meanwhile has no targets; any other failure keeps all targets as they are.
 * Source: the component's page in Alloy's documentation; Nomad HTTP API, "Services"; Prometheus, nomad_sd_config.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "components/http_refresh.h"
#include "components/meta_labels.h"
#include "graph/component.h"
#include "net/url.h"

enum { NOMAD_ANSWER_MAX = 4 << 20, NOMAD_TIMEOUT_MS = 30000, NOMAD_SERVICES_MAX = 10000 };

struct discovery_nomad_args {
    bool allow_stale;
    char *namespace, *region, *server, *tag_separator;
    int64_t refresh_interval;
    struct http_settings http;
};

static const struct option options[] = {
    {"server", OPT_STRING, offsetof(struct discovery_nomad_args, server), .default_text = "\"http://localhost:4646\"",
     .help = "Address of the Nomad server."},
    {"namespace", OPT_STRING, offsetof(struct discovery_nomad_args, namespace), .default_text = "\"default\"",
     .help = "Namespace to list; `*` stands for all."},
    {"region", OPT_STRING, offsetof(struct discovery_nomad_args, region), .default_text = "\"global\"",
     .help = "Region to list."},
    {"allow_stale", OPT_BOOL, offsetof(struct discovery_nomad_args, allow_stale), .default_text = "true",
     .help = "Allow answers of servers that are not the leader."},
    {"tag_separator", OPT_STRING, offsetof(struct discovery_nomad_args, tag_separator), .default_text = "\",\"",
     .help = "Text between the tags in `__meta_nomad_tags`."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_nomad_args, refresh_interval),
     .default_text = "\"30s\"", .help = "Interval of listing all services."},
    HTTP_SETTINGS_OPTIONS(struct discovery_nomad_args, http),
    {0},
};

static int discovery_nomad_check(const void *record, struct err *err)
{
    const struct discovery_nomad_args *a = record;
    cleanup_http_url struct http_url url = {0};
    if (!*a->server)
        return err_set(err, -EINVAL, "nomad SD configuration requires a server address");
    int code = http_url_parse(a->server, &url, err);
    if (code < 0)
        return err_wrap(err, code, "server");
    code = refresh_check_interval(a->refresh_interval, err);
    return code < 0 ? code : http_settings_check(&a->http, err);
}
static const struct schema schema = {
    .size = sizeof(struct discovery_nomad_args), .options = options, .validate = discovery_nomad_check};

struct nomad_service {
    char *namespace, *name;
};

/* Of a list: with the same one, no registration differs, nor what the token may see. */
struct nomad_version {
    uint64_t index, list;
};

struct nomad_discovery {
    struct http_refresh http;
    /* Of the refresh that runs. */
    struct nomad_service *services;
    size_t len, cap, next;
    struct meta_targets targets;
    struct nomad_version version;
    bool is_stale; /* a service was answered by a server that was behind the list's */
    /* Of the targets that are exported; index 0: unknown. */
    struct nomad_version exported;
};

static const struct discovery_nomad_args *nomad_args(const struct nomad_discovery *d)
{
    return d->http.args;
}

static void nomad_forget_services(void *state)
{
    struct nomad_discovery *d = state;
    for (size_t i = 0; i < d->len; i++) {
        free(d->services[i].namespace);
        free(d->services[i].name);
    }
    free(d->services);
    targets_done(&d->targets.list);
    d->services = NULL;
    d->targets = (struct meta_targets){0};
    d->len = d->cap = d->next = 0;
}

static void nomad_fail(struct nomad_discovery *d, const char *why)
{
    nomad_forget_services(d);
    refresh_failed(&d->http.refresh, why);
}

/* "/v1/service/NAME?namespace=…&region=…&stale=". To be freed. */
static char *nomad_url(const struct nomad_discovery *d, const char *path, const char *name, const char *namespace)
{
    const struct discovery_nomad_args *a = nomad_args(d);
    cleanup_buf struct buf url = BUF_INIT(64 << 10);
    size_t n = strlen(a->server);
    while (n && a->server[n - 1] == '/')
        n--;
    buf_append(&url, a->server, n);
    buf_puts(&url, path);
    meta_put_escaped(&url, str_of(name));
    buf_puts(&url, "?namespace=");
    meta_put_escaped(&url, str_of(namespace));
    buf_puts(&url, "&region=");
    meta_put_escaped(&url, str_of(a->region));
    buf_puts(&url, a->allow_stale ? "&stale=" : "");
    return xstrdup(buf_cstr(&url));
}

static void nomad_get(struct nomad_discovery *d, const char *path, const char *name, const char *namespace,
                      http_done *done)
{
    cleanup_free char *url = nomad_url(d, path, name, namespace);
    const struct http_fetch_request rq = {
        .url = url, .keep_header = "X-Nomad-Index", .timeout_ms = NOMAD_TIMEOUT_MS, .response_max = NOMAD_ANSWER_MAX};
    struct err err = {0};
    if (http_fetch_start(&d->http.fetch, &rq, done, d, &d->http.call, &err) < 0)
        nomad_fail(d, err.text);
}

/* 0: none. */
static uint64_t nomad_index(const struct http_response *r)
{
    uint64_t index = 0;
    return r->header && str_to_u64(str_of(r->header), &index) ? index : 0;
}

/* --- one service --- */

static struct labels *nomad_target(const struct nomad_discovery *d, const struct value *s)
{
    static const char *const texts[][2] = {
        {"Address", "__meta_nomad_address"},       {"Address", "__meta_nomad_service_address"},
        {"Datacenter", "__meta_nomad_dc"},         {"Namespace", "__meta_nomad_namespace"},
        {"NodeID", "__meta_nomad_node_id"},        {"ServiceName", "__meta_nomad_service"},
        {"ID", "__meta_nomad_service_id"},         {"JobID", "__meta_nomad_job_id"},
        {"AllocID", "__meta_nomad_allocation_id"},
    };
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        meta_put(&b, texts[i][1], meta_text(s, texts[i][0]));
    meta_put_number(&b, "__meta_nomad_service_port", meta_number(s, "Port"));
    meta_put_tags(&b, "__meta_nomad_tags", meta_member(s, "Tags"), nomad_args(d)->tag_separator);
    meta_put_address(&b, meta_text(s, "Address"), meta_number(s, "Port"));
    return labels_build(&b, true);
}

static void nomad_ask_next(struct nomad_discovery *d);

static void nomad_on_service(void *arg, const struct http_response *r)
{
    struct nomad_discovery *d = arg;
    cleanup_value struct value *list = NULL;
    d->http.call = NULL;
    cleanup_free char *why = r->status == 404 ? NULL : http_refresh_json(&d->http, r, NOMAD_ANSWER_MAX, &list);
    if (why) {
        nomad_fail(d, why);
        return;
    }
    d->is_stale |= nomad_index(r) < d->version.index;
    for (size_t i = 0; i < meta_items(list); i++)
        meta_add(&d->targets, nomad_target(d, value_item(list, i)));
    nomad_ask_next(d);
}

static void nomad_ask_next(struct nomad_discovery *d)
{
    if (d->next == d->len) {
        struct targets targets = d->targets.list;
        d->targets = (struct meta_targets){0};
        d->exported = d->is_stale ? (struct nomad_version){0} : d->version;
        nomad_forget_services(d);
        refresh_targets(&d->http.refresh, &targets);
        return;
    }
    const struct nomad_service *s = &d->services[d->next++];
    nomad_get(d, "/v1/service/", s->name, s->namespace, nomad_on_service);
}

/* --- the list --- */

static void nomad_add_service(struct nomad_discovery *d, struct str namespace, struct str name)
{
    if (!name.n || d->len == NOMAD_SERVICES_MAX)
        return;
    xgrow(&d->services, &d->cap, d->len + 1, sizeof *d->services);
    d->services[d->len++] = (struct nomad_service){str_dup(namespace), str_dup(name)};
}

static int nomad_by_name(const void *a, const void *b)
{
    const struct nomad_service *x = a, *y = b;
    const int order = strcmp(x->namespace, y->namespace);
    return order ? order : strcmp(x->name, y->name);
}

/* [{"Namespace": "default", "Services": [{"ServiceName": "shop", "Tags": []}]}] */
static void nomad_on_list(void *arg, const struct http_response *r)
{
    struct nomad_discovery *d = arg;
    cleanup_value struct value *list = NULL;
    cleanup_free char *why = http_refresh_json(&d->http, r, NOMAD_ANSWER_MAX, &list);
    if (why) {
        nomad_fail(d, why);
        return;
    }
    nomad_forget_services(d);
    d->version = (struct nomad_version){nomad_index(r), str_hash(r->body)};
    d->is_stale = false;
    if (d->version.index && d->version.index == d->exported.index && d->version.list == d->exported.list) {
        refresh_unchanged(&d->http.refresh);
        return;
    }
    for (size_t i = 0; i < meta_items(list); i++) {
        const struct value *group = value_item(list, i), *services = meta_member(group, "Services");
        for (size_t k = 0; k < meta_items(services); k++)
            nomad_add_service(d, meta_text(group, "Namespace"), meta_text(value_item(services, k), "ServiceName"));
    }
    if (d->len > 1)
        qsort(d->services, d->len, sizeof *d->services, nomad_by_name);
    nomad_ask_next(d);
}

static void discovery_nomad_ask(void *arg)
{
    struct nomad_discovery *d = arg;
    nomad_get(d, "/v1/services", "", nomad_args(d)->namespace, nomad_on_list);
}

/* --- life --- */

static int discovery_nomad_set_args(void *state, const void *args, struct err *err)
{
    struct nomad_discovery *d = state;
    const struct discovery_nomad_args *a = args;
    d->exported = (struct nomad_version){0};
    return http_refresh_take(&d->http, a, &a->http, a->refresh_interval, err);
}

static const struct http_refresh_kind nomad_kind = {
    .mechanism = "nomad",
    .state_size = sizeof(struct nomad_discovery),
    .ask = discovery_nomad_ask,
    .set_args = discovery_nomad_set_args,
    .forget = nomad_forget_services,
};

static int discovery_nomad_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    return http_refresh_build(self, &nomad_kind, args, ret_state, err);
}

const struct component_def discovery_nomad = {
    .name = "discovery.nomad",
    .help = "Discovers the services registered with Nomad.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_nomad_build,
    .update = http_refresh_update,
    .start = http_refresh_start,
    .stop = http_refresh_stop,
    .free = http_refresh_free,
};
