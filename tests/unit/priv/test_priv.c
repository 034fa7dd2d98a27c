/* The helper, for real: each test forks its own. Operations are small blocking functions of this file. */
#include "priv/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/procfs.h"
#include "test.h"

enum { CALLS_MAX = 64, FOREVER_S = 600 };

static void op_repeat(struct priv_call *call)
{
    buf_append(&call->out, call->in, call->in_len);
}

static void op_hang(struct priv_call *call)
{
    (void)call;
    for (;;)
        sleep(FOREVER_S);
}

static void op_hang_deaf(struct priv_call *call)
{
    sigset_t all;
    (void)call;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    op_hang(call);
}

static void op_part_then_hang(struct priv_call *call)
{
    buf_puts(&call->out, "part");
    priv_flush(call);
    buf_puts(&call->out, "never");
    op_hang(call);
}

static void op_crash(struct priv_call *call)
{
    buf_puts(&call->out, "so far");
    priv_flush(call);
    _exit(7);
}

/* As many files as the byte says, each holding its own number. */
static void op_files(struct priv_call *call)
{
    for (unsigned i = 0; i < call->in[0]; i++) {
        int fd = (int)syscall(SYS_memfd_create, "file", 0);
        char digit = (char)('0' + i);
        if (write(fd, &digit, 1) != 1)
            _exit(1);
        call->fds[call->fd_count++] = fd;
    }
    buf_puts(&call->out, "files");
}

static void remove_file(void *arg)
{
    unlink(arg);
}

/* Its input is a path: made, and removed by the deadline alone. */
static void op_file_then_hang(struct priv_call *call)
{
    static char path[128];
    memcpy(path, call->in, call->in_len);
    priv_on_deadline(remove_file, path);
    close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    op_hang(call);
}

/* Its input is a path: made after a while, whoever still listens. */
static void op_file_later(struct priv_call *call)
{
    char path[128];
    memcpy(path, call->in, call->in_len);
    usleep(300 * 1000);
    close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
}

/* The names of its descriptors, and whether they are the last ones: what it holds is closed here. */
static void op_take_files(struct priv_call *call)
{
    for (size_t i = 0; i < call->in_fd_count; i++) {
        char digit = '-';
        if (pread(call->in_fds[i], &digit, 1, 0) != 1)
            digit = '?';
        buf_append(&call->out, &digit, 1);
        close(call->in_fds[i]);
    }
    unsigned n = 0;
    cleanup_closedir DIR *d = opendir("/proc/self/fd");
    for (const struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' && strtol(e->d_name, NULL, 10) > STDERR_FILENO;
    buf_printf(&call->out, " %u left", n);
}

/* Its own number, and what came with the call. */
static void op_own_pid(struct priv_call *call)
{
    char digit = '-';
    if (call->in_fd_count == 1 && pread(call->in_fds[0], &digit, 1, 0) != 1)
        digit = '?';
    buf_printf(&call->out, "%.*s%c%zu %d", (int)call->in_len, (const char *)call->in, digit, call->in_fd_count,
               (int)getpid());
    if (call->in_len && call->in[0] == 'h')
        op_hang(call);
}

static void op_helper_pid(struct priv_call *call)
{
    pid_t helper = getppid();
    buf_append(&call->out, &helper, sizeof helper);
}

enum {
    REPEAT,
    HANG,
    HANG_DEAF,
    PART_THEN_HANG,
    CRASH,
    FILES,
    FILE_THEN_HANG,
    FILE_LATER,
    HELPER_PID,
    TAKE_FILES,
    AGAIN
};
static const struct priv_op ops[] = {
    [REPEAT] = {"t-repeat", op_repeat},
    [HANG] = {"t-hang", op_hang, .fds_max = 1},
    [HANG_DEAF] = {"t-deaf", op_hang_deaf},
    [PART_THEN_HANG] = {"t-part", op_part_then_hang},
    [CRASH] = {"t-crash", op_crash},
    [FILES] = {"t-files", op_files},
    [FILE_THEN_HANG] = {"t-file", op_file_then_hang},
    [FILE_LATER] = {"t-later", op_file_later},
    [HELPER_PID] = {"t-pid", op_helper_pid},
    [TAKE_FILES] = {"t-take", op_take_files, .fds_max = PRIV_FDS_MAX},
    [AGAIN] = {"t-again", op_own_pid, .again = true, .fds_max = 1},
    {0},
};

static struct {
    uv_loop_t loop;
    struct priv *priv;
    unsigned lost, replaced, answers, released;
    struct answer {
        bool done;
        enum priv_result result;
        size_t len, fd_count;
        char text[64];
        int fds[PRIV_FDS_MAX];
        int64_t at_ms;
    } answer[CALLS_MAX];
} t;

static void on_lost(void *arg, bool replaced)
{
    (void)arg;
    t.lost++;
    t.replaced += replaced;
}

static void on_done(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds, size_t fd_count)
{
    struct answer *a = arg;
    *a = (struct answer){.done = true, .result = result, .len = len, .fd_count = fd_count, .at_ms = clock_ms()};
    memcpy(a->text, out ? (const char *)out : "", len < sizeof a->text ? len : sizeof a->text - 1);
    for (size_t i = 0; i < fd_count; i++)
        a->fds[i] = TAKE_FD(fds[i]);
    t.answers++;
}

static void on_release(void *arg)
{
    (void)arg;
    t.released++;
}

static void set_up(void)
{
    struct err err = {0};
    memset(&t, 0, sizeof t);
    if (priv_start(ops, NULL, &t.priv, &err) < 0 || uv_loop_init(&t.loop) < 0 ||
        priv_attach(t.priv, &t.loop, on_lost, NULL, &err) < 0) {
        printf("cannot start: %s\n", err.text);
        exit(1);
    }
}

static void tear_down(void)
{
    priv_stop(t.priv);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&t.loop), 0);
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left behind */
}

