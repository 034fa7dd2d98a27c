/* The error report of a crashed JVM (hs_err_pid<PID>.log): where HotSpot writes it, and what it says about the crash.
 *
 * HotSpot writes it to -XX:ErrorFile, else to the working directory, else to /tmp, before it aborts. Its content is
 * the target's: whatever is read here may be forged, is limited, and counts for that user's JVMs only
 * (jvm/session/verdict.h). Sources: HotSpot share/utilities/vmError.cpp (report, prepare_log_file), arguments.cpp
 * (copy_expand_pid).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "jvm/probe/view.h"

/* So much of it is read: its head, the command line and the stack of the thread that crashed come first. */
enum { HS_ERR_READ_MAX = 256 << 10, HS_ERR_SIGNAL_MAX = 16, HS_ERR_FRAME_MAX = 80 };

struct hs_err {
    pid_t pid;                      /* as the JVM sees itself; 0 = not given */
    char signal[HS_ERR_SIGNAL_MAX]; /* "SIGSEGV"; "" = an internal error, or no memory */
    char frame[HS_ERR_FRAME_MAX];   /* the library or method it crashed in, "libjvm.so"; printable; "" = not known */
    bool no_memory;                 /* "insufficient memory for the Java Runtime Environment to continue" */
    /* The frame, a thread of the profiler, or the stack that crashed names libasyncProfiler. Its thread start wrapper
     * at the bottom of a stack does not count, for every native thread has it. */
    bool profiler;
};

/* False for a text that is no such report. */
bool hs_err_parse(struct str text, struct hs_err *ret);

/* Where a JVM will write it, beside a descriptor of the directory. */
struct hs_err_place {
    uint32_t uid, gid;       /* whose it is */
    int32_t pid;             /* as the JVM sees itself */
    char name[NAME_MAX + 1]; /* in the directory; "" = not known */
};
/* The first directory that the target may write to: that of -XX:ErrorFile, its working directory, its /tmp; looked at
 * with the target's rights. Its descriptor, O_PATH, or a negative errno; -ENOTSUP on a file system that is not local.
 */
int hs_err_place(const struct jvm_view *v, struct hs_err_place *ret);
