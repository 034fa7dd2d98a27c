/* bin/asprof: profiles one JVM by hand, with the command line of async-profiler's own launcher.
 *
 * The agent does not need it. It attaches as the agent does (jvm/attach/attach.h), so it neither signals a JVM that
 * cannot stand it nor waits for ever. What the profiler prints goes through files in a fresh directory in the target
 * (jvm/attach/target_dir.h) and never onto the application's output. Facts: async-profiler 4.6 src/main/main.cpp
 * (arguments), docs/ProfilerOptions.md, jattach.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/terminal.h"
#include "jvm/attach/asprof_options.h"
#include "jvm/attach/target.h"
#include "jvm/launcher/find_jvm.h"
#include "jvm/probe/mapped.h"
#include "os/fsutil.h"

#define LIBRARY "../lib/libasyncProfiler.so"

enum { EXIT_FAILED = 1, PATIENCE_MS = 30000, DEFAULT_SECONDS = 60, OPTIONS_MAX = 4096, OUTPUT_SPACE = 1 << 20 };
enum { TRACEPOINT_SIZE = 32 };

static const char usage[] =
    "Usage: asprof [ACTION] [OPTIONS] PID\n"
    "PID is a process ID, jps for the only JVM, or the name of a main class or jar.\n"
    "\n"
    "Actions\n"
    "  collect               start, wait for -d seconds, stop and print the profile (default)\n"
    "  start                 start profiling and return\n"
    "  resume                start without resetting the collected data\n"
    "  stop                  stop, and print or write the profile\n"
    "  dump                  print or write the profile; profiling continues\n"
    "  status                print the profiling status\n"
    "  metrics               print memory and sample counters of the profiler\n"
    "  list                  list the events this JVM supports\n"
    "  version               print the version of the profiler in the JVM\n"
    "  load PID LIB …        load an agent library: path, true if it is absolute, options\n"
    "  jcmd PID …            run a diagnostic command; also threaddump, dumpheap, inspectheap, properties\n"
    "\n"
    "Sampling\n"
    "  -e, --event E         cpu, itimer, ctimer, wall, alloc, lock, a perf event, Class.method, …\n"
    "  -i, --interval N      sampling interval, such as 10ms\n"
    "  -j, --jstackdepth N   maximum stack depth\n"
    "  -F, --features L      vtable,comptask,pcaddr,stats,mixed,agct\n"
    "  --alloc N, --live, --tlab, --nativemem N, --nofree\n"
    "                        allocation\n"
    "  --lock T, --nativelock T\n"
    "                        contention\n"
    "  --wall T, --nobatch, --ithread PATTERN, --xthread PATTERN, --filter\n"
    "                        wall clock: of threads with or without such a name, of those that the program adds\n"
    "  --proc T, --trace M:T, --all\n"
    "                        processes, slow calls, all events\n"
    "  --all-user, --record-cpu, --target-cpu N, --sched, -t\n"
    "                        user mode only, CPU number, one CPU, scheduling policy, threads\n"
    "  --cstack fp|dwarf|vm|vmx|no, --signal N[/M], --clock tsc|monotonic\n"
    "  --begin F, --end F, --ttsp, --nostop\n"
    "                        profile between two functions\n"
    "  --memlimit N, --timeout T, --loop T\n"
    "\n"
    "Output\n"
    "  -d SECONDS            duration of collect (60)\n"
    "  -f FILE               output file, as a path in the JVM's file system; default: print the profile\n"
    "  -o FORMAT             flat, traces, collapsed, flamegraph, tree, jfr, otlp\n"
    "  --chunksize N, --chunktime T, --jfropts L, --jfrsync C, --ratelimit cpu:N,…\n"
    "                        recordings\n"
    "  -s, -n, -g, -a, -l, --dot, -I PATTERN, -X PATTERN, --samples, --total\n"
    "                        text\n"
    "  --title T, --minwidth P, --reverse, --inverted\n"
    "                        flame graphs\n"
    "  -L, --log LEVEL       trace, debug, info, warn, error, none\n"
    "  --libpath PATH        profiler library, as a path in the JVM's file system\n"
    "  --fdtransfer          not supported: it lends perf events of root to the JVM, which decides what is opened\n"
    "  -v, --version         print the version of this program\n"
    "  -h, --help            print this help\n"
    "\n"
    "asprof -d 30 -f /tmp/profile.html 3456\n"
    "asprof start -e itimer -i 10ms --alloc 512k jps\n"
    "asprof stop -o collapsed jps\n";

struct launcher_command {
    const char *action, *file, *output, *libpath, *target;
    char **rest; /* load, jcmd …: what follows the pid */
    size_t rest_n;
    unsigned seconds, events;
    struct buf params, format; /* ",name=value…" */
};

