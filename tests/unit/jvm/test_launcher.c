/* bin/asprof as an operator uses it, laid out with its library, against a real JVM. Needs root. */
#include <errno.h>

#include "base/cleanup.h"
#include "java_target.h"
#include "jvm/attach/asprof.h"
#include "jvm/attach/asprof_options.h"
#include "test.h"

static char layout[ASPROF_PATH_SIZE];
static struct java_target java;
static char out[64 << 10];
static int status;

/* Runs it with words and the JVM's pid at the end, where `pid`. Both its outputs go to `out`. */
static void run_with(bool pid, const char *const *words)
{
    char program[ASPROF_PATH_SIZE + 16], number[16], file[64];
    char *argv[16] = {program};
    size_t n = 1;
    pid_t child;
    snprintf(program, sizeof program, "%s/bin/asprof", layout);
    snprintf(number, sizeof number, "%d", (int)java.pid);
    snprintf(file, sizeof file, "%s/launcher-out", java_dir);
    unlink(file);
    for (; *words; words++)
        argv[n++] = strcmp(*words, "PID") == 0 ? number : (char *)*words;
    if (pid)
        argv[n++] = number;
    out[0] = '\0';
    status = -1;
    if (!java_spawn(argv, file, &child) || waitpid(child, &status, 0) != child)
        FAIL_("%s does not run", program);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    struct java_target t = {.pid = 0};
    snprintf(t.output, sizeof t.output, "%s", file);
    java_output(&t, out, sizeof out);
}
#define ASPROF(...)       run_with(true, (const char *const[]){__VA_ARGS__, NULL})
#define ASPROF_ALONE(...) run_with(false, (const char *const[]){__VA_ARGS__, NULL})
#define CHECK_RUN(code, part)                                                                                          \
    do {                                                                                                               \
        CHECK_INT(status, code);                                                                                       \
        CHECK_HAS(out, part);                                                                                          \
    } while (0)

static void it_explains_itself_without_a_jvm(void)
{
    ASPROF_ALONE("--help");
    CHECK_RUN(0, "Usage: asprof");
    ASPROF_ALONE("-v");
    CHECK_RUN(0, "4.6");
    ASPROF_ALONE("start");
    CHECK_RUN(2, "no process given");
    ASPROF_ALONE("--nonsense", "1");
    CHECK_RUN(2, "--nonsense: unknown option");
    ASPROF_ALONE("-e");
    CHECK_RUN(2, "-e needs a value");
    ASPROF_ALONE("status", "4194305");
    CHECK_RUN(1, "asprof: ");
    ASPROF_ALONE("status", "1x");
    CHECK_RUN(1, "not a process ID");
    ASPROF_ALONE("--fdtransfer", "1");
    CHECK_RUN(2, "--fdtransfer is not supported: root would open for the JVM");
    ASPROF_ALONE("--help");
    CHECK_RUN(0, "--fdtransfer          not supported");
}

static void every_action_works(void)
{
    ASPROF("status");
    CHECK_RUN(0, "not active");
    ASPROF("start", "-e", "itimer", "-i", "5ms");
    CHECK_RUN(0, "Profiling started");
    ASPROF("start", "-e", "itimer");
    CHECK_RUN(200, "already started");
    ASPROF("status");
    CHECK_RUN(0, "Profiling is running");
    ASPROF("metrics");
    CHECK_RUN(0, "mem_calltracestorage_kb");
    ASPROF("list");
    CHECK_RUN(0, "itimer");
    ASPROF("version");
    CHECK_RUN(0, "4.6");
    for (int i = 0; i < 100; i++) {
        ASPROF("dump", "-o", "collapsed");
        if (strstr(out, "Busy.main"))
            break;
        usleep(50000);
    }
    CHECK_RUN(0, "Busy.main");
    ASPROF("stop", "-o", "flat");
    CHECK_RUN(0, "Execution profile");
    ASPROF("resume", "-e", "itimer");
    CHECK_RUN(0, "");
    ASPROF("stop");
    CHECK_RUN(0, "");
    ASPROF_ALONE("jcmd", "PID", "VM.uptime");
    CHECK_RUN(0, " s");
    ASPROF_ALONE("load", "PID", "/nowhere/lib.so", "true");
    CHECK_HAS(out, "lib.so");
}

static void collecting_writes_a_file_or_prints(void)
{
    char file[64], magic[4] = "";
    snprintf(file, sizeof file, "%s/by-hand.jfr", java_dir);
    ASPROF("-d", "1", "-e", "itimer", "-o", "collapsed");
    CHECK_RUN(0, "Busy.main");
    ASPROF("-d", "1", "-e", "itimer", "-f", file);
    CHECK_INT(status, 0);
    cleanup_close int fd = open(file, O_RDONLY | O_CLOEXEC);
    CHECK_INT(read(fd, magic, sizeof magic), sizeof magic);
    CHECK(memcmp(magic, "FLR", 4) == 0);
    ASPROF("start", "-o", "jfr");
    CHECK_RUN(1, "needs a file");
}

