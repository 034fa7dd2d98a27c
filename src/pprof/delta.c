#include "pprof/delta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/wire.h"
#include "pprof/proto_fields.h"

enum { TYPES_MAX = 16 };

/* Stacks by number: their keys, and their values, as many as there are sample types. */
struct delta_values {
    struct u64map of; /* key -> number */
    uint64_t *keys;
    int64_t *values;
    size_t key_cap, cap;
};

struct pprof_delta {
    const char *const *types;
    struct delta_values before;
    size_t type_count; /* of the profile before */
    int64_t time_ns;   /* likewise */
    bool started;
};

/* A location or function of the profile at hand. */
struct delta_item {
    struct str message;
    uint64_t hash;
    bool kept;
};
struct delta_items {
    struct u64map of; /* foreign id -> number */
    struct delta_item *items;
    size_t len, cap;
};

struct delta_pass {
    struct str in;
    struct str *strings;
    bool *string_kept;
    size_t string_count, string_cap;
    struct delta_items locations, functions;
    uint64_t type_names[TYPES_MAX];
    bool is_counted[TYPES_MAX]; /* is to be compared */
    size_t type_count;
    uint64_t *numbers; /* of each sample, its number in `now` */
    size_t sample_count, sample_cap;
    struct delta_values now;
    int64_t *changed; /* as now.values: what is written */
    uint8_t *states;  /* of each number: enum delta_state */
    bool any;         /* one of them changed */
    uint64_t *stack;  /* scratch: hashes of a sample's locations */
    size_t stack_cap;
    int64_t time_ns;
    struct err *err;
};
enum delta_state { DELTA_UNSEEN, DELTA_EMPTY, DELTA_CHANGED, DELTA_WRITTEN };

static int delta_damaged(struct delta_pass *p, const char *what)
{
    return err_set(p->err, -EBADMSG, "pprof: %s", what);
}

static int delta_too_large(struct delta_pass *p)
{
    return err_set(p->err, -E2BIG, "pprof: too large");
}

/* --- collecting --- */

/* The number of field `field`, 0 where there is none. */
static uint64_t delta_number_in(struct str message, uint32_t field)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f))
        if (f.number_of == field && f.type == WIRE_VARINT)
            return f.number;
    return 0;
}

static int delta_add_item(struct delta_pass *p, struct delta_items *to, struct str message)
{
    bool added;
    if (to->len == PPROF_DELTA_ITEMS_MAX)
        return delta_too_large(p);
    (void)u64map_add(&to->of, delta_number_in(message, PROFILE_ID), to->len, &added);
    if (!added) /* twice: the first stays */
        return 0;
    xgrow(&to->items, &to->cap, to->len + 1, sizeof *to->items);
    to->items[to->len++] = (struct delta_item){.message = message};
    return 0;
}

static int delta_add_string(struct delta_pass *p, struct str s)
{
    if (p->string_count == PPROF_DELTA_ITEMS_MAX)
        return delta_too_large(p);
    xgrow(&p->strings, &p->string_cap, p->string_count + 1, sizeof *p->strings);
    p->strings[p->string_count++] = s;
    return 0;
}

static int delta_collect_field(struct delta_pass *p, const struct wire_field *f)
{
    switch (f->number_of) {
    case PROFILE_SAMPLE_TYPE:
        if (p->type_count == TYPES_MAX)
            return delta_too_large(p);
        p->type_names[p->type_count++] = delta_number_in(f->bytes, 1);
        return 0;
    case PROFILE_LOCATION:
        return delta_add_item(p, &p->locations, f->bytes);
    case PROFILE_FUNCTION:
        return delta_add_item(p, &p->functions, f->bytes);
    case PROFILE_STRING_TABLE:
        return delta_add_string(p, f->bytes);
    case PROFILE_SAMPLE:
        return p->sample_count++ == PPROF_DELTA_ITEMS_MAX ? delta_too_large(p) : 0;
    case PROFILE_TIME_NANOS:
        p->time_ns = (int64_t)f->number;
        return 0;
    default:
        return 0;
    }
}

