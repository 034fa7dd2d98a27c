#include "priv/programs.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/rights.h"
#include "os/self_exec.h"
#include "priv/wire.h"

enum programs_order { PROGRAMS_START, PROGRAMS_END, PROGRAMS_END_CLOSED, PROGRAMS_ORDERS };

/* The socket of a started program comes with it. */
struct programs_answer {
    int32_t code; /* 0, or negative errno */
    pid_t pid;
    struct child_end end;
};

/* ---- the guard ---- */

/* Whoever is executed becomes a user of its own. What root executes has its capabilities; those of an ordinary user
 * have to be passed on, and the program gives them up before it reads anything. */
static int programs_execute(char *const *argv, int sock, int as, pid_t *ret)
{
    const uint64_t user = RIGHTS_CAP(CAP_SETUID) | RIGHTS_CAP(CAP_SETGID) | RIGHTS_CAP(CAP_SETPCAP);
    const bool passes_on = geteuid() != 0 && rights_have(user);
    int code = passes_on ? rights_pass_on(user) : 0;
    if (code == 0)
        code = self_exec_start(argv, sock, as, ret);
    if (passes_on && rights_pass_on(0) < 0)
        _exit(1); /* the next helper would have them, too */
    return code;
}

static void programs_run(struct programs_server *s, unsigned number, int *sock, struct programs_answer *ret)
{
    int ends[2];
    if (s->running[number])
        (void)child_end(s->running[number], false);
    s->running[number] = 0;
    ret->code = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
    if (ret->code < 0)
        return;
    ret->code = programs_execute(s->table[number].argv, ends[1], s->table[number].sock, &ret->pid);
    close(ends[1]);
    if (ret->code < 0) {
        close(ends[0]);
        return;
    }
    s->running[number] = ret->pid;
    *sock = ends[0];
}

static bool programs_answer(int to, const struct programs_answer *a, int sock)
{
    struct frame_out out = {
        .head = {.len = sizeof *a, .fd_count = sock >= 0}, .body = (const uint8_t *)a, .fds = &sock};
    return frame_send(to, &out) == 0;
}

bool programs_serve(struct programs_server *s)
{
    struct programs_answer a = {0};
    cleanup_close int sock = -1;
    uint8_t byte;
    ssize_t n;
    do
        n = recv(s->sock, &byte, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    const unsigned number = byte / PROGRAMS_ORDERS;
    const enum programs_order order = byte % PROGRAMS_ORDERS;
    unsigned known = 0;
    while (s->table && known < PRIV_PROGRAMS_MAX && s->table[known].argv)
        known++;
    if (number >= known)
        a.code = -EINVAL;
    else if (order == PROGRAMS_START)
        programs_run(s, number, &sock, &a);
    else if (s->running[number]) {
        a.end = child_end(s->running[number], order == PROGRAMS_END_CLOSED);
        s->running[number] = 0;
    }
    return programs_answer(s->sock, &a, sock);
}

void programs_wait(struct programs_server *s)
{
    for (size_t i = 0; i < PRIV_PROGRAMS_MAX; i++) {
        if (s->running[i])
            (void)child_end(s->running[i], true);
    }
}

/* ---- the main process ---- */

/* The whole answer; -EPIPE. */
static int programs_receive(int from, int *sock, struct programs_answer *ret)
{
    struct frame_in in = WIRE_IN_INIT;
    enum frame_state state;
    while ((state = frame_read(from, &in)) == WIRE_AGAIN)
        poll(&(struct pollfd){.fd = from, .events = POLLIN}, 1, -1);
    const bool whole = state == WIRE_FRAME && frame_head_of(&in).len == sizeof *ret;
    if (whole) {
        memcpy(ret, frame_body(&in), sizeof *ret);
        if (in.fd_count == 1)
            *sock = TAKE_FD(in.fds[0]);
    }
    frame_in_done(&in);
    return whole ? ret->code : -EPIPE;
}

static int programs_ask(struct programs_client *c, unsigned number, enum programs_order order, int *sock,
                        struct programs_answer *ret)
{
    const uint8_t byte = (uint8_t)(number * PROGRAMS_ORDERS + order);
    pthread_mutex_lock(&c->lock);
    int code = c->sock < 0 || send(c->sock, &byte, 1, MSG_NOSIGNAL) != 1 ? -EPIPE : 0;
    if (code == 0)
        code = programs_receive(c->sock, sock, ret);
    if (code == -EPIPE && c->sock >= 0) {
        close(c->sock);
        c->sock = -1;
    }
    pthread_mutex_unlock(&c->lock);
    return code;
}

int programs_start(struct programs_client *c, unsigned number, int *sock, pid_t *pid, struct err *err)
{
    struct programs_answer a = {0};
    *sock = -1;
    const int code = programs_ask(c, number, PROGRAMS_START, sock, &a);
    if (code < 0)
        return err_set(err, code, "%s", code == -EPIPE ? "the guard process is gone" : strerror(-code));
    *pid = a.pid;
    return *sock < 0 ? err_set(err, -EMFILE, "no descriptor for its socket") : 0;
}

int programs_end(struct programs_client *c, unsigned number, bool closed, struct child_end *ret)
{
    struct programs_answer a = {0};
    int none = -1;
    const int code = programs_ask(c, number, closed ? PROGRAMS_END_CLOSED : PROGRAMS_END, &none, &a);
    *ret = a.end;
    return code;
}
