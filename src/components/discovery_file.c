/* discovery.file: targets from JSON and YAML files.
 *
 * conf/follow.h reads the files in a worker when they change and every refresh_interval. They are parsed on the loop,
 * and only if their content changed. A file that cannot be read or parsed keeps its previous targets, makes the
 * component unhealthy and is logged once; a deleted file loses its targets. Targets are ordered by path, group and
 * entry. After an update the previous targets stay until the first result.
 *
 * The reference does not check names and panics on a file that is neither JSON nor YAML; here the load rejects such
 * names. Metrics have the reference's names. Source: spec components §5.0, §5.5.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/sha256.h"
#include "components/env.h"
#include "components/target_groups.h"
#include "conf/file.h"
#include "conf/follow.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/measured.h"

/* Limits for all files of a component: a pattern can match more than was meant. */
enum { FILES_MAX = 10000, TEXTS_MAX = 64 << 20 };

struct discovery_file_args {
    struct string_list files;
    int64_t refresh_interval;
};

static const struct option options[] = {
    {"files", OPT_STRING_LIST, offsetof(struct discovery_file_args, files), .required = true,
     .help = "Paths or glob patterns (`*`, `?`, `[…]`) of files that end in `.json`, `.yml` or `.yaml`."},
    {"refresh_interval", OPT_DURATION, offsetof(struct discovery_file_args, refresh_interval), .default_text = "\"5m\"",
     .help = "Interval at which the files are read without a change event."},
    {0},
};

static int discovery_file_check_args(const void *record, struct err *err)
{
    const struct discovery_file_args *a = record;
    if (a->files.len == 0)
        return err_set(err, -EINVAL, "file service discovery config must contain at least one path name");
    for (size_t i = 0; i < a->files.len; i++) {
        if (!groups_path_ok(a->files.items[i]))
            return err_set(err, -EINVAL,
                           "path name \"%s\" is not valid for file discovery: it must end with .json, .yml or .yaml",
                           a->files.items[i]);
    }
    if (a->refresh_interval < NS_PER_MS)
        return err_set(err, -EINVAL, "refresh_interval must be at least 1ms");
    return 0;
}
static const struct schema schema = {
    .size = sizeof(struct discovery_file_args), .options = options, .validate = discovery_file_check_args};

/* --- metrics --- */

static const double scan_buckets[] = {0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 10, 60};
static struct metric_family mtimes = {.name = "prometheus_sd_file_mtime_seconds",
                                      .help = "Modification time of a target file, in seconds since the epoch.",
                                      .kind = METRIC_GAUGE,
                                      .labels = {"component_id", "component_path", "filename"}};
static struct metric_family read_errors = {.name = "prometheus_sd_file_read_errors_total",
                                           .help = "Target files that could not be read or parsed.",
                                           .kind = METRIC_COUNTER,
                                           .labels = {"component_id", "component_path"}};
static struct metric_family scan_seconds = {.name = "prometheus_sd_file_scan_duration_seconds",
                                            .help = "Time to read all target files, in seconds.",
                                            .kind = METRIC_HISTOGRAM,
                                            .labels = {"component_id", "component_path"},
                                            .buckets = scan_buckets,
                                            .bucket_count = ARRAY_LEN(scan_buckets)};
static struct metric_family watcher_errors = {.name = "prometheus_sd_file_watcher_errors_total",
                                              .help = "Directories that could not be watched for changes.",
                                              .kind = METRIC_COUNTER,
                                              .labels = {"component_id", "component_path"}};

/* --- in a worker: what the files are now --- */

struct scanned_file {
    char *path;
    struct buf text;
    uint8_t contents[SHA256_SIZE];
    struct conf_stamp stamp;
    struct err err;
};

struct file_scan {
    struct scanned_file *files; /* sorted by path */
    size_t len, cap;
    size_t bytes;
    bool too_many;
    double seconds;
};

static void scan_free(void *result)
{
    struct file_scan *s = result;
    for (size_t i = 0; i < s->len; i++) {
        free(s->files[i].path);
        buf_done(&s->files[i].text);
    }
    free(s->files);
    free(s);
}

