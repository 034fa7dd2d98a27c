#include "jvm/operation/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

enum {
    AT_SIZE = 8,
    AT_CHECKPOINT = 16,
    AT_START = 32,
    AT_DURATION = 40,
    AT_TICKS = 48,
    AT_FREQUENCY = 56,
    IN_PROGRESS = 1 << 30
};

/* A recording as async-profiler writes it: the test plays the writer, with its own position. */
struct writer {
    int fd;
    uint64_t at; /* start of the chunk being written */
    uint64_t end;
};

static void put_be64(uint8_t *to, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        to[i] = (uint8_t)v;
}

static void write_at(int fd, uint64_t at, const void *p, size_t n)
{
    CHECK_INT(pwrite(fd, p, n, (off_t)at), n);
}

static struct writer writer_new(void)
{
    return (struct writer){.fd = memfd_create("recording", MFD_CLOEXEC)};
}

/* The placeholder header, as at the beginning of each chunk. */
static void begin_chunk(struct writer *w, int64_t start_ns)
{
    uint8_t header[JFR_HEADER_SIZE] = {'F', 'L', 'R', 0, 0, 2};
    put_be64(header + AT_SIZE, IN_PROGRESS);
    put_be64(header + AT_START, (uint64_t)start_ns);
    w->at = w->end;
    write_at(w->fd, w->at, header, sizeof header);
    w->end = w->at + sizeof header;
}

static void put_events(struct writer *w, size_t n, uint8_t fill)
{
    uint8_t *bytes = malloc(n);
    memset(bytes, fill, n);
    write_at(w->fd, w->end, bytes, n);
    free(bytes);
    w->end += n;
}

static void finish_header(const struct writer *w, uint64_t size, uint64_t checkpoint, int64_t duration_ns)
{
    uint8_t v[8];
    put_be64(v, size);
    write_at(w->fd, w->at + AT_SIZE, v, sizeof v);
    put_be64(v, checkpoint);
    write_at(w->fd, w->at + AT_CHECKPOINT, v, sizeof v);
    put_be64(v, (uint64_t)duration_ns);
    write_at(w->fd, w->at + AT_DURATION, v, sizeof v);
}

static void finish_chunk(const struct writer *w, int64_t duration_ns)
{
    uint64_t size = w->end - w->at;
    finish_header(w, size, size - 10, duration_ns);
}

static struct recording reader_of(const struct writer *w)
{
    struct recording r = RECORDING_INIT;
    r.fd = dup(w->fd);
    return r;
}

static void expect_chunk(struct recording *r, bool ended, size_t len, uint8_t fill)
{
    struct jfr_chunk *c = NULL;
    CHECK_INT(recording_next(r, ended, &c), RECORDING_CHUNK);
    CHECK_INT(c->len, len);
    CHECK(c && memcmp(c->bytes, "FLR", 4) == 0 && c->bytes[c->len - 1] == fill);
    jfr_chunk_unref(c);
}

static void expect(struct recording *r, bool ended, enum recording_result want)
{
    struct jfr_chunk *c = NULL;
    CHECK_INT(recording_next(r, ended, &c), want);
    jfr_chunk_unref(c);
}

static void hands_out_a_chunk_once_the_next_one_began(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    expect(&r, false, RECORDING_WAITING); /* empty */
    begin_chunk(&w, 1000);
    put_events(&w, 5000, 'a');
    for (int i = 0; i < 3; i++)
        expect(&r, false, RECORDING_WAITING);
    finish_chunk(&w, 500);
    begin_chunk(&w, 1500);
    struct jfr_chunk *c = NULL;
    CHECK_INT(recording_next(&r, false, &c), RECORDING_CHUNK);
    CHECK_INT(c->len, 5068);
    CHECK_INT(c->start_ns, 1000);
    CHECK_INT(c->end_ns, 1500);
    CHECK(r.unfinished);
    jfr_chunk_unref(c);
    expect(&r, false, RECORDING_WAITING);
    CHECK(recording_has_tail(&r));
    recording_done(&r);
    close(w.fd);
}

static void believes_a_lonely_header_only_when_it_stays(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    begin_chunk(&w, 1);
    put_events(&w, 300, 'a');
    finish_header(&w, 368, 300, 0);
    expect(&r, false, RECORDING_WAITING);
    finish_header(&w, 368, 301, 7); /* the rest of the straddled write */
    expect(&r, false, RECORDING_WAITING);
    expect_chunk(&r, false, 368, 'a');
    recording_done(&r);
    close(w.fd);
}

