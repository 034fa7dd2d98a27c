#include "priv/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/cleanup.h"

static void keep_fds(struct frame_in *in, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (in->fd_count < WIRE_FDS_MAX)
                in->fds[in->fd_count++] = fd;
            else
                close(fd);
        }
    }
}

/* Up to `want` bytes; stops before bytes that carry another frame's descriptors, since no read asks beyond one
 * frame. */
static ssize_t wire_receive(int sock, struct frame_in *in, size_t want)
{
    uint8_t *room = buf_reserve(&in->bytes, want);
    if (!room)
        return 0;
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
    } control;
    struct iovec iov = {room, want};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? -EAGAIN : 0;
    keep_fds(in, &msg);
    in->bytes.len += (size_t)n;
    return n;
}

struct frame_head frame_head_of(const struct frame_in *in)
{
    struct frame_head h = {0};
    if (in->bytes.len >= sizeof h)
        memcpy(&h, in->bytes.p, sizeof h);
    return h;
}

const uint8_t *frame_body(const struct frame_in *in)
{
    return in->bytes.p + sizeof(struct frame_head);
}

enum frame_state frame_read(int sock, struct frame_in *in)
{
    for (;;) {
        size_t want = sizeof(struct frame_head);
        if (in->bytes.len >= want) {
            uint32_t len = frame_head_of(in).len;
            if (len > WIRE_FRAME_MAX)
                return WIRE_CLOSED;
            want += len;
            if (in->bytes.len == want)
                return WIRE_FRAME;
        }
        ssize_t n = wire_receive(sock, in, want - in->bytes.len);
        if (n <= 0)
            return n == -EAGAIN ? WIRE_AGAIN : WIRE_CLOSED;
    }
}

void frame_close_fds(struct frame_in *in)
{
    for (size_t i = 0; i < in->fd_count; i++)
        if (in->fds[i] >= 0)
            close(in->fds[i]);
    in->fd_count = 0;
}

void frame_next(struct frame_in *in)
{
    enum { KEPT_MAX = 64 << 10 };
    frame_close_fds(in);
    if (in->bytes.cap > KEPT_MAX)
        buf_done(&in->bytes);
    else
        buf_reset(&in->bytes);
}

void frame_in_done(struct frame_in *in)
{
    frame_close_fds(in);
    buf_done(&in->bytes);
}

int frame_write(int sock, struct frame_out *out)
{
    const size_t head = sizeof out->head, total = head + out->head.len;
    while (out->sent < total) {
        struct iovec iov[2];
        size_t parts = 0;
        if (out->sent < head)
            iov[parts++] = (struct iovec){(uint8_t *)&out->head + out->sent, head - out->sent};
        size_t from = out->sent < head ? 0 : out->sent - head;
        if (from < out->head.len)
            iov[parts++] = (struct iovec){(void *)(out->body + from), out->head.len - from};
        union {
            struct cmsghdr align;
            char space[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
        } control = {0};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = parts};
        if (out->sent == 0 && out->head.fd_count > 0) {
            size_t n = sizeof(int) * out->head.fd_count;
            msg.msg_control = &control;
            msg.msg_controllen = CMSG_SPACE(n);
            struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
            c->cmsg_level = SOL_SOCKET;
            c->cmsg_type = SCM_RIGHTS;
            c->cmsg_len = CMSG_LEN(n);
            memcpy(CMSG_DATA(c), out->fds, n);
        }
        ssize_t n = sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        out->sent += (size_t)n;
    }
    return 1;
}

int frame_send(int sock, struct frame_out *out)
{
    for (;;) {
        int done = frame_write(sock, out);
        if (done != 0)
            return done < 0 ? done : 0;
        struct pollfd room = {.fd = sock, .events = POLLOUT};
        poll(&room, 1, -1);
    }
}
