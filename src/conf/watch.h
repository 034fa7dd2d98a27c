/* Reports when files may have changed: those of a configuration, of a module, of target lists.
 *
 * Directories are watched rather than files: those that contain the files, and those of every symbolic link in their
 * paths. This detects atomic replacement by an editor, a link swapped in the middle of a path (`..data` of a Kubernetes
 * ConfigMap), and a file that is deleted and created again.
 *
 * A change is reported after a quiet period, at the latest after CONF_WATCH_PATIENCE_MS. A report is a hint: the
 * content can be unchanged. inotify does not report what other machines do on a network file system, and its limits can
 * be exhausted; polling covers both, alone or in addition.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { CONF_WATCH_QUIET_MS = 200, CONF_WATCH_PATIENCE_MS = 2000 };

struct conf_watch;

struct conf_watch_options {
    uv_loop_t *loop;
    /* Files and directories, borrowed as long as the watch lives; they need not exist. */
    const char *const *paths;
    size_t path_count;
    bool patterns;       /* they are patterns of glob(7), in any of their parts; a leading period is no exception */
    const char *entries; /* pattern: which entries of a path that is a directory count; NULL: none */
    bool no_events;      /* poll_ms only */
    uint64_t poll_ms;    /* told so often, whatever happened; 0: never */
    unsigned quiet_ms;   /* 0: CONF_WATCH_QUIET_MS */
    void (*changed)(void *arg);
    void *arg;
};

struct conf_watch *conf_watch_new(const struct conf_watch_options *options);
/* How many folders could not be watched: inotify's limits (fs.inotify.max_user_watches). */
size_t conf_watch_missed(const struct conf_watch *w);
/* Its handles are closed by the loop. NULL is fine. */
void conf_watch_free(struct conf_watch *w);