static void a_jvm_that_forbids_it_is_left_alone(void)
{
    struct java_target before = java;
    char *homes[JDKS_MAX], text[4096];
    const char *options[] = {"-XX:+DisableAttachMechanism", NULL};
    size_t n = java_homes(homes);
    if (n && java_begin(homes[0], options, &java) && java_ready(&java)) {
        ASPROF("start", "-e", "itimer");
        CHECK_RUN(1, "DisableAttachMechanism");
        java_output(&java, text, sizeof text);
        CHECK_STR(text, "ready\n");
        java_kill(&java);
    }
    java = before;
    for (size_t i = 0; i < n; i++)
        free(homes[i]);
}

/* Every option, by all its names, with what the agent is told. NULL: no value. */
static const struct {
    const char *name, *value, *told;
} told[] = {
    {"-e", "cpu", "event=cpu"},
    {"--event", "cpu/umask=0x1,event=0xd3/", "event=cpu/umask=0x1:event=0xd3/"},
    {"-i", "10ms", "interval=10ms"},
    {"--interval", "1000", "interval=1000"},
    {"-j", "200/40", "jstackdepth=200/40"},
    {"--jstackdepth", "64", "jstackdepth=64"},
    {"-t", NULL, "threads"},
    {"--threads", NULL, "threads"},
    {"-L", "debug", "loglevel=debug"},
    {"--log", "WARN", "loglevel=WARN"},
    {"-F", "vtable,comptask", "features=vtable+comptask"},
    {"--features", "pcaddr", "features=pcaddr"},
    {"--filter", NULL, "filter"},
    {"--ithread", "main*", "ithread=main*"},
    {"--xthread", "GC*", "xthread=GC*"},
    {"--alloc", "512k", "alloc=512k"},
    {"--tlab", NULL, "tlab"},
    {"--live", NULL, "live"},
    {"--nativemem", "1m", "nativemem=1m"},
    {"--nofree", NULL, "nofree"},
    {"--trace", "my.pkg.Class.method:50ms", "trace=my.pkg.Class.method:50ms"},
    {"--lock", "10us", "lock=10us"},
    {"--nativelock", "10us", "nativelock=10us"},
    {"--wall", "100ms", "wall=100ms"},
    {"--nobatch", NULL, "nobatch"},
    {"--proc", "30s", "proc=30s"},
    {"--all", NULL, "all"},
    {"--all-user", NULL, "alluser"},
    {"--sched", NULL, "sched"},
    {"--record-cpu", NULL, "record-cpu"},
    {"--target-cpu", "1", "target-cpu=1"},
    {"--cstack", "vmx", "cstack=vmx"},
    {"--signal", "27/28", "signal=27/28"},
    {"--begin", "f", "begin=f"},
    {"--end", "g", "end=g"},
    {"--ttsp", NULL, "ttsp"},
    {"--nostop", NULL, "nostop"},
    {"--memlimit", "128m", "memlimit=128m"},
    {"--ratelimit", "cpu:1000,alloc:200", "ratelimit=cpu:1000;alloc:200"},
    {"--clock", "monotonic", "clock=monotonic"},
    {"--timeout", "30", "timeout=30"},
    {"--loop", "1h", "loop=1h"},
    {"--chunksize", "4m", "chunksize=4m"},
    {"--chunktime", "1m", "chunktime=1m"},
    {"--jfropts", "mem", "jfropts=mem"},
    {"--jfrsync", "profile", "jfrsync=profile"},
    {"-s", NULL, "simple"},
    {"--simple", NULL, "simple"},
    {"-n", NULL, "norm"},
    {"--norm", NULL, "norm"},
    {"-g", NULL, "sig"},
    {"--sig", NULL, "sig"},
    {"-a", NULL, "ann"},
    {"--ann", NULL, "ann"},
    {"-l", NULL, "lib"},
    {"--lib", NULL, "lib"},
    {"--dot", NULL, "dot"},
    {"-I", "Primes.*", "include=Primes.*"},
    {"--include", "java/*", "include=java/*"},
    {"-X", "*park*", "exclude=*park*"},
    {"--exclude", "*park*", "exclude=*park*"},
    {"--title", "a<b, c", "title=a&lt;b&#44; c"},
    {"--minwidth", "0.5", "minwidth=0.5"},
    {"--width", "100", "width=100"},
    {"--height", "10", "height=10"},
    {"--reverse", NULL, "reverse"},
    {"--inverted", NULL, "inverted"},
    {"--samples", NULL, "samples"},
    {"--total", NULL, "total"},
    {"-o", "collapsed", "collapsed"},
    {"-f", "/tmp/by-hand.jfr", "file=/tmp/by-hand.jfr"},
};
static const char *echo_profiler;

