/* What the kernel log says about the end of a process: OOM kills, and faults without a handler.
 *
 * Records name a process by its ID in the initial PID namespace, so the log is of use only to a reader in that
 * namespace. Every local user chooses names that appear in records (threads, files), so only the parts of a record that
 * no name can reach are read: the process ID of an OOM kill comes before any name, that of a fault behind at most 15
 * bytes of one. For a fault that is the ID of the thread; it is the process's for its first thread only, others cannot
 * be attributed. Reading needs CAP_SYSLOG where kernel.dmesg_restrict is set.
 * Sources: Linux Documentation/ABI/testing/dev-kmsg, mm/oom_kill.c (__oom_kill_process), arch/x86/mm/fault.c
 * (show_signal_msg), arch/x86/kernel/traps.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

struct kernel_death {
    bool whole;    /* the log was read to its end: what is not said did not happen */
    bool oom;      /* killed by the OOM killer */
    bool of_group; /* because of the limit of a memory cgroup, not of the host */
    bool fault;    /* a signal that nothing handled */
    bool profiler; /* in libasyncProfiler */
};

/* Adds what one record ("6,1234,5678901,-;text") says about process `pid` to *ret; records from before `since_us`
 * (microseconds of the log's clock) are about another process of that ID. */
void kernel_log_record(struct str record, pid_t pid, int64_t since_us, struct kernel_death *ret);

/* Reads the log in the initial PID namespace; elsewhere, or where it is not readable, *ret stays empty.
 * `age_ns`: for how long the process has existed at most. */
void kernel_log_read(pid_t pid, int64_t age_ns, struct kernel_death *ret);
