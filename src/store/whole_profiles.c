#include "store/whole_profiles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "pprof/flame.h"

/* A day at a time, so that memory does not grow with the range; longer where that would be many. */
enum { PIECE_MS = 24 * 3600 * 1000, PIECES_MAX = 64 };
/* Of a piece. */
enum { WHOLE_PROFILES_MAX = (64 << 20) / sizeof(struct whole_profile) };

/* Of one piece. */
struct whole_list {
    const struct whole_profiles_ask *ask;
    struct whole_profile *items; /* owned */
    size_t len, cap;
    struct whole_span *spans; /* of the items, or NULL; owned */
    size_t span_cap;
    struct u64map numbers;
    bool full;
};

/* IDs are hashes of contents. */
static uint64_t whole_key(uint32_t group, const struct store_point *p, const struct store_value *span)
{
    uint64_t key;
    memcpy(&key, p->id, sizeof key);
    key ^= hash_number_high((uint64_t)p->time_ns) ^ hash_number_high(group);
    return span ? key ^ hash_bytes(span->span, sizeof span->span) ^ hash_bytes(span->trace, sizeof span->trace) : key;
}

/* NULL: its parts before were there, or there is no room. */
static struct whole_profile *whole_add(struct whole_list *l, const struct store_point *p,
                                       const struct store_value *span)
{
    struct label_groups *groups = l->ask->groups;
    const uint32_t group = groups ? label_group_of(groups, p->series) : 0;
    const uint32_t rest = l->ask->wants_rest ? label_groups_rest(groups, p->series) : 0;
    bool added;
    l->full = l->full || l->len >= WHOLE_PROFILES_MAX || (groups && groups->full);
    if (l->full)
        return NULL;
    const uint64_t number = *u64map_add(&l->numbers, whole_key(group, p, span), l->len, &added);
    if (!added) {
        struct whole_profile *known = &l->items[number];
        known->total = flame_sum(known->total, p->total);
        known->rest = l->ask->wants_rest ? label_groups_common(groups, known->rest, rest) : 0;
        return NULL;
    }
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    struct whole_profile *one = &l->items[l->len++];
    *one = (struct whole_profile){.ms = p->time_ns / NS_PER_MS, .total = p->total, .group = group, .rest = rest};
    memcpy(one->id, p->id, sizeof one->id);
    return one;
}

static void whole_visit_point(void *arg, const struct store_point *p)
{
    (void)whole_add(arg, p, NULL);
}

static void whole_visit_value(void *arg, const struct store_value *v)
{
    struct whole_list *l = arg;
    if (!l->ask->values->by_span) {
        (void)whole_add(l, &v->point, NULL);
        return;
    }
    if (!whole_add(l, &v->point, v))
        return;
    xgrow(&l->spans, &l->span_cap, l->len, sizeof *l->spans);
    struct whole_span *span = &l->spans[l->len - 1];
    span->has_trace = v->has_trace;
    memcpy(span->id, v->span, sizeof span->id);
    memcpy(span->trace, v->trace, sizeof span->trace);
}

static int whole_collect(struct store_reader *r, const struct store_filter *what, struct whole_list *l, struct err *err)
{
    const int code = l->ask->values ? store_each_value(r, what, l->ask->values, whole_visit_value, l, err)
                                    : store_each_point(r, what, whole_visit_point, l, err);
    if (code == 0 && l->full)
        return err_set(err, -EMSGSIZE,
                       "more than %d profiles or spans: choose a shorter time range or add label matchers",
                       WHOLE_PROFILES_MAX);
    return code;
}

/* The end of the piece that begins there: where a day ends, as blocks do. */
static int64_t whole_piece_end(int64_t from_ms, int64_t piece_ms, int64_t until_ms)
{
    const int64_t rest = piece_ms - 1 - from_ms % piece_ms;
    return until_ms - from_ms > rest ? from_ms + rest : until_ms;
}

int store_each_whole_profile(struct store_reader *r, const struct store_filter *what,
                             const struct whole_profiles_ask *ask,
                             void (*visit)(void *arg, const struct whole_profile *p, const struct whole_span *span),
                             void *arg, struct err *err)
{
    struct whole_list l = {.ask = ask};
    const int64_t last_ms = INT64_MAX / NS_PER_MS;
    const int64_t until_ms = what->range.until_ms < last_ms ? what->range.until_ms : last_ms;
    const int64_t from_ms = what->range.from_ms > 0 ? what->range.from_ms : 0, each = (until_ms - from_ms) / PIECES_MAX;
    const int64_t piece_ms = each > PIECE_MS ? each : PIECE_MS;
    int code = 0;
    for (int64_t from = from_ms, end; code == 0 && from <= until_ms; from = end + 1) {
        end = whole_piece_end(from, piece_ms, until_ms);
        u64map_expect(&l.numbers, l.len); /* as many as in the piece before */
        l.len = 0;
        code = whole_collect(r, &(struct store_filter){what->selector, {from, end}}, &l, err);
        for (size_t i = 0; code == 0 && i < l.len; i++)
            visit(arg, &l.items[i], l.spans ? &l.spans[i] : NULL);
        u64map_done(&l.numbers);
    }
    free(l.items);
    free(l.spans);
    return code;
}
