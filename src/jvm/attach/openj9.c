#include "jvm/attach/openj9.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "jvm/attach/openj9_words.h"

enum { KEY_SIZE = 17, PORT_TRIES = 16, CLIENTS_MAX = 8, GREETING_MAX = 64 };
enum {
    LOCK_WAIT_MS = 2000,
    LOCK_STEP_MS = 10,
    FIRST_ROUND_MS = 500,
    LAST_ROUND_MS = 1000,
    PAUSE_MS = 50,
    DETACH_MS = 500,
    COMMAND_MAX = 8 << 10
};

/* Both loopback addresses, because it is the JVM that chooses. */
struct openj9_listener {
    int fds[2]; /* -1 = the host does not have that address */
    unsigned port;
};

/* Who connected, and what it said so far. */
struct openj9_client {
    int fd;
    size_t len;
    char said[GREETING_MAX];
};

static int openj9_left(int64_t until_ms)
{
    const int64_t left = until_ms - clock_ms();
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* poll(2) until `until_ms`; the first of `fds` is the process. Returns how many of the others have something, 0 at the
 * end. */
static int openj9_poll(const struct openj9_files *f, struct pollfd *fds, size_t n, int64_t until_ms, struct err *err)
{
    int got;
    fds[0] = (struct pollfd){.fd = f->v->p.fd, .events = POLLIN};
    do
        got = poll(fds, n, openj9_left(until_ms));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_errno(err, "poll");
    if (fds[0].revents && got == 1)
        return err_set(err, -ESRCH, "process %d is gone", (int)f->v->p.pid);
    return got;
}

static int openj9_timed_out(const struct openj9_files *f, struct err *err)
{
    return err_set(err, -ETIMEDOUT, "process %d did not answer in time", (int)f->v->p.pid);
}

/* ---- the port ---- */

static int listen_at(int family, unsigned *port)
{
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)*port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *addr = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
    const int on = 1;
    cleanup_close int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
        bind(fd, addr, size) < 0 || listen(fd, CLIENTS_MAX) < 0 || getsockname(fd, addr, &size) < 0)
        return -errno;
    *port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    return TAKE_FD(fd);
}

static void openj9_unlisten(struct openj9_listener *l)
{
    for (int i = 0; i < 2; i++)
        if (l->fds[i] >= 0)
            close(l->fds[i]);
    *l = (struct openj9_listener){.fds = {-1, -1}};
}

static int openj9_listen(struct openj9_listener *ret, struct err *err)
{
    int code = 0;
    for (int i = 0; i < PORT_TRIES; i++) {
        struct openj9_listener l = {.fds = {-1, -1}};
        code = l.fds[0] = listen_at(AF_INET, &l.port);
        const int other = l.fds[1] = listen_at(AF_INET6, &l.port);
        /* Somebody has that port of the other address: another one then. */
        if (other == -EADDRINUSE && code >= 0) {
            code = other;
            openj9_unlisten(&l);
            continue;
        }
        if (code < 0 && other < 0)
            break;
        *ret = l;
        return 0;
    }
    return err_set(err, code, "listen on the loopback interface: %s", strerror(-code));
}

/* ---- waking the JVM ---- */

static int openj9_semaphore(const struct openj9_files *f, int *ret, struct err *err)
{
    key_t key;
    const int code = openj9_files_semaphore(f, &key, err);
    if (code < 0)
        return code;
    /* An existing one only, of whatever size: a new one would wake nobody. */
    const int id = semget(key, 0, 0);
    if (id < 0)
        return err_set(err, -ENOTSUP, "the semaphore of OpenJ9's attach directory cannot be used: %s",
                       errno == ENOENT ? "it was removed, or is of another IPC namespace" : strerror(errno));
    *ret = id;
    return 0;
}

int openj9_check(const struct openj9_files *f, struct err *err)
{
    int unused;
    return openj9_semaphore(f, &unused, err);
}

