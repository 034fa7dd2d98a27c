/* What the maps and descriptors of a process say, from made-up ones: whoever runs the target writes them. */
#include "jvm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "test.h"

#define SHA1   "0123456789abcdef0123456789abcdef01234567"
#define GLIBC  "grafana-agent-asprof-glibc-" SHA1
#define MUSL   "grafana-agent-asprof-musl-" SHA1
#define OURS   "/lib/libasyncProfiler.so"
#define RANDOM "0123456789abcdef0123456789abcdef"

/* A view of this process that has `maps`. */
static struct jvm_view view_of(struct str maps)
{
    struct jvm_view v = JVM_VIEW_INIT;
    struct err err = {0};
    CHECK_INT(pidref_open(getpid(), 0, &v.p, &err), 0);
    v.maps = memfd_create("maps", MFD_CLOEXEC);
    CHECK(v.maps >= 0 && write(v.maps, maps.p, maps.n) == (ssize_t)maps.n);
    return v;
}

static struct jvm_probe looked(struct str maps)
{
    cleanup_view struct jvm_view v = view_of(maps);
    struct jvm_probe t = {0};
    struct err err = {0};
    CHECK_INT(jvm_probe_process(&v, &t, &err), 0);
    CHECK_STR(err.text, "");
    return t;
}

#define AT                "7f0000000000-7f0000001000 r-xp 00000000 08:01 "
#define LINE(inode, path) AT inode "                    " path "\n"

static void copies_of_ours_are_known_by_their_folder(void)
{
    CHECK_STR(jvm_our_library("/tmp/" GLIBC OURS), GLIBC OURS);
    CHECK_STR(jvm_our_library("/a/b/" MUSL OURS), MUSL OURS);
    CHECK_STR(jvm_our_library("/" GLIBC "-1000" OURS), GLIBC "-1000" OURS);
    CHECK_STR(jvm_our_library("/tmp/" GLIBC "-0123456789abcdef0123456789abcdef" OURS),
              GLIBC "-0123456789abcdef0123456789abcdef" OURS);
}

