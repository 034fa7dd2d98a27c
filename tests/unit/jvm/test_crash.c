/* What an operation finds of the end of a JVM: reports in a directory of ours, and those of others in their place. */
#include "jvm/operation/crash.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "helper_loop.h"

enum { USER = 54321, OTHER = 54322, DEADLINE_NS = 1000000000 };

static const char text[] = "#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n"
                           "#  SIGSEGV (0xb) at pc=0x0, pid=77, tid=78\n#\n# Problematic frame:\n"
                           "# C  [libasyncProfiler.so+0x1]\n#\n";
static char dir[] = "/tmp/smolder-crash-XXXXXX", file[128];
static struct priv *priv;
static uv_loop_t *loop;
static struct jvm_crash found;
static bool answered;

static void on_found(void *arg, const struct jvm_crash *c)
{
    (void)arg;
    found = *c;
    answered = true;
}

static void write_report(uid_t owner)
{
    (void)!unlink(file);
    cleanup_close int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK_INT(write(fd, text, sizeof text - 1), sizeof text - 1);
    CHECK_INT(fchown(fd, owner, owner), 0);
}

/* A JVM of USER ended, with `pid` as its ID, which ran for so long. */
static bool reported_by(int pid, int64_t age_ns)
{
    struct hs_err_place place = {.uid = USER, .gid = USER, .pid = pid, .name = "hs_err_pid77.log"};
    cleanup_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct jvm_crash_request r = {.pid = 1 << 30, .age_ns = age_ns, .place = &place, .dir = fd};
    const int64_t until = clock_ns() + 10 * (int64_t)DEADLINE_NS;
    answered = false;
    jvm_read_crash(priv, &r, on_found, NULL);
    while (!answered && clock_ns() < until)
        uv_run(loop, UV_RUN_ONCE);
    CHECK(answered);
    CHECK(!found.kernel.oom && !found.kernel.fault);
    return found.reported;
}
#define AGE (10 * NS_PER_SEC)

static void the_report_of_its_user_is_read(void)
{
    write_report(USER);
    CHECK(reported_by(77, AGE));
    CHECK(found.report.profiler);
    CHECK_STR(found.report.signal, "SIGSEGV");
    CHECK_STR(found.report.frame, "libasyncProfiler.so");
}

static void one_of_another_user_is_not(void)
{
    write_report(OTHER);
    CHECK(!reported_by(77, AGE));
    write_report(0);
    CHECK(!reported_by(77, AGE));
}

static void links_and_pipes_are_not_followed(void)
{
    char other[160];
    snprintf(other, sizeof other, "%s/other", dir);
    write_report(USER);
    CHECK_INT(link(file, other), 0);
    CHECK(!reported_by(77, AGE)); /* an old report of the user that somebody linked here */
    (void)!unlink(file);
    CHECK_INT(symlink(other, file), 0);
    CHECK(!reported_by(77, AGE));
    (void)!unlink(file);
    (void)!unlink(other);
    CHECK_INT(mkfifo(file, 0666), 0);
    CHECK_INT(chown(file, USER, USER), 0);
    CHECK(!reported_by(77, AGE));
    (void)!unlink(file);
    CHECK(!reported_by(77, AGE));
}

static void one_from_before_the_jvm_is_another_jvms(void)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 60}};
    write_report(USER);
    CHECK_INT(utimensat(AT_FDCWD, file, times, 0), 0);
    CHECK(!reported_by(77, AGE));
    CHECK(reported_by(77, 120 * NS_PER_SEC));
    CHECK(!reported_by(78, 120 * NS_PER_SEC)); /* a fixed name for all of the user's JVMs */
}

static void a_directory_that_is_closed_to_the_user_is_closed(void)
{
    write_report(USER);
    CHECK_INT(chmod(dir, 0700), 0);
    CHECK(!reported_by(77, AGE));
    CHECK_INT(chmod(dir, 0777), 0);
    CHECK(reported_by(77, AGE));
}

static void without_a_directory_there_is_no_report(void)
{
    static const struct hs_err_place nowhere;
    const struct jvm_crash_request r = {.pid = 1 << 30, .place = &nowhere, .dir = -1};
    const int64_t until = clock_ns() + 10 * (int64_t)DEADLINE_NS;
    answered = false;
    jvm_read_crash(priv, &r, on_found, NULL);
    while (!answered && clock_ns() < until)
        uv_run(loop, UV_RUN_ONCE);
    CHECK(answered && !found.reported);
}

int main(void)
{
    char command[64];
    if (!helper_loop_begin(&priv, &loop))
        return REPORT();
    CHECK(mkdtemp(dir) != NULL);
    CHECK_INT(chmod(dir, 0777), 0);
    snprintf(file, sizeof file, "%s/hs_err_pid77.log", dir);
    RUN(the_report_of_its_user_is_read);
    RUN(one_of_another_user_is_not);
    RUN(links_and_pipes_are_not_followed);
    RUN(one_from_before_the_jvm_is_another_jvms);
    RUN(a_directory_that_is_closed_to_the_user_is_closed);
    RUN(without_a_directory_there_is_no_report);
    helper_loop_end(priv, loop);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    (void)!system(command);
    return REPORT();
}
