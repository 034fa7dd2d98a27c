/* Frames over a socket: how they come in pieces, what they carry, and what a peer may do to the reader. */
#include "priv/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

struct link {
    int ours, theirs;
    struct frame_in in;
};

static struct link link_open(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        abort();
    return (struct link){ends[0], ends[1], WIRE_IN_INIT};
}

static void link_done(struct link *l)
{
    frame_in_done(&l->in);
    close(l->ours);
    if (l->theirs >= 0)
        close(l->theirs);
}
#define cleanup_link __attribute__((cleanup(link_done)))

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static bool same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void a_frame_arrives_as_it_was_sent(void)
{
    cleanup_link struct link l = link_open();
    struct frame_out out = {.head = {.len = 5, .kind = 3, .timeout_ms = 70, .id = 1ULL << 40, .user = 8, .ids = 9},
                            .body = (const uint8_t *)"hello"};
    CHECK_INT(frame_send(l.theirs, &out), 0);
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_FRAME);
    const struct frame_head h = frame_head_of(&l.in);
    CHECK(memcmp(&h, &out.head, sizeof h) == 0);
    CHECK(memcmp(frame_body(&l.in), "hello", 5) == 0);
    frame_next(&l.in);
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_AGAIN);
    close(l.theirs);
    l.theirs = -1;
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_CLOSED);
}

static void a_frame_that_comes_byte_by_byte_is_whole_at_its_last(void)
{
    cleanup_link struct link l = link_open();
    uint8_t bytes[sizeof(struct frame_head) + 3] = {0};
    memcpy(bytes, &(struct frame_head){.len = 3, .id = 7}, sizeof(struct frame_head));
    memcpy(bytes + sizeof(struct frame_head), "abc", 3);
    for (size_t i = 0; i + 1 < sizeof bytes; i++) {
        CHECK_INT(write(l.theirs, bytes + i, 1), 1);
        if (frame_read(l.ours, &l.in) != WIRE_AGAIN)
            FAIL_("whole after %zu bytes", i + 1);
    }
    CHECK_INT(write(l.theirs, bytes + sizeof bytes - 1, 1), 1);
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_FRAME);
    CHECK_INT(frame_head_of(&l.in).id, 7);
}

static void frames_sent_together_are_read_one_by_one(void)
{
    cleanup_link struct link l = link_open();
    for (uint64_t id = 1; id <= 3; id++)
        CHECK_INT(frame_send(l.theirs, &(struct frame_out){.head = {.len = 1, .id = id}, .body = (uint8_t *)"x"}), 0);
    for (uint64_t id = 1; id <= 3; id++) {
        CHECK_INT(frame_read(l.ours, &l.in), WIRE_FRAME);
        CHECK_INT(frame_head_of(&l.in).id, id);
        frame_next(&l.in);
    }
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_AGAIN);
}

static void files_belong_to_the_frame_they_came_with(void)
{
    cleanup_link struct link l = link_open();
    const int before = open_files();
    cleanup_close int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), full = open("/dev/full", O_RDONLY | O_CLOEXEC);
    CHECK_INT(frame_send(l.theirs, &(struct frame_out){.head = {.fd_count = 1, .id = 1}, .fds = &zero}), 0);
    CHECK_INT(frame_send(l.theirs, &(struct frame_out){.head = {.id = 2}}), 0);
    CHECK_INT(frame_send(l.theirs, &(struct frame_out){.head = {.fd_count = 2, .id = 3}, .fds = (int[]){full, zero}}),
              0);
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_FRAME);
    CHECK_INT(l.in.fd_count, 1);
    CHECK(same_file(l.in.fds[0], zero));
    CHECK(fcntl(l.in.fds[0], F_GETFD) & FD_CLOEXEC);
    frame_next(&l.in);
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_FRAME);
    CHECK_INT(l.in.fd_count, 0);
    frame_next(&l.in);
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_FRAME);
    CHECK_INT(l.in.fd_count, 2);
    CHECK(same_file(l.in.fds[0], full) && same_file(l.in.fds[1], zero));
    cleanup_close int taken = TAKE_FD(l.in.fds[0]);
    frame_next(&l.in);
    CHECK(same_file(taken, full));
    CHECK_INT(open_files(), before + 3); /* ours, and the one that was taken */
}

