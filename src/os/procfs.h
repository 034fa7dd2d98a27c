/* Reads the /proc entry of a process, and the list of processes.
 *
 * All reads are limited and may block: cmdline and maps wait for the target's memory lock, which a thread that faults
 * on a dead mount can hold forever. So only a child of the helper (priv/priv.h) may read another process with them;
 * procfs_pids(), procfs_load(), procfs_stat() and procfs_vsize() take no such lock and may be used on the loop thread.
 * For a process that exits meanwhile the result is -ENOENT or -ESRCH.
 * Source: proc(5); fs/proc/{array,base,loadavg}.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct procfs_stat {
    char comm[16]; /* as the process names itself; any bytes, NUL-terminated */
    char state;    /* 'R', 'S', 'Z' … */
    bool kernel_thread;
    uint32_t threads;
    uint64_t cpu_ticks;  /* user + system, all threads, in sysconf(_SC_CLK_TCK) */
    uint64_t start_time; /* clock ticks since boot: with the pid, the identity of a process */
    uint64_t vsize;      /* bytes of address space */
};
must_check int procfs_stat(pid_t pid, struct procfs_stat *ret, struct err *err);
/* The text of such a file. False where it is none. */
bool procfs_stat_parse(struct str text, struct procfs_stat *ret);

/* Bytes of address space as above, without a look at every thread. 0 = it is gone, or has none. */
uint64_t procfs_vsize(pid_t pid);

/* A fingerprint of all that starts and ends processes: equal twice, nothing was created or reaped in between. */
struct procfs_load {
    uint32_t tasks;    /* threads on the host */
    uint32_t last_pid; /* youngest of our pid namespace */
};
/* Keeps its file open; one thread only. */
must_check int procfs_load(struct procfs_load *ret, struct err *err);

/* Every thread-group leader, ascending; *ret is to be freed. `inode` is that of /proc/PID: another one is another
 * process, or the kernel made room in its caches meanwhile. */
struct procfs_pid {
    pid_t pid;
    uint64_t inode;
};
must_check int procfs_pids(struct procfs_pid **ret, size_t *n, struct err *err);

/* CPU time of all threads of the process so far, in ns; 0: none, or not known. Equal twice, the process has not run in
 * between: it has no other program, arguments, directory or user than before. One system call without
 * privileges. What has not been accounted yet of a thread that runs at the moment comes with a later answer.
 * Source: clock_getcpuclockid(3); kernel/time/posix-cpu-timers.c (process_cpu_clock_get, thread_group_cputime). */
uint64_t procfs_cpu_ns(pid_t pid);

/* Appends what /proc/PID/NAME holds, up to what the buffer may still grow by; the rest is left out. */
must_check int procfs_read(pid_t pid, const char *name, struct buf *out, struct err *err);
/* Appends where the link /proc/PID/NAME points, the kernel's " (deleted)" left out: a replaced binary keeps its
 * name. */
must_check int procfs_link(pid_t pid, const char *name, struct buf *out, struct err *err);
/* The real user id. */
must_check int procfs_uid(pid_t pid, uint32_t *ret, struct err *err);
/* Shows the path of every mapped file, repeated as it is mapped, and the names of anonymous memory ("[anon:NAME]"),
 * until `visit` returns false. `start` is the address where the first byte is mapped, 0 for others of a file. */
must_check int procfs_maps(pid_t pid, bool (*visit)(void *arg, struct str path, uint64_t start), void *arg,
                           struct err *err);

/* The value of "NAME:\t…" in the text of /proc/PID/status, trimmed; empty if there is none. Borrowed. */
struct str procfs_status_field(struct str status, const char *name);

/* `path` without the kernel's mark for an unlinked file. */
struct str procfs_without_deleted(struct str path);

/* The container a process runs in, as its cgroups say.
 *
 * A cgroup's name is only worth as much as who may make it: a process can make cgroups of any name beneath one that was
 * delegated to it, "docker-ID.scope" with another container's id included. So a path is read from the outside in, and
 *   - the first segment that names a container counts. What is further in was made in that container: of a container in
 *     a container (kind, Docker in Docker) it is the outer one, the only one that the host's runtime knows. To an agent
 *     inside that one, in its cgroup namespace, the path begins below it, and the inner one is the first.
 *   - a service or scope of systemd that is no container ends the search, for what is below belongs to that service; so
 *     do lxc's containers and what is in machine.slice, which have no such ids. Beneath a runtime's own service
 *     (containerd.service with the cgroupfs driver) it goes on; podman's "libpod-payload-ID" right below a service
 *     (Quadlet, --cgroups=split) counts, delegated.
 *   - what is below a user's service manager (user@UID.service: rootless podman and Docker) is that user's word for it:
 *     it counts, delegated, if nothing else does.
 * Delegated is what somebody other than root may have made up: who knows that a container has the id must not take such
 * a process for one of that container's (components/process_join.h).
 *
 * A segment names a container by 64 lower hexadecimal digits: alone (/docker/ID, /kubepods/…/ID, /ecs/…/ID); behind a
 * runtime's name and '-' (docker-ID.scope, cri-containerd-ID.scope, libpod-ID.scope) with an optional suffix from '.';
 * or as SLICE:RUNTIME:ID, which is what becomes of the systemd form under the cgroupfs driver. On AWS Fargate it is 32
 * such digits, '-' and a number. Of several hierarchies (cgroup v1) the first counts that has one, one that is not
 * delegated before others. Sources: runc libcontainer/cgroups/systemd/common.go (getUnitName), containerd pkg/cri,
 * cri-o internal/config/cgmgr, podman libpod/container_internal_linux.go and pkg/specgen; systemd.resource-control(5),
 * "Delegation"; user@.service(5). */
struct procfs_container {
    struct str id; /* borrowed from the text; empty: none */
    bool delegated;
};
struct procfs_container procfs_container(struct str cgroup);

/* Whether the process is in the root of all our hierarchies: those of the host, or of our cgroup namespace, and then in
 * our own container, whose ID no path below it has. */
bool procfs_cgroup_is_root(struct str cgroup);
/* The container a process runs in, as the files say that its runtime mounts over /etc/hostname, /etc/hosts and
 * /etc/resolv.conf: of ".../containers/ID/hostname" (Docker) and ".../overlay-containers/ID/userdata/hostname" (podman,
 * CRI-O, where it may be the pod's). To be taken for delegated: whoever may mount can make it up. Borrowed from the
 * text of /proc/PID/mountinfo. Sources: moby daemon/container_operations_unix.go, podman
 * libpod/container_internal_common.go; proc(5). */
struct str procfs_mounted_container(struct str mountinfo);

/* The unit that the system's service manager put the process in: "tomcat.service", "session-2.scope",
 * "user@1000.service" for what a user's manager runs. The outermost one, for a unit may make cgroups of any name below
 * its own. Empty in a container, whose scope is named after its id, and without systemd. Borrowed. */
struct str procfs_unit(struct str cgroup);

/* The machine that the process runs in, as systemd-nspawn and systemd-machined name it: "web" of
 * /machine.slice/systemd-nspawn@web.service and of /machine.slice/machine-web.scope. False: none. Such a machine has no
 * container id. Source: systemd-nspawn(1), systemd-machined.service(8); systemd.unit(5), "String escaping". */
enum { PROCFS_MACHINE_MAX = 256 };
bool procfs_machine(struct str cgroup, char ret[PROCFS_MACHINE_MAX]);
