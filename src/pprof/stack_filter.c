#include "pprof/stack_filter.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/frame_pattern.h"

/* What is known of a function's name. */
enum { ASKED = 1, INCLUDED = 2, EXCLUDED = 4 };

struct stack_filter {
    struct str patterns;
    bool includes; /* one of them is an include pattern */
    const struct symbols *symbols;
    uint8_t *names; /* by number of the string */
};

static uint8_t stack_filter_name(struct stack_filter *f, uint32_t name)
{
    struct str rest = f->patterns, pattern;
    if (f->names[name])
        return f->names[name];
    uint8_t known = ASKED;
    while (str_split(&rest, '\n', &pattern))
        if (pattern.n && frame_pattern_glob((struct str){pattern.p + 1, pattern.n - 1}, f->symbols->strings[name]))
            known |= pattern.p[0] == '+' ? INCLUDED : EXCLUDED;
    return f->names[name] = known;
}

static bool stack_filter_keeps(struct stack_filter *f, uint32_t number)
{
    const struct pprof_stack *stack = &f->symbols->stacks[number];
    bool included = !f->includes;
    for (uint32_t i = 0; i < stack->count; i++) {
        const uint32_t function = f->symbols->locations[stack->locations[i]].function;
        const uint8_t known = stack_filter_name(f, f->symbols->functions[function].name);
        if (known & EXCLUDED)
            return false;
        included = included || known & INCLUDED;
    }
    return included;
}

void stack_filter_apply(const char *patterns, struct profile *p)
{
    struct stack_filter f = {.patterns = str_of(patterns), .symbols = p->symbols};
    if (f.patterns.n == 0 || p->sample_count == 0)
        return;
    cleanup_free uint8_t *names = xcalloc(p->symbols->string_count, 1);
    f.names = names;
    struct str rest = f.patterns, pattern;
    while (str_split(&rest, '\n', &pattern))
        f.includes = f.includes || (pattern.n && pattern.p[0] == '+');
    size_t kept = 0;
    for (size_t i = 0; i < p->sample_count; i++) {
        if (!stack_filter_keeps(&f, p->samples[i].stack))
            continue;
        p->samples[kept] = p->samples[i];
        memmove(profile_values(p, kept), profile_values(p, i), p->type_count * sizeof *p->values);
        kept++;
    }
    p->sample_count = kept;
}
