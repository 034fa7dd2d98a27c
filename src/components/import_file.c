/* import.file: a module from a file, or from the *.alloy files of a directory.
 *
 * A load reads it synchronously; later changes are read by a worker, 30 ms after an inotify event and at every
 * poll_frequency, for file systems without events. If a file is unreadable, the previous module stays in use and the
 * import is unhealthy.
 * Source: spec alloy-language §6.8.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/detector.h"
#include "components/env.h"
#include "components/import_source.h"
#include "conf/files.h"
#include "conf/follow.h"
#include "graph/component.h"

/* --- arguments --- */

struct import_file_args {
    char *filename;
    enum detector detector;
    int64_t poll_frequency;
};

static const struct option options[] = {
    {"filename", OPT_STRING, offsetof(struct import_file_args, filename), .required = true,
     .help = "A file, or a directory whose `*.alloy` files form one module."},
    {"detector", OPT_ENUM, offsetof(struct import_file_args, detector), .words = &detector_words,
     .default_text = "\"fsnotify\"", .help = "Change detection; `fsnotify` combines events and polling."},
    {"poll_frequency", OPT_DURATION, offsetof(struct import_file_args, poll_frequency), .default_text = "\"1m\"",
     .help = "Polling interval; also used with `fsnotify`, because some file systems have no events."},
    {0},
};

static int import_file_check_args(const void *record, struct err *err)
{
    const struct import_file_args *a = record;
    if (a->poll_frequency < NS_PER_MS)
        return err_set(err, -EINVAL, "poll_frequency must be at least 1ms");
    return 0;
}
static const struct schema schema = {
    .size = sizeof(struct import_file_args), .options = options, .validate = import_file_check_args};

/* --- reading --- */

struct import_contents {
    struct conf_files files;
    char *folder; /* of the module */
    struct err err;
};

static void import_contents_free(void *result)
{
    struct import_contents *c = result;
    conf_files_done(&c->files);
    free(c->folder);
    free(c);
}

static char *import_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* Blocks; on the loop during a load only. */
static int import_read_contents(const char *path, struct import_contents *c)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return err_errno(&c->err, "%s", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(&c->err, -EINVAL, "%s is neither a file nor a directory", path);
    const int code = conf_files_read(&path, 1, &c->files, &c->err);
    if (code == 0)
        c->folder = S_ISDIR(st.st_mode) ? xstrdup(path) : import_folder_of(path);
    return code;
}

/* Never NULL: err says whether it could be read. */
static void *import_file_read(const char *const *paths, size_t n)
{
    (void)n;
    struct import_contents *c = xcalloc(1, sizeof *c);
    c->err.code = import_read_contents(paths[0], c);
    return c;
}

/* --- the component --- */

struct file_import {
    struct component *self;
    uv_loop_t *loop;
    char *path;
    enum detector detector;
    int64_t poll_frequency;
    struct conf_follow *follow; /* NULL: not started */
    bool is_well;
};

static void import_file_take(void *arg, void *result)
{
    struct file_import *i = arg;
    struct import_contents *c = result;
    if (c->err.code == 0) {
        import_source_export_files(i->self, &c->files, c->folder);
        component_health(i->self, true, "read %zu files", c->files.len);
    } else {
        component_health(i->self, false, "%s", c->err.text);
        if (i->is_well)
            log_warn("cannot read module; keeping the previous content", L_COMPONENT(component_id(i->self)),
                     L_STR("err", c->err.text));
    }
    i->is_well = c->err.code == 0;
    import_contents_free(c);
}

static void import_file_follow(struct file_import *i)
{
    conf_follow_free(i->follow);
    i->follow =
        conf_follow_new(&(struct conf_follow_options){.watch = {.loop = i->loop,
                                                                .paths = (const char *const *)&i->path,
                                                                .path_count = 1,
                                                                .entries = CONF_ENTRIES,
                                                                .no_events = i->detector == DETECTOR_POLL,
                                                                .poll_ms = (uint64_t)(i->poll_frequency / NS_PER_MS),
                                                                .quiet_ms = DETECTOR_QUIET_MS},
                                                      .read = import_file_read,
                                                      .take = import_file_take,
                                                      .discard = import_contents_free,
                                                      .arg = i});
    if (conf_follow_missed(i->follow))
        log_warn("cannot watch a module's files; changes are detected by polling only",
                 L_COMPONENT(component_id(i->self)), L_STR("path", i->path));
}

static void import_file_start(void *state)
{
    import_file_follow(state);
}

static void import_file_set_args(struct file_import *i, const struct import_file_args *a)
{
    free(i->path);
    i->path = xstrdup(a->filename);
    i->detector = a->detector;
    i->poll_frequency = a->poll_frequency;
}

static int import_file_publish(struct component *self, const char *path, struct err *err)
{
    struct import_contents *c = xcalloc(1, sizeof *c);
    const int code = import_read_contents(path, c);
    if (code == 0)
        import_source_export_files(self, &c->files, c->folder);
    else
        *err = c->err;
    import_contents_free(c);
    return code;
}

static int import_file_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    const struct import_file_args *a = args;
    const int code = import_file_publish(self, a->filename, err);
    if (code < 0)
        return code;
    const struct component_env *env = component_env(self);
    struct file_import *i = xcalloc(1, sizeof *i);
    *i = (struct file_import){.self = self, .loop = env->loop, .is_well = true};
    import_file_set_args(i, a);
    *ret_state = i;
    return 0;
}

/* A load has read it already, to see what it brings, so that reading it now is cheap. */
static int import_file_update(void *state, const void *args, struct err *err)
{
    struct file_import *i = state;
    const struct import_file_args *a = args;
    const int code = strcmp(a->filename, i->path) == 0 ? 0 : import_file_publish(i->self, a->filename, err);
    if (code < 0)
        return code;
    import_file_set_args(i, a);
    if (i->follow)
        import_file_follow(i);
    return 0;
}

static void import_file_stop(void *state)
{
    struct file_import *i = state;
    conf_follow_free(TAKE_PTR(i->follow));
    component_stopped(i->self);
}

static void import_file_free(void *state)
{
    struct file_import *i = state;
    conf_follow_free(i->follow);
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
    .build = import_file_build,
    .update = import_file_update,
    .start = import_file_start,
    .stop = import_file_stop,
    .free = import_file_free,
};