static void takes_the_last_chunk_at_once_when_the_writer_is_done(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    begin_chunk(&w, 1);
    put_events(&w, 300, 'a');
    finish_chunk(&w, 9);
    expect_chunk(&r, true, 368, 'a');
    expect(&r, true, RECORDING_END);
    CHECK(!recording_has_tail(&r));
    recording_done(&r);
    close(w.fd);
}

static void says_that_a_killed_writer_left_an_unfinished_chunk(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    begin_chunk(&w, 1);
    put_events(&w, 300, 'a');
    expect(&r, true, RECORDING_END);
    CHECK(recording_has_tail(&r));
    recording_done(&r);
    close(w.fd);
}

static void gives_consumed_space_back(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    for (uint8_t i = 0; i < 8; i++) {
        begin_chunk(&w, i);
        put_events(&w, 1 << 20, i);
        finish_chunk(&w, 1);
        expect_chunk(&r, true, (1 << 20) + JFR_HEADER_SIZE, i);
        if (i % 2) /* once for two is as good */
            recording_punch(&r);
    }
    struct stat st;
    CHECK_INT(fstat(w.fd, &st), 0);
    CHECK_INT((uint64_t)st.st_size, w.end);
    CHECK(st.st_blocks * 512 <= 8192);
    recording_done(&r);
    close(w.fd);
}

static void put_ticks(const struct writer *w, uint64_t ticks, uint64_t per_second)
{
    uint8_t v[8];
    put_be64(v, ticks);
    write_at(w->fd, w->at + AT_TICKS, v, sizeof v);
    put_be64(v, per_second);
    write_at(w->fd, w->at + AT_FREQUENCY, v, sizeof v);
}

/* The header's own word unless the ticks contradict it by more than a second. */
static void a_clock_that_was_set_does_not_stretch_a_chunk(void)
{
    static const int64_t second = 1000000000;
    const struct {
        int64_t claimed, want;
        uint64_t ticks, per_second;
    } cases[] = {
        {15 * second, 15 * second, 15500, 1000},         /* as it should be */
        {3615 * second, 15 * second, 15000, 1000},       /* set forward */
        {-3585 * second, 15 * second, 15000, 1000},      /* set back */
        {20 * second, 20 * second, 0, 1000},             /* no ticks to go by */
        {20 * second, 20 * second, 15000, 0},            /* none per second */
        {20 * second, 20 * second, UINT64_MAX - 100, 1}, /* absurd */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct writer w = writer_new();
        struct recording r = reader_of(&w);
        begin_chunk(&w, 1000);
        put_ticks(&w, 100, cases[i].per_second);
        put_events(&w, 300, 'a');
        finish_chunk(&w, cases[i].claimed);
        begin_chunk(&w, 2000);
        put_ticks(&w, 100 + cases[i].ticks, cases[i].per_second);
        struct jfr_chunk *c = NULL;
        CHECK_INT(recording_next(&r, false, &c), RECORDING_CHUNK);
        CHECK_INT(c->end_ns - c->start_ns, cases[i].want);
        uint8_t want[8];
        put_be64(want, (uint64_t)cases[i].want);
        CHECK(memcmp(c->bytes + AT_DURATION, want, sizeof want) == 0);
        jfr_chunk_unref(c);
        recording_done(&r);
        close(w.fd);
    }
}

static void says_whether_another_look_is_worth_it(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    static const bool last[] = {false, true}; /* of two chunks and a third that is being written */
    for (int i = 0; i < 2; i++) {
        begin_chunk(&w, i);
        put_events(&w, 300, 'a');
        finish_chunk(&w, 1);
    }
    begin_chunk(&w, 2);
    for (int i = 0; i < 2; i++) {
        struct jfr_chunk *c = NULL;
        CHECK_INT(recording_next(&r, false, &c), RECORDING_CHUNK);
        CHECK_INT(r.unfinished, last[i]);
        jfr_chunk_unref(c);
    }
    recording_done(&r);
    close(w.fd);
}

static void a_later_agent_begins_at_the_first_unconsumed_chunk(void)
{
    struct writer w = writer_new();
    struct recording first = reader_of(&w), second = reader_of(&w);
    begin_chunk(&w, 1);
    put_events(&w, 100001, 'a');
    finish_chunk(&w, 1);
    expect_chunk(&first, true, 100069, 'a');
    begin_chunk(&w, 2);
    put_events(&w, 700, 'b');
    finish_chunk(&w, 1);
    recording_punch(&first);
    CHECK_INT(recording_find_first(&second, NULL), 0);
    CHECK_INT(second.at, first.at);
    expect_chunk(&second, true, 768, 'b');

    struct recording third = reader_of(&w);
    recording_punch(&second);
    CHECK_INT(recording_find_first(&third, NULL), 0); /* all consumed, a hole alone */
    expect(&third, true, RECORDING_END);
    recording_done(&first);
    recording_done(&second);
    recording_done(&third);
    close(w.fd);
}

