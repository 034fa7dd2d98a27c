#include "components/pyroscope_scrape_jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "net/url.h"

#define SCOPE        "com.grafana.alloy/pyroscope.scrape"
#define PARAM_PREFIX "__param_"
enum { URL_BYTES_MAX = 16 << 10 };

/* What Go counts since the start of the program; memory in use is as it is. */
static const char *const memory_deltas[] = {"alloc_objects", "alloc_space", NULL}, *const wait_deltas[] = {
                                                                                       "contentions", "delay", NULL};

/* --- labels --- */

static void scrape_default_label(struct labels_builder *b, struct str name, struct str value)
{
    if (value.n && !labels_builder_get(b, name).n)
        labels_set(b, name, value);
}

static struct str scrape_infer_service(const struct labels *target, char **room)
{
    static const char *const single[] = {"__meta_docker_container_name",
                                         "__meta_dockerswarm_container_label_service_name",
                                         "__meta_dockerswarm_service_name", NULL};
    const struct str annotation = labels_get(target, STR("__meta_kubernetes_pod_annotation_pyroscope_io_service_name"));
    const struct str ns = labels_get(target, STR("__meta_kubernetes_namespace"));
    const struct str container = labels_get(target, STR("__meta_kubernetes_pod_container_name"));
    if (annotation.n)
        return annotation;
    if (ns.n && container.n) {
        *room = xasprintf("%.*s/%.*s", STR_ARG(ns), STR_ARG(container));
        return str_of(*room);
    }
    for (const char *const *name = single; *name; name++) {
        struct str value = labels_get(target, str_of(*name));
        while (value.n && value.p[0] == '/') /* Docker's names begin with one */
            value = (struct str){value.p + 1, value.n - 1};
        if (value.n)
            return value;
    }
    return STR("unspecified");
}

static void scrape_scope(struct labels_builder *b, const char *version)
{
    scrape_default_label(b, STR("otel.scope.name"), STR(SCOPE));
    if (str_is(labels_builder_get(b, STR("otel.scope.name")), SCOPE))
        scrape_default_label(b, STR("otel.scope.version"), str_of(version));
}

/* The port of the scheme where the address has none; NULL: it is no address. To be freed. */
static char *scrape_address(struct str address, struct str scheme)
{
    const char *colon = address.n ? memrchr(address.p, ':', address.n) : NULL;
    const bool bracketed = address.n && address.p[0] == '[';
    const char *close = bracketed ? memchr(address.p, ']', address.n) : NULL;
    if (!address.n || memchr(address.p, '/', address.n) || memchr(address.p, ' ', address.n) || (bracketed && !close))
        return NULL;
    const bool has_port = bracketed ? close + 1 < address.p + address.n : colon != NULL;
    return xasprintf("%.*s%s", STR_ARG(address), has_port ? "" : str_is(scheme, "https") ? ":443" : ":80");
}

/* --- the URL --- */

/* A path without double slashes at the seams. */
static void scrape_put_path(struct buf *url, struct str path)
{
    while (path.n && path.p[0] == '/')
        path = (struct str){path.p + 1, path.n - 1};
    while (path.n && path.p[path.n - 1] == '/')
        path.n--;
    if (path.n) {
        buf_byte(url, '/');
        buf_str(url, path);
    }
}

static void scrape_put_param(struct buf *url, struct str name, struct str value)
{
    buf_byte(url, memchr(url->p, '?', url->len) ? '&' : '?');
    http_url_encode(url, name);
    buf_byte(url, '=');
    http_url_encode(url, value);
}

/* Parameters of the arguments; a label of the target replaces the first value. */
static void scrape_put_params(struct buf *url, const struct scrape_params *params, const struct labels *labels,
                              int64_t seconds)
{
    char label[256];
    bool has_seconds = false;
    for (size_t i = 0; i < params->len; i++) {
        const struct scrape_param *p = &params->items[i];
        snprintf(label, sizeof label, PARAM_PREFIX "%s", p->name);
        const struct str own = labels_get(labels, str_of(label));
        for (size_t k = 0; k < p->values.len; k++)
            scrape_put_param(url, str_of(p->name), k == 0 && own.n ? own : str_of(p->values.items[k]));
        has_seconds |= strcmp(p->name, "seconds") == 0 && p->values.len;
    }
    for (size_t i = 0; i < labels_len(labels); i++) {
        const struct label *l = labels_at(labels, i);
        const struct str name = {l->name.p + sizeof PARAM_PREFIX - 1, l->name.n - (sizeof PARAM_PREFIX - 1)};
        bool known = !str_has_prefix(l->name, STR(PARAM_PREFIX));
        for (size_t k = 0; !known && k < params->len; k++)
            known = str_is(name, params->items[k].name) && params->items[k].values.len;
        if (known)
            continue;
        scrape_put_param(url, name, l->value);
        has_seconds |= str_is(name, "seconds");
    }
    if (seconds && !has_seconds) {
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)seconds);
        scrape_put_param(url, STR("seconds"), str_of(text));
    }
}

