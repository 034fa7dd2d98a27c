#include "pprof/conversion_walk.h"

#include <errno.h>

#include "base/clock.h"
#include "pprof/pass.h"
#include "pprof/rules.h"
#include "pprof/side_walks.h"

/* Bytes between two looks at the clock. */
enum { CLOCK_BYTES = 128 << 10 };

/* How far from the time at which a chunk came its own may lie: a machine may have slept meanwhile. */
static const int64_t EARLIER_NS = 86400 * NS_PER_SEC, LATER_NS = 10 * NS_PER_SEC;

/* Acts from here on, in file order: async-profiler writes settings in front of all samples. The reference knows the
 * event alone. */
static bool walk_setting(struct pass *p, const struct jfr_record *e)
{
    struct conversion *c = p->c;
    resolver_text(p->r, e->v[SETTING_NAME], &c->text);
    const enum setting setting = settings_known(buf_slice(&c->text));
    if (setting == SETTING_OTHER || (c->options.compat && setting != SETTING_EVENT))
        return false;
    resolver_text(p->r, e->v[SETTING_VALUE], &c->text);
    if (setting == SETTING_EVENT && !c->options.compat)
        settings_restart(&c->settings, &c->initial);
    settings_take(&c->settings, setting, buf_slice(&c->text), c->limits->event_name);
    return true;
}

static void walk_take(struct pass *p, size_t class, const struct jfr_record *e)
{
    if (class == CLASS_SETTING) {
        if (walk_setting(p, e))
            pass_settings_changed(p);
    } else if ((p->ranged && !pass_in_range(p, e)) || (p->selector && !selector_keeps(p->selector, class, e))) {
        return;
    } else {
        event_take(p, class, e);
    }
    p->c->events[class].count += (uint64_t)(event_count(class, e) * p->sign);
}

/* Those for which there was no time. */
static uint64_t walk_count_rest(const struct layout *l, struct jfr_events it)
{
    struct jfr_event event;
    uint64_t n = 0;
    while (jfr_events_next(&it, &event, NULL) > 0)
        n += layout_class(l, event.type) != NO_CLASS && layout_class(l, event.type) != LEFT_OUT;
    return n;
}

/* Walks events up to the one that reaches `until`; *failed_at is where it broke off. */
static int walk_part(struct pass *p, struct layout *l, struct jfr_record records[CLASS_COUNT], struct jfr_events *at,
                     const uint8_t *until, const uint8_t **failed_at, struct err *err)
{
    struct jfr_events it = *at;
    struct jfr_event event;
    while (it.p < until) {
        *failed_at = it.p;
        int code = jfr_events_next(&it, &event, err);
        if (code < 0)
            return code;
        size_t class = layout_class(l, event.type);
        if (class == NO_CLASS)
            continue;
        if (class == LEFT_OUT) {
            left_out_count(&l->left_out, event.type);
            continue;
        }
        if (class >= UNREAD) {
            class -= UNREAD;
            code = pass_compile(p, l, class, err);
            if (code < 0)
                return code;
        }
        /* Numbers are read fastest far from the end of the bytes: the event's own end is looked at afterwards. */
        const uint8_t *end = jfr_plan_read(&l->of[class].plan, event.payload, it.end, &records[class]);
        if (!end || end > event.end)
            return err_set(err, -EBADMSG, "%s at %zu is cut", event_classes[class].type,
                           (size_t)(*failed_at - it.chunk));
        walk_take(p, class, &records[class]);
    }
    *at = it;
    return 0;
}

/* The same up to `until`, looking at the clock now and then. */
static int walk_all(struct pass *p, struct layout *l, struct jfr_events it, const uint8_t *until,
                    const uint8_t **failed_at, struct err *err)
{
    struct jfr_record records[CLASS_COUNT] = {0}; /* a type may lack fields: those stay 0 */
    int code = 0;
    pass_settings_changed(p);
    while (code == 0 && it.p < until) {
        if (p->sign > 0 && p->late) {
            pass_cut(p, CUT_TIME, walk_count_rest(l, it));
            break;
        }
        const uint8_t *stop = until - it.p > CLOCK_BYTES ? it.p + CLOCK_BYTES : until;
        code = walk_part(p, l, records, &it, stop, failed_at, err);
        if (code == 0 && it.p < until)
            (void)pass_look_at_clock(p);
    }
    return code;
}

/* Adds all events, or none: a walk that breaks off is walked again up to there with the sign turned round. */
static int walk_or_undo(struct pass *p, struct layout *l, struct err *err)
{
    struct recorded_settings before = {0}, *settings = &p->c->settings;
    struct jfr_events it = jfr_events_of(p->chunk, p->header);
    settings_copy(&before, settings);
    const uint8_t *failed_at = it.p;
    int code = walk_all(p, l, it, it.end, &failed_at, err);
    if (code < 0) {
        settings_copy(settings, &before);
        p->sign = -1;
        (void)!walk_all(p, l, it, failed_at, &failed_at, NULL);
        settings_copy(settings, &before);
    }
    recorded_settings_done(&before);
    return code;
}

static int64_t walk_header_end(const struct jfr_header *h)
{
    int64_t end;
    return h->duration_ns < 0 || __builtin_add_overflow(h->start_ns, h->duration_ns, &end) ? h->start_ns : end;
}