/* What was woken, to be taken back. */
struct openj9_wake {
    int semaphore;
    size_t posts, locked;
    int locks[OPENJ9_JVMS_MAX];
};

/* Once for each JVM: which of them gets which is up to the kernel. None of them waits again before its lock is let go,
 * so that none takes two. */
static int openj9_wake(const struct openj9_files *f, struct openj9_wake *w, struct err *err)
{
    w->posts = openj9_files_lock_jvms(f, w->locks, &w->locked);
    struct sembuf post = {.sem_op = (short)w->posts, .sem_flg = IPC_NOWAIT};
    if (semop(w->semaphore, &post, 1) == 0)
        return 0;
    w->posts = 0;
    /* At its maximum it wakes everybody anyway. */
    if (errno != ERANGE)
        return err_set(err, -ENOTSUP, "the semaphore of OpenJ9's attach directory cannot be used: %s", strerror(errno));
    return 0;
}

static void openj9_wake_done(struct openj9_wake *w)
{
    struct sembuf take = {.sem_op = -1, .sem_flg = IPC_NOWAIT};
    for (size_t i = 0; i < w->locked; i++)
        close(w->locks[i]);
    while (w->posts > 0 && semop(w->semaphore, &take, 1) == 0)
        w->posts--;
    w->locked = w->posts = 0;
}

/* ---- who connects ---- */

struct openj9_lobby {
    const struct openj9_files *f;
    struct openj9_listener listener;
    struct openj9_client clients[CLIENTS_MAX];
    size_t len;
    char greeting[GREETING_MAX]; /* what the JVM says */
};

static void lobby_remove(struct openj9_lobby *l, size_t i)
{
    if (l->clients[i].fd >= 0)
        close(l->clients[i].fd);
    memmove(&l->clients[i], &l->clients[i + 1], (--l->len - i) * sizeof *l->clients);
}

static void lobby_done(struct openj9_lobby *l)
{
    while (l->len)
        lobby_remove(l, l->len - 1);
    openj9_unlisten(&l->listener);
}
#define cleanup_lobby __attribute__((cleanup(lobby_done)))

