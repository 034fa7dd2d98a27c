#include "components/import_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/env.h"
#include "components/import_source.h"
#include "graph/config_watch.h"
#include "lang/coerce.h"

enum { QUIET_MS = 30, WORD_MAX = 64 };
static const int64_t ms_ns = 1000000;

/* --- arguments --- */

enum detector { DETECTOR_EVENTS, DETECTOR_POLL };
static const char *const detectors[] = {[DETECTOR_EVENTS] = "fsnotify", [DETECTOR_POLL] = "poll"};

static int detector_decode(struct value *v, void *field, struct err *err)
{
    cleanup_buf struct buf word = BUF_INIT(WORD_MAX);
    const int code = coerce_word(v, &word, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < ARRAY_LEN(detectors); i++) {
        if (strcmp(buf_cstr(&word), detectors[i]) == 0) {
            *(enum detector *)field = (enum detector)i;
            return 0;
        }
    }
    return err_set(err, -EINVAL, "unrecognized detector \"%s\", expected fsnotify or poll", buf_cstr(&word));
}

static void detector_done(void *field)
{
    *(enum detector *)field = DETECTOR_EVENTS;
}

static bool detector_equal(const void *a, const void *b)
{
    return *(const enum detector *)a == *(const enum detector *)b;
}

static struct value *detector_value(const void *field)
{
    return value_string(str_of(detectors[*(const enum detector *)field]));
}

static const struct option_type detector_option = {.name = "string",
                                                   .decode = detector_decode,
                                                   .done = detector_done,
                                                   .equal = detector_equal,
                                                   .to_value = detector_value};

struct args {
    char *filename;
    enum detector detector;
    int64_t poll_frequency;
};

static const struct option options[] = {
    {"filename", OPT_STRING, offsetof(struct args, filename), .required = true,
     .help = "A file, or a directory whose `*.alloy` files form one module."},
    {"detector", OPT_CUSTOM, offsetof(struct args, detector), .custom = &detector_option,
     .default_text = "\"fsnotify\"", .help = "Change detection: `fsnotify` (events and polling) or `poll`."},
    {"poll_frequency", OPT_DURATION, offsetof(struct args, poll_frequency), .default_text = "\"1m\"",
     .help = "Polling interval; also used with `fsnotify`, because some file systems have no events."},
    {0},
};

static int check(const void *record, struct err *err)
{
    const struct args *a = record;
    if (a->poll_frequency < ms_ns)
        return err_set(err, -EINVAL, "poll_frequency must be at least 1ms");
    return 0;
}
static const struct schema schema = {.size = sizeof(struct args), .options = options, .validate = check};

/* --- reading --- */

struct contents {
    struct config_files files;
    char *folder; /* of the module */
};

static void contents_done(struct contents *c)
{
    config_files_done(&c->files);
    free(c->folder);
}
#define cleanup_contents __attribute__((cleanup(contents_done)))

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* Blocks; on the loop during a load only. */
static int read_contents(const char *path, struct contents *ret, struct err *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(err, -EINVAL, "%s is neither a file nor a directory", path);
    struct contents c = {0};
    const int code = config_read(&path, 1, &c.files, err);
    if (code < 0)
        return code;
    c.folder = S_ISDIR(st.st_mode) ? xstrdup(path) : folder_of(path);
    *ret = c;
    return 0;
}

/* --- the component --- */

struct job;
struct file_import {
    struct component *self;
    uv_loop_t *loop;
    char *path;
    enum detector detector;
    int64_t poll_frequency;
    struct config_watch *watch; /* NULL: not started, or not wanted */
    uv_timer_t *timer;
    struct job *job; /* reads; NULL: nobody does */
    bool again;      /* something changed while it reads */
    bool is_running, is_well;
};

/* Belongs to the worker and its end, as the import may be gone by then. */
struct job {
    uv_work_t work;
    struct file_import *owner; /* NULL: gone */
    char *path;
    struct contents contents;
    struct err err;
};

static void publish(struct component *self, const struct contents *c)
{
    import_source_export_files(self, &c->files, c->folder);
}

static void read_again(struct file_import *i);

static void job_run(uv_work_t *work)
{
    struct job *j = work->data;
    if (read_contents(j->path, &j->contents, &j->err) < 0)
        return; /* err says so */
}

