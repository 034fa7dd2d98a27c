#include "priv/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "priv/helper.h"
#include "priv/wire.h"

enum { STOP_WAIT_MS = 1000, RESTART_PAUSE_MS = 1000, PATIENCE_MS = 1000 };

struct call {
    struct queue_item item; /* whose turn it is; a ping has none */
    struct list node;       /* in one of priv's lists */
    uint64_t id;
    priv_done *done; /* NULL: forgotten */
    void *arg;
    void (*release)(void *arg);
    uint8_t *body; /* until it is sent; the descriptors, too */
    int fds[PRIV_FDS_MAX];
    struct frame_out out;
    int64_t slow_ms; /* when it has run for too long to hold up others */
};

/* The socket of one helper on the loop. It and the timers live apart from the rest, for libuv frees them a turn
 * later. */
struct ear {
    uv_poll_t poll;
    struct priv *priv; /* NULL once nobody listens */
};

struct timers {
    struct priv *priv;
    uv_timer_t failer; /* answers calls that are lost from the loop, as all answers */
    uv_timer_t pacer;  /* finds the slow ones while others wait */
    uv_timer_t pinger; /* asks the helper whether it is there; starts another */
    unsigned open;
};

struct priv {
    pid_t pid;
    int sock;                   /* -1: the helper is gone */
    const char *const *restart; /* arguments; NULL: there is only the first one */
    pid_t ended;                /* an earlier helper, yet to be waited for */
    uint64_t last_id;
    struct queue queue;
    struct list waiting, sending, running; /* of calls; those running in the order they began */
    struct list stuck;                     /* answered, but their processes cannot be ended */
    struct list lost;                      /* to be answered with PRIV_LOST */
    int64_t started_ms, heard_ms;
    int64_t asked_ms; /* 0: it has answered */
    struct frame_in in;
    uv_loop_t *loop; /* NULL until attached */
    struct ear *ear;
    struct timers *timers;
    void (*on_lost)(void *arg, bool replaced);
    void *on_lost_arg;
};

static void priv_pump(struct priv *p);

/* ---- calls ---- */

static void drop_input(struct call *c)
{
    free(TAKE_PTR(c->body));
    for (size_t i = 0; i < c->out.head.fd_count; i++)
        close(c->fds[i]);
    c->out.head.fd_count = 0;
}

static void priv_release(struct call *c)
{
    if (c->release)
        c->release(c->arg);
    c->release = NULL;
}

static void priv_call_free(struct priv *p, struct call *c)
{
    priv_release(c);
    queue_remove(&p->queue, &c->item);
    list_del(&c->node);
    drop_input(c);
    free(c);
}

/* Off the lists first: the callback may stop priv. */
static void priv_finish(struct priv *p, struct call *c, enum priv_result result, const uint8_t *out, size_t len,
                        int *fds, size_t n)
{
    list_del(&c->node);
    queue_remove(&p->queue, &c->item);
    if (c->done)
        c->done(c->arg, result, out, len, fds, n);
    priv_release(c);
    drop_input(c);
    free(c);
}

static struct call *first_of(const struct list *calls)
{
    return list_empty(calls) ? NULL : list_entry(calls->next, struct call, node);
}

static struct call *priv_find(struct list *calls, uint64_t id)
{
    list_each(calls, node)
    {
        struct call *c = list_entry(node, struct call, node);
        if (c->id == id)
            return c;
    }
    return NULL;
}

static struct call *find_anywhere(struct priv *p, uint64_t id)
{
    struct list *all[] = {&p->running, &p->sending, &p->waiting, &p->stuck, &p->lost};
    struct call *c = NULL;
    for (size_t i = 0; i < ARRAY_LEN(all) && !c; i++)
        c = priv_find(all[i], id);
    return c;
}

static bool is_awaited(const struct priv *p)
{
    return !list_empty(&p->running) || !list_empty(&p->sending) || !list_empty(&p->waiting);
}

static void move_all(struct list *from, struct list *to)
{
    list_each(from, node)
    {
        list_del(node);
        list_push(to, node);
    }
}

static void free_all(struct priv *p, struct list *calls)
{
    list_each(calls, node) priv_call_free(p, list_entry(node, struct call, node));
}

/* ---- the helper's life ---- */

/* In a process that has only async-signal-safe calls left. */
static _Noreturn void priv_execute(int sock, const char *const *argv)
{
    if (sock == PRIV_SOCKET ? fcntl(sock, F_SETFD, 0) < 0 : dup2(sock, PRIV_SOCKET) < 0)
        _exit(1);
    close_range(PRIV_SOCKET + 1, ~0U, 0);
    execv("/proc/self/exe", (char *const *)argv);
    _exit(1);
}