static int scan_by_path(const void *a, const void *b)
{
    return strcmp(((const struct scanned_file *)a)->path, ((const struct scanned_file *)b)->path);
}

static void scan_add(struct file_scan *s, const char *path)
{
    if (s->len == FILES_MAX) {
        s->too_many = true;
        return;
    }
    xgrow(&s->files, &s->cap, s->len + 1, sizeof *s->files);
    s->files[s->len++] = (struct scanned_file){.path = xstrdup(path), .text = BUF_INIT(0)};
}

/* Names that begin with a period are matched by a period only, as by a shell: tools that replace files write such
 * beside them. */
static void scan_expand(struct file_scan *s, const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            scan_add(s, found.gl_pathv[i]);
    }
    globfree(&found);
}

/* Patterns can overlap. */
static void scan_sort(struct file_scan *s)
{
    size_t kept = 0;
    if (s->len)
        qsort(s->files, s->len, sizeof *s->files, scan_by_path);
    for (size_t i = 0; i < s->len; i++) {
        if (kept && scan_by_path(&s->files[kept - 1], &s->files[i]) == 0)
            free(s->files[i].path);
        else
            s->files[kept++] = s->files[i];
    }
    s->len = kept;
}

static void scan_read(struct file_scan *s, struct scanned_file *f)
{
    if (conf_file_read(f->path, GROUPS_TEXT_MAX, CONF_REGULAR, &f->text, &f->stamp, &f->err) < 0)
        return; /* err says why */
    if (s->bytes + f->text.len > TEXTS_MAX) {
        buf_done(&f->text);
        err_set(&f->err, -EFBIG, "all files together are larger than %d MiB", TEXTS_MAX >> 20);
        return;
    }
    s->bytes += f->text.len;
    sha256(buf_slice(&f->text), f->contents);
}

static void *scan_files(const char *const *patterns, size_t n)
{
    const int64_t begun = clock_ns();
    struct file_scan *s = xcalloc(1, sizeof *s);
    for (size_t i = 0; i < n; i++)
        scan_expand(s, patterns[i]);
    scan_sort(s);
    for (size_t i = 0; i < s->len; i++)
        scan_read(s, &s->files[i]);
    s->seconds = (double)(clock_ns() - begun) / 1e9;
    return s;
}

/* --- on the loop: what they were, and what they are now --- */

struct target_file {
    char *path;
    uint8_t contents[SHA256_SIZE]; /* of what was parsed last, well or not */
    bool is_parsed;
    struct targets targets; /* the last good ones */
    char *trouble;          /* NULL: none */
};

struct file_discovery {
    struct component *self;
    uv_loop_t *loop;
    char **patterns;
    size_t pattern_count;
    int64_t refresh_interval;
    struct conf_follow *follow; /* NULL: not started */
    struct target_file *files;  /* sorted by path */
    size_t len;
    size_t missed; /* directories that are not watched */
    char *component_path;
    const char *component_id;
};

static void target_file_done(const struct file_discovery *d, struct target_file *f)
{
    metric_forget(&mtimes, d->component_id, d->component_path, f->path);
    targets_done(&f->targets);
    free(f->path);
    free(f->trouble);
}

static void target_file_set_trouble(const struct file_discovery *d, struct target_file *f, const char *why)
{
    if (why)
        metric_add(&read_errors, 1, d->component_id, d->component_path);
    if (why && (!f->trouble || strcmp(f->trouble, why) != 0))
        log_warn("cannot read targets; the file keeps its previous targets", L_COMPONENT(component_id(d->self)),
                 L_STR("path", f->path), L_STR("err", why));
    else if (!why && f->trouble)
        log_info("targets readable again", L_COMPONENT(component_id(d->self)), L_STR("path", f->path));
    char *old = f->trouble;
    f->trouble = why ? xstrdup(why) : NULL;
    free(old);
}

