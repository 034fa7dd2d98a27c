#include "pprof/side_walks.h"

#include "base/cleanup.h"

typedef void visit_event(struct pass *p, const struct jfr_record *e, const void *arg);

/* Calls `visit` for every event of a class. */
static void side_walk(struct pass *p, struct layout *l, size_t class, visit_event *visit, const void *arg)
{
    struct jfr_events it = jfr_events_of(p->chunk, p->header);
    const uint64_t id = l->of[class].id;
    struct jfr_event event;
    while (id != JFR_EVENT_METADATA && !pass_is_late(p) && jfr_events_next(&it, &event, NULL) > 0) {
        if (event.type != id)
            continue;
        struct jfr_record e = {0};
        if (!l->of[class].plan.steps && pass_compile(p, l, class, NULL) < 0)
            return;
        const uint8_t *end = jfr_plan_read(&l->of[class].plan, event.payload, it.end, &e);
        if (!end || end > event.end)
            return;
        visit(p, &e, arg);
    }
}

static bool side_walk_meets(struct pass *p, uint64_t type)
{
    struct jfr_events it = jfr_events_of(p->chunk, p->header);
    struct jfr_event event;
    while (type != JFR_EVENT_METADATA && !pass_is_late(p) && jfr_events_next(&it, &event, NULL) > 0) {
        if (event.type == type)
            return true;
    }
    return false;
}

static void side_walk_span(struct pass *p, const struct jfr_record *e, const void *arg)
{
    (void)arg;
    uint32_t tag = resolver_string(p->r, e->v[SLOT_SUBJECT]);
    if (tag && tag != SYMBOLS_FULL)
        spans_add(p->spans, e->v[SLOT_THREAD].num, e->v[SLOT_TIME].num, e->v[SLOT_AMOUNT].num, tag);
}

static void side_walk_call(struct pass *p, const struct jfr_record *e, const void *class)
{
    selector_add_call(p->selector, *(const size_t *)class, e);
}

static void side_walk_jdk_setting(struct pass *p, const struct jfr_record *e, const void *metadata)
{
    enum { TEXT_MAX = 256 };
    const struct jfr_type *of = jfr_type_by_id(metadata, e->v[SETTING_OF].num);
    cleanup_buf struct buf name = BUF_INIT(TEXT_MAX), value = BUF_INIT(TEXT_MAX);
    /* The recorder says some hundred things of as many types. */
    if (!of || !settings_known_jdk(of->name))
        return;
    resolver_text(p->r, e->v[SETTING_NAME], &name);
    resolver_text(p->r, e->v[SETTING_VALUE], &value);
    settings_take_jdk(&p->c->settings, of->name, buf_slice(&name), buf_slice(&value));
}

/* Its events lie in no order, and its settings apply to all of them. */
static void side_walk_jdk(struct pass *p, struct layout *l)
{
    p->jdk = true;
    settings_restart_jdk(&p->c->settings, &p->c->initial);
    side_walk(p, l, CLASS_SETTING, side_walk_jdk_setting, l->metadata);
    l->of[CLASS_SETTING].id = JFR_EVENT_METADATA;
    /* With both samplers on, the one that samples by cpu time is right, and their sum is not. */
    if (side_walk_meets(p, l->of[CLASS_CPU_TIME].id))
        l->of[CLASS_EXECUTION].id = JFR_EVENT_METADATA;
}

/* Intervals of whole milliseconds; 0 where the profiler does not sample by that clock. */
static void side_walk_config(struct pass *p, const struct jfr_record *e, const void *arg)
{
    (void)arg;
    struct recorded_settings *s = &p->c->settings;
    settings_take_ms(&s->cpu_ns, e->v[CONFIG_CPU_MS].num);
    settings_take_ms(&s->wall_ns, e->v[CONFIG_WALL_MS].num);
}

/* Of its settings, those called "interval" are of several events. */
static void side_walk_datadog(struct pass *p, struct layout *l)
{
    settings_restart(&p->c->settings, &p->c->initial);
    side_walk(p, l, CLASS_DATADOG_CONFIG, side_walk_config, NULL);
    l->of[CLASS_DATADOG_CONFIG].id = l->of[CLASS_SETTING].id = JFR_EVENT_METADATA;
}

static void side_walks_own(struct pass *p, struct layout *l)
{
    if (p->c->options.compat)
        return;
    if (jfr_type_by_name(l->metadata, "jdk.GarbageCollection")) /* async-profiler has no such type */
        side_walk_jdk(p, l);
    else if (l->of[CLASS_DATADOG_CONFIG].type)
        side_walk_datadog(p, l);
    if (resolver_has_strings(p->r)) {
        side_walk(p, l, CLASS_SPAN, side_walk_span, NULL);
        spans_sort(p->spans);
    }
}

void side_walks_prepare(struct pass *p, struct layout *l)
{
    const struct conversion_options *o = &p->c->options;
    side_walks_own(p, l);
    p->labelled |=
        p->spans->count || o->per_thread || o->allocated_class || o->lock_class || o->per_state || o->time_ns;
    static const size_t calls[] = {CLASS_TRACE, CLASS_SPAN};
    for (size_t i = 0; p->selector && selection_has_calls(o->select) && i < ARRAY_LEN(calls); i++)
        side_walk(p, l, calls[i], side_walk_call, &calls[i]);
    if (p->selector)
        spans_sort(&p->selector->calls);
}

static void side_walk_free(struct pass *p, const struct jfr_record *e, const void *arg)
{
    (void)arg;
    const uint64_t address = e->v[SLOT_SUBJECT].num;
    const int64_t time = pass_wall_ns(p, e);
    native_leaks_free(&p->c->leaks, address, time);
    native_leaks_free(p->mallocs, address, time);
}

void side_walks_settle(struct pass *p, struct layout *l)
{
    struct conversion *c = p->c;
    if (c->options.compat || (p->mallocs->len == 0 && c->leaks.len == 0))
        return;
    if (c->events[CLASS_FREE].count || p->ranged) /* what is freed in another time counts, but not as an event */
        side_walk(p, l, CLASS_FREE, side_walk_free, NULL);
    native_leaks_settle(&c->leaks, p->mallocs);
}
