#include "os/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

enum { PAGES = 4, MARK = 7 };

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* A file without a name, PAGES long, each page starting with MARK. */
static int some_file(void)
{
    char path[] = "/tmp/mapped-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    CHECK_INT(ftruncate(fd, (off_t)(PAGES * page())), 0);
    for (size_t i = 0; i < PAGES; i++)
        CHECK_INT(pwrite(fd, (const char[]){MARK}, 1, (off_t)(i * page())), 1);
    return fd;
}

static void a_file_is_read_in_place(void)
{
    cleanup_close int fd = some_file();
    cleanup_mapped struct mapped m = MAPPED_INIT;
    struct err err = {0};
    CHECK_INT(mapped_open(fd, &m, &err), 0);
    CHECK_INT(m.n, PAGES * page());
    CHECK_INT(m.p[3 * page()], MARK);
    mapped_release(&m, 2 * page() + 1);
    CHECK_INT(m.p[0], MARK); /* released pages come back from the file */
    CHECK(!mapped_torn(&m));
}

static void a_file_cut_short_reads_as_zeros(void)
{
    cleanup_close int fd = some_file();
    cleanup_mapped struct mapped m = MAPPED_INIT, other = MAPPED_INIT;
    struct err err = {0};
    CHECK_INT(mapped_open(fd, &m, &err), 0);
    CHECK_INT(m.p[page()], MARK);
    CHECK_INT(ftruncate(fd, (off_t)page()), 0);
    CHECK_INT(m.p[0], MARK);
    CHECK(!mapped_torn(&m));
    for (size_t i = 1; i < PAGES; i++)
        CHECK_INT(m.p[i * page()], 0);
    CHECK(mapped_torn(&m));
    /* The next mapping starts afresh. */
    mapped_done(&m);
    CHECK_INT(mapped_open(fd, &other, &err), 0);
    CHECK(!mapped_torn(&other));
}

static void an_empty_file_and_no_file_are_told_apart(void)
{
    cleanup_close int fd = some_file();
    cleanup_mapped struct mapped m = MAPPED_INIT;
    struct err err = {0};
    CHECK_INT(ftruncate(fd, 0), 0);
    CHECK_INT(mapped_open(fd, &m, &err), 0);
    CHECK_INT(m.n, 0);
    int ends[2];
    CHECK_INT(pipe(ends), 0);
    CHECK_INT(mapped_open(ends[0], &m, &err), -EINVAL);
    CHECK_HAS(err.text, "not a regular file");
    close(ends[0]);
    close(ends[1]);
    CHECK_INT(mapped_open(-1, &m, &err), -EBADF);
}

static void there_is_an_end_to_mappings(void)
{
    cleanup_close int fd = some_file();
    struct mapped m[MAPPED_MAX + 1];
    struct err err = {0};
    for (size_t i = 0; i < MAPPED_MAX; i++)
        CHECK_INT(mapped_open(fd, &m[i], &err), 0);
    CHECK_INT(mapped_open(fd, &m[MAPPED_MAX], &err), -EMFILE);
    for (size_t i = 0; i < MAPPED_MAX; i++)
        mapped_done(&m[i]);
}

/* A fault elsewhere must still end the process: hiding it would be an endless loop. */
static void faults_elsewhere_are_not_hidden(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        struct mapped m = MAPPED_INIT;
        struct err err = {0};
        int fd = some_file();
        if (mapped_open(fd, &m, &err) < 0)
            _exit(0);
        raise(SIGBUS);
        raise(SIGBUS);
        _exit(0);
    }
    int status = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(status != 0);
}

int main(void)
{
    RUN(a_file_is_read_in_place);
    RUN(a_file_cut_short_reads_as_zeros);
    RUN(an_empty_file_and_no_file_are_told_apart);
    RUN(there_is_an_end_to_mappings);
    RUN(faults_elsewhere_are_not_hidden);
    return REPORT();
}
