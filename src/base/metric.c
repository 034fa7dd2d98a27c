#include "base/metric.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

struct metric_series {
    double value;      /* histogram: the sum */
    uint64_t *buckets; /* histogram: counts per bucket, last one +Inf */
    char key[];        /* the values of the labels, each ended by a NUL */
};

enum { KEY_MAX = 1 << 20 };

static struct metric_family *families;
static bool alloy_names;

static void register_family(struct metric_family *f)
{
    struct metric_family **at = &families;
    while (*at && strcmp((*at)->name, f->name) < 0)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
    f->registered = true;
}

static size_t label_count(const struct metric_family *f)
{
    size_t n = 0;
    while (n < METRIC_LABELS_MAX && f->labels[n])
        n++;
    return n;
}

/* Valid until the next call. */
static struct str metric_key_of(const struct metric_family *f, const char *const *labels)
{
    static struct buf key = {.max = KEY_MAX};
    buf_reset(&key);
    for (size_t i = 0; i < label_count(f); i++)
        buf_append(&key, labels[i], strlen(labels[i]) + 1);
    return (struct str){buf_cstr(&key), key.len};
}

static struct metric_series *series_of(struct metric_family *f, const char *const *labels)
{
    if (!f->registered)
        register_family(f);
    const struct str key = metric_key_of(f, labels);
    struct metric_series *s = strmap_get(&f->series, key);
    if (s)
        return s;
    s = xcalloc(1, sizeof *s + key.n);
    memcpy(s->key, key.p, key.n);
    if (f->kind == METRIC_HISTOGRAM)
        s->buckets = xcalloc(f->bucket_count + 1, sizeof *s->buckets);
    strmap_put(&f->series, (struct str){s->key, key.n}, s);
    return s;
}

void metric_add_(struct metric_family *f, double by, const char *const *labels)
{
    series_of(f, labels)->value += by;
}

void metric_set_(struct metric_family *f, double to, const char *const *labels)
{
    series_of(f, labels)->value = to;
}

void metric_observe_(struct metric_family *f, double value, const char *const *labels)
{
    struct metric_series *s = series_of(f, labels);
    size_t i = 0;
    while (i < f->bucket_count && value > f->buckets[i])
        i++;
    s->buckets[i]++;
    s->value += value;
}

static void series_free(struct metric_series *s)
{
    if (s)
        free(s->buckets);
    free(s);
}

void metric_forget_(struct metric_family *f, const char *const *labels)
{
    series_free(strmap_del(&f->series, metric_key_of(f, labels)));
}

void metric_clear(struct metric_family *f)
{
    strmap_each(&f->series, e) series_free(e->value);
    strmap_done(&f->series);
}

double metric_value_(struct metric_family *f, const char *const *labels)
{
    const struct metric_series *s = strmap_get(&f->series, metric_key_of(f, labels));
    return s ? s->value : 0;
}

void metric_use_alloy_names(bool yes)
{
    alloy_names = yes;
}

static const char *metric_name_of(const struct metric_family *f)
{
    return alloy_names && f->alloy_name ? f->alloy_name : f->name;
}

static void metric_put_labels(struct buf *out, const struct metric_family *f, const struct metric_series *s,
                              const char *le)
{
    size_t n = label_count(f);
    if (n == 0 && !le)
        return;
    buf_byte(out, '{');
    const char *p = s->key;
    for (size_t i = 0; i < n; i++, p++) {
        buf_printf(out, "%s%s=\"", i ? "," : "", f->labels[i]);
        for (; *p; p++) {
            if (*p == '\n')
                buf_puts(out, "\\n");
            else if (*p == '"' || *p == '\\')
                buf_printf(out, "\\%c", *p);
            else
                buf_byte(out, (uint8_t)*p);
        }
        buf_byte(out, '"');
    }
    if (le)
        buf_printf(out, "%sle=\"%s\"", n ? "," : "", le);
    buf_byte(out, '}');
}

static void metric_put_number(struct buf *out, double v)
{
    if (v == floor(v) && fabs(v) < 1e15)
        buf_printf(out, " %.0f\n", v);
    else
        buf_printf(out, " %.10g\n", v);
}