static bool is_told(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        if (strcmp(told[i].name, name) == 0)
            return true;
    return false;
}

/* Those that are for the launcher alone have tests of their own. */
static bool is_for_the_launcher(const char *name)
{
    static const char *const names[] = {"-d", "--libpath", "--fdtransfer", "-v", "--version", "-h", "--help"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void the_agent_is_told_every_option(void)
{
    const struct asprof_option *o;
    for (size_t i = 0; (o = asprof_option_at(i)); i++) {
        const char *const names[] = {o->short_name, o->long_name};
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            if (names[k] && !is_told(names[k]) && !is_for_the_launcher(names[k]))
                FAIL_("%s: no test", names[k]);
    }
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        char part[128];
        snprintf(part, sizeof part, ",%s,", told[i].told);
        if (told[i].value)
            ASPROF("start", "-f", "/tmp/none", "--libpath", echo_profiler, told[i].name, told[i].value);
        else
            ASPROF("start", "-f", "/tmp/none", "--libpath", echo_profiler, told[i].name);
        CHECK_RUN(0, part);
        CHECK_HAS(out, "told: start,");
    }
}

static void options_go_where_the_command_needs_them(void)
{
    ASPROF("-d", "1", "-e", "itimer", "-s", "-o", "flat", "--libpath", echo_profiler);
    CHECK_RUN(0, "told: start,quiet,file=");
    CHECK_HAS(out, ",flat,simple,event=itimer,log=");
    CHECK_HAS(out, "told: stop,file=");
    CHECK_HAS(out, ",flat,simple,log=");
    ASPROF("stop", "-n", "-o", "traces=10", "--libpath", echo_profiler);
    CHECK_RUN(0, ",traces=10,norm,log=");
    ASPROF("--timeout", "5", "--libpath", echo_profiler);
    CHECK_RUN(0, "told: start,timeout=5,"); /* does not wait for it */
    ASPROF("start", "--jfropts", "mem", "-f", "/tmp/x", "--libpath", echo_profiler);
    CHECK_RUN(0, ",jfr,jfropts=mem,");
    ASPROF("start", "-e", "nothing:like_this", "--libpath", echo_profiler);
    CHECK_RUN(0, ",event=nothing:like_this,");
    ASPROF("meminfo", "--libpath", echo_profiler);
    CHECK_RUN(0, "told: metrics,");
    if (access("/sys/kernel/tracing/events/sched/sched_switch/id", R_OK) == 0) {
        ASPROF("start", "-e", "sched:sched_switch", "--libpath", echo_profiler);
        CHECK_RUN(0, ",event=trace:");
    }
}

int main(int argc, char **argv)
{
    char echo[PATH_MAX];
    echo_profiler = argc > 1 && realpath(argv[1], echo) ? echo : "";
    char *homes[JDKS_MAX], tmp[64], text[4096];
    size_t n = java_homes(homes);
    struct asprof_dist dist = {0};
    struct err err = {0};
    if (geteuid() != 0 || n == 0 || !java_compile(homes[0])) {
        SKIP(launcher, "needs root and a JDK");
        return REPORT();
    }
    snprintf(tmp, sizeof tmp, "%s", java_dir);
    chmod(tmp, 0755);
    if (asprof_dist_open("", &dist, &err) < 0 || asprof_install(&dist, tmp, JVM_GLIBC, layout, &err) < 0) {
        printf("%s\n", err.text);
        return 1;
    }
    RUN(it_explains_itself_without_a_jvm);
    for (size_t i = 0; i < n; i++) {
        printf("-- %s\n", homes[i]);
        if (!java_run(homes[i], &java))
            return 1;
        RUN(the_agent_is_told_every_option);
        RUN(options_go_where_the_command_needs_them);
        RUN(every_action_works);
        RUN(collecting_writes_a_file_or_prints);
        java_output(&java, text, sizeof text);
        CHECK_STR(text, "ready\n");
        java_kill(&java);
    }
    RUN(a_jvm_that_forbids_it_is_left_alone);
    static const char *const parts[] = {"/bin/asprof", "/bin", "/lib/libasyncProfiler.so", "/lib", ""};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char path[ASPROF_PATH_SIZE + 32];
        snprintf(path, sizeof path, "%s%s", layout, parts[i]);
        remove(path);
    }
    java_clean_up();
    for (size_t i = 0; i < n; i++)
        free(homes[i]);
    return REPORT();
}
