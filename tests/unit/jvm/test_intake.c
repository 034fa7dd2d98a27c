/* What a target may do with headers, amounts and silence: the intake alone, on recordings of this file, read in
 * place. */
#include "jvm/session/intake.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test.h"

static const int64_t SECOND = 1000000000;

static struct intake in;
static struct {
    unsigned chunks, intervals, turns, silent, reads;
    char why[64];
    jvm_read_done *done;
    struct jvm_read read;
} t;

/* ---- the helper: answers when asked to ---- */

uint64_t jvm_read_recording(struct priv *p, const struct jvm_reading *r, jvm_read_done *done, void *arg)
{
    (void)p, (void)arg;
    t.reads++;
    t.done = done;
    t.read = (struct jvm_read){.known = !t.silent, .recording = *r->recording};
    if (t.silent)
        t.silent--;
    else
        t.read.result = recording_next(&t.read.recording, r->ended, &t.read.chunk);
    return 1;
}

void jvm_close_recording(struct priv *p, uint64_t user, int fd)
{
    (void)p, (void)user;
    close(fd);
}

void priv_forget(struct priv *p, uint64_t call)
{
    (void)p, (void)call;
    jfr_chunk_unref(t.read.chunk);
    t.done = NULL;
}

static bool step(bool due)
{
    in.pace_at = in.pace_at ? 1 : 0; /* no waiting for it here */
    if (!intake_poll(&in, due) || !t.done)
        return false;
    jvm_read_done *done = t.done;
    t.done = NULL;
    done(&in, &t.read);
    return true;
}

/* ---- the owner ---- */

static void on_chunk(void *arg, struct jfr_chunk *c)
{
    (void)arg;
    t.chunks += c->bytes != NULL;
    t.intervals += c->last_of_interval;
}

static void on_live(void *arg, const struct jfr_chunk *c)
{
    (void)arg, (void)c;
}

static void on_damaged(void *arg, const char *why)
{
    (void)arg;
    snprintf(t.why, sizeof t.why, "%s", why);
}

static void on_turn(void *arg)
{
    (void)arg;
    t.turns++;
}

static unsigned lost;

static void on_lost(void *arg, const char *why)
{
    (void)arg;
    CHECK(why && why[0]);
    lost++;
}

static const struct intake_events events = {on_chunk, on_live, on_damaged, on_turn, on_lost};

/* ---- the target ---- */

static int fd;
static uint64_t end;

static void begin(void)
{
    memset(&t, 0, sizeof t);
    intake_init(&in, NULL, 1, &events, &in);
    in.interval_ns = 60 * SECOND;
    in.first_ns = 10 * SECOND;
    in.roll_ns = 900 * SECOND;
    fd = memfd_create("recording", MFD_CLOEXEC);
    end = 0;
    intake_add(&in, dup(fd), false);
}

static void finish(void)
{
    intake_close(&in);
    close(fd);
}

static void put_be64(uint8_t *to, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        to[i] = (uint8_t)v;
}

/* A finished chunk that claims these times. */
static void write_chunk(size_t size, int64_t start_ns, int64_t duration_ns)
{
    uint8_t header[JFR_HEADER_SIZE] = {'F', 'L', 'R', 0, 0, 2};
    put_be64(header + 8, size);
    put_be64(header + 16, JFR_HEADER_SIZE);
    put_be64(header + 24, JFR_HEADER_SIZE);
    put_be64(header + 32, (uint64_t)start_ns);
    put_be64(header + 40, (uint64_t)duration_ns);
    CHECK_INT(pwrite(fd, header, sizeof header, (off_t)end), sizeof header);
    end += size;
    CHECK_INT(ftruncate(fd, (off_t)end), 0);
}

static void headers_that_make_up_times_end_no_more_intervals_than_the_clock(void)
{
    enum { CHUNKS = 400 };
    begin();
    for (int64_t i = 0; i < CHUNKS; i++)
        write_chunk(1000, i * 1000 * SECOND, 999 * SECOND);
    write_chunk(1000, 0, 0);
    while (step(true))
        ;
    CHECK(t.chunks >= CHUNKS);
    /* As many as a whole earlier recording could hold, and a few. */
    CHECK(t.intervals >= 4 && t.intervals <= 900 / 45 + 10);
    finish();
}

