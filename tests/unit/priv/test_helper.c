/* The helper's own end of the wire, without a main process that knows the rules: frames as they come. test_priv.c has
 * the rest. */
#include "priv/helper.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/procfs.h"
#include "os/rights.h"
#include "priv/wire.h"
#include "test.h"

enum { OP_REPEAT, OP_COUNT_FILES, OP_HANG, OP_STAY, OP_STRICT, OP_ONE_CAP, OP_NO_CAP, OPS, WAIT_MS = 20000 };

static void op_repeat(struct priv_call *call)
{
    buf_append(&call->out, call->in, call->in_len);
}

static void op_count_files(struct priv_call *call)
{
    buf_printf(&call->out, "%zu", call->in_fd_count);
}

static void op_hang(struct priv_call *call)
{
    (void)call;
    for (;;)
        pause();
}

static void op_stay(struct priv_call *call)
{
    buf_printf(&call->out, "%d", (int)getpid());
}

/* What it may do. */
static void op_capabilities(struct priv_call *call)
{
    cleanup_buf struct buf text = BUF_INIT(1 << 16);
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
    if (procfs_read(getpid(), "status", &text, NULL) < 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        const struct str set = str_trim(procfs_status_field(buf_slice(&text), sets[i]));
        buf_printf(&call->out, "%s%llx", i ? " " : "", strtoull(set.p, NULL, 16));
    }
}

static const struct priv_op ops[] = {
    {"repeat", op_repeat},
    {"count-files", op_count_files, .fds_max = 4},
    {"hang", op_hang},
    {"stay", op_stay, .again = true},
    {"strict", op_count_files, .fds_max = 1, .in_max = 4, .max_ms = 10000},
    {"one", op_capabilities, .capabilities = RIGHTS_CAP(CAP_SETUID)},
    {"none", op_capabilities},
    {0},
};

struct helped {
    pid_t pid;
    int sock;
    struct frame_in in;
};

static struct helped helper_fork(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        abort();
    const pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0)
        helper_run(ends[1], ops);
    close(ends[1]);
    return (struct helped){pid, ends[0], WIRE_IN_INIT};
}

/* Whether it ended by itself; it has to once its socket is closed. */
static bool helper_ends(struct helped *h)
{
    int status = 0;
    frame_in_done(&h->in);
    if (h->sock >= 0)
        close(h->sock);
    h->sock = -1;
    for (const int64_t deadline = clock_ms() + WAIT_MS; clock_ms() < deadline; usleep(1000))
        if (waitpid(h->pid, &status, WNOHANG) == h->pid)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
    return false;
}

static void call(struct helped *h, struct frame_head head, const char *body)
{
    head.len = body ? (uint32_t)strlen(body) : 0;
    CHECK_INT(frame_send(h->sock, &(struct frame_out){.head = head, .body = (const uint8_t *)body}), 0);
}

/* Waits for the next answer; frame_next() before another one. */
static enum frame_state next_answer(struct helped *h)
{
    enum frame_state state;
    struct pollfd readable = {.fd = h->sock, .events = POLLIN};
    while ((state = frame_read(h->sock, &h->in)) == WIRE_AGAIN)
        if (poll(&readable, 1, WAIT_MS) <= 0)
            return WIRE_AGAIN;
    return state;
}

static void check_answer(struct helped *h, uint64_t id, uint32_t kind, const char *body)
{
    CHECK_INT(next_answer(h), WIRE_FRAME);
    const struct frame_head head = frame_head_of(&h->in);
    CHECK_INT(head.id, id);
    CHECK_INT(head.kind, kind);
    CHECK_INT(head.len, strlen(body));
    CHECK(head.len == strlen(body) && memcmp(frame_body(&h->in), body, head.len) == 0);
    frame_next(&h->in);
}

static void a_ping_is_answered_while_operations_hang(void)
{
    struct helped h = helper_fork();
    call(&h, (struct frame_head){.kind = OP_HANG, .id = 1, .timeout_ms = 3000}, NULL);
    call(&h, (struct frame_head){.kind = WIRE_PING, .id = 2}, NULL);
    check_answer(&h, 2, WIRE_PING, "");
    check_answer(&h, 1, PRIV_TIMEOUT, "");
    CHECK(helper_ends(&h));
}

