#include "jvm/operation/examine_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "jvm/operation/recording.h"
#include "jvm/probe/cgroup.h"
#include "os/procfs.h"

enum { TEXT_MAX = 1 << 16, EXAMINED_THREADS = 512, HEX = 16 };
/* A recording holds a chunk or two (operations.c), and the JVM needs some descriptors for the profiler. */
enum { FILE_LEAST = 32 << 20, FDS_LEAST = 16 };

void examine_frozen(const struct examiner *x, const struct jvm_view *v)
{
    struct cgroup c;
    struct err err = {0};
    uint64_t frozen = 0;
    const int code = cgroup_of(&v->p, &c, &err);
    if (code == 0 && cgroup_value(&c, "cgroup.events", "frozen", &frozen) && frozen)
        examine_report(x, "running", PRECONDITION_PROBLEM, true,
                       "unfreeze it: docker unpause, systemctl thaw, or echo 0 to its cgroup.freeze",
                       "its cgroup is frozen (%s)", c.path);
    else
        examine_report(x, "running", PRECONDITION_OK, false, "", "neither stopped nor frozen");
}

static bool own_namespace(const struct pidref *p, const char *name)
{
    char path[32], ours[64] = "", theirs[64] = "";
    snprintf(path, sizeof path, "ns/%s", name);
    const ssize_t n = pidref_readlink(p, path, theirs, sizeof theirs);
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    const ssize_t m = readlink(path, ours, sizeof ours - 1);
    if (n <= 0 || m <= 0)
        return false;
    theirs[n] = ours[m] = '\0';
    return strcmp(theirs, ours) != 0;
}

void examine_container(const struct examiner *x, const struct jvm_view *v)
{
    static const struct {
        const char *file, *name;
    } namespaces[] = {{"mnt", "mount"}, {"pid", "PID"}, {"user", "user"}, {"net", "network"}};
    char list[96] = "";
    for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
        if (own_namespace(&v->p, namespaces[i].file)) {
            const size_t n = strlen(list);
            snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", namespaces[i].name);
        }
    if (list[0])
        examine_report(x, "container", PRECONDITION_OK, false, "",
                       "own namespaces: %s; accessed through /proc/%d/root, PID %d inside", list, (int)v->p.pid,
                       (int)v->ns_pid);
    else
        examine_report(x, "container", PRECONDITION_OK, false, "", "no namespaces of its own");
}

/* A mask of signals in the text of a status file. */
static uint64_t signal_mask(struct str status, const char *field)
{
    char text[HEX + 2];
    snprintf(text, sizeof text, "%.*s", STR_ARG(procfs_status_field(status, field)));
    return strtoull(text, NULL, HEX);
}

void examine_signals(const struct examiner *x, const struct jvm_view *v)
{
    const uint64_t prof = (uint64_t)1 << (SIGPROF - 1);
    unsigned threads = 0, blocked = 0;
    const int fd = pidref_openat(&v->p, "task", O_RDONLY | O_DIRECTORY);
    cleanup_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    for (struct dirent *entry; dir && threads < EXAMINED_THREADS && (entry = readdir(dir));) {
        char path[sizeof entry->d_name + 24];
        cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
        snprintf(path, sizeof path, "task/%s/status", entry->d_name);
        if (entry->d_name[0] == '.' || pidref_read(&v->p, path, &text, NULL, NULL) < 0)
            continue;
        threads++;
        blocked += (signal_mask(buf_slice(&text), "SigBlk") & prof) != 0;
    }
    if (threads == 0)
        examine_report(x, "signals", PRECONDITION_UNKNOWN, false, "run as root", "its threads cannot be read");
    else if (blocked > threads / 2)
        examine_report(x, "signals", PRECONDITION_PROBLEM, false,
                       "its launcher started it with SIGPROF blocked (signal(7)): unblock it before the exec",
                       "%u of %u threads block SIGPROF: no CPU samples of them", blocked, threads);
    else
        examine_report(x, "signals", PRECONDITION_OK, false, "", "SIGPROF is not blocked");
}

/* The soft limit of a row of /proc/PID/limits; UINT64_MAX = unlimited. */
static bool soft_limit(struct str limits, const char *row, uint64_t *ret)
{
    for (struct str line; str_split(&limits, '\n', &line);) {
        struct str value, rest;
        if (!str_has_prefix(line, str_of(row)))
            continue;
        rest = str_trim((struct str){line.p + strlen(row), line.n - strlen(row)});
        if (!str_split(&rest, ' ', &value))
            return false;
        *ret = UINT64_MAX;
        return str_is(value, "unlimited") || str_to_u64(value, ret);
    }
    return false;
}

