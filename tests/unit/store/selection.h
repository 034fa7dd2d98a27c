/* What a service, a profile type and further labels select, asked with the questions of a selector. */
#pragma once

#include "store/query.h"

struct selection {
    struct str service, type;
    const struct label *labels; /* all must be equal */
    size_t label_count;
    struct store_range range;
};

static inline int selection_selector(const struct selection *what, struct label_selector *out, struct err *err)
{
    int code = label_selector_add_equal(out, STR("service_name"), what->service, err);
    if (code == 0)
        code = label_selector_add_equal(out, STR("__profile_type__"), what->type, err);
    for (size_t i = 0; code == 0 && i < what->label_count; i++)
        code = label_selector_add_equal(out, what->labels[i].name, what->labels[i].value, err);
    return code;
}

static inline int selection_flame(struct store_reader *r, const struct selection *what, struct flame *out,
                                  struct store_span *span, struct err *err)
{
    cleanup_label_selector struct label_selector selector = LABEL_SELECTOR_INIT;
    const struct store_filter filter = {&selector, what->range};
    const struct store_merge how = {0};
    const int code = selection_selector(what, &selector, err);
    return code < 0 ? code : store_merge(r, &filter, &how, out, span, err);
}

struct selection_buckets {
    int64_t from_ms, step_ms, *items;
    size_t count;
};

static inline void selection_add_point(void *arg, const struct store_point *p)
{
    const struct selection_buckets *b = arg;
    const int64_t at = (p->time_ns / 1000000 - b->from_ms) / b->step_ms;
    if (at >= 0 && (uint64_t)at < b->count)
        b->items[at] = flame_sum(b->items[at], p->total);
}

/* Sums of values per `step_ms`, by the start of each profile; buckets[i] covers from_ms + i * step_ms. */
static inline int selection_timeline(struct store_reader *r, const struct selection *what, int64_t step_ms,
                                     int64_t *buckets, size_t n, struct err *err)
{
    cleanup_label_selector struct label_selector selector = LABEL_SELECTOR_INIT;
    const struct store_filter filter = {&selector, what->range};
    struct selection_buckets b = {what->range.from_ms, step_ms, buckets, n};
    const int code = selection_selector(what, &selector, err);
    return code < 0 ? code : store_each_point(r, &filter, selection_add_point, &b, err);
}
