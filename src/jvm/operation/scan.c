#include "jvm/operation/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "jvm/operation/request.h"
#include "jvm/probe/command_line.h"
#include "jvm/probe/service_name.h"
#include "jvm/probe/vm_memory.h"
#include "os/procfs.h"

/* Request: per item pid, want. Reply: per process a record of its length in bytes, the numbers of put_record(), its
 * strings with their lengths before them. Everything big-endian, 32 bits unless said. */
enum { ITEM_SIZE = 8, RECORD_NUMBERS = 28, RECORD_STRINGS = 13 };
enum { JVM_ENVIRONMENT_MAX = 1 << 20, JVM_MOUNTINFO_MAX = 64 << 10 };
_Static_assert(JVM_SCAN_MAX *(JVM_CMDLINE_MAX + JVM_CGROUP_MAX + 6 * PATH_MAX) <= PRIV_PAYLOAD_MAX,
               "a scan of the largest processes fits one reply");
enum { FLAG_JAVA = 1, FLAG_UID = 2 };
enum { LOST_MAX = 2 };

static void put_be(struct buf *b, uint64_t v, unsigned width)
{
    for (unsigned i = width; i-- > 0;)
        buf_byte(b, (uint8_t)(v >> 8 * i));
}

static void put_record(struct buf *out, const struct jvm_scan_record *f)
{
    const struct str strings[RECORD_STRINGS] = {f->what, f->exe, f->cwd,     f->username, f->cgroup, f->cmdline, f->vm,
                                                f->main, f->jar, f->version, f->service,  f->choice, f->mounted};
    uint32_t size = RECORD_NUMBERS;
    for (size_t i = 0; i < RECORD_STRINGS; i++)
        size += 4 + (uint32_t)strings[i].n;
    put_be(out, size, 4);
    put_be(out, (uint32_t)f->pid, 4);
    put_be(out, (uint32_t)f->code, 4);
    put_be(out, f->start_time, 8);
    put_be(out, f->program, 4);
    put_be(out, (f->is_java ? FLAG_JAVA : 0) | (f->has_uid ? FLAG_UID : 0), 4);
    put_be(out, f->uid, 4);
    for (size_t i = 0; i < RECORD_STRINGS; i++) {
        put_be(out, strings[i].n, 4);
        buf_str(out, strings[i]);
    }
}

static bool get_record(struct cursor *in, struct jvm_scan_record *ret)
{
    uint32_t size = cursor_be32(in);
    const uint8_t *p = cursor_bytes(in, size);
    if (!p)
        return false;
    struct cursor c = cursor_of(p, size);
    struct jvm_scan_record f = {0};
    f.pid = (pid_t)cursor_be32(&c);
    f.code = (int)cursor_be32(&c);
    f.start_time = cursor_be64(&c);
    f.program = cursor_be32(&c);
    uint32_t flags = cursor_be32(&c);
    f.is_java = flags & FLAG_JAVA;
    f.has_uid = flags & FLAG_UID;
    f.uid = cursor_be32(&c);
    struct str *const strings[RECORD_STRINGS] = {&f.what, &f.exe, &f.cwd,     &f.username, &f.cgroup, &f.cmdline, &f.vm,
                                                 &f.main, &f.jar, &f.version, &f.service,  &f.choice, &f.mounted};
    for (size_t i = 0; i < RECORD_STRINGS; i++)
        *strings[i] = cursor_str(&c, cursor_be32(&c));
    if (c.bad)
        return false;
    *ret = f;
    return true;
}

/* --- The operation, in the helper's child --- */

struct vm_found {
    struct str vm;
    uint64_t libjvm;  /* where it begins in memory */
    uint64_t context; /* the header of a process context; 0: none */
};

static bool note_libjvm(void *arg, struct str path, uint64_t start)
{
    struct vm_found *found = arg;
    const struct str name = command_line_base_name(path);
    if (start && service_name_is_context(path))
        found->context = start;
    /* OpenJ9 maps a libjvm.so, too, in front of its libj9vm29.so: so look on after the first. */
    if (str_has_prefix(name, STR("libj9vm")) && str_has_suffix(name, STR(".so"))) {
        found->vm = STR("openj9");
        return false;
    }
    if (str_is(name, "libjvm.so")) {
        found->vm = STR("hotspot");
        if (!found->libjvm)
            found->libjvm = start;
    }
    return true;
}

