/* Random pushes, and all answers to random questions as one text: so two stores can be compared that were pushed the
 * same, of which one keeps its journal and the other packs it. Header only.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof_maker.h"
#include "selection.h"
#include "store/ingest.h"
#include "store/query.h"
#include "store/reader.h"
#include "store/value_query.h"
#include "test.h"

#define RANDOM_HOUR_MS  INT64_C(3600000)
#define RANDOM_BEGIN_MS (INT64_C(472222) * RANDOM_HOUR_MS) /* 2023, at 22 h: most of it is on the next day */
enum { RANDOM_HOURS = 10, RANDOM_SAMPLES = 6, RANDOM_STACK_MAX = 64 };

/* xorshift64*: the same everywhere. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
    return (random_next(state) >> 33) % n;
}

static inline uint64_t random_state(uint64_t seed, uint64_t number)
{
    uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (number + 1) * UINT64_C(0xff51afd7ed558ccd);
    (void)random_next(&state);
    return state ? state : 1;
}

/* Few stacks, so that profiles share most, and now and then another one. */
static inline void random_stack(uint64_t *state, char *out)
{
    const uint64_t depth = 1 + random_below(state, 3), names = random_below(state, 20) ? 2 : 9;
    size_t n = 0;
    for (uint64_t i = 0; i < depth; i++)
        n += (size_t)snprintf(out + n, RANDOM_STACK_MAX - n, "%sf%llu", i ? ";" : "",
                              (unsigned long long)random_below(state, i ? names : 1));
}

/* Profile `number` of a seed: always the same. Times go on with the number, the faster the later; some are late. */
static inline struct buf random_profile(uint64_t seed, uint64_t number, uint64_t of)
{
    uint64_t state = random_state(seed, number);
    char stacks[RANDOM_SAMPLES][RANDOM_STACK_MAX];
    struct made_sample samples[RANDOM_SAMPLES];
    const bool alloc = number % 3 == 1;
    const size_t n = random_below(&state, RANDOM_SAMPLES + 1);
    for (size_t i = 0; i < n; i++) {
        static const char *const threads[] = {NULL, NULL, "main", "pool"};
        random_stack(&state, stacks[i]);
        static const char *const spans[] = {NULL, "00000000000000a0", "00000000000000b1"};
        samples[i] =
            (struct made_sample){stacks[i],
                                 {(int64_t)random_below(&state, 50) * 10000000, (int64_t)random_below(&state, 4)},
                                 threads[random_below(&state, 4)]};
        samples[i].span = spans[random_below(&state, 3)];
        samples[i].trace = random_below(&state, 4) ? NULL : "000000000000000000000000000000c2";
    }
    int64_t at_ms = RANDOM_BEGIN_MS + (int64_t)(number * number * RANDOM_HOURS * (uint64_t)RANDOM_HOUR_MS / (of * of));
    if (random_below(&state, 8) == 0)
        at_ms -= (int64_t)random_below(&state, (uint64_t)RANDOM_HOUR_MS);
    struct made_profile p = {.types = {{"cpu", "nanoseconds"}},
                             .period = {"cpu", "nanoseconds"},
                             .samples = samples,
                             .n = n,
                             .time_ns = at_ms * 1000000 + (int64_t)random_below(&state, 1000000),
                             .duration_ns = (int64_t)(1 + random_below(&state, 15000)) * 1000000};
    if (alloc) {
        p.types[0][0] = "alloc_space";
        p.types[0][1] = "bytes";
        p.types[1][0] = "alloc_objects";
        p.types[1][1] = "count";
    }
    return make_profile(&p);
}

