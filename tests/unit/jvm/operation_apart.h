/* Running an operation as the helper does: apart, for it becomes the target's user for good. */
#pragma once

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "jvm/operation/operations.h"
#include "priv/wire.h"
#include "test.h"

/* In a process of its own, as in the helper: it becomes the target's user for good. Its descriptors come with the
 * reply. */
static void operation_apart(jvm_operation *operation, const struct jvm_request *s, int64_t deadline_ms,
                            struct jvm_reply *reply)
{
    int ends[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct jvm_reply r;
        operation(s, deadline_ms, &r);
        const int fds[] = {r.output_fd, r.previous_fd, r.socket_fd, r.crash_dir};
        struct frame_out out = {.head = {.len = sizeof r}, .body = (const uint8_t *)&r};
        int given[ARRAY_LEN(fds)];
        for (size_t i = 0; i < ARRAY_LEN(fds); i++)
            if (fds[i] >= 0)
                given[out.head.fd_count++] = fds[i];
        out.fds = given;
        _exit(frame_send(ends[1], &out) < 0);
    }
    close(ends[1]);
    struct frame_in in = WIRE_IN_INIT;
    enum frame_state state;
    while ((state = frame_read(ends[0], &in)) == WIRE_AGAIN)
        usleep(1000);
    size_t taken = 0;
    CHECK(state == WIRE_FRAME);
    if (state == WIRE_FRAME) {
        memcpy(reply, frame_body(&in), sizeof *reply);
        if (reply->output_fd >= 0)
            reply->output_fd = TAKE_FD(in.fds[taken++]);
        if (reply->previous_fd >= 0)
            reply->previous_fd = TAKE_FD(in.fds[taken++]);
        if (reply->socket_fd >= 0)
            reply->socket_fd = TAKE_FD(in.fds[taken++]);
        if (reply->crash_dir >= 0)
            reply->crash_dir = TAKE_FD(in.fds[taken++]);
    }
    frame_in_done(&in);
    close(ends[0]);
    waitpid(child, NULL, 0);
}
