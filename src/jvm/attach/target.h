/* A JVM opened for an operation: its identity, probe results, descriptors, and temporary files.
 *
 * Opening it permanently switches this process to the target's user (jvm_view_become()): later calls have the target's
 * privileges.
 * Blocking, for a child of the helper or for bin/asprof.
 */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/attach/attach.h"
#include "jvm/attach/target_dir.h"
#include "jvm/probe/probe.h"
#include "jvm/probe/view.h"

struct jvm_target {
    struct jvm_view view;
    struct jvm_probe probe;
    int recording; /* of a session of ours that runs in it, O_PATH; -1 = none; owned */
    struct jvm_attach attach;
    struct jvm_target_dir dir;
    char library[PATH_MAX]; /* the profiler that is spoken to, as the JVM sees it */
};
#define JVM_TARGET_INIT                                                                                                \
    ((struct jvm_target){.view = JVM_VIEW_INIT, .recording = -1, .attach = JVM_ATTACH_INIT, .dir = TARGET_DIR_INIT})

/* Opens process `pid`, which must have started at `start_time` (0: whenever), and reads what only privilege can,
 * without touching it. -ESRCH when it is gone, -ETIMEDOUT when it is stopped, -ENOEXEC for no JVM. */
must_check int jvm_target_find(struct jvm_target *t, pid_t pid, uint64_t start_time, struct err *err);
/* Becomes its user, and reads the rest. -EPERM when its rights are not to be had. Of OpenJ9 this process enters the
 * network and IPC namespaces before: -ENOTSUP where it may not. */
must_check int jvm_target_become(struct jvm_target *t, struct err *err);
/* Finds the way in; t->attach points into *t, which must stay where it is. Directory and library are left to the
 * caller. -ENOTSUP when it forbids to be attached to. */
must_check int jvm_target_enter(struct jvm_target *t, struct err *err);
/* All three. */
must_check int jvm_target_open(struct jvm_target *t, pid_t pid, uint64_t start_time, struct err *err);

/* Removes what was made in it. Async-signal-safe, as often as you like. Takes a struct jvm_target. */
void jvm_target_undo(void *target);
/* As that, and closes. */
void jvm_target_done(struct jvm_target *t);
#define cleanup_target __attribute__((cleanup(jvm_target_done)))