/* FNV-1a: no table's key, but compared between processes of ours, whose str_hash() may differ. */
static uint32_t name_number(const char *name)
{
    uint32_t hash = 2166136261U;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619U;
    return hash;
}

uint32_t jvm_program_of(const struct procfs_stat *stat)
{
    /* A JVM reserves its heap, class space and code cache in one go: the magnitude of the address space leaps. Ordinary
     * growth of a process crosses a power of two seldom enough. */
    const unsigned magnitude = stat->vsize ? 64 - (unsigned)__builtin_clzll(stat->vsize) : 0;
    return name_number(stat->comm) ^ magnitude;
}

/* Appends /proc/PID/cmdline's arguments with one blank between, empty ones left out. */
static void join_arguments(struct str cmdline, struct buf *out)
{
    struct str arg;
    while (str_split(&cmdline, '\0', &arg)) {
        if (!arg.n)
            continue;
        if (out->len)
            buf_byte(out, ' ');
        buf_str(out, arg);
    }
}

/* In the agent's user database. Neighbours in /proc mostly share their user, so the last answer is kept. */
static struct str user_name(uint32_t uid)
{
    static char name[256];
    static uint32_t known_uid;
    static bool known;
    if (!known || uid != known_uid) {
        const struct passwd *pw = getpwuid(uid);
        snprintf(name, sizeof name, "%s", pw && pw->pw_name ? pw->pw_name : "");
        known = true;
        known_uid = uid;
    }
    return str_of(name);
}

/* The buffers one process is read into; used again for the next. */
struct reading {
    struct buf exe, cwd, cgroup, mountinfo, raw, cmdline, environment;
    uint64_t libjvm, context; /* of the process now read */
    char command[VM_COMMAND_MAX], version[VM_VERSION_MAX], service[SERVICE_NAME_MAX], choice[SERVICE_CHOICE_MAX];
};

/* Sets vm and is_java; maps that cannot be read are maps without a libjvm. */
static void recognise_java(struct reading *r, const struct procfs_stat *stat, unsigned want, struct jvm_scan_record *f)
{
    const bool named = str_is(command_line_base_name(buf_slice(&r->exe)), "java");
    struct vm_found found = {0};
    if (stat->vsize >= (uint64_t)JVM_LEAST_VSIZE && (want & (JVM_WANT_JAVA | JVM_WANT_SERVICE) || !named))
        if (procfs_maps(f->pid, note_libjvm, &found, NULL) < 0)
            found = (struct vm_found){0};
    f->vm = found.vm;
    r->libjvm = found.libjvm;
    r->context = found.context;
    f->is_java = named || f->vm.n > 0;
}

/* The JVM's own word for its main class, where the command line does not have it: behind a launcher of another name,
 * in an @argfile. */
static struct str scan_main(struct reading *r, int mem, struct str cmdline)
{
    const struct str main = command_line_main(cmdline);
    if (main.n && command_line_is_java(cmdline))
        return main;
    const size_t n = mem < 0 ? 0 : vm_memory_command(mem, r->libjvm, r->command);
    const struct str own = command_line_java_command((struct str){r->command, n});
    return own.n ? own : main;
}

/* An environment that cannot be read declares nothing. */
static void scan_declared(struct reading *r, int mem, unsigned want, struct str cmdline, struct jvm_scan_record *f)
{
    const bool has = procfs_read(f->pid, "environ", &r->environment, NULL) == 0;
    const struct str environment = has ? buf_slice(&r->environment) : (struct str){0};
    if ((mem >= 0 && r->context && service_name_in_context(mem, r->context, r->service)) ||
        service_name_in_environment(environment, r->service) ||
        service_name_in_arguments(cmdline, environment, r->service))
        f->service = str_of(r->service);
    if (want & JVM_WANT_JAVA && service_choice_in_environment(environment, r->choice))
        f->choice = str_of(r->choice);
}

static void scan_read_java(struct reading *r, unsigned want, struct str cmdline, struct jvm_scan_record *f)
{
    char path[32];
    const bool needs_memory = want & JVM_WANT_JAVA ? r->libjvm : r->context;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)f->pid);
    cleanup_close int mem = needs_memory ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (want & JVM_WANT_JAVA) {
        f->main = scan_main(r, mem, cmdline);
        f->jar = command_line_is_java(cmdline) ? command_line_jar(cmdline) : (struct str){0};
        f->version = (struct str){r->version, mem < 0 ? 0 : vm_memory_version(mem, r->libjvm, r->version)};
    }
    scan_declared(r, mem, want, cmdline, f);
}

