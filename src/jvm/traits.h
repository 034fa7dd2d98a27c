/* What can be known of a JVM without touching it: read from /proc/PID and from beneath its root.
 *
 * Everything read is the target's own word and bounded; it decides only what is done to that target. Runs in a child of the helper.
 * Facts: proc(5); HotSpot share/runtime/arguments.cpp, perfMemory.hpp (hsperfdata), JDK launcher args.c (@argfiles); spec §4.1.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/pidref.h"
#include "os/rootfs.h"

enum jvm_libc { JVM_GLIBC, JVM_MUSL };

/* A mapped library; an empty path means none. */
struct jvm_library {
    char path[PATH_MAX]; /* as the maps name it */
    ino_t inode;
    bool deleted; /* its file is gone */
};

struct jvm_traits {
    pid_t ns_pid; /* as the JVM sees itself */
    uid_t euid;
    gid_t egid;
    struct rootfs_owner owner; /* of what we make beneath its root: root of its user namespace */
    bool hotspot, openj9;
    struct jvm_library libjvm; /* what made it `hotspot` */
    char vm_version[96];       /* java.vm.version by the performance counters; "" = not known */
    enum jvm_libc libc;
    bool catches_quit;    /* SIGQUIT has a handler now */
    bool attach_known;    /* the performance counters say whether attach is allowed, or every option source was read */
    bool attach_off;      /* -XX:+DisableAttachMechanism */
    bool reduced_signals; /* -Xrs: no handler for SIGQUIT, but a listener from the start */
    bool no_dynamic_agents;      /* -XX:-EnableDynamicAgentLoading */
    struct jvm_library ours;     /* the copy of ours that is mapped, by the layout's pattern */
    struct jvm_library stranger; /* an async-profiler of somebody else */
    /* A session is known to run: ours, or async-profiler's timer thread is there (it has a timeout or JFR output). */
    bool profiling;
    int recording; /* number of its descriptor of our recording; -1 = none. The session then is ours. */
};

/* Reads them all. `root` is the target's. -ESRCH when it ended meanwhile. */
must_check int jvm_traits_read(const struct pidref *p, int root, struct jvm_traits *ret, struct err *err);

/* True while SIGQUIT has a handler. */
bool jvm_catches_quit(const struct pidref *p);

/* "grafana-agent-asprof-glibc-<40 hex>/lib/libasyncProfiler.so" at the end of `path`, or NULL: how a copy of ours is known. */
const char *jvm_our_library(const char *path);
/* True for ".../.smolder-<32 hex>/session.jfr (deleted)": how a recording of ours is known among a JVM's descriptors. */
bool jvm_our_recording(const char *link);
