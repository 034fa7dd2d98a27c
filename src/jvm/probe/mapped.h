/* The path by which a target itself reaches a file that is mapped in it.
 *
 * /proc/PID/maps, read from another mount namespace, leaves out where a mount of the target's own is mounted: a library on a volume at
 * /data shows as "/lib/x.so". So each mount point of the target is tried in front of it until the inode fits. Source: proc(5) mountinfo.
 * A target in a chroot shows the way to it, too, which is taken off piece by piece.
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
