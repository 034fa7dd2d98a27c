#include "jvm/attach/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "jvm/attach/openj9.h"
#include "os/fsutil.h"
#include "os/rootfs.h"

enum { FIRST_WAIT_MS = 1, LAST_WAIT_MS = 20, NAME_SIZE = 32 };

static int open_openj9(struct jvm_attach *a, struct err *err)
{
    struct openj9_options o;
    openj9_options_read(a->v, &o);
    if (o.attach_off)
        return err_set(err, -ENOTSUP, "the JVM runs with -Dcom.ibm.tools.attach.enable=no");
    a->openj9 = true;
    return openj9_files_open(&a->files, a->v, &o, err);
}

int jvm_attach_open(struct jvm_attach *a, const struct jvm_view *v, const struct jvm_probe *t, struct err *err)
{
    if (t->attach_off)
        return err_set(err, -ENOTSUP, "the JVM runs with -XX:+DisableAttachMechanism");
    if (t->no_dynamic_agents)
        return err_set(err, -ENOTSUP, "the JVM runs with -XX:-EnableDynamicAgentLoading");
    a->v = v;
    if (t->openj9)
        return open_openj9(a, err);
    a->may_signal = t->attach_known && t->catches_quit && !t->reduced_signals;
    a->why_not = t->reduced_signals ? "the JVM runs with -Xrs and its attach socket is gone"
                 : !t->attach_known ? "the JVM's attach listener is not running, and it is unknown whether it can be "
                                      "started: neither perf data nor all VM flags nor its memory can be read"
                                    : "the JVM does not handle SIGQUIT yet";
    /* HotSpot's own: java.io.tmpdir does not move it. */
    a->tmp = rootfs_dir(v->root, "/tmp", err);
    return a->tmp < 0 ? err_wrap(err, a->tmp, "the JVM creates its attach socket in /tmp") : 0;
}

void jvm_attach_done(struct jvm_attach *a)
{
    if (a->tmp >= 0)
        close(a->tmp);
    a->tmp = -1;
    openj9_files_done(&a->files);
}

void jvm_attach_undo(struct jvm_attach *a)
{
    openj9_files_remove_reply(&a->files);
}

static int left_ms(const struct jvm_attach *a)
{
    int64_t left = a->deadline_ms - clock_ms();
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static int timed_out(const struct jvm_attach *a, struct err *err)
{
    return err_set(err, -ETIMEDOUT, "process %d did not answer in time", (int)a->v->p.pid);
}

/* Waits for the socket, the process's end or the deadline. */
static int attach_await(const struct jvm_attach *a, int sock, short events, struct err *err)
{
    struct pollfd fds[] = {{.fd = sock, .events = events}, {.fd = a->v->p.fd, .events = POLLIN}};
    int n;
    do
        n = poll(fds, ARRAY_LEN(fds), left_ms(a));
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return timed_out(a, err);
    if (n < 0)
        return err_errno(err, "poll");
    if (!fds[0].revents)
        return err_set(err, -ESRCH, "process %d is gone", (int)a->v->p.pid);
    return 0;
}

static int connect_to(int sock, int file)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d", file);
    return connect(sock, (struct sockaddr *)&addr, sizeof addr) < 0 ? -errno : 0;
}

/* One try: -ENOENT or -ECONNREFUSED when nobody listens, -EAGAIN when the listener's queue is full. */
static int try_connect(const struct jvm_attach *a, int *ret, struct err *err)
{
    char name[NAME_SIZE];
    struct stat st;
    snprintf(name, sizeof name, ".java_pid%d", (int)a->v->ns_pid);
    cleanup_close int file = rootfs_peek_in(a->tmp, name, &st, err);
    if (file < 0)
        return file;
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, -EPERM, "/tmp/%s in the target is not a socket of the JVM", name);
    cleanup_close int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return err_errno(err, "socket");
    int code = connect_to(sock, file);
    if (code < 0)
        return err_set(err, code, "connect to /tmp/%s in the target: %s", name, strerror(-code));
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    /* The credentials of a listening socket are those at listen(): anyone else's is a trap. */
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid != a->v->p.pid)
        return err_set(err, -EPERM, "/tmp/%s in the target belongs to another process", name);
    *ret = TAKE_FD(sock);
    return 0;
}