/* The first helper is a fork; one with `argv` executes this program anew. */
static int priv_launch(struct priv *p, const struct priv_op *ops, const char *const *argv, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(err, "start the privileged helper: socketpair");
    /* Not fork(): its handlers, such as libuv's for a loop of this process, would close descriptors that are the
     * helper's by now. */
    pid_t pid = _Fork();
    if (pid < 0) {
        int code = err_errno(err, "start the privileged helper: fork");
        close(ends[0]);
        close(ends[1]);
        return code;
    }
    if (pid == 0) {
        if (argv)
            priv_execute(ends[1], argv);
        helper_run(ends[1], ops);
    }
    close(ends[1]);
    p->pid = pid;
    p->sock = ends[0];
    p->started_ms = p->heard_ms = clock_ms();
    p->asked_ms = 0;
    return 0;
}

static void on_ear_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void stop_listening(struct priv *p)
{
    if (!p->ear)
        return;
    p->ear->priv = NULL;
    uv_close((uv_handle_t *)&p->ear->poll, on_ear_closed);
    p->ear = NULL;
}

static int listen_to(struct priv *p)
{
    struct ear *e = xcalloc(1, sizeof *e);
    int code = uv_poll_init(p->loop, &e->poll, p->sock);
    if (code < 0) {
        free(e);
        return code;
    }
    e->poll.data = e;
    e->priv = p;
    p->ear = e;
    return 0;
}

static void forget_helper(struct priv *p)
{
    stop_listening(p);
    close(p->sock);
    p->sock = -1;
    frame_in_done(&p->in);
    p->in = WIRE_IN_INIT;
}

static bool start_again(struct priv *p)
{
    if (!p->restart || clock_ms() - p->started_ms < RESTART_PAUSE_MS || priv_launch(p, NULL, p->restart, NULL) < 0)
        return false;
    if (listen_to(p) < 0) {
        forget_helper(p);
        return false;
    }
    return true;
}

static void reap_ended(struct priv *p)
{
    if (p->ended && waitpid(p->ended, NULL, WNOHANG) != 0)
        p->ended = 0;
}

static void on_failer(uv_timer_t *t)
{
    const struct timers *all = t->data;
    /* A callback may stop priv itself, or make another call. */
    for (struct call *c; all->priv && (c = first_of(&all->priv->lost));)
        priv_finish(all->priv, c, PRIV_LOST, NULL, 0, NULL, 0);
}

static void fail_soon(struct priv *p)
{
    if (p->timers && !list_empty(&p->lost))
        uv_timer_start(&p->timers->failer, on_failer, 0, 0);
}

/* It died, or is ended because it does not answer. */
static void helper_is_gone(struct priv *p)
{
    if (p->sock < 0)
        return;
    kill(p->pid, SIGKILL);
    p->ended = p->pid;
    forget_helper(p);
    free_all(p, &p->stuck);
    move_all(&p->running, &p->lost);
    move_all(&p->sending, &p->lost);
    if (!p->restart)
        move_all(&p->waiting, &p->lost);
    list_each(&p->lost, node) queue_remove(&p->queue, &list_entry(node, struct call, node)->item);
    fail_soon(p);
    if (start_again(p))
        priv_pump(p);
    if (p->on_lost)
        p->on_lost(p->on_lost_arg, p->restart != NULL);
}

/* ---- answers ---- */

static void priv_take_answer(struct priv *p, struct frame_head head, struct frame_in *in)
{
    struct call *c;
    if (head.kind == WIRE_PING)
        return;
    if (head.kind == WIRE_ENDED) {
        if ((c = priv_find(&p->stuck, head.id)))
            priv_call_free(p, c);
        return;
    }
    if (!(c = priv_find(&p->running, head.id)))
        return;
    const enum priv_result result = (enum priv_result)(head.kind & ~WIRE_STUCK);
    if (!(head.kind & WIRE_STUCK)) {
        priv_finish(p, c, result, frame_body(in), head.len, in->fds, in->fd_count);
        return;
    }
    queue_stuck(&p->queue, &c->item);
    list_del(&c->node);
    list_push(&p->stuck, &c->node);
    priv_done *done = c->done;
    void (*const over)(void *) = c->release;
    void *const arg = c->arg;
    c->done = NULL;
    c->release = NULL;
    if (done)
        done(arg, result, frame_body(in), head.len, in->fds, in->fd_count);
    if (over)
        over(arg);
}