static void holes_in_time_are_no_way_around_it(void)
{
    begin();
    for (int64_t i = 0; i < 400; i++)
        write_chunk(1000, (i % 2 ? 1 : 1000000) * SECOND, SECOND);
    while (step(true))
        ;
    CHECK(t.intervals <= 900 / 45 + 10);
    finish();
}

static void more_than_may_be_read_waits(void)
{
    enum { CHUNK = 4 << 20, CHUNKS = 2 * INTAKE_BURST / CHUNK };
    begin();
    for (int64_t i = 0; i < CHUNKS; i++)
        write_chunk(CHUNK, i * SECOND, SECOND);
    while (step(true))
        ;
    CHECK(t.chunks >= INTAKE_BURST / CHUNK && t.chunks <= INTAKE_BURST / CHUNK + 3);
    CHECK(intake_delay_ns(&in) > 0 && intake_delay_ns(&in) <= SECOND);
    finish();
}

static void a_recording_that_runs_away_is_given_up(void)
{
    begin();
    write_chunk(1000, 0, SECOND);
    CHECK_INT(fallocate(fd, 0, 0, (off_t)INTAKE_BACKLOG + (1 << 20)), 0);
    step(true);
    CHECK_STR(t.why, "the recording grows faster than the read limit");
    CHECK_INT(in.file_count, 0);
    CHECK_INT(t.reads, 0);
    finish();
}

static void a_chunk_far_beyond_the_profilers_size_is_dropped(void)
{
    begin();
    lost = 0;
    write_chunk((size_t)RECORDING_CHUNK_MAX + 1, 0, SECOND);
    write_chunk(1000, SECOND, SECOND);
    write_chunk(1000, 2 * SECOND, SECOND);
    while (step(true))
        ;
    CHECK(t.chunks >= 1);
    CHECK_STR(t.why, "");
    CHECK_INT(lost, 1);
    finish();
}

static void reading_that_does_not_end_is_tried_again_and_then_given_up(void)
{
    begin();
    write_chunk(1000, 0, SECOND);
    write_chunk(1000, SECOND, SECOND);
    t.silent = 1;
    CHECK(step(true));
    CHECK(intake_delay_ns(&in) > 0);
    in.read_clock = 0;
    CHECK(step(true));
    CHECK_INT(t.chunks, 1); /* nothing was lost by it */
    t.silent = 3;
    for (int i = 0; i < 3; i++) {
        in.read_clock = 0;
        step(true);
    }
    CHECK_STR(t.why, "reading the recording timed out");
    finish();
}

static void what_was_not_written_to_is_not_read(void)
{
    begin();
    uint8_t header[JFR_HEADER_SIZE] = {'F', 'L', 'R', 0, 0, 2};
    put_be64(header + 8, 1 << 30);
    CHECK_INT(pwrite(fd, header, sizeof header, 0), sizeof header);
    CHECK(step(true));
    for (int i = 0; i < 5; i++)
        CHECK(!step(true));
    CHECK_INT(t.reads, 1);
    CHECK_INT(ftruncate(fd, 4096), 0);
    CHECK(step(true));
    CHECK(!step(false)); /* not before it is due */
    CHECK_INT(t.reads, 2);
    finish();
}

static void an_answer_for_a_recording_that_was_dropped_is_no_harm(void)
{
    begin();
    write_chunk(1000, 0, SECOND);
    write_chunk(1000, SECOND, SECOND);
    CHECK(intake_poll(&in, true));
    for (unsigned i = 0; i < INTAKE_FILES; i++)
        intake_add(&in, memfd_create("next", MFD_CLOEXEC), false);
    t.done(&in, &t.read);
    CHECK_INT(t.chunks, 0);
    CHECK_INT(in.file_count, INTAKE_FILES);
    finish();
}

int main(void)
{
    RUN(headers_that_make_up_times_end_no_more_intervals_than_the_clock);
    RUN(holes_in_time_are_no_way_around_it);
    RUN(more_than_may_be_read_waits);
    RUN(a_recording_that_runs_away_is_given_up);
    RUN(a_chunk_far_beyond_the_profilers_size_is_dropped);
    RUN(reading_that_does_not_end_is_tried_again_and_then_given_up);
    RUN(what_was_not_written_to_is_not_read);
    RUN(an_answer_for_a_recording_that_was_dropped_is_no_harm);
    return REPORT();
}
