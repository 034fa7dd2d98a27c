#include "pprof/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/group.h"
#include "pprof/merge.h"

enum { METRIC_MAX = 64 << 10 };

void profile_set_init(struct profile_set *s, size_t max)
{
    *s = (struct profile_set){0};
    symbols_init(&s->symbols, max);
}

void profile_set_done(struct profile_set *s)
{
    for (size_t i = 0; i < s->len; i++) {
        profile_done(&s->items[i].p);
        free(s->items[i].name);
        free(s->items[i].metric);
    }
    free(s->items);
    symbols_done(&s->symbols);
    *s = (struct profile_set){0};
}

static struct str set_text_of(const struct profile *p, uint32_t string)
{
    return p->symbols->strings[string];
}

const char *profile_name(const struct profile *p)
{
    static const struct {
        const char *type, *period, *name; /* the first sample type's beginning; the period's type, NULL = any */
    } known[] = {
        {"cpu", NULL, "process_cpu"},   {"wall", NULL, "wall"},      {"alloc_", NULL, "memory"},
        {"live", NULL, "memory"},       {"malloc_", NULL, "memory"}, {"contentions", "block", "block"},
        {"contentions", NULL, "mutex"},
    };
    struct str type = p->type_count ? set_text_of(p, p->types[0].type) : STR("");
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_has_prefix(type, str_of(known[i].type)) &&
            (!known[i].period || str_is(set_text_of(p, p->period_type.type), known[i].period)))
            return known[i].name;
    }
    return "profile";
}

int profile_column(const struct profile *p, struct str name)
{
    for (size_t i = 0; i < p->type_count; i++) {
        const struct str type = set_text_of(p, p->types[i].type), unit = set_text_of(p, p->types[i].unit);
        if (str_eq(type, name))
            return (int)i;
        if (name.n == type.n + 1 + unit.n && str_has_prefix(name, type) && name.p[type.n] == '/' &&
            str_has_suffix(name, unit))
            return (int)i;
    }
    return -1;
}

bool named_profile_is(const struct named_profile *n, struct str text, int *column)
{
    const struct str name = str_of(n->name);
    *column = profile_column(&n->p, text);
    if (*column < 0 && text.n > name.n && str_has_prefix(text, name) && text.p[name.n] == ':')
        *column = profile_column(&n->p, (struct str){text.p + name.n + 1, text.n - name.n - 1});
    return *column >= 0 || str_eq(text, name);
}

static char *set_metric_of(const char *name, const struct profile *p)
{
    struct buf text = BUF_INIT(METRIC_MAX);
    buf_puts(&text, name);
    for (size_t i = 0; i < p->type_count; i++) {
        buf_byte(&text, i ? ' ' : ':');
        buf_str(&text, set_text_of(p, p->types[i].type));
        buf_byte(&text, '/');
        buf_str(&text, set_text_of(p, p->types[i].unit));
    }
    char *copy = xstrdup(buf_cstr(&text));
    buf_done(&text);
    return copy;
}

/* Where the profile of that metric is or belongs. */
static size_t set_place_of(const struct profile_set *s, const char *metric)
{
    size_t i = 0;
    while (i < s->len && strcmp(s->items[i].metric, metric) < 0)
        i++;
    return i;
}

static struct named_profile *set_find_or_add(struct profile_set *s, const char *name, const struct profile *p)
{
    cleanup_free char *metric = set_metric_of(name, p);
    size_t i = set_place_of(s, metric);
    if (i < s->len && strcmp(s->items[i].metric, metric) == 0)
        return &s->items[i];
    xgrow(&s->items, &s->cap, s->len + 1, sizeof *s->items);
    memmove(&s->items[i + 1], &s->items[i], (s->len - i) * sizeof *s->items);
    s->len++;
    s->items[i] = (struct named_profile){.name = xstrdup(name), .metric = TAKE_PTR(metric)};
    profile_init(&s->items[i].p, &s->symbols);
    return &s->items[i];
}

