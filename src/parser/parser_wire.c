#include "parser/parser_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "os/procfs.h"

enum { TICK_MS = 500 };

/* ---- deadlines ---- */

static int64_t watch_cpu_ns(const struct parser_watch *w)
{
    struct timespec t;
    return clock_gettime(w->clock, &t) == 0 ? (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec : -1;
}

void parser_watch_begin(struct parser_watch *w, pid_t pid)
{
    *w = (struct parser_watch){.pid = pid, .began_ms = clock_ms()};
    if (clock_getcpuclockid(pid, &w->clock) != 0)
        w->clock = CLOCK_THREAD_CPUTIME_ID; /* it is gone: the socket says so */
    w->moved_ms = w->checked_ms = w->began_ms;
    w->cpu_began_ns = w->cpu_moved_ns = watch_cpu_ns(w);
}

int64_t parser_watch_cpu_ns(const struct parser_watch *w)
{
    const int64_t now = watch_cpu_ns(w);
    return now > w->cpu_began_ns ? now - w->cpu_began_ns : 0;
}

/* Waiting for a processor or a disk is no fault of its own. */
static bool watch_is_held_up(const struct parser_watch *w)
{
    struct procfs_stat stat;
    return procfs_stat(w->pid, &stat, NULL) == 0 && (stat.state == 'R' || stat.state == 'D');
}

static int watch_check(struct parser_watch *w, struct err *err)
{
    const int64_t now = clock_ms(), cpu = watch_cpu_ns(w);
    const bool held_up = watch_is_held_up(w);
    if (held_up)
        w->began_ms += now - w->checked_ms;
    w->checked_ms = now;
    if (cpu != w->cpu_moved_ns || held_up) {
        w->cpu_moved_ns = cpu;
        w->moved_ms = now;
    }
    if (cpu - w->cpu_began_ns > PARSER_CPU_MS * NS_PER_MS)
        return err_set(err, -ETIMEDOUT, "no answer after %d s of CPU time", PARSER_CPU_MS / 1000);
    if (now - w->moved_ms > PARSER_STILL_MS)
        return err_set(err, -ETIMEDOUT, "no answer and no activity for %d s", PARSER_STILL_MS / 1000);
    if (now - w->began_ms > PARSER_WALL_MS)
        return err_set(err, -ETIMEDOUT, "no answer after %d s", PARSER_WALL_MS / 1000);
    return 0;
}

/* ---- the main process ---- */

static int seal_write(int fd, const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        const ssize_t put = write(fd, (const char *)bytes + at, n - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -errno;
        at += (size_t)put;
    }
    return 0;
}

static int seal_open(void)
{
    return memfd_create("smolder-chunk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static int seal_finish(int *fd, int code, int *ret, struct err *err)
{
    enum { SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };
    if (code == 0 && fcntl(*fd, F_ADD_SEALS, SEALS) < 0)
        code = -errno;
    if (code < 0)
        return err_set(err, code, "memory for the parser: %s", strerror(-code));
    *ret = TAKE_FD(*fd);
    return 0;
}

int parser_wire_seal(const void *bytes, size_t n, int *ret, struct err *err)
{
    cleanup_close int fd = seal_open();
    return seal_finish(&fd, fd < 0 ? -errno : seal_write(fd, bytes, n), ret, err);
}

int parser_wire_seal_items(const struct parser_service *s, const struct parser_item *items, size_t n, size_t answer_max,
                           struct parser_request *rq, int *ret, struct err *err)
{
    cleanup_free struct parser_item_sizes *sizes = xcalloc(n, sizeof *sizes);
    struct parser_request request = {.items = n, .answer_max = answer_max, .rq.size = n * sizeof *sizes};
    memcpy(request.service, s->name, sizeof request.service);
    for (size_t i = 0; i < n; i++) {
        sizes[i] = (struct parser_item_sizes){items[i].head.n, items[i].bytes.n};
        request.rq.size += items[i].head.n + items[i].bytes.n;
    }
    cleanup_close int fd = seal_open();
    int code = fd < 0 ? -errno : seal_write(fd, sizes, n * sizeof *sizes);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = seal_write(fd, items[i].head.p, items[i].head.n);
        if (code == 0)
            code = seal_write(fd, items[i].bytes.p, items[i].bytes.n);
    }
    *rq = request;
    return seal_finish(&fd, code, ret, err);
}

static int wire_gone(struct err *err)
{
    return err_set(err, -EPIPE, "it ended");
}

/* Waits a little; checks the deadlines. */
static int wire_wait(int sock, short events, struct parser_watch *w, struct err *err)
{
    struct pollfd p = {.fd = sock, .events = events};
    const int ready = poll(&p, 1, TICK_MS);
    return ready > 0 ? 0 : watch_check(w, err);
}

void parser_input_begin(struct parser_input *in, int sock)
{
    in->sock = sock;
    in->at = in->len = 0;
    in->checked_ms = clock_ms();
}

int parser_input_end(const struct parser_input *in, struct err *err)
{
    return in->at == in->len ? 0 : err_set(err, -EBADMSG, "invalid message of the converter: bytes after the answer");
}

/* The socket waits for TICK_MS at most (parser_wire_greet()). */
static ssize_t input_receive(struct parser_input *in, struct parser_watch *w, void *to, size_t n, struct err *err)
{
    for (;;) {
        const ssize_t got = recv(in->sock, to, n, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return wire_gone(err);
        /* One byte now and then is no answer. */
        if (got < 0 || clock_ms() - in->checked_ms > TICK_MS) {
            const int code = watch_check(w, err);
            in->checked_ms = clock_ms();
            if (code < 0)
                return code;
        }
        if (got > 0)
            return got;
    }
}

/* What is there already, or else the start of what comes; large amounts without a detour. */
static int wire_read(struct parser_input *in, struct parser_watch *w, void *to, size_t n, struct err *err)
{
    for (size_t at = 0; at < n;) {
        const size_t left = n - at, there = in->len - in->at, part = left < there ? left : there;
        memcpy((char *)to + at, in->bytes + in->at, part);
        in->at += part;
        at += part;
        if (at == n)
            break;
        const bool direct = n - at >= sizeof in->bytes;
        const ssize_t got =
            input_receive(in, w, direct ? (char *)to + at : (char *)in->bytes, direct ? n - at : sizeof in->bytes, err);
        if (got < 0)
            return (int)got;
        if (direct)
            at += (size_t)got;
        in->at = 0;
        in->len = direct ? 0 : (size_t)got;
    }
    return 0;
}

/* Leaves out what has gone. */
static void message_advance(struct msghdr *m, size_t gone)
{
    for (; m->msg_iovlen > 0 && gone >= m->msg_iov->iov_len; m->msg_iov++, m->msg_iovlen--)
        gone -= m->msg_iov->iov_len;
    if (m->msg_iovlen > 0) {
        m->msg_iov->iov_base = (char *)m->msg_iov->iov_base + gone;
        m->msg_iov->iov_len -= gone;
    }
}

/* Sends all of it, the descriptor with the first byte. */
static int wire_write(int sock, struct parser_watch *w, struct iovec *v, size_t n, int fd, struct err *err)
{
    union {
        char room[CMSG_SPACE(sizeof fd)];
        struct cmsghdr align;
    } control = {.room = {0}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = n};
    if (fd >= 0) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    while (m.msg_iovlen > 0) {
        const ssize_t put = sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0) {
            message_advance(&m, (size_t)put);
            m.msg_control = NULL;
            m.msg_controllen = 0;
        } else if (errno != EAGAIN && errno != EINTR) {
            return wire_gone(err);
        } else if (wire_wait(sock, POLLOUT, w, err) < 0) {
            return -ETIMEDOUT;
        }
    }
    return 0;
}

int parser_wire_greet(int sock, struct parser_watch *w, uint32_t *layers, struct err *err)
{
    struct parser_hello hello;
    struct parser_input in;
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    if (setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick) < 0)
        return err_errno(err, "set the timeout of its socket");
    parser_input_begin(&in, sock);
    const int code = wire_read(&in, w, &hello, sizeof hello, err);
    if (code == 0)
        *layers = hello.layers;
    return code;
}

static int wire_read_profiles(struct parser_input *in, struct parser_watch *w, const struct convert_options *o,
                              uint32_t n, struct convert_answer *a, struct err *err)
{
    uint64_t room = PARSER_ANSWER_MAX;
    a->profiles = xcalloc(n + 1, sizeof *a->profiles);
    a->bytes = xcalloc(n + 1, sizeof *a->bytes);
    for (uint32_t i = 0; i < n; i++) {
        struct convert_profile *p = &a->profiles[i];
        int code = wire_read(in, w, p, sizeof *p, err);
        if (code == 0)
            code = convert_profile_check(p, o, err);
        if (code == 0 && p->size > room)
            code = err_set(err, -EBADMSG, "invalid message of the converter: too many bytes");
        if (code < 0)
            return code;
        room -= p->size;
        if (!(a->bytes[i] = malloc(p->size)))
            return err_set(err, -EBADMSG, "out of memory for an answer");
        a->reply.profile_count = i + 1; /* as many are to be freed */
        if ((code = wire_read(in, w, a->bytes[i], p->size, err)) < 0)
            return code;
    }
    return 0;
}

/* Nothing is allocated before the reply has passed. */
static int wire_read_answer(struct parser_input *in, struct parser_watch *w, uint32_t op,
                            const struct convert_options *o, struct convert_answer *a, struct err *err)
{
    struct convert_reply r;
    int code = wire_read(in, w, &r, sizeof r, err);
    if (code == 0)
        code = convert_reply_check(&r, o, err);
    if (code == 0 && op != CONVERT_FINISH && (r.profile_count || r.series_count))
        code = err_set(err, -EBADMSG, "invalid message of the converter: profiles before the end of an interval");
    if (code < 0)
        return code;
    a->reply = r;
    a->reply.profile_count = 0;
    code = wire_read_profiles(in, w, o, r.profile_count, a, err);
    if (code < 0)
        return code;
    a->series = xcalloc(r.series_count + 1, sizeof *a->series);
    return wire_read(in, w, a->series, r.series_count * sizeof *a->series, err);
}

int parser_wire_receive(struct parser_input *in, struct parser_watch *w, uint32_t op, const struct convert_options *o,
                        struct convert_answer *ret, struct err *err)
{
    struct convert_answer a = {0};
    const int code = wire_read_answer(in, w, op, o, &a, err);
    if (code < 0) {
        convert_answer_done(&a);
        return code;
    }
    *ret = a;
    return 0;
}

int parser_wire_send(int sock, struct parser_watch *w, struct parser_request *rq, size_t n,
                     const struct parser_ranges *ranges, struct err *err)
{
    struct iovec v[2 * PARSER_TOGETHER];
    size_t parts = 0;
    for (size_t i = 0; i < n; i++) {
        rq[i].more = i + 1 < n;
        v[parts++] = (struct iovec){&rq[i], sizeof rq[i]};
        if (rq[i].rq.op == CONVERT_OPEN)
            v[parts++] = (struct iovec){(void *)ranges->series, rq[i].rq.size};
        else if (rq[i].rq.op == CONVERT_CHUNK && !rq[i].by_fd)
            v[parts++] = (struct iovec){(void *)ranges->chunk, rq[i].rq.size};
    }
    return wire_write(sock, w, v, parts, ranges->fd, err);
}

int parser_wire_ask_service(int sock, struct parser_watch *w, const struct parser_request *rq, int fd, struct buf *out,
                            int *refused, struct err *err)
{
    struct parser_reply r;
    struct parser_input in;
    parser_input_begin(&in, sock);
    int code = wire_write(sock, w, &(struct iovec){(void *)rq, sizeof *rq}, 1, fd, err);
    if (code == 0)
        code = wire_read(&in, w, &r, sizeof r, err);
    if (code < 0)
        return code;
    if (r.code > 0 || !memchr(r.why, 0, sizeof r.why) || r.size > out->max || (r.code < 0 && r.size))
        return err_set(err, -EBADMSG, "invalid reply");
    uint8_t *room = buf_reserve(out, r.size);
    if (!room)
        return err_set(err, -EBADMSG, "out of memory for an answer");
    code = wire_read(&in, w, room, r.size, err);
    if (code == 0)
        code = parser_input_end(&in, err);
    if (code < 0)
        return code;
    out->len = r.size;
    *refused = r.code < 0 ? err_set(err, r.code, "%s", r.why) : 0;
    return 0;
}

/* ---- the parser process ---- */

static bool wire_take(int sock, void *to, size_t n)
{
    for (size_t at = 0; at < n;) {
        const ssize_t got = read(sock, (char *)to + at, n - at);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        at += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool wire_give(int sock, const void *from, size_t n)
{
    for (size_t at = 0; at < n;) {
        const ssize_t put = write(sock, (const char *)from + at, n - at);
        if (put < 0 && errno != EINTR)
            return false;
        at += put > 0 ? (size_t)put : 0;
    }
    return true;
}

static bool wire_take_range(int sock, const struct parser_request *rq, struct parser_room *room)
{
    const uint64_t size = rq->rq.size;
    if (rq->rq.op == CONVERT_OPEN)
        return size <= sizeof room->series && wire_take(sock, room->series, size);
    if (rq->rq.op == CONVERT_CHUNK && !rq->by_fd)
        return size <= sizeof room->chunk && wire_take(sock, room->chunk, size);
    return true;
}

bool parser_wire_next(int sock, struct parser_request *rq, struct parser_room *room)
{
    union {
        char room[CMSG_SPACE(sizeof room->fd)];
        struct cmsghdr align;
    } control;
    struct iovec v = {rq, sizeof *rq};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    ssize_t got;
    do
        got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_type == SCM_RIGHTS) {
        if (room->fd >= 0)
            close(room->fd);
        memcpy(&room->fd, CMSG_DATA(c), sizeof room->fd);
    }
    return wire_take(sock, (char *)rq + got, sizeof *rq - (size_t)got) && wire_take_range(sock, rq, room);
}

bool parser_wire_greeting(int sock, uint32_t layers)
{
    const struct parser_hello hello = {.layers = layers};
    return wire_give(sock, &hello, sizeof hello);
}

/* All of it, in as few messages as the socket takes. */
static bool wire_give_all(int sock, struct iovec *v, size_t n)
{
    struct msghdr m = {.msg_iov = v, .msg_iovlen = n};
    while (m.msg_iovlen > 0) {
        const ssize_t put = sendmsg(sock, &m, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            return false;
        message_advance(&m, put > 0 ? (size_t)put : 0);
    }
    return true;
}

bool parser_wire_answer(int sock, struct parser_output *out, const struct convert_answer *a, bool more)
{
    struct iovec v[3 + 2 * CONVERT_PROFILES_MAX];
    size_t n = 0;
    const bool has_ranges = a->reply.profile_count || a->reply.series_count;
    if (more && !has_ranges && out->held_count < PARSER_HELD) {
        out->held[out->held_count++] = a->reply;
        return true;
    }
    v[n++] = (struct iovec){out->held, out->held_count * sizeof *out->held};
    v[n++] = (struct iovec){(void *)&a->reply, sizeof a->reply};
    for (uint32_t i = 0; i < a->reply.profile_count; i++) {
        v[n++] = (struct iovec){&a->profiles[i], sizeof a->profiles[i]};
        v[n++] = (struct iovec){a->bytes[i], a->profiles[i].size};
    }
    v[n++] = (struct iovec){a->series, a->reply.series_count * sizeof *a->series};
    out->held_count = 0;
    return wire_give_all(sock, v, n);
}

bool parser_wire_items(const uint8_t *bytes, size_t size, struct parser_item *items, size_t n)
{
    struct cursor sizes = cursor_of(bytes, size), data = sizes;
    (void)cursor_bytes(&data, n * sizeof(struct parser_item_sizes));
    for (size_t i = 0; i < n; i++) {
        struct parser_item_sizes s = {0};
        const uint8_t *p = cursor_bytes(&sizes, sizeof s);
        if (p)
            memcpy(&s, p, sizeof s);
        items[i].head = cursor_str(&data, s.head);
        items[i].bytes = cursor_str(&data, s.bytes);
    }
    return !sizes.bad && !data.bad;
}

bool parser_wire_reply(int sock, const struct parser_reply *r, const void *bytes)
{
    return wire_give(sock, r, sizeof *r) && wire_give(sock, bytes, r->size);
}
