/* Observes a JVM from its first attach to its end: whether and how it ends, and what is known about that.
 *
 * Little is known about the end of a process that is not a child. Its exit status is readable while it is a zombie
 * (proc(5) stat field 52, with ptrace access), and later from its pidfd on Linux 6.15 and newer (PIDFD_GET_INFO,
 * linux/pidfd.h). On older kernels a waiting parent is faster about half of the time; then, within AFTERCARE_S of an
 * attach, the attach socket is checked: HotSpot removes it in an atexit(3) handler (attachListener_linux.cpp; verified
 * with 8, 11, 17 and 25) for any status, but not if it is killed or aborts. What HotSpot and the kernel wrote about the
 * end is read by an operation (jvm/operation/crash.h).
 *
 * An OOM kill is counted by the JVM's cgroup (memory.events oom_kill, in v1 memory.oom_control), whoever caused it. It
 * is the JVM's own if the limit of its group, or of the one above (a pod), was hit meanwhile (memory.events oom, in v1
 * memory.failcnt); limits further up are shared with others. Counters are read at each attach, so they are as old as
 * the last roll-over. Sources: Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst.
 */
#pragma once

#include <stdint.h>

#include "jvm/operation/crash.h"
#include "jvm/operation/request.h"
#include "jvm/probe/cgroup.h"
#include "jvm/session/quarantine.h"
#include "jvm/session/verdict.h"
#include "os/pidref.h"

/* Its memory cgroup, and what was counted there before. */
struct aftercare_group {
    char *path; /* owned; NULL = not known */
    size_t mount_len;
    bool v2, limited, of_parent; /* the one above has the limit */
    uint64_t kills, hits;        /* of the group; of the one with the limit */
    bool looked;                 /* what was counted until the end is known: `oom`, private to aftercare.c */
    int oom;
};

struct aftercare {
    int64_t since_ns; /* the last attach was begun, CLOCK_MONOTONIC; 0 = longer than AFTERCARE_S ago, or never */
    bool attached;    /* it outlived an attach */
    bool tight;       /* as in struct jvm_death, of the last attach */
    struct aftercare_group group;
    bool has_socket, has_place;
    int socket;                 /* its attach socket's file; owned */
    int dir;                    /* where its error report will be, O_PATH; owned */
    struct hs_err_place *place; /* in it; owned; NULL = not known */
    struct jvm_makeup makeup;   /* key "" = not known yet */
    enum jvm_end end;
    int signal;             /* that killed it, else 0 */
    bool status_known;      /* told by the helper */
    int status;             /* as wait(2) has it; 0 when it is not known, too */
    int64_t ended_ns;       /* 0 = it runs */
    struct jvm_crash found; /* all zero until it was read */
    bool asked, asking;     /* for that: for good; under way */
    uint64_t call;          /* while asking */
    void (*told)(void *arg);
    void *arg;
};

/* An attach begins. */
void aftercare_begin(struct aftercare *a, const struct pidref *p, int64_t now_ns);
/* Takes over a descriptor of its attach socket's file, of a file system that waits for nobody; -1 = none. */
void aftercare_keep_socket(struct aftercare *a, int fd);
/* Takes over a descriptor of the directory of its error report; -1 = none, then nothing changes. */
void aftercare_keep_place(struct aftercare *a, int dir, const struct hs_err_place *place);
/* It did not come to an attach. */
void aftercare_drop(struct aftercare *a);
/* The process ended a moment ago: reads what its cgroup counted, which is gone as soon as a container is removed. */
void aftercare_look(struct aftercare *a);
/* The process ended: call at once, while its status can still be had. */
void aftercare_ended(struct aftercare *a, const struct pidref *p, int64_t now_ns);
/* Its wait status, of the helper, which may read it where this process may not. Before or after aftercare_ended(). */
void aftercare_status_told(struct aftercare *a, int status);
/* Of one that ended: reads what HotSpot and the kernel wrote about it into `found`, once, if there may be something.
 * True while that is under way: `told` is called when it is done, from the loop. */
bool aftercare_ask(struct aftercare *a, struct priv *priv, struct jvm_id id, uint64_t user, void (*told)(void *arg),
                   void *arg);
/* Does not wait for that any more. */
void aftercare_forget(struct aftercare *a, struct priv *priv);
/* From time to time: a JVM that outlived its attach is told to the quarantine. */
void aftercare_poll(struct aftercare *a, struct quarantine *q, int64_t now_ns);

/* Judges one that ended (verdict.h), and counts it. True when the quarantine condemned its make-up for that, just now.
 * `q` may be NULL. */
bool aftercare_judge(struct aftercare *a, struct quarantine *q, enum crash_guard guard, struct verdict *ret);

void aftercare_done(struct aftercare *a);

/* The wait status of a process that ended, as wait(2) has it; false when nobody tells. */
bool aftercare_status(const struct pidref *p, int *ret);