static bool launcher_one_of(const char *word, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(*names, word) == 0)
            return true;
    return false;
}

static bool is_action(const char *word)
{
    static const char *const names[] = {"collect", "start",   "resume",  "stop",    "dump", "status",
                                        "list",    "metrics", "version", "meminfo", NULL};
    return launcher_one_of(word, names);
}

/* Commands to the JVM itself, passed on as they are. */
static bool is_jvm_command(const char *word)
{
    static const char *const names[] = {"load", "jcmd", "threaddump", "dumpheap", "inspectheap", "properties", NULL};
    return launcher_one_of(word, names);
}

static int parse_seconds(const char *text, unsigned *ret, struct err *err)
{
    uint64_t n;
    if (!str_to_u64(str_of(text), &n) || n == 0 || n > INT32_MAX / 1000)
        return err_set(err, -EINVAL, "-d: expected a positive number of seconds, got \"%s\"", text);
    *ret = (unsigned)n;
    return 0;
}

static int launcher_option(struct launcher_command *c, const char *name, const char *value, struct err *err)
{
    if (strcmp(name, "-d") == 0)
        return parse_seconds(value, &c->seconds, err);
    if (strcmp(name, "-f") == 0)
        c->file = value;
    else if (strcmp(name, "-o") == 0)
        c->output = value;
    else if (strcmp(name, "--libpath") == 0)
        c->libpath = value;
    else
        return err_set(err, -EINVAL,
                       "%s is not supported: root would open for the JVM whatever perf event it asks for, and tell it "
                       "the addresses of the kernel; use -e ctimer, or let the JVM use perf events itself (perf_event_"
                       "paranoid, or CAP_PERFMON and the seccomp profile of its container)",
                       name);
    return 0;
}

/* "syscalls:sys_enter_openat" as the number that the kernel gives such a tracepoint. Looked up here, for the JVM's user
 * may not. False where there is none: then it may be a breakpoint, a class or whatever else the agent knows. */
static bool launcher_tracepoint(const char *event, char ret[TRACEPOINT_SIZE])
{
    static const char *const places[] = {"/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"};
    const char *colon = strchr(event, ':');
    if (!colon || strchr(colon + 1, ':') || strchr(event, '/') || event[0] == '.' || colon[1] == '.')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char path[PATH_MAX];
        cleanup_buf struct buf text = BUF_INIT(32);
        uint64_t id;
        if ((size_t)snprintf(path, sizeof path, "%s/%.*s/%s/id", places[i], (int)(colon - event), event, colon + 1) >=
            sizeof path)
            return false;
        cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && fs_read(fd, &text, NULL) == 0 && str_to_u64(str_trim(buf_slice(&text)), &id) && id > 0) {
            snprintf(ret, TRACEPOINT_SIZE, "trace:%llu", (unsigned long long)id);
            return true;
        }
    }
    return false;
}

static int launcher_asprof_option(struct launcher_command *c, const struct asprof_option *o, const char *name,
                                  const char *value, struct err *err)
{
    char tracepoint[TRACEPOINT_SIZE];
    if (o->target == ASPROF_LAUNCHER)
        return launcher_option(c, name, value, err);
    if (strcmp(name, "--jfrsync") == 0 || strcmp(name, "--jfropts") == 0)
        c->output = "jfr";
    if (o->value == ASPROF_EVENT && launcher_tracepoint(value, tracepoint))
        value = tracepoint;
    if ((strcmp(name, "--timeout") == 0 || strcmp(name, "--loop") == 0) && strcmp(c->action, "collect") == 0)
        c->action = "start";
    return asprof_option_append(o, value, &c->events, o->target == ASPROF_REPORT ? &c->format : &c->params, err);
}

static int launcher_parse(struct launcher_command *c, int argc, char **argv, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const struct asprof_option *o = asprof_option_find(arg);
        if (is_action(arg) || is_jvm_command(arg)) {
            c->action = strcmp(arg, "meminfo") == 0 ? "metrics" : arg;
        } else if (o) {
            const char *value = o->value == ASPROF_NONE ? NULL : argv[++i];
            if (o->value != ASPROF_NONE && !value)
                return err_set(err, -EINVAL, "%s needs a value", arg);
            int code = launcher_asprof_option(c, o, arg, value, err);
            if (code < 0)
                return code;
        } else if (arg[0] == '-' || c->target) {
            return err_set(err, -EINVAL, "%s: unknown %s", arg, arg[0] == '-' ? "option" : "argument");
        } else {
            c->target = arg;
            if (is_jvm_command(c->action)) {
                c->rest = argv + i + 1;
                c->rest_n = (size_t)(argc - i - 1);
                break;
            }
        }
    }
    if (!c->target)
        return err_set(err, -EINVAL, "no process given: expected a process ID, or jps for the only JVM");
    return buf_ok(&c->params) && buf_ok(&c->format) ? 0 : err_set(err, -E2BIG, "the options are too long");
}

