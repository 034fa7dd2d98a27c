#include "jvm/probe/reason.h"

#include <string.h>

#include "base/cleanup.h"

#define WAITING     JVM_STATE_WAITING
#define DEGRADED    JVM_STATE_DEGRADED
#define BACKING_OFF JVM_STATE_BACKING_OFF
#define REFUSED     JVM_STATE_REFUSED
#define GONE        JVM_STATE_GONE

static const struct {
    const char *name, *meaning;
} states[JVM_STATE_COUNT] = {
    [JVM_STATE_WAITING] = {"waiting", "not profiled yet, or for now; continues by itself"},
    [JVM_STATE_ATTACHING] = {"attaching", "an attach is under way"},
    [JVM_STATE_PROFILING] = {"profiling", "profiled; nothing is missing"},
    [JVM_STATE_DEGRADED] = {"degraded", "profiled, but something is missing or wrong; the reason names it"},
    [JVM_STATE_BACKING_OFF] = {"backing_off", "the last attempt failed; retried with increasing delays"},
    [JVM_STATE_REFUSED] = {"refused", "not profiled until the JVM, its container or the configuration changes"},
    [JVM_STATE_GONE] = {"gone", "the process ended, or is no longer a target"},
};

/* Specific texts before general ones: a sentence may quote another. */
const struct jvm_reason jvm_reasons[] = {
    /* Stated by the agent about JVMs it profiles. */
    {"profiles_rejected",
     DEGRADED,
     {"a server rejects profiles of this JVM"}, /* quotes the server */
     "a server of `pyroscope.write` rejects profiles of this JVM and accepts others; the reason quotes it",
     "see the message: often too many labels or too long values, or a profile outside the server's time window"},
    {"coverage_none",
     DEGRADED,
     {"without CPU samples", "no CPU samples although"},
     "the kernel counted CPU time of the process, but the profiler delivered no CPU samples: SIGPROF was blocked when "
     "the JVM was started, or its handler or timer was replaced",
     "none if `ctimer` is named in the reason: smolder has switched to it. Otherwise find out what starts the JVM with "
     "SIGPROF blocked (`SigBlk` in `/proc/PID/status`), or which library uses SIGPROF"},
    {"coverage_low",
     DEGRADED,
     {"times less CPU time in samples"},
     "the samples of several intervals account for less than half of the CPU time that the kernel counted",
     "check for a second profiler, for threads that block SIGPROF, for a profiler `interval` below a tick of the "
     "kernel, "
     "and for a `ulimit -i` (pending signals) that is too small for `ctimer`"},
    {"coverage_high",
     DEGRADED,
     {"times more CPU time in samples"},
     "the samples of several intervals account for more than twice the CPU time that the kernel counted",
     "check for a second profiler in the JVM: with two, each receives the signals of both"},
    {"set_aside",
     DEGRADED,
     {"ended the parser twice"},
     "a chunk of the recording crashed the process that parses it, twice: the recording was forged, or it is a bug",
     "report it, with the recording if possible; other intervals are converted"},
    {"partly_converted",
     DEGRADED,
     {"recording truncated", "recording could not be read", "unknown event name in the recording"},
     "a part of the last interval exceeded a [limit](profiles.md#limits) or is damaged, and was left out",
     "see the reason; reduce sampling if it repeats"},
    {"events_missing",
     DEGRADED,
     {"without "},
     "the JVM or the kernel does not support this event, as reported by the profiler; all others are profiled",
     "use a JVM with symbols, or disable the event"},

    /* Another profiler. */
    {"other_agent",
     WAITING,
     {"another smolder is profiling this JVM"},
     "two agents run on this host",
     "stop one of them; the other takes over automatically"},
    {"other_profiler",
     WAITING,
     {"another async-profiler session is running", "another profiler is loaded"},
     "another profiler is active in this JVM, and both would be wrong: timer, signal and JVM events belong to the "
     "process. smolder gives way",
     "stop the other one, or leave it: smolder checks again every interval; after an hour if it is not async-profiler"},

    /* The JVM does not allow it. */
    {"attach_disabled",
     REFUSED,
     {"DisableAttachMechanism"},
     "the JVM runs with `-XX:+DisableAttachMechanism`",
     "restart it without the flag; until then no operation and no signal is sent to it"},
    {"dynamic_agents_disabled",
     REFUSED,
     {"EnableDynamicAgentLoading"},
     "the JVM runs with `-XX:-EnableDynamicAgentLoading`",
     "restart it without the flag"},
    {"attach_socket_removed",
     REFUSED,
     {"-Xrs and its attach socket is gone"},
     "with `-Xrs` a JVM does not handle SIGQUIT and creates its attach socket at startup only; the socket was removed, "
     "and a signal would terminate the JVM",
     "restart the JVM; exclude `.java_pid*` from cleaners of `/tmp`"},
    {"attach_unknown",
     REFUSED,
     {"it is unknown whether it can be started"},
     "the attach listener is not running, and neither perf data (`hsperfdata`) nor all VM flags nor the memory of the "
     "JVM can be read; a signal could terminate the JVM",
     "start it with `-XX:+UsePerfData`, or `-XX:+StartAttachListener`"},
    {"starting_up",
     WAITING,
     {"does not handle SIGQUIT", "does not support Tool Interface", "only in the live phase"},
     "the JVM is still starting",
     "none: smolder retries"},
    {"stopped", WAITING, {"is stopped"}, "the process is stopped (SIGSTOP or a debugger)", "continue it"},
    {"frozen",
     WAITING,
     {"is frozen by its cgroup", "cgroup is frozen"},
     "the cgroup of the process is frozen (a paused container)",
     "unpause the container; smolder retries"},
    {"no_descriptors_in_target",
     BACKING_OFF,
     {"no file descriptors left"},
     "the JVM uses as many descriptors as its `ulimit -n` allows, so it cannot accept a connection or open a recording",
     "find the leak, or raise the limit of the JVM"},
    {"hanging",
     BACKING_OFF,
     {"did not answer in time", "no answer within"},
     "the JVM (swapping, a very long safepoint) or a mount below its root hangs",
     "none: smolder retries with increasing delays"},
    {"connection_lost",
     BACKING_OFF,
     {"the JVM closed the connection", "connect to /tmp/", "reply is too long"},
     "the JVM ended the exchange early",
     "none: smolder retries with increasing delays"},
    {"not_hotspot",
     WAITING,
     {"no HotSpot JVM"},
     "the process is not a JVM, or has not loaded it yet",
     "none for a JVM; a rule of `discovery.relabel` can drop other processes"},
    {"openj9",
     REFUSED,
     {"the JVM is OpenJ9, which was tested against a simulation only"},
     "the attach to OpenJ9 was tested against a simulation of its protocol, never against OpenJ9 itself, where "
     "async-profiler is experimental as well",
     "`untested_versions = true`; try it first with a JVM that may be lost ([what to expect](openj9.md))"},
    {"openj9_attach_off",
     REFUSED,
     {"-Dcom.ibm.tools.attach.enable=no"},
     "the JVM runs with `-Dcom.ibm.tools.attach.enable=no`",
     "restart it without the property"},
    {"openj9_namespaces",
     REFUSED,
     {"needs the JVM's network and IPC namespaces"},
     "OpenJ9 connects to a port of the loopback interface when a semaphore wakes it, and both are those of its "
     "container, which the helper cannot enter",
     "`--java.enter-namespaces`; see [OpenJ9 in containers](openj9.md#containers)"},
    {"openj9_not_ready",
     WAITING,
     {"OpenJ9 cannot be attached to through"},
     "the JVM is still starting, or its attach directory was removed, moved by an option in a file, or switched off",
     "none while it starts; else restart the JVM, and exclude `.com_ibm_tools_attach` from cleaners of `/tmp`"},
    {"openj9_semaphore",
     REFUSED,
     {"the semaphore of OpenJ9's attach directory"},
     "the semaphore that wakes OpenJ9 was removed, or the attach directory is shared with another container",
     "restart the JVM; `ipcs -s` lists the semaphores, and `RemoveIPC=yes` of logind removes those of a user who logs "
     "out"},
    {"jdk_removed",
     REFUSED,
     {"its JDK was removed or replaced"},
     "the files of the JDK were deleted or replaced while the JVM runs, and the profiler needs to read them",
     "restart the JVM"},

    /* Directories of the target and the host. */
    {"no_path_resolution",
     REFUSED,
     {"openat2 is not available"},
     "smolder resolves paths in a target with openat2(2), and a kernel before 5.6 does not have it or a seccomp filter "
     "of smolder forbids it: that of a container runtime, or `RestrictSUIDSGID=` of a systemd unit",
     "remove that line from the unit (the installed one does not have it), update the container runtime or the kernel"},
    {"no_tmp",
     REFUSED,
     {"creates its attach socket in /tmp"},
     "the target has no `/tmp`",
     "provide one that is writable for the JVM"},
    {"file_size_limit",
     REFUSED,
     {"limited to files of"},
     "the JVM runs with a file size limit (`ulimit -f`) that is smaller than a recording",
     "raise the limit, for example `LimitFSIZE` of its unit"},
    {"disk_full",
     BACKING_OFF,
     {"No space left on device"},
     "`tmp_dir` on the host or in the target is full",
     "free some space there, or set `tmp_dir` to a directory with enough space"},
    {"no_recording_space",
     BACKING_OFF,
     {"no space for the recording", "bytes free"},
     "`/tmp` and `/dev/shm` of the target have less than 32 MiB free",
     "free space in one of them; the `/dev/shm` of a container can be enlarged"},
    {"read_only",
     REFUSED,
     {"Read-only file system"},
     "the target's `/tmp` or `tmp_dir` is read-only",
     "mount a writable volume at `/tmp`, where the JVM creates its attach socket: `--tmpfs /tmp:exec` of Docker, an "
     "`emptyDir`; if only `tmp_dir` is read-only, set another one"},
    {"noexec",
     REFUSED,
     {"mounted noexec"},
     "the target's `tmp_dir` is mounted noexec, so no library can be loaded from it, and neither `/run`, `/opt`, "
     "`/dev`, `/var/tmp` nor the working directory of the JVM is suitable",
     "make it executable: Docker mounts `--tmpfs /tmp` noexec, but not `--tmpfs /tmp:exec`; or set `tmp_dir` to "
     "another "
     "directory, which must also exist in the image"},
    {"unsafe_tmp_dir",
     REFUSED,
     {"others could replace", "must belong to"},
     "the host's `tmp_dir` is world-writable or belongs to another user",
     "fix its permissions and owner (`chmod 1777 /tmp`), or choose another `tmp_dir`"},
    {"attach_socket_taken",
     REFUSED,
     {"in the target belongs to another process"},
     "the attach socket of the JVM's PID in its `/tmp` is that of another JVM: containers with PID namespaces of their "
     "own share the directory, and HotSpot names the socket by PID alone",
     "give each container a `/tmp` of its own; until then only the last one that was started can be profiled"},
    {"path_occupied",
     REFUSED,
     {"exists and is not a regular file", "is a symbolic link", "in the target is not a socket",
      "belongs to another process"},
     "all candidate paths of a file are occupied by others",
     "find out who created them, and remove them"},
    {"not_local",
     REFUSED,
     {"is not on a local file system"},
     "the directories of the target that could hold a recording are on network file systems",
     "mount a tmpfs or an `emptyDir` at `/tmp` of the target"},
    {"no_permission",
     REFUSED,
     {"Permission denied", "does not belong to its user", "Operation not permitted", "must run as root"},
     "the JVM's user cannot write to that directory, or smolder may not act as that user; smolder acts with the "
     "privileges of that user",
     "fix the permissions, mount an `emptyDir` there, choose another `tmp_dir`, or run smolder as root"},
    {"library_replaced",
     REFUSED,
     {"loaded another file than the one installed at"},
     "the library was replaced while the JVM loaded it",
     "check who can write to `tmp_dir` in that container"},

    /* Whether it fits. */
    {"architecture",
     REFUSED,
     {"the JVM is 32-bit", "libjvm is for", "its architecture is unknown", "is not an ELF file"},
     "JVM and profiler have different architectures: 32-bit, or emulated other than arm64 on x86-64",
     "32-bit JVMs are not supported; for an emulated one set [`dist`](components/pyroscope.java.md) to an "
     "async-profiler for its architecture"},
    {"version_untested",
     REFUSED,
     {"newer than the tested versions", "older than the tested versions", "version cannot be read"},
     "this version is untested and may crash on attach",
     "`untested_versions = true`; try it first with a JVM that may be lost"},
    {"version_crashes",
     REFUSED,
     {"kills early-access builds", "to another async-profiler"},
     "this build is known to crash on attach; no option overrides this",
     "use another JDK, or `dist` with another async-profiler and `untested_versions = true`"},
    {"memory_limit",
     BACKING_OFF,
     {"memory limit of the container"},
     "the memory limits of the JVM's cgroups leave too little for an attach; the JVM would be OOM-killed",
     "raise the limit; smolder checks again after 10 seconds, later every 5 minutes. `memory_headroom` is the required "
     "amount"},
    {"quarantined",
     REFUSED,
     {"a JVM like this one"},
     "a JVM of the same user, program, main class, arguments and build crashed, and the profiler is implicated "
     "([crash guard](components/pyroscope.java.md#crash-guard)); the reason says how",
     "find the cause (`hs_err_pid*.log`, the kernel log); then [`smolder forgive`](forgive.md), or an upgrade of the "
     "JVM "
     "or the profiler; `retry_crashed = true` or `crash_guard = \"off\"` profile it nevertheless"},
    {"max_targets",
     WAITING,
     {"max_targets"},
     "as many other JVMs as `max_targets` allows are profiled",
     "none: it is the next one when one of them ends; or raise `max_targets`"},
    {"min_age", WAITING, {"waiting until it is"}, "the JVM is younger than `min_age`", "none"},
    {"event_unsupported",
     REFUSED,
     {"no other event is configured"},
     "the only event that is configured is not supported by this JVM",
     "configure another event"},

    /* The profiler. */
    {"library_rejected",
     REFUSED,
     {"did not load the profiler"},
     "the JVM's dynamic linker rejected the library; its message follows",
     "often a missing libc or SELinux, see the message"},
    {"library_removed",
     REFUSED,
     {"was removed from"},
     "the loaded library was deleted, and this smolder has another version",
     "restart the JVM"},
    {"profiler_refused",
     REFUSED,
     {"the profiler refused to", "the profiler started but"},
     "async-profiler's error message follows",
     "usually an event the JVM or the kernel does not support"},

    /* Recordings. */
    {"recording_too_fast",
     BACKING_OFF,
     {"the recording grows faster than the read limit"},
     "the JVM writes more than 8 MB/s for a longer time, or another process writes to its recording",
     "reduce sampling: a longer profiler `interval`, a larger `alloc`"},
    {"recording_hangs",
     BACKING_OFF,
     {"reading the recording timed out"},
     "the file system of the target's `/tmp` does not respond, or the file is locked",
     "check what else writes to that file system; smolder retries with increasing delays"},
    {"recording_damaged",
     BACKING_OFF,
     {"the recording is damaged"},
     "torn chunks, usually because the file system was full",
     "free space; smolder starts a new recording"},
    {"recording_of_other",
     BACKING_OFF,
     {"recording of an earlier session", "no session of this agent is running"},
     "the session of an earlier agent cannot be continued",
     "none: smolder retries with increasing delays"},
    {"no_data",
     BACKING_OFF,
     {"no data although the profiler should run"},
     "the JVM hangs, or the profiler was stopped by someone else",
     "none: smolder retries with increasing delays"},

    /* The agent. */
    {"agent_descriptors",
     BACKING_OFF,
     {"has used its share of the agent's descriptors"},
     "the sessions of one user or container hold three quarters of the available descriptors",
     "raise `LimitNOFILE` of the service, or `ulimit -Hn`"},
    {"helper_restarted",
     BACKING_OFF,
     {"the privileged helper was restarted", "the operation ended unexpectedly", "invalid reply from the helper"},
     "the helper died or did not answer for ten seconds; pending operations are repeated",
     "check the log; may recur on a host without free memory or CPU time"},
    {"user_changed",
     BACKING_OFF,
     {"changed its user"},
     "the process changed its user during the attach",
     "none: smolder retries"},
    {"stopping", GONE, {"is being stopped"}, "no target names this process any more, or the agent stops", "none"},
    {"crashed",
     GONE,
     {"the process ended: "},
     "the JVM crashed or was killed; the reason says how. JVMs like it are profiled unless the profiler is implicated "
     "([crash guard](components/pyroscope.java.md#crash-guard))",
     "find the cause (`hs_err_pid*.log`, the kernel log)"},
    {"ended", GONE, {"the process ended", " is gone"}, "the process ended", "none"},

    /* States without a sentence, by state; then what has no row. */
    {"queued", WAITING, {NULL}, "waits for its first attach", "none"},
    {"attaching", JVM_STATE_ATTACHING, {NULL}, "an attach is under way", "none"},
    {"ok", JVM_STATE_PROFILING, {NULL}, "profiled; nothing is missing", "none"},
    {"other",
     BACKING_OFF,
     {NULL},
     "an error of the system or of the JVM; the sentence has its message",
     "see the message; smolder retries with increasing delays"},
};
const size_t jvm_reason_count = ARRAY_LEN(jvm_reasons);

const char *jvm_state_name(enum jvm_state s)
{
    return states[s].name;
}

const char *jvm_state_meaning(enum jvm_state s)
{
    return states[s].meaning;
}

static bool reason_matches(const struct jvm_reason *r, const char *sentence)
{
    for (size_t i = 0; i < JVM_REASON_MATCHES && r->match[i]; i++)
        if (strstr(sentence, r->match[i]))
            return true;
    return false;
}

const struct jvm_reason *jvm_reason_of(enum jvm_state state, const char *sentence)
{
    const struct jvm_reason *other = &jvm_reasons[jvm_reason_count - 1];
    const bool profiled = state == JVM_STATE_PROFILING || state == JVM_STATE_DEGRADED;
    for (size_t i = 0; i < jvm_reason_count; i++) {
        const struct jvm_reason *r = &jvm_reasons[i];
        if (r->state == DEGRADED && !profiled)
            continue;
        if (*sentence ? reason_matches(r, sentence) : !r->match[0] && r->state == state)
            return r;
    }
    return other;
}

enum jvm_state jvm_state_of_reason(const char *sentence)
{
    return jvm_reason_of(JVM_STATE_WAITING, sentence)->state;
}