/* Push `number` of a seed: mostly its own profile, some an earlier one again, or one of another zone. */
static inline int random_push(struct db *db, uint64_t seed, uint64_t number, uint64_t of, struct err *err)
{
    static const char *const services[] = {"shop", "till"}, *const zones[] = {"eu", NULL};
    uint64_t state = random_state(~seed, number), which = number, zone;
    const uint64_t kind = random_below(&state, 20);
    if (kind < 3 && number)
        which = random_below(&state, number);
    uint64_t labels_state = random_state(seed ^ 77, which);
    const char *service = services[random_below(&labels_state, 2)];
    zone = random_below(&labels_state, 2);
    if (kind == 0)
        zone = (zone + 1) % 2;
    struct label labels[3] = {{STR("__name__"), which % 3 == 1 ? STR("memory") : STR("process_cpu")},
                              {STR("service_name"), str_of(service)}};
    if (zones[zone])
        labels[2] = (struct label){STR("zone"), str_of(zones[zone])};
    cleanup_buf struct buf pprof = random_profile(seed, which, of);
    const struct str bytes = buf_slice(&pprof);
    const struct series series = {labels, zones[zone] ? 3 : 2, &bytes, 1};
    struct ingest_context c = {.db = db};
    return ingest_push(&c, &series, 1, err);
}

/* ---- answers ---- */

/* Lines, which are sorted where their order means nothing. */
struct random_lines {
    struct buf text;
    char **items;
    size_t len, cap;
};

static inline void random_line(struct random_lines *l, const char *text)
{
    xgrow(&l->items, &l->cap, l->len + 1, sizeof *l->items);
    l->items[l->len++] = xstrdup(text);
}

static inline int random_line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void random_lines_end(struct random_lines *l, bool sort)
{
    if (l->len && sort)
        qsort(l->items, l->len, sizeof *l->items, random_line_order);
    for (size_t i = 0; i < l->len; i++) {
        buf_printf(&l->text, "%s\n", l->items[i]);
        free(l->items[i]);
    }
    l->len = 0;
}

static inline void random_put_labels(const struct label_list *labels, struct buf *out)
{
    label_list_print(labels->items, labels->len, out);
}

static inline void random_put_series(void *arg, const struct store_series *s)
{
    cleanup_buf struct buf line = BUF_INIT(1 << 16);
    buf_puts(&line, "series ");
    random_put_labels(s->labels, &line);
    random_line(arg, buf_cstr(&line));
}

static inline void random_put_point(void *arg, const struct store_point *p)
{
    cleanup_buf struct buf line = BUF_INIT(1 << 16);
    buf_puts(&line, "point ");
    random_put_labels(p->series->labels, &line);
    buf_printf(&line, " %lld %lld ", (long long)p->time_ns, (long long)p->total);
    for (size_t i = 0; i < PROFILE_ID_SIZE; i++)
        buf_printf(&line, "%02x", p->id[i]);
    random_line(arg, buf_cstr(&line));
}

static inline void random_put_service(void *arg, const struct store_service *s)
{
    cleanup_buf struct buf line = BUF_INIT(1 << 16);
    buf_printf(&line, "service %.*s %llu %lld", STR_ARG(s->name), (unsigned long long)s->profiles,
               (long long)s->last_ms);
    random_line(arg, buf_cstr(&line));
}

static inline void random_put_type(void *arg, const struct store_type *t)
{
    cleanup_buf struct buf line = BUF_INIT(1 << 16);
    buf_printf(&line, "type %.*s %llu %lld", STR_ARG(t->id), (unsigned long long)t->profiles, (long long)t->total);
    random_line(arg, buf_cstr(&line));
}

static inline void random_put_path(const struct flame *f, uint32_t node, struct buf *out)
{
    if (node == 0)
        return;
    random_put_path(f, f->nodes[node].parent, out);
    buf_byte(out, ';');
    const struct str name = f->names[f->nodes[node].name];
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] > ' ' && name.p[i] < 127)
            buf_byte(out, (uint8_t)name.p[i]);
        else
            buf_printf(out, "%%%02x", (unsigned char)name.p[i]);
    }
}

static inline void random_put_flame(const struct flame *f, struct random_lines *out)
{
    for (uint32_t i = 0; i < f->node_count; i++) {
        if (f->nodes[i].self == 0)
            continue;
        cleanup_buf struct buf line = BUF_INIT(1 << 16);
        buf_puts(&line, "stack ");
        random_put_path(f, i, &line);
        buf_printf(&line, " %lld", (long long)f->nodes[i].self);
        random_line(out, buf_cstr(&line));
    }
    random_lines_end(out, true);
}