/* Where there are too many, who was silent longest goes. */
static void lobby_accept(struct openj9_lobby *l, int from)
{
    const int fd = accept4(from, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (l->len == CLIENTS_MAX)
        lobby_remove(l, 0);
    l->clients[l->len++] = (struct openj9_client){.fd = fd};
}

enum openj9_greeting { GREETING_PARTIAL, GREETING_RIGHT, GREETING_WRONG };

static enum openj9_greeting lobby_listen_to(const struct openj9_lobby *l, struct openj9_client *c)
{
    const size_t whole = strlen(l->greeting) + 1;
    const ssize_t n = recv(c->fd, c->said + c->len, whole - c->len, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? GREETING_PARTIAL : GREETING_WRONG;
    c->len += (size_t)n;
    if (n == 0 || memcmp(c->said, l->greeting, c->len) != 0)
        return GREETING_WRONG;
    return c->len == whole ? GREETING_RIGHT : GREETING_PARTIAL;
}

/* Everything that is there to be read. The connection of the JVM, or -EAGAIN. */
static int lobby_step(struct openj9_lobby *l, const struct pollfd *fds, size_t clients)
{
    for (size_t i = clients; i-- > 0;) {
        if (!fds[3 + i].revents)
            continue;
        const enum openj9_greeting said = lobby_listen_to(l, &l->clients[i]);
        if (said == GREETING_RIGHT)
            return TAKE_FD(l->clients[i].fd);
        if (said == GREETING_WRONG)
            lobby_remove(l, i);
    }
    for (int i = 0; i < 2; i++)
        if (fds[1 + i].revents)
            lobby_accept(l, l->listener.fds[i]);
    return -EAGAIN;
}

/* The JVM's connection, by `until_ms`; -EAGAIN when it did not come. */
static int lobby_wait(struct openj9_lobby *l, int64_t until_ms, struct err *err)
{
    for (;;) {
        struct pollfd fds[3 + CLIENTS_MAX];
        const size_t clients = l->len;
        for (int i = 0; i < 2; i++)
            fds[1 + i] = (struct pollfd){.fd = l->listener.fds[i], .events = POLLIN};
        for (size_t i = 0; i < clients; i++)
            fds[3 + i] = (struct pollfd){.fd = l->clients[i].fd, .events = POLLIN};
        const int got = openj9_poll(l->f, fds, 3 + clients, until_ms, err);
        if (got <= 0)
            return got < 0 ? got : -EAGAIN;
        const int fd = lobby_step(l, fds, clients);
        if (fd != -EAGAIN)
            return fd;
        if (openj9_left(until_ms) == 0)
            return -EAGAIN;
    }
}

/* ---- attaching ---- */

/* Others who attach now would take the posts. Anybody can hold the lock for ever, so it is a courtesy: -EAGAIN, and
 * going on without. */
static int openj9_lock(const struct openj9_files *f, int64_t deadline_ms, struct err *err)
{
    const int64_t now = clock_ms(), half = now + (deadline_ms - now) / 2;
    const int64_t until = half < now + LOCK_WAIT_MS ? half : now + LOCK_WAIT_MS;
    for (;;) {
        struct pollfd exited[1];
        const int fd = openj9_files_lock(f);
        if (fd != -EAGAIN || openj9_left(until) == 0)
            return fd >= 0 ? fd : -EAGAIN;
        const int code = openj9_poll(f, exited, 1, clock_ms() + LOCK_STEP_MS, err);
        if (code < 0)
            return code;
    }
}

/* One try, after which others have theirs. The JVM's connection, or -EAGAIN. */
static int openj9_round(struct openj9_lobby *l, int semaphore, int64_t round_ms, int64_t deadline_ms, struct err *err)
{
    struct openj9_wake w = {.semaphore = semaphore};
    cleanup_close int lock = openj9_lock(l->f, deadline_ms, err);
    if (lock < 0 && lock != -EAGAIN)
        return lock;
    const int64_t end = clock_ms() + round_ms;
    int code = openj9_wake(l->f, &w, err);
    if (code == 0)
        code = lobby_wait(l, end < deadline_ms ? end : deadline_ms, err);
    openj9_wake_done(&w);
    return code;
}

/* Wakes the JVM and waits for it, again and again: JVMs that were woken for nothing wait for the locks meanwhile, so a
 * try is short. Who comes between two tries is served by the next. */
static int openj9_call_in(struct openj9_lobby *l, int64_t deadline_ms, struct err *err)
{
    int semaphore = -1, code = openj9_semaphore(l->f, &semaphore, err);
    for (int64_t round = FIRST_ROUND_MS; code == 0; round = round < LAST_ROUND_MS ? 2 * round : round) {
        code = openj9_round(l, semaphore, round, deadline_ms, err);
        if (code != -EAGAIN)
            return code;
        if (openj9_left(deadline_ms) == 0)
            return openj9_timed_out(l->f, err);
        code = lobby_wait(l, clock_ms() + PAUSE_MS, err);
        if (code != -EAGAIN)
            return code;
        code = 0;
    }
    return code;
}

static int openj9_key(char ret[KEY_SIZE], struct err *err)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_errno(err, "getrandom");
    snprintf(ret, KEY_SIZE, "%016llx", (unsigned long long)random);
    return 0;
}

static int openj9_connect(struct openj9_files *f, int64_t deadline_ms, struct err *err)
{
    char key[KEY_SIZE];
    cleanup_lobby struct openj9_lobby l = {.f = f, .listener = {.fds = {-1, -1}}};
    int code = openj9_key(key, err);
    if (code == 0)
        code = openj9_listen(&l.listener, err);
    if (code == 0)
        code = openj9_files_put_reply(f, key, l.listener.port, err);
    if (code < 0)
        return code;
    snprintf(l.greeting, sizeof l.greeting, "ATTACH_CONNECTED %s ", key);
    code = openj9_call_in(&l, deadline_ms, err);
    openj9_files_remove_reply(f);
    return code;
}

/* ---- the exchange ---- */

static int openj9_send(const struct openj9_files *f, int sock, struct str text, int64_t deadline_ms, struct err *err)
{
    for (size_t sent = 0; sent < text.n;) {
        const ssize_t n = send(sock, text.p + sent, text.n - sent, MSG_NOSIGNAL);
        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET)
            return err_set(err, -ECONNRESET, "the JVM closed the connection");
        if (errno != EAGAIN && errno != EINTR)
            return err_errno(err, "send to process %d", (int)f->v->p.pid);
        struct pollfd fds[2] = {[1] = {.fd = sock, .events = POLLOUT}};
        const int got = openj9_poll(f, fds, ARRAY_LEN(fds), deadline_ms, err);
        if (got <= 0)
            return got < 0 ? got : openj9_timed_out(f, err);
    }
    return 0;
}

