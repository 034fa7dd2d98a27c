/* Paths beneath another process's root, which may be hostile.
 *
 * Symlinks planted there resolve beneath that root or not at all; a file's own name is never a symlink. Nothing is opened before it is
 * known to be a regular file of a bounded size, so neither a FIFO nor a device is touched. A dead mount can still hold any of these calls for
 * ever: they belong into a child of the helper (priv/priv.h). Source: openat2(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/pidref.h"

/* The root of a process, O_PATH. Descriptor or negative errno. */
int rootfs_open(const struct pidref *p, struct err *err);

/* A directory beneath `root`, O_PATH, for use with the *at calls; `path` may start with '/'. Descriptor or negative errno. */
int rootfs_dir(int root, const char *path, struct err *err);

/* What is at `path`, O_PATH, whatever it is; *st tells. Symlinks only before the last component. Descriptor or negative errno. */
int rootfs_peek(int root, const char *path, struct stat *st, struct err *err);

/* Who owns what is made beneath a root: whoever makes it or, where the file system belongs to a user namespace that has no number
 * for them, this user: root of that namespace, who can do anything there anyway. Source: user_namespaces(7), EOVERFLOW. */
struct rootfs_owner {
    uid_t uid;
    gid_t gid;
};
/* True for what the functions below have made. */
bool rootfs_is_ours(const struct stat *st, const struct rootfs_owner *owner);
/* -EEXIST where something has that name. */
must_check int rootfs_make_dir(int parent, const char *name, mode_t mode, const struct rootfs_owner *owner);
/* A new file, 0600, open for reading and writing. Descriptor or negative errno. */
int rootfs_make_file(int parent, const char *name, const struct rootfs_owner *owner);
must_check int rootfs_rename(int dir, const char *from, const char *to, const struct rootfs_owner *owner);

/* That nobody but root, user `uid`, `owner` and whoever owns `root` (who owns everything below anyway) can exchange what lies in directory
 * `dir`, named `path`: one of them owns it, and others may not write it, or it is sticky. 0 or -EPERM. */
must_check int rootfs_guarded(int root, int dir, const char *path, uid_t uid, const struct rootfs_owner *owner,
                              struct err *err);

/* A regular file of at most `max` bytes, opened with `flags` (O_RDONLY …). Descriptor or negative errno; *st (may be NULL) is filled. */
int rootfs_file(int root, const char *path, int flags, uint64_t max, struct stat *st, struct err *err);

/* As rootfs_file(), and its content is appended. */
must_check int rootfs_read(int root, const char *path, struct buf *out, struct err *err);
