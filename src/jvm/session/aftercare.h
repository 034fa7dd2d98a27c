/* Observes a JVM after each attach: whether and how it ends, and whether the attach was the cause.
 *
 * Little is known about the end of a process that is not a child. Its exit status is readable while it is a zombie
 * (proc(5) stat field 52, with ptrace access), and later from its pidfd on Linux 6.15 and newer (PIDFD_GET_INFO,
 * linux/pidfd.h). OOM kills are counted by its cgroup (memory.events, in v1 memory.oom_control); if the group was
 * removed, by its parent. On older kernels a waiting parent is faster about half of the time; then the attach socket is
 * checked: HotSpot removes it in an atexit(3) handler (attachListener_linux.cpp; verified with 8, 11, 17 and 25) for
 * any status, but not if it is killed or aborts.
 */
#pragma once

#include <stdint.h>

#include "jvm/probe/cgroup.h"
#include "jvm/session/quarantine.h"
#include "os/pidref.h"

enum { AFTERCARE_S = 10, AFTERCARE_GROUPS = 4 };

struct aftercare {
    int64_t since_ns;                 /* the last attach was begun, CLOCK_MONOTONIC; 0 = nothing to watch */
    struct cgroup *group;             /* its cgroup; owned; NULL = not known */
    uint64_t kills[AFTERCARE_GROUPS]; /* what it and those above it had counted */
    bool has_socket;
    int socket;               /* its attach socket's file; owned */
    struct jvm_makeup makeup; /* key "" = not known yet */
    enum jvm_end end;
    int signal;       /* that killed it, else 0 */
    int64_t ended_ns; /* 0 = it runs */
    bool told;        /* its wait status, by the helper */
    int status;
};

/* An attach begins. */
void aftercare_begin(struct aftercare *a, const struct pidref *p, int64_t now_ns);
/* Takes over a descriptor of its attach socket's file, of a file system that waits for nobody; -1 = none. */
void aftercare_keep_socket(struct aftercare *a, int fd);
/* It did not come to an attach. */
void aftercare_drop(struct aftercare *a);
/* The process ended: call at once, while its status can still be had. */
void aftercare_ended(struct aftercare *a, const struct pidref *p, int64_t now_ns);
/* Its wait status, of the helper, which may read it where this process may not. Before or after aftercare_ended(). */
void aftercare_told(struct aftercare *a, int status);
/* From time to time: a JVM that outlived its attach is told to the quarantine. */
void aftercare_poll(struct aftercare *a, struct quarantine *q, int64_t now_ns);

/* Judges one that ended: `text` says how if that was soon after an attach and not its own doing ("killed by SIGSEGV 0.3
 * s after the attach"), else it is "". True when the quarantine condemned its make-up for that, just now. `q` may be
 * NULL. */
bool aftercare_judge(struct aftercare *a, struct quarantine *q, char *text, size_t size);

void aftercare_done(struct aftercare *a);

/* The wait status of a process that ended, as wait(2) has it; false when nobody tells. */
bool aftercare_status(const struct pidref *p, int *ret);