static void put_histogram(struct buf *out, const struct metric_family *f, const struct metric_series *s)
{
    uint64_t total = 0;
    for (size_t i = 0; i <= f->bucket_count; i++) {
        char le[32] = "+Inf";
        if (i < f->bucket_count)
            snprintf(le, sizeof le, "%g", f->buckets[i]);
        total += s->buckets[i];
        buf_printf(out, "%s_bucket", metric_name_of(f));
        metric_put_labels(out, f, s, le);
        metric_put_number(out, (double)total);
    }
    buf_printf(out, "%s_sum", metric_name_of(f));
    metric_put_labels(out, f, s, NULL);
    metric_put_number(out, s->value);
    buf_printf(out, "%s_count", metric_name_of(f));
    metric_put_labels(out, f, s, NULL);
    metric_put_number(out, (double)total);
}

static void put_family(struct buf *out, const struct metric_family *f)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric_name_of(f), f->help, metric_name_of(f), kinds[f->kind]);
    strmap_each(&f->series, e)
    {
        const struct metric_series *s = e->value;
        if (f->kind == METRIC_HISTOGRAM) {
            put_histogram(out, f, s);
            continue;
        }
        buf_puts(out, metric_name_of(f));
        metric_put_labels(out, f, s, NULL);
        metric_put_number(out, s->value);
    }
}

static void metric_put_process(struct buf *out, const char *name, const char *kind, const char *help, double value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s", name, help, name, kind, name);
    metric_put_number(out, value);
}

double metric_process_start(void)
{
    cleanup_fclose FILE *stat = fopen("/proc/self/stat", "re");
    unsigned long long ticks = 0;
    char line[1024];
    if (!stat || !fgets(line, sizeof line, stat))
        return 0;
    const char *p = strrchr(line, ')');
    for (int field = 2; p && field < 22; field++)
        p = strchr(p + 1, ' ');
    if (p)
        ticks = strtoull(p + 1, NULL, 10);
    const int64_t booted = clock_wall_ns() / NS_PER_SEC - clock_boot_ns() / NS_PER_SEC;
    return (double)booted + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double open_fds(void)
{
    cleanup_closedir DIR *d = opendir("/proc/self/fd");
    double n = -1; /* the listing's own descriptor */
    while (d) {
        struct dirent *e = readdir(d);
        if (!e)
            break;
        n += e->d_name[0] != '.';
    }
    return n;
}

static void render_process(struct buf *out)
{
    struct rusage use = {0};
    struct rlimit files = {0};
    unsigned long long size = 0, resident = 0;
    cleanup_fclose FILE *statm = fopen("/proc/self/statm", "re");
    if (statm && fscanf(statm, "%llu %llu", &size, &resident) != 2)
        size = resident = 0;
    getrusage(RUSAGE_SELF, &use);
    getrlimit(RLIMIT_NOFILE, &files);
    double page = (double)sysconf(_SC_PAGESIZE);
    metric_put_process(out, "process_cpu_seconds_total", "counter", "User and system CPU time spent, in seconds.",
                       (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    metric_put_process(out, "process_max_fds", "gauge", "Limit of open file descriptors.", (double)files.rlim_cur);
    metric_put_process(out, "process_open_fds", "gauge", "Open file descriptors.", open_fds());
    metric_put_process(out, "process_resident_memory_bytes", "gauge", "Resident memory, in bytes.",
                       (double)resident * page);
    metric_put_process(out, "process_start_time_seconds", "gauge", "Start time since the Unix epoch, in seconds.",
                       metric_process_start());
    metric_put_process(out, "process_virtual_memory_bytes", "gauge", "Virtual memory, in bytes.", (double)size * page);
}

void metric_render(struct buf *out)
{
    render_process(out);
    for (const struct metric_family *f = families; f; f = f->next) {
        if (f->series.len > 0)
            put_family(out, f);
    }
}

static struct metric_reading metric_read(const struct metric_family *f, const struct metric_series *s)
{
    struct metric_reading r = {.value = s->value, .label_count = label_count(f)};
    const char *value = s->key;
    for (size_t i = 0; i < r.label_count; i++) {
        r.names[i] = f->labels[i];
        r.values[i] = value;
        value += strlen(value) + 1;
    }
    for (size_t i = 0; s->buckets && i <= f->bucket_count; i++)
        r.count += (double)s->buckets[i];
    return r;
}

void metric_each(const char *name, void (*visit)(void *arg, const struct metric_reading *r), void *arg)
{
    const struct metric_family *f = families;
    while (f && strcmp(f->name, name) != 0)
        f = f->next;
    if (!f)
        return;
    strmap_each(&f->series, e)
    {
        const struct metric_reading r = metric_read(f, e->value);
        visit(arg, &r);
    }
}