static char *scrape_url(const struct scrape_args *a, const struct labels *labels, int64_t seconds)
{
    struct buf url = BUF_INIT(URL_BYTES_MAX);
    buf_str(&url, labels_get(labels, STR("__scheme__")));
    buf_puts(&url, "://");
    buf_str(&url, labels_get(labels, STR("__address__")));
    scrape_put_path(&url, labels_get(labels, STR("__profile_path_prefix__")));
    scrape_put_path(&url, labels_get(labels, STR("__profile_path__")));
    scrape_put_params(&url, &a->params, labels, seconds);
    size_t len;
    char *text = (char *)buf_take(&url, &len);
    buf_done(&url);
    return text;
}

/* --- jobs --- */

struct scrape_maker {
    struct scrape_jobs *jobs;
    const struct scrape_args *args;
    const struct labels *target;
    const char *id, *version;
};

static void scrape_problem(struct scrape_maker *m, const char *what)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX * 4);
    labels_print(m->target, &text);
    m->jobs->problems++;
    snprintf(m->jobs->problem, sizeof m->jobs->problem, "%s: %.300s", what, buf_cstr(&text));
}

/* Whether to compare is decided by the profile's name; those of godeltaprof are compared, and called like the
 * others. */
static void scrape_name_job(struct labels_builder *b, struct scrape_job *j, const char *profile)
{
    static const struct {
        const char *name, *as;
        const char *const *deltas;
    } names[] = {
        {"memory", "memory", memory_deltas},  {"mutex", "mutex", wait_deltas},
        {"block", "block", wait_deltas},      {"godeltaprof_memory", "memory", NULL},
        {"godeltaprof_mutex", "mutex", NULL}, {"godeltaprof_block", "block", NULL},
    };
    j->profile = profile;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(profile, names[i].name) != 0)
            continue;
        j->deltas = names[i].deltas;
        labels_set(b, STR("__name__"), str_of(names[i].as));
        labels_set(b, STR("__delta__"), STR("false")); /* the server is not to compare again */
    }
}

struct scrape_find {
    const char *name;
    bool delta;
};

static void scrape_find_delta(void *arg, const char *name, const struct scrape_profile_args *p)
{
    struct scrape_find *f = arg;
    if (strcmp(f->name, name) == 0)
        f->delta = p->delta;
}

static bool scrape_set_address(struct scrape_maker *m, struct labels_builder *b)
{
    const struct str scheme = labels_builder_get(b, STR("__scheme__"));
    const struct str given = labels_builder_get(b, STR("__address__"));
    if (!str_is(scheme, "http") && !str_is(scheme, "https")) {
        scrape_problem(m, "invalid scheme");
        return false;
    }
    cleanup_free char *address = scrape_address(given, scheme);
    if (!address) {
        scrape_problem(m, given.n ? "not an address" : "no address");
        return false;
    }
    labels_set(b, STR("__address__"), str_of(address));
    scrape_default_label(b, STR("instance"), str_of(address));
    return true;
}

static void scrape_make_job(void *arg, const char *name, const struct scrape_profile_args *p)
{
    struct scrape_maker *m = arg;
    const struct scrape_args *a = m->args;
    if (!p->enabled)
        return;
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    cleanup_free char *room = NULL;
    labels_builder_from(&b, m->target);
    scrape_default_label(&b, STR("__profile_path__"), str_of(p->path));
    scrape_default_label(&b, STR("__profile_path_prefix__"), str_of(a->profiling.path_prefix));
    scrape_default_label(&b, STR("__name__"), str_of(name));
    scrape_default_label(&b, STR("__scheme__"), str_of(a->scheme));
    scrape_default_label(&b, STR("job"), str_of(*a->job_name ? a->job_name : m->id));
    if (!scrape_set_address(m, &b))
        return;
    scrape_default_label(&b, STR("service_name"), scrape_infer_service(m->target, &room));
    scrape_scope(&b, m->version);
    cleanup_free char *profile = str_dup(labels_builder_get(&b, STR("__name__")));
    struct scrape_find find = {.name = profile};
    scrape_each_profile(&a->profiling, scrape_find_delta, &find);
    struct scrape_job j = {.seconds = find.delta ? scrape_delta_seconds(a) : 0};
    scrape_name_job(&b, &j, profile);
    j.labels = labels_build(&b, true);
    j.profile = labels_get(j.labels, STR("__name__")).p;
    j.url = scrape_url(a, j.labels, j.seconds);
    if (!j.url) {
        labels_unref(j.labels);
        scrape_problem(m, "URL too long");
        return;
    }
    j.hash = labels_hash(j.labels) ^ str_hash(str_of(j.url));
    xgrow(&m->jobs->items, &m->jobs->cap, m->jobs->len + 1, sizeof *m->jobs->items);
    m->jobs->items[m->jobs->len++] = j;
}

void scrape_jobs_make(struct scrape_jobs *jobs, const struct scrape_args *a, const char *id, const char *version)
{
    *jobs = (struct scrape_jobs){0};
    for (size_t i = 0; i < a->targets.len; i++) {
        struct scrape_maker m = {jobs, a, a->targets.items[i], id, version};
        scrape_each_profile(&a->profiling, scrape_make_job, &m);
    }
}

void scrape_job_done(struct scrape_job *j)
{
    free(j->url);
    labels_unref(j->labels);
    *j = (struct scrape_job){0};
}

void scrape_jobs_done(struct scrape_jobs *jobs)
{
    for (size_t i = 0; i < jobs->len; i++)
        scrape_job_done(&jobs->items[i]);
    free(jobs->items);
    *jobs = (struct scrape_jobs){0};
}
