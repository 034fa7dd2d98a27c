/* A process table, and the selection of processes to scan again: of discovery.process, and of pyroscope.java for
 * targets that name a container.
 *
 * Between two full scans a check must be cheap, yet detect a JVM within about a second. It relies on:
 *   - starting or exiting processes change the fingerprint of /proc/loadavg, so an equal one ends the check after one
 *     read; exits alone are detected some checks later (a session has a pidfd and is notified at once), because threads
 *     come and go constantly;
 *   - a new PID in /proc is a new process, a missing one has exited; a process with too little address space for a JVM
 *     is not scanned, but compared again at the next checks that find a change, because it may be a JVM that is being
 *     loaded;
 *   - a shell that executes a JVM (`exec java`) keeps its PID, but changes its name or the magnitude of its address
 *     space, and starts a dozen threads, each of which takes a PID. After that many new PIDs, processes younger than
 *     some minutes are compared, the others a few at a time.
 *
 * A full scan costs what has changed, too: a process that was read completely and has used no CPU time since
 * (os/procfs.h) is not read again, but for one in PROCESS_REREAD_EVERY, because others can move it to another cgroup or
 * rename a directory of its path.
 *
 * Contains no target policy and does not read memory maps: only calls that cannot block. But listing /proc takes a
 * microsecond or two for each process of the host, and comparing some more. So a look has three steps: the table says
 * what it knows (process_look_new), any thread reads /proc (process_look_run), the table learns what was found
 * (process_look_take). components/process_watch.h does them with a worker. The first and the last are for the thread
 * of the table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "flow/labels.h"
#include "os/procfs.h"

/* What is to be read of a process next. */
enum process_read {
    READ_NOTHING,
    READ_IF_JAVA, /* nothing, unless it turns out to be a JVM */
    READ_ALL,
};

struct process {
    pid_t pid;
    uint64_t inode;      /* of its /proc entry */
    uint64_t cpu_ns;     /* CPU time before the read that was asked for last; 0 = not known */
    bool complete;       /* that was a read of all that is wanted, and it ended */
    uint64_t start_time; /* as last read; 0 = never */
    uint32_t program;    /* jvm_program_of() as last read */
    uint64_t user;       /* jvm_user_of(), once it is known */
    bool user_known;
    enum process_read pending, reading; /* to be read; being read at the moment */
    bool is_java;                       /* it is a JVM, or called like one */
    uint8_t fresh;                      /* how many looks still compare it because it is new */
    bool settled;                       /* no comparing can find out more about it */
    bool delegated;                     /* its container is what its user says (procfs_container) */
    uint8_t name_reads;                 /* how often it was asked for a service name that an SDK may still publish */
    uint64_t asked_vsize;               /* its address space when it was asked for that; 0 = not known */
    bool java_asked;                    /* by the reading at the moment: whether it is a JVM, and its name */
    bool java_known;                    /* whether it is a JVM has been found out for `program` */
    bool stuck;                         /* reading it did not end: it is read apart from others, at full reads only */
    bool reported;                      /* a person was told that it cannot be read */
    struct labels *labels;              /* one reference; NULL = no target */
};

enum { PROCESS_REREAD_EVERY = 32 }; /* full scans */

struct process_table {
    struct process *items; /* by ascending pid */
    size_t len;
    struct procfs_load load; /* fingerprint of the last poll */
    unsigned put_off;        /* looks since something ended */
    unsigned full_scans;     /* so far */
    unsigned started;        /* pids handed out before the last poll, as far as it matters */
    size_t to_compare;       /* processes the comparing still has to visit since something changed … */
    size_t compared;         /* … and the index it goes on from */
};

/* What a poll found out. */
struct process_poll {
    bool changed;   /* something may have become pending */
    bool lost;      /* a process with labels has ended … */
    bool lost_java; /* … and it was a JVM */
};

struct process *process_table_find(const struct process_table *t, pid_t pid);
void process_table_done(struct process_table *t);

struct process_look;
/* Begins a look for new, ended and (if they may be) changed processes; with `all`, for everything that is not known to
 * be as it was read. 0 with *ret NULL: nothing has started or ended, there is nothing to look for. One look of a table
 * at a time. */
must_check int process_look_new(struct process_table *t, bool all, struct process_look **ret, struct err *err);
/* Without the table; several threads may do this for different looks. */
void process_look_run(struct process_look *l);
/* READ_IF_JAVA becomes pending for the new and changed; READ_ALL in a look for all. Frees the look. */
must_check int process_look_take(struct process_look *l, struct process_table *t, struct process_poll *ret,
                                 struct err *err);
void process_look_free(struct process_look *l);
