/* One JVM held for an operation: who it is, what is known of it, the way into it, and what was made in it.
 *
 * Blocking, for a child of the helper or for bin/asprof.
 */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "base/err.h"
#include "jvm/attach.h"
#include "jvm/plant.h"
#include "jvm/traits.h"
#include "os/pidref.h"

struct jvm_target {
    struct pidref p;
    int root; /* O_PATH; owned */
    struct jvm_traits traits;
    struct jvm_attach attach;
    struct jvm_plant plant;
    char library[PATH_MAX]; /* the profiler that is spoken to, as the JVM sees it */
};
#define JVM_TARGET_INIT ((struct jvm_target){.p = PIDREF_INIT, .root = -1, .attach = {.tmp = -1}, .plant = PLANT_INIT})

/* Opens process `pid`, which must have started at `start_time` (0: whenever), without touching it; t->attach points into *t, which must
 * stay where it is. Plant and library are left to the caller.
 * -ESRCH when it is gone, -ETIMEDOUT when it is stopped (whatever is asked of it now would
 * happen when nobody expects it any more), -ENOEXEC for no HotSpot JVM, -ENOTSUP when it forbids to be attached to. */
must_check int jvm_target_open(struct jvm_target *t, pid_t pid, uint64_t start_time, struct err *err);

/* Removes what was made, and closes. */
void jvm_target_done(struct jvm_target *t);
#define cleanup_target __attribute__((cleanup(jvm_target_done)))
