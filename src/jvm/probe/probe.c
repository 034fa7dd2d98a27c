#include "jvm/probe/probe.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "jvm/probe/perfdata.h"
#include "jvm/probe/vm_flags.h"
#include "jvm/probe/vm_memory.h"
#include "os/procfs.h"
#include "os/rootfs.h"

enum { SUFFIX_MAX = 32, PERFDATA_MAX = 1 << 20, THREADS_MAX = 65536, FDS_MAX = 1 << 20, SHA1_HEX = 40, NAME_HEX = 32 };

enum { LINGER_TRIES = 30, LINGER_STEP_MS = 50 };

static bool all_hex(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)p[i]) && (p[i] < 'a' || p[i] > 'f'))
            return false;
    return true;
}

/* "-1000": which of several copies in one directory. */
static bool is_suffix(const char *p, size_t n)
{
    if (n == 0)
        return true;
    if (p[0] != '-' || n < 2 || n > SUFFIX_MAX + 1)
        return false;
    for (size_t i = 1; i < n; i++)
        if (!isdigit((unsigned char)p[i]) && !islower((unsigned char)p[i]))
            return false;
    return true;
}

const char *jvm_our_library(const char *path)
{
    static const char *const libcs[] = {"grafana-agent-asprof-glibc-", "grafana-agent-asprof-musl-"};
    static const char file[] = "/lib/libasyncProfiler.so";
    const size_t n = strlen(path);
    if (n < strlen(file) || strcmp(path + n - strlen(file), file) != 0)
        return NULL;
    const char *end = path + n - strlen(file), *slash = memrchr(path, '/', (size_t)(end - path));
    for (size_t i = 0; slash && i < ARRAY_LEN(libcs); i++) {
        const char *sha1 = slash + 1 + strlen(libcs[i]);
        if (strncmp(slash + 1, libcs[i], strlen(libcs[i])) == 0 && end - sha1 >= SHA1_HEX && all_hex(sha1, SHA1_HEX) &&
            is_suffix(sha1 + SHA1_HEX, (size_t)(end - sha1) - SHA1_HEX))
            return slash + 1;
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

/* One line of the maps that names a file. */
struct mapping {
    struct str file; /* without " (deleted)" */
    ino_t inode;
    uint64_t start; /* address, where the file's first byte is mapped; else 0 */
    bool deleted;
};

static bool parse_mapping(struct str line, struct mapping *ret)
{
    enum { ADDRESSES, RIGHTS, OFFSET, DEVICE, INODE, WORDS };
    struct str path = line, words[WORDS];
    for (int i = 0; i < WORDS; i++)
        if (!str_split(&path, ' ', &words[i]))
            return false;
    char inode[24], start[24], offset[24];
    snprintf(inode, sizeof inode, "%.*s", STR_ARG(words[INODE]));
    snprintf(start, sizeof start, "%.*s", STR_ARG(words[ADDRESSES]));
    snprintf(offset, sizeof offset, "%.*s", STR_ARG(words[OFFSET]));
    path = str_trim(path);
    if (path.n == 0 || path.p[0] != '/' || path.n >= PATH_MAX)
        return false;
    const struct str file = procfs_without_deleted(path);
    *ret = (struct mapping){file, (ino_t)strtoull(inode, NULL, 10),
                            strtoull(offset, NULL, 16) == 0 ? strtoull(start, NULL, 16) : 0, file.n != path.n};
    return true;
}

static void note_library(struct jvm_library *l, const struct mapping *m)
{
    snprintf(l->path, sizeof l->path, "%.*s", STR_ARG(m->file));
    l->deleted = m->deleted;
    l->inode = m->inode;
    if (!l->start)
        l->start = m->start;
}

static bool note_mapping(void *arg, const struct mapping *m)
{
    struct jvm_probe *f = arg;
    const char *slash = memrchr(m->file.p, '/', m->file.n);
    const struct str name = {slash + 1, m->file.n - (size_t)(slash + 1 - m->file.p)};
    if (str_is(name, "libjvm.so")) {
        f->hotspot = true;
        note_library(&f->libjvm, m);
    } else if (str_has_prefix(name, STR("libj9vm")))
        f->openj9 = true;
    else if (str_has_prefix(name, STR("ld-musl-")))
        f->musl = true;
    else if (str_has_prefix(name, STR("ld-linux")) || str_has_prefix(name, STR("ld-2.")) || str_is(name, "libc.so.6") ||
             str_has_prefix(name, STR("libc-2.")))
        f->glibc = true;
    else if (str_has_prefix(name, STR("libasyncProfiler")) || str_has_prefix(name, STR("libjavaProfiler"))) {
        char text[PATH_MAX];
        snprintf(text, sizeof text, "%.*s", STR_ARG(m->file));
        note_library(jvm_our_library(text) ? &f->ours : &f->stranger, m);
    }
    return true;
}

/* Line by line through a small buffer, a JVM's maps can be megabytes, until `visit` returns false. */
static int each_mapping(const struct jvm_view *v, bool (*visit)(void *arg, const struct mapping *m), void *arg)
{
    char text[2 * PATH_MAX];
    size_t have = 0;
    if (lseek(v->maps, 0, SEEK_SET) < 0)
        return -errno;
    for (;;) {
        ssize_t n = read(v->maps, text + have, sizeof text - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        have += (size_t)n;
        char *from = text, *end;
        while ((end = memchr(from, '\n', have - (size_t)(from - text)))) {
            struct mapping m;
            if (parse_mapping((struct str){from, (size_t)(end - from)}, &m) && !visit(arg, &m))
                return 0;
            from = end + 1;
        }
        have -= (size_t)(from - text);
        memmove(text, from, have);
        if (have == sizeof text)
            have = 0; /* a line longer than any path names nothing of interest */
    }
}

struct sought {
    struct str tail;
    ino_t inode;
};

static bool is_sought(void *arg, const struct mapping *m)
{
    struct sought *s = arg;
    if (m->deleted || !str_has_suffix(m->file, s->tail))
        return true;
    s->inode = m->inode;
    return false;
}

ino_t jvm_mapped_inode(const struct jvm_view *v, const char *tail)
{
    struct sought s = {.tail = str_of(tail)};
    return each_mapping(v, is_sought, &s) < 0 ? 0 : s.inode;
}

static bool probe_exists(int root, const char *path)
{
    struct stat st;
    cleanup_close int fd = rootfs_peek(root, path, &st, NULL);
    return fd >= 0;
}

/* By the loader that is mapped; a musl system with a glibc beside it maps only the one in use. Without either (a static
 * loader) by what the file system has. */
static enum jvm_libc libc_of(const struct jvm_probe *t, int root)
{
    if (t->musl != t->glibc)
        return t->musl ? JVM_MUSL : JVM_GLIBC;
    if (t->glibc)
        return JVM_GLIBC;
    return probe_exists(root, "/lib/ld-musl-x86_64.so.1") || probe_exists(root, "/lib/ld-musl-aarch64.so.1")
               ? JVM_MUSL
               : JVM_GLIBC;
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

static void read_permissions(const struct jvm_view *v, struct jvm_probe *f)
{
    struct vm_flags flags;
    vm_flags_read(v, &flags);
    if (f->openj9) {
        /* It has neither these counters nor HotSpot's tables in its memory. */
        f->attach_off = flags.attach_off;
        f->no_dynamic_agents = flags.no_dynamic_agents;
        return;
    }
    cleanup_buf struct buf counters = BUF_INIT(PERFDATA_MAX);
    struct str text;
    bool counted = perfdata_read(v->root, v->ns_pid, v->rights.uid, &counters);
    /* The JVM's own list of its options has those of every source, files included. */
    if (counted && perfdata_string(buf_slice(&counters), "java.rt.vmArgs", &text)) {
        vm_flags_apply_text(&flags, text);
        if (perfdata_string(buf_slice(&counters), "java.rt.vmFlags", &text))
            vm_flags_apply_text(&flags, text);
    }
    if (counted && perfdata_string(buf_slice(&counters), "java.property.java.vm.version", &text))
        snprintf(f->vm_version, sizeof f->vm_version, "%.*s", STR_ARG(text));
    if (counted && perfdata_string(buf_slice(&counters), "java.property.java.vm.vendor", &text))
        snprintf(f->vm_vendor, sizeof f->vm_vendor, "%.*s", STR_ARG(text));
    f->attach_off = flags.attach_off;
    f->attach_known = flags.complete;
    f->reduced_signals = flags.reduced_signals;
    f->no_dynamic_agents = flags.no_dynamic_agents;
    /* The first capability is ATTACH. A '1' does not outweigh an option: the file may be one that an earlier JVM
     * left. */
    if (counted && perfdata_string(buf_slice(&counters), "sun.rt.jvmCapabilities", &text) && text.n > 0 &&
        (text.p[0] == '0' || text.p[0] == '1')) {
        f->attach_off = f->attach_off || text.p[0] == '0';
        f->attach_known = true;
    }
    if (!f->attach_known && vm_memory_flags(v->mem, f->libjvm.start, &flags)) {
        f->attach_off = flags.attach_off;
        f->attach_known = true;
        f->reduced_signals = flags.reduced_signals;
        f->no_dynamic_agents = flags.no_dynamic_agents;
    }
}

int jvm_probe_process(const struct jvm_view *v, struct jvm_probe *ret, struct err *err)
{
    struct jvm_probe *f = ret;
    *f = (struct jvm_probe){.recording = -1};
    const int code = each_mapping(v, note_mapping, f);
    if (code < 0)
        return pidref_alive(&v->p) ? err_set(err, code, "read /proc/%d/maps: %s", (int)v->p.pid, strerror(-code))
                                   : err_set(err, -ESRCH, "process %d is gone", (int)v->p.pid);
    /* OpenJ9 maps a libjvm.so, too. */
    f->hotspot = f->hotspot && !f->openj9;
    if (!f->hotspot && !f->openj9)
        return 0;
    f->recording = our_recording(&v->p);
    f->profiling = f->recording >= 0 || has_timer_thread(&v->p);
    /* Its thread outlives a session of ours that has just ended by a moment. */
    for (int i = 0; i < LINGER_TRIES && f->ours.path[0] && f->recording < 0 && f->profiling; i++) {
        usleep(LINGER_STEP_MS * 1000);
        f->profiling = has_timer_thread(&v->p);
    }
    return 0;
}

void jvm_probe_root(const struct jvm_view *v, struct jvm_probe *t)
{
    t->catches_quit = jvm_view_catches_quit(v);
    t->libc = libc_of(t, v->root);
    read_permissions(v, t);
}
