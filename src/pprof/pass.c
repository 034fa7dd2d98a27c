#include "pprof/pass.h"

#include "base/clock.h"

#include <time.h>

/* Events between two looks at the clock. */
enum { CLOCK_EVENTS = 1024 };

bool pass_look_at_clock(struct pass *p)
{
    p->until_look = CLOCK_EVENTS;
    if (p->deadline_ns == 0 || p->sign < 0)
        return false;
    p->late |= clock_thread_ns() > p->deadline_ns;
    return p->late;
}

void pass_set_deadline(struct pass *p)
{
    p->until_look = CLOCK_EVENTS;
    if (p->c->limits->cpu_ns == 0)
        return;
    p->deadline_ns = clock_thread_ns() + p->c->limits->cpu_ns;
}

/* Intervals may be anything. */
static int64_t pass_scaled(int64_t v, double by)
{
    const double x = (double)v * by + 0.5;
    if (!(x > -0x1p63))
        return INT64_MIN;
    return x < 0x1p63 ? (int64_t)x : INT64_MAX;
}

void pass_settings_changed(struct pass *p)
{
    const struct recorded_settings *s = &p->c->settings;
    p->wall = !p->jdk && settings_wall(s);
    p->both = !p->jdk && !p->c->options.compat && settings_both(s);
    p->counter = !p->jdk && !p->c->options.compat && settings_counter(s);
    p->sample_ns = p->jdk ? s->jdk_ns : s->cpu_ns;
    if (p->wall && !p->c->options.compat) /* the reference counts all samples at the cpu rate */
        p->sample_ns = settings_wall_weight(s);
    p->scaled_ns = p->sample_ns;
    if (!p->jdk && settings_ticks(s))
        p->scaled_ns = pass_scaled(p->sample_ns, p->c->itimer_scale);
}

int pass_compile(struct pass *p, struct layout *l, size_t class, struct err *err)
{
    const int code = layout_compile(l, class, err);
    p->labelled |= l->labelled;
    return code;
}

int64_t pass_wall_ns(const struct pass *p, const struct jfr_record *e)
{
    int64_t since_start = (int64_t)(e->v[SLOT_TIME].num - p->header->start_ticks);
    return (int64_t)((uint64_t)p->header->start_ns + (uint64_t)jfr_ticks_to_ns(p->header, since_start));
}

bool pass_in_range(const struct pass *p, const struct jfr_record *e)
{
    const struct conversion_options *o = &p->c->options;
    const int64_t at = pass_wall_ns(p, e);
    return at >= o->from_ns && (o->until_ns == 0 || at < o->until_ns);
}
