#include "base/fd.h"
#include "os/fsutil.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static int file_of(const char *text)
{
    const int fd = memfd_create("test", MFD_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        abort();
    return fd;
}

static void check_read(const char *text, size_t max, const char *want, bool want_whole)
{
    cleanup_close int fd = file_of(text);
    cleanup_buf struct buf out = BUF_INIT(max);
    bool whole = !want_whole;
    CHECK_INT(fs_read(fd, &out, &whole), 0);
    CHECK_STR(buf_cstr(&out), want);
    CHECK_INT(whole, want_whole);
    CHECK(buf_ok(&out));
}

static void a_file_is_read_up_to_the_buffers_maximum(void)
{
    check_read("", 10, "", true);
    check_read("abc", 10, "abc", true);
    check_read("abc", 3, "abc", true); /* exactly full is still all */
    check_read("abcd", 3, "abc", false);
    check_read("abc", 0, "", false);
    check_read("", 0, "", true);
}

static void what_is_read_is_appended_from_where_the_file_stands(void)
{
    cleanup_close int fd = file_of("0123456789");
    cleanup_buf struct buf out = BUF_INIT(8);
    bool whole = true;
    buf_puts(&out, "<<");
    CHECK_INT(lseek(fd, 3, SEEK_SET), 3);
    CHECK_INT(fs_read(fd, &out, &whole), 0);
    CHECK_STR(buf_cstr(&out), "<<345678");
    CHECK(!whole);
    CHECK_INT(fs_read(fd, &out, NULL), 0); /* nobody asks whether it is whole */
}

static void a_large_file_is_read_whole(void)
{
    enum { SIZE = 100001 };
    cleanup_close int fd = memfd_create("large", MFD_CLOEXEC);
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    bool whole = false;
    CHECK_INT(ftruncate(fd, SIZE), 0);
    CHECK_INT(fs_read(fd, &out, &whole), 0);
    CHECK_INT(out.len, SIZE);
    CHECK(whole);
}

static void what_cannot_be_read_or_written_is_told(void)
{
    cleanup_close int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), full = open("/dev/full", O_WRONLY);
    cleanup_buf struct buf out = BUF_INIT(100);
    CHECK_INT(fs_read(folder, &out, NULL), -EISDIR);
    CHECK_INT(fs_read(-1, &out, NULL), -EBADF);
    CHECK_INT(fd_write_all(full, "x", 1), -ENOSPC);
    CHECK_INT(fd_write_all(full, "", 0), 0);
    CHECK_INT(out.len, 0);
}

static void a_write_goes_on_where_a_pipe_was_full(void)
{
    enum { SIZE = 300000 };
    int ends[2];
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
        char block[1000];
        size_t n = 0;
        close(ends[1]);
        for (ssize_t got; (got = read(ends[0], block, sizeof block)) > 0;)
            n += (size_t)got;
        _exit(n == SIZE ? 0 : 1);
    }
    close(ends[0]);
    char *bytes = calloc(1, SIZE);
    CHECK_INT(fd_write_all(ends[1], bytes, SIZE), 0);
    free(bytes);
    close(ends[1]);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_file_is_opened_anew_though_its_name_is_gone(void)
{
    char path[] = "/tmp/smolder-test-fsutil-XXXXXX";
    cleanup_close int fd = mkstemp(path);
    CHECK(fd >= 0 && fd_write_all(fd, "abc", 3) == 0);
    cleanup_close int pinned = open(path, O_PATH | O_CLOEXEC);
    unlink(path);
    cleanup_close int again = fs_reopen(pinned, O_RDONLY);
    cleanup_buf struct buf out = BUF_INIT(100);
    CHECK(again >= 0 && fs_read(again, &out, NULL) == 0);
    CHECK_STR(buf_cstr(&out), "abc");
    CHECK(fcntl(again, F_GETFD) & FD_CLOEXEC);
    CHECK_INT(fs_reopen(-1, O_RDONLY), -ENOENT);
    CHECK_INT(fs_reopen(pinned, O_RDONLY | O_DIRECTORY), -ENOTDIR);
}

static void only_file_systems_of_this_kernel_are_local(void)
{
    cleanup_close int memory = memfd_create("test", MFD_CLOEXEC), proc = open("/proc", O_RDONLY | O_CLOEXEC);
    CHECK(fs_is_local(memory));
    CHECK(!fs_is_overlay(memory));
    CHECK(!fs_is_local(proc)); /* whoever is not on the list is not */
    CHECK(!fs_is_local(-1));
    CHECK(!fs_is_overlay(-1));
}

int main(void)
{
    RUN(a_file_is_read_up_to_the_buffers_maximum);
    RUN(what_is_read_is_appended_from_where_the_file_stands);
    RUN(a_large_file_is_read_whole);
    RUN(what_cannot_be_read_or_written_is_told);
    RUN(a_write_goes_on_where_a_pipe_was_full);
    RUN(a_file_is_opened_anew_though_its_name_is_gone);
    RUN(only_file_systems_of_this_kernel_are_local);
    return REPORT();
}
