#include "pprof/selection.h"

#include <strings.h>

#include "base/cleanup.h"
#include "pprof/events.h"

enum { NAME_MAX_BYTES = 4096, CALL = 1 };

static bool has_patterns_of(const struct frame_patterns *p)
{
    return p && p->len > 0;
}

bool selection_has_calls(const struct event_selection *s)
{
    return s && (s->latency_ns > 0 || has_patterns_of(s->spans));
}

bool selection_has_threads(const struct event_selection *s)
{
    return s && (has_patterns_of(s->threads) || selection_has_calls(s));
}

bool selection_has_any(const struct event_selection *s)
{
    return selection_has_threads(s) || (s && s->states && s->states[0]);
}

void selector_done(struct selector *s)
{
    u64map_done(&s->threads);
    u64map_done(&s->states);
    spans_done(&s->calls);
}

/* Is the trace or span what is asked for? */
static bool selector_wants_call(const struct selector *s, size_t class, const struct jfr_record *e)
{
    if (jfr_ticks_to_ns(s->header, (int64_t)e->v[SLOT_AMOUNT].num) < s->of->latency_ns)
        return false;
    if (!has_patterns_of(s->of->spans))
        return true;
    cleanup_buf struct buf tag = BUF_INIT(NAME_MAX_BYTES);
    if (class == CLASS_SPAN)
        resolver_text(s->r, e->v[SLOT_SUBJECT], &tag);
    return class == CLASS_SPAN && frame_patterns_match(s->of->spans, buf_slice(&tag));
}

void selector_add_call(struct selector *s, size_t class, const struct jfr_record *e)
{
    if (selector_wants_call(s, class, e))
        spans_add(&s->calls, e->v[SLOT_THREAD].num, e->v[SLOT_TIME].num, e->v[SLOT_AMOUNT].num, CALL);
}

static bool selector_thread(struct selector *s, uint64_t id)
{
    bool added;
    uint64_t *const known = u64map_add(&s->threads, id, 0, &added);
    if (added) {
        cleanup_buf struct buf name = BUF_INIT(NAME_MAX_BYTES);
        resolver_thread_name(s->r, id, &name);
        *known = frame_patterns_match(s->of->threads, buf_slice(&name));
    }
    return *known != 0;
}

static bool selection_has_state(const char *states, struct str state)
{
    struct str rest = str_of(states), one;
    while (str_split(&rest, ',', &one)) {
        if (one.n && one.n <= state.n && strncasecmp(one.p, state.p, one.n) == 0)
            return true;
    }
    return false;
}

static bool selector_state(struct selector *s, uint64_t id)
{
    bool added;
    uint64_t *const known = u64map_add(&s->states, id, 0, &added);
    if (added) {
        cleanup_buf struct buf name = BUF_INIT(NAME_MAX_BYTES);
        resolver_state_name(s->r, id, &name);
        *known = selection_has_state(s->of->states, buf_slice(&name));
    }
    return *known != 0;
}

static bool selector_call(const struct selector *s, size_t class, const struct jfr_record *e)
{
    if (class == CLASS_TRACE || class == CLASS_SPAN)
        return selector_wants_call(s, class, e);
    return spans_at(&s->calls, e->v[SLOT_THREAD].num, e->v[SLOT_TIME].num) == CALL;
}

bool selector_keeps(struct selector *s, size_t class, const struct jfr_record *e)
{
    const struct event_selection *of = s->of;
    if (class == CLASS_FREE) /* of no thread, and whatever it frees was taken or not */
        return true;
    if (has_patterns_of(of->threads) && !selector_thread(s, e->v[SLOT_THREAD].num))
        return false;
    if (of->states && of->states[0] && event_has_state(&event_classes[class]) &&
        !selector_state(s, e->v[SLOT_SUBJECT].num))
        return false;
    return !selection_has_calls(of) || selector_call(s, class, e);
}
