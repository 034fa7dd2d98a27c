#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

enum { MUCH = 1 << 20 };

static void *fd_read_slowly(void *arg)
{
    static char some[4096];
    size_t got = 0;
    for (ssize_t n; (n = read(*(int *)arg, some, sizeof some)) > 0;)
        got += (size_t)n;
    return (void *)got;
}

static void what_a_pipe_takes_piece_by_piece_arrives_whole(void)
{
    static char bytes[MUCH];
    int ends[2];
    pthread_t reader;
    void *got;
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    CHECK_INT(pthread_create(&reader, NULL, fd_read_slowly, &ends[0]), 0);
    CHECK_INT(fd_write_all(ends[1], bytes, sizeof bytes), 0);
    close(ends[1]);
    CHECK_INT(pthread_join(reader, &got), 0);
    CHECK_INT((size_t)got, MUCH);
    close(ends[0]);
}

static void a_failure_is_told(void)
{
    cleanup_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CHECK_INT(fd_write_all(full, "x", 1), -ENOSPC);
    CHECK_INT(fd_write_all(full, "", 0), 0);
    int ends[2];
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK_INT(fd_write_all(ends[1], "x", 1), -EPIPE);
    close(ends[1]);
}

int main(void)
{
    RUN(what_a_pipe_takes_piece_by_piece_arrives_whole);
    RUN(a_failure_is_told);
    return REPORT();
}