struct random_question {
    char selector[256];
    const char *service;
    bool lines;
    struct store_range range;
    const uint8_t (*profiles)[PROFILE_ID_SIZE];
    size_t profile_count;
};

static inline struct random_question random_ask(uint64_t *state)
{
    static const char *const services[] = {"shop", "till"};
    static const char *const types[] = {"process_cpu:cpu:nanoseconds:cpu:nanoseconds",
                                        "memory:alloc_space:bytes:cpu:nanoseconds",
                                        "memory:alloc_objects:count:cpu:nanoseconds"};
    static const char *const more[] = {
        "", "", ", zone=\"eu\"", ", zone=\"\"", ", zone=~\"e.|us\"", ", thread=\"pool\"", ", thread!=\"\""};
    struct random_question q = {.service = services[random_below(state, 2)], .lines = random_below(state, 2)};
    const char *extra = more[random_below(state, 7)], *type = types[random_below(state, 3)];
    if (random_below(state, 4) == 0)
        snprintf(q.selector, sizeof q.selector, "{__profile_type__=\"%s\"%s}", type, extra);
    else
        snprintf(q.selector, sizeof q.selector, "{service_name=\"%s\", __profile_type__=\"%s\"%s}", q.service, type,
                 extra);
    const int64_t begin = RANDOM_BEGIN_MS - RANDOM_HOUR_MS, width = (RANDOM_HOURS + 2) * RANDOM_HOUR_MS;
    const int64_t a = begin + (int64_t)random_below(state, (uint64_t)width);
    const int64_t b = begin + (int64_t)random_below(state, (uint64_t)width);
    q.range = a < b ? (struct store_range){a, b} : (struct store_range){b, a};
    switch (random_below(state, 4)) {
    case 0: /* whole hours */
        q.range.from_ms -= q.range.from_ms % RANDOM_HOUR_MS;
        q.range.until_ms += RANDOM_HOUR_MS - q.range.until_ms % RANDOM_HOUR_MS;
        break;
    case 1: /* a little */
        q.range.until_ms = q.range.from_ms + 30000;
        break;
    default:;
    }
    return q;
}