/* SIGINT and SIGTERM end the waiting, not the program: the profiler is stopped and the files are removed. */
static volatile sig_atomic_t interrupted;

static void launcher_on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* Given; or the one the JVM has already, since a second path would be a second profiler in it; or the one beside this
 * program. */
static int choose_library(struct jvm_target *t, const struct launcher_command *c, struct err *err)
{
    const struct jvm_library *l = t->probe.ours.path[0] ? &t->probe.ours : &t->probe.stranger;
    char program[PATH_MAX];
    if (c->libpath) {
        snprintf(t->library, sizeof t->library, "%s", c->libpath);
        return 0;
    }
    if (l->path[0] && jvm_mapped_path(&t->view, l->path, l->inode, t->library, sizeof t->library))
        return 0;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n < 0)
        return err_errno(err, "readlink /proc/self/exe");
    program[n] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = '\0';
    }
    if ((size_t)snprintf(t->library, sizeof t->library, "%.*s/lib/libasyncProfiler.so", PATH_MAX - 64, program) >=
        ATTACH_ARG_MAX)
        return err_set(err, -ENAMETOOLONG, "the path of %s is too long", LIBRARY);
    if (!jvm_mapped_is(t->view.root, t->library, 0))
        return err_set(err, -ENOENT, "%s does not exist in the file system of the JVM; copy it there, or use --libpath",
                       t->library);
    return 0;
}

static int launcher_print_file(int from, int to)
{
    cleanup_buf struct buf text = BUF_INIT(64 << 20);
    if (lseek(from, 0, SEEK_SET) < 0)
        return -errno;
    int code = fs_read(from, &text, NULL);
    return code < 0 ? code : terminal_write(to, buf_slice(&text));
}

/* One command to the profiler. Prints what it logged. Returns its result, or a negative errno. */
static int launcher_run_command(struct jvm_target *t, const char *options, int log, struct err *err)
{
    cleanup_buf struct buf reply = BUF_INIT(ATTACH_REPLY_MAX);
    struct jvm_load_reply said;
    const char *const args[] = {t->library, t->library[0] == '/' ? "true" : "false", options};
    t->attach.deadline_ms = clock_ms() + PATIENCE_MS;
    int code = jvm_attach_call(&t->attach, "load", args, &reply, err);
    if (code < 0)
        return code;
    jvm_attach_parse_load(buf_slice(&reply), &said);
    if (!said.loaded)
        return err_set(err, -ENOEXEC, "the JVM did not load %s: %s", t->library, said.message);
    /* What cannot be shown does not change what happened. */
    (void)!launcher_print_file(log, STDERR_FILENO);
    return said.result;
}

/* "-f" as the JVM will see it: a relative name is meant from here. */
static int output_path(const struct jvm_target *t, const struct launcher_command *c, char *ret, size_t size,
                       struct err *err)
{
    char here[PATH_MAX] = "";
    int n;
    if (!c->file)
        n = snprintf(ret, size, "%s/" TARGET_DIR_OUTPUT, t->dir.path);
    else if (c->file[0] == '/' || !getcwd(here, sizeof here))
        n = snprintf(ret, size, "%s", c->file);
    else
        n = snprintf(ret, size, "%s/%s", here, c->file);
    if ((size_t)n >= size || strchr(ret, ','))
        return err_set(err, -EINVAL, "-f: the path must be shorter than %zu bytes and have no comma", size);
    return 0;
}

static void wait_for_the_end(const struct jvm_target *t, unsigned seconds)
{
    int64_t end = clock_ms() + (int64_t)seconds * 1000;
    struct pollfd exited = {.fd = t->view.p.fd, .events = POLLIN};
    for (int64_t left; !interrupted && (left = end - clock_ms()) > 0;)
        if (poll(&exited, 1, (int)left) > 0)
            return;
}

