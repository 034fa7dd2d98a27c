/* Small file helpers over open descriptors. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends what is left in `fd`, up to what the buffer may still grow by; *whole (may be NULL) says whether that was
 * all. Returns 0 or a negative errno. Does not set the buffer's failure. */
must_check int fs_read(int fd, struct buf *out, bool *whole);

/* Opens anew what a descriptor names, O_PATH ones included, without resolving its path again. Descriptor or negative
 * errno. */
int fs_reopen(int fd, int flags);

/* True where a read or write of `fd` waits for nobody but this kernel: no FUSE, no network file system. Source:
 * statfs(2). */
bool fs_is_local(int fd);
/* True on overlayfs, whose files have other inodes in /proc/PID/maps than by stat(2) at times. */
bool fs_is_overlay(int fd);
