/* Items in a real parser process, and what becomes of them when one of them takes it over. */
#include "parser/parser_batch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "parser/parser_interval.h"
#include "parser/parser_main.h"
#include "parser/parser_wire.h"
#include "parser/sandbox.h"
#include "pprof/recording.h"
#include "test.h"

static struct parser_pool *pool;

/* ---- what runs in the process ---- */

/* "head:bytes;" for every item; an item without bytes is refused. */
static int echo(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i].bytes.n == 0)
            return err_set(err, -EINVAL, "item %zu is empty", i);
        buf_str(out, items[i].head);
        buf_byte(out, ':');
        buf_str(out, items[i].bytes);
        buf_byte(out, ';');
    }
    return 0;
}
static const struct parser_service echo_service = {"test.echo", echo}, unknown_service = {"test.unknown", echo};
static const struct parser_service *const services[] = {&echo_service, NULL};

static void answer_lie(int sock, char which)
{
    struct parser_reply r = {.size = 1};
    switch (which) {
    case '0':
        r.size = UINT64_MAX;
        break;
    case '1':
        r.code = 1;
        break;
    case '2': /* refused, with an answer */
        r.code = -EINVAL;
        break;
    case '3':
        memset(r.why, 'x', sizeof r.why);
        break;
    default: /* what the check of the caller finds */
        break;
    }
    (void)!write(sock, &r, sizeof r);
    (void)!write(sock, "!", 1);
}

static void intrude(int sock, const uint8_t *bytes, size_t n)
{
    if (n < 5 || memcmp(bytes, "EVIL", 4) != 0)
        return;
    volatile int *volatile nowhere = (int *)16;
    switch (bytes[4]) {
    case 's':
        *nowhere = 1;
        break;
    case 'k':
        raise(SIGKILL);
        break;
    case 'f':
        (void)!chdir("/");
        break;
    case 'l':
        answer_lie(sock, (char)bytes[5]);
        break;
    default:
        abort();
    }
}

/* ---- */

enum { MAX = 1 << 16, ITEMS_MAX = 600 };

static int check_echo(void *arg, size_t n, struct str answer, struct err *err)
{
    size_t ends = 0;
    (void)arg;
    for (size_t i = 0; i < answer.n; i++)
        ends += answer.p[i] == ';';
    return ends == n ? 0 : err_set(err, -EBADMSG, "%zu answers, want %zu", ends, n);
}

static struct parser_batch batch_of(const struct parser_item *items, size_t n)
{
    return (struct parser_batch){
        .pool = pool, .service = &echo_service, .items = items, .count = n, .answer_max = MAX, .check = check_echo};
}

/* All answers one after the other, "!" for an item that was set aside; as many as there were go to `answers`. */
static int run(struct parser_batch *b, struct buf *out, unsigned *answers, struct err *err)
{
    struct parser_answer a;
    int code;
    *answers = 0;
    while ((code = parser_batch_next(b, &a, err)) > 0 || code == -ECANCELED) {
        if (code > 0)
            buf_str(out, a.bytes);
        else
            buf_byte(out, '!');
        *answers += code > 0;
    }
    return code;
}

static void check_run(struct parser_batch *b, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(MAX);
    struct err err = {0};
    unsigned answers;
    CHECK_INT(run(b, &out, &answers, &err), 0);
    CHECK_STR(buf_cstr(&out), want);
}

static unsigned endings_of(const struct parser_batch *b)
{
    unsigned n = 0;
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        n += b->endings[i];
    return n;
}

static void items_are_served_in_one_turn(void)
{
    const struct parser_item items[] = {{STR("a"), STR("1")}, {STR(""), STR("two")}, {STR("c"), STR("3")}};
    cleanup_parser_batch struct parser_batch b = batch_of(items, 3);
    struct parser_answer a;
    struct err err = {0};
    CHECK_INT(parser_batch_next(&b, &a, &err), 1);
    CHECK_INT(a.first, 0);
    CHECK_INT(a.n, 3);
    CHECK(str_is(a.bytes, "a:1;:two;c:3;"));
    CHECK_INT(parser_batch_next(&b, &a, &err), 0);
    CHECK_INT(endings_of(&b), 0);
}

