/* Properties of a JVM that can be determined without an attach: first from /proc/PID, with privileges, then from files
 * beneath its root, with the target's own privileges.
 *
 * Everything read is untrusted and limited; it only affects operations on that target. Runs in a child of the helper.
 * Facts: proc(5); HotSpot share/runtime/arguments.cpp, perfMemory.hpp (hsperfdata), JDK launcher args.c (@argfiles);
 * spec §4.1.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "jvm/probe/view.h"

enum jvm_libc { JVM_GLIBC, JVM_MUSL };

/* A mapped library; an empty path means none. */
struct jvm_library {
    char path[PATH_MAX]; /* as the maps name it */
    ino_t inode;
    uint64_t start; /* where its first byte is mapped; 0 = not known */
    bool deleted;   /* its file is gone */
};

struct jvm_probe {
    bool hotspot, openj9;      /* at most one */
    bool musl, glibc;          /* whose loader is mapped */
    struct jvm_library libjvm; /* what made it a JVM; OpenJ9 has one as well */
    char vm_version[96];       /* java.vm.version by the performance counters; "" = not known */
    char vm_vendor[64];        /* java.vm.vendor, likewise */
    enum jvm_libc libc;
    bool catches_quit;       /* SIGQUIT has a handler now */
    bool attach_known;       /* perf data, the JVM's memory or every source of options says whether attach is allowed */
    bool attach_off;         /* -XX:+DisableAttachMechanism */
    bool reduced_signals;    /* -Xrs: no handler for SIGQUIT, but a listener from the start */
    bool no_dynamic_agents;  /* -XX:-EnableDynamicAgentLoading */
    struct jvm_library ours; /* the copy of ours that is mapped, by the layout's pattern */
    struct jvm_library stranger; /* an async-profiler of somebody else */
    /* A session is known to run: ours, or async-profiler's timer thread is there (it has a timeout or JFR output). */
    bool profiling;
    int recording; /* number of its descriptor of our recording; -1 = none. The session then is ours. */
};

/* What /proc says: the libraries, and what profiles it. -ESRCH when it ended meanwhile. */
must_check int jvm_probe_process(const struct jvm_view *v, struct jvm_probe *ret, struct err *err);
/* The rest, from beneath its root: its libc, and whether it may be attached to. */
void jvm_probe_root(const struct jvm_view *v, struct jvm_probe *t);

/* The inode of the file that is mapped now under a path that ends with `tail`; 0 when none is, or its file is gone. */
ino_t jvm_mapped_inode(const struct jvm_view *v, const char *tail);

/* "grafana-agent-asprof-glibc-<40 hex>/lib/libasyncProfiler.so" at the end of `path`, or NULL: how a copy of ours is
 * known. The folder's name may go on with "-<up to 32 digits or small letters>" (asprof.h says when). */
const char *jvm_our_library(const char *path);
/* True for ".../.smolder-<32 hex>/session.jfr (deleted)": how a recording of ours is known among a JVM's
 * descriptors. */
bool jvm_our_recording(const char *link);
