#include "priv/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "priv/guard.h"
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

/* The socket of one helper, or of the guard, on the loop. It and the timers live apart from the rest, for libuv frees
 * them a turn later. */
struct ear {
    uv_poll_t poll;
    int events;        /* it waits for these; 0 = it was not started */
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
    pid_t guard_pid;
    int guard; /* -1: it died; no other helper can be had */
    struct programs_client programs;
    int sock;                  /* -1: the helper is gone */
    bool restartable, awaited; /* another helper may be asked for, and was */
    uint64_t last_id;
    struct queue queue;
    struct list waiting, sending, running; /* of calls; those running in the order they began */
    struct list stuck;                     /* answered, but their processes cannot be ended */
    struct list lost;                      /* to be answered with PRIV_LOST */
    int64_t started_ms, heard_ms;
    int64_t asked_ms; /* 0: it has answered */
    struct frame_in in;
    uv_loop_t *loop; /* NULL until attached */
    struct ear *ear, *guard_ear;
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

/* Forks the guard, which starts the first helper. */
static int priv_launch(struct priv *p, const struct priv_op *ops, const struct priv_program *programs, struct err *err)
{
    int ends[2], others[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(err, "start the privileged helper: socketpair");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, others) < 0) {
        const int code = err_errno(err, "start the privileged helper: socketpair");
        close(ends[0]);
        close(ends[1]);
        return code;
    }
    /* Not fork(): its handlers, such as libuv's for a loop of this process, would close descriptors that are the
     * guard's by now. */
    const pid_t pid = _Fork();
    if (pid == 0)
        guard_run(ends[1], others[1], ops, programs);
    const int code = pid < 0 ? err_errno(err, "start the privileged helper: fork") : 0;
    close(ends[1]);
    close(others[1]);
    if (code < 0) {
        close(ends[0]);
        close(others[0]);
        return code;
    }
    p->guard_pid = pid;
    p->guard = ends[0];
    p->programs.sock = others[0];
    pthread_mutex_init(&p->programs.lock, NULL);
    return 0;
}

static void priv_close_programs(struct priv *p)
{
    if (p->programs.sock >= 0)
        close(p->programs.sock);
    pthread_mutex_destroy(&p->programs.lock);
}

static void priv_take_helper(struct priv *p, int sock)
{
    p->sock = sock;
    p->started_ms = p->heard_ms = clock_ms();
    p->asked_ms = 0;
}

static void on_ear_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void stop_listening(struct ear **ear)
{
    if (!*ear)
        return;
    (*ear)->priv = NULL;
    uv_close((uv_handle_t *)&(*ear)->poll, on_ear_closed);
    *ear = NULL;
}

static int listen_to(struct priv *p, int sock, struct ear **ret)
{
    struct ear *e = xcalloc(1, sizeof *e);
    int code = uv_poll_init(p->loop, &e->poll, sock);
    if (code < 0) {
        free(e);
        return code;
    }
    e->poll.data = e;
    e->priv = p;
    *ret = e;
    return 0;
}

static void forget_helper(struct priv *p)
{
    stop_listening(&p->ear);
    close(p->sock);
    p->sock = -1;
    frame_in_done(&p->in);
    p->in = WIRE_IN_INIT;
}

static bool priv_can_restart(const struct priv *p)
{
    return p->restartable && p->guard >= 0;
}

static void guard_is_gone(struct priv *p)
{
    stop_listening(&p->guard_ear);
    close(p->guard);
    p->guard = -1;
}

