#include "pprof/labels.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/sha256.h"

enum { LABELS_MAX = 80 };

struct label_set {
    struct pprof_label labels[LABELS_MAX];
    size_t count;
};

static void labels_add(struct label_set *set, uint32_t key, uint32_t text)
{
    if (text != 0 && set->count < LABELS_MAX)
        set->labels[set->count++] = (struct pprof_label){.key = key, .str = text};
}

static uint32_t labels_profile_id(struct symbols *s, uint64_t span)
{
    enum { HEX_DIGITS = 16 };
    char text[HEX_DIGITS];
    for (int i = HEX_DIGITS; i-- > 0; span >>= 4)
        text[i] = "0123456789abcdef"[span & 0xf];
    return symbols_string(s, (struct str){text, HEX_DIGITS});
}

/* Pyroscope's agent puts ids into events; async-profiler's own spans are events that lie around samples. */
static void labels_add_span(const struct pass *p, const struct event_class *class, const struct jfr_record *e,
                            struct label_set *set)
{
    struct conversion *c = p->c;
    uint64_t id = e->v[SLOT_SPAN_ID].num;
    if (id)
        labels_add(set, c->keys.profile_id, labels_profile_id(&c->symbols, id));
    struct jfr_value name = e->v[SLOT_SPAN_NAME];
    uint32_t text = name.at ? resolver_string(p->r, name) : snapshot_string(&c->snapshot, name.num);
    if (!text && class->kind != KIND_SPAN)
        text = spans_at(p->spans, e->v[SLOT_THREAD].num, e->v[SLOT_TIME].num);
    labels_add(set, c->keys.span_name, text);
    const struct pprof_labels *context = snapshot_context(&c->snapshot, e->v[SLOT_CONTEXT].num);
    for (uint32_t i = 0; i < context->count; i++)
        labels_add(set, context->labels[i].key, context->labels[i].str);
}

static void labels_name_keys(struct conversion *c)
{
    c->keys = (struct label_keys){.thread = symbols_string(&c->symbols, STR("thread")),
                                  .allocated_class = symbols_string(&c->symbols, STR("allocated_class")),
                                  .lock_class = symbols_string(&c->symbols, STR("lock_class")),
                                  .state = symbols_string(&c->symbols, STR("state")),
                                  .time = symbols_string(&c->symbols, CONVERSION_TIME),
                                  .nanoseconds = symbols_string(&c->symbols, STR("nanoseconds")),
                                  .profile_id = symbols_string(&c->symbols, STR("profile_id")),
                                  .span_name = symbols_string(&c->symbols, STR("span_name"))};
}

/* What a store tells series by: all labels but a span's id and the time, which are others each time. SYMBOLS_FULL. */
static uint32_t labels_series(struct conversion *c, const struct label_set *set, uint32_t whole)
{
    struct label_set series;
    series.count = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->labels[i].key != c->keys.profile_id && set->labels[i].key != c->keys.time)
            series.labels[series.count++] = set->labels[i];
    }
    return series.count == set->count ? whole : symbols_labels(&c->symbols, series.labels, series.count);
}

static void labels_put_text(struct buf *out, struct str text)
{
    const uint64_t n = text.n;
    buf_append(out, &n, sizeof n);
    buf_append(out, text.p, text.n);
}

/* Of the texts, as numbers mean nothing to another conversion, with the key of who limits the series: nobody else
 * knows which label sets collide. False where they are beyond reason. */
static bool labels_series_hash(const struct conversion *c, const struct pprof_labels *set, uint64_t *ret)
{
    enum { TEXTS_MAX = 1 << 20 };
    cleanup_buf struct buf texts = BUF_INIT(TEXTS_MAX);
    uint8_t digest[SHA256_SIZE];
    buf_append(&texts, c->options.series_key, sizeof c->options.series_key);
    for (uint32_t i = 0; i < set->count; i++) {
        labels_put_text(&texts, c->symbols.strings[set->labels[i].key]);
        labels_put_text(&texts, c->symbols.strings[set->labels[i].str]);
    }
    if (!buf_ok(&texts))
        return false;
    sha256(buf_slice(&texts), digest);
    memcpy(ret, digest, sizeof *ret);
    return true;
}

static bool labels_may_be_series(const struct conversion *c, uint32_t series)
{
    struct u64map *known = c->options.series;
    uint64_t hash, ignored;
    if (!known)
        return true;
    if (!labels_series_hash(c, &c->symbols.label_sets[series], &hash))
        return false;
    if (u64map_get(known, hash, &ignored))
        return true;
    if (known->len >= c->options.series_max)
        return false;
    u64map_put(known, hash, 1);
    return true;
}

/* The set's number, or SYMBOLS_FULL where there are too many of them: what was taken once is taken ever after, and
 * the other way round. */
