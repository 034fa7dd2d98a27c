#include "priv/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "priv/helper.h"
#include "priv/wire.h"

static void guard_reap(pid_t *helper)
{
    if (*helper > 0 && waitpid(*helper, NULL, WNOHANG) != 0)
        *helper = 0;
}

/* Returns the main process's end of its socket; -1. */
static int guard_start_helper(const struct priv_op *ops, pid_t *helper)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    const pid_t pid = _Fork(); /* see priv_start() */
    if (pid == 0)
        helper_run(ends[1], ops);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -1;
    }
    *helper = pid;
    return ends[0];
}

/* Waits for one who does not take its answers: no more helpers for them. */
static bool guard_answer(int sock, int fd)
{
    struct frame_out out = {.head = {.fd_count = fd >= 0}, .fds = &fd};
    return frame_send(sock, &out) == 0;
}

static bool guard_serve(int sock, const struct priv_op *ops, pid_t *helper)
{
    char byte;
    ssize_t n;
    do
        n = recv(sock, &byte, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    guard_reap(helper);
    if (*helper > 0) {
        kill(*helper, SIGKILL);
        waitpid(*helper, NULL, 0);
        *helper = 0;
    }
    cleanup_close int fd = guard_start_helper(ops, helper);
    return guard_answer(sock, fd);
}

/* Both end with the main process. */
static bool guard_wait(int sock, struct programs_server *s, const struct priv_op *ops, pid_t *helper)
{
    struct pollfd p[] = {{.fd = sock, .events = POLLIN}, {.fd = s->sock, .events = POLLIN}};
    if (poll(p, ARRAY_LEN(p), -1) < 0)
        return errno == EINTR;
    if (p[1].revents && !programs_serve(s))
        s->sock = -1; /* poll() passes over it */
    return !p[0].revents || guard_serve(sock, ops, helper);
}

void guard_run(int sock, int programs, const struct priv_op *ops, const struct priv_program *table)
{
    pid_t helper = 0;
    const int low = sock < programs ? sock : programs, high = sock < programs ? programs : sock;
    struct programs_server server = {.sock = programs, .table = table};
    helper_detach(low, high, "smolder-guard", ops);
    while (guard_wait(sock, &server, ops, &helper))
        ;
    close(sock);
    programs_wait(&server);
    if (helper > 0)
        waitpid(helper, NULL, 0);
    _exit(0);
}

int guard_ask(int sock)
{
    if (send(sock, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
        return 0;
    return errno == EAGAIN ? -EAGAIN : -EPIPE;
}

int guard_take(int sock)
{
    struct frame_in in = WIRE_IN_INIT;
    const enum frame_state state = frame_read(sock, &in);
    int fd = state == WIRE_AGAIN ? -EAGAIN : state == WIRE_CLOSED ? -EPIPE : -ENOMEM;
    if (state == WIRE_FRAME && in.fd_count == 1)
        fd = TAKE_FD(in.fds[0]);
    frame_in_done(&in);
    return fd;
}
