/* Temporary files of an operation in the target: a new directory with a random name, mode 0700.
 *
 * It and its files (0600) belong to the JVM's user, whose privileges this process has (os/rights.h); nobody else has
 * access. Files are created first, so that the profiler opens files we already hold, and unlinked as soon as it has: a
 * crash leaves nothing that grows. Only local file systems qualify, so that reading through the descriptors never waits
 * for a server.
 * Facts: spec §4.8, §4.12.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "jvm/probe/view.h"

enum { TARGET_DIR_PATH_SIZE = 96 };

struct jvm_target_dir {
    int parent;                      /* the directory it lies in, O_PATH; owned; -1 = none */
    int dir;                         /* itself; owned */
    char name[48];                   /* ".smolder-<32 hex>" */
    char path[TARGET_DIR_PATH_SIZE]; /* as the target sees it */
};
#define TARGET_DIR_INIT ((struct jvm_target_dir){.parent = -1, .dir = -1})

#define TARGET_DIR_RECORDING "session.jfr"
#define TARGET_DIR_LOG       "log"
#define TARGET_DIR_OUTPUT    "out"

/* Makes the directory in the first place beneath the target's root that is local, writable and has `bytes` free. Places
 * in which only root and the JVM's user can exchange what is made (rootfs_guarded()) come first; an emptyDir of mode
 * 0777 is none, and will do where nothing else does, unless it is the host's. An error is about the first place, the
 * one to put right. */
must_check int jvm_target_dir_open(struct jvm_target_dir *d, const struct jvm_view *v, uint64_t bytes, struct err *err);
/* Whether it would find a place: `ret` is that. Nothing is made. */
must_check int jvm_target_dir_check(const struct jvm_view *v, uint64_t bytes, char ret[TARGET_DIR_PATH_SIZE],
                                    struct err *err);
/* Makes a file in it and opens it read-write. Descriptor or negative errno. */
int jvm_target_dir_file(const struct jvm_target_dir *d, const char *file, struct err *err);
/* Removes files and directory. Async-signal-safe, as often as you like. Takes a struct jvm_target_dir. */
void jvm_target_dir_remove(void *dir);
/* As that, and closes. */
void jvm_target_dir_done(struct jvm_target_dir *d);
#define cleanup_target_dir __attribute__((cleanup(jvm_target_dir_done)))

/* Removes what crashed operations left beneath the target's root: directories of this user, made a while ago, with our
 * files only. */
void jvm_target_dir_sweep(const struct jvm_view *v);