static void what_only_resembles_a_copy_is_none(void)
{
    static const char *const others[] = {
        "",
        "/",
        OURS,
        GLIBC OURS, /* no directory above */
        "/tmp/" GLIBC,
        "/tmp/" GLIBC "/lib/libasyncProfiler.so.1",
        "/tmp/" GLIBC "/x" OURS,
        "/tmp/x" GLIBC OURS,
        "/tmp/" GLIBC "0" OURS,
        "/tmp/" GLIBC "-" OURS,
        "/tmp/" GLIBC "-A" OURS,
        "/tmp/" GLIBC "-1-2" OURS,
        "/tmp/" GLIBC "-0123456789abcdef0123456789abcdef0" OURS,
        "/tmp/grafana-agent-asprof-glibc-0123456789ABCDEF0123456789abcdef01234567" OURS,
        "/tmp/grafana-agent-asprof-glibc-0123" OURS,
        "/tmp/grafana-agent-asprof-glibc-" OURS,
        "/tmp/grafana-agent-asprof-uclibc-" SHA1 OURS,
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (jvm_our_library(others[i]))
            FAIL_("%s is taken for a copy of ours", others[i]);
}

static void recordings_of_ours_are_known_by_their_link(void)
{
    CHECK(jvm_our_recording("/tmp/.smolder-" RANDOM "/session.jfr (deleted)"));
    CHECK(jvm_our_recording("/.smolder-" RANDOM "/session.jfr (deleted)"));
    static const char *const others[] = {
        "",
        "/session.jfr (deleted)",
        "/tmp/.smolder-" RANDOM "/session.jfr", /* still has its name: nobody has unlinked it yet */
        "/tmp/.smolder-" RANDOM "0/session.jfr (deleted)",
        "/tmp/.smolder-0123456789abcdef0123456789abcdeF/session.jfr (deleted)",
        "/tmp/smolder-" RANDOM "/session.jfr (deleted)",
        "/tmp/.smolder-" RANDOM "/session.jfr (deleted) ",
        "/tmp/.smolder-" RANDOM "/other.jfr (deleted)",
        "socket:[1]",
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (jvm_our_recording(others[i]))
            FAIL_("%s is taken for a recording of ours", others[i]);
}

static void a_jvm_is_known_by_its_library(void)
{
    const struct jvm_probe t = looked(STR(LINE("11", "/usr/lib/ld-linux-x86-64.so.2") LINE(
        "0", "[stack]") AT "0 \n" LINE("12", "/jdk/lib/server/libjvm.so") LINE("13", "/jdk/lib/libjava.so")));
    CHECK(t.hotspot && !t.openj9 && t.glibc && !t.musl);
    CHECK_STR(t.libjvm.path, "/jdk/lib/server/libjvm.so");
    CHECK_INT(t.libjvm.inode, 12);
    CHECK(!t.libjvm.deleted);
    CHECK_STR(t.ours.path, "");
    CHECK_STR(t.stranger.path, "");
    CHECK_INT(t.recording, -1);
    CHECK(!t.profiling);
}

static void other_machines_are_told_apart(void)
{
    struct jvm_probe t = looked(STR(LINE("1", "/opt/lib/default/libj9vm29.so") LINE("2", "/lib/ld-musl-x86_64.so.1")));
    CHECK(t.openj9 && !t.hotspot && t.musl && !t.glibc);
    /* The real one has both, and SIGQUIT makes it write a dump. */
    t = looked(STR(LINE("1", "/opt/lib/default/libjvm.so") LINE("2", "/opt/lib/default/libj9vm29.so")));
    CHECK(t.openj9 && !t.hotspot);
    CHECK_STR(t.libjvm.path, "/opt/lib/default/libjvm.so");
    t = looked(STR(LINE("1", "/x/libjvm.so.bak") LINE("2", "/x/notlibjvm.so") LINE("3", "/x/libjvm.so/y")));
    CHECK(!t.hotspot);
    t = looked(STR(""));
    CHECK(!t.hotspot && !t.openj9);
}

static void a_library_whose_file_is_gone_is_known_to_be(void)
{
    const struct jvm_probe t = looked(STR(LINE("5", "/a b/libjvm.so (deleted)")));
    CHECK(t.hotspot && t.libjvm.deleted);
    CHECK_STR(t.libjvm.path, "/a b/libjvm.so");
}

static void a_profiler_is_ours_or_a_stranger(void)
{
    struct jvm_probe t = looked(STR(LINE("1", "/tmp/" GLIBC OURS) LINE("2", "/opt/ap/libasyncProfiler.so")));
    CHECK_STR(t.ours.path, "/tmp/" GLIBC OURS);
    CHECK_INT(t.ours.inode, 1);
    CHECK_STR(t.stranger.path, "/opt/ap/libasyncProfiler.so");
    CHECK_INT(t.stranger.inode, 2);
    t = looked(STR(LINE("3", "/opt/dd/libjavaProfiler123.so (deleted)")));
    CHECK_STR(t.ours.path, "");
    CHECK(t.stranger.deleted);
}

static void broken_lines_are_passed_over(void)
{
    const struct jvm_probe t = looked(STR("\n \nlibjvm.so\n" AT "\n" AT "1\n" AT "1 libjvm.so\n" AT
                                          "99999999999999999999999999 /big/libjvm.so\n" AT "2 /last/libjvm.so"));
    CHECK(t.hotspot);
    CHECK_STR(t.libjvm.path, "/big/libjvm.so"); /* the last line has no end, and is none */
}

static void lines_longer_than_any_path_hide_nothing_behind_them(void)
{
    enum { LONG = 40000 };
    cleanup_buf struct buf maps = BUF_INIT(1 << 20);
    buf_puts(&maps, AT "1 /");
    for (int i = 0; i < LONG; i++)
        buf_byte(&maps, 'x');
    buf_puts(&maps, "/libjvm.so\n");
    for (int i = 0; i < 1000; i++)
        buf_puts(&maps, LINE("2", "/some/library/of/no/interest.so"));
    buf_puts(&maps, LINE("3", "/jdk/libjvm.so"));
    const struct jvm_probe t = looked(buf_slice(&maps));
    CHECK(t.hotspot);
    CHECK_STR(t.libjvm.path, "/jdk/libjvm.so");
    CHECK_INT(t.libjvm.inode, 3);
}

static void the_inode_is_that_of_the_file_mapped_now(void)
{
    cleanup_view struct jvm_view v =
        view_of(STR(LINE("1", "/a/" GLIBC OURS " (deleted)") LINE("2", "/b/" GLIBC OURS) LINE("3", "/c/" GLIBC OURS)));
    CHECK_INT(jvm_mapped_inode(&v, GLIBC OURS), 2);
    CHECK_INT(jvm_mapped_inode(&v, "/c/" GLIBC OURS), 3);
    CHECK_INT(jvm_mapped_inode(&v, "/a/" GLIBC OURS), 0);
    CHECK_INT(jvm_mapped_inode(&v, MUSL OURS), 0);
}

/* This process plays the JVM: it has a recording of ours open, or a thread of the profiler's name. */
static void a_session_of_ours_is_known_by_its_recording(void)
{
    char folder[64], path[sizeof folder + 16];
    snprintf(folder, sizeof folder, "/tmp/.smolder-%016x%016llx", (unsigned)getpid(), (unsigned long long)clock_ns());
    CHECK_INT(mkdir(folder, 0700), 0);
    snprintf(path, sizeof path, "%s/session.jfr", folder);
    cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    struct jvm_probe t = looked(STR(LINE("1", "/libjvm.so")));
    CHECK_INT(t.recording, -1); /* it still has its name */
    unlink(path);
    t = looked(STR(LINE("1", "/libjvm.so")));
    CHECK_INT(t.recording, fd);
    CHECK(t.profiling);
    t = looked(STR(LINE("1", "/libc.so.6")));
    CHECK_INT(t.recording, -1); /* of what is no JVM nothing more is asked */
    rmdir(folder);
}

static void a_session_of_somebody_else_is_known_by_its_thread(void)
{
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    prctl(PR_SET_NAME, "Async-profiler Timer");
    const struct jvm_probe t = looked(STR(LINE("1", "/libjvm.so") LINE("2", "/opt/libasyncProfiler.so")));
    prctl(PR_SET_NAME, name);
    CHECK(t.profiling);
    CHECK_INT(t.recording, -1);
}

static void a_process_that_is_gone_is_told(void)
{
    cleanup_view struct jvm_view v = JVM_VIEW_INIT;
    struct jvm_probe t;
    struct err err = {0};
    const pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    CHECK_INT(pidref_open(child, 0, &v.p, &err), 0);
    v.maps = pidref_openat(&v.p, "maps", O_RDONLY);
    CHECK(v.maps >= 0);
    CHECK_INT(kill(child, SIGKILL), 0);
    CHECK_INT(waitpid(child, NULL, 0), child);
    close(v.maps);
    v.maps = -1; /* what a read of it fails with depends on the kernel */
    CHECK_INT(jvm_probe_process(&v, &t, &err), -ESRCH);
    CHECK_HAS(err.text, "is gone");
}

int main(void)
{
    RUN(copies_of_ours_are_known_by_their_folder);
    RUN(what_only_resembles_a_copy_is_none);
    RUN(recordings_of_ours_are_known_by_their_link);
    RUN(a_jvm_is_known_by_its_library);
    RUN(other_machines_are_told_apart);
    RUN(a_library_whose_file_is_gone_is_known_to_be);
    RUN(a_profiler_is_ours_or_a_stranger);
    RUN(broken_lines_are_passed_over);
    RUN(lines_longer_than_any_path_hide_nothing_behind_them);
    RUN(the_inode_is_that_of_the_file_mapped_now);
    RUN(a_session_of_ours_is_known_by_its_recording);
    RUN(a_session_of_somebody_else_is_known_by_its_thread);
    RUN(a_process_that_is_gone_is_told);
    return REPORT();
}
