#include "jvm/session/poll_times.h"

#include "base/clock.h"

static const int64_t TICK_NS = 1100 * NS_PER_MS; /* of the profiler, and what it is late */

enum { POLL_AFTER_MS = 50, POLL_NEAR_MS = 500, POLL_OVERDUE_MS = 1000, POLL_PATIENCE_S = 3 };
/* Nearly the chunksize: the next one may close early, too. */
enum { LARGE_CHUNK = 2 << 20 };

/* The next chunk began when this one ended, a moment ago by the wall clock, and takes as long. One that was cut early,
 * or a clock that jumped, makes the guess a bad one: then polls come every POLL_NEAR_MS, or POLL_FAR_MS is soon
 * enough. */
static int64_t poll_times_due_after(const struct jvm_session_config *config, const struct jfr_chunk *c)
{
    const int64_t since = clock_wall_ns() - c->end_ns, took = c->end_ns - c->start_ns;
    const int64_t least = session_config_chunk_s(config) * NS_PER_SEC,
                  length = took > least && took < least + TICK_NS ? took : least;
    return clock_ns() + length - (since > 0 && since < length ? since : 0) + POLL_AFTER_MS * NS_PER_MS;
}

void poll_times_next(struct poll_times *p, const struct jvm_session_config *config, int64_t now)
{
    const int64_t far = now + POLL_FAR_MS * NS_PER_MS;
    if (session_config_by_dump(config))
        p->at = far;
    else if (now < p->due)
        p->at = p->small || p->due < far ? p->due : far;
    else
        p->at = now + (now < p->due + POLL_PATIENCE_S * NS_PER_SEC ? POLL_NEAR_MS : POLL_OVERDUE_MS) * NS_PER_MS;
}

void poll_times_begin(struct poll_times *p, const struct jvm_session_config *config, int64_t now)
{
    p->began = now;
    p->due = now + session_config_chunk_s(config) * NS_PER_SEC + POLL_AFTER_MS * NS_PER_MS;
    poll_times_next(p, config, now);
}

void poll_times_chunk(struct poll_times *p, const struct jvm_session_config *config, const struct jfr_chunk *c)
{
    p->began = clock_ns();
    p->due = poll_times_due_after(config, c);
    p->small = c->len < LARGE_CHUNK;
    poll_times_next(p, config, p->began);
}