static int launcher_profile(struct jvm_target *t, const struct launcher_command *c, struct err *err)
{
    bool collect = strcmp(c->action, "collect") == 0;
    bool begins = collect || strcmp(c->action, "start") == 0 || strcmp(c->action, "resume") == 0;
    char path[ATTACH_ARG_MAX];
    if (begins && !collect && !c->file && c->output && strcmp(c->output, "jfr") == 0)
        return err_set(err, -EINVAL, "%s: a recording needs a file (-f)", c->action);
    int code = choose_library(t, c, err);
    if (code == 0)
        code = jvm_target_dir_open(&t->dir, &t->view, OUTPUT_SPACE, err);
    if (code < 0)
        return code;
    cleanup_close int log = jvm_target_dir_file(&t->dir, TARGET_DIR_LOG, err);
    cleanup_close int out = log < 0 ? -1 : jvm_target_dir_file(&t->dir, TARGET_DIR_OUTPUT, err);
    if (out < 0)
        return err->code;
    if ((code = output_path(t, c, path, sizeof path, err)) < 0)
        return code;
    cleanup_buf struct buf text = BUF_INIT(OPTIONS_MAX);
    bool names_file = c->file || collect || !begins;
    buf_printf(&text, "%s%s%s", collect ? "start,quiet" : c->action, names_file ? ",file=" : "",
               names_file ? path : "");
    if (c->output)
        buf_printf(&text, ",%s", c->output);
    buf_str(&text, buf_slice(&c->format));
    buf_str(&text, buf_slice(&c->params));
    buf_printf(&text, ",log=%s/" TARGET_DIR_LOG, t->dir.path);
    code = launcher_run_command(t, buf_cstr(&text), log, err);
    if (collect && code == 0) {
        fprintf(stderr, "Profiling process %d for %u seconds\n", (int)t->view.p.pid, c->seconds);
        wait_for_the_end(t, c->seconds);
        buf_reset(&text);
        buf_printf(&text, "stop,file=%s%s%s", path, c->output ? "," : "", c->output ? c->output : "");
        buf_str(&text, buf_slice(&c->format));
        buf_printf(&text, ",log=%s/" TARGET_DIR_LOG, t->dir.path);
        if (pidref_alive(&t->view.p))
            code = launcher_run_command(t, buf_cstr(&text), log, err);
        else
            fprintf(stderr, "The process ended\n");
    }
    if (code == 0 && !c->file)
        code = launcher_print_file(out, STDOUT_FILENO);
    return code;
}

static int jvm_command(struct jvm_target *t, const struct launcher_command *c, struct err *err)
{
    cleanup_buf struct buf all = BUF_INIT(OPTIONS_MAX), reply = BUF_INIT(64 << 20);
    const char *args[3] = {0};
    if (strcmp(c->action, "jcmd") == 0) {
        /* One argument to the JVM, however many words. */
        for (size_t i = 0; i < c->rest_n; i++)
            buf_printf(&all, "%s%s", i ? " " : "", c->rest[i]);
        args[0] = buf_cstr(&all);
    } else if (c->rest_n > ARRAY_LEN(args)) {
        return err_set(err, -EINVAL, "%s takes at most %zu arguments", c->action, ARRAY_LEN(args));
    } else {
        for (size_t i = 0; i < c->rest_n; i++)
            args[i] = c->rest[i];
    }
    t->attach.deadline_ms = clock_ms() + PATIENCE_MS;
    int code = jvm_attach_call(&t->attach, c->action, args, &reply, err);
    if (code < 0)
        return code;
    struct str rest = buf_slice(&reply), first;
    int64_t status = -1;
    if (str_split(&rest, '\n', &first) && !str_to_i64(str_trim(first), &status))
        status = -1;
    code = terminal_write(STDOUT_FILENO, rest);
    return code < 0 ? code : status == 0 ? 0 : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    cleanup_target struct jvm_target t = JVM_TARGET_INIT;
    struct launcher_command c = {.action = "collect",
                                 .seconds = DEFAULT_SECONDS,
                                 .params = BUF_INIT(OPTIONS_MAX),
                                 .format = BUF_INIT(OPTIONS_MAX)};
    for (int i = 1; i < argc && !is_jvm_command(argv[i]); i++) {
        bool version = strcmp(argv[i], "-v") == 0 || strcmp(argv[i], "--version") == 0;
        if (!version && strcmp(argv[i], "-h") != 0 && strcmp(argv[i], "--help") != 0)
            continue;
        fputs(version ? "asprof of smolder " SMOLDER_VERSION ", for async-profiler 4.6\n" : usage, stdout);
        return 0;
    }
    int code = launcher_parse(&c, argc, argv, &err);
    if (code < 0) {
        terminal_printf(stderr, "asprof: %s\nTry asprof --help.\n", err.text);
        return 2;
    }
    struct sigaction note = {.sa_handler = launcher_on_signal};
    sigaction(SIGINT, &note, NULL);
    sigaction(SIGTERM, &note, NULL);
    pid_t pid;
    code = find_jvm(c.target, &pid, &err);
    if (code == 0)
        code = jvm_target_open(&t, pid, 0, &err);
    if (code == 0)
        code = is_jvm_command(c.action) ? jvm_command(&t, &c, &err) : launcher_profile(&t, &c, &err);
    if (code < 0)
        terminal_printf(stderr, "asprof: %s\n", err.text[0] ? err.text : strerror(-code));
    buf_done(&c.params);
    buf_done(&c.format);
    return code < 0 ? EXIT_FAILED : code & 0xff;
}
