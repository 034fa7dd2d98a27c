#include "jvm/traits.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "jvm/options.h"
#include "jvm/perfdata.h"
#include "os/fsutil.h"

enum {
    STATUS_MAX = 64 << 10,
    ID_MAP_MAX = 64 << 10,
    PERFDATA_MAX = 1 << 20,
    THREADS_MAX = 65536,
    FDS_MAX = 1 << 20,
    SHA1_HEX = 40,
    NAME_HEX = 32
};

enum { LINGER_TRIES = 30, LINGER_STEP_MS = 50 };

static bool all_hex(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)p[i]) && (p[i] < 'a' || p[i] > 'f'))
            return false;
    return true;
}

const char *jvm_our_library(const char *path)
{
    static const char *const libcs[] = {"/grafana-agent-asprof-glibc-", "/grafana-agent-asprof-musl-"};
    static const char file[] = "/lib/libasyncProfiler.so";
    for (size_t i = 0; i < ARRAY_LEN(libcs); i++) {
        size_t head = strlen(libcs[i]), tail = head + SHA1_HEX + strlen(file), n = strlen(path);
        const char *at = n >= tail ? path + n - tail : "";
        if (n >= tail && strncmp(at, libcs[i], head) == 0 && all_hex(at + head, SHA1_HEX) &&
            strcmp(at + head + SHA1_HEX, file) == 0)
            return at + 1;
    }
    return NULL;
}

bool jvm_our_recording(const char *link)
{
    static const char head[] = "/.smolder-", tail[] = "/session.jfr (deleted)";
    size_t n = strlen(link), all = strlen(head) + NAME_HEX + strlen(tail);
    const char *at = n >= all ? link + n - all : "";
    return n >= all && strncmp(at, head, strlen(head)) == 0 && all_hex(at + strlen(head), NAME_HEX) &&
           strcmp(at + strlen(head) + NAME_HEX, tail) == 0;
}

/* The value of "Name:\t…" in /proc/PID/status. */
static struct str field(struct str status, const char *name)
{
    size_t n = strlen(name);
    for (struct str line; str_split(&status, '\n', &line);)
        if (line.n > n && memcmp(line.p, name, n) == 0 && line.p[n] == ':')
            return str_trim((struct str){line.p + n + 1, line.n - n - 1});
    return (struct str){0};
}

static bool number_in(struct str value, unsigned column, uint64_t *ret)
{
    struct str word = {0};
    for (unsigned i = 0; i <= column; i++)
        if (!str_split(&value, '\t', &word))
            return false;
    return str_to_u64(str_trim(word), ret);
}

/* A mask of /proc/PID/status: hexadecimal, signal 1 is the lowest bit. */
static bool has_signal(struct str mask, int sig)
{
    char text[32];
    snprintf(text, sizeof text, "%.*s", STR_ARG(mask));
    return strtoull(text, NULL, 16) >> (sig - 1) & 1;
}

static int read_status(const struct pidref *p, struct jvm_traits *f, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(STATUS_MAX);
    int code = pidref_read(p, "status", &text, NULL, err);
    if (code < 0)
        return code;
    struct str status = buf_slice(&text), ns = field(status, "NSpid"), word, caught = field(status, "SigCgt");
    uint64_t uid, gid, pid = (uint64_t)p->pid;
    if (!number_in(field(status, "Uid"), 1, &uid) || !number_in(field(status, "Gid"), 1, &gid))
        return err_set(err, -EBADMSG, "/proc/%d/status has no ids", (int)p->pid);
    /* One column per nested namespace, the innermost last; absent before Linux 4.1. */
    while (str_split(&ns, '\t', &word))
        if (!str_to_u64(str_trim(word), &pid))
            return err_set(err, -EBADMSG, "/proc/%d/status has a bad NSpid", (int)p->pid);
    f->euid = (uid_t)uid;
    f->egid = (gid_t)gid;
    f->ns_pid = (pid_t)pid;
    f->catches_quit = has_signal(caught, SIGQUIT);
    return 0;
}

/* Our number for the namespace's 0, by its /proc/PID/uid_map or gid_map (a line: number inside, number outside, how many); where it has
 * none, the JVM's own has to do. */
