#include "priv/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "os/rights.h"
#include "priv/child.h"
#include "priv/queue.h"
#include "priv/wire.h"

enum phase { FREE, RUNNING, ENDING, KILLED, IDLE };
enum { SLOTS = QUEUE_ALL + PRIV_IDLE_MAX + 1, REPLIES_MAX = 2 * SLOTS };

struct slot {
    enum phase phase;
    uint32_t op;
    uint64_t id, user, ids;
    pid_t pid;
    int pidfd, sock; /* sock: -1 once the child closed its end */
    int64_t next_ms; /* when the phase ends by force; of an idle one, since when it is */
    struct frame_in in;
    struct buf reply;
    int fds[PRIV_FDS_MAX];
    size_t fd_count;
    bool whole;
    bool said, ended; /* as the last poll(2) found its socket and its pidfd */
};

struct reply {
    struct list node;
    uint8_t *body;
    int fds[PRIV_FDS_MAX];
    struct frame_out out;
};

struct helper {
    int sock;  /* -1: the main process is gone */
    bool said; /* as above */
    const struct priv_op *ops;
    unsigned op_count;
    struct frame_in in;
    struct list replies;
    size_t reply_count;
    struct slot slots[SLOTS];
    struct abandoned {
        pid_t pid;
        uint64_t id;
    } * abandoned;
    size_t abandoned_count, abandoned_cap;
};

static void reply_free(struct helper *h, struct reply *r)
{
    h->reply_count--;
    for (size_t i = 0; i < r->out.head.fd_count; i++)
        close(r->fds[i]);
    list_del(&r->node);
    free(r->body);
    free(r);
}

static void main_is_gone(struct helper *h)
{
    if (h->sock >= 0)
        close(h->sock);
    h->sock = -1;
    list_each(&h->replies, node) reply_free(h, list_entry(node, struct reply, node));
}

/* Takes the descriptors and the bytes. */
static void helper_answer(struct helper *h, uint64_t id, uint32_t kind, struct buf *bytes, const int *fds,
                          size_t fd_count)
{
    struct reply *r = xcalloc(1, sizeof *r);
    size_t len = bytes->len;
    r->body = buf_take(bytes, &len);
    for (size_t i = 0; i < fd_count; i++)
        r->fds[i] = fds[i];
    r->out = (struct frame_out){
        .head = {.len = r->body ? (uint32_t)len : 0, .fd_count = (uint32_t)fd_count, .kind = kind, .id = id},
        .body = r->body,
        .fds = r->fds,
    };
    list_push(&h->replies, &r->node);
    h->reply_count++;
    if (h->sock < 0)
        reply_free(h, r);
}

static void helper_say(struct helper *h, uint64_t id, uint32_t kind)
{
    struct buf none = BUF_INIT(0);
    helper_answer(h, id, kind, &none, NULL, 0);
}

static void send_replies(struct helper *h)
{
    while (h->sock >= 0 && !list_empty(&h->replies)) {
        struct reply *r = list_entry(h->replies.next, struct reply, node);
        int done = frame_write(h->sock, &r->out);
        if (done == 0)
            return;
        if (done < 0)
            main_is_gone(h);
        else
            reply_free(h, r);
    }
}

static void slot_free(struct slot *s)
{
    if (s->pidfd >= 0)
        close(s->pidfd);
    if (s->sock >= 0)
        close(s->sock);
    frame_in_done(&s->in);
    buf_done(&s->reply);
    *s = (struct slot){.pidfd = -1, .sock = -1};
}

/* What the child sent, as far as it came. */
static void helper_collect(struct slot *s)
{
    while (s->sock >= 0) {
        enum frame_state state = frame_read(s->sock, &s->in);
        if (state == WIRE_AGAIN)
            return;
        if (state == WIRE_CLOSED) {
            close(s->sock);
            s->sock = -1;
            return;
        }
        struct frame_head head = frame_head_of(&s->in);
        buf_append(&s->reply, frame_body(&s->in), head.len);
        for (size_t i = 0; i < s->in.fd_count && s->fd_count < PRIV_FDS_MAX; i++)
            s->fds[s->fd_count++] = TAKE_FD(s->in.fds[i]);
        s->whole = head.kind == 1 && buf_ok(&s->reply);
        frame_next(&s->in);
    }
}

/* `how`: WIRE_STUCK or 0. */
static void helper_finish(struct helper *h, struct slot *s, uint32_t how)
{
    helper_collect(s);
    const enum priv_result result = s->whole ? PRIV_DONE : s->phase == RUNNING ? PRIV_CRASHED : PRIV_TIMEOUT;
    helper_answer(h, s->id, (uint32_t)result | how, &s->reply, s->fds, s->fd_count);
    slot_free(s);
}

