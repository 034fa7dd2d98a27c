#include "pprof/view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/frame_category.h"
#include "pprof/merge.h"
#include "pprof/view_small.h"

/* A name with what is put to it; what is longer is cut. */
enum { NAME_MAX_BYTES = 1 << 17 };

enum { ASKED = 1, INCLUDED = 2, EXCLUDED = 4 }; /* what is known of a function's name */
enum { UNWANTED = UINT32_MAX - 1 };             /* a stack that is left out */

struct view_run {
    const struct stack_view *v;
    struct symbols *s;
    uint32_t allocated_class, lock_class; /* strings: keys of labels */
    uint8_t *names;                       /* of the functions there were, by number */
    uint32_t *locations, *stacks;         /* by number what they have become, + 1; 0 = not asked yet */
    struct buf name;                      /* scratch */
    uint32_t *frames;                     /* the stack at hand */
    size_t frames_cap;
};

static bool has_patterns(const struct frame_patterns *p)
{
    return p && p->len;
}

static bool view_rewrites(const struct stack_view *v)
{
    return has_patterns(v->include) || has_patterns(v->exclude) || v->skip || v->naming.number != VIEW_NUMBER_NONE ||
           v->naming.dot || v->naming.simple || v->naming.strip_types || v->class_frames || v->classify || v->reverse;
}

bool stack_view_changes(const struct stack_view *v)
{
    return view_rewrites(v) || v->min_share > 0;
}

static uint8_t view_function_known(struct view_run *r, uint32_t function)
{
    if (r->names[function])
        return r->names[function];
    struct str type;
    const struct str name = view_name_split(r->s->strings[r->s->functions[function].name], &type);
    uint8_t known = ASKED;
    if (has_patterns(r->v->include) && frame_patterns_match(r->v->include, name))
        known |= INCLUDED;
    if (has_patterns(r->v->exclude) && frame_patterns_match(r->v->exclude, name))
        known |= EXCLUDED;
    return r->names[function] = known;
}

static bool view_keeps(struct view_run *r, const struct pprof_stack *stack)
{
    bool included = !has_patterns(r->v->include);
    if (included && !has_patterns(r->v->exclude))
        return true;
    for (uint32_t i = 0; i < stack->count; i++) {
        const uint8_t known = view_function_known(r, r->s->locations[stack->locations[i]].function);
        if (known & EXCLUDED)
            return false;
        included = included || known & INCLUDED;
    }
    return included;
}

static uint32_t view_location(struct view_run *r, uint32_t location)
{
    if (r->locations[location])
        return r->locations[location] - 1;
    struct pprof_location l = r->s->locations[location];
    struct pprof_function f = r->s->functions[l.function];
    buf_reset(&r->name);
    view_name_put(&r->v->naming, r->s->strings[f.name], l.line, &r->name);
    f.name = symbols_string(r->s, buf_slice(&r->name));
    l.function = symbols_function(r->s, f);
    if (r->v->naming.number == VIEW_NUMBER_BCI)
        l.line = 0;
    const uint32_t n = symbols_location(r->s, l);
    if (n != SYMBOLS_FULL)
        r->locations[location] = n + 1;
    return n;
}

static uint32_t view_named_location(struct symbols *s, struct str name)
{
    return symbols_location(
        s, (struct pprof_location){.function =
                                       symbols_function(s, (struct pprof_function){.name = symbols_string(s, name)})});
}

static uint32_t view_category_location(struct view_run *r, uint32_t stack)
{
    buf_reset(&r->name);
    buf_printf(&r->name, "[%s]", frame_category(r->s, stack));
    return view_named_location(r->s, buf_slice(&r->name));
}

static struct str view_class_of(const struct view_run *r, uint32_t set)
{
    const struct pprof_labels *labels = &r->s->label_sets[set];
    for (uint32_t i = 0; r->v->class_frames && i < labels->count; i++) {
        if (labels->labels[i].key == r->allocated_class || labels->labels[i].key == r->lock_class)
            return r->s->strings[labels->labels[i].str];
    }
    return STR("");
}

/* As Java spells classes: "java.util.HashMap$Node[]". */
static uint32_t view_class_location(struct view_run *r, struct str class)
{
    const char *const last = r->v->naming.simple && class.n ? memrchr(class.p, '.', class.n) : NULL;
    if (last)
        class = (struct str){last + 1, class.n - (size_t)(last + 1 - class.p)};
    return view_named_location(r->s, class);
}