static inline int random_answer_trees(struct store_reader *r, const struct random_question *q,
                                      const struct store_filter *filter, struct random_lines *out, struct err *err)
{
    struct store_span span = {0};
    const struct store_merge how = {.lines = q->lines, .profiles = q->profiles, .profile_count = q->profile_count};
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    const int code = store_merge(r, filter, &how, &f, &span, err);
    random_put_flame(&f, out);
    if (code == 0) {
        cleanup_flame struct flame alone;
        flame_init(&alone, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
        if (store_merge(r, filter, &how, &alone, NULL, err) == 0)
            random_put_flame(&alone, out);
        else
            buf_puts(&out->text, "without a span: an error\n");
    }
    buf_printf(&out->text, "span %llu %lld %lld %lld %lld\n", (unsigned long long)span.profiles,
               (long long)span.first_ns, (long long)span.last_ns, (long long)span.duration_ns, (long long)span.period);
    return code;
}

/* Values of profiles, and what they are together. */
struct random_values {
    struct random_lines *out;
    uint8_t span; /* the last byte of the one that is added up; 0 = all that comes */
    int64_t total;
};

static inline void random_put_value(void *arg, const struct store_value *v)
{
    struct random_values *values = arg;
    cleanup_buf struct buf line = BUF_INIT(1 << 16);
    buf_puts(&line, "value ");
    random_put_labels(v->point.series->labels, &line);
    buf_printf(&line, " %lld %lld ", (long long)v->point.time_ns, (long long)v->point.total);
    for (size_t i = 0; i < PROFILE_ID_SIZE; i++)
        buf_printf(&line, "%02x", v->point.id[i]);
    if (values->span)
        buf_printf(&line, " span %02x trace %d %02x", v->span[SPAN_ID_SIZE - 1], v->has_trace,
                   v->trace[TRACE_ID_SIZE - 1]);
    random_line(values->out, buf_cstr(&line));
    if (values->span == 0 || v->span[SPAN_ID_SIZE - 1] == values->span)
        values->total += v->point.total;
}

/* What the stacks of a merge have in all: those that begin with the names. */
static inline int random_total(struct store_reader *r, const struct store_filter *filter, const struct store_merge *how,
                               const struct str *names, size_t n, int64_t *ret, struct err *err)
{
    struct store_span span = {0};
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    const int code = store_merge(r, filter, how, &f, &span, err);
    *ret = 0;
    for (uint32_t i = 0; i < f.node_count; i++) {
        struct str path[RANDOM_STACK_MAX];
        size_t depth = 0;
        for (uint32_t at = i; at; at = f.nodes[at].parent)
            path[depth++] = f.names[f.nodes[at].name];
        bool same = depth >= n;
        for (size_t k = 0; same && k < n; k++)
            same = str_eq(path[depth - 1 - k], names[k]);
        *ret += same ? f.nodes[i].self : 0;
    }
    return code;
}

/* Both ways must come to the same: values of single profiles, and one tree of all. */
static inline int random_answer_values(struct store_reader *r, const struct store_filter *filter,
                                       struct random_lines *out, struct err *err)
{
    static const struct str site[] = {{"f0", 2}, {"f1", 2}}, span = {"00000000000000b1", 16};
    const struct values_ask of_site = {.call_site = site, .call_site_len = 2}, of_span = {.by_span = true};
    const struct store_merge all = {0}, some = {.spans = &span, .span_count = 1};
    struct random_values begun = {.out = out}, spent = {.out = out, .span = 0xb1};
    int64_t begun_total = 0, spent_total = 0;
    int code = store_each_value(r, filter, &of_site, random_put_value, &begun, err);
    random_lines_end(out, true);
    if (code == 0)
        code = store_each_value(r, filter, &of_span, random_put_value, &spent, err);
    random_lines_end(out, true);
    if (code == 0)
        code = random_total(r, filter, &all, site, 2, &begun_total, err);
    if (code == 0)
        code = random_total(r, filter, &some, NULL, 0, &spent_total, err);
    CHECK_INT(begun.total, begun_total);
    CHECK_INT(spent.total, spent_total);
    return code;
}

/* All answers to a question. */
static inline struct buf random_answer(struct store_reader *r, const struct random_question *q)
{
    struct err err = {0};
    struct random_lines out = {.text = BUF_INIT(64 << 20)};
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    int64_t buckets[16] = {0};
    const struct store_filter filter = {&s, q->range};
    const struct selection what = {
        .service = str_of(q->service), .type = STR("process_cpu:cpu:nanoseconds:cpu:nanoseconds"), .range = q->range};
    buf_printf(&out.text, "%s %lld-%lld\n", q->selector, (long long)q->range.from_ms, (long long)q->range.until_ms);
    int code = label_selector_add(&s, str_of(q->selector), &err);
    if (code == 0)
        code = store_each_series(r, &filter, random_put_series, &out, &err);
    random_lines_end(&out, true);
    if (code == 0)
        code = store_each_point(r, &filter, random_put_point, &out, &err);
    random_lines_end(&out, true);
    if (code == 0)
        code = store_services(r, q->range, random_put_service, &out, &err);
    random_lines_end(&out, false);
    if (code == 0)
        code = store_types(r, what.service, q->range, random_put_type, &out, &err);
    random_lines_end(&out, false);
    if (code == 0)
        code = selection_timeline(r, &what, (q->range.until_ms - q->range.from_ms) / 15 + 1, buckets, 16, &err);
    for (size_t i = 0; i < ARRAY_LEN(buckets); i++)
        buf_printf(&out.text, "%lld ", (long long)buckets[i]);
    buf_puts(&out.text, "\n");
    if (code == 0)
        code = random_answer_trees(r, q, &filter, &out, &err);
    if (code == 0)
        code = random_answer_values(r, &filter, &out, &err);
    if (code < 0)
        buf_printf(&out.text, "error %d %s\n", code, err.text);
    free(out.items);
    return out.text;
}
