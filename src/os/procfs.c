#include "os/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum {
    PATH_SIZE = 64,         /* "/proc/2147483647/cmdline" */
    STAT_SIZE = 2048,       /* 52 numbers and a name */
    STATM_SIZE = 160,       /* 7 numbers */
    STATUS_SIZE = 4096,     /* its Uid line is the ninth */
    MAPS_SIZE = 16384,      /* more than one line of maps: PATH_MAX and 80 bytes */
    KERNEL_THREAD = 1 << 21 /* PF_KTHREAD, linux/sched.h */
};

/* Fields of stat after the name, counted from the state as 0 (proc(5) counts it as 3). */
enum {
    STAT_STATE = 0,
    STAT_FLAGS = 6,
    STAT_UTIME = 11,
    STAT_STIME = 12,
    STAT_THREADS = 17,
    STAT_START = 19,
    STAT_VSIZE
};

static int open_entry(pid_t pid, const char *name, struct err *err)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? err_errno(err, "open %s", path) : fd;
}

/* Reads up to `size` bytes. Returns their number. */
static ssize_t read_full(int fd, void *out, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = read(fd, (char *)out + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

static ssize_t procfs_read_entry(pid_t pid, const char *name, char *out, size_t size, struct err *err)
{
    cleanup_close int fd = open_entry(pid, name, err);
    if (fd < 0)
        return fd;
    ssize_t n = read_full(fd, out, size);
    return n < 0 ? err_set(err, (int)n, "read /proc/%d/%s: %s", pid, name, strerror((int)-n)) : n;
}

bool procfs_stat_parse(struct str text, struct procfs_stat *ret)
{
    /* The name may hold blanks and parentheses: the fields begin after the last one. */
    const char *open_paren = memchr(text.p, '(', text.n), *close_paren = memrchr(text.p, ')', text.n);
    if (!open_paren || !close_paren || close_paren < open_paren)
        return false;
    struct procfs_stat s = {0};
    struct str comm = {open_paren + 1, (size_t)(close_paren - open_paren - 1)};
    memcpy(s.comm, comm.p, comm.n < sizeof s.comm ? comm.n : sizeof s.comm - 1);

    struct str rest = {close_paren + 2, (size_t)(text.p + text.n - close_paren)};
    rest.n = rest.n < 2 ? 0 : rest.n - 2;
    struct str field;
    unsigned i = 0;
    for (; i <= STAT_VSIZE && str_split(&rest, ' ', &field); i++) {
        uint64_t v = 0;
        if (i == STAT_STATE && field.n == 1)
            s.state = field.p[0];
        else if ((i == STAT_FLAGS || i == STAT_UTIME || i == STAT_STIME || i >= STAT_THREADS) &&
                 !(field.n && field.p[0] == '-') && !str_to_u64(str_trim(field), &v))
            return false;
        if (i == STAT_FLAGS)
            s.kernel_thread = v & KERNEL_THREAD;
        else if (i == STAT_UTIME || i == STAT_STIME)
            s.cpu_ticks += v;
        else if (i == STAT_THREADS)
            s.threads = (uint32_t)v;
        else if (i == STAT_START)
            s.start_time = v;
        else if (i == STAT_VSIZE)
            s.vsize = v;
    }
    if (i <= STAT_VSIZE || !s.state)
        return false;
    *ret = s;
    return true;
}

int procfs_stat(pid_t pid, struct procfs_stat *ret, struct err *err)
{
    char text[STAT_SIZE];
    ssize_t n = procfs_read_entry(pid, "stat", text, sizeof text, err);
    if (n < 0)
        return (int)n;
    if (!procfs_stat_parse((struct str){text, (size_t)n}, ret))
        return err_set(err, -EBADMSG, "/proc/%d/stat: unexpected format", pid);
    return 0;
}

uint64_t procfs_vsize(pid_t pid)
{
    char text[STATM_SIZE]; /* "125 34 30 5 0 9 0": pages of 4 KB and more, the first number is all of them */
    const ssize_t n = procfs_read_entry(pid, "statm", text, sizeof text, NULL);
    struct str rest = {text, n > 0 ? (size_t)n : 0}, word;
    uint64_t pages;
    return str_split(&rest, ' ', &word) && str_to_u64(word, &pages) ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* "0.20 0.18 0.12 1/80 11206": averages, running/tasks, last pid */
static bool load_parse(struct str text, struct procfs_load *ret)
{
    struct str word = {0};
    uint64_t tasks, last_pid;
    text = str_trim(text);
    for (unsigned i = 0; i < 4; i++)
        if (!str_split(&text, ' ', &word))
            return false;
    const char *slash = memchr(word.p, '/', word.n);
    if (!slash || !str_to_u64((struct str){slash + 1, (size_t)(word.p + word.n - slash - 1)}, &tasks) ||
        !str_to_u64(text, &last_pid))
        return false;
    *ret = (struct procfs_load){(uint32_t)tasks, (uint32_t)last_pid};
    return true;
}

int procfs_load(struct procfs_load *ret, struct err *err)
{
    static int fd = -1; /* stays open: this is what an idle agent does each second */
    char text[128];
    if (fd < 0)
        fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text, 0);
    if (n < 0)
        return err_errno(err, "read /proc/loadavg");
    if (!load_parse((struct str){text, (size_t)n}, ret))
        return err_set(err, -EBADMSG, "/proc/loadavg: unexpected format");
    return 0;
}

static int procfs_by_pid(const void *a, const void *b)
{
    const struct procfs_pid *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

int procfs_pids(struct procfs_pid **ret, size_t *n, struct err *err)
{
    cleanup_closedir DIR *dir = opendir("/proc");
    if (!dir)
        return err_errno(err, "list /proc");
    cleanup_free struct procfs_pid *pids = NULL;
    size_t len = 0, cap = 0;
    for (const struct dirent *e; errno = 0, e = readdir(dir);) {
        uint64_t pid;
        if (!isdigit((unsigned char)e->d_name[0]) || !str_to_u64(str_of(e->d_name), &pid) || pid > INT_MAX)
            continue;
        xgrow(&pids, &cap, len + 1, sizeof *pids);
        pids[len++] = (struct procfs_pid){(pid_t)pid, e->d_ino};
    }
    if (errno)
        return err_errno(err, "list /proc");
    if (len)
        qsort(pids, len, sizeof *pids, procfs_by_pid); /* the kernel lists them in order; nothing promises it */
    *ret = TAKE_PTR(pids);
    *n = len;
    return 0;
}

uint64_t procfs_cpu_ns(pid_t pid)
{
    enum { CPUCLOCK_SCHED = 2 }; /* include/linux/posix-timers.h: the process's time, as the scheduler counts it */
    const clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | CPUCLOCK_SCHED);
    struct timespec t;
    return clock_gettime(clock, &t) < 0 ? 0 : (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

int procfs_read(pid_t pid, const char *name, struct buf *out, struct err *err)
{
    cleanup_close int fd = open_entry(pid, name, err);
    if (fd < 0)
        return fd;
    while (out->len < out->max) {
        size_t room = out->max - out->len < 4096 ? out->max - out->len : 4096;
        uint8_t *p = buf_reserve(out, room);
        if (!p)
            return err_set(err, -ENOMEM, "read /proc/%d/%s: %s", pid, name, strerror(ENOMEM));
        ssize_t n = read_full(fd, p, room);
        if (n < 0)
            return err_set(err, (int)n, "read /proc/%d/%s: %s", pid, name, strerror((int)-n));
        out->len += (size_t)n;
        if ((size_t)n < room)
            break;
    }
    return 0;
}

struct str procfs_status_field(struct str status, const char *name)
{
    size_t n = strlen(name);
    for (struct str line; str_split(&status, '\n', &line);)
        if (line.n > n && memcmp(line.p, name, n) == 0 && line.p[n] == ':')
            return str_trim((struct str){line.p + n + 1, line.n - n - 1});
    return (struct str){0};
}

struct str procfs_without_deleted(struct str path)
{
    static const struct str mark = {" (deleted)", sizeof " (deleted)" - 1};
    if (str_has_suffix(path, mark))
        path.n -= mark.n;
    return path;
}

int procfs_link(pid_t pid, const char *name, struct buf *out, struct err *err)
{
    char path[PATH_SIZE], target[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    ssize_t n = readlink(path, target, sizeof target);
    if (n < 0)
        return err_errno(err, "readlink %s", path);
    buf_str(out, procfs_without_deleted((struct str){target, (size_t)n}));
    return buf_ok(out) ? 0 : err_set(err, -ENAMETOOLONG, "readlink %s: %s", path, strerror(ENAMETOOLONG));
}

int procfs_uid(pid_t pid, uint32_t *ret, struct err *err)
{
    char text[STATUS_SIZE + 1];
    ssize_t n = procfs_read_entry(pid, "status", text, STATUS_SIZE, err);
    if (n < 0)
        return (int)n;
    text[n] = '\0';
    /* The name in the first line has its line ends escaped by the kernel, so the first match is the real line. */
    const char *line = strstr(text, "\nUid:\t");
    unsigned uid;
    if (!line || sscanf(line, "\nUid:\t%u", &uid) != 1)
        return err_set(err, -EBADMSG, "/proc/%d/status has no Uid line", pid);
    *ret = uid;
    return 0;
}

/* "7f0000000000-7f0000001000 r-xp 00000000 08:01 17 /lib/x.so": the address where the offset is 0, else 0. */
static uint64_t procfs_start(struct str line)
{
    char text[64];
    unsigned long long start, offset;
    snprintf(text, sizeof text, "%.*s", STR_ARG(line));
    return sscanf(text, "%llx-%*x %*s %llx", &start, &offset) == 2 && offset == 0 ? start : 0;
}

int procfs_maps(pid_t pid, bool (*visit)(void *arg, struct str path, uint64_t start), void *arg, struct err *err)
{
    cleanup_close int fd = open_entry(pid, "maps", err);
    if (fd < 0)
        return fd;
    char text[MAPS_SIZE];
    size_t have = 0;
    for (;;) {
        /* The kernel hands out whole lines, as many as fit a page. */
        ssize_t n = read(fd, text + have, sizeof text - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "read /proc/%d/maps", pid);
        if (n == 0)
            return 0;
        have += (size_t)n;
        size_t used = 0;
        for (const char *end; (end = memchr(text + used, '\n', have - used)); used = (size_t)(end - text) + 1) {
            struct str line = {text + used, (size_t)(end - text) - used};
            const char *path = memchr(line.p, '/', line.n);
            if (!path) /* "[anon:NAME]", which has no slash in front of its name */
                path = memmem(line.p, line.n, "[anon", sizeof "[anon" - 1);
            if (path &&
                !visit(arg, procfs_without_deleted((struct str){path, (size_t)(end - path)}), procfs_start(line)))
                return 0;
        }
        if (used == 0 && have == sizeof text)
            return err_set(err, -EBADMSG, "/proc/%d/maps has a line longer than %d bytes", pid, MAPS_SIZE);
        memmove(text, text + used, have - used);
        have -= used;
    }
}

static size_t hex_run(struct str s)
{
    size_t n = 0;
    while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || (s.p[n] >= 'a' && s.p[n] <= 'f')))
        n++;
    return n;
}

static struct str fargate_id(struct str segment)
{
    enum { FARGATE_HEX = 32 };
    if (segment.n < FARGATE_HEX + 2 || hex_run(segment) != FARGATE_HEX || segment.p[FARGATE_HEX] != '-')
        return (struct str){0};
    for (size_t i = FARGATE_HEX + 1; i < segment.n; i++)
        if (!isdigit((unsigned char)segment.p[i]))
            return (struct str){0};
    return segment;
}

/* What runtimes put before the id, by the spellings of their scopes and of their cgroupfs paths. */
static bool is_runtime(struct str name)
{
    static const char *const runtimes[] = {
        "docker",        "cri-containerd", "containerd",       "crio",    "crio-conmon", "libpod",
        "libpod-conmon", "libpod-payload", "libpod-container", "nerdctl", "cri-dockerd", "runc",
        "crun",          "podman",         "buildkit",         "balena",  "k8s.io",      "moby"};
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
        if (str_is(name, runtimes[i]))
            return true;
    return false;
}

static struct str segment_id(struct str segment)
{
    enum { ID_HEX = 64 };
    size_t end = segment.n;
    for (const char *dot; end && (dot = memrchr(segment.p, '.', end)) && segment.p + end - dot <= ID_HEX;)
        end = (size_t)(dot - segment.p); /* ".scope" */
    if (end < ID_HEX)
        return fargate_id(segment);
    struct str id = {segment.p + end - ID_HEX, ID_HEX}, before = {segment.p, end - ID_HEX};
    if (hex_run(id) != ID_HEX)
        return (struct str){0};
    if (!before.n)
        return id;
    /* "docker-", "…slice:cri-containerd:" */
    const char separator = before.p[--before.n];
    const char *colon = memrchr(before.p, ':', before.n);
    if (separator == ':' && colon)
        before = (struct str){colon + 1, (size_t)(before.p + before.n - colon - 1)};
    return (separator == '-' || separator == ':') && is_runtime(before) ? id : (struct str){0};
}

/* Runtimes' own services, beneath which cgroupfs drivers put containers. */
static bool is_runtime_service(struct str segment)
{
    static const char *const services[] = {"containerd.service",
                                           "docker.service",
                                           "crio.service",
                                           "podman.service",
                                           "kubelet.service",
                                           "k3s.service",
                                           "k3s-agent.service",
                                           "rke2-server.service",
                                           "rke2-agent.service",
                                           "k0scontroller.service",
                                           "k0sworker.service",
                                           "ecs.service",
                                           "balena.service",
                                           "snap.docker.dockerd.service",
                                           "snap.microk8s.daemon-containerd.service",
                                           "snap.microk8s.daemon-kubelite.service",
                                           "snap.k8s.containerd.service"};
    for (size_t i = 0; i < ARRAY_LEN(services); i++)
        if (str_is(segment, services[i]))
            return true;
    return false;
}

/* Containers without such an id, whose root may make cgroups of any name. */
static bool is_system_container(struct str segment)
{
    return str_is(segment, "lxc") || str_has_prefix(segment, STR("lxc.")) ||
           str_has_suffix(segment, STR(".libvirt-lxc"));
}

static struct procfs_container path_container(struct str path)
{
    static const struct procfs_container none = {0};
    bool delegated = false, machines = false, below_unit = false;
    for (struct str segment; str_split(&path, '/', &segment);) {
        const struct str id = segment_id(segment);
        if (below_unit)
            return id.n && str_has_prefix(segment, STR("libpod-payload-")) ? (struct procfs_container){id, true} : none;
        if (id.n)
            return (struct procfs_container){id, delegated};
        if (is_system_container(segment))
            return none;
        const bool service = str_has_suffix(segment, STR(".service"));
        machines |= str_is(segment, "machine.slice");
        if (service && str_has_prefix(segment, STR("user@")))
            delegated = true;
        else if (!delegated && (service || str_has_suffix(segment, STR(".scope"))) && !is_runtime_service(segment)) {
            if (machines)
                return none;
            below_unit = true;
        }
    }
    return none;
}

struct procfs_container procfs_container(struct str cgroup)
{
    struct procfs_container found = {0};
    for (struct str line; str_split(&cgroup, '\n', &line);) {
        /* "4:memory:/docker/ID": controllers have no slash in their names, and the kernel lets no cgroup have a line
         * end. */
        const struct str path = str_trim(line);
        const char *slash = path.n ? memchr(path.p, '/', path.n) : NULL;
        if (!slash)
            continue;
        struct procfs_container here = path_container((struct str){slash, (size_t)(path.p + path.n - slash)});
        if (here.id.n && !here.delegated)
            return here;
        if (!found.id.n)
            found = here;
    }
    return found;
}

bool procfs_cgroup_is_root(struct str cgroup)
{
    bool any = false;
    for (struct str line; str_split(&cgroup, '\n', &line);) {
        line = str_trim(line);
        const char *slash = line.n ? memchr(line.p, '/', line.n) : NULL;
        if (slash && slash + 1 < line.p + line.n)
            return false;
        any |= slash != NULL;
    }
    return any;
}

/* Right below "containers" or "overlay-containers". */
static struct str mounted_id(struct str path)
{
    bool here = false;
    for (struct str segment; str_split(&path, '/', &segment);) {
        if (here && segment.n == 64 && hex_run(segment) == 64)
            return segment;
        here = str_is(segment, "containers") || str_is(segment, "overlay-containers");
    }
    return (struct str){0};
}

struct str procfs_mounted_container(struct str mountinfo)
{
    for (struct str line; str_split(&mountinfo, '\n', &line);) {
        struct str field, root = {0}, point = {0}; /* ID, parent, device, root, mount point */
        for (unsigned i = 0; i < 5 && str_split(&line, ' ', &field); i++) {
            root = i == 3 ? field : root;
            point = i == 4 ? field : point;
        }
        const struct str id = mounted_id(root);
        if (id.n &&
            (str_is(point, "/etc/hostname") || str_is(point, "/etc/hosts") || str_is(point, "/etc/resolv.conf")))
            return id;
    }
    return (struct str){0};
}

/* --- what systemd says --- */

/* The path of systemd's own hierarchy: that of cgroup v2 ("0::/…"), or of v1 ("1:name=systemd:/…"). */
static struct str systemd_path(struct str cgroup)
{
    struct str unified = {0};
    for (struct str line; str_split(&cgroup, '\n', &line);) {
        const char *slash = memchr(line.p, '/', line.n);
        if (!slash)
            continue;
        const struct str path = str_trim((struct str){slash, (size_t)(line.p + line.n - slash)});
        if (memmem(line.p, line.n, ":name=systemd:", sizeof ":name=systemd:" - 1))
            return path;
        if (str_has_prefix(line, STR("0::")))
            unified = path;
    }
    return unified;
}

static bool is_unit(struct str segment)
{
    return str_has_suffix(segment, STR(".service")) || str_has_suffix(segment, STR(".scope"));
}

struct str procfs_unit(struct str cgroup)
{
    if (procfs_container(cgroup).id.n && !procfs_container(cgroup).delegated)
        return (struct str){0};
    struct str path = systemd_path(cgroup);
    for (struct str segment; str_split(&path, '/', &segment);)
        if (is_unit(segment))
            return segment;
    return (struct str){0};
}

static int unit_hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\x2d" back into '-'. */
static void unit_unescape(struct str name, char ret[PROCFS_MACHINE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < name.n && n + 1 < PROCFS_MACHINE_MAX; i++) {
        const bool escaped = name.n - i >= 4 && name.p[i] == '\\' && name.p[i + 1] == 'x' &&
                             unit_hex(name.p[i + 2]) >= 0 && unit_hex(name.p[i + 3]) >= 0;
        ret[n++] = escaped ? (char)(unit_hex(name.p[i + 2]) << 4 | unit_hex(name.p[i + 3])) : name.p[i];
        i += escaped ? 3 : 0;
    }
    ret[n] = '\0';
}

bool procfs_machine(struct str cgroup, char ret[PROCFS_MACHINE_MAX])
{
    static const struct {
        struct str before, after;
    } forms[] = {{{"systemd-nspawn@", 15}, {".service", 8}}, {{"machine-", 8}, {".scope", 6}}};
    struct str path = systemd_path(cgroup), segment;
    bool machines = false;
    while (str_split(&path, '/', &segment) && !machines && !is_unit(segment))
        machines = str_is(segment, "machine.slice");
    for (size_t i = 0; machines && i < ARRAY_LEN(forms); i++) {
        if (str_has_prefix(segment, forms[i].before) && str_has_suffix(segment, forms[i].after) &&
            segment.n > forms[i].before.n + forms[i].after.n) {
            unit_unescape((struct str){segment.p + forms[i].before.n, segment.n - forms[i].before.n - forms[i].after.n},
                          ret);
            return true;
        }
    }
    return false;
}
