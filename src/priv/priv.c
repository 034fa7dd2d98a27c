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
#include "base/list.h"
#include "base/mem.h"
#include "os/clock.h"
#include "priv/helper.h"
#include "priv/wire.h"

enum { STOP_WAIT_MS = 1000 };

struct call {
    struct list node;
    uint64_t id;
    priv_done *done; /* NULL: forgotten */
    void *arg;
    void (*release)(void *arg);
    uint8_t *body; /* until it is sent */
    struct frame_out out;
    int64_t slow_ms; /* when it has run for too long to hold up others */
    bool slow;
};

/* Handles live apart from the rest: libuv frees them a turn later. */
struct watch {
    struct priv *priv; /* NULL once it was stopped */
    uv_poll_t poll;
    uv_timer_t failer; /* answers calls made after the helper's end, from the loop as all answers */
    uv_timer_t pacer;  /* finds the slow ones while others wait */
    unsigned open;
};

struct priv {
    pid_t pid;
    int sock; /* -1: the helper is gone */
    uint64_t last_id;
    struct list waiting, sending, running; /* of calls; those running in the order they began */
    size_t busy, slow; /* of the last two: PRIV_CHILDREN that are not slow, PRIV_CHILDREN_MAX in all */
    struct frame_in in;
    struct watch *watch; /* NULL until attached */
    void (*lost)(void *arg);
    void *lost_arg;
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void release(struct call *c)
{
    if (c->release)
        c->release(c->arg);
    c->release = NULL;
}

static void call_free(struct call *c)
{
    release(c);
    list_del(&c->node);
    free(c->body);
    free(c);
}

static void finish(struct call *c, enum priv_result result, const uint8_t *out, size_t len, int *fds, size_t n)
{
    /* Off the lists first: the callback may stop priv. */
    list_del(&c->node);
    if (c->done)
        c->done(c->arg, result, out, len, fds, n);
    call_free(c);
}

static struct call *any_call(struct priv *p)
{
    struct list *all[] = {&p->running, &p->sending, &p->waiting};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (!list_empty(all[i]))
            return list_entry(all[i]->next, struct call, node);
    return NULL;
}

static void on_failer(uv_timer_t *t)
{
    const struct watch *w = t->data;
    /* A callback may stop priv itself. */
    for (struct call *c; w->priv && (c = any_call(w->priv));)
        finish(c, PRIV_LOST, NULL, 0, NULL, 0);
}

static void fail_soon(struct priv *p)
{
    if (p->watch)
        uv_timer_start(&p->watch->failer, on_failer, 0, 0);
}

static void helper_is_gone(struct priv *p)
{
    if (p->sock < 0)
        return;
    if (p->watch)
        uv_poll_stop(&p->watch->poll);
    close(p->sock);
    p->sock = -1;
    fail_soon(p);
    if (p->lost)
        p->lost(p->lost_arg);
}

static void watch_socket(struct priv *p)
{
    if (!p->watch || p->sock < 0)
        return;
    uv_poll_start(&p->watch->poll, UV_READABLE | (list_empty(&p->sending) ? 0 : UV_WRITABLE), on_ready);
    /* Only an awaited answer keeps the loop alive. */
    if (any_call(p))
        uv_ref((uv_handle_t *)&p->watch->poll);
    else
        uv_unref((uv_handle_t *)&p->watch->poll);
}

static void on_pacer(uv_timer_t *t);

/* The first that is not slow yet, NULL when all are. Marks those that are by now. */
static struct call *tell_slow(struct priv *p, int64_t now)
{
    list_each(&p->running, node)
    {
        struct call *c = list_entry(node, struct call, node);
        if (c->slow)
            continue;
        if (c->slow_ms > now)
            return c;
        c->slow = true;
        p->busy--;
        p->slow++;
    }
    return NULL;
}

/* Nobody wakes up for that while none waits. */
static void pace(struct priv *p)
{
    const int64_t now = clock_ms();
    const struct call *next = p->watch && !list_empty(&p->waiting) ? tell_slow(p, now) : NULL;
    if (next)
        uv_timer_start(&p->watch->pacer, on_pacer, (uint64_t)(next->slow_ms - now), 0);
}

/* Moves calls on towards the helper, as far as its children and the socket allow. */
static void pump(struct priv *p)
{
    (void)tell_slow(p, clock_ms());
    while (p->busy < PRIV_CHILDREN && p->busy + p->slow < PRIV_CHILDREN_MAX && !list_empty(&p->waiting)) {
        struct list *first = p->waiting.next;
        list_del(first);
        list_push(&p->sending, first);
        p->busy++;
    }
    while (p->sock >= 0 && !list_empty(&p->sending)) {
        struct call *c = list_entry(p->sending.next, struct call, node);
        int done = frame_write(p->sock, &c->out);
        if (done == 0)
            break;
        if (done < 0) {
            helper_is_gone(p);
            return;
        }
        free(TAKE_PTR(c->body));
        c->slow_ms = clock_ms() + PRIV_SLOW_MS;
        list_del(&c->node);
        list_push(&p->running, &c->node);
    }
    pace(p);
    watch_socket(p);
}

static void on_pacer(uv_timer_t *t)
{
    struct priv *p = ((struct watch *)t->data)->priv;
    if (p->sock >= 0)
        pump(p);
}

static struct call *find(struct list *calls, uint64_t id)
{
    list_each(calls, node)
    {
        struct call *c = list_entry(node, struct call, node);
        if (c->id == id)
            return c;
    }
    return NULL;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data; /* a callback may stop priv itself: this tells */
    struct priv *p = watch->priv;
    (void)events;
    if (status < 0) { /* killed with calls unread: the socket is reset, and libuv watches it no more */
        helper_is_gone(p);
        return;
    }
    for (unsigned i = 0; i < PRIV_CHILDREN; i++) {
        enum frame_state state = frame_read(p->sock, &p->in);
        if (state == WIRE_AGAIN)
            break;
        if (state == WIRE_CLOSED) {
            helper_is_gone(p);
            return;
        }
        struct frame_head head = frame_head_of(&p->in);
        struct frame_in in = p->in;
        p->in = WIRE_IN_INIT;
        struct call *c = find(&p->running, head.id);
        if (c) {
            *(c->slow ? &p->slow : &p->busy) -= 1;
            finish(c, (enum priv_result)head.kind, frame_body(&in), head.len, in.fds, in.fd_count);
        }
        frame_in_done(&in);
        if (!watch->priv || p->sock < 0)
            return;
    }
    pump(p);
}

int priv_start(const struct priv_op *ops, struct priv **ret, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(err, "start the privileged helper: socketpair");
    /* Not fork(): its handlers, such as libuv's for a loop of this process, would close descriptors that are the helper's by now. */
    pid_t pid = _Fork();
    if (pid < 0) {
        int code = err_errno(err, "start the privileged helper: fork");
        close(ends[0]);
        close(ends[1]);
        return code;
    }
    if (pid == 0)
        helper_run(ends[1], ops);
    close(ends[1]);
    struct priv *p = xcalloc(1, sizeof *p);
    p->pid = pid;
    p->sock = ends[0];
    p->in = WIRE_IN_INIT;
    list_init(&p->waiting);
    list_init(&p->sending);
    list_init(&p->running);
    *ret = p;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    if (--w->open == 0)
        free(w);
}

int priv_attach(struct priv *p, uv_loop_t *loop, void (*lost)(void *arg), void *arg, struct err *err)
{
    struct watch *w = xcalloc(1, sizeof *w);
    int code = uv_poll_init(loop, &w->poll, p->sock);
    if (code < 0) {
        free(w);
        return err_set(err, code, "watch the privileged helper: %s", uv_strerror(code));
    }
    uv_timer_init(loop, &w->failer);
    uv_timer_init(loop, &w->pacer);
    uv_unref((uv_handle_t *)&w->pacer); /* awaited answers keep the loop alive */
    w->open = 3;
    w->poll.data = w->failer.data = w->pacer.data = w;
    w->priv = p;
    p->watch = w;
    p->lost = lost;
    p->lost_arg = arg;
    pump(p);
    return 0;
}

uint64_t priv_call(struct priv *p, unsigned op, const void *in, size_t len, unsigned timeout_ms, priv_done *done,
                   void *arg)
{
    struct call *c = xcalloc(1, sizeof *c);
    c->id = ++p->last_id;
    c->done = done;
    c->arg = arg;
    c->body = xmalloc(len ? len : 1);
    if (len)
        memcpy(c->body, in, len);
    c->out = (struct frame_out){
        .head = {.len = (uint32_t)len, .kind = op, .timeout_ms = timeout_ms, .id = c->id},
        .body = c->body,
    };
    uint64_t id = c->id;
    list_push(&p->waiting, &c->node);
    if (p->sock < 0)
        fail_soon(p);
    else
        pump(p);
    return id;
}

static struct call *find_anywhere(struct priv *p, uint64_t id)
{
    struct list *all[] = {&p->running, &p->sending, &p->waiting};
    struct call *c = NULL;
    for (size_t i = 0; i < ARRAY_LEN(all) && !c; i++)
        c = find(all[i], id);
    return c;
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
    release(c);
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

void priv_stop(struct priv *p)
{
    if (!p)
        return;
    struct watch *w = p->watch;
    if (w) {
        uv_poll_stop(&w->poll);
        w->priv = NULL;
        uv_close((uv_handle_t *)&w->poll, on_closed);
        uv_close((uv_handle_t *)&w->failer, on_closed);
        uv_close((uv_handle_t *)&w->pacer, on_closed);
    }
    if (p->sock >= 0)
        close(p->sock);
    wait_a_little(p->pid);
    for (struct call *c; (c = any_call(p));)
        call_free(c);
    frame_in_done(&p->in);
    free(p);
}
