/* Error reports of crashed JVMs: texts as HotSpot writes them, and the directories of a process of our own. */
#include "jvm/probe/hs_err.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

#define HEAD                                                                                                           \
    "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"                                       \
    "#  SIGSEGV (0xb) at pc=0x00007f0a1b2c3d4e, pid=4711, tid=4712\n#\n"                                               \
    "# JRE version: OpenJDK Runtime Environment (17.0.15+6) (build 17.0.15+6-Debian-1)\n"
#define THREAD(name)                                                                                                   \
    "\n---------------  T H R E A D  ---------------\n\n"                                                              \
    "Current thread (0x00007f): JavaThread \"" name "\" [_thread_in_native, id=4712]\n\n"                              \
    "Native frames: (J=compiled Java code, j=interpreted, Vv=VM code, C=native code)\n"
#define OURS     "C  [libasyncProfiler.so+0x1234]  StackWalker::walkVM(void*)+0x12\n"
#define JVM      "V  [libjvm.so+0xf0f0f0]  Unsafe_PutInt+0x8a\n"
#define THEIRS   "C  [libfoo.so+0x10]  foo+0x10\n"
#define START    "C  [libc.so.6+0x891f5]\n"
#define FRAME(f) "# Problematic frame:\n# " f "#\n# Core dump will be written.\n#\n"
/* Every process that is profiled has the library mapped. */
#define MAPS "\nDynamic libraries:\n7f0000-7f1000 r-xp 00000000 00:2a 17 /tmp/x/lib/libasyncProfiler.so\n"

static struct hs_err parse(const char *text)
{
    struct hs_err r = {0};
    CHECK(hs_err_parse(str_of(text), &r));
    return r;
}

static void a_crash_elsewhere_does_not_name_the_profiler(void)
{
    const struct hs_err r = parse(HEAD FRAME(JVM) THREAD("main") JVM "j  Main.main([Ljava/lang/String;)V+3\n" MAPS);
    CHECK_INT(r.pid, 4711);
    CHECK_STR(r.signal, "SIGSEGV");
    CHECK_STR(r.frame, "libjvm.so");
    CHECK(!r.profiler && !r.no_memory);
}

static void the_frame_the_stack_or_the_thread_may_name_the_profiler(void)
{
    CHECK(parse(HEAD FRAME(OURS) MAPS).profiler);
    CHECK_STR(parse(HEAD FRAME(OURS)).frame, "libasyncProfiler.so");
    CHECK(parse(HEAD FRAME(JVM) THREAD("main") JVM OURS START JVM THEIRS JVM).profiler);
    CHECK(parse(HEAD FRAME(JVM) THREAD("Async-profiler Timer") JVM).profiler);
}

static void the_start_of_a_thread_is_not_the_profilers_doing(void)
{
    CHECK(!parse(HEAD FRAME(THEIRS) THREAD("worker") THEIRS THEIRS OURS START START MAPS).profiler);
    CHECK(!parse(HEAD FRAME(THEIRS) THREAD("worker") THEIRS OURS START).profiler);
}

static void only_the_stack_that_crashed_counts(void)
{
    CHECK(!parse(HEAD FRAME(THEIRS) THREAD("main") THEIRS THEIRS "\n" OURS THEIRS THEIRS THEIRS THEIRS).profiler);
    CHECK(!parse(HEAD FRAME(THEIRS) "Command Line: -Dx=[libasyncProfiler.so] \"Async-profiler\" Main\n").profiler);
}

static void other_heads(void)
{
    struct hs_err r = parse("#\n# There is insufficient memory for the Java Runtime Environment to continue.\n"
                            "# Native memory allocation (mmap) failed to map 4096 bytes\n"
                            "#  Out of Memory Error (os_linux.cpp:2798), pid=12, tid=13\n#\n");
    CHECK(r.no_memory && r.pid == 12);
    CHECK_STR(r.signal, "");
    r = parse("#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"
              "#  Internal Error (sharedRuntime.cpp:553), pid=7, tid=8\n#  guarantee(x) failed\n#\n");
    CHECK_INT(r.pid, 7);
    CHECK_STR(r.signal, "");
    r = parse(HEAD FRAME("j  Main.boom()V+3\n"));
    CHECK_STR(r.frame, "Main.boom()V+3");
}

