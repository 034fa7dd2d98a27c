#include "jvm/session/intake.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Intervals at once beside those of an earlier recording. */
enum { INTERVALS_AT_ONCE = 4 };
/* One chunk at a time, so that a backlog neither starves the loop nor floods who converts; faster when the session
 * ends. */
enum { PACE_MS = 25, PACE_END_MS = 1, SETTLE_MS = 500 };
/* Reading that does not end: how often it is tried, and after which pause. */
enum { UNANSWERED_MAX = 3, PAUSE_S = 2 };

struct metric_family jvm_chunks_total = {
    .name = "smolder_chunks_total", .help = "JFR chunks, by result.", .kind = METRIC_COUNTER, .labels = {"result"}};
static struct metric_family jfr_bytes = {
    .name = "smolder_jfr_bytes_total", .help = "Bytes of JFR read from targets.", .kind = METRIC_COUNTER};

static int64_t burst_ns(void)
{
    return (int64_t)INTAKE_BURST / INTAKE_RATE * NS_PER_SEC;
}

static int64_t max_ns(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void intake_init(struct intake *in, struct priv *priv, uint64_t user, const struct intake_events *events, void *arg)
{
    *in = (struct intake){.priv = priv, .user = user, .events = events, .arg = arg};
}

/* ---- intervals ---- */

int64_t intake_target_ns(const struct intake *in)
{
    return in->first_cut || in->first_ns > in->interval_ns ? in->interval_ns : in->first_ns;
}

/* By our own clock: a target that makes up its headers' times gets as many intervals as one that does not. */
static bool may_end_interval(struct intake *in)
{
    const int64_t least = in->interval_ns - in->interval_ns / 4, now = clock_ns();
    const int64_t burst = in->roll_ns + INTERVALS_AT_ONCE * in->interval_ns;
    if (in->interval_clock - now > burst)
        return false;
    in->interval_clock = max_ns(in->interval_clock, now) + least;
    return true;
}

static void end_interval(struct intake *in)
{
    if (!in->open)
        return;
    in->open = false;
    struct jfr_chunk *end = jfr_chunk_new(NULL, 0);
    end->last_of_interval = true;
    in->events->chunk(in->arg, end);
    jfr_chunk_unref(end);
}

static bool interval_full(const struct intake *in, int64_t target)
{
    const int64_t slack = target / 10 < NS_PER_SEC / 2 ? target / 10 : NS_PER_SEC / 2;
    if (in->end_ns - in->start_ns >= target - slack)
        return true;
    /* The wall clock was set back: headers no longer say how long it took. */
    return clock_ns() - in->began >= target + target / 4 + 5 * NS_PER_SEC;
}

/* `live`: of the running profiler, not what an earlier one left. */
static void hand_out(struct intake *in, struct jfr_chunk *c, bool live)
{
    /* A hole in time is not part of any interval: the profiler was off, or another agent's. */
    const bool hole = c->start_ns - in->end_ns > NS_PER_SEC || c->start_ns - in->end_ns < -NS_PER_SEC;
    if (in->open && hole && may_end_interval(in))
        end_interval(in);
    if (!in->open) {
        in->open = true;
        in->start_ns = c->start_ns;
        in->began = clock_ns() - (c->end_ns - c->start_ns);
    }
    in->end_ns = c->end_ns;
    const bool full = interval_full(in, live ? intake_target_ns(in) : in->interval_ns) && may_end_interval(in);
    in->open = !full;
    in->first_cut = in->first_cut || (full && live);
    metric_add(&jvm_chunks_total, 1, "read");
    metric_add(&jfr_bytes, (double)c->len);
    c->last_of_interval = full;
    in->events->chunk(in->arg, c);
}

/* ---- recordings ---- */

static void intake_lost(struct intake *in, const char *result, const char *why)
{
    metric_add(&jvm_chunks_total, 1, result);
    if (in->events->lost)
        in->events->lost(in->arg, why);
}

static struct intake_file *intake_current(struct intake *in)
{
    struct intake_file *last = in->file_count ? &in->files[in->file_count - 1] : NULL;
    return last && !last->ended ? last : NULL;
}

static void drop_first(struct intake *in)
{
    jvm_close_recording(in->priv, in->user, in->files[0].recording.fd);
    in->file_count--;
    memmove(&in->files[0], &in->files[1], in->file_count * sizeof in->files[0]);
}

static struct intake_file *intake_add_file(struct intake *in, int fd)
{
    if (in->file_count == INTAKE_FILES) {
        intake_lost(in, "dropped", "too many recordings wait to be read");
        drop_first(in);
    }
    struct intake_file *f = &in->files[in->file_count++];
    *f = (struct intake_file){.recording = RECORDING_INIT, .number = ++in->last_number};
    f->recording.fd = fd;
    return f;
}

void intake_add(struct intake *in, int fd, bool other)
{
    intake_end(in);
    if (other && in->file_count)
        in->files[in->file_count - 1].ends_interval = true;
    intake_add_file(in, fd);
}

void intake_adopt(struct intake *in, int fd)
{
    for (size_t i = 0; i < in->file_count; i++)
        if (recording_is(&in->files[i].recording, fd)) {
            close(fd);
            return;
        }
    intake_end(in);
    struct intake_file *f = intake_add_file(in, fd);
    f->ended = f->find_first = true;
}

void intake_end(struct intake *in)
{
    for (size_t i = 0; i < in->file_count; i++)
        in->files[i].ended = true;
}

void intake_release(const struct intake *in)
{
    for (size_t i = 0; i < in->file_count; i++)
        recording_release(&in->files[i].recording);
}

static void file_over(struct intake *in, const char *result, const char *why)
{
    const bool ends = in->files[0].ends_interval;
    if (result)
        intake_lost(in, result, why);
    else if (recording_has_tail(&in->files[0].recording))
        intake_lost(in, "unfinished", "the process or its profiler ended within a chunk");
    drop_first(in);
    if (ends)
        end_interval(in);
}

static void intake_damaged(struct intake *in, const char *result, const char *why)
{
    const bool live = &in->files[0] == intake_current(in);
    file_over(in, result, why);
    if (live)
        in->events->damaged(in->arg, why);
}

/* ---- steps ---- */

static void intake_take(struct intake *in, struct jvm_read *r)
{
    const bool live = &in->files[0] == intake_current(in);
    in->pace_at = r->recording.unfinished ? 0 : clock_ns() + (in->hurry ? PACE_END_MS : PACE_MS) * NS_PER_SEC / 1000;
    in->read_clock = max_ns(in->read_clock, clock_ns()) + (int64_t)((double)r->chunk->len / INTAKE_RATE * 1e9);
    if (live)
        in->events->live(in->arg, r->chunk);
    hand_out(in, r->chunk, live);
}

/* The next try waits a while: what holds up the child may hold up the next. */
static void no_answer(struct intake *in)
{
    if (!in->file_count || in->files[0].number != in->reading_number)
        return;
    in->files[0].looked = false;
    in->read_clock = clock_ns() + burst_ns() + PAUSE_S * NS_PER_SEC;
    if (++in->unanswered < UNANSWERED_MAX)
        return;
    in->unanswered = 0;
    intake_damaged(in, "dropped", "reading the recording timed out");
}

static void on_read(void *arg, struct jvm_read *r)
{
    struct intake *in = arg;
    struct intake_file *f = &in->files[0];
    in->reading = false;
    if (!r->known) {
        no_answer(in);
    } else if (in->file_count && f->number == in->reading_number) {
        const int fd = f->recording.fd;
        in->unanswered = 0;
        f->find_first = false;
        f->recording = r->recording;
        f->recording.fd = fd;
        switch (r->result) {
        case RECORDING_CHUNK:
            f->looked = false;
            intake_take(in, r);
            break;
        case RECORDING_DROPPED:
            f->looked = false;
            intake_lost(in, "dropped", "a chunk is too large");
            break;
        case RECORDING_WAITING:
            /* Something is there that is believed once it stays as it is. */
            if (!f->recording.unfinished)
                in->pace_at = clock_ns() + SETTLE_MS * NS_PER_SEC / 1000;
            break;
        case RECORDING_END:
            file_over(in, NULL, NULL);
            break;
        case RECORDING_BROKEN:
            intake_damaged(in, "broken", "the recording is damaged (full disk?)");
            break;
        }
    }
    jfr_chunk_unref(r->chunk);
    in->events->turn(in->arg);
}

/* What was written since the last poll can only be seen by a poll; if nothing was, there is nothing to see. */
static bool is_as_it_was(struct intake_file *f, const struct stat *st)
{
    const bool same = f->looked && f->recording.unfinished && f->seen_size == (int64_t)st->st_size &&
                      f->seen_time.tv_sec == st->st_mtim.tv_sec && f->seen_time.tv_nsec == st->st_mtim.tv_nsec;
    f->looked = true;
    f->seen_size = st->st_size;
    f->seen_time = st->st_mtim;
    return same && !f->ended;
}

int64_t intake_delay_ns(const struct intake *in)
{
    const int64_t off = max_ns(in->read_clock - burst_ns(), in->pace_at) - clock_ns();
    return in->file_count && off > 0 ? off : 0;
}

static bool intake_overflows(const struct intake_file *f, const struct stat *st)
{
    const uint64_t blocks = (uint64_t)st->st_blocks * 512;
    return (uint64_t)st->st_size > f->recording.at && blocks > INTAKE_BACKLOG;
}

bool intake_poll(struct intake *in, bool due)
{
    struct stat st;
    if (in->reading)
        return true;
    if (!in->file_count || intake_delay_ns(in))
        return in->file_count && !intake_current(in);
    struct intake_file *f = &in->files[0];
    if (!f->ended && !due && !in->pace_at)
        return false;
    in->pace_at = 0;
    if (fstat(f->recording.fd, &st) < 0 || intake_overflows(f, &st)) {
        intake_damaged(in, "dropped", "the recording grows faster than the read limit");
        return in->file_count;
    }
    if (is_as_it_was(f, &st))
        return false;
    const struct jvm_reading reading = {in->user, &f->recording, f->ended, f->find_first};
    in->reading = true;
    in->reading_number = f->number;
    in->call = jvm_read_recording(in->priv, &reading, on_read, in);
    return true;
}

void intake_close(struct intake *in)
{
    if (in->reading)
        priv_forget(in->priv, in->call);
    in->reading = false;
    while (in->file_count)
        file_over(in, NULL, NULL);
    end_interval(in);
}
