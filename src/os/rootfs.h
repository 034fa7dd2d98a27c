/* Path resolution beneath another process's root, which is untrusted.
 *
 * Two kinds of look-up. From the root: symlinks resolve beneath that root or fail, and mount points are crossed, since
 * a directory such as /tmp may be one. From a working directory: no mount point is crossed and no symlink followed.
 * Neither makes a privileged look-up safe, because a bind mount is beneath the root as well: look-ups are done with the
 * target's privileges (os/rights.h), and results are checked through descriptors.
 *
 * Nothing is opened before it is known to be a regular file of limited size, so that neither a FIFO nor a device is
 * opened. A dead mount can still block any of these calls forever: they belong into a child of the helper
 * (priv/priv.h). Source: openat2(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* A directory beneath `root`, O_PATH, for use with the *at calls; `path` may start with '/'. Descriptor or negative
 * errno. */
int rootfs_dir(int root, const char *path, struct err *err);

/* What is at `path`, O_PATH, whatever it is; *st tells. Symlinks only before the last component. Descriptor or negative
 * errno. */
int rootfs_peek(int root, const char *path, struct stat *st, struct err *err);

/* A regular file of at most `max` bytes, opened with `flags` (O_RDONLY …). Descriptor or negative errno; *st (may be
 * NULL) is filled. */
int rootfs_file(int root, const char *path, int flags, uint64_t max, struct stat *st, struct err *err);

/* As rootfs_file(), and its content is appended. */
must_check int rootfs_read(int root, const char *path, struct buf *out, struct err *err);

/* As those above, within directory `dir`: -EXDEV for what is mounted on the way, -ELOOP for a link. */
int rootfs_dir_in(int dir, const char *path, struct err *err);
int rootfs_peek_in(int dir, const char *path, struct stat *st, struct err *err);
int rootfs_file_in(int dir, const char *path, int flags, uint64_t max, struct stat *st, struct err *err);
/* A new file there, 0600, open for reading and writing; -EEXIST where something has that name. Descriptor or negative
 * errno. */
int rootfs_make_file(int dir, const char *name);

/* True when nobody but root, user `uid` and whoever owns `root` (who owns everything below anyway) can exchange what
 * lies in directory `dir`: one of them owns it, and others may not write it, or it is sticky. */
bool rootfs_guarded(int root, int dir, uid_t uid);
