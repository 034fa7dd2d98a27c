#include "pprof/conversion_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/conversion.h"
#include "pprof/from_jfr.h"

/* Of a part: parts wait for each other, and a chunk with so many names and stacks may as well be converted alone. */
enum { PART_SYMBOLS_MAX = 128 << 20 };

bool conversion_has_parts(const struct conversion *c)
{
    return !c->options.compat && !c->options.series && !c->has_labels && c->received_ns == 0 && c->itimer_scale == 1;
}

const struct recorded_settings *conversion_settings_now(const struct conversion *c)
{
    return &c->settings;
}

const struct recorded_settings *conversion_settings_at_begin(const struct conversion *c)
{
    return &c->initial;
}

struct conversion *conversion_part_new(const struct conversion *c, const struct recorded_settings *settings)
{
    struct conversion_options o = c->options;
    o.limits = c->limits;
    struct conversion *part = conversion_new(&o);
    settings_copy(&part->settings, settings);
    settings_copy(&part->initial, &c->initial);
    if (part->symbols.arena.max > PART_SYMBOLS_MAX)
        part->symbols.arena.max = PART_SYMBOLS_MAX;
    return part;
}

/* ---- may it be joined? ---- */

/* Whatever comes of the chunk does not depend on what came before it but for the settings. */
static bool parts_stands_alone(const struct conversion *c, const struct conversion *part)
{
    for (size_t i = 0; i < CUT_REASONS; i++) {
        if (part->cuts[i].count)
            return false;
    }
    /* What is freed may be of any chunk before. */
    return c->leaks.len == 0 && part->leaks.len == 0 && !part->leaks.any_free;
}

/* Names beyond the maximum become one: a part must not have come to its own, and both together neither. */
static bool parts_threads_fit(const struct conversion *c, const struct conversion *part)
{
    const struct thread_names *whole = &c->threads, *t = &part->threads;
    const size_t max = t->max ? t->max : THREADS_MAX;
    size_t more = 0;
    if (t->count >= max)
        return false;
    for (size_t i = 0; i < t->count && whole->count + t->count > max; i++) {
        size_t k = 0;
        while (k < whole->count && !str_eq(c->symbols.strings[whole->strings[k]], part->symbols.strings[t->strings[i]]))
            k++;
        more += k == whole->count;
    }
    return whole->count + more <= max;
}

/* Would all of the part be new: is there room? What it took of its own limits is the most that it takes of these. */
static bool parts_symbols_fit(const struct symbols *whole, const struct symbols *part, size_t part_max, size_t text_max)
{
    const size_t taken = part_max - (part->arena.max - part->arena.used);
    /* Beside the content: what alignment and blocks of an arena come to. */
    const size_t spare = taken / 4 + (1 << 16);
    return taken + spare <= whole->arena.max - whole->arena.used &&
           text_max - part->encoded_left <= whole->encoded_left &&
           (whole->stacks_max == 0 || whole->stack_count + part->stack_count <= whole->stacks_max);
}

/* A frame may be written with more bytes in the whole, where there are more of them: half as many again at most. */
static bool parts_samples_fit(const struct conversion *c, const struct conversion *part)
{
    size_t count = 0;
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct profile *p = &part->profiles[k];
        const size_t left = c->profiles[k].type_count ? c->profiles[k].bytes_left : c->limits->output;
        if (p->type_count && 2 * (c->limits->output - p->bytes_left) > left)
            return false;
        count += p->sample_count;
    }
    return count <= c->samples_left;
}

static bool parts_fit(const struct conversion *c, const struct conversion *part)
{
    const size_t max = c->limits->symbols < PART_SYMBOLS_MAX ? c->limits->symbols : PART_SYMBOLS_MAX;
    return parts_symbols_fit(&c->symbols, &part->symbols, max, c->limits->text) && parts_samples_fit(c, part) &&
           parts_threads_fit(c, part) && c->series + part->series <= c->limits->series;
}

/* ---- joining ---- */

/* Numbers of the part in the whole. */
struct joined_symbols {
    struct symbols *to;
    const struct symbols *from;
    uint32_t *strings, *functions, *locations, *stacks, *label_sets;
};

static void joined_symbols_done(struct joined_symbols *j)
{
    free(j->strings);
    free(j->functions);
    free(j->locations);
    free(j->stacks);
    free(j->label_sets);
}

/* The arrays are all there, or -ENOMEM. */
static int join_begin(struct joined_symbols *j)
{
    uint32_t **const arrays[] = {&j->strings, &j->functions, &j->locations, &j->stacks, &j->label_sets};
    const size_t counts[] = {j->from->string_count, j->from->function_count, j->from->location_count,
                             j->from->stack_count, j->from->label_set_count};
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
        *arrays[i] = malloc((counts[i] + 1) * sizeof **arrays[i]);
        if (!*arrays[i])
            return -ENOMEM;
    }
    return 0;
}