int jvm_attach_socket(const struct jvm_attach *a)
{
    char name[NAME_SIZE];
    struct stat st;
    if (a->openj9)
        return openj9_files_advertisement(&a->files);
    snprintf(name, sizeof name, ".java_pid%d", (int)a->v->ns_pid);
    cleanup_close int file = rootfs_peek_in(a->tmp, name, &st, NULL);
    return file >= 0 && S_ISSOCK(st.st_mode) && fs_is_local(file) ? TAKE_FD(file) : -1;
}

static void remove_trigger(const struct jvm_attach *a)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, ".attach_pid%d", (int)a->v->ns_pid);
    unlinkat(a->tmp, name, 0);
}

/* In place and owned as the JVM wants it, or not there at all. */
static int make_trigger(const struct jvm_attach *a, struct err *err)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, ".attach_pid%d", (int)a->v->ns_pid);
    cleanup_close int fd = rootfs_make_file(a->tmp, name);
    if (fd == -EEXIST) {
        /* Left by someone who gave up; a symlink goes as such. */
        remove_trigger(a);
        fd = rootfs_make_file(a->tmp, name);
    }
    if (fd < 0)
        return err_set(err, fd, "create /tmp/%s in the target as its user %u: %s", name, (unsigned)a->v->rights.uid,
                       strerror(-fd));
    struct stat st;
    if (fstat(fd, &st) == 0 && st.st_uid == a->v->rights.uid)
        return 0;
    remove_trigger(a);
    return err_set(err, -EPERM, "/tmp/%s in the target does not belong to its user", name);
}

static bool nobody_listens(int code)
{
    return code == -ENOENT || code == -ECONNREFUSED;
}

static int wait_for_listener(const struct jvm_attach *a, int *sock, struct err *err)
{
    for (int wait = FIRST_WAIT_MS;; wait = wait < LAST_WAIT_MS ? wait + 1 : wait) {
        struct pollfd exited = {.fd = a->v->p.fd, .events = POLLIN};
        if (poll(&exited, 1, wait) > 0)
            return err_set(err, -ESRCH, "process %d is gone", (int)a->v->p.pid);
        int code = try_connect(a, sock, err);
        if (code == 0 || !(nobody_listens(code) || code == -EAGAIN))
            return code;
        if (left_ms(a) == 0)
            return timed_out(a, err);
    }
}

static int attach_connect(struct jvm_attach *a, int *sock, struct err *err)
{
    int code = try_connect(a, sock, err);
    if (code == -EAGAIN)
        return wait_for_listener(a, sock, err);
    if (!nobody_listens(code)) {
        if (code == 0)
            remove_trigger(a);
        return code;
    }
    if (!a->may_signal)
        return err_set(err, -ENOTSUP, "%s", a->why_not);
    code = make_trigger(a, err);
    if (code < 0)
        return code;
    /* Looked at once more: it may have executed another program meanwhile, which a SIGQUIT ends. */
    if (!jvm_view_catches_quit(a->v))
        code = err_set(err, -ENOTSUP, "process %d does not handle SIGQUIT any more", (int)a->v->p.pid);
    else
        code = pidref_kill(&a->v->p, SIGQUIT, err);
    if (code < 0) {
        remove_trigger(a);
        return code;
    }
    code = wait_for_listener(a, sock, err);
    if (code != -ETIMEDOUT)
        remove_trigger(a);
    return code;
}

static int attach_send(const struct jvm_attach *a, int sock, const char *command, const char *const args[3],
                       struct err *err)
{
    cleanup_buf struct buf request = BUF_INIT(4 * (ATTACH_ARG_MAX + 1));
    buf_append(&request, "1", sizeof "1");
    buf_append(&request, command, strlen(command) + 1);
    for (int i = 0; i < 3; i++) {
        const char *arg = args[i] ? args[i] : "";
        if (strlen(arg) >= ATTACH_ARG_MAX)
            return err_set(err, -E2BIG, "an argument of %zu bytes is too long for the JVM", strlen(arg));
        buf_append(&request, arg, strlen(arg) + 1);
    }
    for (size_t sent = 0; sent < request.len;) {
        ssize_t n = send(sock, request.p + sent, request.len - sent, MSG_NOSIGNAL);
        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET)
            return err_set(err, -ECONNRESET, "the JVM closed the connection");
        if (errno != EAGAIN && errno != EINTR)
            return err_errno(err, "send to process %d", (int)a->v->p.pid);
        int code = attach_await(a, sock, POLLOUT, err);
        if (code < 0)
            return code;
    }
    return 0;
}