/* From when to when a chunk says it goes; a clock of its own cannot put it anywhere. */
static void walk_header_span(const struct conversion *c, const struct jfr_header *h, int64_t *from, int64_t *until)
{
    const int64_t now = c->received_ns;
    int64_t length;
    *from = h->start_ns;
    *until = walk_header_end(h);
    if (now == 0 || (*from > now - EARLIER_NS && *from <= *until && *until < now + LATER_NS))
        return;
    if (__builtin_sub_overflow(*until, *from, &length) || length < 0 || length > EARLIER_NS)
        length = 0;
    *from = now - length;
    *until = now;
}

/* The profiles are about the time that the chunks cover, or the part of it that was asked for. */
static void walk_extend_span(struct conversion *c, const struct jfr_header *h)
{
    struct covered_time chunk;
    walk_header_span(c, h, &chunk.from, &chunk.until);
    if (!c->options.compat && conversion_has_range(c)) {
        const int64_t last = c->options.until_ns ? c->options.until_ns : INT64_MAX;
        chunk.from = chunk.from > c->options.from_ns ? chunk.from : c->options.from_ns;
        chunk.until = chunk.until < last ? chunk.until : last;
        if (chunk.from > chunk.until)
            return;
    }
    /* The clock was set back between two chunks: the time since then is that of the profile. */
    if (c->received_ns && chunk.until <= c->span.from)
        c->span = c->recording = (struct covered_time){0};
    covered_time_extend(&c->span, chunk);
    covered_time_extend(&c->recording, chunk);
}

/* What of the chunk the pools and passes had no room for. */
static void walk_count_cuts(const struct pass *p)
{
    uint64_t entries = 0;
    for (size_t i = 0; i < RESOLVE_POOLS; i++)
        entries += p->r->pools[i].left_out;
    pass_cut(p, CUT_POOLS, entries);
    pass_cut(p, CUT_FRAMES, p->r->cut_stacks);
    pass_cut(p, CUT_SPANS, p->spans->left_out);
}

/* Chunks may be of recordings with other intervals. */
static void walk_note_periods(struct conversion *c, const uint64_t samples_before[KIND_COUNT])
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const int64_t period = conversion_period(c, (enum profile_kind)k);
        if (c->samples[k] != samples_before[k] && period > c->so_far[k].period)
            c->so_far[k].period = period;
    }
}

static int walk_chunk(struct pass *pass, struct layout *layout, struct err *err)
{
    struct conversion *c = pass->c;
    struct recorded_settings before = {0};
    uint64_t samples_before[KIND_COUNT];
    memcpy(samples_before, c->samples, sizeof samples_before);
    settings_copy(&before, &c->settings);
    side_walks_prepare(pass, layout);
    layout_index(layout);
    int code = walk_or_undo(pass, layout, err);
    if (code < 0)
        settings_copy(&c->settings, &before);
    recorded_settings_done(&before);
    if (code < 0)
        return code;
    side_walks_settle(pass, layout);
    walk_count_cuts(pass);
    left_out_add(&c->left_out, &layout->left_out);
    walk_note_periods(c, samples_before);
    walk_extend_span(c, pass->header);
    return 0;
}

int conversion_add(struct conversion *c, const void *chunk, size_t len, struct err *err)
{
    struct jfr_header header;
    cleanup_arena struct arena arena = ARENA_INIT(c->limits->metadata);
    cleanup_jfr_metadata struct jfr_metadata metadata = JFR_METADATA_INIT;
    cleanup_resolver struct resolver resolver = {0};
    cleanup_spans struct spans spans = {.max = c->limits->spans};
    cleanup_native_leaks struct native_leaks mallocs = {.max = c->limits->blocks};
    const struct conversion_options *o = &c->options;
    cleanup_selector struct selector selector = {.of = o->select, .r = &resolver, .header = &header};
    const struct resolve_options names = {.compat = o->compat,
                                          .mark_truncated = o->mark_truncated,
                                          .no_lines = o->no_lines,
                                          .frame_types = o->frame_types,
                                          .libraries = o->libraries,
                                          .raw_names = o->raw_names,
                                          .threads = o->per_thread || selection_has_threads(o->select),
                                          .thread_ids = o->thread_ids,
                                          .bytecode_indices = o->bytecode_indices,
                                          .limits = c->limits};
    struct pass pass = {.c = c,
                        .r = &resolver,
                        .chunk = chunk,
                        .header = &header,
                        .spans = &spans,
                        .selector = !o->compat && selection_has_any(o->select) ? &selector : NULL,
                        .mallocs = &mallocs,
                        .sign = 1,
                        .ranged = !o->compat && conversion_has_range(c)};
    pass_set_deadline(&pass);
    int code = jfr_header_read(chunk, len, &header, err);
    if (code == 0)
        code = jfr_metadata_read(chunk, header.size, header.metadata, &arena, &metadata, err);
    if (code == 0 && header.major == 1 && !metadata.renamed)
        code = err_set(err, -EBADMSG, "chunk header: version 1, but types of another one");
    if (code == 0)
        code = resolver_open(&resolver, chunk, &header, &metadata, &arena, &c->symbols, &names, err);
    if (code < 0)
        return code;
    struct layout layout;
    layout_init(&layout, c, &metadata, &arena, resolver_has_strings(&resolver));
    return walk_chunk(&pass, &layout, err);
}