static void much_is_served_in_several_turns(void)
{
    struct parser_item items[ITEMS_MAX];
    cleanup_buf struct buf out = BUF_INIT(MAX);
    struct err err = {0};
    unsigned answers;
    for (size_t i = 0; i < ITEMS_MAX; i++)
        items[i] = (struct parser_item){STR(""), STR("x")};
    cleanup_parser_batch struct parser_batch b = batch_of(items, ITEMS_MAX);
    CHECK_INT(run(&b, &out, &answers, &err), 0);
    CHECK_INT(answers, 3);
    CHECK_INT(out.len, ITEMS_MAX * 3);
}

/* So that a small body cannot keep a process for minutes. */
static void what_inflates_to_much_is_served_alone(void)
{
    static const char packed[] = "\x1f\x8b\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\x7f";
    const struct parser_item items[] = {{STR("a"), STR("1")}, {STR("b"), STR(packed)}, {STR("c"), STR("3")}};
    cleanup_parser_batch struct parser_batch b = batch_of(items, 3);
    struct parser_answer a;
    struct err err = {0};
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(parser_batch_next(&b, &a, &err), 1);
        CHECK_INT(a.first, i);
        CHECK_INT(a.n, 1);
    }
}

static void a_service_refuses_with_its_reason(void)
{
    const struct parser_item items[] = {{STR("a"), STR("1")}, {STR("b"), STR("")}};
    cleanup_parser_batch struct parser_batch b = batch_of(items, 2);
    struct parser_answer a;
    struct err err = {0};
    CHECK_INT(parser_batch_next(&b, &a, &err), -EINVAL);
    CHECK_STR(err.text, "item 1 is empty");
    CHECK_INT(endings_of(&b), 0);
}

static void an_answer_has_a_maximum(void)
{
    const struct parser_item item = {STR(""), STR("more than there is room for")};
    cleanup_parser_batch struct parser_batch b = batch_of(&item, 1);
    struct parser_answer a;
    struct err err = {0};
    b.answer_max = 8;
    CHECK_INT(parser_batch_next(&b, &a, &err), -EMSGSIZE);
    CHECK_INT(endings_of(&b), 0);
}

static void without_a_pool_the_caller_serves(void)
{
    const struct parser_item items[] = {{STR("a"), STR("1")}, {STR("b"), STR("2")}};
    cleanup_parser_batch struct parser_batch b = batch_of(items, 2);
    b.pool = NULL;
    check_run(&b, "a:1;b:2;");
}

static void an_item_that_ends_processes_is_set_aside_alone(void)
{
    static const struct {
        const char *bytes;
        enum parser_ending how;
    } evil[] = {{"EVILs", PARSER_CRASHED},  {"EVILa", PARSER_CRASHED},  {"EVILl0", PARSER_INVALID},
                {"EVILl1", PARSER_INVALID}, {"EVILl2", PARSER_INVALID}, {"EVILl3", PARSER_INVALID},
                {"EVILl4", PARSER_INVALID}};
    for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
        const struct parser_item items[] = {
            {STR("a"), STR("1")}, {STR("b"), str_of(evil[i].bytes)}, {STR("c"), STR("3")}};
        cleanup_parser_batch struct parser_batch b = batch_of(items, 3), alone = batch_of(&items[1], 1);
        check_run(&b, "a:1;!c:3;");
        CHECK_INT(b.set_aside, 1);
        CHECK(b.endings[evil[i].how] >= 2 && endings_of(&b) == b.endings[evil[i].how]);
        check_run(&alone, "!");
        CHECK_INT(endings_of(&alone), 2);
    }
}

static void a_system_call_is_named(void)
{
    uint32_t layers;
    const struct parser_item item = {STR(""), STR("EVILf")};
    cleanup_parser_batch struct parser_batch b = batch_of(&item, 1);
    struct parser_answer a;
    struct err err = {0};
    if (!parser_pool_layers(pool, &layers) || !(layers >> SANDBOX_SECCOMP & 1)) {
        SKIP(a_system_call_is_named, "no seccomp with a sanitizer");
        return;
    }
    CHECK_INT(parser_batch_next(&b, &a, &err), -ECANCELED);
    CHECK_INT(a.first, 0);
    CHECK_STR(err.text,
              "ended the parser twice and was set aside: it tried a system call that it may not make (SIGSYS)");
    CHECK_INT(b.endings[PARSER_FORBIDDEN], 2);
}

/* The host is out of memory: that is not the item's fault. */
static void a_process_killed_from_outside_is_no_fault_of_the_item(void)
{
    const struct parser_item item = {STR(""), STR("EVILk")};
    cleanup_parser_batch struct parser_batch b = batch_of(&item, 1);
    struct parser_answer a;
    struct err err = {0};
    CHECK_INT(parser_batch_next(&b, &a, &err), -EAGAIN);
    CHECK_INT(b.set_aside, 0);
    CHECK_HAS(err.text, "out of memory");
}

