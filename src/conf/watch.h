/* Tells when files may have changed: those of a configuration, of a module, of lists of targets.
 *
 * What is watched are folders: those the files lie in, and those of every symbolic link on the way to them. So a file
 * that an editor replaces by a new one is seen, a link that is swapped far away from the file, as Kubernetes does
 * with `..data`, and a file that vanishes and returns.
 *
 * Changes are told once they have been followed by a moment of quiet, or after a while if there is none. What is told
 * is a suspicion: the files can be as they were. inotify does not see what other machines do on a network file
 * system, and its tables can be full: that is what polling is for, alone or besides.
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
