#include "pprof/merge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* Numbers of one set of symbols in another one, each found out once. */
struct translation {
    const struct symbols *from;
    struct symbols *to;
    uint32_t *functions, *locations, *stacks, *label_sets, *places; /* number + 1; 0 = not translated yet */
    uint32_t *stack;                                                /* the one at hand */
    size_t stack_cap;
    struct pprof_label *labels; /* the set at hand */
    size_t label_cap;
};

static void merge_translation_init(struct translation *t, const struct symbols *from, struct symbols *to)
{
    *t = (struct translation){.from = from, .to = to};
    if (from == to)
        return;
    t->functions = xcalloc(from->function_count + 1, sizeof *t->functions);
    t->locations = xcalloc(from->location_count + 1, sizeof *t->locations);
    t->stacks = xcalloc(from->stack_count + 1, sizeof *t->stacks);
    t->label_sets = xcalloc(from->label_set_count + 1, sizeof *t->label_sets);
    t->places = xcalloc(from->place_count + 1, sizeof *t->places);
}

static void translation_done(struct translation *t)
{
    free(t->functions);
    free(t->locations);
    free(t->stacks);
    free(t->label_sets);
    free(t->places);
    free(t->stack);
    free(t->labels);
}

static uint32_t merge_string_in(struct translation *t, uint32_t string)
{
    return t->from == t->to ? string : symbols_string(t->to, t->from->strings[string]);
}

/* Functions and locations are copied whole but for the numbers in them: what they come to hold later is kept, too. */
static uint32_t merge_function_in(struct translation *t, uint32_t function)
{
    if (t->functions[function])
        return t->functions[function] - 1;
    struct pprof_function f = t->from->functions[function];
    f.name = merge_string_in(t, f.name);
    f.system_name = merge_string_in(t, f.system_name);
    f.filename = merge_string_in(t, f.filename);
    f.mapping = merge_string_in(t, f.mapping);
    uint32_t n = symbols_function(t->to, f);
    if (n != SYMBOLS_FULL)
        t->functions[function] = n + 1;
    return n;
}

/* Of a place, with the mapping as `to` knows it. SYMBOLS_FULL. */
static uint32_t merge_new_place_in(struct translation *t, struct pprof_place place)
{
    struct pprof_line *lines = xcalloc(place.count + 1, sizeof *lines);
    for (uint32_t i = 0; i < place.count; i++) {
        lines[i] = place.lines[i];
        lines[i].function = merge_function_in(t, lines[i].function);
    }
    if (place.mapping) {
        struct pprof_mapping m = t->from->mappings[place.mapping - 1];
        m.filename = merge_string_in(t, m.filename);
        m.build_id = merge_string_in(t, m.build_id);
        const uint32_t n = symbols_mapping(t->to, m);
        place.mapping = n == SYMBOLS_FULL ? n : n + 1;
        if (n != SYMBOLS_FULL && place.address)
            place.address += t->to->mappings[n].start - m.start;
    }
    place.lines = lines;
    const uint32_t n = symbols_place(t->to, place);
    free(lines);
    return n;
}

/* Number + 1; 0 where nobody keeps them. */
static uint32_t merge_place_in(struct translation *t, uint32_t place)
{
    if (place == 0 || !t->to->keeps_places)
        return 0;
    if (t->places[place - 1])
        return t->places[place - 1];
    const uint32_t n = merge_new_place_in(t, t->from->places[place - 1]);
    if (n == SYMBOLS_FULL)
        return n;
    return t->places[place - 1] = n + 1;
}

static uint32_t merge_location_in(struct translation *t, uint32_t location)
{
    if (t->locations[location])
        return t->locations[location] - 1;
    struct pprof_location l = t->from->locations[location];
    l.function = merge_function_in(t, l.function);
    l.place = merge_place_in(t, l.place);
    if (l.place && l.place != SYMBOLS_FULL && t->to->places[l.place - 1].count == 0)
        l.function = symbols_address(t->to, t->to->places[l.place - 1].address);
    uint32_t n = symbols_location(t->to, l);
    if (n != SYMBOLS_FULL)
        t->locations[location] = n + 1;
    return n;
}

static uint32_t merge_stack_in(struct translation *t, uint32_t stack)
{
    if (t->from == t->to)
        return stack;
    if (t->stacks[stack])
        return t->stacks[stack] - 1;
    const struct pprof_stack *s = &t->from->stacks[stack];
    xgrow(&t->stack, &t->stack_cap, (size_t)s->count + 1, sizeof *t->stack);
    for (uint32_t i = 0; i < s->count; i++) {
        t->stack[i] = merge_location_in(t, s->locations[i]);
        if (t->stack[i] == SYMBOLS_FULL)
            return SYMBOLS_FULL;
    }
    uint32_t n = symbols_stack(t->to, t->stack, s->count);
    if (n != SYMBOLS_FULL)
        t->stacks[stack] = n + 1;
    return n;
}

static uint32_t merge_labels_in(struct translation *t, uint32_t set)
{
    if (t->from == t->to)
        return set;
    if (t->label_sets[set])
        return t->label_sets[set] - 1;
    const struct pprof_labels *from = &t->from->label_sets[set];
    xgrow(&t->labels, &t->label_cap, (size_t)from->count + 1, sizeof *t->labels);
    for (uint32_t i = 0; i < from->count; i++) {
        t->labels[i] = from->labels[i];
        t->labels[i].key = merge_string_in(t, from->labels[i].key);
        t->labels[i].str = merge_string_in(t, from->labels[i].str);
        t->labels[i].unit = merge_string_in(t, from->labels[i].unit);
    }
    uint32_t n = symbols_labels(t->to, t->labels, from->count);
    if (n != SYMBOLS_FULL)
        t->label_sets[set] = n + 1;
    return n;
}

