/* The path of a mapped file in the target's own mount namespace.
 *
 * /proc/PID/maps, read from another mount namespace, omits the mount point of the target's mounts: a library on a
 * volume at /data shows as "/lib/x.so". So each mount point of the target is prepended until the inode matches. Source:
 * proc(5) mountinfo. For a target in a chroot the path also contains the prefix of the chroot, whose components are
 * removed one by one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "jvm/probe/view.h"

/* True when `path` beneath `root` is the regular file `inode` (0: any). */
bool jvm_mapped_is(int root, const char *path, ino_t inode);

/* Finds the path of what the maps name `path`. False when its file is gone or out of reach. */
bool jvm_mapped_path(const struct jvm_view *v, const char *path, ino_t inode, char *ret, size_t size);
