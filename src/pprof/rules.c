#include "pprof/rules.h"

#include <math.h>
#include <string.h>

#include "pprof/labels.h"

/* A product of two foreign numbers; wraps, as sums do. */
static int64_t rule_times(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static int64_t rule_wall_weight(const struct conversion *c)
{
    /* The reference counts all samples at the cpu rate. */
    return c->options.compat ? c->settings.cpu_ns : settings_wall_weight(&c->settings);
}

/* The frame "[other]" always has room: symbols get what it takes, and nothing else does, now or later. So an event
 * that fell back once does so again, and can be taken back. */
static __attribute__((noinline, cold)) void rule_add_other(const struct pass *pass, enum profile_kind kind,
                                                           int64_t first, int64_t second)
{
    const int64_t values[] = {first, second};
    enum { SPARE = 4096 };
    struct conversion *c = pass->c;
    struct arena *a = &c->symbols.arena;
    struct profile *p = &c->profiles[kind];
    const size_t left = a->max - a->used, encoded = c->symbols.encoded_left;
    a->max += SPARE;
    c->symbols.encoded_left = SPARE;
    const bool ready = conversion_ready(c, kind);
    size_t *const samples_left = p->samples_left, bytes_left = p->bytes_left;
    profile_bound(p, NULL, SIZE_MAX);
    (void)!(ready && profile_add(p, c->other, 0, values));
    profile_bound(p, samples_left, bytes_left);
    const size_t now = a->max - a->used, taken = left + SPARE - now;
    const size_t written = SPARE - c->symbols.encoded_left;
    a->max = a->used + (left > taken ? left - taken : 0);
    c->symbols.encoded_left = encoded > written ? encoded - written : 0;
    pass_cut(pass, CUT_MEMORY, 1);
}

/* Adds `count` samples at once. */
static void rule_add(const struct pass *p, enum profile_kind kind, uint32_t stack, uint32_t labels, int64_t first,
                     int64_t second, int64_t count)
{
    const int64_t values[] = {rule_times(first, rule_times(p->sign, p->c->settings.repeat)),
                              rule_times(second, p->sign)};
    p->c->samples[kind] += (uint64_t)rule_times(count, p->sign);
    if (!conversion_ready(p->c, kind) || !profile_add(&p->c->profiles[kind], stack, labels, values))
        rule_add_other(p, kind, values[0], values[1]);
}

/* None where there is no room for them. */
static inline uint32_t rule_labels(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    if (!p->labelled)
        return 0;
    const uint32_t set = labels_of_event(p, class, e);
    if (set != SYMBOLS_FULL)
        return set;
    pass_cut(p, CUT_LABELS, 1);
    return 0;
}

/* RESOLVE_NO_STACK where the event is not to be counted. */
static inline uint32_t rule_stack(const struct pass *p, const struct jfr_record *e)
{
    const uint32_t stack = resolver_stack(p->r, e->v[SLOT_STACK].num);
    if (stack != RESOLVE_NO_STACK || p->c->options.compat)
        return stack;
    /* The time was spent even where nobody knows on what. */
    return resolver_named_stack(p->r, RESOLVE_UNKNOWN);
}

static void rule_add_stack(const struct pass *p, enum profile_kind kind, const struct event_class *class,
                           const struct jfr_record *e, int64_t first, int64_t second, int64_t count)
{
    const uint32_t stack = rule_stack(p, e);
    if (stack != RESOLVE_NO_STACK)
        rule_add(p, kind, stack, rule_labels(p, class, e), first, second, count);
}

/* `ns` is what a sample stands for, `scaled` what it counts. */
static void rule_add_cpu(const struct pass *p, const struct event_class *class, const struct jfr_record *e, int64_t ns,
                         int64_t scaled, int64_t count)
{
    p->c->settings.sample_ns = ns;
    rule_add_stack(p, KIND_CPU, class, e, rule_times(scaled, count), 0, count);
}

/* Spec §3.3; the reference does not count samples whose state is no entry of the pool, calls every counter time, and
 * takes two samplers for one. */
static void rule_execution(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    const struct conversion *c = p->c;
    enum thread_state state = resolver_state(p->r, e->v[SLOT_SUBJECT].num);
    /* The wall clock's samples say whether the thread runs; the other sampler's do not, as theirs always do. */
    if (p->both && (state == THREAD_STATE_RUNNABLE || state == THREAD_STATE_SLEEPING)) {
        rule_add_stack(p, KIND_WALL, class, e, rule_wall_weight(c), 0, 1);
        return;
    }
    if (p->counter) {
        rule_add_stack(p, KIND_COUNTER, class, e, 1, c->settings.cpu_ns, 1);
        return;
    }
    if (state != THREAD_STATE_SLEEPING && !(c->options.compat && state == THREAD_STATE_UNKNOWN))
        rule_add_cpu(p, class, e, p->sample_ns, p->scaled_ns, 1);
    if (p->wall)
        rule_add_stack(p, KIND_WALL, class, e, p->sample_ns, 0, 1);
}

static void rule_wall(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    const int64_t samples = event_count(CLASS_WALL, e), weight = rule_wall_weight(p->c);
    const bool runs = p->wall && resolver_state(p->r, e->v[SLOT_SUBJECT].num) == THREAD_STATE_RUNNABLE;
    p->c->settings.repeat = 1;
    if (samples != 0 && runs)
        rule_add_cpu(p, class, e, weight, weight, samples);
    if (samples != 0)
        rule_add_stack(p, KIND_WALL, class, e, rule_times(weight, samples), 0, samples);
    if (p->c->options.compat)
        p->c->settings.repeat = samples;
}

static void rule_intervals(const struct pass *p, const struct event_class *class, const struct jfr_record *e,
                           int64_t count)
{
    if (count == 0)
        return;
    if (class->kind == KIND_CPU)
        rule_add_cpu(p, class, e, p->c->settings.cpu_ns, p->c->settings.cpu_ns, count);
    else
        rule_add_stack(p, class->kind, class, e, rule_times(rule_wall_weight(p->c), count), 0, count);
}

static int64_t rule_rounded(double v)
{
    return v < 0x1p63 ? (int64_t)(v + 0.5) : INT64_MAX;
}

/* The object stands for as many of its size; for itself at least. */
static void rule_weighted(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    const uint32_t bits = (uint32_t)e->v[SLOT_WEIGHT].num;
    const uint64_t size = e->v[SLOT_AMOUNT].num;
    float weight;
    memcpy(&weight, &bits, sizeof weight);
    const double times = isfinite(weight) && weight > 1 ? (double)weight : 1;
    rule_add_stack(p, class->kind, class, e, rule_rounded(times), rule_rounded((double)size * times), 1);
}

static int64_t rule_amount_ns(const struct pass *p, const struct jfr_record *e)
{
    int64_t ticks = (int64_t)e->v[SLOT_AMOUNT].num;
    return p->c->options.compat ? ticks : jfr_ticks_to_ns(p->header, ticks);
}

/* The JDK names the method and has its callers on the stack, async-profiler names none and has it on top. */
static void rule_trace(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    uint32_t stack = resolver_stack_in(p->r, e->v[SLOT_STACK].num, e->v[SLOT_SUBJECT].num);
    if (stack == RESOLVE_NO_STACK)
        stack = resolver_named_stack(p->r, RESOLVE_UNKNOWN);
    rule_add(p, class->kind, stack, rule_labels(p, class, e), 1, rule_amount_ns(p, e), 1);
}

static void rule_tagged(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    struct jfr_value subject = e->v[SLOT_SUBJECT];
    uint32_t name =
        class->kind == KIND_USER_EVENT ? resolver_user_event(p->r, subject.num) : resolver_string(p->r, subject);
    uint32_t stack = name ? resolver_string_stack(p->r, name) : resolver_named_stack(p->r, STR("[untagged]"));
    rule_add(p, class->kind, stack, rule_labels(p, class, e), 1, rule_amount_ns(p, e), 1);
}

/* For what of it is live at the end of the chunk. */
static void rule_block(const struct pass *p, const struct jfr_record *e, uint32_t stack, uint32_t labels)
{
    if (p->sign > 0 && !p->c->options.compat)
        native_leaks_malloc(p->mallocs, e->v[SLOT_SUBJECT].num, pass_wall_ns(p, e), stack, labels,
                            (int64_t)e->v[SLOT_AMOUNT].num);
}

static void rule_malloc(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    const uint32_t stack = rule_stack(p, e);
    if (stack == RESOLVE_NO_STACK)
        return;
    const uint32_t set = rule_labels(p, class, e);
    rule_add(p, class->kind, stack, set, 1, (int64_t)e->v[SLOT_AMOUNT].num, 1);
    if (conversion_ready(p->c, KIND_MALLOC_LIVE))
        rule_block(p, e, stack < p->c->symbols.stack_count ? stack : p->c->other, set);
}

static void rule_lost(const struct pass *p, const struct jfr_record *e)
{
    const int32_t n = (int32_t)e->v[SLOT_AMOUNT].num;
    if (n > 0)
        p->c->lost += (uint64_t)rule_times(n, p->sign);
}

void event_take(const struct pass *p, size_t class, const struct jfr_record *e)
{
    const struct event_class *k = &event_classes[class];
    switch (k->rule) {
    case RULE_EXECUTION:
        rule_execution(p, k, e);
        break;
    case RULE_WALL:
        rule_wall(p, k, e);
        break;
    case RULE_CPU_TIME:
        rule_add_cpu(p, k, e, rule_amount_ns(p, e), rule_amount_ns(p, e), 1);
        break;
    case RULE_INTERVALS:
        rule_intervals(p, k, e, event_count(class, e));
        break;
    case RULE_NATIVE_METHOD:
        rule_add_stack(p, k->kind, k, e, p->c->settings.native_method_ns, 0, 1);
        break;
    case RULE_SIZED:
        rule_add_stack(p, k->kind, k, e, 1, (int64_t)e->v[SLOT_AMOUNT].num, 1);
        break;
    case RULE_WEIGHTED:
        rule_weighted(p, k, e);
        break;
    case RULE_MALLOC:
        rule_malloc(p, k, e);
        break;
    case RULE_DELAY:
        rule_add_stack(p, k->kind, k, e, 1, rule_amount_ns(p, e), 1);
        break;
    case RULE_TRACE:
        rule_trace(p, k, e);
        break;
    case RULE_TAGGED:
        rule_tagged(p, k, e);
        break;
    case RULE_LOST:
        rule_lost(p, e);
        break;
    case RULE_FREE: /* this and the next: walks of their own */
    case RULE_CONFIG:
    case RULE_SETTING:
        break;
    }
}

int64_t event_count(size_t class, const struct jfr_record *e)
{
    const enum event_rule rule = event_classes[class].rule;
    const int32_t n = rule == RULE_WALL || rule == RULE_INTERVALS ? (int32_t)e->v[SLOT_AMOUNT].num : 1;
    return n > 0 ? n : 0;
}