/* The oldest in this phase; an idle one that was told to end is none any more. */
static struct slot *helper_find_slot(struct helper *h, enum phase phase, size_t *count)
{
    struct slot *found = NULL;
    *count = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &h->slots[i];
        if (s->phase != phase || (phase == IDLE && s->sock < 0))
            continue;
        ++*count;
        if (!found || s->next_ms < found->next_ms)
            found = s;
    }
    return found;
}

/* It answered and waits for another call like that; the one that has waited longest makes room for it. */
static void helper_keep_child(struct helper *h, struct slot *s)
{
    size_t idle;
    helper_answer(h, s->id, PRIV_DONE, &s->reply, s->fds, s->fd_count);
    s->reply = BUF_INIT(PRIV_PAYLOAD_MAX);
    s->fd_count = 0;
    s->whole = false;
    s->phase = IDLE;
    s->next_ms = clock_ms();
    struct slot *oldest = helper_find_slot(h, IDLE, &idle);
    if (idle <= PRIV_IDLE_MAX)
        return;
    close(oldest->sock); /* it ends at that */
    oldest->sock = -1;
}

/* True when a child that waits for just this has taken the call. */
static bool helper_hand_over(struct helper *h, struct frame_head head, int64_t deadline)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &h->slots[i];
        if (s->phase != IDLE || s->sock < 0 || s->op != head.kind || s->user != head.user || s->ids != head.ids)
            continue;
        struct frame_out out = {.head = head, .body = frame_body(&h->in), .fds = h->in.fds};
        out.head.fd_count = (uint32_t)h->in.fd_count;
        if (frame_write(s->sock, &out) <= 0) {
            kill(s->pid, SIGKILL);
            continue;
        }
        s->phase = RUNNING;
        s->id = head.id;
        s->next_ms = deadline;
        return true;
    }
    return false;
}

/* The main process has no privileges, and reads bytes of targets: what it asks for may be an attacker's. The arguments
 * are for the operation to judge. */
static bool helper_permits(const struct helper *h, const struct frame_head *head)
{
    if (head->kind >= h->op_count || h->in.fd_count != head->fd_count || h->abandoned_count >= QUEUE_ALL)
        return false;
    const struct priv_op *op = &h->ops[head->kind];
    return (op->in_max == 0 || head->len <= op->in_max) && head->fd_count <= op->fds_max &&
           (op->max_ms == 0 || head->timeout_ms <= op->max_ms);
}

static void helper_start_call(struct helper *h)
{
    struct frame_head head = frame_head_of(&h->in);
    size_t count;
    struct slot *s = helper_find_slot(h, FREE, &count);
    if (head.kind == WIRE_PING || !s || !helper_permits(h, &head)) {
        helper_say(h, head.id, head.kind == WIRE_PING ? WIRE_PING : PRIV_CRASHED);
        return;
    }
    const int64_t deadline = clock_ms() + head.timeout_ms;
    if (h->ops[head.kind].again && helper_hand_over(h, head, deadline))
        return;
    *s = (struct slot){.phase = RUNNING, .id = head.id, .next_ms = deadline, .pidfd = -1, .sock = -1};
    s->op = head.kind;
    s->user = head.user;
    s->ids = head.ids;
    s->in = WIRE_IN_INIT;
    s->reply = BUF_INIT(PRIV_PAYLOAD_MAX);
    int code = child_start(&h->ops[head.kind], &h->in, deadline, &s->pid, &s->pidfd, &s->sock);
    if (code == 0 && s->pidfd >= 0) {
        if (h->in.fd_count) {
            frame_close_fds(&h->in);
            child_go(s->sock);
        }
        return;
    }
    if (code == 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    helper_finish(h, s, 0);
}

/* Who does not take replies gets no more of them: they are memory. */
static bool helper_takes_calls(const struct helper *h)
{
    return h->sock >= 0 && h->reply_count < REPLIES_MAX;
}

static void read_calls(struct helper *h)
{
    while (helper_takes_calls(h)) {
        enum frame_state state = frame_read(h->sock, &h->in);
        if (state == WIRE_AGAIN)
            return;
        if (state == WIRE_CLOSED) {
            main_is_gone(h);
            return;
        }
        helper_start_call(h);
        frame_next(&h->in);
    }
}

static bool helper_reaped(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) != 0;
}

static void reap_abandoned(struct helper *h)
{
    for (size_t i = 0; i < h->abandoned_count;)
        if (helper_reaped(h->abandoned[i].pid)) {
            helper_say(h, h->abandoned[i].id, WIRE_ENDED);
            h->abandoned[i] = h->abandoned[--h->abandoned_count];
        } else {
            i++;
        }
}