static void take(struct file_import *i, const struct job *j)
{
    if (j->err.code == 0) {
        publish(i->self, &j->contents);
        component_health(i->self, true, "read %zu files", j->contents.files.len);
    } else {
        component_health(i->self, false, "%s", j->err.text);
        if (i->is_well)
            log_warn("cannot read module; keeping the previous content", L_COMPONENT(component_id(i->self)),
                     L_STR("err", j->err.text));
    }
    i->is_well = j->err.code == 0;
}

static void job_end(uv_work_t *work, int status)
{
    struct job *j = work->data;
    struct file_import *i = j->owner;
    if (i) {
        i->job = NULL;
        if (status == 0 && strcmp(j->path, i->path) == 0)
            take(i, j);
        if (i->again)
            read_again(i);
    }
    contents_done(&j->contents);
    free(j->path);
    free(j);
}

static void read_again(struct file_import *i)
{
    i->again = i->job != NULL;
    if (i->job)
        return;
    struct job *j = i->job = xcalloc(1, sizeof *j);
    j->work.data = j;
    j->owner = i;
    j->path = xstrdup(i->path);
    uv_queue_work(i->loop, &j->work, job_run, job_end);
}

static void on_change(void *arg)
{
    read_again(arg);
}

static void on_poll(uv_timer_t *timer)
{
    read_again(timer->data);
}

static void watch(struct file_import *i)
{
    config_watch_free(i->watch);
    i->watch = NULL;
    if (i->detector == DETECTOR_EVENTS) {
        i->watch = config_watch_new(i->loop, (const char *const *)&i->path, 1, on_change, i);
        config_watch_set_quiet(i->watch, QUIET_MS);
        if (config_watch_missed(i->watch))
            log_warn("cannot watch a module's files; changes are detected by polling only",
                     L_COMPONENT(component_id(i->self)), L_STR("path", i->path));
    }
    const uint64_t ms = (uint64_t)(i->poll_frequency / ms_ns);
    uv_timer_start(i->timer, on_poll, ms, ms);
}

static void import_start(void *state)
{
    struct file_import *i = state;
    i->timer = xcalloc(1, sizeof *i->timer);
    uv_timer_init(i->loop, i->timer);
    i->timer->data = i;
    i->is_running = true;
    watch(i);
    /* It may have changed since it was read. */
    read_again(i);
}

static void settle(struct file_import *i, struct args *a)
{
    free(i->path);
    i->path = TAKE_PTR(a->filename);
    i->detector = a->detector;
    i->poll_frequency = a->poll_frequency;
}

static int import_build(struct component *self, void *args, void **ret_state, struct err *err)
{
    struct args *a = args;
    cleanup_contents struct contents c = {0};
    const int code = read_contents(a->filename, &c, err);
    if (code < 0)
        return code;
    const struct component_env *env = component_env(self);
    struct file_import *i = xcalloc(1, sizeof *i);
    *i = (struct file_import){.self = self, .loop = env->loop, .is_well = true};
    settle(i, a);
    publish(self, &c);
    *ret_state = i;
    return 0;
}

/* A load has read it already, to see what it brings, so that reading it now is cheap. */
static int import_update(void *state, void *args, struct err *err)
{
    struct file_import *i = state;
    struct args *a = args;
    cleanup_contents struct contents c = {0};
    if (strcmp(a->filename, i->path) != 0) {
        const int code = read_contents(a->filename, &c, err);
        if (code < 0)
            return code;
        publish(i->self, &c);
    }
    settle(i, a);
    if (i->is_running)
        watch(i);
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void end(struct file_import *i)
{
    config_watch_free(TAKE_PTR(i->watch));
    if (i->timer)
        uv_close((uv_handle_t *)TAKE_PTR(i->timer), on_timer_closed);
    if (i->job)
        i->job->owner = NULL;
    i->job = NULL;
    i->is_running = false;
}

static void import_stop(void *state)
{
    struct file_import *i = state;
    end(i);
    component_stopped(i->self);
}

static void import_free(void *state)
{
    struct file_import *i = state;
    end(i);
    free(i->path);
    free(i);
}

const struct component_def import_file = {
    .name = "import.file",
    .help = "Imports custom components from a file or directory, and reloads them when it changes.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = import_source_exports,
    .imports = true,
    .local = true,
    .build = import_build,
    .update = import_update,
    .start = import_start,
    .stop = import_stop,
    .free = import_free,
};