/* False when the helper turned out to be gone, or priv was stopped. */
static bool read_answers(struct ear *ear)
{
    for (unsigned i = 0; i < PRIV_CHILDREN; i++) {
        struct priv *p = ear->priv;
        enum frame_state state = frame_read(p->sock, &p->in);
        if (state == WIRE_AGAIN)
            return true;
        if (state == WIRE_CLOSED) {
            helper_is_gone(p);
            return false;
        }
        p->heard_ms = clock_ms();
        p->asked_ms = 0;
        struct frame_in in = p->in;
        p->in = WIRE_IN_INIT;
        priv_take_answer(p, frame_head_of(&in), &in);
        frame_in_done(&in);
        if (!ear->priv)
            return false;
    }
    return true;
}

static void priv_on_ready(uv_poll_t *poll, int status, int events)
{
    struct ear *ear = poll->data;
    (void)events;
    if (!ear->priv)
        return;
    if (status < 0) /* killed with calls unread: the socket is reset, and libuv watches it no more */
        helper_is_gone(ear->priv);
    else if (read_answers(ear))
        priv_pump(ear->priv);
}

/* ---- turns ---- */

static void watch_socket(struct priv *p)
{
    if (!p->ear)
        return;
    uv_poll_start(&p->ear->poll, UV_READABLE | (list_empty(&p->sending) ? 0 : UV_WRITABLE), priv_on_ready);
    /* Only an awaited answer keeps the loop alive. */
    if (is_awaited(p))
        uv_ref((uv_handle_t *)&p->ear->poll);
    else
        uv_unref((uv_handle_t *)&p->ear->poll);
}

/* The first that is not slow yet, NULL when all are. Marks those that are by now. */
static struct call *tell_slow(struct priv *p, int64_t now)
{
    list_each(&p->running, node)
    {
        struct call *c = list_entry(node, struct call, node);
        if (c->item.state != QUEUE_RUNNING)
            continue;
        if (c->slow_ms > now)
            return c;
        queue_slow(&p->queue, &c->item);
    }
    return NULL;
}

static void on_pacer(uv_timer_t *t)
{
    struct priv *p = ((struct timers *)t->data)->priv;
    if (p)
        priv_pump(p);
}

/* Nobody wakes up for that while none waits. */
static void priv_pace(struct priv *p)
{
    const int64_t now = clock_ms();
    const struct call *next = p->timers && queue_has_waiting(&p->queue) ? tell_slow(p, now) : NULL;
    if (next)
        uv_timer_start(&p->timers->pacer, on_pacer, (uint64_t)(next->slow_ms - now), 0);
}

static void priv_sent(struct priv *p, struct call *c)
{
    if (c->out.head.kind == WIRE_PING) {
        priv_call_free(p, c);
        return;
    }
    drop_input(c);
    c->slow_ms = clock_ms() + PRIV_SLOW_MS;
    list_del(&c->node);
    list_push(&p->running, &c->node);
}

/* Moves calls on towards the helper, as far as its children and the socket allow. */
static void priv_pump(struct priv *p)
{
    (void)tell_slow(p, clock_ms());
    for (struct queue_item *next; p->sock >= 0 && (next = queue_next(&p->queue));) {
        struct call *c = list_entry(next, struct call, item);
        list_del(&c->node);
        list_push(&p->sending, &c->node);
    }
    for (struct call *c; p->sock >= 0 && (c = first_of(&p->sending));) {
        int done = frame_write(p->sock, &c->out);
        if (done == 0)
            break;
        if (done < 0) {
            helper_is_gone(p);
            return;
        }
        priv_sent(p, c);
    }
    priv_pace(p);
    watch_socket(p);
}

static void priv_ping(struct priv *p)
{
    struct call *c = xcalloc(1, sizeof *c);
    c->out.head.kind = WIRE_PING;
    list_push(&p->sending, &c->node);
    p->asked_ms = clock_ms();
    priv_pump(p);
}

static void on_pinger(uv_timer_t *t)
{
    struct priv *p = ((struct timers *)t->data)->priv;
    if (!p)
        return;
    reap_ended(p);
    const int64_t now = clock_ms();
    if (p->sock < 0) {
        if (start_again(p))
            priv_pump(p);
    } else if (p->asked_ms && now - p->asked_ms >= PRIV_SILENT_MS - PRIV_PING_MS) {
        /* Its answer may lie unread: this process may have been the one that stood still. */
        if (read_answers(p->ear) && p->asked_ms)
            helper_is_gone(p);
    } else if (!p->asked_ms && now - p->heard_ms >= PRIV_PING_MS / 2) {
        priv_ping(p);
    }
}

/* ---- for the caller ---- */

int priv_start(const struct priv_op *ops, struct priv **ret, struct err *err)
{
    struct priv *p = xcalloc(1, sizeof *p);
    int code = priv_launch(p, ops, NULL, err);
    if (code < 0) {
        free(p);
        return code;
    }
    p->in = WIRE_IN_INIT;
    queue_init(&p->queue);
    struct list *const lists[] = {&p->waiting, &p->sending, &p->running, &p->stuck, &p->lost};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        list_init(lists[i]);
    *ret = p;
    return 0;
}