static void a_number_of_no_operation_is_answered(void)
{
    struct helped h = helper_fork();
    call(&h, (struct frame_head){.kind = OPS, .id = 1, .timeout_ms = 1000}, "x");
    check_answer(&h, 1, PRIV_CRASHED, "");
    call(&h, (struct frame_head){.kind = WIRE_PING - 1, .id = 2, .timeout_ms = 1000}, "x");
    check_answer(&h, 2, PRIV_CRASHED, "");
    call(&h, (struct frame_head){.kind = WIRE_STUCK | WIRE_ENDED, .id = 3, .timeout_ms = 1000}, "x");
    check_answer(&h, 3, PRIV_CRASHED, "");
    call(&h, (struct frame_head){.kind = OP_REPEAT, .id = 4, .timeout_ms = 10000}, "still here");
    check_answer(&h, 4, PRIV_DONE, "still here");
    CHECK(helper_ends(&h));
}

static void a_deadline_that_is_over_ends_the_call_at_once(void)
{
    struct helped h = helper_fork();
    const int64_t begun = clock_ms();
    call(&h, (struct frame_head){.kind = OP_HANG, .id = 1, .timeout_ms = 0}, NULL);
    check_answer(&h, 1, PRIV_TIMEOUT, "");
    CHECK(clock_ms() - begun < WAIT_MS / 2);
    call(&h, (struct frame_head){.kind = OP_REPEAT, .id = 2, .timeout_ms = UINT32_MAX}, "the longest there is");
    check_answer(&h, 2, PRIV_DONE, "the longest there is");
    CHECK(helper_ends(&h));
}

static void more_files_than_a_call_may_have_are_closed(void)
{
    struct helped h = helper_fork();
    const int many[] = {h.sock, h.sock, h.sock, h.sock};
    for (uint64_t id = 1; id <= 100; id++) { /* far more than the limit of open files, were they kept */
        struct frame_out out = {.head = {.kind = OP_COUNT_FILES, .id = id, .fd_count = 4, .timeout_ms = 10000},
                                .fds = many};
        CHECK_INT(frame_send(h.sock, &out), 0);
        check_answer(&h, id, PRIV_DONE, "4");
    }
    CHECK(helper_ends(&h));
}

static void check_strict(struct helped *h, struct frame_head head, const char *body, const int *fds, uint32_t kind)
{
    head.kind = OP_STRICT;
    head.len = (uint32_t)strlen(body);
    struct frame_out out = {.head = head, .body = (const uint8_t *)body, .fds = fds};
    CHECK_INT(frame_send(h->sock, &out), 0);
    CHECK_INT(next_answer(h), WIRE_FRAME);
    CHECK_INT(frame_head_of(&h->in).kind, kind);
    frame_next(&h->in);
}

/* The main process may be an attacker's by then. */
static void what_an_operation_does_not_take_is_not_run(void)
{
    struct helped h = helper_fork();
    const int fds[] = {h.sock, h.sock};
    check_strict(&h, (struct frame_head){.id = 1, .timeout_ms = 10000, .fd_count = 1}, "four", fds, PRIV_DONE);
    check_strict(&h, (struct frame_head){.id = 2, .timeout_ms = 10000}, "fives", fds, PRIV_CRASHED);
    check_strict(&h, (struct frame_head){.id = 3, .timeout_ms = 10001}, "four", fds, PRIV_CRASHED);
    check_strict(&h, (struct frame_head){.id = 4, .timeout_ms = 10000, .fd_count = 2}, "four", fds, PRIV_CRASHED);
    call(&h, (struct frame_head){.kind = OP_STRICT, .id = 5, .timeout_ms = 10000, .fd_count = 0}, "");
    check_answer(&h, 5, PRIV_DONE, "0");
    CHECK(helper_ends(&h));
}

/* Which are many when it runs as root, and none when it does not. */
static void a_child_has_the_capabilities_of_its_operation_only(void)
{
    struct helped h = helper_fork();
    const char *one = geteuid() == 0 ? "0 80 80 0" : "0 0 0 0";
    call(&h, (struct frame_head){.kind = OP_NO_CAP, .id = 1, .timeout_ms = 10000}, NULL);
    check_answer(&h, 1, PRIV_DONE, "0 0 0 0");
    call(&h, (struct frame_head){.kind = OP_ONE_CAP, .id = 2, .timeout_ms = 10000}, NULL);
    check_answer(&h, 2, PRIV_DONE, one);
    CHECK(helper_ends(&h));
}

