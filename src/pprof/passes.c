#include "base/cleanup.h"
#include "pprof/conversion.h"

typedef void visit_event(struct pass *p, const struct jfr_record *e, const void *arg);

/* Calls `visit` for every event of a class. */
static void each_event(struct pass *p, struct layout *l, size_t class, visit_event *visit, const void *arg)
{
    struct jfr_events it = jfr_events_of(p->chunk, p->header);
    const uint64_t id = l->of[class].id;
    struct jfr_event event;
    while (id != JFR_EVENT_METADATA && !pass_is_late(p) && jfr_events_next(&it, &event, NULL) > 0) {
        if (event.type != id)
            continue;
        struct jfr_record e = {0};
        if (!l->of[class].plan.steps && layout_compile(l, p, class, NULL) < 0)
            return;
        const uint8_t *end = jfr_plan_read(&l->of[class].plan, event.payload, it.end, &e);
        if (!end || end > event.end)
            return;
        visit(p, &e, arg);
    }
}

static bool has_event(struct pass *p, uint64_t type)
{
    struct jfr_events it = jfr_events_of(p->chunk, p->header);
    struct jfr_event event;
    while (type != JFR_EVENT_METADATA && !pass_is_late(p) && jfr_events_next(&it, &event, NULL) > 0) {
        if (event.type == type)
            return true;
    }
    return false;
}

static void take_span(struct pass *p, const struct jfr_record *e, const void *arg)
{
    (void)arg;
    uint32_t tag = resolver_string(p->r, e->v[SLOT_SUBJECT]);
    if (tag && tag != SYMBOLS_FULL)
        spans_add(p->spans, e->v[SLOT_THREAD].num, e->v[SLOT_TIME].num, e->v[SLOT_AMOUNT].num, tag);
}

static void take_jdk_setting(struct pass *p, const struct jfr_record *e, const void *metadata)
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
static void prepare_jdk(struct pass *p, struct layout *l)
{
    p->jdk = true;
    each_event(p, l, CLASS_SETTING, take_jdk_setting, l->metadata);
    l->of[CLASS_SETTING].id = JFR_EVENT_METADATA;
    /* With both samplers on, the one that samples by cpu time is right, and their sum is not. */
    if (has_event(p, l->of[CLASS_CPU_TIME].id))
        l->of[CLASS_EXECUTION].id = JFR_EVENT_METADATA;
}

static void prepare(struct pass *p, struct layout *l)
{
    if (p->c->options.compat)
        return;
    if (jfr_type_by_name(l->metadata, "jdk.GarbageCollection")) /* async-profiler has no such type */
        prepare_jdk(p, l);
    if (resolver_has_strings(p->r)) {
        each_event(p, l, CLASS_SPAN, take_span, NULL);
        spans_sort(p->spans);
    }
}

void chunk_prepare(struct pass *p, struct layout *l)
{
    const struct conversion_options *o = &p->c->options;
    prepare(p, l);
    p->labelled |= p->spans->count || o->per_thread || o->allocated_class || o->lock_class;
}

static int64_t wall_time(const struct pass *p, const struct jfr_record *e)
{
    int64_t since_start = (int64_t)(e->v[SLOT_TIME].num - p->header->start_ticks);
    return (int64_t)((uint64_t)p->header->start_ns + (uint64_t)jfr_ticks_to_ns(p->header, since_start));
}

bool event_in_range(const struct pass *p, const struct jfr_record *e)
{
    const struct conversion_options *o = &p->c->options;
    const int64_t at = wall_time(p, e);
    return at >= o->from_ns && (o->until_ns == 0 || at < o->until_ns);
}

void chunk_malloc(const struct pass *p, const struct jfr_record *e, uint32_t stack, uint32_t labels)
{
    if (p->sign > 0 && !p->c->options.compat)
        native_leaks_malloc(p->mallocs, e->v[SLOT_SUBJECT].num, wall_time(p, e), stack, labels,
                            (int64_t)e->v[SLOT_AMOUNT].num);
}

static void take_free(struct pass *p, const struct jfr_record *e, const void *arg)
{
    (void)arg;
    const uint64_t address = e->v[SLOT_SUBJECT].num;
    const int64_t time = wall_time(p, e);
    native_leaks_free(&p->c->leaks, address, time);
    native_leaks_free(p->mallocs, address, time);
}

void chunk_settle(struct pass *p, struct layout *l)
{
    struct conversion *c = p->c;
    if (c->options.compat || (p->mallocs->len == 0 && c->leaks.len == 0))
        return;
    if (c->events[CLASS_FREE].count || p->ranged) /* what is freed in another time counts, but not as an event */
        each_event(p, l, CLASS_FREE, take_free, NULL);
    native_leaks_settle(&c->leaks, p->mallocs);
}
