#include "priv/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/rights.h"
#include "priv/wire.h"

/* ORPHAN_MS: after its deadline; a living helper, however late, has asked or killed by then. */
enum { DEADLINE_STATUS = 3, FIRST_FREE_FD = STDERR_FILENO + 1, ORPHAN_MS = 2000 };

/* Read by a signal handler: the function last, so that it is never seen without its argument. */
static void *volatile cleanup_arg;
static void (*volatile cleanup_run)(void *arg);

static void at_deadline(int sig, siginfo_t *info, void *context)
{
    (void)context;
    /* A service manager may signal the whole group; only the helper ends an operation, or else its own alarm. */
    if (sig == SIGTERM && info->si_pid != getppid())
        return;
    void (*run)(void *) = cleanup_run;
    if (run)
        run(cleanup_arg);
    _exit(DEADLINE_STATUS);
}

void priv_on_deadline(void (*cleanup)(void *arg), void *arg)
{
    cleanup_run = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    cleanup_arg = arg;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    cleanup_run = cleanup;
}

static void send_reply(struct priv_call *call, bool last)
{
    struct frame_out out = {
        .head = {.len = (uint32_t)call->out.len, .fd_count = (uint32_t)call->fd_count, .kind = last},
        .body = call->out.p,
        .fds = call->fds,
    };
    /* A helper that is gone needs no reply. */
    (void)!frame_send(*(int *)call->channel, &out);
    for (size_t i = 0; i < call->fd_count; i++)
        close(call->fds[i]);
    call->fd_count = 0;
    buf_reset(&call->out);
}

void priv_flush(struct priv_call *call)
{
    send_reply(call, false);
}

/* A helper that was killed ends nobody any more: then the child ends itself, and undoes what it should. */
static void set_alarm(int64_t at_ms)
{
    int64_t left = at_ms - clock_ms();
    if (left < 1)
        left = 1;
    struct itimerval once = {.it_value = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000}};
    setitimer(ITIMER_REAL, &once, NULL);
}

/* Waits for another call; false when none comes, or the helper wants this child no more. `in` keeps the call's
 * bytes. */
static bool next_call(struct priv_call *call, struct frame_in *in)
{
    const int sock = *(int *)call->channel;
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    for (size_t i = 0; i < call->in_fd_count; i++)
        close(call->in_fds[i]);
    call->in_fd_count = 0;
    frame_next(in);
    for (enum frame_state state; (state = frame_read(sock, in)) != WIRE_FRAME;) {
        struct pollfd more = {.fd = sock, .events = POLLIN};
        if (state == WIRE_CLOSED || poll(&more, 1, PRIV_LINGER_MS) <= 0)
            return false;
    }
    const struct frame_head head = frame_head_of(in);
    call->in = frame_body(in);
    call->in_len = head.len;
    for (; call->in_fd_count < in->fd_count; call->in_fd_count++)
        call->in_fds[call->in_fd_count] = TAKE_FD(in->fds[call->in_fd_count]);
    call->deadline_ms = clock_ms() + head.timeout_ms;
    return true;
}

static _Noreturn void child_run(const struct priv_op *op, struct priv_call *call)
{
    struct frame_in in = WIRE_IN_INIT;
    struct sigaction end = {.sa_sigaction = at_deadline, .sa_flags = SA_SIGINFO};
    sigaddset(&end.sa_mask, SIGTERM);
    sigaddset(&end.sa_mask, SIGALRM);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGALRM, &end, NULL);
    prctl(PR_SET_NAME, op->name);
    do {
        set_alarm(call->deadline_ms + ORPHAN_MS);
        op->run(call);
        priv_on_deadline(NULL, NULL);
        send_reply(call, true);
        if (call->after)
            call->after(call);
        call->after = NULL;
    } while (op->again && next_call(call, &in));
    _exit(0);
}

/* Moves the call's descriptors down to the first free numbers, and its socket behind them; closes everything else: the
 * main process must notice the helper's end even while this child lives on. */
static void keep_only(struct priv_call *call, const struct frame_in *in, int *sock)
{
    enum { FAR_UP = 64 }; /* beyond all that is kept */
    int kept[PRIV_FDS_MAX + 1];
    const size_t n = in->fd_count < PRIV_FDS_MAX ? in->fd_count : PRIV_FDS_MAX;
    for (size_t i = 0; i <= n; i++) {
        kept[i] = fcntl(i < n ? in->fds[i] : *sock, F_DUPFD_CLOEXEC, FAR_UP);
        if (kept[i] < 0)
            _exit(1);
    }
    for (size_t i = 0; i <= n; i++) {
        if (dup3(kept[i], FIRST_FREE_FD + (int)i, O_CLOEXEC) < 0)
            _exit(1);
        if (i < n)
            call->in_fds[i] = FIRST_FREE_FD + (int)i;
    }
    call->in_fd_count = n;
    *sock = FIRST_FREE_FD + (int)n;
    close_range((unsigned)*sock + 1, ~0U, 0);
}

static void wait_for_go(int sock)
{
    char byte;
    while (recv(sock, &byte, 1, 0) < 0 && errno == EINTR)
        ;
}

void child_go(int sock)
{
    (void)!send(sock, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int child_start(const struct priv_op *op, const struct frame_in *in, int64_t deadline_ms, pid_t *pid, int *pidfd,
                int *sock)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    pid_t child = _Fork(); /* see priv_start() */
    if (child < 0) {
        int code = -errno;
        close(ends[0]);
        close(ends[1]);
        return code;
    }
    if (child == 0) {
        int mine = ends[1];
        struct priv_call call = {
            .in = frame_body(in),
            .in_len = frame_head_of(in).len,
            .out = BUF_INIT(PRIV_PAYLOAD_MAX),
            .deadline_ms = deadline_ms,
            .channel = &mine,
        };
        keep_only(&call, in, &mine);
        if (rights_limit(op->capabilities) < 0)
            _exit(1);
        if (call.in_fd_count)
            wait_for_go(mine);
        child_run(op, &call);
    }
    close(ends[1]);
    *pid = child;
    *pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    *sock = ends[0];
    return 0;
}