static uint32_t root_of(const struct pidref *p, const char *map, uint32_t otherwise)
{
    cleanup_buf struct buf text = BUF_INIT(ID_MAP_MAX);
    if (pidref_read(p, map, &text, NULL, NULL) < 0)
        return otherwise;
    struct str rest = buf_slice(&text);
    for (struct str line; str_split(&rest, '\n', &line);) {
        unsigned inside, outside;
        char copy[64];
        snprintf(copy, sizeof copy, "%.*s", STR_ARG(line));
        if (sscanf(copy, "%u %u", &inside, &outside) == 2 && inside == 0)
            return outside;
    }
    return otherwise;
}

bool jvm_catches_quit(const struct pidref *p)
{
    cleanup_buf struct buf text = BUF_INIT(STATUS_MAX);
    return pidref_read(p, "status", &text, NULL, NULL) == 0 && has_signal(field(buf_slice(&text), "SigCgt"), SIGQUIT);
}

struct mapped {
    struct jvm_traits *f;
    bool musl, glibc;
};

static void note_library(struct jvm_library *l, struct str file, const char *inode, bool deleted)
{
    snprintf(l->path, sizeof l->path, "%.*s", STR_ARG(file));
    l->deleted = deleted;
    l->inode = (ino_t)strtoull(inode, NULL, 10);
}

static void note_mapping(struct mapped *m, struct str line)
{
    struct str path = line, word;
    char inode[24] = "";
    for (int i = 0; i < 5; i++) {
        if (!str_split(&path, ' ', &word))
            return;
        if (i == 4)
            snprintf(inode, sizeof inode, "%.*s", STR_ARG(word));
    }
    path = str_trim(path);
    if (path.n == 0 || path.p[0] != '/' || path.n >= PATH_MAX)
        return;
    struct str deleted = STR(" (deleted)"), file = path, name;
    bool gone = str_has_suffix(path, deleted);
    if (gone)
        file.n -= deleted.n;
    const char *slash = memrchr(file.p, '/', file.n);
    name = (struct str){slash + 1, file.n - (size_t)(slash + 1 - file.p)};
    struct jvm_traits *f = m->f;
    if (str_is(name, "libjvm.so")) {
        f->hotspot = true;
        note_library(&f->libjvm, file, inode, gone);
    } else if (str_has_prefix(name, STR("libj9vm")))
        f->openj9 = true;
    else if (str_has_prefix(name, STR("ld-musl-")))
        m->musl = true;
    else if (str_has_prefix(name, STR("ld-linux")) || str_has_prefix(name, STR("ld-2.")) || str_is(name, "libc.so.6") ||
             str_has_prefix(name, STR("libc-2.")))
        m->glibc = true;
    else if (str_has_prefix(name, STR("libasyncProfiler")) || str_has_prefix(name, STR("libjavaProfiler"))) {
        char text[PATH_MAX];
        snprintf(text, sizeof text, "%.*s", STR_ARG(file));
        note_library(jvm_our_library(text) ? &f->ours : &f->stranger, file, inode, gone);
    }
}

/* Line by line through a small buffer: a JVM's maps can be megabytes. */
static int read_maps(const struct pidref *p, struct mapped *m, struct err *err)
{
    cleanup_close int fd = pidref_openat(p, "maps", O_RDONLY);
    if (fd < 0)
        return err_set(err, fd, "open /proc/%d/maps: %s", (int)p->pid, strerror(-fd));
    char text[2 * PATH_MAX];
    size_t have = 0;
    for (;;) {
        ssize_t n = read(fd, text + have, sizeof text - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "read /proc/%d/maps", (int)p->pid);
        if (n == 0)
            return 0;
        have += (size_t)n;
        char *from = text, *end;
        while ((end = memchr(from, '\n', have - (size_t)(from - text)))) {
            note_mapping(m, (struct str){from, (size_t)(end - from)});
            from = end + 1;
        }
        have -= (size_t)(from - text);
        memmove(text, from, have);
        if (have == sizeof text)
            have = 0; /* a line longer than any path names nothing of interest */
    }
}

static bool exists(int root, const char *path)
{
    struct stat st;
    cleanup_close int fd = rootfs_peek(root, path, &st, NULL);
    return fd >= 0;
}

/* By the loader that is mapped; a musl system with a glibc beside it maps only the one in use. Without either (a static loader) by
 * what the file system has. */
