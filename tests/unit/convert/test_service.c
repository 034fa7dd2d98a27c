/* The border of a conversion: what goes across it is all there is, whether the other side is this thread or another
 * program. */
#include "convert/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pprof/decode.h"
#include "pprof/recording.h"
#include "test.h"

static struct convert_request opening(void)
{
    return (struct convert_request){.op = CONVERT_OPEN,
                                    .open = {.settings = {.event = "itimer", .cpu_ns = 10},
                                             .limits = conversion_limits_agent,
                                             .series_key = {1, 2}}};
}

static const struct convert_request finishing = {.op = CONVERT_FINISH};

/* ---- the other side: in this thread, or a program at the end of a socket ---- */

static struct convert_service *here;
static int there = -1;

static bool all(int fd, void *p, size_t n, bool out)
{
    for (uint8_t *at = p; n > 0;) {
        const ssize_t got = out ? write(fd, at, n) : read(fd, at, n);
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static void send_answer(int fd, struct convert_answer *a)
{
    (void)!all(fd, &a->reply, sizeof a->reply, true);
    for (uint32_t i = 0; i < a->reply.profile_count; i++) {
        (void)!all(fd, &a->profiles[i], sizeof a->profiles[i], true);
        (void)!all(fd, a->bytes[i], a->profiles[i].size, true);
    }
    (void)!all(fd, a->series, a->reply.series_count * sizeof *a->series, true);
}

static int serve_socket(int fd)
{
    struct convert_service *s = convert_service_new();
    struct convert_request rq;
    while (all(fd, &rq, sizeof rq, false)) {
        struct convert_answer a;
        cleanup_free uint8_t *range = malloc(rq.size + 1);
        if (!all(fd, range, rq.size, false))
            break;
        convert_serve(s, &rq, range, &a);
        send_answer(fd, &a);
        convert_answer_done(&a);
    }
    convert_service_free(s);
    return 0;
}

static void ask_there(const struct convert_request *rq, const void *range, struct convert_answer *ret)
{
    *ret = (struct convert_answer){0};
    CHECK(all(there, (void *)rq, sizeof *rq, true) && all(there, (void *)range, rq->size, true));
    CHECK(all(there, &ret->reply, sizeof ret->reply, false));
    ret->profiles = xcalloc(ret->reply.profile_count + 1, sizeof *ret->profiles);
    ret->bytes = xcalloc(ret->reply.profile_count + 1, sizeof *ret->bytes);
    ret->series = xcalloc(ret->reply.series_count + 1, sizeof *ret->series);
    for (uint32_t i = 0; i < ret->reply.profile_count; i++) {
        CHECK(all(there, &ret->profiles[i], sizeof ret->profiles[i], false));
        ret->bytes[i] = malloc(ret->profiles[i].size + 1);
        CHECK(all(there, ret->bytes[i], ret->profiles[i].size, false));
    }
    CHECK(all(there, ret->series, ret->reply.series_count * sizeof *ret->series, false));
}

static struct convert_answer ask(const struct convert_request *rq, const void *range)
{
    struct convert_answer a;
    struct err err = {0};
    if (there >= 0)
        ask_there(rq, range, &a);
    else
        convert_serve(here, rq, range, &a);
    const struct convert_request open = opening();
    struct convert_options o = open.open;
    o.series_max = CONVERT_SERIES_MAX;
    CHECK_INT(convert_reply_check(&a.reply, &o, &err), 0);
    for (uint32_t i = 0; i < a.reply.profile_count; i++)
        CHECK_INT(convert_profile_check(&a.profiles[i], &o, &err), 0);
    return a;
}

/* For what is only to work. */
static void do_ask(const struct convert_request *rq, const void *range)
{
    struct convert_answer a = ask(rq, range);
    CHECK_STR(a.reply.why, "");
    convert_answer_done(&a);
}

static struct convert_answer ask_chunk(struct chunk_builder *chunk)
{
    const struct convert_request rq = {.op = CONVERT_CHUNK, .size = chunk->b.len, .chunk.itimer_scale = 1};
    struct convert_answer a = ask(&rq, chunk->b.p);
    chunk_done(chunk);
    return a;
}

static void do_chunk(struct chunk_builder chunk)
{
    struct convert_answer a = ask_chunk(&chunk);
    CHECK_STR(a.reply.why, "");
    convert_answer_done(&a);
}

/* ---- recordings ---- */

static struct chunk_builder one_sample(void)
{
    struct chunk_builder c = recording_begin();
    recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    return c;
}

static const char span_types[] =
    "\n201 jdk.CPUTimeSample startTime:11 stackTrace:26* eventThread:22* samplingPeriod:11 spanName:20";

/* A sample in each of some spans: each name is a series. */
static struct chunk_builder spans_of(int first, int n)
{
    char types[sizeof recording_types + sizeof span_types], name[32];
    snprintf(types, sizeof types, "%s%s", recording_types, span_types);
    struct chunk_builder c = chunk_begin(types);
    for (int i = first; i < first + n; i++) {
        snprintf(name, sizeof name, "span %d", i);
        chunk_event(&c, 201);
        CHUNK_VARINTS(&c, 1, STACK_MAIN, THREAD_MAIN, 10);
        chunk_text(&c, name);
        chunk_event_end(&c);
    }
    recording_end(&c);
    return c;
}

static int64_t cpu_of(const struct convert_answer *a, uint32_t i)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    int64_t sum = 0;
    symbols_init(&s, 1 << 20);
    profile_init(&p, &s);
    struct err err = {0};
    CHECK_INT(pprof_decode((const char *)a->bytes[i], a->profiles[i].size, 1 << 20, &s, &p, &err), 0);
    for (size_t k = 0; k < p.sample_count; k++)
        sum += profile_values(&p, k)[0];
    return sum;
}

/* ---- */

static void an_interval_comes_back_as_named_profiles(void)
{
    const struct convert_request open = opening();
    do_ask(&open, NULL);
    do_chunk(one_sample());
    struct chunk_builder c = recording_begin();
    recording_lock(&c, STACK_WORK, THREAD_MAIN, 500);
    recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    const int64_t start_ns = c.start_ns, duration_ns = c.duration_ns;
    do_chunk(c);
    struct convert_answer a = ask(&finishing, NULL);
    CHECK_INT(a.reply.profile_count, 2);
    CHECK_STR(a.profiles[0].type, "mutex");
    CHECK_STR(a.profiles[1].type, "process_cpu");
    CHECK_STR(convert_label(&a.profiles[1], "jfr_event"), "itimer");
    CHECK_INT(a.profiles[1].samples, 2);
    CHECK_INT(a.profiles[1].time_nanos, start_ns);
    CHECK_INT(a.profiles[1].duration_nanos, duration_ns);
    CHECK_INT(cpu_of(&a, 1), 20);
    convert_answer_done(&a);
}

static void a_refused_chunk_leaves_the_interval_as_it_was(void)
{
    const struct convert_request open = opening(), garbage = {.op = CONVERT_CHUNK, .size = 100};
    char bytes[100] = "FLR";
    do_ask(&open, NULL);
    do_chunk(one_sample());
    struct convert_answer a = ask(&garbage, bytes);
    CHECK_INT(a.reply.code, -EBADMSG);
    CHECK_HAS(a.reply.why, "chunk header");
    CHECK(a.reply.cpu_ns >= 0);
    convert_answer_done(&a);
    a = ask(&finishing, NULL);
    CHECK_INT(a.reply.profile_count, 1);
    CHECK_INT(cpu_of(&a, 0), 10);
    convert_answer_done(&a);
}

static void requests_out_of_order_are_answered(void)
{
    struct chunk_builder c = one_sample();
    struct convert_answer a = ask_chunk(&c);
    CHECK_INT(a.reply.code, -EPROTO);
    convert_answer_done(&a);
    a = ask(&finishing, NULL);
    CHECK_INT(a.reply.code, -EPROTO);
    CHECK_INT(a.reply.profile_count, 0);
    convert_answer_done(&a);
    const struct convert_request open = opening(), none = {.op = 77};
    a = ask(&none, NULL);
    CHECK_INT(a.reply.code, -EBADMSG);
    convert_answer_done(&a);
    do_ask(&open, NULL);
    do_chunk(one_sample());
    do_ask(&open, NULL); /* that interval is given up */
    a = ask(&finishing, NULL);
    CHECK_INT(a.reply.profile_count, 0);
    convert_answer_done(&a);
}

/* A recording says once what was sampled. */
static void settings_go_from_interval_to_interval_with_the_messages(void)
{
    struct convert_request open = opening();
    do_ask(&open, NULL);
    struct chunk_builder c = recording_begin();
    recording_setting(&c, "event", "ctimer");
    recording_setting(&c, "interval", "30");
    recording_end(&c);
    do_chunk(c);
    struct convert_answer a = ask(&finishing, NULL);
    CHECK_STR(a.reply.settings.event, "ctimer");
    CHECK_INT(a.reply.settings.cpu_ns, 30);
    open.open.settings = a.reply.settings;
    convert_answer_done(&a);
    do_ask(&open, NULL);
    do_chunk(one_sample());
    a = ask(&finishing, NULL);
    CHECK_STR(convert_label(&a.profiles[0], "jfr_event"), "ctimer");
    CHECK_INT(cpu_of(&a, 0), 30);
    convert_answer_done(&a);
}

/* Who asks keeps them: the other side may be another one the next time. */
static void known_series_go_with_the_messages(void)
{
    enum { ALLOWED = 25 };
    static const struct {
        int first, n;
        uint64_t new, cut;
    } rounds[] = {{0, 20, 20, 0}, {0, 20, 0, 0}, {10, 20, 5, 5}, {100, 3, 0, 3}};
    uint64_t known[ALLOWED];
    size_t n = 0;
    struct convert_request open = opening();
    open.open.series_max = ALLOWED;
    for (size_t i = 0; i < sizeof rounds / sizeof *rounds; i++) {
        open.size = n * sizeof *known;
        do_ask(&open, known);
        do_chunk(spans_of(rounds[i].first, rounds[i].n));
        struct convert_answer a = ask(&finishing, NULL);
        CHECK_INT(a.reply.series_count, rounds[i].new);
        CHECK_INT(a.reply.cuts[CUT_LABELS], rounds[i].cut);
        for (uint32_t k = 0; k < a.reply.series_count && n < ALLOWED; k++)
            known[n++] = a.series[k];
        convert_answer_done(&a);
    }
    CHECK_INT(n, ALLOWED);
}

static void limits_go_with_the_messages(void)
{
    struct convert_request open = opening();
    open.open.limits.frames = 1;
    do_ask(&open, NULL);
    do_chunk(one_sample());
    struct chunk_builder c = recording_begin();
    recording_execution(&c, STACK_WORK, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    do_chunk(c);
    struct convert_answer a = ask(&finishing, NULL);
    CHECK(a.reply.cuts[CUT_FRAMES] > 0);
    convert_answer_done(&a);
}

static void all_of_it(void)
{
    RUN(an_interval_comes_back_as_named_profiles);
    RUN(a_refused_chunk_leaves_the_interval_as_it_was);
    RUN(requests_out_of_order_are_answered);
    RUN(settings_go_from_interval_to_interval_with_the_messages);
    RUN(known_series_go_with_the_messages);
    RUN(limits_go_with_the_messages);
}

static struct convert_answer interval_of_spans(void)
{
    struct convert_request open = opening();
    open.open.series_max = 100;
    open.open.gzip = true;
    do_ask(&open, NULL);
    do_chunk(spans_of(0, 50));
    return ask(&finishing, NULL);
}

static bool has(const uint64_t *series, size_t n, uint64_t one)
{
    for (size_t i = 0; i < n; i++) {
        if (series[i] == one)
            return true;
    }
    return false;
}

/* It has been started anew, so nothing that is drawn at random for a process is the same. */
static void another_program_gives_the_same_answer(void)
{
    const int fd = there;
    there = -1;
    struct convert_answer ours = interval_of_spans();
    there = fd;
    struct convert_answer theirs = interval_of_spans();
    CHECK_INT(theirs.reply.profile_count, ours.reply.profile_count);
    for (uint32_t i = 0; i < ours.reply.profile_count && i < theirs.reply.profile_count; i++) {
        CHECK(memcmp(&ours.profiles[i], &theirs.profiles[i], sizeof ours.profiles[i]) == 0);
        CHECK(memcmp(ours.bytes[i], theirs.bytes[i], ours.profiles[i].size) == 0);
    }
    CHECK_INT(ours.reply.series_count, 50);
    CHECK_INT(theirs.reply.series_count, 50);
    for (uint32_t i = 0; i < theirs.reply.series_count; i++)
        CHECK(has(ours.series, ours.reply.series_count, theirs.series[i]));
    convert_answer_done(&ours);
    convert_answer_done(&theirs);
}

static pid_t start_program(void)
{
    int fds[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", fds[1]);
        close(fds[0]);
        execl("/proc/self/exe", "test_service", number, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    there = fds[0];
    return pid;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return serve_socket(atoi(argv[1]));
    here = convert_service_new();
    all_of_it();
    const pid_t pid = start_program();
    all_of_it();
    RUN(another_program_gives_the_same_answer);
    close(there);
    int status = -1;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    convert_service_free(here);
    return REPORT();
}