static void what_is_no_report_is_none(void)
{
    struct hs_err r;
    static const char *const texts[] = {"", "#", "#\n", "# hello\n", "\n" HEAD, "[libasyncProfiler.so+1]"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK(!hs_err_parse(str_of(texts[i]), &r));
}

static void what_is_kept_is_printable_and_short(void)
{
    char text[4096] = HEAD "# Problematic frame:\n# C  [lib\033[31m\n\x9b";
    memset(text + strlen(text), 'x', 1000);
    const struct hs_err r = parse(text);
    CHECK(!strpbrk(r.frame, "\033\n\x9b") && strlen(r.frame) < sizeof r.frame);
    CHECK_INT(
        parse("# A fatal error has been detected by the Java Runtime Environment:\n# pid=99999999999999999\n").pid > 0,
        true);
}

/* ---- the place ---- */

static char dir[] = "/tmp/smolder-report-XXXXXX";

static struct jvm_view view_of_us(const char *options)
{
    struct jvm_view v = JVM_VIEW_INIT;
    v.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    v.cwd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    v.ns_pid = 77;
    v.rights.uid = geteuid();
    v.rights.gid = getegid();
    v.java = v.whole = true;
    v.cmdline = BUF_INIT(4096);
    buf_append(&v.cmdline, "java", 5);
    buf_append(&v.cmdline, options, strlen(options) + 1);
    return v;
}

/* Where a file of that name lands when it is made in the directory that was found. */
static void check_place(const char *options, const char *path)
{
    struct hs_err_place place = {0};
    struct jvm_view v = view_of_us(options);
    cleanup_close int fd = hs_err_place(&v, &place);
    char found[512] = "", link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = fd < 0 ? 0 : readlink(link, found, sizeof found - 1);
    snprintf(found + (n > 0 ? n : 0), sizeof found - (size_t)(n > 0 ? n : 0), "/%s", place.name);
    CHECK_STR(found, path);
    CHECK_INT(place.pid, 77);
    CHECK_INT(place.uid, geteuid());
    close(v.root);
    close(v.cwd);
    buf_done(&v.cmdline);
}

static void the_place_is_where_hotspot_writes(void)
{
    char path[128], option[256];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/hs_err_pid77.log", dir);
    check_place("-Xmx1g", path);
    check_place("-XX:ErrorFile=", path);
    snprintf(path, sizeof path, "%s/sub", dir);
    CHECK_INT(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/sub/e77%%x77.txt", dir);
    snprintf(option, sizeof option, "-XX:ErrorFile=%s/sub/e%%p%%%%x%%p.txt", dir);
    check_place(option, path);
    check_place("-XX:ErrorFile=sub/e%p%%x%p.txt", path);
    snprintf(path, sizeof path, "%s/e.txt", dir);
    check_place("-XX:ErrorFile=e.txt", path);
    /* One that is not there, or above the working directory: then the next place is used, as HotSpot does. */
    snprintf(path, sizeof path, "%s/hs_err_pid77.log", dir);
    check_place("-XX:ErrorFile=/nowhere/e.txt", path);
    check_place("-XX:ErrorFile=../e.txt", path);
}

static void an_unwritable_working_directory_leaves_tmp(void)
{
    int status;
    if (geteuid() != 0) {
        SKIP(an_unwritable_working_directory_leaves_tmp, "needs root to become another user");
        return;
    }
    const pid_t pid = fork();
    if (pid == 0) {
        checks_failed = 0;
        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
            _exit(2);
        check_place("-Xmx1g", "/tmp/hs_err_pid77.log");
        _exit(checks_failed ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
}

int main(void)
{
    char command[64];
    RUN(a_crash_elsewhere_does_not_name_the_profiler);
    RUN(the_frame_the_stack_or_the_thread_may_name_the_profiler);
    RUN(the_start_of_a_thread_is_not_the_profilers_doing);
    RUN(only_the_stack_that_crashed_counts);
    RUN(other_heads);
    RUN(what_is_no_report_is_none);
    RUN(what_is_kept_is_printable_and_short);
    RUN(the_place_is_where_hotspot_writes);
    RUN(an_unwritable_working_directory_leaves_tmp);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    (void)!system(command);
    return REPORT();
}