static void helper_watch(struct helper *h, struct slot *s, int64_t now)
{
    if (s->said)
        helper_collect(s);
    if (s->ended && helper_reaped(s->pid)) {
        if (s->phase == IDLE)
            slot_free(s);
        else
            helper_finish(h, s, 0);
        return;
    }
    if (s->phase == RUNNING && s->whole && h->ops[s->op].again)
        helper_keep_child(h, s);
    if (s->phase == IDLE || now < s->next_ms)
        return;
    switch (s->phase) {
    case RUNNING:
        kill(s->pid, SIGTERM);
        s->phase = ENDING;
        s->next_ms = now + HELPER_CLEANUP_MS;
        break;
    case ENDING:
        kill(s->pid, SIGKILL);
        s->phase = KILLED;
        s->next_ms = now + HELPER_REAP_MS;
        break;
    default:
        /* Stuck in the kernel. It dies when the kernel lets go of it; its caller has waited enough. */
        xgrow(&h->abandoned, &h->abandoned_cap, h->abandoned_count + 1, sizeof *h->abandoned);
        h->abandoned[h->abandoned_count++] = (struct abandoned){s->pid, s->id};
        helper_finish(h, s, WIRE_STUCK);
    }
}

/* What a slot waits for: its process, and its socket while it has one. */
static size_t slot_poll(const struct slot *s, struct pollfd *fds)
{
    fds[0] = (struct pollfd){s->pidfd, POLLIN, 0};
    if (s->sock < 0)
        return 1;
    fds[1] = (struct pollfd){s->sock, POLLIN, 0};
    return 2;
}

/* How long poll(2) may wait, in ms: until the first phase ends by force. */
static int helper_wait_ms(const struct helper *h)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < SLOTS; i++) {
        const struct slot *s = &h->slots[i];
        if (s->phase != FREE && s->phase != IDLE && s->next_ms < next)
            next = s->next_ms;
    }
    /* Nothing else tells that a stuck one has ended. */
    enum { ABANDONED_POLL_MS = 1000 };
    const int64_t now = clock_ms();
    if (h->abandoned_count && now + ABANDONED_POLL_MS < next)
        next = now + ABANDONED_POLL_MS;
    if (next == INT64_MAX)
        return -1;
    return next < now ? 0 : next - now > INT32_MAX ? INT32_MAX : (int)(next - now);
}

/* Waits until something is to be done, and notes where; false when nothing ever will. */
static bool wait_for_work(struct helper *h)
{
    struct pollfd fds[1 + 2 * SLOTS];
    size_t n = 1;
    bool busy = false;
    fds[0] = (struct pollfd){
        h->sock, (short)((helper_takes_calls(h) ? POLLIN : 0) | (list_empty(&h->replies) ? 0 : POLLOUT)), 0};
    for (size_t i = 0; i < SLOTS; i++) {
        const struct slot *s = &h->slots[i];
        busy = busy || (s->phase != FREE && s->phase != IDLE);
        n += s->phase == FREE ? 0 : slot_poll(s, &fds[n]);
    }
    if (h->sock < 0 && !busy)
        return false;
    poll(fds, n, helper_wait_ms(h));
    h->said = fds[0].revents & ~POLLOUT;
    n = 1;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &h->slots[i];
        if (s->phase == FREE)
            continue;
        s->ended = fds[n++].revents;
        s->said = s->sock >= 0 && fds[n++].revents;
    }
    return true;
}

/* A child that became another user is out of reach without CAP_KILL. */
static uint64_t helper_capabilities(const struct priv_op *ops)
{
    uint64_t all = RIGHTS_CAP(CAP_KILL);
    for (; ops->name; ops++)
        all |= ops->capabilities;
    return all;
}

void helper_detach(int low, int high, const char *name, const struct priv_op *ops)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2};
    /* It ends with the main process, and must outlive the signal that ends that one: sessions are stopped through
     * it. */
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    prctl(PR_SET_NAME, name);
    umask(077);
    if (rights_limit(helper_capabilities(ops)) < 0)
        _exit(1);
    if (chdir("/") < 0)
        _exit(1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    if (low > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0U, 0);
}

void helper_run(int sock, const struct priv_op *ops)
{
    helper_detach(sock, sock, "smolder-priv", ops);
    struct helper h = {.sock = sock, .ops = ops, .in = WIRE_IN_INIT};
    list_init(&h.replies);
    while (ops[h.op_count].name)
        h.op_count++;
    for (size_t i = 0; i < SLOTS; i++)
        h.slots[i] = (struct slot){.pidfd = -1, .sock = -1};
    while (wait_for_work(&h)) {
        if (h.said)
            read_calls(&h);
        int64_t now = clock_ms();
        for (size_t i = 0; i < SLOTS; i++)
            if (h.slots[i].phase != FREE)
                helper_watch(&h, &h.slots[i], now);
        reap_abandoned(&h);
        send_replies(&h);
    }
    _exit(0);
}