static void target_file_parse(const struct file_discovery *d, struct target_file *f, const struct scanned_file *now)
{
    struct targets targets = {0};
    struct err err = {0};
    if (f->is_parsed && memcmp(now->contents, f->contents, sizeof f->contents) == 0 && !f->trouble)
        return;
    f->is_parsed = true;
    memcpy(f->contents, now->contents, sizeof f->contents);
    if (groups_read(f->path, buf_slice(&now->text), &targets, &err) < 0) {
        target_file_set_trouble(d, f, err.text);
        return;
    }
    targets_done(&f->targets);
    f->targets = targets;
    target_file_set_trouble(d, f, NULL);
}

static void target_file_take(const struct file_discovery *d, struct target_file *f, const struct scanned_file *now)
{
    if (now->err.code < 0) {
        target_file_set_trouble(d, f, now->err.text);
        return;
    }
    const struct timespec *changed = &now->stamp.mtime;
    metric_set(&mtimes, (double)changed->tv_sec + (double)changed->tv_nsec / 1e9, d->component_id, d->component_path,
               f->path);
    target_file_parse(d, f, now);
}

static void discovery_file_export(const struct file_discovery *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->len; i++)
        n += d->files[i].targets.len;
    cleanup_free struct labels **all = xcalloc(n + 1, sizeof(struct labels *));
    n = 0;
    for (size_t i = 0; i < d->len; i++) {
        for (size_t k = 0; k < d->files[i].targets.len; k++)
            all[n++] = d->files[i].targets.items[k];
    }
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), targets_value(all, n));
    component_export(d->self, exports);
}

static void discovery_file_health(const struct file_discovery *d, bool too_many)
{
    const struct target_file *first = NULL;
    size_t troubled = 0, targets = 0;
    for (size_t i = 0; i < d->len; i++) {
        targets += d->files[i].targets.len;
        troubled += d->files[i].trouble != NULL;
        if (d->files[i].trouble && !first)
            first = &d->files[i];
    }
    if (too_many)
        component_health(d->self, false, "more than %d files match; the rest is ignored", FILES_MAX);
    else if (troubled > 1)
        component_health(d->self, false, "%s: %s (and %zu more files)", first->path, first->trouble, troubled - 1);
    else if (troubled)
        component_health(d->self, false, "%s: %s", first->path, first->trouble);
    else
        component_health(d->self, true, "%zu targets in %zu files", targets, d->len);
}

/* Both lists are sorted: what is in both goes on with what it was. */
static void discovery_file_merge(struct file_discovery *d, const struct file_scan *s)
{
    struct target_file *next = xcalloc(s->len + 1, sizeof *next);
    size_t old = 0;
    for (size_t i = 0; i < s->len; i++) {
        while (old < d->len && strcmp(d->files[old].path, s->files[i].path) < 0)
            target_file_done(d, &d->files[old++]);
        if (old < d->len && strcmp(d->files[old].path, s->files[i].path) == 0)
            next[i] = d->files[old++];
        else
            next[i].path = xstrdup(s->files[i].path);
    }
    while (old < d->len)
        target_file_done(d, &d->files[old++]);
    free(d->files);
    d->files = next;
    d->len = s->len;
}

static void discovery_file_check_watches(struct file_discovery *d)
{
    const size_t missed = conf_follow_missed(d->follow);
    if (missed > d->missed) {
        metric_add(&watcher_errors, (double)(missed - d->missed), d->component_id, d->component_path);
        log_warn("cannot watch all directories of the files; changes there are detected at refresh_interval",
                 L_COMPONENT(component_id(d->self)), L_INT("directories", missed));
    }
    d->missed = missed;
}

static void discovery_file_take(void *arg, void *result)
{
    struct file_discovery *d = arg;
    struct file_scan *s = result;
    metric_observe(&scan_seconds, s->seconds, d->component_id, d->component_path);
    discovery_file_merge(d, s);
    for (size_t i = 0; i < s->len; i++)
        target_file_take(d, &d->files[i], &s->files[i]);
    discovery_file_check_watches(d);
    discovery_file_health(d, s->too_many);
    discovery_file_export(d);
    scan_free(s);
}