static struct str merge_text_of(const struct profile *p, uint32_t string)
{
    return p->symbols->strings[string];
}

static bool merge_same_type(const struct profile *a, struct pprof_value_type x, const struct profile *b,
                            struct pprof_value_type y)
{
    return str_eq(merge_text_of(a, x.type), merge_text_of(b, y.type)) &&
           str_eq(merge_text_of(a, x.unit), merge_text_of(b, y.unit));
}

static int merge_misfit(const struct profile *a, struct pprof_value_type x, const struct profile *b,
                        struct pprof_value_type y, const char *what, struct err *err)
{
    return err_set(err, -EINVAL, "incompatible profiles: %s %.*s/%.*s here, %.*s/%.*s there", what,
                   STR_ARG(merge_text_of(a, x.type)), STR_ARG(merge_text_of(a, x.unit)),
                   STR_ARG(merge_text_of(b, y.type)), STR_ARG(merge_text_of(b, y.unit)));
}

/* columns[i]: where the i-th value of `from` goes. Each type of `from` takes the first of its kind that is free. */
static int merge_match_types(const struct profile *to, const struct profile *from, size_t *columns, struct err *err)
{
    if (to->type_count != from->type_count)
        return err_set(err, -EINVAL, "incompatible profiles: %zu sample types here, %zu there", to->type_count,
                       from->type_count);
    bool taken[PROFILE_TYPES_MAX] = {0};
    for (size_t i = 0; i < from->type_count; i++) {
        size_t k = 0;
        while (k < to->type_count && (taken[k] || !merge_same_type(to, to->types[k], from, from->types[i])))
            k++;
        if (k == to->type_count)
            return merge_misfit(to, to->types[i], from, from->types[i], "sample type", err);
        taken[k] = true;
        columns[i] = k;
    }
    /* A profile need not say its period. */
    bool said = to->period_type.type && from->period_type.type;
    if (said && !merge_same_type(to, to->period_type, from, from->period_type))
        return merge_misfit(to, to->period_type, from, from->period_type, "period type", err);
    return 0;
}

static bool merge_take_types(struct profile *to, const struct profile *from)
{
    for (size_t i = 0; i < from->type_count; i++) {
        if (!profile_add_type(to, merge_text_of(from, from->types[i].type), merge_text_of(from, from->types[i].unit)))
            return false;
    }
    return true;
}

/* Those of the first that has some; all comments. */
static bool merge_texts(struct profile *to, const struct profile *from, struct translation *t)
{
    uint32_t *const there[] = {&to->default_type, &to->drop_frames, &to->keep_frames, &to->doc_url};
    const uint32_t here[] = {from->default_type, from->drop_frames, from->keep_frames, from->doc_url};
    for (size_t i = 0; i < ARRAY_LEN(there); i++) {
        if (*there[i] == 0)
            *there[i] = merge_string_in(t, here[i]);
        if (*there[i] == SYMBOLS_FULL)
            return false;
    }
    for (size_t i = 0; i < from->comment_count; i++) {
        if (!profile_add_comment(to, merge_string_in(t, from->comments[i])))
            return false;
    }
    return true;
}

static bool merge_head(struct profile *to, const struct profile *from, struct translation *t)
{
    if (!to->period_type.type) {
        struct pprof_value_type period = {merge_string_in(t, from->period_type.type),
                                          merge_string_in(t, from->period_type.unit)};
        if (period.type == SYMBOLS_FULL || period.unit == SYMBOLS_FULL)
            return false;
        to->period_type = period;
    }
    if (!merge_texts(to, from, t))
        return false;
    if (from->time_nanos && (to->time_nanos == 0 || from->time_nanos < to->time_nanos))
        to->time_nanos = from->time_nanos;
    if (__builtin_add_overflow(to->duration_nanos, from->duration_nanos, &to->duration_nanos))
        to->duration_nanos = INT64_MAX;
    to->period = from->period > to->period ? from->period : to->period;
    return true;
}

static bool merge_samples(struct profile *to, const struct profile *from, int64_t factor, const size_t *columns,
                          struct translation *t)
{
    for (size_t i = 0; i < from->sample_count; i++) {
        const int64_t *values = profile_values(from, i);
        int64_t there[PROFILE_TYPES_MAX];
        for (size_t k = 0; k < from->type_count; k++)
            there[columns[k]] = (int64_t)((uint64_t)values[k] * (uint64_t)factor);
        if (!profile_add(to, merge_stack_in(t, from->samples[i].stack), merge_labels_in(t, from->samples[i].labels),
                         there))
            return false;
    }
    return true;
}

int profile_merge(struct profile *to, const struct profile *from, int64_t factor, struct err *err)
{
    size_t columns[PROFILE_TYPES_MAX] = {0};
    bool first = to->type_count == 0 && to->sample_count == 0;
    if (first && !merge_take_types(to, from))
        return err_set(err, -E2BIG, "the profile has too many names");
    int code = merge_match_types(to, from, columns, err);
    if (code < 0)
        return code;
    __attribute__((cleanup(translation_done))) struct translation t;
    merge_translation_init(&t, from->symbols, to->symbols);
    if (!merge_head(to, from, &t) || !merge_samples(to, from, factor, columns, &t))
        return err_set(err, -E2BIG, "the profiles have too many names and stacks");
    return 0;
}

int profile_merge_head(struct profile *to, const struct profile *from, struct err *err)
{
    struct profile head = *from;
    head.sample_count = 0;
    return profile_merge(to, &head, 1, err);
}
