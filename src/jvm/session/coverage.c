#include "jvm/session/coverage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/metric.h"
#include "base/str.h"

/* The kernel's encoding of the clock of a process: CPUCLOCK_SCHED. */
enum { CLOCK_EXACT = 2 };
/* Enough readings for a chunk of a minute; a reading at each end of a chunk makes those between unimportant. */
static const int64_t SPACING_NS = 4 * NS_PER_SEC;
/* A chunk's header may differ this much from our clock, and the wall clock may drift this much between readings. */
static const int64_t EDGE_NS = NS_PER_SEC, STEP_NS = NS_PER_SEC / 4;
/* Less than this part of the CPU time is no samples: those of a thread that unblocked the signal by itself. */
enum { NONE_PART = 50 };

static const double ratio_buckets[] = {0.02, 0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 2, 4};
static struct metric_family coverage_ratio = {
    .name = "smolder_cpu_coverage_ratio",
    .help = "CPU time in samples divided by the CPU time the kernel counted, per interval of a JVM that is not idle.",
    .kind = METRIC_HISTOGRAM,
    .buckets = ratio_buckets,
    .bucket_count = ARRAY_LEN(ratio_buckets)};

static const char *const cpu_events[] = {"itimer", "ctimer", "cpu", "cpu-clock"};

/* The value of the last option of that name; p is NULL where there is none. */
static struct str coverage_option(const char *options, const char *name)
{
    struct str rest = str_of(options), item, found = {0};
    const size_t n = strlen(name);
    while (str_split(&rest, ',', &item))
        if (item.n >= n && memcmp(item.p, name, n) == 0 && (item.n == n || item.p[n] == '='))
            found = item.n == n ? (struct str){"", 0} : (struct str){item.p + n + 1, item.n - n - 1};
    return found;
}

struct str coverage_event(const char *options)
{
    return coverage_option(options, "event");
}

bool coverage_applies(const char *options)
{
    const struct str event = coverage_event(options);
    /* Without the kernel's part, and of some threads only, less is right. */
    if (coverage_option(options, "alluser").p || coverage_option(options, "filter").p ||
        coverage_option(options, "target-cpu").p || coverage_option(options, "begin").p)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(cpu_events); i++)
        if (str_is(event, cpu_events[i]))
            return true;
    return false;
}

void coverage_restart(struct coverage *c)
{
    c->open_ns = -1;
    for (size_t i = 0; i < COVERAGE_PENDING; i++)
        c->pending[i] = -1;
    c->verdict = c->next = COVERAGE_FINE;
    c->run = 0;
    c->counted_ns = c->sampled_ns = 0;
}

/* ---- the kernel's time ---- */

void coverage_note(struct coverage *c, int64_t wall_ns, int64_t mono_ns, int64_t cpu_ns, bool always)
{
    const struct coverage_reading *last = c->reading_count ? &c->readings[c->reading_count - 1] : NULL;
    const int64_t offset = wall_ns - mono_ns, moved = offset - c->clock_offset_ns;
    if (last && (moved > STEP_NS || moved < -STEP_NS || cpu_ns < last->cpu_ns || wall_ns < last->wall_ns)) {
        c->reading_count = 0; /* the clock was set: what came before has other times */
        last = NULL;
    }
    c->clock_offset_ns = offset;
    if (last && !always && wall_ns - last->wall_ns < SPACING_NS)
        return;
    if (c->reading_count == COVERAGE_READINGS)
        memmove(&c->readings[0], &c->readings[1], --c->reading_count * sizeof c->readings[0]);
    c->readings[c->reading_count++] = (struct coverage_reading){wall_ns, cpu_ns};
}