/* --- life --- */

static void discovery_file_follow(struct file_discovery *d)
{
    conf_follow_free(d->follow);
    d->missed = 0;
    d->follow =
        conf_follow_new(&(struct conf_follow_options){.watch = {.loop = d->loop,
                                                                .paths = (const char *const *)d->patterns,
                                                                .path_count = d->pattern_count,
                                                                .patterns = true,
                                                                .poll_ms = (uint64_t)(d->refresh_interval / NS_PER_MS)},
                                                      .read = scan_files,
                                                      .take = discovery_file_take,
                                                      .discard = scan_free,
                                                      .arg = d});
}

static void discovery_file_free_patterns(struct file_discovery *d)
{
    for (size_t i = 0; i < d->pattern_count; i++)
        free(d->patterns[i]);
    free(d->patterns);
}

static void discovery_file_set_args(struct file_discovery *d, const struct discovery_file_args *a)
{
    discovery_file_free_patterns(d);
    d->patterns = xcalloc(a->files.len + 1, sizeof(char *));
    d->pattern_count = a->files.len;
    for (size_t i = 0; i < a->files.len; i++)
        d->patterns[i] = xstrdup(a->files.items[i]);
    d->refresh_interval = a->refresh_interval;
}

static int discovery_file_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    const struct component_env *env = component_env(self);
    struct file_discovery *d = xcalloc(1, sizeof *d);
    *d = (struct file_discovery){.self = self, .loop = env->loop};
    measured_labels(component_id(self), &d->component_path, &d->component_id);
    discovery_file_set_args(d, args);
    *ret_state = d;
    return 0;
}

static int discovery_file_update(void *state, const void *args, struct err *err)
{
    (void)err;
    struct file_discovery *d = state;
    discovery_file_set_args(d, args);
    if (d->follow)
        discovery_file_follow(d);
    return 0;
}

static void discovery_file_start(void *state)
{
    struct file_discovery *d = state;
    metric_add(&read_errors, 0, d->component_id, d->component_path);
    metric_add(&watcher_errors, 0, d->component_id, d->component_path);
    discovery_file_follow(d);
}

static void discovery_file_stop(void *state)
{
    struct file_discovery *d = state;
    conf_follow_free(TAKE_PTR(d->follow));
    component_stopped(d->self);
}

static void discovery_file_free(void *state)
{
    struct file_discovery *d = state;
    conf_follow_free(d->follow);
    for (size_t i = 0; i < d->len; i++)
        target_file_done(d, &d->files[i]);
    free(d->files);
    discovery_file_free_patterns(d);
    metric_forget(&read_errors, d->component_id, d->component_path);
    metric_forget(&watcher_errors, d->component_id, d->component_path);
    metric_forget(&scan_seconds, d->component_id, d->component_path);
    free(d->component_path);
    free(d);
}

static struct value *discovery_file_debug_info(void *state)
{
    const struct file_discovery *d = state;
    cleanup_free struct value **items = xcalloc(d->len + 1, sizeof(struct value *));
    for (size_t i = 0; i < d->len; i++) {
        const struct target_file *f = &d->files[i];
        items[i] = value_object();
        value_object_put(items[i], STR("path"), value_string(str_of(f->path)));
        value_object_put(items[i], STR("targets"), value_int((int64_t)f->targets.len));
        value_object_put(items[i], STR("error"), value_string(str_of(f->trouble ? f->trouble : "")));
    }
    struct value *o = value_object();
    value_object_put(o, STR("files"), value_array(items, d->len));
    value_object_put(o, STR("directories_not_watched"), value_int((int64_t)d->missed));
    return o;
}

static const char *const exports[] = {"targets", NULL};

const struct component_def discovery_file = {
    .name = "discovery.file",
    .help = "Discovers targets from JSON and YAML files, and follows their changes.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .build = discovery_file_build,
    .update = discovery_file_update,
    .start = discovery_file_start,
    .stop = discovery_file_stop,
    .free = discovery_file_free,
    .debug_info = discovery_file_debug_info,
};