/* Calls `take` for every field of the profile. */
static int delta_each(struct delta_pass *p, int (*take)(struct delta_pass *p, const struct wire_field *f))
{
    struct wire_reader r = wire_reader_of(p->in);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        const int code = take(p, &f);
        if (code < 0)
            return code;
    }
    return r.bad ? delta_damaged(p, "truncated or malformed") : 0;
}

/* --- content of stacks --- */

static struct str delta_string(const struct delta_pass *p, uint64_t index)
{
    return index < p->string_count ? p->strings[index] : STR("");
}

static uint64_t delta_hash_string(const struct delta_pass *p, uint64_t index)
{
    const struct str s = delta_string(p, index);
    return s.n ? hash_bytes(s.p, s.n) : 0;
}

static struct delta_item *delta_find(struct delta_items *items, uint64_t id)
{
    uint64_t number;
    return u64map_get(&items->of, id, &number) ? &items->items[number] : NULL;
}

static void delta_hash_function(const struct delta_pass *p, struct delta_item *f)
{
    const uint64_t content[] = {delta_hash_string(p, delta_number_in(f->message, 2)),
                                delta_hash_string(p, delta_number_in(f->message, 3)),
                                delta_hash_string(p, delta_number_in(f->message, 4)), delta_number_in(f->message, 5)};
    f->hash = hash_bytes(content, sizeof content);
}

static void delta_hash_location(struct delta_pass *p, struct delta_item *l)
{
    struct wire_reader r = wire_reader_of(l->message);
    struct wire_field f;
    l->hash = delta_number_in(l->message, 3); /* address */
    while (wire_next(&r, &f)) {
        if (f.number_of != LOCATION_LINE || f.type != WIRE_BYTES)
            continue;
        const struct delta_item *function = delta_find(&p->functions, delta_number_in(f.bytes, LINE_FUNCTION_ID));
        const uint64_t content[] = {l->hash, function ? function->hash : 0, delta_number_in(f.bytes, 2)};
        l->hash = hash_bytes(content, sizeof content);
    }
}

/* Calls `take` for each number of a field, packed or not. */
static bool delta_each_number(const struct wire_field *f, bool (*take)(void *arg, uint64_t v), void *arg)
{
    if (f->type == WIRE_VARINT)
        return take(arg, f->number);
    struct wire_reader r = wire_reader_of(f->bytes);
    uint64_t v;
    while (f->type == WIRE_BYTES && wire_next_packed(&r, &v))
        if (!take(arg, v))
            return false;
    return f->type == WIRE_BYTES && !r.bad;
}

struct delta_stack {
    struct delta_pass *p;
    size_t len;
};

static bool delta_push_location(void *arg, uint64_t id)
{
    struct delta_stack *s = arg;
    const struct delta_item *l = delta_find(&s->p->locations, id);
    if (!l || s->len == PPROF_DELTA_ITEMS_MAX)
        return false;
    xgrow(&s->p->stack, &s->p->stack_cap, s->len + 1, sizeof *s->p->stack);
    s->p->stack[s->len++] = l->hash;
    return true;
}

static uint64_t delta_hash_label(const struct delta_pass *p, struct str label)
{
    const uint64_t content[] = {delta_hash_string(p, delta_number_in(label, 1)),
                                delta_hash_string(p, delta_number_in(label, 2)), delta_number_in(label, 3),
                                delta_hash_string(p, delta_number_in(label, 4))};
    return hash_bytes(content, sizeof content);
}

/* --- sums --- */

struct delta_sum {
    int64_t values[TYPES_MAX];
    size_t len, most;
};

static bool delta_push_value(void *arg, uint64_t v)
{
    struct delta_sum *s = arg;
    if (s->len == s->most)
        return false;
    s->values[s->len++] = (int64_t)v;
    return true;
}