void coverage_read(struct coverage *c, pid_t pid, bool always)
{
    struct timespec t;
    if (clock_gettime((clockid_t)(~(unsigned)pid << 3 | CLOCK_EXACT), &t) == 0)
        coverage_note(c, clock_wall_ns(), clock_ns(), (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec, always);
}

/* CPU time of the process at that time; -1 = not known. */
static int64_t cpu_at(const struct coverage *c, int64_t wall_ns)
{
    const size_t n = c->reading_count;
    if (n == 0 || wall_ns < c->readings[0].wall_ns - EDGE_NS || wall_ns > c->readings[n - 1].wall_ns + EDGE_NS)
        return -1;
    if (wall_ns <= c->readings[0].wall_ns)
        return c->readings[0].cpu_ns;
    for (size_t i = 1; i < n; i++) {
        const struct coverage_reading *a = &c->readings[i - 1], *b = &c->readings[i];
        if (wall_ns <= b->wall_ns && b->wall_ns > a->wall_ns)
            return a->cpu_ns + (int64_t)((double)(b->cpu_ns - a->cpu_ns) * (double)(wall_ns - a->wall_ns) /
                                         (double)(b->wall_ns - a->wall_ns));
    }
    return c->readings[n - 1].cpu_ns;
}

void coverage_chunk(struct coverage *c, int64_t start_ns, int64_t end_ns, bool last)
{
    if (end_ns > start_ns && c->open_ns >= 0) {
        const int64_t from = cpu_at(c, start_ns), till = cpu_at(c, end_ns);
        c->open_ns = from < 0 || till < from ? -1 : c->open_ns + till - from;
    }
    if (!last)
        return;
    c->pending[c->ended++ % COVERAGE_PENDING] = c->open_ns;
    c->open_ns = 0;
}

/* ---- the comparison ---- */

static enum coverage_verdict coverage_judge(int64_t counted_ns, int64_t sampled_ns)
{
    if (sampled_ns <= counted_ns / NONE_PART)
        return COVERAGE_NONE;
    if (sampled_ns < counted_ns / COVERAGE_FACTOR)
        return COVERAGE_LOW;
    return sampled_ns / COVERAGE_FACTOR > counted_ns ? COVERAGE_HIGH : COVERAGE_FINE;
}

/* None and few are the same direction. */
static bool same_side(enum coverage_verdict a, enum coverage_verdict b)
{
    return a == b || (a != COVERAGE_FINE && b != COVERAGE_FINE && a != COVERAGE_HIGH && b != COVERAGE_HIGH);
}

bool coverage_sampled(struct coverage *c, int64_t sampled_ns, int64_t sample_ns)
{
    if (c->converted == c->ended)
        return false;
    const bool known = c->ended - c->converted <= COVERAGE_PENDING;
    const int64_t counted = c->pending[c->converted++ % COVERAGE_PENDING];
    if (!known || counted < 0 || sampled_ns < 0 ||
        (counted < COVERAGE_SAMPLES * sample_ns && sampled_ns < COVERAGE_SAMPLES * sample_ns))
        return false;
    if (counted > 0)
        metric_observe(&coverage_ratio, (double)sampled_ns / (double)counted);
    const enum coverage_verdict now = coverage_judge(counted, sampled_ns);
    if (!same_side(now, c->next) || c->run == 0)
        c->counted_ns = c->sampled_ns = c->run = 0;
    c->next = now;
    c->counted_ns += counted;
    c->sampled_ns += sampled_ns;
    if (++c->run < COVERAGE_INTERVALS)
        return false;
    const enum coverage_verdict all = coverage_judge(c->counted_ns, c->sampled_ns), before = c->verdict;
    /* A text with other numbers each time is another reason each time: the sums begin anew with a verdict only. */
    if (same_side(all, before))
        return false;
    c->verdict = all;
    return true;
}

void coverage_text(const struct coverage *c, const char *event, char *text, size_t size)
{
    const double counted = (double)c->counted_ns / 1e9, sampled = (double)c->sampled_ns / 1e9;
    switch (c->verdict) {
    case COVERAGE_FINE:
        snprintf(text, size, "%s", "");
        break;
    case COVERAGE_NONE:
        snprintf(text, size,
                 "without CPU samples: the process used %.1f s of CPU time in %u intervals, and %s delivered %.1f s",
                 counted, c->run, event, sampled);
        break;
    case COVERAGE_LOW:
        snprintf(text, size,
                 "%.1f times less CPU time in samples than the kernel counted: %.1f s of %.1f s in %u intervals",
                 counted / sampled, sampled, counted, c->run);
        break;
    case COVERAGE_HIGH:
        snprintf(
            text, size,
            "%.1f times more CPU time in samples than the kernel counted: %.1f s instead of %.1f s in %u intervals",
            counted > 0 ? sampled / counted : 99, sampled, counted, c->run);
        break;
    }
}