static enum jvm_libc libc_of(const struct mapped *m, int root)
{
    if (m->musl != m->glibc)
        return m->musl ? JVM_MUSL : JVM_GLIBC;
    if (m->glibc)
        return JVM_GLIBC;
    return exists(root, "/lib/ld-musl-x86_64.so.1") || exists(root, "/lib/ld-musl-aarch64.so.1") ? JVM_MUSL : JVM_GLIBC;
}

static DIR *open_dir(const struct pidref *p, const char *name)
{
    int fd = pidref_openat(p, name, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir && fd >= 0)
        close(fd);
    return dir;
}

static bool has_timer_thread(const struct pidref *p)
{
    cleanup_closedir DIR *dir = open_dir(p, "task");
    struct dirent *entry;
    for (unsigned i = 0; dir && i < THREADS_MAX && (entry = readdir(dir)); i++) {
        char path[sizeof entry->d_name + 8], comm[32] = "";
        snprintf(path, sizeof path, "%s/comm", entry->d_name);
        cleanup_close int fd = openat(dirfd(dir), path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, comm, sizeof comm - 1);
        /* "Async-profiler Timer", cut by the kernel at 15 bytes. */
        if (n > 0 && strncmp(comm, "Async-profiler", strlen("Async-profiler")) == 0)
            return true;
    }
    return false;
}

static int our_recording(const struct pidref *p)
{
    cleanup_closedir DIR *dir = open_dir(p, "fd");
    struct dirent *entry;
    for (unsigned i = 0; dir && i < FDS_MAX && (entry = readdir(dir)); i++) {
        char link[PATH_MAX];
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        if (jvm_our_recording(link))
            return (int)strtol(entry->d_name, NULL, 10);
    }
    return -1;
}

static void read_permissions(const struct pidref *p, int root, struct jvm_traits *f)
{
    struct jvm_options options;
    jvm_options_read(p, root, &options);
    cleanup_buf struct buf counters = BUF_INIT(PERFDATA_MAX);
    struct str text;
    bool counted = perfdata_read(root, f->ns_pid, f->euid, &counters);
    /* The JVM's own list of its options has those of every source, files included. */
    if (counted && perfdata_string(buf_slice(&counters), "java.rt.vmArgs", &text)) {
        jvm_options_apply_text(&options, text);
        if (perfdata_string(buf_slice(&counters), "java.rt.vmFlags", &text))
            jvm_options_apply_text(&options, text);
    }
    if (counted && perfdata_string(buf_slice(&counters), "java.property.java.vm.version", &text))
        snprintf(f->vm_version, sizeof f->vm_version, "%.*s", STR_ARG(text));
    f->attach_off = options.attach_off;
    f->attach_known = options.complete;
    f->reduced_signals = options.reduced_signals;
    f->no_dynamic_agents = options.no_dynamic_agents;
    /* The first capability is ATTACH. A '1' does not outweigh an option: the file may be one that an earlier JVM left. */
    if (counted && perfdata_string(buf_slice(&counters), "sun.rt.jvmCapabilities", &text) && text.n > 0 &&
        (text.p[0] == '0' || text.p[0] == '1')) {
        f->attach_off = f->attach_off || text.p[0] == '0';
        f->attach_known = true;
    }
}

int jvm_traits_read(const struct pidref *p, int root, struct jvm_traits *ret, struct err *err)
{
    struct jvm_traits *f = ret;
    *f = (struct jvm_traits){.recording = -1};
    struct mapped m = {.f = f};
    int code = read_status(p, f, err);
    if (code == 0)
        code = read_maps(p, &m, err);
    if (code < 0)
        return pidref_alive(p) ? code : err_set(err, -ESRCH, "process %d is gone", (int)p->pid);
    f->owner.uid = root_of(p, "uid_map", f->euid);
    f->owner.gid = root_of(p, "gid_map", f->egid);
    f->libc = libc_of(&m, root);
    if (!f->hotspot)
        return 0;
    read_permissions(p, root, f);
    f->recording = our_recording(p);
    f->profiling = f->recording >= 0 || has_timer_thread(p);
    /* Its thread outlives a session of ours that has just ended by a moment. */
    for (int i = 0; i < LINGER_TRIES && f->ours.path[0] && f->recording < 0 && f->profiling; i++) {
        usleep(LINGER_STEP_MS * 1000);
        f->profiling = has_timer_thread(p);
    }
    return 0;
}