/* Each reply is memory of the helper until it is taken. */
static void who_takes_no_replies_is_not_served_for_ever(void)
{
    enum { CALLS = 4096, BODY = 32 << 10 };
    struct helped h = helper_fork();
    static char body[BODY + 1];
    memset(body, 'x', BODY);
    unsigned sent = 0;
    struct pollfd writable = {.fd = h.sock, .events = POLLOUT};
    for (; sent < CALLS && poll(&writable, 1, 1000) > 0; sent++) {
        struct frame_out out = {.head = {.kind = OP_REPEAT, .id = sent + 1, .len = BODY, .timeout_ms = 10000},
                                .body = (const uint8_t *)body};
        if (frame_write(h.sock, &out) == 0)
            break;
    }
    CHECK(sent < CALLS);
    kill(h.pid, SIGKILL); /* with half a frame in its socket */
    waitpid(h.pid, NULL, 0);
    close(h.sock);
}

static void a_frame_that_is_cut_off_ends_the_helper(void)
{
    struct helped h = helper_fork();
    CHECK_INT(write(h.sock, "half a header", 13), 13);
    CHECK(helper_ends(&h));
}

static void a_frame_beyond_the_limit_ends_the_helper(void)
{
    struct helped h = helper_fork();
    struct frame_head head = {.kind = OP_REPEAT, .id = 1, .len = UINT32_MAX, .timeout_ms = 1000};
    CHECK_INT(write(h.sock, &head, sizeof head), sizeof head);
    CHECK_INT(next_answer(&h), WIRE_CLOSED);
    CHECK(helper_ends(&h));
}

static void calls_under_way_end_before_the_helper_does(void)
{
    struct helped h = helper_fork();
    for (uint64_t id = 1; id <= 5; id++)
        call(&h, (struct frame_head){.kind = OP_HANG, .id = id, .timeout_ms = 300}, NULL);
    const int64_t begun = clock_ms();
    CHECK(helper_ends(&h));
    CHECK(clock_ms() - begun < WAIT_MS / 2);
}

/* The pid that answered. */
static int stayed(struct helped *h, uint64_t id, uint64_t user, uint64_t ids)
{
    char text[16] = "";
    call(h, (struct frame_head){.kind = OP_STAY, .id = id, .user = user, .ids = ids, .timeout_ms = 10000}, NULL);
    CHECK_INT(next_answer(h), WIRE_FRAME);
    const struct frame_head head = frame_head_of(&h->in);
    CHECK_INT(head.kind, PRIV_DONE);
    if (head.len < sizeof text)
        memcpy(text, frame_body(&h->in), head.len);
    frame_next(&h->in);
    return atoi(text);
}

static void a_child_stays_for_its_own_user_and_rights_only(void)
{
    struct helped h = helper_fork();
    const int first = stayed(&h, 1, 1000, 5);
    CHECK(first > 0);
    CHECK_INT(stayed(&h, 2, 1000, 5), first);
    CHECK(stayed(&h, 3, 1001, 5) != first);
    CHECK(stayed(&h, 4, 1000, 6) != first);
    CHECK_INT(stayed(&h, 5, 1000, 5), first);
    CHECK(helper_ends(&h));
}

int main(void)
{
    RUN(a_ping_is_answered_while_operations_hang);
    RUN(a_number_of_no_operation_is_answered);
    RUN(a_deadline_that_is_over_ends_the_call_at_once);
    RUN(more_files_than_a_call_may_have_are_closed);
    RUN(what_an_operation_does_not_take_is_not_run);
    RUN(a_child_has_the_capabilities_of_its_operation_only);
    RUN(who_takes_no_replies_is_not_served_for_ever);
    RUN(a_frame_that_is_cut_off_ends_the_helper);
    RUN(a_frame_beyond_the_limit_ends_the_helper);
    RUN(calls_under_way_end_before_the_helper_does);
    RUN(a_child_stays_for_its_own_user_and_rights_only);
    return REPORT();
}