static uint32_t view_make_stack(struct view_run *r, uint32_t stack, struct str class)
{
    const struct pprof_stack from = r->s->stacks[stack];
    if (!view_keeps(r, &from))
        return UNWANTED;
    const uint32_t kept = r->v->skip < from.count ? from.count - r->v->skip : from.count > 0;
    size_t n = 0;
    xgrow(&r->frames, &r->frames_cap, (size_t)from.count + 2, sizeof *r->frames);
    if (class.n)
        r->frames[n++] = view_class_location(r, class);
    for (uint32_t i = 0; i < kept; i++)
        r->frames[n++] = view_location(r, from.locations[i]);
    for (size_t i = 0; r->v->reverse && i < n / 2; i++) {
        const uint32_t other = r->frames[n - 1 - i];
        r->frames[n - 1 - i] = r->frames[i];
        r->frames[i] = other;
    }
    if (r->v->classify)
        r->frames[n++] = view_category_location(r, stack);
    for (size_t i = 0; i < n; i++) {
        if (r->frames[i] == SYMBOLS_FULL)
            return SYMBOLS_FULL;
    }
    return symbols_stack(r->s, r->frames, n);
}

/* Most samples are of stacks alone. */
static uint32_t view_stack(struct view_run *r, const struct pprof_sample *sample)
{
    const struct str class = view_class_of(r, sample->labels);
    if (class.n)
        return view_make_stack(r, sample->stack, class);
    if (r->stacks[sample->stack] == 0)
        r->stacks[sample->stack] = view_make_stack(r, sample->stack, class) + 1; /* 0 again for SYMBOLS_FULL */
    return r->stacks[sample->stack] - 1;
}

static void view_run_done(struct view_run *r)
{
    free(r->names);
    free(r->locations);
    free(r->stacks);
    free(r->frames);
    buf_done(&r->name);
}

static int view_rewrite(struct profile *to, const struct profile *from, const struct stack_view *v, struct err *err)
{
    struct symbols *s = from->symbols;
    __attribute__((cleanup(view_run_done))) struct view_run r = {
        .v = v,
        .s = s,
        .allocated_class = symbols_string(s, STR("allocated_class")),
        .lock_class = symbols_string(s, STR("lock_class")),
        .names = xcalloc(s->function_count + 1, 1),
        .locations = xcalloc(s->location_count + 1, sizeof *r.locations),
        .stacks = xcalloc(s->stack_count + 1, sizeof *r.stacks),
        .name = BUF_INIT(NAME_MAX_BYTES),
    };
    int code = profile_merge_head(to, from, err);
    for (size_t i = 0; code == 0 && i < from->sample_count; i++) {
        const uint32_t stack = view_stack(&r, &from->samples[i]);
        if (stack != UNWANTED && !profile_add(to, stack, from->samples[i].labels, profile_values(from, i)))
            code = err_set(err, -E2BIG, "the profile has too many stacks");
    }
    return code;
}

int stack_view_apply(struct profile *to, const struct profile *from, const struct stack_view *v, struct err *err)
{
    if (v->min_share <= 0)
        return view_rewrite(to, from, v, err);
    cleanup_profile struct profile rewritten;
    profile_init(&rewritten, from->symbols);
    const int code = view_rewrite(&rewritten, from, v, err);
    return code < 0 ? code : view_leave_out_small(to, &rewritten, v->min_share, err);
}

int stack_view_apply_all(struct profile_set *set, const struct stack_view *v, struct err *err)
{
    size_t kept = 0;
    int code = 0;
    for (size_t i = 0; i < set->len; i++) {
        struct named_profile n = set->items[i];
        struct profile viewed;
        profile_init(&viewed, &set->symbols);
        code = code == 0 ? stack_view_apply(&viewed, &n.p, v, err) : code;
        profile_done(&n.p);
        n.p = viewed;
        set->items[kept] = n;
        kept += n.p.sample_count > 0 || code < 0;
        if (n.p.sample_count > 0 || code < 0)
            continue;
        profile_done(&n.p);
        free(n.name);
        free(n.metric);
    }
    set->len = kept;
    return code;
}
