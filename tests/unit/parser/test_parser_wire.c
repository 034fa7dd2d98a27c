/* Answers of a parser process, written by hand. What whole processes answer is in test_parser_interval.c. */
#include "parser/parser_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static const struct convert_options options = {.series_max = 5};
static int ours, its;

static void sockets_open(void)
{
    int ends[2] = {-1, -1};
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours = ends[0];
    its = ends[1];
}

static void sockets_close(void)
{
    close(ours);
    close(its);
}

static int receive(struct parser_input *in, uint32_t op, struct err *err)
{
    struct parser_watch w;
    struct convert_answer a = {0};
    parser_watch_begin(&w, getpid());
    const int code = parser_wire_receive(in, &w, op, &options, &a, err);
    convert_answer_done(&a);
    return code;
}

static void answers_that_came_together_are_taken_one_after_the_other(void)
{
    const struct convert_answer refused = {.reply = {.code = -EBADMSG, .why = "no chunk"}}, fine = {0};
    struct parser_output out = {0};
    struct parser_input in;
    struct err err = {0};
    sockets_open();
    CHECK(parser_wire_answer(its, &out, &fine, true) && parser_wire_answer(its, &out, &refused, true));
    char byte;
    CHECK_INT(recv(ours, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
    CHECK(parser_wire_answer(its, &out, &fine, false));
    parser_input_begin(&in, ours);
    CHECK_INT(receive(&in, CONVERT_OPEN, &err), 0);
    CHECK_INT(parser_input_end(&in, &err), -EBADMSG);
    CHECK_INT(receive(&in, CONVERT_CHUNK, &err), 0);
    CHECK_INT(receive(&in, CONVERT_FINISH, &err), 0);
    CHECK_INT(parser_input_end(&in, &err), 0);
    sockets_close();
}

static void profiles_before_the_end_of_an_interval_are_not_believed(void)
{
    const struct convert_reply reply = {.series_count = 1};
    const uint64_t series = 1;
    struct parser_input in;
    struct err err = {0};
    for (uint32_t op = CONVERT_OPEN; op <= CONVERT_FINISH; op++) {
        sockets_open();
        CHECK_INT(write(its, &reply, sizeof reply), sizeof reply);
        CHECK_INT(write(its, &series, sizeof series), sizeof series);
        parser_input_begin(&in, ours);
        CHECK_INT(receive(&in, op, &err), op == CONVERT_FINISH ? 0 : -EBADMSG);
        sockets_close();
    }
}

/* More than the room for what was not taken yet, in pieces. */
static void a_large_answer_arrives_whole(void)
{
    enum { SIZE = 5 * PARSER_INPUT + 7 };
    static uint8_t bytes[SIZE];
    uint8_t *list[] = {bytes};
    struct convert_profile p = {.type = "process_cpu", .samples = 1, .size = SIZE};
    struct convert_answer a = {.reply.profile_count = 1, .profiles = &p, .bytes = list}, got = {0};
    struct convert_options o = options;
    struct parser_output out = {0};
    struct parser_watch w;
    struct parser_input in;
    struct err err = {0};
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    o.limits = conversion_limits_agent;
    sockets_open();
    CHECK(parser_wire_answer(its, &out, &a, false));
    parser_watch_begin(&w, getpid());
    parser_input_begin(&in, ours);
    CHECK_INT(parser_wire_receive(&in, &w, CONVERT_FINISH, &o, &got, &err), 0);
    CHECK_INT(got.reply.profile_count, 1);
    CHECK(got.reply.profile_count == 1 && memcmp(got.bytes[0], bytes, SIZE) == 0);
    CHECK_INT(parser_input_end(&in, &err), 0);
    convert_answer_done(&got);
    sockets_close();
}

static struct parser_room room;

static void check_requests(bool by_fd)
{
    static const char text[] = "chunk";
    struct parser_request rq[PARSER_TOGETHER] = {{.rq = {.op = CONVERT_OPEN, .size = 2 * sizeof(uint64_t)}},
                                                 {.rq = {.op = CONVERT_CHUNK, .size = sizeof text}, .by_fd = by_fd},
                                                 {.rq = {.op = CONVERT_FINISH}}};
    const uint64_t series[] = {1, 2};
    struct parser_ranges ranges = {.series = series, .chunk = text, .fd = -1};
    struct parser_request got;
    struct parser_watch w;
    struct err err = {0};
    room = (struct parser_room){.fd = -1};
    sockets_open();
    parser_watch_begin(&w, getpid());
    if (by_fd)
        CHECK_INT(parser_wire_seal(text, sizeof text, &ranges.fd, &err), 0);
    CHECK_INT(parser_wire_send(ours, &w, rq, PARSER_TOGETHER, &ranges, &err), 0);
    CHECK(parser_wire_next(its, &got, &room));
    CHECK(got.rq.op == CONVERT_OPEN && got.more && room.series[1] == 2);
    CHECK(parser_wire_next(its, &got, &room));
    CHECK(got.rq.op == CONVERT_CHUNK && got.more && got.by_fd == by_fd);
    CHECK_INT(room.fd >= 0, by_fd);
    if (by_fd)
        CHECK_INT(pread(room.fd, room.chunk, sizeof text, 0), sizeof text);
    CHECK_STR((char *)room.chunk, text);
    CHECK(parser_wire_next(its, &got, &room));
    CHECK(got.rq.op == CONVERT_FINISH && !got.more);
    if (by_fd) {
        close(room.fd);
        close(ranges.fd);
    }
    sockets_close();
}

static void a_small_chunk_follows_its_request(void)
{
    check_requests(false);
}

/* The descriptor comes with the first byte of all, and stays until the chunk it is of. */
static void a_large_chunk_comes_as_a_descriptor(void)
{
    check_requests(true);
}

static void ranges_beyond_the_room_end_the_process(void)
{
    static const uint32_t ops[] = {CONVERT_OPEN, CONVERT_CHUNK};
    static const uint64_t sizes[] = {sizeof room.series + 1, sizeof room.chunk + 1};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        const struct parser_request rq = {.rq = {.op = ops[i], .size = sizes[i]}};
        struct parser_request got;
        sockets_open();
        CHECK_INT(write(ours, &rq, sizeof rq), sizeof rq);
        CHECK(!parser_wire_next(its, &got, &room));
        sockets_close();
    }
}

int main(void)
{
    RUN(answers_that_came_together_are_taken_one_after_the_other);
    RUN(profiles_before_the_end_of_an_interval_are_not_believed);
    RUN(a_large_answer_arrives_whole);
    RUN(a_small_chunk_follows_its_request);
    RUN(a_large_chunk_comes_as_a_descriptor);
    RUN(ranges_beyond_the_room_end_the_process);
    return REPORT();
}
