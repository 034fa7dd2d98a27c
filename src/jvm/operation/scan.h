/* Scans processes, such that one whose /proc entry hangs does not affect the others.
 *
 * The scan runs in a killable child of the helper (JVM_OP_SCAN), which delivers the records that are complete before it
 * reads what can hang. A child killed at its deadline thereby identifies the process it hung on: that one is reported
 * with -ETIMEDOUT, and the rest is requested again.
 * Facts: spec components §2.2, §2.3.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"
#include "jvm/probe/command_line.h"
#include "os/procfs.h"
#include "priv/priv.h"

/* What to read of a process besides its start time. */
enum jvm_want {
    JVM_WANT_EXE = 1 << 0,
    JVM_WANT_CWD = 1 << 1,
    JVM_WANT_CMDLINE = 1 << 2,
    JVM_WANT_UID = 1 << 3,
    JVM_WANT_USERNAME = 1 << 4,
    JVM_WANT_CGROUP = 1 << 5,
    JVM_WANT_JAVA = 1 << 6,    /* the kind of JVM, its version, main class and jar, what it declares */
    JVM_WANT_IF_JAVA = 1 << 7, /* the rest only of what maps libjvm or whose file is called java: for a quick look */
    JVM_WANT_SERVICE = 1 << 8, /* the kind of JVM and the service name it declares: a fraction of JVM_WANT_JAVA */
};
/* `want | JVM_WANT_OF_JVM(more)`: `more` as well of what JVM_WANT_JAVA finds to be a JVM. */
enum { JVM_WANT_SHIFT = 8 };
#define JVM_WANT_OF_JVM(want) ((unsigned)(want) << JVM_WANT_SHIFT)
/* Below this much address space no JVM runs: libjvm alone maps 20 MB, its class library and code cache the rest. */
enum { JVM_LEAST_VSIZE = 32 << 20 };

/* A scan's most: so that a reply with the largest records stays under PRIV_PAYLOAD_MAX. */
enum { JVM_SCAN_MAX = 64, JVM_CGROUP_MAX = 16 << 10 };
/* The longest a call may take, and its most bytes. */
enum { JVM_SCAN_MS = 60000, JVM_SCAN_BYTES = JVM_SCAN_MAX * 8 };

struct jvm_scan_item {
    pid_t pid;
    unsigned want; /* enum jvm_want */
};

/* Of one process. Strings are borrowed, those not wanted or not known are empty. */
struct jvm_scan_record {
    pid_t pid;
    int code;        /* 0, or the -errno that made it unreadable: then only the next four count, as far as known */
    struct str what; /* "readlink /proc/7/exe: Permission denied" */
    uint64_t start_time;
    uint32_t program; /* jvm_program_of() */
    bool is_java;     /* libjvm mapped, or its file is called java */
    bool has_uid;
    uint32_t uid;
    struct str exe, cwd, username, cgroup;
    struct str mounted; /* the container by its mounts, where the cgroups cannot name one (procfs_mounted_container) */
    struct str cmdline; /* arguments joined by one blank, empty ones dropped; cut after JVM_CMDLINE_MAX */
    struct str vm;      /* "hotspot", "openj9"; "" = no libjvm mapped */
    struct str main;    /* main class, or the jar's name without ".jar" */
    struct str jar;     /* of -jar, as written there */
    struct str version; /* "17.0.12" */
    struct str service; /* what it declares (jvm/probe/service_name.h) */
    struct str choice;  /* SMOLDER_PROFILING of its environment */
};

/* The container of a process whose cgroups were read. */
struct procfs_container jvm_scan_container(const struct jvm_scan_record *r);

struct jvm_scan;
/* Scans up to JVM_SCAN_MAX processes, all of one user (jvm_user_of()), each try with `timeout_ms`. `record` is called
 * once per item in any order, then `done`, once, with 0 or -EPIPE when the helper is lost (then items may be missing).
 * All from the loop; the scan is freed before `done`. */
struct jvm_scan *jvm_scan(struct priv *priv, uint64_t user, const struct jvm_scan_item *items, size_t n,
                          unsigned timeout_ms, void (*record)(void *arg, const struct jvm_scan_record *record),
                          void (*done)(void *arg, int code), void *arg);
/* Frees it; neither callback comes any more. Not from within `record`. */
void jvm_scan_cancel(struct jvm_scan *scan);

/* The operation, for the table of the helper. */
void jvm_op_scan(struct priv_call *call);

/* A number for the program a process runs: it changes when another is executed, and when libjvm sets up its heap. */
uint32_t jvm_program_of(const struct procfs_stat *stat);