static bool join_names(struct joined_symbols *j)
{
    const struct symbols *from = j->from;
    for (size_t i = 0; i < from->string_count; i++) {
        if ((j->strings[i] = symbols_string(j->to, from->strings[i])) == SYMBOLS_FULL)
            return false;
    }
    for (size_t i = 0; i < from->function_count; i++) {
        struct pprof_function f = from->functions[i];
        f.name = j->strings[f.name];
        f.system_name = j->strings[f.system_name];
        f.filename = j->strings[f.filename];
        f.mapping = j->strings[f.mapping];
        if ((j->functions[i] = symbols_function(j->to, f)) == SYMBOLS_FULL)
            return false;
    }
    for (size_t i = 0; i < from->location_count; i++) {
        struct pprof_location l = from->locations[i];
        l.function = j->functions[l.function];
        if ((j->locations[i] = symbols_location(j->to, l)) == SYMBOLS_FULL)
            return false;
    }
    return true;
}

static bool join_stacks(struct joined_symbols *j)
{
    uint32_t *stack = NULL;
    size_t cap = 0, i = 0;
    for (; i < j->from->stack_count; i++) {
        const struct pprof_stack *s = &j->from->stacks[i];
        if (!mem_grow(&stack, &cap, (size_t)s->count + 1, sizeof *stack))
            break;
        for (uint32_t k = 0; k < s->count; k++)
            stack[k] = j->locations[s->locations[k]];
        if ((j->stacks[i] = symbols_stack(j->to, stack, s->count)) == SYMBOLS_FULL)
            break;
    }
    free(stack);
    return i == j->from->stack_count;
}

static bool join_label_sets(struct joined_symbols *j)
{
    struct pprof_label *labels = NULL;
    size_t cap = 0, i = 0;
    for (; i < j->from->label_set_count; i++) {
        const struct pprof_labels *set = &j->from->label_sets[i];
        if (!mem_grow(&labels, &cap, (size_t)set->count + 1, sizeof *labels))
            break;
        for (uint32_t k = 0; k < set->count; k++) {
            labels[k] = set->labels[k];
            labels[k].key = j->strings[labels[k].key];
            labels[k].str = j->strings[labels[k].str];
            labels[k].unit = j->strings[labels[k].unit];
        }
        if ((j->label_sets[i] = symbols_labels(j->to, labels, set->count)) == SYMBOLS_FULL)
            break;
    }
    free(labels);
    return i == j->from->label_set_count;
}

static bool join_profile(struct conversion *c, const struct conversion *part, enum profile_kind kind,
                         const struct joined_symbols *j)
{
    const struct profile *from = &part->profiles[kind];
    if (from->type_count == 0)
        return true;
    if (!conversion_ready(c, kind))
        return false;
    for (size_t i = 0; i < from->sample_count; i++) {
        const struct pprof_sample s = from->samples[i];
        if (!profile_add(&c->profiles[kind], j->stacks[s.stack], j->label_sets[s.labels], profile_values(from, i)))
            return false;
    }
    return true;
}

static bool join_threads(struct conversion *c, const struct conversion *part)
{
    const struct thread_names *t = &part->threads;
    for (size_t i = 0; i < t->count; i++) {
        if (thread_names_add(&c->threads, &c->symbols, part->symbols.strings[t->strings[i]]) == SYMBOLS_FULL)
            return false;
    }
    return true;
}

static void join_counts(struct conversion *c, const struct conversion *part)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        c->samples[k] += part->samples[k];
        if (part->so_far[k].period > c->so_far[k].period)
            c->so_far[k].period = part->so_far[k].period;
    }
    for (size_t i = 0; i < CLASS_COUNT; i++)
        c->events[i].count += part->events[i].count;
    left_out_join(&c->left_out, &part->left_out);
    c->lost += part->lost;
    covered_time_extend(&c->span, part->span);
    covered_time_extend(&c->recording, part->recording);
}

/* What the last sample stood for stays where none came. */
static void join_settings(struct conversion *c, const struct conversion *part)
{
    const int64_t sample_ns = part->samples[KIND_CPU] ? part->settings.sample_ns : c->settings.sample_ns;
    settings_copy(&c->settings, &part->settings);
    c->settings.sample_ns = sample_ns;
}

int conversion_join(struct conversion *c, const struct conversion *part, const struct recorded_settings *settings)
{
    if (!settings_same(&c->settings, settings) || !parts_stands_alone(c, part) || !parts_fit(c, part))
        return 0;
    __attribute__((cleanup(joined_symbols_done))) struct joined_symbols j = {.to = &c->symbols, .from = &part->symbols};
    bool joined = join_begin(&j) == 0 && join_names(&j) && join_stacks(&j) && join_label_sets(&j);
    for (size_t k = 0; joined && k < KIND_COUNT; k++)
        joined = join_profile(c, part, (enum profile_kind)k, &j);
    if (!joined || !join_threads(c, part))
        return -ENOMEM;
    join_counts(c, part);
    join_settings(c, part);
    return 1;
}