static uint64_t count_descriptors(const struct jvm_view *v)
{
    const int fd = pidref_openat(&v->p, "fd", O_RDONLY | O_DIRECTORY);
    cleanup_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    uint64_t n = 0;
    if (!dir && fd >= 0)
        close(fd);
    while (dir && readdir(dir))
        n++;
    return n > 2 ? n - 2 : 0;
}

void examine_limits(const struct examiner *x, const struct jvm_view *v)
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    uint64_t file = 0, files = 0;
    if (pidref_read(&v->p, "limits", &text, NULL, NULL) < 0 || !soft_limit(buf_slice(&text), "Max file size", &file) ||
        !soft_limit(buf_slice(&text), "Max open files", &files)) {
        examine_report(x, "limits", PRECONDITION_UNKNOWN, false, "run as root", "its resource limits cannot be read");
        return;
    }
    const uint64_t open = count_descriptors(v);
    if (file < FILE_LEAST)
        examine_report(x, "limits", PRECONDITION_PROBLEM, true, "",
                       "the JVM is limited to files of %llu KiB (ulimit -f); a recording needs up to %d KiB",
                       (unsigned long long)file >> 10, FILE_LEAST >> 10);
    else if (open + FDS_LEAST > files)
        examine_report(x, "limits", PRECONDITION_PROBLEM, true, "",
                       "no file descriptors left: %llu of %llu are open, an attach needs up to %d",
                       (unsigned long long)open, (unsigned long long)files, FDS_LEAST);
    else
        examine_report(x, "limits", PRECONDITION_OK, false, "", "file size and open files (%llu of %llu) suffice",
                       (unsigned long long)open, (unsigned long long)files);
}

void examine_confinement(const struct examiner *x, const struct jvm_view *v)
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX), label = BUF_INIT(TEXT_MAX);
    if (jvm_view_read(v->status, &text) < 0) {
        examine_report(x, "confinement", PRECONDITION_UNKNOWN, false, "run as root", "its status cannot be read");
        return;
    }
    const struct str seccomp = procfs_status_field(buf_slice(&text), "Seccomp");
    const struct str no_new_privs = procfs_status_field(buf_slice(&text), "NoNewPrivs");
    (void)!pidref_read(&v->p, "attr/current", &label, NULL, NULL);
    struct str rest = buf_slice(&label), profile = {0};
    (void)!str_split(&rest, '\n', &profile);
    while (profile.n && profile.p[profile.n - 1] == '\0')
        profile.n--;
    char shown[160];
    const bool enforced = profile.n && !str_has_prefix(profile, STR("unconfined")) && !str_is(profile, "kernel");
    snprintf(shown, sizeof shown, "seccomp %s%s%s%.*s",
             str_is(seccomp, "2")                 ? "filter"
             : str_is(seccomp, "0") || !seccomp.n ? "off"
                                                  : "strict",
             str_is(no_new_privs, "1") ? ", no_new_privs" : "", enforced ? ", security label " : "",
             enforced ? (int)(profile.n < 80 ? profile.n : 80) : 0, enforced ? profile.p : "");
    if (enforced)
        examine_report(x, "confinement", PRECONDITION_UNKNOWN, false,
                       "if the attach is denied, the kernel log names the rule: the profile must allow mapping (m) and "
                       "writing below tmp_dir, and signals from the agent",
                       "%s: its rules cannot be known from outside", shown);
    else
        examine_report(x, "confinement", PRECONDITION_OK, false, "", "%s", shown);
}

/* The value of `name` in "event=cpu,interval=…"; "" = none. */
static struct str examine_option(const char *options, const char *name)
{
    struct str rest = str_of(options), item;
    const size_t n = strlen(name);
    while (str_split(&rest, ',', &item))
        if (item.n > n && item.p[n] == '=' && memcmp(item.p, name, n) == 0)
            return (struct str){item.p + n + 1, item.n - n - 1};
    return (struct str){0};
}

static int64_t sysctl_number(const char *path, int64_t otherwise)
{
    char text[32] = "";
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    int64_t value = otherwise;
    return n > 0 && str_to_i64(str_trim((struct str){text, (size_t)n}), &value) ? value : otherwise;
}

