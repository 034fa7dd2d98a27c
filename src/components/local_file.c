/* local.file: the content of a file as a value, for passwords, tokens and the like.
 *
 * A load reads it synchronously; later changes are read by a worker, 30 ms after an inotify event and at every
 * poll_frequency, for file systems without events. Directories are watched, so a file that is replaced (a mounted
 * Secret) is noticed at once, where the reference waits for poll_frequency. While the file cannot be read, the previous
 * content stays and the component is unhealthy. Source: spec components §5.6.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "components/detector.h"
#include "components/env.h"
#include "conf/file.h"
#include "conf/follow.h"
#include "graph/component.h"
#include "graph/measured.h"

enum { CONTENT_MAX = 4 << 20 };

struct local_file_args {
    char *filename;
    enum detector detector;
    int64_t poll_frequency;
    bool is_secret;
};

static const struct option options[] = {
    {"filename", OPT_STRING, offsetof(struct local_file_args, filename), .required = true, .help = "Path of the file."},
    {"detector", OPT_ENUM, offsetof(struct local_file_args, detector), .words = &detector_words,
     .default_text = "\"fsnotify\"", .help = "Change detection; `fsnotify` combines events and polling."},
    {"poll_frequency", OPT_DURATION, offsetof(struct local_file_args, poll_frequency), .default_text = "\"1m\"",
     .help = "Polling interval; also used with `fsnotify`, because some file systems have no events."},
    {"is_secret", OPT_BOOL, offsetof(struct local_file_args, is_secret), .default_text = "false",
     .help = "Whether the content is a secret."},
    {0},
};

static int local_file_check(const void *record, struct err *err)
{
    const struct local_file_args *a = record;
    return a->poll_frequency < NS_PER_MS ? err_set(err, -EINVAL, "poll_frequency must be greater than 0") : 0;
}
static const struct schema schema = {
    .size = sizeof(struct local_file_args), .options = options, .validate = local_file_check};

static struct metric_family accessed = {.name = "local_file_timestamp_last_accessed_unix_seconds",
                                        .help = "When the file was last read, in seconds since the epoch.",
                                        .kind = METRIC_GAUGE,
                                        .labels = {"component_id", "component_path"}};

/* --- reading --- */

struct local_content {
    struct buf text;
    struct err err;
};

static void local_content_free(void *result)
{
    struct local_content *c = result;
    if (c->text.p)
        explicit_bzero(c->text.p, c->text.len);
    buf_done(&c->text);
    free(c);
}

/* Never NULL: err says whether it could be read. Blocks; on the loop during a load only. */
static void *local_file_read(const char *const *paths, size_t n)
{
    (void)n;
    struct local_content *c = xcalloc(1, sizeof *c);
    c->text = BUF_INIT(CONTENT_MAX);
    const int code = conf_file_read(paths[0], CONTENT_MAX, CONF_NO_WAIT, &c->text, NULL, &c->err);
    if (code < 0)
        c->err.code = err_wrap(&c->err, code, "failed to read file: open %s", paths[0]);
    return c;
}

/* --- the component --- */

struct local_file {
    struct component *self;
    const struct local_file_args *args; /* one reference */
    struct conf_follow *follow;         /* NULL: not started */
    bool is_well;
    char *component_path;
    const char *component_id;
};

static void local_file_publish(struct local_file *f, const struct local_content *c)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("content"), value_optional_secret(buf_slice(&c->text), f->args->is_secret));
    metric_set(&accessed, (double)time(NULL), f->component_id, f->component_path);
    component_export(f->self, exports);
}

static void local_file_take(void *arg, void *result)
{
    struct local_file *f = arg;
    struct local_content *c = result;
    if (c->err.code == 0) {
        local_file_publish(f, c);
        component_health(f->self, true, "read file");
    } else {
        component_health(f->self, false, "%s", c->err.text);
    }
    if (c->err.code < 0 && f->is_well)
        log_warn("cannot read file; keeping the previous content", L_COMPONENT(component_id(f->self)),
                 L_STR("err", c->err.text));
    f->is_well = c->err.code == 0;
    local_content_free(c);
}

static void local_file_start(void *state)
{
    struct local_file *f = state;
    const struct component_env *env = component_env(f->self);
    conf_follow_free(f->follow);
    f->follow = conf_follow_new(
        &(struct conf_follow_options){.watch = {.loop = env->loop,
                                                .paths = (const char *const *)&f->args->filename,
                                                .path_count = 1,
                                                .no_events = f->args->detector == DETECTOR_POLL,
                                                .poll_ms = (uint64_t)(f->args->poll_frequency / NS_PER_MS),
                                                .quiet_ms = DETECTOR_QUIET_MS},
                                      .read = local_file_read,
                                      .take = local_file_take,
                                      .discard = local_content_free,
                                      .arg = f});
    if (conf_follow_missed(f->follow))
        log_warn("cannot watch a file; changes are detected by polling only", L_COMPONENT(component_id(f->self)),
                 L_STR("path", f->args->filename));
}

/* Reads and exports; keeps the arguments, on success only. */
static int local_file_set_args(struct local_file *f, const struct local_file_args *a, struct err *err)
{
    struct local_content *c = local_file_read((const char *const *)&a->filename, 1);
    const int code = c->err.code;
    if (code == 0) {
        args_unref(f->args);
        f->args = args_ref(a);
        f->is_well = true;
        local_file_publish(f, c);
    } else {
        *err = c->err;
    }
    local_content_free(c);
    return code;
}

static void local_file_free(void *state)
{
    struct local_file *f = state;
    conf_follow_free(f->follow);
    metric_forget(&accessed, f->component_id, f->component_path);
    args_unref(f->args);
    free(f->component_path);
    free(f);
}

static int local_file_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    struct local_file *f = xcalloc(1, sizeof *f);
    f->self = self;
    measured_labels(component_id(self), &f->component_path, &f->component_id);
    const int code = local_file_set_args(f, args, err);
    if (code < 0) {
        local_file_free(f);
        return code;
    }
    *ret_state = f;
    return 0;
}

static int local_file_update(void *state, const void *args, struct err *err)
{
    struct local_file *f = state;
    const int code = local_file_set_args(f, args, err);
    if (code == 0 && f->follow)
        local_file_start(f);
    return code;
}

static void local_file_stop(void *state)
{
    struct local_file *f = state;
    conf_follow_free(TAKE_PTR(f->follow));
    component_stopped(f->self);
}

static const char *const exports[] = {"content", NULL};

const struct component_def local_file = {
    .name = "local.file",
    .help = "Exports the content of a file, and follows its changes.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .local = true,
    .build = local_file_build,
    .update = local_file_update,
    .start = local_file_start,
    .stop = local_file_stop,
    .free = local_file_free,
};
