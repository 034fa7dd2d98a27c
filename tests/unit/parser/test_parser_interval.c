/* Steps of an interval in a real parser process, and what becomes of them when a recording takes that over. */
#include "parser/parser_interval.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "parser/parser_main.h"
#include "parser/parser_wire.h"
#include "parser/sandbox.h"
#include "pprof/decode.h"
#include "pprof/recording.h"
#include "test.h"

static struct parser_pool *pool;
static struct parser_interval *interval;

/* ---- the intruder: code that a recording has brought into the process ---- */

enum { SEED_AT = 5 };
static const char magic[] = "EVIL"; /* and a letter, which says what to do */

static void spin(void)
{
    for (volatile unsigned i = 0;; i++)
        ;
}

static void wait_forever(void)
{
    int never = 0;
    for (;;)
        syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void exhaust_memory(void)
{
    enum { PIECE = 1 << 20 };
    for (;;)
        memset(xmalloc(PIECE), 1, PIECE);
}

static void answer_noise(int sock, unsigned seed)
{
    unsigned char noise[8192];
    for (size_t i = 0; i < sizeof noise; i++) {
        seed = seed * 1103515245 + 12345;
        noise[i] = (unsigned char)(seed >> 16);
    }
    (void)!write(sock, noise, sizeof noise);
}

/* A reply that passes its own check, and profiles that do not, or do not come. */
static void answer_lies(int sock, unsigned which)
{
    struct convert_reply r = {0};
    struct convert_profile p = {.type = "process_cpu", .size = 1};
    switch (which) {
    case 0: /* counts beyond all limits */
        r.profile_count = UINT32_MAX;
        break;
    case 1:
        r.series_count = UINT32_MAX;
        break;
    case 2: /* more than there is memory for */
        r.profile_count = 1;
        p.size = UINT64_MAX;
        break;
    case 3: /* each within its limits, not all */
        r.profile_count = CONVERT_PROFILES_MAX;
        p.size = 14 << 20;
        break;
    case 4: /* another series than a conversion makes */
        r.profile_count = 1;
        memcpy(p.type, "x{\"}", 4);
        break;
    default: /* text without an end */
        memset(r.why, 'x', sizeof r.why);
    }
    (void)!write(sock, &r, sizeof r);
    for (uint32_t i = 0; i < r.profile_count && i < CONVERT_PROFILES_MAX; i++) {
        static const char bytes[1 << 16];
        (void)!write(sock, &p, sizeof p);
        for (uint64_t sent = 0; sent < p.size && p.size < UINT64_MAX; sent += sizeof bytes)
            if (write(sock, bytes, sizeof bytes) <= 0)
                return;
    }
}

static void call_forbidden(unsigned which)
{
    static char page[4096];
    struct iovec v = {page, sizeof page};
    switch (which) {
    case 0:
        syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
        break;
    case 1:
        syscall(SYS_openat, AT_FDCWD, "/tmp/owned", O_WRONLY | O_CREAT, 0600);
        break;
    case 2:
        syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
        break;
    case 3:
        syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, page);
        break;
    case 4:
        syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
        break;
    case 5:
        syscall(SYS_kill, getppid(), SIGKILL);
        break;
    case 6:
        syscall(SYS_tgkill, 1, 1, SIGKILL);
        break;
    case 7:
        syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        break;
    case 8:
        syscall(SYS_execve, "/bin/sh", NULL, NULL);
        break;
    case 9:
        syscall(SYS_process_vm_readv, getppid(), &v, 1, &v, 1, 0);
        break;
    case 10:
        syscall(SYS_mmap, NULL, sizeof page, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        break;
    case 11:
        syscall(SYS_mprotect, (uintptr_t)page & ~UINT64_C(4095), sizeof page, PROT_READ | PROT_EXEC);
        break;
    case 12:
        syscall(SYS_setresuid, 0, 0, 0);
        break;
    case 13:
        syscall(SYS_memfd_create, "x", 0);
        break;
    case 14:
        syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
        break;
    case 15:
        syscall(SYS_unlinkat, AT_FDCWD, "/tmp", 0);
        break;
    case 16:
        syscall(SYS_ioctl, 0, 0x5412, page);
        break;
    case 17:
        syscall(SYS_unshare, 0x10000000);
        break;
    case 18:
        syscall(SYS_bpf, 0, page, sizeof page);
        break;
    default:
        syscall(SYS_dup, 3);
    }
}
enum { FORBIDDEN = 20, LIES = 6 };

/* It is the end of the interval that needs this, not the chunk. */
static void take_compressor_away(void)
{
    const uintptr_t code = (uintptr_t)&libdeflate_gzip_compress;
    syscall(SYS_munmap, code & ~UINT64_C(4095), 4096);
}

static void intrude(int sock, const uint8_t *bytes, size_t n)
{
    if (n <= SEED_AT || memcmp(bytes, magic, sizeof magic - 1) != 0)
        return;
    volatile int *volatile nowhere = (int *)16;
    switch (bytes[sizeof magic - 1]) {
    case 's':
        *nowhere = 1;
        break;
    case 'a':
        abort();
    case 'x':
        _exit(0);
    case 'h':
        spin();
        break;
    case 'w':
        wait_forever();
        break;
    case 'm':
        exhaust_memory();
        break;
    case 'n':
        answer_noise(sock, bytes[SEED_AT]);
        break;
    case 'l':
        answer_lies(sock, bytes[SEED_AT]);
        break;
    case 'f':
        call_forbidden(bytes[SEED_AT]);
        break;
    case 'u':
        take_compressor_away();
        break;
    default:
        break;
    }
}

/* ---- */

static struct parser_step step_of(bool open, struct jfr_chunk *chunk, bool finish)
{
    return (struct parser_step){.open = open,
                                .options = {.settings = {.event = "itimer", .cpu_ns = 10},
                                            .limits = conversion_limits_agent,
                                            .gzip = true,
                                            .series_max = 5},
                                .chunk = chunk,
                                .finish = finish};
}

static struct jfr_chunk *samples(unsigned n)
{
    struct chunk_builder c = recording_begin();
    size_t len;
    while (n-- > 0)
        recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    uint8_t *bytes = buf_take(&c.b, &len);
    chunk_done(&c);
    return jfr_chunk_new(bytes, len);
}

static struct jfr_chunk *one_sample(void)
{
    return samples(1);
}

static struct jfr_chunk *evil_of(size_t size, char what, unsigned seed)
{
    uint8_t *bytes = xcalloc(1, size);
    memcpy(bytes, magic, sizeof magic - 1);
    bytes[sizeof magic - 1] = (uint8_t)what;
    bytes[SEED_AT] = (uint8_t)seed;
    return jfr_chunk_new(bytes, size);
}

static struct jfr_chunk *evil(char what, unsigned seed)
{
    return evil_of(100, what, seed);
}

/* As the component does: again while no process can be had. */
static void run(struct parser_interval *i, struct parser_step *step)
{
    for (parser_interval_run(i, step); step->retry_ms; parser_interval_run(i, step)) {
        CHECK(step->retry_ms > 0 && step->retry_ms <= PARSER_BACKOFF_MAX_MS);
        poll(NULL, 0, (int)step->retry_ms % PARSER_BACKOFF_MAX_MS);
    }
}

static unsigned endings_of(const struct parser_step *step)
{
    unsigned n = 0;
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        n += step->endings[i];
    return n;
}

static bool has_layer(enum sandbox_layer layer)
{
    uint32_t layers;
    return parser_pool_layers(pool, &layers) && layers >> layer & 1;
}

static void check_profile(struct parser_step *step, unsigned samples)
{
    CHECK_STR(step->why, "");
    CHECK_INT(step->finish_code, 0);
    CHECK_INT(step->answer.reply.profile_count, 1);
    if (step->answer.reply.profile_count == 1)
        CHECK_INT(step->answer.profiles[0].samples, samples);
}

/* Whatever happened before: the next interval is converted. */
static void check_works(void)
{
    struct parser_step step = step_of(true, one_sample(), true);
    run(interval, &step);
    check_profile(&step, 1);
    CHECK_INT(endings_of(&step), 0);
    parser_step_done(&step);
}

/* The processes of the pool; there is at most the first in these tests. */
static pid_t process(void)
{
    long found = 0;
    FILE *f = fopen("/proc/thread-self/children", "r");
    if (f) {
        if (fscanf(f, "%ld", &found) != 1)
            found = 0;
        fclose(f);
    }
    return (pid_t)found;
}

/* ---- steps ---- */

static void opens_adds_and_finishes_in_one_turn(void)
{
    struct jfr_chunk *chunk = one_sample();
    struct parser_step step = step_of(true, jfr_chunk_ref(chunk), true);
    step.series = xcalloc(2, sizeof *step.series);
    step.series_count = 2;
    run(interval, &step);
    CHECK(step.answered && !step.is_open);
    check_profile(&step, 1);
    CHECK_STR(step.answer.profiles[0].type, "process_cpu");
    CHECK(step.cpu_ns > 0);
    CHECK_INT(atomic_load(&chunk->refs), 1); /* given up as soon as it was read */
    parser_step_done(&step);
    jfr_chunk_unref(chunk);
}

static void an_interval_goes_over_several_turns(void)
{
    struct parser_step first = step_of(true, one_sample(), false), second = step_of(false, one_sample(), false),
                       last = step_of(false, NULL, true);
    run(interval, &first);
    CHECK(first.is_open);
    CHECK_STR(first.answer.reply.settings.event, "itimer");
    run(interval, &second);
    run(interval, &last);
    CHECK(!last.is_open);
    check_profile(&last, 2);
    parser_step_done(&first);
    parser_step_done(&second);
    parser_step_done(&last);
}

/* It is in a memfd, small ones are not. */
static void a_large_chunk_is_one_like_others(void)
{
    enum { MANY = 20000 };
    struct jfr_chunk *large = samples(MANY);
    CHECK(large->len > PARSER_INLINE);
    struct parser_step first = step_of(true, jfr_chunk_ref(large), false),
                       bad = step_of(false, evil_of(2 * PARSER_INLINE, 's', 0), false),
                       last = step_of(false, one_sample(), true);
    run(interval, &first);
    CHECK_INT(atomic_load(&large->refs), 1); /* given up once it was copied */
    run(interval, &bad);
    CHECK_INT(bad.set_aside, 1);
    run(interval, &last);
    check_profile(&last, MANY + 1);
    parser_step_done(&first);
    parser_step_done(&bad);
    parser_step_done(&last);
    jfr_chunk_unref(large);
    check_works();
}

static void a_refused_chunk_does_not_end_the_interval(void)
{
    struct parser_step first = step_of(true, jfr_chunk_new(calloc(1, 100), 100), false),
                       last = step_of(false, one_sample(), true);
    run(interval, &first);
    CHECK_INT(first.chunk_code, -EBADMSG);
    CHECK_HAS(first.why, "magic");
    CHECK(first.is_open);
    run(interval, &last);
    CHECK_INT(last.chunk_code, 0);
    check_profile(&last, 1);
    parser_step_done(&first);
    parser_step_done(&last);
}

static void what_was_not_run_is_given_back(void)
{
    struct jfr_chunk *chunk = one_sample();
    struct parser_step step = step_of(true, jfr_chunk_ref(chunk), true);
    step.series = xcalloc(1, sizeof *step.series);
    parser_step_done(&step);
    CHECK_INT(atomic_load(&chunk->refs), 1);
    jfr_chunk_unref(chunk);
}

/* ---- processes that end ---- */

static void an_interval_is_done_again_in_a_new_process(void)
{
    struct parser_step first = step_of(true, one_sample(), false), last = step_of(false, one_sample(), true);
    run(interval, &first);
    const pid_t pid = process();
    CHECK(pid > 0 && kill(pid, SIGKILL) == 0);
    run(interval, &last);
    CHECK_INT(last.endings[PARSER_KILLED], 1);
    CHECK_INT(last.set_aside, 0);
    check_profile(&last, 2);
    CHECK(process() != pid);
    parser_step_done(&first);
    parser_step_done(&last);
}

static void a_chunk_that_ends_two_processes_is_set_aside(void)
{
    static const char how[] = "sax";
    for (const char *h = how; *h; h++) {
        struct parser_step first = step_of(true, one_sample(), false), bad = step_of(false, evil(*h, 0), false),
                           last = step_of(false, one_sample(), true);
        run(interval, &first);
        run(interval, &bad);
        CHECK_INT(bad.endings[PARSER_CRASHED], 2);
        CHECK_INT(bad.set_aside, 1);
        CHECK_INT(bad.chunk_code, -ECANCELED);
        CHECK_HAS(bad.why, "was set aside");
        CHECK(bad.is_open);
        run(interval, &last);
        check_profile(&last, 2); /* with all others of the interval */
        CHECK_INT(endings_of(&last), 0);
        parser_step_done(&first);
        parser_step_done(&bad);
        parser_step_done(&last);
    }
    check_works();
}

/* The chunk and the end of the interval are asked for together; which of them it was is found out in the next process.
 */
static void an_interval_that_ends_two_processes_at_its_end_is_set_aside(void)
{
    struct parser_step first = step_of(true, one_sample(), false), last = step_of(false, evil('u', 0), true);
    run(interval, &first);
    run(interval, &last);
    CHECK_INT(last.endings[PARSER_CRASHED], 2);
    CHECK_INT(last.chunk_code, -EBADMSG); /* refused, as such a chunk is by a process that went on */
    CHECK_INT(last.finish_code, -ECANCELED);
    CHECK_INT(last.set_aside, 1);
    CHECK(!last.is_open);
    parser_step_done(&first);
    parser_step_done(&last);
    check_works();
}

static void other_streams_do_not_notice(void)
{
    struct parser_interval *other = parser_interval_new(pool);
    struct parser_step first = step_of(true, one_sample(), false), bad = step_of(true, evil('s', 0), true),
                       last = step_of(false, one_sample(), true);
    run(other, &first);
    run(interval, &bad);
    CHECK_INT(bad.set_aside, 1);
    run(other, &last);
    check_profile(&last, 2);
    CHECK_INT(endings_of(&last), 0);
    parser_step_done(&first);
    parser_step_done(&bad);
    parser_step_done(&last);
    parser_interval_free(other);
}

static void a_stream_that_is_given_up_leaves_nothing(void)
{
    struct parser_interval *other = parser_interval_new(pool);
    struct parser_step first = step_of(true, one_sample(), false);
    run(other, &first);
    const pid_t pid = process();
    parser_step_done(&first);
    parser_interval_free(other);
    check_works();
    CHECK(process() != pid);
}

static void check_silent(char how, int64_t least_ms, int64_t most_ms)
{
    struct parser_step bad = step_of(true, evil(how, 0), true);
    const int64_t begun = clock_ms();
    run(interval, &bad);
    CHECK_INT(bad.endings[PARSER_SILENT], 2);
    CHECK_INT(bad.set_aside, 1);
    CHECK(clock_ms() - begun >= least_ms && clock_ms() - begun <= most_ms);
    parser_step_done(&bad);
    check_works();
}

static void one_that_waits_for_ever_is_ended(void)
{
    check_silent('w', 2 * PARSER_STILL_MS, 4 * PARSER_STILL_MS);
}

static void one_that_computes_for_ever_is_ended_and_charged(void)
{
    struct parser_step bad = step_of(true, evil('h', 0), true);
    run(interval, &bad);
    CHECK_INT(bad.endings[PARSER_SILENT], 2);
    CHECK(bad.cpu_ns >= 2 * PARSER_CPU_MS * NS_PER_MS);
    parser_step_done(&bad);
    check_works();
}

static void memory_is_limited(void)
{
    if (!has_layer(SANDBOX_SECCOMP)) {
        printf("  a sanitizer's memory is not limited\n");
        return;
    }
    struct parser_step bad = step_of(true, evil('m', 0), true);
    run(interval, &bad);
    CHECK_INT(bad.endings[PARSER_CRASHED], 2);
    CHECK_HAS(bad.ending, "SIGABRT");
    parser_step_done(&bad);
    check_works();
}

static void any_bytes_are_survived(void)
{
    enum { SEEDS = 12 };
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct parser_step bad = step_of(true, evil('n', seed), true);
        run(interval, &bad);
        CHECK_INT(bad.endings[PARSER_INVALID], 2);
        CHECK_INT(bad.set_aside, 1);
        parser_step_done(&bad);
        check_works();
    }
}

