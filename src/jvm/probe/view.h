/* The parts of a process that require privileges, opened or read first, so that no privileges are needed afterwards.
 *
 * /proc/PID/{root,cwd,maps,mem,fd,environ} require ptrace(2) access. Opened as root, they keep referring to the same
 * process and address space after the reader has become the target's user (os/rights.h): after an execve(2) of the
 * process they are empty, which is detected. Paths below `root` and `cwd`, and `exe`, are opened after that, never
 * before.
 *
 * Blocking (cmdline and environ can wait for the target's memory lock), for a child of the helper or for bin/asprof.
 * Source: proc(5), fs/proc/{base,task_mmu}.c: access is checked when a file is opened.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/pidref.h"
#include "os/rights.h"

struct jvm_view {
    struct pidref p;
    struct rights rights; /* the target's */
    pid_t ns_pid;         /* as the target sees itself */
    int root, cwd, exe;   /* O_PATH; the last two may be -1 */
    int status, maps, mountinfo;
    int mem;                     /* -1 where ptrace(2) access is not to be had */
    char cwd_path[PATH_MAX];     /* where `cwd` is, perhaps as another mount namespace sees it; "" = not known */
    struct buf cmdline, environ; /* as /proc/PID has them */
    bool whole;                  /* both were read to their ends */
    bool java;                   /* its program file is called java */
    bool host; /* it sees the file systems of the host or of the agent, not those of a container of its own */
};
#define JVM_VIEW_INIT                                                                                                  \
    ((struct jvm_view){                                                                                                \
        .p = PIDREF_INIT, .root = -1, .cwd = -1, .exe = -1, .status = -1, .maps = -1, .mountinfo = -1, .mem = -1})

/* Process `pid`, which must have started at `start_time` (0: whenever). -ESRCH when it is gone, -ETIMEDOUT when it is
 * stopped, or its cgroup frozen: whatever is asked of it now would happen when nobody expects it any more. */
must_check int jvm_view_open(struct jvm_view *v, pid_t pid, uint64_t start_time, struct err *err);
/* This process becomes the target's user, if that is still who it was. For good: see rights_become(). */
must_check int jvm_view_become(const struct jvm_view *v, struct err *err);
/* Has SIGQUIT a handler now? */
bool jvm_view_catches_quit(const struct jvm_view *v);
/* Appends what one of the open files of /proc says now, from its start. */
must_check int jvm_view_read(int file, struct buf *out);

void jvm_view_done(struct jvm_view *v);
#define cleanup_view __attribute__((cleanup(jvm_view_done)))