/* Up to the NUL, which stays behind. */
static int openj9_receive(const struct openj9_files *f, int sock, struct buf *out, int64_t deadline_ms, struct err *err)
{
    enum { STEP = 1024 };
    for (;;) {
        uint8_t *room = buf_reserve(out, STEP);
        if (!room)
            return err_set(err, -EMSGSIZE, "the JVM's reply is too long");
        const ssize_t n = recv(sock, room, STEP, 0);
        if (n > 0) {
            const uint8_t *end = memchr(room, '\0', (size_t)n);
            out->len += end ? (size_t)(end - room) : (size_t)n;
            if (end)
                return 0;
            continue;
        }
        if (n == 0 || errno == ECONNRESET)
            return err_set(err, -ECONNRESET, "the JVM closed the connection");
        if (errno != EAGAIN && errno != EINTR)
            return err_errno(err, "receive from process %d", (int)f->v->p.pid);
        struct pollfd fds[2] = {[1] = {.fd = sock, .events = POLLIN}};
        const int got = openj9_poll(f, fds, ARRAY_LEN(fds), deadline_ms, err);
        if (got <= 0)
            return got < 0 ? got : openj9_timed_out(f, err);
    }
}

static int openj9_make_call(const struct openj9_files *f, int sock, const struct openj9_call *c, int64_t deadline_ms,
                            struct err *err)
{
    cleanup_buf struct buf command = BUF_INIT(COMMAND_MAX), reply = BUF_INIT(c->reply->max);
    int code = openj9_command(c->command, c->args, &command, err);
    if (code == 0)
        code = openj9_send(f, sock, buf_slice(&command), deadline_ms, err);
    if (code == 0)
        code = openj9_receive(f, sock, &reply, deadline_ms, err);
    if (code == 0)
        openj9_reply(c->command, buf_slice(&reply), c->reply);
    return code;
}

/* The JVM closes its side when it has answered; it need not. */
static void openj9_detach(const struct openj9_files *f, int sock, int64_t deadline_ms)
{
    cleanup_buf struct buf reply = BUF_INIT(COMMAND_MAX);
    const int64_t end = clock_ms() + DETACH_MS, until = end < deadline_ms ? end : deadline_ms;
    if (openj9_send(f, sock, (struct str){"ATTACH_DETACHED", sizeof "ATTACH_DETACHED"}, until, NULL) == 0)
        (void)!openj9_receive(f, sock, &reply, until, NULL);
}

int openj9_exchange(struct openj9_files *f, int64_t deadline_ms, const struct openj9_call *calls, size_t n,
                    struct err *err)
{
    cleanup_close int sock = openj9_connect(f, deadline_ms, err);
    int code = sock < 0 ? sock : 0;
    for (size_t i = 0; i < n && code == 0; i++)
        code = openj9_make_call(f, sock, &calls[i], deadline_ms, err);
    if (code == 0)
        openj9_detach(f, sock, deadline_ms);
    return code;
}