static void answers_that_lie_are_not_believed(void)
{
    for (unsigned which = 0; which < LIES; which++) {
        struct parser_step bad = step_of(true, evil('l', which), true);
        run(interval, &bad);
        CHECK_INT(bad.endings[PARSER_INVALID], 2);
        CHECK_INT(bad.set_aside, 1);
        CHECK_INT(bad.answer.reply.profile_count, 0);
        parser_step_done(&bad);
        check_works();
    }
}

/* ---- what code in it can reach ---- */

static void forbidden_calls_end_it(void)
{
    if (!has_layer(SANDBOX_SECCOMP)) {
        printf("  no seccomp\n");
        return;
    }
    for (unsigned which = 0; which < FORBIDDEN; which++) {
        struct parser_step bad = step_of(true, evil('f', which), true);
        run(interval, &bad);
        if (bad.endings[PARSER_FORBIDDEN] != 2)
            FAIL_("call %u: %s", which, bad.ending);
        parser_step_done(&bad);
        check_works(); /* which ends the delays */
    }
    CHECK(access("/tmp/owned", F_OK) < 0);
}

static void read_proc(pid_t pid, const char *name, char *room, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    const int fd = open(path, O_RDONLY);
    const ssize_t n = fd >= 0 ? read(fd, room, size - 1) : 0;
    room[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

/* -1 = it cannot be told. */
static long times_it_waited(void)
{
    char status[8192];
    read_proc(process(), "status", status, sizeof status);
    const char *at = strstr(status, "\nvoluntary_ctxt_switches:");
    return at ? strtol(at + strlen("\nvoluntary_ctxt_switches:"), NULL, 10) : -1;
}

/* Opening, chunk and end come together, and are answered together. Both processes have one CPU, and each keeps it until
 * it waits: on two, the kernel also wakes a process when its last answer is taken from the socket. */
static void a_process_is_woken_once_for_an_interval(void)
{
    enum { INTERVALS = 20 };
    const struct sched_param priority = {0};
    cpu_set_t all, one;
    check_works();
    CHECK_INT(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    CHECK_INT(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_INT(sched_setaffinity(process(), sizeof one, &one), 0);
    CHECK_INT(sched_setscheduler(0, SCHED_BATCH, &priority), 0);
    const long before = times_it_waited();
    for (unsigned i = 0; i < INTERVALS; i++)
        check_works();
    const long waits = times_it_waited() - before;
    CHECK_INT(sched_setscheduler(0, SCHED_OTHER, &priority), 0);
    CHECK_INT(sched_setaffinity(process(), sizeof all, &all), 0);
    CHECK_INT(sched_setaffinity(0, sizeof all, &all), 0);
    CHECK(before >= 0 && waits < 2 * INTERVALS);
}

static void its_privileges_are_gone(void)
{
    char status[8192], maps[1 << 16], link[PATH_MAX] = "", path[64];
    check_works();
    const pid_t pid = process();
    read_proc(pid, "status", status, sizeof status);
    CHECK_HAS(status, "NoNewPrivs:\t1");
    CHECK_HAS(status, "CapPrm:\t0000000000000000");
    CHECK_HAS(status, "CapEff:\t0000000000000000");
    CHECK_HAS(status, "Threads:\t1");
    if (geteuid() != 0)
        return;
    CHECK_HAS(status, "CapBnd:\t0000000000000000");
    CHECK(strstr(status, "Uid:\t61100\t61100\t61100\t61100") || strstr(status, "Uid:\t61101\t61101\t61101\t61101"));
    CHECK_HAS(status, "Groups:\t \n");
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    CHECK(readlink(path, link, sizeof link - 1) > 0);
    CHECK(strcmp(link, "/") != 0);
    if (!has_layer(SANDBOX_SECCOMP))
        return;
    CHECK_HAS(status, "Seccomp:\t2");
    read_proc(pid, "maps", maps, sizeof maps);
    CHECK(strstr(maps, "libc") && !strstr(maps, "rwx"));
}

static void it_has_no_descriptors_but_its_socket(void)
{
    char path[64], link[PATH_MAX];
    const pid_t pid = process();
    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        const ssize_t n = readlink(path, link, sizeof link - 1);
        if (n < 0)
            continue;
        link[n] = '\0';
        if (fd != STDERR_FILENO || has_layer(SANDBOX_SECCOMP))
            CHECK_HAS(link, fd == PARSER_SOCKET ? "socket:" : "/dev/null");
        CHECK(fd <= PARSER_SOCKET);
    }
}

static void secrets_of_the_environment_are_not_there(void)
{
    char environment[4096];
    parser_pool_free(pool);
    setenv("SMOLDER_TEST_TOKEN", "secret", 1);
    pool = parser_pool_new("parser", NULL);
    parser_interval_free(interval);
    interval = parser_interval_new(pool);
    check_works();
    read_proc(process(), "environ", environment, sizeof environment);
    CHECK(!strstr(environment, "TOKEN"));
}

static void it_ends_with_the_pool(void)
{
    const pid_t pid = process();
    parser_interval_free(interval);
    parser_pool_free(pool);
    CHECK(kill(pid, 0) < 0 && errno == ESRCH);
}

int main(int argc, char **argv)
{
    parser_main(argc, argv, NULL, intrude);
    pool = parser_pool_new("parser", NULL);
    interval = parser_interval_new(pool);
    RUN(opens_adds_and_finishes_in_one_turn);
    RUN(an_interval_goes_over_several_turns);
    RUN(a_large_chunk_is_one_like_others);
    RUN(a_refused_chunk_does_not_end_the_interval);
    RUN(what_was_not_run_is_given_back);
    RUN(an_interval_is_done_again_in_a_new_process);
    RUN(a_chunk_that_ends_two_processes_is_set_aside);
    RUN(an_interval_that_ends_two_processes_at_its_end_is_set_aside);
    RUN(other_streams_do_not_notice);
    RUN(a_stream_that_is_given_up_leaves_nothing);
    RUN(one_that_waits_for_ever_is_ended);
    RUN(one_that_computes_for_ever_is_ended_and_charged);
    RUN(memory_is_limited);
    RUN(any_bytes_are_survived);
    RUN(answers_that_lie_are_not_believed);
    RUN(forbidden_calls_end_it);
    RUN(a_process_is_woken_once_for_an_interval);
    RUN(its_privileges_are_gone);
    RUN(it_has_no_descriptors_but_its_socket);
    RUN(secrets_of_the_environment_are_not_there);
    RUN(it_ends_with_the_pool);
    return REPORT();
}