/* Some files with one byte, as no sender of ours does it. */
static void send_files(int sock, size_t n)
{
    enum { MOST = 32 };
    int fds[MOST];
    for (size_t i = 0; i < n; i++)
        fds[i] = STDIN_FILENO;
    char space[CMSG_SPACE(sizeof fds)] __attribute__((aligned(8))) = {0}, byte = 1;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = CMSG_SPACE(n * sizeof *fds)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof *fds)};
    memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
    CHECK_INT(sendmsg(sock, &msg, 0), 1);
}

static void files_beyond_the_limit_are_closed(void)
{
    const int before = open_files();
    {
        cleanup_link struct link l = link_open();
        send_files(l.theirs, 32);
        CHECK_INT(frame_read(l.ours, &l.in), WIRE_AGAIN);
        CHECK(l.in.fd_count <= WIRE_FDS_MAX);
        for (int i = 0; i < 8; i++) { /* with every byte of the header again */
            send_files(l.theirs, 3);
            CHECK_INT(frame_read(l.ours, &l.in), WIRE_AGAIN);
        }
        CHECK_INT(l.in.fd_count, WIRE_FDS_MAX);
        CHECK_INT(open_files(), before + 2 + WIRE_FDS_MAX);
    }
    CHECK_INT(open_files(), before);
}

static void a_length_beyond_the_limit_ends_it(void)
{
    cleanup_link struct link l = link_open();
    struct frame_head h = {.len = WIRE_FRAME_MAX + 1};
    CHECK_INT(write(l.theirs, &h, sizeof h), sizeof h);
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_CLOSED);
    cleanup_link struct link m = link_open();
    h.len = UINT32_MAX;
    CHECK_INT(write(m.theirs, &h, sizeof h), sizeof h);
    CHECK_INT(frame_read(m.ours, &m.in), WIRE_CLOSED);
    CHECK(m.in.bytes.cap < 1 << 20);
}

static void a_peer_that_ends_within_a_frame_is_no_frame(void)
{
    cleanup_link struct link l = link_open();
    struct frame_head h = {.len = 10};
    CHECK_INT(write(l.theirs, &h, sizeof h), sizeof h);
    CHECK_INT(write(l.theirs, "12345", 5), 5);
    close(l.theirs);
    l.theirs = -1;
    CHECK_INT(frame_read(l.ours, &l.in), WIRE_CLOSED);
}

static void a_full_socket_is_no_failure(void)
{
    enum { LEN = 4 << 20 };
    cleanup_link struct link l = link_open();
    cleanup_free uint8_t *body = xmalloc(LEN);
    for (size_t i = 0; i < LEN; i++)
        body[i] = (uint8_t)(i * 7);
    struct frame_out out = {.head = {.len = LEN, .id = 5}, .body = body};
    unsigned full = 0;
    enum frame_state state = WIRE_AGAIN;
    for (int done = 0; state == WIRE_AGAIN;) {
        if (done == 0)
            full += (done = frame_write(l.theirs, &out)) == 0;
        CHECK(done >= 0);
        state = frame_read(l.ours, &l.in);
    }
    CHECK_INT(state, WIRE_FRAME);
    CHECK(full > 0);
    CHECK(memcmp(frame_body(&l.in), body, LEN) == 0);
    frame_next(&l.in);
    CHECK(l.in.bytes.cap <= 64 << 10); /* a large frame's memory is given back */
}

static void a_peer_that_is_gone_raises_no_signal(void)
{
    cleanup_link struct link l = link_open();
    close(l.theirs);
    l.theirs = -1;
    CHECK_INT(frame_send(l.ours, &(struct frame_out){.head = {.id = 1}}), -EPIPE);
}

int main(void)
{
    RUN(a_frame_arrives_as_it_was_sent);
    RUN(a_frame_that_comes_byte_by_byte_is_whole_at_its_last);
    RUN(frames_sent_together_are_read_one_by_one);
    RUN(files_belong_to_the_frame_they_came_with);
    RUN(files_beyond_the_limit_are_closed);
    RUN(a_length_beyond_the_limit_ends_it);
    RUN(a_peer_that_ends_within_a_frame_is_no_frame);
    RUN(a_full_socket_is_no_failure);
    RUN(a_peer_that_is_gone_raises_no_signal);
    return REPORT();
}