static void an_unknown_service_is_no_way_in(void)
{
    const struct parser_item item = {STR(""), STR("1")};
    cleanup_parser_batch struct parser_batch b = batch_of(&item, 1);
    b.service = &unknown_service;
    check_run(&b, "!");
}

/* No client can delay the conversion of recordings: as many crashes of a recording's would. */
static void clients_do_not_delay_the_next_process(void)
{
    enum { TIMES = 12 };
    const struct parser_item item = {STR(""), STR("EVILs")};
    for (size_t i = 0; i < TIMES; i++) {
        cleanup_parser_batch struct parser_batch b = batch_of(&item, 1);
        check_run(&b, "!");
    }
    struct parser_process_ref r;
    int64_t retry_ms;
    struct err err = {0};
    CHECK_INT(parser_pool_take(pool, -1, 0, false, &r, &retry_ms, &err), 0);
    CHECK_INT(retry_ms, 0);
    parser_pool_give(pool, &r);
}

/* A second process costs memory: only what would have to wait for long is worth it. */
static void items_wait_for_the_process_that_runs_but_not_for_long(void)
{
    const struct parser_item item = {STR("a"), STR("1")};
    struct parser_process_ref first, other;
    int64_t retry_ms;
    struct err err = {0};
    cleanup_parser_batch struct parser_batch b = batch_of(&item, 1);
    check_run(&b, "a:1;");
    CHECK_INT(parser_pool_take(pool, PARSER_RUNNING, 0, false, &first, &retry_ms, &err), 0);
    CHECK_INT(parser_pool_take(pool, PARSER_RUNNING, 0, false, &other, &retry_ms, &err), 0);
    CHECK(other.pid != first.pid);
    parser_pool_give(pool, &first);
    parser_pool_give(pool, &other);
}

static struct jfr_chunk *one_sample(void)
{
    struct chunk_builder c = recording_begin();
    size_t len;
    recording_execution(&c, STACK_MAIN, THREAD_MAIN, STATE_DEFAULT);
    recording_end(&c);
    uint8_t *bytes = buf_take(&c.b, &len);
    chunk_done(&c);
    return jfr_chunk_new(bytes, len);
}

static void an_interval_that_is_open_goes_on(void)
{
    struct parser_interval *interval = parser_interval_new(pool);
    const struct convert_options options = {
        .settings = {.event = "itimer", .cpu_ns = 10}, .limits = conversion_limits_agent, .series_max = 5};
    struct parser_step first = {.open = true, .options = options, .chunk = one_sample()},
                       last = {.options = options, .chunk = one_sample(), .finish = true};
    const struct parser_item item = {STR(""), STR("EVILs")};
    cleanup_parser_batch struct parser_batch b = batch_of(&item, 1);
    parser_interval_run(interval, &first);
    CHECK(first.is_open && first.retry_ms == 0);
    check_run(&b, "!");
    parser_interval_run(interval, &last);
    CHECK_INT(last.retry_ms, 0);
    CHECK_INT(last.finish_code, 0);
    CHECK_INT(last.answer.reply.profile_count, 1);
    if (last.answer.reply.profile_count == 1)
        CHECK_INT(last.answer.profiles[0].samples, 2);
    parser_step_done(&first);
    parser_step_done(&last);
    parser_interval_free(interval);
}

int main(int argc, char **argv)
{
    parser_main(argc, argv, services, intrude);
    pool = parser_pool_new(argv[0], NULL);
    RUN(items_are_served_in_one_turn);
    RUN(much_is_served_in_several_turns);
    RUN(what_inflates_to_much_is_served_alone);
    RUN(a_service_refuses_with_its_reason);
    RUN(an_answer_has_a_maximum);
    RUN(without_a_pool_the_caller_serves);
    RUN(an_item_that_ends_processes_is_set_aside_alone);
    RUN(a_system_call_is_named);
    RUN(a_process_killed_from_outside_is_no_fault_of_the_item);
    RUN(an_unknown_service_is_no_way_in);
    RUN(clients_do_not_delay_the_next_process);
    RUN(items_wait_for_the_process_that_runs_but_not_for_long);
    RUN(an_interval_that_is_open_goes_on);
    parser_pool_free(pool);
    return REPORT();
}
