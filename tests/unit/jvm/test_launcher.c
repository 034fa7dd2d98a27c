/* bin/asprof as an operator uses it, laid out with its library, against a real JVM. Needs root. */
#include <errno.h>

#include "base/cleanup.h"
#include "java_target.h"
#include "jvm/attach/asprof.h"
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
    CHECK_RUN(2, "--fdtransfer");
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

int main(void)
{
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