static uint64_t call_of(uint64_t user, unsigned slot, unsigned op, const void *in, size_t len, unsigned timeout_ms)
{
    const struct priv_request r = {.op = op, .user = user, .in = in, .len = len, .timeout_ms = timeout_ms};
    return priv_call(t.priv, &r, on_done, &t.answer[slot]);
}

static uint64_t call(unsigned slot, unsigned op, const void *in, size_t len, unsigned timeout_ms)
{
    return call_of(1, slot, op, in, len, timeout_ms);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until there are `n` answers. */
static void wait_for(unsigned n)
{
    uv_timer_t tick;
    uv_timer_init(&t.loop, &tick);
    uv_timer_start(&tick, on_tick, 10, 10);
    for (int64_t until = clock_ms() + 20000; t.answers < n && clock_ms() < until;)
        uv_run(&t.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    CHECK_INT(t.answers, n);
}

static void an_operation_answers(void)
{
    set_up();
    call(0, REPEAT, "hello", 5, 5000);
    wait_for(1);
    CHECK_INT(t.answer[0].result, PRIV_DONE);
    CHECK_STR(t.answer[0].text, "hello");
    tear_down();
}

static void a_hanging_operation_ends_at_its_deadline_and_holds_up_nobody(void)
{
    set_up();
    int64_t begun = clock_ms();
    call(0, HANG, NULL, 0, 700);
    call(1, REPEAT, "b", 1, 5000);
    wait_for(1);
    CHECK(t.answer[1].done);
    CHECK(clock_ms() - begun < 600);
    wait_for(2);
    CHECK_INT(t.answer[0].result, PRIV_TIMEOUT);
    CHECK(t.answer[0].at_ms - begun >= 700 && t.answer[0].at_ms - begun < 2500);
    tear_down();
}

static void a_deaf_operation_is_killed(void)
{
    set_up();
    int64_t begun = clock_ms();
    call(0, HANG_DEAF, NULL, 0, 100);
    wait_for(1);
    CHECK_INT(t.answer[0].result, PRIV_TIMEOUT);
    CHECK(t.answer[0].at_ms - begun >= 600 && t.answer[0].at_ms - begun < 3000);
    tear_down();
}

static void what_was_flushed_survives_the_deadline_and_a_crash(void)
{
    set_up();
    call(0, PART_THEN_HANG, NULL, 0, 200);
    call(1, CRASH, NULL, 0, 5000);
    wait_for(2);
    CHECK_INT(t.answer[0].result, PRIV_TIMEOUT);
    CHECK_STR(t.answer[0].text, "part");
    CHECK_INT(t.answer[1].result, PRIV_CRASHED);
    CHECK_STR(t.answer[1].text, "so far");
    tear_down();
}

static void the_deadline_undoes_what_it_should(void)
{
    char path[64];
    set_up();
    snprintf(path, sizeof path, "/tmp/smolder-priv-undo-%d", (int)getpid());
    call(0, FILE_THEN_HANG, path, strlen(path) + 1, 500);
    for (int i = 0; i < 400 && access(path, F_OK) < 0; i++)
        usleep(1000);
    CHECK_INT(access(path, F_OK), 0);
    wait_for(1);
    CHECK_INT(t.answer[0].result, PRIV_TIMEOUT);
    CHECK(access(path, F_OK) < 0);
    tear_down();
}

static void more_calls_than_children_wait_in_order(void)
{
    enum { CALLS = 5 * PRIV_CHILDREN, HANGING = QUEUE_USER_BUSY };
    set_up();
    /* All children that one user may have are busy at first: a waiting call's deadline has not begun. */
    for (unsigned i = 0; i < HANGING; i++)
        call(i, HANG, NULL, 0, 800);
    for (unsigned i = HANGING; i < CALLS; i++)
        call(i, REPEAT, &(char){(char)i}, 1, 700);
    wait_for(CALLS);
    for (unsigned i = 0; i < CALLS; i++) {
        CHECK_INT(t.answer[i].result, i < HANGING ? PRIV_TIMEOUT : PRIV_DONE);
        if (i >= HANGING)
            CHECK_INT(t.answer[i].text[0], i);
    }
    tear_down();
}

static void who_has_many_calls_that_hang_holds_up_nobody_else(void)
{
    enum { HANGING = 50, DEADLINE_MS = 1500 };
    set_up();
    const int64_t begun = clock_ms();
    for (unsigned i = 0; i < HANGING; i++)
        call_of(1, 0, HANG, NULL, 0, DEADLINE_MS);
    for (unsigned i = 1; i < 10; i++)
        call_of(2, i, REPEAT, "b", 1, DEADLINE_MS);
    wait_for(9);
    for (unsigned i = 1; i < 10; i++)
        CHECK(t.answer[i].done && t.answer[i].at_ms - begun < PRIV_SLOW_MS);
    wait_for(HANGING + 9);
    tear_down();
}

static unsigned open_files(void)
{
    unsigned n = 0;
    cleanup_closedir DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    return n;
}

static int number_file(char digit)
{
    const int fd = (int)syscall(SYS_memfd_create, "file", MFD_CLOEXEC);
    CHECK_INT(write(fd, &digit, 1), 1);
    return fd;
}

static void a_call_takes_files_along(void)
{
    set_up();
    cleanup_close int one = number_file('1'), two = number_file('2');
    const int fds[] = {one, two, one};
    const struct priv_request r = {.op = TAKE_FILES, .fds = fds, .fd_count = 3, .timeout_ms = 5000};
    const unsigned before = open_files();
    priv_call(t.priv, &r, on_done, &t.answer[0]);
    wait_for(1);
    CHECK_STR(t.answer[0].text, "121 2 left"); /* its socket, and the directory that it looks into */
    CHECK_INT(open_files(), before);
    tear_down();
}

/* The write end of a pipe is closed by the child's end, not a moment before or after. */
static void what_a_call_takes_along_is_closed_by_its_child_alone(void)
{
    set_up();
    int ends[2];
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    const struct priv_request r = {.op = HANG, .fds = &ends[1], .fd_count = 1, .timeout_ms = 400};
    priv_call(t.priv, &r, on_done, &t.answer[0]);
    close(ends[1]);
    struct pollfd closed = {.fd = ends[0], .events = POLLIN};
    uv_run(&t.loop, UV_RUN_NOWAIT);
    CHECK_INT(poll(&closed, 1, 100), 0);
    wait_for(1);
    CHECK_INT(poll(&closed, 1, 1000), 1);
    close(ends[0]);
    tear_down();
}

/* As many targets on one dead mount: what hangs stops counting before its deadline. */
static void many_hanging_operations_hold_up_nobody_for_long(void)
{
    enum { HANGING = 2 * PRIV_CHILDREN, DEADLINE_MS = 5000 };
    set_up();
    const int64_t begun = clock_ms();
    for (unsigned i = 0; i < HANGING; i++)
        call(i, HANG, NULL, 0, DEADLINE_MS);
    call(HANGING, REPEAT, "b", 1, DEADLINE_MS);
    wait_for(1);
    CHECK(t.answer[HANGING].done);
    CHECK(t.answer[HANGING].at_ms - begun >= 2 * PRIV_SLOW_MS); /* they are not begun all at once */
    wait_for(HANGING + 1);
    tear_down();
}

/* There is an end to it: a user's last one waits for a deadline. */
static void no_more_hang_than_may_be_there(void)
{
    enum {
        DEADLINE_MS = PRIV_CHILDREN_MAX / PRIV_CHILDREN * PRIV_SLOW_MS + 1000,
        HANGING = (PRIV_CHILDREN_MAX + 2) / 3
    };
    set_up();
    const int64_t begun = clock_ms();
    for (unsigned i = 0; i < HANGING; i++)
        call(0, HANG, NULL, 0, DEADLINE_MS);
    call(1, REPEAT, "b", 1, DEADLINE_MS);
    wait_for(HANGING + 1);
    CHECK(t.answer[1].at_ms - begun >= DEADLINE_MS);
    tear_down();
}

static void large_payloads_arrive_whole(void)
{
    enum { SIZE = PRIV_PAYLOAD_MAX - 1 };
    set_up();
    char *big = malloc(SIZE);
    memset(big, 'x', SIZE);
    for (unsigned i = 0; i < 3; i++)
        call(i, REPEAT, big, SIZE, 20000);
    wait_for(3);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_INT(t.answer[i].result, PRIV_DONE);
        CHECK_INT(t.answer[i].len, SIZE);
    }
    free(big);
    tear_down();
}

static void files_come_through_in_order(void)
{
    set_up();
    call(0, FILES, &(char){PRIV_FDS_MAX}, 1, 5000);
    call(1, FILES, &(char){1}, 1, 5000);
    wait_for(2);
    CHECK_INT(t.answer[0].fd_count, PRIV_FDS_MAX);
    CHECK_INT(t.answer[1].fd_count, 1);
    for (unsigned i = 0; i < t.answer[0].fd_count; i++) {
        char digit = 0;
        CHECK_INT(pread(t.answer[0].fds[i], &digit, 1, 0), 1);
        CHECK_INT(digit, '0' + (int)i);
        CHECK(fcntl(t.answer[0].fds[i], F_GETFD) & FD_CLOEXEC);
        close(t.answer[0].fds[i]);
    }
    close(t.answer[1].fds[0]);
    tear_down();
}

static void a_forgotten_call_calls_nobody_and_leaks_nothing(void)
{
    set_up();
    call(0, REPEAT, "first", 5, 5000);
    wait_for(1);
    unsigned before = open_files();
    uint64_t id = call(1, FILES, &(char){2}, 1, 5000);
    priv_owns(t.priv, id, on_release);
    priv_forget(t.priv, id);
    CHECK_INT(t.released, 1);
    call(2, REPEAT, "last", 4, 5000);
    wait_for(2);
    call(3, REPEAT, "later", 5, 5000);
    wait_for(3);
    CHECK(!t.answer[1].done);
    CHECK_INT(open_files(), before);
    CHECK_INT(t.released, 1);
    tear_down();
}

static void an_unknown_operation_is_no_harm(void)
{
    set_up();
    call(0, 99, NULL, 0, 5000);
    call(1, REPEAT, "a", 1, 5000);
    wait_for(2);
    CHECK_INT(t.answer[0].result, PRIV_CRASHED);
    CHECK_INT(t.answer[1].result, PRIV_DONE);
    tear_down();
}

static pid_t helper_pid(void)
{
    pid_t pid = 0;
    call(CALLS_MAX - 1, HELPER_PID, NULL, 0, 5000);
    wait_for(t.answers + 1);
    memcpy(&pid, t.answer[CALLS_MAX - 1].text, sizeof pid);
    return pid;
}

static void a_lost_helper_is_told_and_answers_every_call(void)
{
    set_up();
    pid_t helper = helper_pid();
    unsigned had = t.answers;
    for (unsigned i = 0; i < 2 * PRIV_CHILDREN; i++)
        call(i, HANG, NULL, 0, 300);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    CHECK(helper > 1);
    kill(helper, SIGKILL);
    wait_for(had + 2 * PRIV_CHILDREN);
    CHECK_INT(t.lost, 1);
    CHECK_INT(t.answer[0].result, PRIV_LOST);
    CHECK_INT(t.answer[2 * PRIV_CHILDREN - 1].result, PRIV_LOST);
    call(0, REPEAT, "late", 4, 300);
    wait_for(had + 2 * PRIV_CHILDREN + 1);
    CHECK_INT(t.answer[0].result, PRIV_LOST);
    tear_down();
}

/* Asks a child that stays; returns its pid, or 0 when the answer is not `want`. */
static pid_t ask_again(uint64_t user, uint64_t ids, int fd, const char *in, const char *want)
{
    const struct priv_request r = {.op = AGAIN,
                                   .user = user,
                                   .ids = ids,
                                   .in = in,
                                   .len = strlen(in),
                                   .fds = &fd,
                                   .fd_count = fd >= 0,
                                   .timeout_ms = 600};
    struct answer *a = &t.answer[0];
    *a = (struct answer){0};
    priv_call(t.priv, &r, on_done, a);
    wait_for(t.answers + 1);
    const size_t n = strlen(want);
    CHECK(a->result != PRIV_DONE || strncmp(a->text, want, n) == 0);
    return a->result == PRIV_DONE ? (pid_t)strtol(a->text + n, NULL, 10) : 0;
}

static void a_child_is_used_again_by_calls_like_its_own(void)
{
    set_up();
    cleanup_close int one = number_file('1'), two = number_file('2');
    const pid_t first = ask_again(1, 7, one, "a", "a11 "), other = ask_again(1, 8, two, "b", "b21 ");
    CHECK(first > 0 && other > 0 && first != other);
    CHECK_INT(ask_again(1, 7, two, "c", "c21 "), first);
    CHECK_INT(ask_again(1, 7, -1, "d", "d-0 "), first);
    CHECK_INT(ask_again(1, 8, -1, "e", "e-0 "), other);
    CHECK(ask_again(2, 7, -1, "f", "f-0 ") != first);
    tear_down();
}

static void a_child_that_waits_may_end_or_hang(void)
{
    set_up();
    const pid_t first = ask_again(1, 7, -1, "a", "a-0 ");
    kill(first, SIGKILL);
    usleep(50000);
    const pid_t second = ask_again(1, 7, -1, "b", "b-0 ");
    CHECK(second > 0 && second != first);
    const int64_t begun = clock_ms();
    CHECK_INT(ask_again(1, 7, -1, "hang", ""), 0);
    CHECK_INT(t.answer[0].result, PRIV_TIMEOUT);
    CHECK(clock_ms() - begun >= 600);
    const pid_t third = ask_again(1, 7, -1, "c", "c-0 ");
    CHECK(third > 0 && third != second);
    tear_down();
}

static void only_so_many_children_wait(void)
{
    set_up();
    pid_t pids[PRIV_IDLE_MAX + 3];
    for (unsigned i = 0; i < ARRAY_LEN(pids); i++)
        CHECK((pids[i] = ask_again(i + 1, 7, -1, "a", "a-0 ")) > 0);
    unsigned alive = 0;
    for (unsigned tries = 0; tries < 200 && (alive = 0, true); tries++) {
        for (unsigned i = 0; i < ARRAY_LEN(pids); i++)
            alive += kill(pids[i], 0) == 0;
        if (alive == PRIV_IDLE_MAX)
            break;
        uv_run(&t.loop, UV_RUN_NOWAIT);
        usleep(10000);
    }
    CHECK_INT(alive, PRIV_IDLE_MAX);
    CHECK_INT(kill(pids[ARRAY_LEN(pids) - 1], 0), 0); /* the newest */
    tear_down();
}

static void a_helper_that_dies_is_replaced(void)
{
    set_up();
    priv_restartable(t.priv);
    pid_t helper = helper_pid();
    usleep(1100 * 1000); /* one that dies at once is not started again at once */
    unsigned had = t.answers;
    call(0, HANG, NULL, 0, 5000);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    CHECK(priv_healthy(t.priv));
    kill(helper, SIGKILL);
    wait_for(had + 1);
    CHECK_INT(t.answer[0].result, PRIV_LOST);
    call(1, REPEAT, "again", 5, 5000);
    wait_for(had + 2);
    CHECK_STR(t.answer[1].text, "again");
    CHECK(helper_pid() != helper);
    CHECK_INT(t.lost, 1);
    CHECK_INT(t.replaced, 1);
    CHECK(priv_healthy(t.priv));
    tear_down();
}

/* Parent of the helper. */
static pid_t guard_pid(void)
{
    cleanup_buf struct buf text = BUF_INIT(1 << 16);
    uint64_t pid = 0;
    CHECK_INT(procfs_read(helper_pid(), "status", &text, NULL), 0);
    CHECK(str_to_u64(str_trim(procfs_status_field(buf_slice(&text), "PPid")), &pid));
    return (pid_t)pid;
}

static void what_a_lost_guard_started_goes_on_and_is_not_replaced(void)
{
    set_up();
    priv_restartable(t.priv);
    const pid_t helper = helper_pid(), guard = guard_pid();
    CHECK(guard > 1 && guard != getpid() && guard != helper);
    kill(guard, SIGKILL);
    waitpid(guard, NULL, 0);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    CHECK(priv_healthy(t.priv));
    CHECK_INT(helper_pid(), helper);
    CHECK_INT(t.lost, 0);
    const unsigned had = t.answers;
    call(0, HANG, NULL, 0, 5000);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    kill(helper, SIGKILL);
    wait_for(had + 1);
    CHECK_INT(t.answer[0].result, PRIV_LOST);
    CHECK_INT(t.lost, 1);
    CHECK_INT(t.replaced, 0);
    tear_down();
}

static bool is_unhealthy(void)
{
    return !priv_healthy(t.priv);
}

static bool is_replaced(void)
{
    return t.replaced > 0;
}

static bool run_until(bool (*condition)(void), unsigned seconds)
{
    uv_timer_t tick;
    uv_timer_init(&t.loop, &tick);
    uv_timer_start(&tick, on_tick, 10, 10);
    for (int64_t until = clock_ms() + 1000 * seconds; !condition() && clock_ms() < until;)
        uv_run(&t.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    return condition();
}

/* Stopped, or stuck: first it counts as ill, then it is ended. What waits meanwhile is answered by the next one. */
static void a_helper_that_is_silent_is_replaced(void)
{
    set_up();
    priv_restartable(t.priv);
    pid_t helper = helper_pid();
    unsigned had = t.answers;
    kill(helper, SIGSTOP);
    CHECK(run_until(is_unhealthy, 10));
    call(0, REPEAT, "to a stopped one", 16, 5000);
    CHECK(run_until(is_replaced, 20));
    wait_for(had + 1);
    CHECK_INT(t.answer[0].result, PRIV_LOST);
    call(1, REPEAT, "again", 5, 5000);
    wait_for(had + 2);
    CHECK_STR(t.answer[1].text, "again");
    tear_down();
}

static void a_child_whose_helper_was_killed_undoes_and_ends(void)
{
    char path[64];
    set_up();
    pid_t helper = helper_pid();
    unsigned had = t.answers;
    snprintf(path, sizeof path, "/tmp/smolder-priv-orphan-%d", (int)getpid());
    call(0, FILE_THEN_HANG, path, strlen(path) + 1, 300);
    for (int i = 0; i < 2000 && access(path, F_OK) < 0; i++)
        usleep(1000);
    CHECK_INT(access(path, F_OK), 0);
    kill(helper, SIGKILL);
    wait_for(had + 1);
    CHECK_INT(t.answer[0].result, PRIV_LOST);
    for (int i = 0; i < 10000 && access(path, F_OK) == 0; i++)
        usleep(1000);
    CHECK(access(path, F_OK) < 0);
    tear_down();
}

/* A main process of its own, killed while an operation runs. */
static void children_finish_though_main_is_killed(void)
{
    char path[64];
    int ready[2];
    snprintf(path, sizeof path, "/tmp/smolder-priv-later-%d", (int)getpid());
    CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
    pid_t main_pid = fork();
    if (main_pid == 0) {
        set_up();
        pid_t helper = helper_pid();
        call(0, FILE_LATER, path, strlen(path) + 1, 5000);
        call(1, HANG, NULL, 0, 600);
        call(2, REPEAT, "", 0, 5000);
        wait_for(2);
        if (write(ready[1], &helper, sizeof helper) != sizeof helper)
            _exit(1);
        pause();
    }
    pid_t helper = 0;
    CHECK_INT(read(ready[0], &helper, sizeof helper), sizeof helper);
    int pidfd = (int)syscall(SYS_pidfd_open, helper, 0);
    CHECK(pidfd >= 0);
    kill(main_pid, SIGKILL);
    waitpid(main_pid, NULL, 0);
    struct pollfd gone = {.fd = pidfd, .events = POLLIN};
    CHECK_INT(poll(&gone, 1, 10000), 1); /* after the hanging one met its deadline, the helper ends, too */
    CHECK_INT(access(path, F_OK), 0);
    unlink(path);
    close(pidfd);
    close(ready[0]);
    close(ready[1]);
}

static void a_signal_to_the_whole_group_ends_no_operation(void)
{
    set_up();
    pid_t helper = helper_pid();
    unsigned had = t.answers;
    call(0, HANG, NULL, 0, 500);
    uv_run(&t.loop, UV_RUN_NOWAIT);
    kill(helper, SIGTERM);
    kill(helper, SIGINT);
    call(1, REPEAT, "still here", 10, 5000);
    wait_for(had + 2);
    CHECK_STR(t.answer[1].text, "still here");
    CHECK_INT(t.answer[0].result, PRIV_TIMEOUT);
    CHECK_INT(t.lost, 0);
    tear_down();
}

int main(void)
{
    RUN(an_operation_answers);
    RUN(a_hanging_operation_ends_at_its_deadline_and_holds_up_nobody);
    RUN(a_deaf_operation_is_killed);
    RUN(what_was_flushed_survives_the_deadline_and_a_crash);
    RUN(the_deadline_undoes_what_it_should);
    RUN(more_calls_than_children_wait_in_order);
    RUN(many_hanging_operations_hold_up_nobody_for_long);
    RUN(no_more_hang_than_may_be_there);
    RUN(large_payloads_arrive_whole);
    RUN(files_come_through_in_order);
    RUN(a_forgotten_call_calls_nobody_and_leaks_nothing);
    RUN(an_unknown_operation_is_no_harm);
    RUN(a_lost_helper_is_told_and_answers_every_call);
    RUN(who_has_many_calls_that_hang_holds_up_nobody_else);
    RUN(a_call_takes_files_along);
    RUN(what_a_call_takes_along_is_closed_by_its_child_alone);
    RUN(a_child_is_used_again_by_calls_like_its_own);
    RUN(a_child_that_waits_may_end_or_hang);
    RUN(only_so_many_children_wait);
    RUN(a_helper_that_dies_is_replaced);
    RUN(a_helper_that_is_silent_is_replaced);
    RUN(what_a_lost_guard_started_goes_on_and_is_not_replaced);
    RUN(a_child_whose_helper_was_killed_undoes_and_ends);
    RUN(children_finish_though_main_is_killed);
    RUN(a_signal_to_the_whole_group_ends_no_operation);
    return REPORT();
}
