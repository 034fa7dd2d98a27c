/* The processes discovery.process knows, and which of them deserve to be read again.
 *
 * Between two full reads a poll must cost next to nothing, yet find a JVM within about a second. What it relies on:
 *   - whatever starts or ends changes the fingerprint of /proc/loadavg, so an equal one ends the poll after one read; what can only have
 *     ended is found some looks later (its session has a pidfd and knows at once), for the threads of a busy host come and go all the time;
 *   - a new pid in /proc is new, one that is missing has ended; what has too little address space for a JVM needs no closer look,
 *     but is compared at the next looks that find something changed: it may be a JVM that is just being loaded;
 *   - a shell that turns into a JVM (`exec java`) keeps its pid, but changes its name or the magnitude of its address space, and
 *     starts a dozen threads, each of which takes a pid. After so many new pids the processes younger than some minutes are
 *     compared, the rest a few at a time.
 *
 * No policy about targets here, and no reading of memory maps: only calls that cannot block. Loop thread only.
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
    uint64_t start_time; /* as last read; 0 = never */
    uint32_t program;    /* jvm_program_of() as last read */
    uint64_t user;       /* jvm_user_of(), once it is known */
    bool user_known;
    enum process_read pending, reading; /* to be read; being read at the moment */
    bool is_java;                       /* it is a JVM, or called like one */
    uint8_t fresh;                      /* how many looks still compare it because it is new */
    bool settled;                       /* no comparing can find out more about it */
    bool delegated;                     /* its container is what its user says (procfs_container) */
    bool java_known;                    /* whether it is a JVM has been found out for `program` */
    bool stuck;                         /* reading it did not end: it is read apart from others, at full reads only */
    bool reported;                      /* a person was told that it cannot be read */
    struct labels *labels;              /* one reference; NULL = no target */
};

struct process_table {
    struct process *items; /* by ascending pid */
    size_t len;
    struct procfs_load load; /* fingerprint of the last poll */
    unsigned put_off;        /* looks since something ended */
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
/* Looks for new, ended and (if they may be) changed processes: READ_IF_JAVA becomes pending for the new and changed. With `all`,
 * READ_ALL for everything. */
must_check int process_table_poll(struct process_table *t, bool all, struct process_poll *ret, struct err *err);
void process_table_done(struct process_table *t);