static uint64_t delta_number_of(struct delta_pass *p, uint64_t key)
{
    bool added;
    const uint64_t number = *u64map_add(&p->now.of, key, p->now.of.len, &added);
    if (added) {
        xgrow(&p->now.keys, &p->now.key_cap, number + 1, sizeof *p->now.keys);
        p->now.keys[number] = key;
        xgrow(&p->now.values, &p->now.cap, p->now.of.len * p->type_count, sizeof *p->now.values);
        memset(p->now.values + number * p->type_count, 0, p->type_count * sizeof *p->now.values);
    }
    return number;
}

static int delta_sum_sample(struct delta_pass *p, const struct wire_field *field)
{
    if (field->number_of != PROFILE_SAMPLE)
        return 0;
    struct delta_stack stack = {p, 0};
    struct delta_sum sum = {.most = p->type_count};
    struct wire_reader r = wire_reader_of(field->bytes);
    struct wire_field f;
    uint64_t labels = 0;
    while (wire_next(&r, &f)) {
        if (f.number_of == SAMPLE_LOCATION_ID && !delta_each_number(&f, delta_push_location, &stack))
            return delta_damaged(p, "a sample names a location that is not there");
        if (f.number_of == SAMPLE_VALUE && !delta_each_number(&f, delta_push_value, &sum))
            return delta_damaged(p, "a sample has too many values");
        if (f.number_of == SAMPLE_LABEL && f.type == WIRE_BYTES)
            labels += delta_hash_label(p, f.bytes); /* in any order */
    }
    if (r.bad || sum.len != p->type_count)
        return delta_damaged(p, "malformed sample");
    const uint64_t content[] = {stack.len ? hash_bytes(p->stack, stack.len * sizeof *p->stack) : 0, labels};
    const uint64_t number = delta_number_of(p, hash_bytes(content, sizeof content));
    int64_t *to = p->now.values + number * p->type_count;
    for (size_t i = 0; i < p->type_count; i++)
        to[i] = (int64_t)((uint64_t)to[i] + (uint64_t)sum.values[i]);
    xgrow(&p->numbers, &p->sample_cap, p->sample_count + 1, sizeof *p->numbers);
    p->numbers[p->sample_count++] = number;
    return 0;
}

/* --- what changed --- */

static void delta_compare(struct pprof_delta *d, struct delta_pass *p, uint64_t key, uint64_t number)
{
    const int64_t *now = p->now.values + number * p->type_count, *before = NULL;
    int64_t *changed = p->changed + number * p->type_count;
    uint64_t was;
    if (d->type_count == p->type_count && u64map_get(&d->before.of, key, &was))
        before = d->before.values + was * p->type_count;
    for (size_t i = 0; before && i < p->type_count; i++)
        if (p->is_counted[i] && now[i] < before[i])
            before = NULL; /* it was started again */
    bool any = false;
    for (size_t i = 0; i < p->type_count; i++) {
        const uint64_t less = before && p->is_counted[i] ? (uint64_t)before[i] : 0;
        changed[i] = (int64_t)((uint64_t)now[i] - less);
        any |= changed[i] != 0;
    }
    p->states[number] = any ? DELTA_CHANGED : DELTA_EMPTY;
    p->any |= any;
}

static void delta_compare_all(struct pprof_delta *d, struct delta_pass *p)
{
    p->changed = xcalloc(p->now.of.len * p->type_count + 1, sizeof *p->changed);
    p->states = xcalloc(p->now.of.len + 1, 1);
    for (uint64_t number = 0; number < p->now.of.len; number++)
        delta_compare(d, p, p->now.keys[number], number);
}

/* --- what is referred to --- */

static void delta_keep_string(struct delta_pass *p, uint64_t index)
{
    if (index < p->string_count)
        p->string_kept[index] = true;
}

/* The strings that the numbers in these fields of a message name. */
static void delta_keep_strings(struct delta_pass *p, struct str message, uint32_t fields)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f))
        if (f.type == WIRE_VARINT && f.number_of < 32 && (fields & 1U << f.number_of))
            delta_keep_string(p, f.number);
}

