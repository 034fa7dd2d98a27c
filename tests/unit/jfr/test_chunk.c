#include "jfr/chunk.h"

#include <errno.h>

#include "jfr/chunk_builder.h"
#include "test.h"

static struct chunk_builder whole(void)
{
    struct chunk_builder c = chunk_begin("11 long");
    chunk_checkpoint(&c, 0, 0);
    chunk_event_end(&c);
    chunk_end(&c);
    return c;
}

static void check_refused(const struct chunk_builder *c, size_t len, const char *why)
{
    struct jfr_header h;
    struct err err = {0};
    CHECK_INT(jfr_header_read(c->b.p, len, &h, &err), -EBADMSG);
    CHECK_HAS(err.text, why);
}

static void a_finished_chunk_tells_its_times(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    struct jfr_header h = {0};
    struct err err = {0};
    CHECK_INT(jfr_header_read(c.b.p, c.b.len, &h, &err), 0);
    CHECK_INT(h.size, c.b.len);
    CHECK_INT(h.metadata, JFR_HEADER_SIZE);
    CHECK_INT(h.checkpoint, c.checkpoint);
    CHECK_INT(h.start_ns, c.start_ns);
    CHECK_INT(h.duration_ns, c.duration_ns);
}

static void a_torn_chunk_is_refused(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    check_refused(&c, c.b.len - 1, "is cut at");
    check_refused(&c, JFR_HEADER_SIZE - 1, "chunk header");
    check_refused(&c, 0, "chunk header");
}

static void an_unfinished_chunk_is_told_from_a_bad_one(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    chunk_be(&c, 16, 0, 8); /* no checkpoint yet */
    check_refused(&c, c.b.len, "never finished");
    chunk_end(&c);
    chunk_be(&c, 8, UINT64_C(1) << 30, 8);
    chunk_end(&c);
    chunk_be(&c, 64, 0xff, 1); /* a JDK at work on it */
    check_refused(&c, c.b.len, "never finished");
}

/* The JDK's header tells up to where the chunk was whole when the JVM was killed. */
static void what_an_unfinished_chunk_was_flushed_to_is_read(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    struct jfr_header h = {0};
    struct err err = {0};
    size_t flushed = c.b.len;
    buf_puts(&c.b, "events after it");
    chunk_be(&c, 64, 3, 1);
    CHECK_INT(jfr_header_read(c.b.p, c.b.len, &h, &err), 0);
    CHECK_STR(err.text, "");
    CHECK_INT(h.size, flushed);
    check_refused(&c, flushed - 1, "is cut at");
    chunk_be(&c, 16, 0, 8); /* never flushed */
    check_refused(&c, c.b.len, "never finished");
}

static void what_is_no_chunk_is_refused(void)
{
    static const struct {
        size_t at;
        uint64_t v;
        unsigned bytes;
        const char *why;
    } damage[] = {
        {0, 0, 4, "magic"},           {4, 3, 2, "version"},
        {64, 0, 4, "uncompressed"},   {8, 68, 8, "size"},
        {8, UINT64_MAX, 8, "size"},   {16, 67, 8, "constant pools"},
        {16, 1 << 20, 8, "constant"}, {24, UINT64_MAX, 8, "metadata"},
        {56, 0, 8, "frequency"},
    };
    cleanup_chunk struct chunk_builder c = whole();
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        chunk_end(&c);
        chunk_be(&c, damage[i].at, damage[i].v, damage[i].bytes);
        check_refused(&c, c.b.len, damage[i].why);
    }
}

static void a_recording_tells_its_version(void)
{
    static const struct {
        unsigned major, minor;
        bool known;
    } cases[] = {{2, 0, true}, {2, 1, true}, {1, 0, true}, {0, 9, false}, {3, 0, false}};
    cleanup_chunk struct chunk_builder c = whole();
    struct jfr_version v;
    struct jfr_header h;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chunk_be(&c, 4, cases[i].major, 2);
        chunk_be(&c, 6, cases[i].minor, 2);
        CHECK(jfr_version_of(c.b.p, c.b.len, &v));
        CHECK_INT(v.major, cases[i].major);
        CHECK_INT(v.minor, cases[i].minor);
        CHECK_INT(v.known, cases[i].known);
        CHECK_INT(jfr_header_read(c.b.p, c.b.len, &h, NULL), cases[i].known ? 0 : -EBADMSG);
    }
    check_refused(&c, c.b.len, "version 3.0 is not supported");
    CHECK(!jfr_version_of(c.b.p, 7, &v));
    CHECK(!jfr_version_of("\x1f\x8b\x08\0\0\0\0\0", 8, &v));
}

