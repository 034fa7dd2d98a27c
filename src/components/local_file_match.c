/* local.file_match: a target for each file that matches the pattern in `__path__` of a target.
 *
 * A worker looks for the files every sync_period. Targets keep the order of path_targets; those of one are sorted by
 * path. Source: spec components §5.6.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "components/env.h"
#include "components/file_glob.h"
#include "components/meta_labels.h"
#include "conf/follow.h"
#include "flow/targets.h"
#include "graph/component.h"

struct local_file_match_args {
    struct targets path_targets;
    int64_t sync_period, ignore_older_than;
};

static const struct option options[] = {
    {"path_targets", OPT_CUSTOM, offsetof(struct local_file_match_args, path_targets), .required = true,
     .custom = &targets_option,
     .help = "Targets with a pattern in `__path__`, and optionally one of what is left out in `__path_exclude__`."},
    {"sync_period", OPT_DURATION, offsetof(struct local_file_match_args, sync_period), .default_text = "\"10s\"",
     .help = "Interval at which files are looked for."},
    {"ignore_older_than", OPT_DURATION, offsetof(struct local_file_match_args, ignore_older_than),
     .default_text = "\"0s\"", .help = "Ignore files that were not modified for this long; `0s`: none."},
    {0},
};

static int local_file_match_check(const void *record, struct err *err)
{
    const struct local_file_match_args *a = record;
    if (a->sync_period < NS_PER_MS)
        return err_set(err, -EINVAL, "sync_period must be greater than 0");
    return a->ignore_older_than < 0 ? err_set(err, -EINVAL, "ignore_older_than must not be negative") : 0;
}
static const struct schema schema = {
    .size = sizeof(struct local_file_match_args), .options = options, .validate = local_file_match_check};

/* --- in a worker --- */

/* Of each target. */
struct match_scan {
    size_t len;
    struct file_matches matches[];
};

static void match_scan_free(void *result)
{
    struct match_scan *s = result;
    for (size_t i = 0; i < s->len; i++)
        file_matches_done(&s->matches[i]);
    free(s);
}

/* The paths are pairs: a pattern, and what it leaves out. */
static void *match_scan_read(const char *const *paths, size_t n)
{
    struct match_scan *s = xcalloc(1, sizeof *s + (n / 2) * sizeof s->matches[0]);
    s->len = n / 2;
    for (size_t i = 0; i < s->len; i++) {
        struct file_matches *m = &s->matches[i];
        size_t kept = 0;
        file_glob(paths[2 * i], m);
        for (size_t k = 0; *paths[2 * i + 1] && k < m->len; k++) {
            if (file_glob_matches(paths[2 * i + 1], m->items[k].path))
                free(m->items[k].path);
            else
                m->items[kept++] = m->items[k];
        }
        m->len = *paths[2 * i + 1] ? kept : m->len;
    }
    return s;
}

/* --- on the loop --- */

struct file_matcher {
    struct component *self;
    const struct local_file_match_args *args; /* one reference */
    struct conf_follow *follow;               /* NULL: not started */
    char **paths;                             /* pairs, as above; owned */
};

static void file_match_take(void *arg, void *result)
{
    struct file_matcher *f = arg;
    struct match_scan *s = result;
    const int64_t oldest =
        f->args->ignore_older_than ? (int64_t)time(NULL) - f->args->ignore_older_than / NS_PER_SEC : 0;
    struct meta_targets targets = {0};
    bool too_many = false;
    for (size_t i = 0; i < s->len && i < f->args->path_targets.len; i++) {
        too_many |= s->matches[i].too_many;
        for (size_t k = 0; k < s->matches[i].len; k++) {
            cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
            if (oldest && s->matches[i].items[k].mtime < oldest)
                continue;
            labels_builder_from(&b, f->args->path_targets.items[i]);
            labels_set(&b, STR("__path__"), str_of(s->matches[i].items[k].path));
            meta_add(&targets, labels_build(&b, false));
        }
    }
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), targets_value(targets.list.items, targets.list.len));
    if (too_many)
        component_health(f->self, false, "more than %d files match a pattern; the rest is ignored", FILE_GLOB_MAX);
    else
        component_health(f->self, true, "%zu files", targets.list.len);
    targets_done(&targets.list);
    component_export(f->self, exports);
    match_scan_free(s);
}

static void file_match_follow(struct file_matcher *f)
{
    const struct component_env *env = component_env(f->self);
    conf_follow_free(f->follow);
    f->follow = conf_follow_new(
        &(struct conf_follow_options){.watch = {.loop = env->loop,
                                                .paths = (const char *const *)f->paths,
                                                .path_count = 2 * f->args->path_targets.len,
                                                .no_events = true,
                                                .poll_ms = (uint64_t)(f->args->sync_period / NS_PER_MS)},
                                      .read = match_scan_read,
                                      .take = file_match_take,
                                      .discard = match_scan_free,
                                      .arg = f});
}

static char *file_match_absolute(struct str pattern)
{
    char cwd[PATH_MAX];
    if (!pattern.n || pattern.p[0] == '/' || !getcwd(cwd, sizeof cwd))
        return str_dup(pattern);
    return xasprintf("%s/%.*s", cwd, STR_ARG(pattern));
}

static void file_match_forget(struct file_matcher *f)
{
    for (size_t i = 0; f->args && i < 2 * f->args->path_targets.len; i++)
        free(f->paths[i]);
    free(f->paths);
    args_unref(f->args);
}

static void file_match_set_args(struct file_matcher *f, const struct local_file_match_args *a)
{
    file_match_forget(f);
    f->args = args_ref(a);
    f->paths = xcalloc(2 * a->path_targets.len + 1, sizeof *f->paths);
    for (size_t i = 0; i < a->path_targets.len; i++) {
        f->paths[2 * i] = file_match_absolute(labels_get(a->path_targets.items[i], STR("__path__")));
        f->paths[2 * i + 1] = file_match_absolute(labels_get(a->path_targets.items[i], STR("__path_exclude__")));
    }
}

static int local_file_match_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    struct file_matcher *f = xcalloc(1, sizeof *f);
    f->self = self;
    file_match_set_args(f, args);
    *ret_state = f;
    return 0;
}

static int local_file_match_update(void *state, const void *args, struct err *err)
{
    struct file_matcher *f = state;
    (void)err;
    const bool started = f->follow != NULL;
    conf_follow_free(TAKE_PTR(f->follow)); /* which borrows the paths */
    file_match_set_args(f, args);
    if (started)
        file_match_follow(f);
    return 0;
}

static void local_file_match_start(void *state)
{
    file_match_follow(state);
}

static void local_file_match_stop(void *state)
{
    struct file_matcher *f = state;
    conf_follow_free(TAKE_PTR(f->follow));
    component_stopped(f->self);
}

static void local_file_match_free(void *state)
{
    struct file_matcher *f = state;
    conf_follow_free(f->follow);
    file_match_forget(f);
    free(f);
}

static const char *const exports[] = {"targets", NULL};

const struct component_def local_file_match = {
    .name = "local.file_match",
    .help = "Finds files by patterns.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .local = true,
    .build = local_file_match_build,
    .update = local_file_match_update,
    .start = local_file_match_start,
    .stop = local_file_match_stop,
    .free = local_file_match_free,
};
