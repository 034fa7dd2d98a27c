/* discovery.dns: targets from DNS records.
 *
 * The names of a refresh are looked up one after the other in a worker, of all components of this kind one refresh at a
 * time: a server that does not answer must not take all workers. A name that cannot be resolved keeps its targets and
 * makes the component unhealthy; one that does not exist has none.
 * Source: spec components §5.5; the component's page in Alloy's documentation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/work.h"
#include "components/dns_lookup.h"
#include "components/env.h"
#include "components/meta_labels.h"
#include "components/refresh.h"
#include "graph/component.h"

struct discovery_dns_args {
    struct string_list names;
    enum dns_type type;
    int64_t port, refresh_interval;
};

static const struct option_words type_words = {
    .unknown = "invalid DNS-SD records type",
    .form = UNKNOWN_LISTED,
    .words = (const struct option_word[]){
        {"SRV", DNS_SRV}, {"A", DNS_A}, {"AAAA", DNS_AAAA}, {"MX", DNS_MX}, {"NS", DNS_NS}, {0}}};

static const struct option options[] = {
    {"names", OPT_STRING_LIST, offsetof(struct discovery_dns_args, names), .required = true,
     .help = "Names to look up; those without a dot at the end also in the search domains of the host."},
    {"type", OPT_ENUM, offsetof(struct discovery_dns_args, type), .words = &type_words, .default_text = "\"SRV\"",
     .help = "Type of the records."},
    {"port", OPT_INT, offsetof(struct discovery_dns_args, port), .default_text = "0",
     .help = "Port in `__address__`; required unless `type` is `SRV`."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_dns_args, refresh_interval), .default_text = "\"30s\"",
     .help = "Interval of look-ups."},
    {0},
};

static int discovery_dns_check(const void *record, struct err *err)
{
    const struct discovery_dns_args *a = record;
    if (a->names.len == 0)
        return err_set(err, -EINVAL, "DNS-SD config must contain at least one SRV record name");
    if (a->type != DNS_SRV && a->port == 0)
        return err_set(err, -EINVAL, "a port is required in DNS-SD configs for all record types except SRV");
    if (a->port < 0 || a->port > UINT16_MAX)
        return err_set(err, -EINVAL, "port must be from 1 to 65535");
    return refresh_check_interval(a->refresh_interval, err);
}
static const struct schema schema = {
    .size = sizeof(struct discovery_dns_args), .options = options, .validate = discovery_dns_check};

static struct metric_family lookups = {.name = "prometheus_sd_dns_lookups_total",
                                       .help = "DNS look-ups for targets.",
                                       .kind = METRIC_COUNTER,
                                       .labels = {"component_id", "component_path"}};
static struct metric_family lookup_failures = {.name = "prometheus_sd_dns_lookup_failures_total",
                                               .help = "DNS look-ups for targets that failed.",
                                               .kind = METRIC_COUNTER,
                                               .labels = {"component_id", "component_path"}};

/* --- in a worker --- */

struct dns_answer {
    char *name; /* owned */
    struct dns_records records;
    struct err err;
};

struct dns_job {
    struct list node; /* while it waits */
    uv_work_t work;
    uv_loop_t *loop;
    struct dns_discovery *owner; /* NULL: gone */
    enum dns_type type;
    size_t len;
    struct dns_answer answers[];
};

struct dns_discovery {
    const struct discovery_dns_args *args; /* one reference */
    struct refresh refresh;
    struct dns_job *job;     /* NULL: none */
    struct targets *targets; /* of each name; owned */
    size_t len;
};

static struct list dns_waiting = {&dns_waiting, &dns_waiting};
static bool dns_busy;

static void dns_job_free(struct dns_job *job)
{
    for (size_t i = 0; i < job->len; i++) {
        free(job->answers[i].name);
        dns_records_done(&job->answers[i].records);
    }
    free(job);
}

static void dns_job_run(uv_work_t *work)
{
    struct dns_job *job = work->data;
    for (size_t i = 0; i < job->len; i++) {
        struct dns_answer *a = &job->answers[i];
        a->err.code = dns_lookup(a->name, job->type, &a->records, &a->err);
    }
}

static void discovery_dns_take(struct dns_discovery *d, const struct dns_job *job);
static void dns_job_next(void);

static void dns_job_end(uv_work_t *work, int status)
{
    struct dns_job *job = work->data;
    (void)status;
    dns_busy = false;
    if (job->owner) {
        job->owner->job = NULL;
        discovery_dns_take(job->owner, job);
    }
    dns_job_free(job);
    dns_job_next();
}

static void dns_job_next(void)
{
    if (dns_busy || list_empty(&dns_waiting))
        return;
    struct dns_job *job = list_entry(dns_waiting.next, struct dns_job, node);
    list_del(&job->node);
    dns_busy = true;
    work_queue(job->loop, &job->work, dns_job_run, dns_job_end);
}

static void dns_job_drop(struct dns_job *job)
{
    job->owner = NULL;
    if (list_empty(&job->node))
        return; /* it runs, and ends by itself */
    list_del(&job->node);
    dns_job_free(job);
}

/* --- on the loop --- */