static void refuses_an_earlier_recording_without_a_chunk(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    struct err err = {0};
    put_events(&w, 100, 0);
    put_events(&w, 100, 'x');
    CHECK_INT(recording_find_first(&r, &err), -EBADMSG);
    CHECK_HAS(err.text, "byte 100");
    recording_done(&r);
    close(w.fd);
}

static void skips_a_chunk_too_big_to_hold(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    begin_chunk(&w, 1);
    w.end = (uint64_t)RECORDING_CHUNK_MAX + 4097; /* sparse */
    finish_chunk(&w, 1);
    begin_chunk(&w, 2);
    put_events(&w, 10, 'b');
    finish_chunk(&w, 1);
    expect(&r, true, RECORDING_DROPPED);
    expect_chunk(&r, true, 78, 'b');
    recording_done(&r);
    close(w.fd);
}

static void hostile_headers_break_the_recording_and_nothing_else(void)
{
    static const struct {
        uint64_t size, checkpoint;
    } headers[] = {{67, 68}, {0, 70}, {400, 3}, {400, 400}, {400, UINT64_MAX}, {UINT64_MAX, 70}, {1 << 20, 70}};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct writer w = writer_new();
        struct recording r = reader_of(&w);
        begin_chunk(&w, 1);
        put_events(&w, 400, 'a');
        finish_header(&w, headers[i].size, headers[i].checkpoint, 1);
        expect(&r, false, RECORDING_WAITING); /* it may be half written */
        expect(&r, false, RECORDING_BROKEN);
        recording_done(&r);
        close(w.fd);
    }
}

static void a_file_that_shrinks_is_broken(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    begin_chunk(&w, 1);
    put_events(&w, 400, 'a');
    finish_chunk(&w, 1);
    expect_chunk(&r, true, 468, 'a');
    CHECK_INT(ftruncate(w.fd, 10), 0);
    expect(&r, false, RECORDING_BROKEN);
    recording_done(&r);
    close(w.fd);
}

static void clamps_times_that_would_overflow(void)
{
    struct writer w = writer_new();
    struct recording r = reader_of(&w);
    struct jfr_chunk *c = NULL;
    begin_chunk(&w, INT64_MIN);
    put_events(&w, 400, 'a');
    finish_chunk(&w, INT64_MAX);
    CHECK_INT(recording_next(&r, true, &c), RECORDING_CHUNK);
    CHECK_INT(c->start_ns, 0);
    CHECK_INT(c->end_ns, 0);
    jfr_chunk_unref(c);
    recording_done(&r);
    close(w.fd);
}

static void belongs_to_one_reader(void)
{
    struct writer w = writer_new();
    struct recording first = RECORDING_INIT, second = RECORDING_INIT;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", w.fd);
    first.fd = open(path, O_RDWR | O_CLOEXEC);
    second.fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(recording_claim(first.fd));
    CHECK(recording_claim(first.fd));
    CHECK(!recording_claim(second.fd));
    recording_release(&first);
    CHECK(recording_claim(second.fd));
    CHECK(!recording_claim(first.fd));
    recording_done(&second); /* as when its process ends */
    CHECK(recording_claim(first.fd));
    recording_done(&first);
    close(w.fd);
}

static void knows_its_file_again(void)
{
    struct writer a = writer_new(), b = writer_new();
    struct recording r = reader_of(&a);
    CHECK(recording_is(&r, a.fd));
    CHECK(!recording_is(&r, b.fd));
    recording_done(&r);
    CHECK(!recording_is(&r, a.fd));
    close(a.fd);
    close(b.fd);
}

int main(void)
{
    RUN(hands_out_a_chunk_once_the_next_one_began);
    RUN(believes_a_lonely_header_only_when_it_stays);
    RUN(takes_the_last_chunk_at_once_when_the_writer_is_done);
    RUN(says_that_a_killed_writer_left_an_unfinished_chunk);
    RUN(gives_consumed_space_back);
    RUN(a_clock_that_was_set_does_not_stretch_a_chunk);
    RUN(says_whether_another_look_is_worth_it);
    RUN(a_later_agent_begins_at_the_first_unconsumed_chunk);
    RUN(refuses_an_earlier_recording_without_a_chunk);
    RUN(skips_a_chunk_too_big_to_hold);
    RUN(hostile_headers_break_the_recording_and_nothing_else);
    RUN(a_file_that_shrinks_is_broken);
    RUN(clamps_times_that_would_overflow);
    RUN(belongs_to_one_reader);
    RUN(knows_its_file_again);
    return REPORT();
}
