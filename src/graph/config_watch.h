/* Tells when configuration files may have changed.
 *
 * What is watched are folders: those the files lie in, and those of every symbolic link on the way to them. So a file that an editor
 * replaces by a new one is seen, and so is a link that is swapped far away from the file, as Kubernetes does with `..data`. A path that
 * is a directory is watched for files that come and go.
 *
 * Changes are told once they have been followed by a moment of quiet, or after a while if there is none. What is told is a suspicion:
 * the files can be as they were. inotify does not see what other machines do on a network file system.
 */
#pragma once

#include <stddef.h>
#include <uv.h>

enum { CONFIG_WATCH_QUIET_MS = 200, CONFIG_WATCH_PATIENCE_MS = 2000 };

struct config_watch;

/* `paths` are files and directories, borrowed as long as the watch lives; they need not exist. */
struct config_watch *config_watch_new(uv_loop_t *loop, const char *const *paths, size_t n, void (*changed)(void *arg),
                                      void *arg);
/* Another moment of quiet than CONFIG_WATCH_QUIET_MS. */
void config_watch_set_quiet(struct config_watch *w, unsigned ms);
/* How many folders could not be watched: inotify's limits (fs.inotify.max_user_watches). */
size_t config_watch_missed(const struct config_watch *w);
/* Its handles are closed by the loop. NULL is fine. */
void config_watch_free(struct config_watch *w);