void priv_restartable(struct priv *p, const char *const *argv)
{
    p->restart = argv;
}

void priv_serve(const struct priv_op *ops)
{
    (void)fcntl(PRIV_SOCKET, F_SETFD, FD_CLOEXEC);
    helper_run(PRIV_SOCKET, ops);
}

int priv_attach(struct priv *p, uv_loop_t *loop, void (*lost)(void *arg, bool replaced), void *arg, struct err *err)
{
    p->loop = loop;
    int code = listen_to(p);
    if (code < 0)
        return err_set(err, code, "watch the privileged helper: %s", uv_strerror(code));
    struct timers *all = xcalloc(1, sizeof *all);
    uv_timer_t *const each[] = {&all->failer, &all->pacer, &all->pinger};
    for (size_t i = 0; i < ARRAY_LEN(each); i++) {
        uv_timer_init(loop, each[i]);
        each[i]->data = all;
        all->open++;
    }
    uv_unref((uv_handle_t *)&all->pacer); /* awaited answers keep the loop alive */
    uv_unref((uv_handle_t *)&all->pinger);
    all->priv = p;
    p->timers = all;
    p->on_lost = lost;
    p->on_lost_arg = arg;
    uv_timer_start(&all->pinger, on_pinger, PRIV_PING_MS, PRIV_PING_MS);
    priv_pump(p);
    return 0;
}

bool priv_healthy(const struct priv *p)
{
    return p->sock >= 0 && (!p->asked_ms || clock_ms() - p->asked_ms < PATIENCE_MS);
}

static void copy_input(struct call *c, const struct priv_request *r)
{
    c->body = xmalloc(r->len ? r->len : 1);
    if (r->len)
        memcpy(c->body, r->in, r->len);
    c->out.head.kind = r->op;
    c->out.head.len = (uint32_t)r->len;
    c->out.head.timeout_ms = r->timeout_ms;
    c->out.head.id = c->id;
    c->out.head.user = r->user;
    c->out.head.ids = r->ids;
    c->out.body = c->body;
    c->out.fds = c->fds;
    for (size_t i = 0; i < r->fd_count && i < PRIV_FDS_MAX; i++) {
        const int fd = fcntl(r->fds[i], F_DUPFD_CLOEXEC, 0);
        if (fd >= 0)
            c->fds[c->out.head.fd_count++] = fd;
    }
}

uint64_t priv_call(struct priv *p, const struct priv_request *r, priv_done *done, void *arg)
{
    struct call *c = xcalloc(1, sizeof *c);
    const uint64_t id = c->id = ++p->last_id;
    c->done = done;
    c->arg = arg;
    copy_input(c, r);
    if (p->sock < 0 && !p->restart) {
        list_push(&p->lost, &c->node);
        fail_soon(p);
        return id;
    }
    queue_add(&p->queue, &c->item, r->user);
    list_push(&p->waiting, &c->node);
    priv_pump(p);
    return id;
}

void priv_owns(struct priv *p, uint64_t call, void (*release_arg)(void *arg))
{
    struct call *c = find_anywhere(p, call);
    if (c)
        c->release = release_arg;
}

void priv_forget(struct priv *p, uint64_t call)
{
    struct call *c = find_anywhere(p, call);
    if (!c)
        return;
    c->done = NULL;
    priv_release(c);
}

static void wait_a_little(pid_t pid)
{
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    if (ended.fd >= 0) {
        poll(&ended, 1, STOP_WAIT_MS);
        close(ended.fd);
    }
    waitpid(pid, NULL, WNOHANG);
}

static void priv_on_timer_closed(uv_handle_t *handle)
{
    struct timers *all = handle->data;
    if (--all->open == 0)
        free(all);
}

static void close_timers(struct timers *all)
{
    if (!all)
        return;
    all->priv = NULL;
    uv_close((uv_handle_t *)&all->failer, priv_on_timer_closed);
    uv_close((uv_handle_t *)&all->pacer, priv_on_timer_closed);
    uv_close((uv_handle_t *)&all->pinger, priv_on_timer_closed);
}

void priv_stop(struct priv *p)
{
    if (!p)
        return;
    stop_listening(p);
    close_timers(p->timers);
    if (p->sock >= 0) {
        close(p->sock);
        wait_a_little(p->pid);
    }
    reap_ended(p);
    struct list *const lists[] = {&p->waiting, &p->sending, &p->running, &p->stuck, &p->lost};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        free_all(p, lists[i]);
    frame_in_done(&p->in);
    free(p);
}