static int scan_read_arguments(struct reading *r, unsigned want, struct jvm_scan_record *f, struct err *err)
{
    int code = procfs_read(f->pid, "cmdline", &r->raw, err);
    if (code < 0)
        return code;
    if (want & (JVM_WANT_JAVA | JVM_WANT_SERVICE) && f->vm.n)
        scan_read_java(r, want, buf_slice(&r->raw), f);
    if (want & JVM_WANT_CMDLINE) {
        join_arguments(buf_slice(&r->raw), &r->cmdline);
        f->cmdline = buf_slice(&r->cmdline);
    }
    return 0;
}

static int scan_read_cgroup(struct reading *r, struct jvm_scan_record *f, struct err *err)
{
    const int code = procfs_read(f->pid, "cgroup", &r->cgroup, err);
    if (code < 0)
        return code;
    f->cgroup = buf_slice(&r->cgroup);
    if (procfs_cgroup_is_root(f->cgroup) && procfs_read(f->pid, "mountinfo", &r->mountinfo, NULL) == 0)
        f->mounted = procfs_mounted_container(buf_slice(&r->mountinfo));
    return 0;
}

struct procfs_container jvm_scan_container(const struct jvm_scan_record *r)
{
    const struct procfs_container in = procfs_container(r->cgroup);
    return in.id.n ? in : (struct procfs_container){r->mounted, r->mounted.n > 0};
}

static int scan_read_process(struct reading *r, unsigned want, struct jvm_scan_record *f, struct err *err)
{
    struct procfs_stat stat;
    int code = procfs_stat(f->pid, &stat, err);
    if (code < 0)
        return code;
    f->start_time = stat.start_time;
    f->program = jvm_program_of(&stat);
    if (stat.kernel_thread || stat.state == 'Z' || stat.state == 'X')
        return err_set(err, -ENOENT, "process %d has no executable", f->pid);

    if (want & (JVM_WANT_EXE | JVM_WANT_JAVA | JVM_WANT_SERVICE | JVM_WANT_IF_JAVA) &&
        (code = procfs_link(f->pid, "exe", &r->exe, err)) < 0)
        return code;
    if (want & (JVM_WANT_JAVA | JVM_WANT_SERVICE | JVM_WANT_IF_JAVA))
        recognise_java(r, &stat, want, f);
    if (want & JVM_WANT_IF_JAVA && !f->is_java)
        return 0;
    want |= f->is_java ? want >> JVM_WANT_SHIFT : 0;
    if (want & JVM_WANT_EXE)
        f->exe = buf_slice(&r->exe);
    if (want & JVM_WANT_CWD && (code = procfs_link(f->pid, "cwd", &r->cwd, err)) < 0)
        return code;
    f->cwd = buf_slice(&r->cwd);
    if (want & (JVM_WANT_CMDLINE | JVM_WANT_JAVA | JVM_WANT_SERVICE) &&
        (code = scan_read_arguments(r, want, f, err)) < 0)
        return code;
    if (want & JVM_WANT_CGROUP && (code = scan_read_cgroup(r, f, err)) < 0)
        return code;
    if (want & (JVM_WANT_UID | JVM_WANT_USERNAME))
        f->has_uid = procfs_uid(f->pid, &f->uid, NULL) == 0;
    if (want & JVM_WANT_USERNAME && f->has_uid)
        f->username = user_name(f->uid);
    return 0;
}

/* Whether it reads what waits for the memory lock of the process (os/procfs.h). */
static bool scan_may_hang(unsigned want)
{
    return want & (JVM_WANT_JAVA | JVM_WANT_IF_JAVA | JVM_WANT_CMDLINE);
}