static void ticks_become_nanoseconds_without_overflow(void)
{
    struct jfr_header h = {.ticks_per_second = 2800000000};
    CHECK_INT(jfr_ticks_to_ns(&h, 2800), 1000);
    CHECK_INT(jfr_ticks_to_ns(&h, -2800), -1000);
    CHECK_INT(jfr_ticks_to_ns(&h, INT64_MAX), (int64_t)((__int128)INT64_MAX * 1000000000 / 2800000000));
    h.ticks_per_second = 1;
    CHECK_INT(jfr_ticks_to_ns(&h, INT64_MAX), INT64_MAX);
    CHECK_INT(jfr_ticks_to_ns(&h, INT64_MIN), INT64_MIN);
    h.ticks_per_second = 1000000000;
    CHECK_INT(jfr_ticks_to_ns(&h, 77), 77);
}

static enum jfr_framing framing(const struct chunk_builder *c)
{
    struct jfr_header h = {0};
    return jfr_header_framing(c->b.p, &h);
}

/* What tells that a recording goes on behind it; that a reader would refuse it is another matter. */
static void a_chunk_is_framed_by_its_header(void)
{
    cleanup_chunk struct chunk_builder c = whole();
    struct jfr_header h = {0};
    CHECK_INT(jfr_header_framing(c.b.p, &h), JFR_CHUNK_CLOSED);
    CHECK_INT(h.size, c.b.len);
    CHECK_INT(h.start_ns, c.start_ns);
    static const struct {
        size_t at;
        uint64_t v;
        unsigned bytes;
        enum jfr_framing want;
    } cases[] = {
        {0, 0, 4, JFR_NO_CHUNK},
        {16, 0, 8, JFR_CHUNK_OPEN},
        {8, UINT64_C(1) << 30, 8, JFR_CHUNK_OPEN},
        {8, 68, 8, JFR_CHUNK_IMPOSSIBLE},
        {16, 67, 8, JFR_CHUNK_IMPOSSIBLE},
        {16, UINT64_MAX, 8, JFR_CHUNK_IMPOSSIBLE},
        {4, 3, 2, JFR_CHUNK_CLOSED},
        {24, UINT64_MAX, 8, JFR_CHUNK_CLOSED},
        {56, 0, 8, JFR_CHUNK_CLOSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chunk_end(&c);
        chunk_be(&c, cases[i].at, cases[i].v, cases[i].bytes);
        CHECK_INT(framing(&c), cases[i].want);
        chunk_be(&c, 0, 0x464c5200, 4);
        chunk_be(&c, 4, 2, 2);
        chunk_be(&c, 56, 1000, 8);
    }
}

static void the_ticks_of_the_next_chunk_mend_a_duration(void)
{
    const int64_t second = 1000000000;
    const struct jfr_header next = {.start_ticks = 15100};
    struct jfr_header h = {.duration_ns = 3615 * second, .start_ticks = 100, .ticks_per_second = 1000};
    jfr_header_mend_duration(&h, &next);
    CHECK_INT(h.duration_ns, 15 * second);
    h.duration_ns = 15 * second + second / 2; /* clocks differ by as much */
    jfr_header_mend_duration(&h, &next);
    CHECK_INT(h.duration_ns, 15 * second + second / 2);
    h = (struct jfr_header){
        .duration_ns = 7, .start_ticks = 20000, .ticks_per_second = 1000}; /* it does not come before */
    jfr_header_mend_duration(&h, &next);
    CHECK_INT(h.duration_ns, 7);

    cleanup_chunk struct chunk_builder c = whole();
    jfr_header_put_duration(c.b.p, 15 * second);
    struct err err = {0};
    CHECK_INT(jfr_header_read(c.b.p, c.b.len, &h, &err), 0);
    CHECK_INT(h.duration_ns, 15 * second);
}

static void spans_cannot_overflow(void)
{
    static const struct {
        int64_t start, duration, from, until;
    } cases[] = {
        {1000, 500, 1000, 1500}, {INT64_MIN, INT64_MAX, 0, 0}, {INT64_MAX, 5, 0, 5}, {7, -1, 7, 7}, {-1, 3, 0, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct jfr_header h = {.start_ns = cases[i].start, .duration_ns = cases[i].duration};
        int64_t from, until;
        jfr_header_span(&h, &from, &until);
        CHECK_INT(from, cases[i].from);
        CHECK_INT(until, cases[i].until);
    }
}

int main(void)
{
    RUN(a_finished_chunk_tells_its_times);
    RUN(a_torn_chunk_is_refused);
    RUN(an_unfinished_chunk_is_told_from_a_bad_one);
    RUN(what_an_unfinished_chunk_was_flushed_to_is_read);
    RUN(what_is_no_chunk_is_refused);
    RUN(a_recording_tells_its_version);
    RUN(a_chunk_is_framed_by_its_header);
    RUN(the_ticks_of_the_next_chunk_mend_a_duration);
    RUN(spans_cannot_overflow);
    RUN(ticks_become_nanoseconds_without_overflow);
    return REPORT();
}