void examine_perf_events(const struct examiner *x, const struct jvm_view *v)
{
    enum { NONE = 1000, KERNEL_ALLOWED = 1, USER_ALLOWED = 2 };
    static const char *const others[] = {"", "itimer", "ctimer", "wall", "alloc", "lock"};
    const struct str event = examine_option(x->request->options, "event");
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (str_is(event, others[i])) {
            examine_report(x, "perf_events", PRECONDITION_OK, false, "", "not needed by event %s",
                           event.n ? others[i] : "none");
            return;
        }
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    const int64_t paranoid = sysctl_number("/proc/sys/kernel/perf_event_paranoid", NONE);
    const bool filtered =
        jvm_view_read(v->status, &text) == 0 && str_is(procfs_status_field(buf_slice(&text), "Seccomp"), "2");
    if (paranoid == NONE)
        examine_report(x, "perf_events", PRECONDITION_PROBLEM, false, "use event ctimer or itimer",
                       "this kernel has no perf_events");
    else if (paranoid > USER_ALLOWED)
        examine_report(x, "perf_events", PRECONDITION_PROBLEM, false,
                       "sysctl kernel.perf_event_paranoid=1; until then ctimer is used instead",
                       "kernel.perf_event_paranoid is %lld: only privileged processes may use perf_events",
                       (long long)paranoid);
    else if (filtered)
        examine_report(x, "perf_events", PRECONDITION_UNKNOWN, false,
                       "allow perf_event_open in the container's seccomp profile; without it ctimer is used instead",
                       "the seccomp filter of the process may forbid perf_event_open");
    else if (paranoid > KERNEL_ALLOWED)
        examine_report(x, "perf_events", PRECONDITION_PROBLEM, false, "sysctl kernel.perf_event_paranoid=1",
                       "kernel.perf_event_paranoid is %lld: stacks without kernel frames", (long long)paranoid);
    else
        examine_report(x, "perf_events", PRECONDITION_OK, false, "", "kernel.perf_event_paranoid is %lld",
                       (long long)paranoid);
}

/* Java agents that bring a profiler, by a part of what names them on a command line. */
static const struct {
    const char *part, *name;
} agents[] = {
    {"pyroscope.jar", "pyroscope-java"},    {"pyroscope-agent", "pyroscope-java"},      {"dd-java-agent", "Datadog"},
    {"libasyncProfiler", "async-profiler"}, {"liblagent", "lightweight-java-profiler"}, {"libyjpagent", "YourKit"},
    {"libjprofilerti", "JProfiler"},        {"contrast-agent", "Contrast Security"},
};

static const char *agent_on_command_line(const struct jvm_view *v)
{
    struct str rest = buf_slice(&v->cmdline);
    for (struct str arg; str_split(&rest, '\0', &arg);) {
        if (!str_has_prefix(arg, STR("-javaagent:")) && !str_has_prefix(arg, STR("-agentpath:")))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(agents); i++)
            if (memmem(arg.p, arg.n, agents[i].part, strlen(agents[i].part)))
                return agents[i].name;
    }
    return NULL;
}

void examine_profilers(const struct examiner *x, const struct jvm_view *v, const struct jvm_probe *t)
{
    const char *agent = agent_on_command_line(v);
    if (t->recording >= 0)
        examine_report(x, "profilers", PRECONDITION_OK, false, "",
                       "smolder is profiling it; a second session is not started");
    else if (t->profiling)
        examine_report(x, "profilers", PRECONDITION_PROBLEM, true,
                       "stop the other session: two profilers in one JVM lose samples of each other",
                       "another async-profiler session is running in it (%s)",
                       t->stranger.path[0] ? t->stranger.path : "started by hand or by another agent");
    else if (t->stranger.path[0])
        examine_report(x, "profilers", PRECONDITION_UNKNOWN, false,
                       "if its owner still uses it, stop that one: two profilers in one JVM lose samples of each other",
                       "another async-profiler is loaded (%s); whether it runs is asked at the attach",
                       t->stranger.path);
    else if (agent)
        examine_report(x, "profilers", PRECONDITION_UNKNOWN, false,
                       "disable the profiler of that agent, or leave this JVM to it",
                       "the Java agent of %s is loaded, which can start a profiler", agent);
    else
        examine_report(x, "profilers", PRECONDITION_OK, false, "", "no other profiler is known to be in it");
}