static bool delta_keep_comment(void *arg, uint64_t v)
{
    delta_keep_string(arg, v);
    return true;
}

static bool delta_keep_location(void *arg, uint64_t id)
{
    struct delta_pass *p = arg;
    struct delta_item *l = delta_find(&p->locations, id);
    if (!l || l->kept)
        return true;
    l->kept = true;
    struct wire_reader r = wire_reader_of(l->message);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        struct delta_item *function =
            f.number_of == LOCATION_LINE ? delta_find(&p->functions, delta_number_in(f.bytes, LINE_FUNCTION_ID)) : NULL;
        if (!function || function->kept)
            continue;
        function->kept = true;
        delta_keep_strings(p, function->message, 1U << 2 | 1U << 3 | 1U << 4);
    }
    return true;
}

static void delta_keep_sample(struct delta_pass *p, struct str sample)
{
    const uint64_t number = p->numbers[p->sample_count++];
    struct wire_reader r = wire_reader_of(sample);
    struct wire_field f;
    if (p->states[number] != DELTA_CHANGED)
        return;
    while (wire_next(&r, &f)) {
        if (f.number_of == SAMPLE_LOCATION_ID)
            (void)delta_each_number(&f, delta_keep_location, p);
        else if (f.number_of == SAMPLE_LABEL && f.type == WIRE_BYTES)
            delta_keep_strings(p, f.bytes, 1U << 1 | 1U << 2 | 1U << 4);
    }
}

static int delta_keep_field(struct delta_pass *p, const struct wire_field *f)
{
    switch (f->number_of) {
    case PROFILE_SAMPLE:
        delta_keep_sample(p, f->bytes);
        return 0;
    case PROFILE_SAMPLE_TYPE:
    case PROFILE_PERIOD_TYPE:
        delta_keep_strings(p, f->bytes, 1U << 1 | 1U << 2);
        return 0;
    case PROFILE_MAPPING:
        delta_keep_strings(p, f->bytes, 1U << 5 | 1U << 6);
        return 0;
    case PROFILE_COMMENT:
        (void)delta_each_number(f, delta_keep_comment, p);
        return 0;
    case PROFILE_DROP_FRAMES:
    case PROFILE_KEEP_FRAMES:
    case PROFILE_DEFAULT_TYPE:
        delta_keep_string(p, f->number);
        return 0;
    default:
        return 0;
    }
}

/* --- writing --- */

static void delta_write_sample(struct delta_pass *p, struct str sample, struct buf *out)
{
    const uint64_t number = p->numbers[p->sample_count++];
    if (p->states[number] != DELTA_CHANGED)
        return;
    p->states[number] = DELTA_WRITTEN;
    cleanup_buf struct buf message = BUF_INIT(SIZE_MAX / 4), values = BUF_INIT(TYPES_MAX * 10 + 1);
    for (size_t i = 0; i < p->type_count; i++)
        wire_varint(&values, (uint64_t)p->changed[number * p->type_count + i]);
    struct wire_reader r = wire_reader_of(sample);
    struct wire_field f;
    for (const uint8_t *at = r.p; wire_next(&r, &f); at = r.p)
        if (f.number_of != SAMPLE_VALUE)
            buf_append(&message, at, (size_t)(r.p - at));
    wire_bytes(&message, SAMPLE_VALUE, buf_slice(&values));
    wire_bytes(out, PROFILE_SAMPLE, buf_slice(&message));
}

static bool delta_is_kept(struct delta_items *items, struct str message)
{
    const struct delta_item *item = delta_find(items, delta_number_in(message, PROFILE_ID));
    return item && item->kept && item->message.p == message.p;
}