/* Since 1970; nothing where a profile does not say when it was. */
static int64_t set_end_of(const struct profile *p)
{
    int64_t end;
    return __builtin_add_overflow(p->time_nanos, p->duration_nanos, &end) ? INT64_MAX : end;
}

int profile_set_add(struct profile_set *s, const char *name, const struct profile *p, struct err *err)
{
    name = name ? name : profile_name(p);
    struct profile *there = &set_find_or_add(s, name, p)->p;
    const bool timed = there->time_nanos > 0;
    const int64_t duration = there->duration_nanos, end = set_end_of(there);
    const int code = profile_merge(there, p, 1, err);
    if (code < 0)
        return code;
    if (timed && p->time_nanos > 0)
        there->duration_nanos = (end > set_end_of(p) ? end : set_end_of(p)) - there->time_nanos;
    else if (timed || p->time_nanos > 0)
        there->duration_nanos = timed ? duration : p->duration_nanos;
    return 0;
}

static void set_replace(struct named_profile *n, struct profile *p)
{
    profile_done(&n->p);
    n->p = *p;
    *p = (struct profile){0};
}

int profile_set_compare(struct profile_set *after, const struct profile_set *before, enum profile_diff how,
                        struct err *err)
{
    /* What went away altogether, too. */
    for (size_t i = 0; i < before->len; i++) {
        struct named_profile *gone = &before->items[i];
        size_t k = set_place_of(after, gone->metric);
        if (k < after->len && strcmp(after->items[k].metric, gone->metric) == 0)
            continue;
        int code = profile_merge(&set_find_or_add(after, gone->name, &gone->p)->p, &gone->p, 0, err);
        if (code < 0)
            return code;
    }
    for (size_t i = 0; i < after->len; i++) {
        struct named_profile *n = &after->items[i];
        size_t k = set_place_of(before, n->metric);
        bool both = k < before->len && strcmp(before->items[k].metric, n->metric) == 0;
        cleanup_profile struct profile nothing, diff;
        profile_init(&nothing, &after->symbols);
        profile_init(&diff, &after->symbols);
        int code = both ? 0 : profile_merge(&nothing, &n->p, 0, err);
        if (code == 0)
            code = profile_diff(&diff, &n->p, both ? &before->items[k].p : &nothing, how, err);
        if (code < 0)
            return code;
        set_replace(n, &diff);
    }
    return 0;
}

bool profile_set_has_label(const struct profile_set *s, struct str key)
{
    for (size_t i = 0; i < s->symbols.label_set_count; i++) {
        const struct pprof_labels *set = &s->symbols.label_sets[i];
        for (uint32_t k = 0; k < set->count; k++) {
            if (str_eq(s->symbols.strings[set->labels[k].key], key))
                return true;
        }
    }
    return false;
}

void profile_set_labels(const struct profile_set *s, struct buf *out)
{
    cleanup_free bool *seen = xcalloc(s->symbols.string_count + 1, sizeof *seen);
    for (size_t i = 0; i < s->symbols.label_set_count; i++) {
        const struct pprof_labels *set = &s->symbols.label_sets[i];
        for (uint32_t k = 0; k < set->count; k++) {
            const uint32_t key = set->labels[k].key;
            if (seen[key])
                continue;
            seen[key] = true;
            buf_printf(out, "%s%.*s", out->len ? ", " : "", STR_ARG(s->symbols.strings[key]));
        }
    }
}

int profile_set_group(struct profile_set *s, struct str key, struct err *err)
{
    for (size_t i = 0; i < s->len; i++) {
        cleanup_profile struct profile grouped;
        profile_init(&grouped, &s->symbols);
        int code = profile_group(&grouped, &s->items[i].p, key, err);
        if (code < 0)
            return code;
        set_replace(&s->items[i], &grouped);
    }
    return 0;
}