static int attach_receive(const struct jvm_attach *a, int sock, struct buf *reply, struct err *err)
{
    enum { STEP = 1024 };
    size_t before = reply->len;
    for (;;) {
        uint8_t *room = buf_reserve(reply, STEP);
        if (!room)
            return err_set(err, -EMSGSIZE, "the JVM's reply is too long");
        ssize_t n = recv(sock, room, STEP, 0);
        if (n > 0) {
            reply->len += (size_t)n;
        } else if (n == 0 || errno == ECONNRESET) {
            return reply->len > before ? 0 : err_set(err, -ECONNRESET, "the JVM closed the connection");
        } else if (errno == EAGAIN) {
            int code = attach_await(a, sock, POLLIN, err);
            if (code < 0)
                return code;
        } else if (errno != EINTR) {
            return err_errno(err, "receive from process %d", (int)a->v->p.pid);
        }
    }
}

static int call_openj9(struct jvm_attach *a, const struct jvm_attach_command *commands, size_t n, struct err *err)
{
    struct openj9_call calls[2];
    for (size_t i = 0; i < n; i++)
        calls[i] = (struct openj9_call){commands[i].name, commands[i].args, commands[i].reply};
    return openj9_exchange(&a->files, a->deadline_ms, calls, n, err);
}

int jvm_attach_call(struct jvm_attach *a, const char *command, const char *const args[3], struct buf *reply,
                    struct err *err)
{
    if (a->openj9)
        return call_openj9(a, &(struct jvm_attach_command){command, args, reply}, 1, err);
    cleanup_close int sock = -1;
    int code = attach_connect(a, &sock, err);
    if (code == 0)
        code = attach_send(a, sock, command, args, err);
    return code == 0 ? attach_receive(a, sock, reply, err) : code;
}

int jvm_attach_call_both(struct jvm_attach *a, const struct jvm_attach_command both[2], int64_t *begun_ns,
                         struct err *err)
{
    *begun_ns = clock_ns();
    if (a->openj9)
        return call_openj9(a, both, 2, err);
    cleanup_close int first = -1, second = -1;
    int code = attach_connect(a, &first, err);
    *begun_ns = clock_ns();
    if (code == 0)
        code = attach_send(a, first, both[0].name, both[0].args, err);
    if (code == 0)
        code = attach_connect(a, &second, err);
    if (code == 0)
        code = attach_send(a, second, both[1].name, both[1].args, err);
    if (code == 0)
        code = attach_receive(a, first, both[0].reply, err);
    return code == 0 ? attach_receive(a, second, both[1].reply, err) : code;
}

static bool attach_contains(struct str s, const char *part)
{
    return s.p && memmem(s.p, s.n, part, strlen(part));
}

void jvm_attach_parse_load(struct str reply, struct jvm_load_reply *ret)
{
    static const char result[] = "return code: ";
    struct str rest = reply, first = {0};
    int64_t status = -1, code;
    *ret = (struct jvm_load_reply){0};
    (void)!str_split(&rest, '\n', &first);
    (void)!str_to_i64(str_trim(first), &status);
    rest = str_trim(rest);
    struct str number = str_has_prefix(rest, STR("return code: "))
                            ? (struct str){rest.p + strlen(result), rest.n - strlen(result)}
                            : rest;
    /* JDK 8 sends the bare number. */
    if (status == 0 && str_to_i64(number, &code) && code >= INT32_MIN && code <= INT32_MAX) {
        ret->loaded = true;
        ret->result = (int)code;
        return;
    }
    ret->early = attach_contains(rest, "live phase");
    str_one_line(rest.n ? str_trim(rest) : STR("the JVM gave no reason"), ret->message, sizeof ret->message);
}