static void delta_write(struct pprof_delta *d, struct delta_pass *p, struct buf *out)
{
    struct wire_reader r = wire_reader_of(p->in);
    struct wire_field f;
    size_t strings = 0;
    for (const uint8_t *at = r.p; wire_next(&r, &f); at = r.p) {
        const struct str raw = {(const char *)at, (size_t)(r.p - at)};
        if (f.number_of == PROFILE_SAMPLE)
            delta_write_sample(p, f.bytes, out);
        else if (f.number_of == PROFILE_STRING_TABLE) /* indexes stay */
            wire_bytes(out, PROFILE_STRING_TABLE, p->string_kept[strings++] ? f.bytes : STR(""));
        else if (f.number_of == PROFILE_LOCATION   ? delta_is_kept(&p->locations, f.bytes)
                 : f.number_of == PROFILE_FUNCTION ? delta_is_kept(&p->functions, f.bytes)
                                                   : f.number_of != PROFILE_DURATION_NANOS)
            buf_str(out, raw);
    }
    if (d->time_ns > 0 && p->time_ns > d->time_ns)
        wire_number(out, PROFILE_DURATION_NANOS, (uint64_t)(p->time_ns - d->time_ns));
}

/* --- the whole --- */

static void delta_values_done(struct delta_values *v)
{
    u64map_done(&v->of);
    free(v->keys);
    free(v->values);
    *v = (struct delta_values){0};
}

static void delta_pass_done(struct delta_pass *p)
{
    u64map_done(&p->locations.of);
    u64map_done(&p->functions.of);
    free(p->locations.items);
    free(p->functions.items);
    free(p->strings);
    free(p->string_kept);
    free(p->numbers);
    free(p->changed);
    free(p->states);
    free(p->stack);
    delta_values_done(&p->now);
}

static bool delta_is_named(const struct pprof_delta *d, struct str name)
{
    for (const char *const *type = d->types; *type; type++)
        if (str_is(name, *type))
            return true;
    return false;
}

static int delta_sum(struct pprof_delta *d, struct delta_pass *p)
{
    int code = delta_each(p, delta_collect_field);
    if (code < 0)
        return code;
    if (p->type_count == 0)
        return delta_damaged(p, "no sample types");
    for (size_t i = 0; i < p->type_count; i++)
        p->is_counted[i] = delta_is_named(d, delta_string(p, p->type_names[i]));
    for (size_t i = 0; i < p->functions.len; i++)
        delta_hash_function(p, &p->functions.items[i]);
    for (size_t i = 0; i < p->locations.len; i++)
        delta_hash_location(p, &p->locations.items[i]);
    p->sample_count = 0;
    return delta_each(p, delta_sum_sample);
}

static int delta_change(struct pprof_delta *d, struct delta_pass *p, struct buf *out)
{
    delta_compare_all(d, p);
    if (!p->any)
        return 0;
    p->string_kept = xcalloc(p->string_count + 1, sizeof *p->string_kept);
    p->sample_count = 0;
    const int code = delta_each(p, delta_keep_field);
    if (code < 0)
        return code;
    p->sample_count = 0;
    delta_write(d, p, out);
    return buf_ok(out) ? 0 : delta_too_large(p);
}

int pprof_delta_take(struct pprof_delta *d, struct str profile, struct buf *out, bool *ret_any, struct err *err)
{
    __attribute__((cleanup(delta_pass_done))) struct delta_pass p = {.in = profile, .err = err};
    int code = delta_sum(d, &p);
    if (code == 0 && d->started)
        code = delta_change(d, &p, out);
    delta_values_done(&d->before);
    d->started = code == 0;
    if (code < 0)
        return code;
    d->before = p.now;
    p.now = (struct delta_values){0};
    d->type_count = p.type_count;
    d->time_ns = p.time_ns;
    *ret_any = p.any;
    return 0;
}

struct pprof_delta *pprof_delta_new(const char *const *types)
{
    struct pprof_delta *d = xcalloc(1, sizeof *d);
    d->types = types;
    return d;
}

void pprof_delta_free(struct pprof_delta *d)
{
    if (!d)
        return;
    delta_values_done(&d->before);
    free(d);
}