static uint32_t labels_within_limits(struct conversion *c, const struct label_set *set, uint32_t whole)
{
    enum { TAKEN = 1, REFUSED = 2 };
    const uint32_t series = whole == SYMBOLS_FULL ? SYMBOLS_FULL : labels_series(c, set, whole);
    uint32_t *state = series == SYMBOLS_FULL ? NULL : id_map_at(&c->label_sets, series);
    if (!state)
        return SYMBOLS_FULL;
    if (series == 0)
        return whole;
    if (*state == 0) {
        *state = c->series < c->limits->series && labels_may_be_series(c, series) ? TAKEN : REFUSED;
        c->series += *state == TAKEN;
    }
    return *state == TAKEN ? whole : SYMBOLS_FULL;
}

/* Some events are of several kinds; which, is known only when they are counted. */
static bool labels_wants_time(const struct conversion_options *o, const struct event_class *class)
{
    uint32_t kinds = 1U << class->kind;
    if (class->rule == RULE_EXECUTION || class->rule == RULE_WALL)
        kinds = 1U << KIND_CPU | 1U << KIND_WALL | 1U << KIND_COUNTER;
    else if (class->rule == RULE_MALLOC)
        kinds = 1U << KIND_MALLOC | 1U << KIND_MALLOC_LIVE;
    return o->time_kinds == 0 || (o->time_kinds & kinds) != 0;
}

/* A number, which means the same in all chunks. */
static void labels_add_time(const struct pass *p, const struct jfr_record *e, struct label_set *set)
{
    const struct conversion *c = p->c;
    const int64_t ns = pass_wall_ns(p, e);
    if (set->count < LABELS_MAX)
        set->labels[set->count++] =
            (struct pprof_label){.key = c->keys.time, .unit = c->keys.nanoseconds, .num = ns - ns % c->options.time_ns};
}

static uint32_t labels_state(const struct pass *p, uint64_t id)
{
    resolver_state_name(p->r, id, &p->c->text);
    return symbols_string(&p->c->symbols, buf_slice(&p->c->text));
}

static uint32_t labels_make(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    struct conversion *c = p->c;
    const struct conversion_options *o = &c->options;
    struct label_set set;
    set.count = 0;
    if (c->keys.thread == 0)
        labels_name_keys(c);
    if (o->per_thread)
        labels_add(&set, c->keys.thread, resolver_thread(p->r, e->v[SLOT_THREAD].num, &c->threads));
    if (o->time_ns && labels_wants_time(o, class))
        labels_add_time(p, e, &set);
    if (o->per_state && event_has_state(class))
        labels_add(&set, c->keys.state, labels_state(p, e->v[SLOT_SUBJECT].num));
    if (o->allocated_class && (class->rule == RULE_SIZED || class->rule == RULE_WEIGHTED))
        labels_add(&set, c->keys.allocated_class, resolver_class(p->r, e->v[SLOT_SUBJECT].num));
    if (o->lock_class && class->rule == RULE_DELAY)
        labels_add(&set, c->keys.lock_class, resolver_class(p->r, e->v[SLOT_SUBJECT].num));
    if (e->v[SLOT_SPAN_ID].num || e->v[SLOT_SPAN_NAME].num || e->v[SLOT_SPAN_NAME].at || e->v[SLOT_CONTEXT].num ||
        p->spans->count)
        labels_add_span(p, class, e, &set);
    return set.count ? labels_within_limits(c, &set, symbols_labels(&c->symbols, set.labels, set.count)) : 0;
}

uint32_t labels_of_event(const struct pass *p, const struct event_class *class, const struct jfr_record *e)
{
    struct conversion *c = p->c;
    const struct conversion_options *o = &c->options;
    if (o->per_thread || o->allocated_class || o->lock_class || o->per_state || o->time_ns || p->spans->count ||
        e->v[SLOT_SPAN_NAME].at)
        return labels_make(p, class, e);
    /* Nothing but three numbers: mostly all 0, or those of an event before. */
    const uint64_t span = e->v[SLOT_SPAN_ID].num, name = e->v[SLOT_SPAN_NAME].num, context = e->v[SLOT_CONTEXT].num;
    if ((span | name | context) == 0)
        return 0;
    const uint64_t hash = hash_number_high(span ^ name << 21 ^ context << 42);
    struct known_labels *known = &c->known_labels[hash >> (64 - KNOWN_LABELS_BITS)];
    if (known->labels && known->span == span && known->name == name && known->context == context)
        return known->labels;
    const uint32_t labels = labels_make(p, class, e);
    if (labels != SYMBOLS_FULL)
        *known = (struct known_labels){span, name, context, labels};
    return labels;
}