void jvm_op_scan(struct priv_call *call)
{
    struct reading r = {.exe = BUF_INIT(PATH_MAX),
                        .cwd = BUF_INIT(PATH_MAX),
                        .cgroup = BUF_INIT(JVM_CGROUP_MAX),
                        .mountinfo = BUF_INIT(JVM_MOUNTINFO_MAX),
                        .raw = BUF_INIT(JVM_CMDLINE_MAX),
                        .cmdline = BUF_INIT(JVM_CMDLINE_MAX),
                        .environment = BUF_INIT(JVM_ENVIRONMENT_MAX)};
    struct cursor in = cursor_of(call->in, call->in_len);
    while (cursor_left(&in) >= ITEM_SIZE) {
        struct jvm_scan_record f = {.pid = (pid_t)cursor_be32(&in)};
        const unsigned want = cursor_be32(&in);
        struct err err = {0};
        if (call->out.len && scan_may_hang(want))
            priv_flush(call);
        const int code = scan_read_process(&r, want, &f, &err);
        if (code < 0)
            f = (struct jvm_scan_record){f.pid, code, str_of(err.text), f.start_time, f.program};
        put_record(&call->out, &f);
        struct buf *const used[] = {&r.exe, &r.cwd, &r.cgroup, &r.mountinfo, &r.raw, &r.cmdline, &r.environment};
        for (size_t i = 0; i < ARRAY_LEN(used); i++)
            buf_reset(used[i]);
    }
    priv_flush(call);
    buf_done(&r.exe);
    buf_done(&r.cwd);
    buf_done(&r.cgroup);
    buf_done(&r.mountinfo);
    buf_done(&r.raw);
    buf_done(&r.cmdline);
    buf_done(&r.environment);
}

/* --- The calling side, on the loop --- */

struct jvm_scan {
    struct priv *priv;
    uint64_t user, call;
    unsigned timeout_ms, lost;
    void (*record)(void *arg, const struct jvm_scan_record *record);
    void (*done)(void *arg, int code);
    void *arg;
    size_t len; /* items not answered yet, in the order asked for */
    struct jvm_scan_item items[];
};

static void scan_submit(struct jvm_scan *s);

static bool take_item(struct jvm_scan *s, pid_t pid)
{
    for (size_t i = 0; i < s->len; i++)
        if (s->items[i].pid == pid) {
            memmove(s->items + i, s->items + i + 1, (--s->len - i) * sizeof *s->items);
            return true;
        }
    return false;
}

static void on_reply(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds, size_t fd_count)
{
    struct jvm_scan *s = arg;
    struct cursor in = cursor_of(out, len);
    struct jvm_scan_record f;
    (void)fds;
    (void)fd_count;
    while (cursor_left(&in) && get_record(&in, &f))
        if (take_item(s, f.pid))
            s->record(s->arg, &f);
    if (s->len && result != PRIV_LOST) {
        /* They are read in order, so the first without an answer is the one that held the child up, or killed it. */
        char what[64];
        snprintf(what, sizeof what, "reading /proc/%d %s", s->items[0].pid,
                 result == PRIV_TIMEOUT ? "timed out" : "failed");
        f = (struct jvm_scan_record){.pid = s->items[0].pid, .what = str_of(what)};
        f.code = result == PRIV_TIMEOUT ? -ETIMEDOUT : -EIO;
        if (take_item(s, f.pid))
            s->record(s->arg, &f);
    }
    /* Of a helper that is no more nothing is known; the next one is asked. */
    if (s->len && (result != PRIV_LOST || s->lost++ < LOST_MAX)) {
        scan_submit(s);
        return;
    }
    void (*const done)(void *, int) = s->done;
    void *const done_arg = s->arg;
    free(s);
    done(done_arg, result == PRIV_LOST ? -EPIPE : 0);
}

static void scan_submit(struct jvm_scan *s)
{
    cleanup_buf struct buf in = BUF_INIT(JVM_SCAN_MAX * ITEM_SIZE);
    for (size_t i = 0; i < s->len; i++) {
        put_be(&in, (uint32_t)s->items[i].pid, 4);
        put_be(&in, s->items[i].want, 4);
    }
    const struct priv_request r = {
        .op = JVM_OP_SCAN, .user = s->user, .in = in.p, .len = in.len, .timeout_ms = s->timeout_ms};
    s->call = priv_call(s->priv, &r, on_reply, s);
}

struct jvm_scan *jvm_scan(struct priv *priv, uint64_t user, const struct jvm_scan_item *items, size_t n,
                          unsigned timeout_ms, void (*record)(void *arg, const struct jvm_scan_record *record),
                          void (*done)(void *arg, int code), void *arg)
{
    if (n > JVM_SCAN_MAX)
        abort(); /* the caller's mistake: a reply could not hold it */
    struct jvm_scan *s = xcalloc(1, sizeof *s + n * sizeof *items);
    s->priv = priv;
    s->user = user;
    s->timeout_ms = timeout_ms;
    s->record = record;
    s->done = done;
    s->arg = arg;
    s->len = n;
    memcpy(s->items, items, n * sizeof *items);
    scan_submit(s);
    return s;
}

void jvm_scan_cancel(struct jvm_scan *s)
{
    priv_forget(s->priv, s->call);
    free(s);
}
