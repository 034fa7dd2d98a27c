/* Reads what is known of the end of a JVM: its error report (hs_err_pid<PID>.log) and the kernel log.
 *
 * By then its /proc entry is gone, so the directory of the report is opened while the JVM runs, by a start
 * (hs_err_place() in its child), and kept by the main process as an O_PATH descriptor, which nothing can block on.
 * After the end a child of the helper reads the kernel log with the agent's privileges, then becomes the JVM's user and
 * opens the report in that directory: a regular file of that user, with one link, no symlink, written since the JVM was
 * started. Other local users cannot provide such a file, not even in a shared /tmp.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "jvm/probe/hs_err.h"
#include "jvm/probe/kernel_log.h"
#include "priv/priv.h"

enum { JVM_CRASH_MS = 3000, JVM_CRASH_BYTES = 1024 /* of a request, at most */ };

struct jvm_crash {
    bool reported; /* there is a report */
    struct hs_err report;
    struct kernel_death kernel;
};

struct jvm_crash_request {
    uint64_t user; /* whose turn it takes */
    pid_t pid;
    int64_t age_ns; /* since the JVM was started */
    const struct hs_err_place *place;
    int dir; /* lent; -1 = none, then only the kernel log is read */
};
/* All zero where nothing was found, or the child ended before it could tell. */
typedef void jvm_crash_done(void *arg, const struct jvm_crash *found);

/* Returns priv's call id. */
uint64_t jvm_read_crash(struct priv *p, const struct jvm_crash_request *r, jvm_crash_done *done, void *arg);

/* The operation, for the table of the helper. */
void jvm_op_crash(struct priv_call *call);