static struct labels *discovery_dns_target(const struct discovery_dns_args *a, const char *name,
                                           const struct dns_record *r)
{
    static const char *const names[] = {
        [DNS_SRV] = "__meta_dns_srv_record_target",
        [DNS_MX] = "__meta_dns_mx_record_target",
        [DNS_NS] = "__meta_dns_ns_record_target",
    };
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    meta_put_address(&b, str_of(r->host), a->type == DNS_SRV ? r->port : a->port);
    meta_put(&b, "__meta_dns_name", str_of(name));
    if (a->type == DNS_SRV)
        meta_put_number(&b, "__meta_dns_srv_record_port", r->port);
    if (a->type != DNS_A && a->type != DNS_AAAA) {
        cleanup_free char *rooted = xasprintf("%s.", r->host);
        meta_put(&b, names[a->type], str_of(rooted));
    }
    return labels_build(&b, true);
}

static void discovery_dns_set(struct dns_discovery *d, size_t i, const struct dns_answer *answer)
{
    struct meta_targets targets = {0};
    for (size_t k = 0; k < answer->records.len; k++)
        meta_add(&targets, discovery_dns_target(d->args, answer->name, &answer->records.items[k]));
    targets_done(&d->targets[i]);
    d->targets[i] = targets.list;
}

static void discovery_dns_take(struct dns_discovery *d, const struct dns_job *job)
{
    const char *id = d->refresh.component_id, *path = d->refresh.component_path, *why = NULL;
    struct meta_targets all = {0};
    size_t failed = 0;
    for (size_t i = 0; i < job->len; i++) {
        metric_add(&lookups, 1, id, path);
        metric_add(&lookup_failures, job->answers[i].err.code < 0, id, path);
        failed += job->answers[i].err.code < 0;
        if (job->answers[i].err.code == 0)
            discovery_dns_set(d, i, &job->answers[i]);
        else if (!why)
            why = job->answers[i].err.text;
        for (size_t k = 0; k < d->targets[i].len; k++)
            meta_add(&all, labels_ref(d->targets[i].items[k]));
    }
    if (!why)
        refresh_targets(&d->refresh, &all.list);
    else if (failed < job->len)
        refresh_partly(&d->refresh, &all.list, why);
    else {
        targets_done(&all.list);
        refresh_failed(&d->refresh, why);
    }
}

static void discovery_dns_ask(void *arg)
{
    struct dns_discovery *d = arg;
    struct dns_job *job = xcalloc(1, sizeof *job + d->len * sizeof job->answers[0]);
    job->work.data = job;
    job->loop = d->refresh.loop;
    job->owner = d;
    job->type = d->args->type;
    job->len = d->len;
    for (size_t i = 0; i < d->len; i++)
        job->answers[i].name = xstrdup(d->args->names.items[i]);
    d->job = job;
    list_push(&dns_waiting, &job->node);
    dns_job_next();
}

/* --- life --- */

static void discovery_dns_cancel(struct dns_discovery *d)
{
    if (d->job)
        dns_job_drop(TAKE_PTR(d->job));
    refresh_cancelled(&d->refresh);
}

static void discovery_dns_forget(struct dns_discovery *d)
{
    for (size_t i = 0; i < d->len; i++)
        targets_done(&d->targets[i]);
    free(d->targets);
    args_unref(d->args);
}

/* What is exported stays until the next answer. */
static void discovery_dns_set_args(struct dns_discovery *d, const struct discovery_dns_args *a)
{
    discovery_dns_forget(d);
    d->args = args_ref(a);
    d->len = a->names.len;
    d->targets = xcalloc(d->len + 1, sizeof *d->targets);
    refresh_set_interval(&d->refresh, a->refresh_interval);
}

static int discovery_dns_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    const struct component_env *env = component_env(self);
    struct dns_discovery *d = xcalloc(1, sizeof *d);
    refresh_init(&d->refresh, self, env->loop, "dns", discovery_dns_ask, d);
    discovery_dns_set_args(d, args);
    *ret_state = d;
    return 0;
}

static int discovery_dns_update(void *state, const void *args, struct err *err)
{
    struct dns_discovery *d = state;
    (void)err;
    discovery_dns_cancel(d);
    discovery_dns_set_args(d, args);
    refresh_now(&d->refresh);
    return 0;
}

static void discovery_dns_start(void *state)
{
    struct dns_discovery *d = state;
    metric_add(&lookup_failures, 0, d->refresh.component_id, d->refresh.component_path);
    refresh_start(&d->refresh);
}

static void discovery_dns_stop(void *state)
{
    struct dns_discovery *d = state;
    discovery_dns_cancel(d);
    refresh_stop(&d->refresh);
    component_stopped(d->refresh.self);
}

static void discovery_dns_free(void *state)
{
    struct dns_discovery *d = state;
    discovery_dns_cancel(d);
    metric_forget(&lookups, d->refresh.component_id, d->refresh.component_path);
    metric_forget(&lookup_failures, d->refresh.component_id, d->refresh.component_path);
    refresh_done(&d->refresh);
    discovery_dns_forget(d);
    free(d);
}

const struct component_def discovery_dns = {
    .name = "discovery.dns",
    .help = "Discovers targets by DNS records.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = refresh_exports,
    .build = discovery_dns_build,
    .update = discovery_dns_update,
    .start = discovery_dns_start,
    .stop = discovery_dns_stop,
    .free = discovery_dns_free,
};
