#include "components/pyroscope_write_fit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/work.h"
#include "pprof/split.h"

/* Pyroscope's default for the length of a value. */
enum { LABEL_VALUE_MAX = 2048 };

static struct metric_family adapted = {.name = "smolder_adapted_profiles_total",
                                       .help = "Profiles changed to meet a limit of a server, by change: labels, "
                                               "label_value, split.",
                                       .kind = METRIC_COUNTER,
                                       .labels = {"change"}};

/* --- labels --- */

/* Of fewer labels these are the last to go, in this order. */
static const char *const identifying[] = {
    "__name__", "service_name", "__delta__", "namespace", "service_namespace",
    "pod",      "container",    "node",      "instance",  "deployment_environment",
    "env",      "cluster",      "job",       "host",      "hostname",
    "pid",
};

static size_t write_fit_rank(struct str name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(identifying) && !str_is(name, identifying[i]))
        i++;
    /* These say who profiled, which nobody selects by. */
    return i + (str_is(name, "pyroscope_spy") || str_has_prefix(name, STR("otel.scope.")));
}

/* The label to go next: of the highest rank the last by name. */
static size_t write_fit_least(const struct labels_builder *b)
{
    size_t least = 0;
    for (size_t i = 1; i < b->len; i++) {
        if (write_fit_rank(b->items[i].name) >= write_fit_rank(b->items[least].name))
            least = i;
    }
    return least;
}

static struct labels *write_fit_fewer(const struct labels *labels, size_t most)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    if (most < 2 || labels_len(labels) <= most)
        return NULL;
    labels_builder_from(&b, labels);
    while (b.len > most) {
        cleanup_free char *name = str_dup(b.items[write_fit_least(&b)].name);
        labels_del(&b, str_of(name));
    }
    metric_add(&adapted, 1, "labels");
    return labels_build(&b, false);
}

/* Cut at the start of a character. */
static struct str write_fit_cut(struct str value, size_t most)
{
    if (value.n <= most)
        return value;
    while (most && ((uint8_t)value.p[most] & 0xc0) == 0x80)
        most--;
    return (struct str){value.p, most};
}

static struct labels *write_fit_shorter(const struct labels *labels, size_t most)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    bool changed = false;
    labels_builder_from(&b, labels);
    for (size_t i = 0; i < labels_len(labels); i++) {
        const struct label *l = labels_at(labels, i);
        const struct str cut = write_fit_cut(l->value, most);
        if (cut.n == l->value.n)
            continue;
        labels_set(&b, l->name, cut);
        changed = true;
    }
    if (!changed)
        return NULL;
    metric_add(&adapted, 1, "label_value");
    return labels_build(&b, false);
}

struct labels *write_fit_labels(const struct labels *labels, struct push_limit limit)
{
    if (limit.kind == PUSH_LIMIT_LABELS)
        return write_fit_fewer(labels, (size_t)limit.most);
    if (limit.kind == PUSH_LIMIT_LABEL_VALUE)
        return write_fit_shorter(labels, limit.most > 0 ? (size_t)limit.most : LABEL_VALUE_MAX);
    return NULL;
}

/* --- splitting --- */

struct write_fit {
    uv_work_t work;
    struct encoded_profile *profile; /* one reference; the worker reads its bytes, which do not change */
    struct pprof_split_limits limits;
    struct pprof_parts parts;
    struct err err;
    int code;
    write_fit_done *done; /* NULL: cancelled */
    void *arg;
};

static void write_fit_run(uv_work_t *w)
{
    struct write_fit *f = w->data;
    const struct str whole = {(const char *)f->profile->pprof, f->profile->len};
    f->code = pprof_split(whole, &f->limits, &f->parts, &f->err);
}

static struct encoded_profile *write_fit_part(struct write_fit *f, size_t i)
{
    struct pprof_part *part = &f->parts.items[i];
    struct encoded_profile *p = encoded_profile_new(TAKE_PTR(part->pprof), part->len, part->samples, part->time_nanos,
                                                    f->profile->duration_nanos);
    p->origin = f->profile->origin ? profile_origin_ref(f->profile->origin) : NULL;
    /* After several divisions there is no room, and the part has an ID of its own. */
    if (strlen(f->profile->id) <= 40)
        snprintf(p->id, sizeof p->id, "%.40s-%u", f->profile->id, (unsigned)i + 1);
    return p;
}

static void write_fit_finish(struct write_fit *f)
{
    cleanup_free struct encoded_profile **items = xcalloc(f->parts.len + 1, sizeof(struct encoded_profile *));
    struct write_fit_parts parts = {.items = items, .lost = f->parts.samples_lost, .reason = ""};
    if (f->code < 0)
        parts.reason = f->err.text;
    else if (f->parts.len < 2 && !f->parts.samples_lost)
        parts.reason = "it has one sample";
    else
        for (; parts.len < f->parts.len; parts.len++)
            items[parts.len] = write_fit_part(f, parts.len);
    if (parts.len)
        metric_add(&adapted, 1, "split");
    f->done(f->arg, &parts);
}

static void write_fit_after(uv_work_t *w, int status)
{
    struct write_fit *f = w->data;
    if (status < 0)
        f->code = err_set(&f->err, status, "cancelled");
    if (f->done)
        write_fit_finish(f);
    pprof_parts_done(&f->parts);
    encoded_profile_unref(f->profile);
    free(f);
}

struct write_fit *write_fit_start(uv_loop_t *loop, struct encoded_profile *p, struct push_limit limit,
                                  write_fit_done *done, void *arg)
{
    struct write_fit *f = xcalloc(1, sizeof *f);
    f->work.data = f;
    f->profile = encoded_profile_ref(p);
    f->done = done;
    f->arg = arg;
    if (limit.kind == PUSH_LIMIT_SAMPLES && limit.most > 0)
        f->limits.samples = (size_t)limit.most;
    else if (limit.kind == PUSH_LIMIT_BYTES && limit.most > 0)
        f->limits.bytes = (size_t)limit.most;
    f->limits.parts = 2;
    work_queue(loop, &f->work, write_fit_run, write_fit_after);
    return f;
}

void write_fit_cancel(struct write_fit *f)
{
    f->done = NULL;
    (void)work_cancel(&f->work);
}