/* Asks for another helper; the guard ends the present one first. */
static void start_again(struct priv *p)
{
    if (!priv_can_restart(p) || p->awaited || clock_ms() - p->started_ms < RESTART_PAUSE_MS)
        return;
    const int code = guard_ask(p->guard);
    if (code == -EPIPE)
        guard_is_gone(p);
    p->awaited = code == 0;
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

/* Those that nobody will run are answered so. */
static void priv_lose_calls(struct priv *p)
{
    if (!priv_can_restart(p))
        move_all(&p->waiting, &p->lost);
    list_each(&p->lost, node) queue_remove(&p->queue, &list_entry(node, struct call, node)->item);
    fail_soon(p);
}

/* It died, or is ended because it does not answer. */
static void helper_is_gone(struct priv *p)
{
    if (p->sock < 0)
        return;
    forget_helper(p);
    free_all(p, &p->stuck);
    move_all(&p->running, &p->lost);
    move_all(&p->sending, &p->lost);
    start_again(p);
    priv_lose_calls(p);
    if (p->on_lost)
        p->on_lost(p->on_lost_arg, priv_can_restart(p));
}

static void priv_on_guard(uv_poll_t *poll, int status, int events)
{
    const struct ear *ear = poll->data;
    struct priv *p = ear->priv;
    (void)events;
    const int sock = !p ? -EAGAIN : status < 0 ? -EPIPE : guard_take(p->guard);
    if (sock == -EAGAIN)
        return;
    p->awaited = false;
    if (sock >= 0) {
        priv_take_helper(p, sock);
        if (listen_to(p, p->sock, &p->ear) == 0)
            priv_pump(p);
        else
            forget_helper(p); /* on_pinger() asks again */
        return;
    }
    if (sock != -EPIPE)
        return;
    guard_is_gone(p);
    if (p->sock >= 0)
        return; /* what was started goes on */
    priv_lose_calls(p);
    if (p->on_lost)
        p->on_lost(p->on_lost_arg, false);
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
    const int events = UV_READABLE | (list_empty(&p->sending) ? 0 : UV_WRITABLE);
    /* libuv leaves the kernel's list and enters it again even for the same ones. */
    if (p->ear->events != events && uv_poll_start(&p->ear->poll, events, priv_on_ready) == 0)
        p->ear->events = events;
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
    const int64_t now = clock_ms();
    if (p->sock < 0) {
        start_again(p);
    } else if (p->asked_ms && now - p->asked_ms >= PRIV_SILENT_MS - PRIV_PING_MS) {
        /* Its answer may lie unread: this process may have been the one that stood still. */
        if (read_answers(p->ear) && p->asked_ms)
            helper_is_gone(p);
    } else if (!p->asked_ms && now - p->heard_ms >= PRIV_PING_MS / 2) {
        priv_ping(p);
    }
}

/* ---- for the caller ---- */

int priv_start(const struct priv_op *ops, const struct priv_program *programs, struct priv **ret, struct err *err)
{
    enum { START_MS = 10000 };
    struct priv *p = xcalloc(1, sizeof *p);
    int code = priv_launch(p, ops, programs, err), sock = -EPIPE;
    if (code == 0 && guard_ask(p->guard) == 0) {
        poll(&(struct pollfd){.fd = p->guard, .events = POLLIN}, 1, START_MS);
        sock = guard_take(p->guard);
    }
    if (code == 0 && sock < 0) {
        close(p->guard);
        priv_close_programs(p);
        code = err_set(err, sock, "start the privileged helper: %s", strerror(-sock));
    }
    if (code < 0) {
        free(p);
        return code;
    }
    priv_take_helper(p, sock);
    p->in = WIRE_IN_INIT;
    queue_init(&p->queue);
    struct list *const lists[] = {&p->waiting, &p->sending, &p->running, &p->stuck, &p->lost};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        list_init(lists[i]);
    *ret = p;
    return 0;
}

int priv_program_start(struct priv *p, unsigned number, int *sock, pid_t *pid, struct err *err)
{
    return programs_start(&p->programs, number, sock, pid, err);
}

int priv_program_end(struct priv *p, unsigned number, bool closed, struct child_end *ret)
{
    return programs_end(&p->programs, number, closed, ret);
}

void priv_restartable(struct priv *p)
{
    p->restartable = true;
}

int priv_attach(struct priv *p, uv_loop_t *loop, void (*lost)(void *arg, bool replaced), void *arg, struct err *err)
{
    p->loop = loop;
    int code = listen_to(p, p->sock, &p->ear);
    if (code == 0)
        code = listen_to(p, p->guard, &p->guard_ear);
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
    uv_poll_start(&p->guard_ear->poll, UV_READABLE, priv_on_guard);
    uv_unref((uv_handle_t *)&p->guard_ear->poll);
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
    if (p->sock < 0 && !priv_can_restart(p)) {
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
    stop_listening(&p->ear);
    stop_listening(&p->guard_ear);
    close_timers(p->timers);
    if (p->sock >= 0)
        close(p->sock);
    priv_close_programs(p);
    if (p->guard >= 0)
        close(p->guard);
    wait_a_little(p->guard_pid);
    struct list *const lists[] = {&p->waiting, &p->sending, &p->running, &p->stuck, &p->lost};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        free_all(p, lists[i]);
    frame_in_done(&p->in);
    free(p);
}
