#include "jfr/plan.h"

#include <errno.h>

#include "base/cleanup.h"
#include "jfr/text.h"
#include "jfr/varint.h"

/* A hostile file can nest wide structs into each other: real types have up to 30 fields, described in less than 2000
 * bytes. Those of all types that are looked into count. */
enum { STEPS_MAX = 256, FIELD_BYTES_MAX = 1 << 15, NO_SLOT = -1 };

/* Numbers at the start of a value that are read without a step each. */
enum { LEAD_MAX = 16 };

enum plan_step_kind {
    STEP_VARINTS, /* n of them; one when it has a slot */
    STEP_BYTES,   /* n */
    STEP_STRING,
    STEP_ARRAY, /* a count, then the next n steps that often */
};

struct jfr_step {
    uint8_t kind;
    int8_t slot;
    uint32_t n;
};

struct compiler {
    const struct jfr_metadata *m;
    struct jfr_step steps[STEPS_MAX];
    size_t count;
    size_t barrier;  /* steps before this one are complete: nothing more merges into them */
    size_t bytes;    /* of metadata, visited so far */
    const char *why; /* the layout makes no sense */
};

static void plan_add_step(struct compiler *c, enum plan_step_kind kind, int slot, uint32_t n)
{
    struct jfr_step *last = c->count > c->barrier ? &c->steps[c->count - 1] : NULL;
    bool countable = kind == STEP_VARINTS || kind == STEP_BYTES;
    if (countable && slot == NO_SLOT && last && last->kind == kind && last->slot == NO_SLOT) {
        last->n += n;
        return;
    }
    if (c->count == STEPS_MAX) {
        c->why = "too many fields";
        return;
    }
    c->steps[c->count++] = (struct jfr_step){.kind = (uint8_t)kind, .slot = (int8_t)slot, .n = n};
}

#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static const struct {
    struct str name;
    enum plan_step_kind kind;
    uint32_t n;
} primitives[] = {
    {NAME("boolean"), STEP_BYTES, 1}, {NAME("byte"), STEP_BYTES, 1},   {NAME("char"), STEP_VARINTS, 1},
    {NAME("short"), STEP_VARINTS, 1}, {NAME("int"), STEP_VARINTS, 1},  {NAME("long"), STEP_VARINTS, 1},
    {NAME("float"), STEP_BYTES, 4},   {NAME("double"), STEP_BYTES, 8}, {NAME("java.lang.String"), STEP_STRING, 1},
};

static bool plan_add_primitive(struct compiler *c, const struct jfr_type *t, int slot)
{
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        if (str_eq(t->name, primitives[i].name)) {
            plan_add_step(c, primitives[i].kind, slot, primitives[i].n);
            return true;
        }
    }
    return false;
}

static void plan_add_fields(struct compiler *c, const struct jfr_type *t, unsigned depth, const char *const *names,
                            size_t name_count);

/* The value itself, of a field or of a whole pool entry. Only primitives can be kept. */
static void plan_add_value(struct compiler *c, uint64_t type, int slot, unsigned depth)
{
    const struct jfr_type *t = jfr_type_by_id(c->m, type);
    if (!t)
        c->why = "field of a type that is not described";
    else if (!plan_add_primitive(c, t, slot))
        plan_add_fields(c, t, depth + 1, NULL, 0);
}

static void plan_add_array(struct compiler *c, const struct jfr_field *f, int slot, unsigned depth)
{
    size_t array = c->count;
    plan_add_step(c, STEP_ARRAY, slot, 0);
    c->barrier = c->count;
    if (f->pooled)
        plan_add_step(c, STEP_VARINTS, NO_SLOT, 1);
    else
        plan_add_value(c, f->type, NO_SLOT, depth);
    c->barrier = c->count;
    if (!c->why)
        c->steps[array].n = (uint32_t)(c->count - array - 1);
}

static int plan_slot_of(struct str field, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && field.n > 0; i++) {
        if (names[i] && names[i][0] == field.p[0] && str_is(field, names[i]))
            return (int)i;
    }
    return NO_SLOT;
}

static void plan_add_fields(struct compiler *c, const struct jfr_type *t, unsigned depth, const char *const *names,
                            size_t name_count)
{
    struct jfr_fields it = jfr_fields_of(c->m, t);
    struct jfr_field f;
    int more = 1;
    if (depth > JFR_DEPTH_MAX) {
        c->why = "structs nested too deep";
        return;
    }
    if (t->bytes > FIELD_BYTES_MAX - c->bytes) {
        c->why = "too many fields";
        return;
    }
    c->bytes += t->bytes;
    while (!c->why && (more = jfr_fields_next(&it, &f)) > 0) {
        const int slot = plan_slot_of(f.name, names, name_count);
        if (f.array)
            plan_add_array(c, &f, slot, depth);
        else if (f.pooled)
            plan_add_step(c, STEP_VARINTS, slot, 1);
        else
            plan_add_value(c, f.type, slot, depth);
    }
    if (more < 0)
        c->why = "damaged field";
}

static size_t plan_min_size(const struct jfr_step *steps, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        bool fixed = steps[i].kind == STEP_VARINTS || steps[i].kind == STEP_BYTES;
        n += fixed ? steps[i].n : 1;
        if (steps[i].kind == STEP_ARRAY)
            i += steps[i].n;
    }
    return n;
}

/* Where the last step that keeps something ends. */
static size_t plan_used_steps(const struct compiler *c, struct jfr_plan *plan)
{
    size_t used = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->steps[i].slot == NO_SLOT)
            continue;
        plan->has |= UINT32_C(1) << c->steps[i].slot;
        plan->before_last = i;
        used = i + 1 + (c->steps[i].kind == STEP_ARRAY ? c->steps[i].n : 0);
    }
    return used;
}

/* Finds the short cuts: how many numbers a value begins with, and whether anything but bytes follows. */
static void plan_count_numbers(const struct jfr_step *steps, struct jfr_plan *plan)
{
    uint32_t n = 0, lead = 0, found = 0;
    bool twice = false; /* nobody has two fields of one name but hostile files */
    size_t i = 0;
    for (; i < plan->count && steps[i].kind == STEP_VARINTS; n += steps[i++].n) {
        if (steps[i].slot == NO_SLOT || n >= LEAD_MAX)
            continue;
        if (found >> steps[i].slot & 1) {
            twice = true;
            continue;
        }
        plan->number_of[steps[i].slot] = (uint8_t)n;
        plan->reads[plan->read_count].skip = (uint8_t)(n - lead);
        plan->reads[plan->read_count++].slot = (uint8_t)steps[i].slot;
        found |= UINT32_C(1) << steps[i].slot;
        lead = n + 1;
    }
    plan->lead = found == plan->has && !twice ? lead : 0;
    uint32_t bytes = 0;
    for (; i < plan->count && steps[i].kind == STEP_BYTES; i++)
        bytes += steps[i].n;
    if (i == plan->count) {
        plan->numbers = n;
        plan->bytes = bytes;
        plan->quick = plan->lead && plan->lead == n && bytes == 0;
    }
}

int jfr_plan_compile(const struct jfr_metadata *m, const struct jfr_type *t, const char *const *names,
                     size_t name_count, bool whole, struct arena *arena, struct jfr_plan *ret, struct err *err)
{
    struct compiler c;
    c.m = m;
    c.count = c.barrier = c.bytes = 0;
    c.why = NULL;
    struct jfr_plan plan = {0};
    /* A pool of strings holds the bare value: slot 0, whatever its name. */
    if (!plan_add_primitive(&c, t, name_count > 0 ? 0 : NO_SLOT))
        plan_add_fields(&c, t, 1, names, name_count);
    if (c.why)
        return err_set(err, -EBADMSG, "type %.*s: %s", STR_ARG(t->name), c.why);
    size_t used = plan_used_steps(&c, &plan);
    plan.count = whole ? c.count : used;
    plan.min_size = plan_min_size(c.steps, plan.count);
    plan.string = plan.count == 1 && c.steps[0].kind == STEP_STRING && c.steps[0].slot == 0;
    plan_count_numbers(c.steps, &plan);
    struct jfr_step *steps = arena_alloc(arena, (plan.count + 1) * sizeof *steps);
    if (steps && plan.count)
        memcpy(steps, c.steps, plan.count * sizeof *steps);
    if (!steps)
        return err_set(err, -E2BIG, "plans: larger than %zu bytes", arena->max);
    plan.steps = steps;
    *ret = plan;
    return 0;
}

static const uint8_t *plan_run(const struct jfr_step *s, size_t count, const uint8_t *p, const uint8_t *end,
                               struct jfr_record *out);

static const uint8_t *plan_run_array(const struct jfr_step *array, const uint8_t *p, const uint8_t *end)
{
    uint64_t n;
    p = jfr_varint(p, end, &n);
    /* Each step takes a byte or more, so that n is bounded by the bytes; elements without any bytes need no loop. */
    if (!p || array->n == 0)
        return p;
    if (n > (uint64_t)(end - p))
        return NULL;
    if (array->n == 1 && array[1].kind == STEP_VARINTS)
        return jfr_varint_skip(p, end, n * array[1].n);
    if (array->n == 1 && array[1].kind == STEP_BYTES)
        return n * array[1].n > (uint64_t)(end - p) ? NULL : p + n * array[1].n;
    while (p && n-- > 0)
        p = plan_run(array + 1, array->n, p, end, NULL);
    return p;
}

/* A field that is kept has at most eight of them, the most significant first. */
static const uint8_t *plan_run_bytes(uint32_t n, const uint8_t *p, const uint8_t *end, uint64_t *kept)
{
    if (n > (size_t)(end - p))
        return NULL;
    for (uint32_t i = 0; kept && i < n; i++)
        *kept = *kept << 8 | p[i];
    return p + n;
}

/* Recursion is as deep as the arrays in the type: JFR_DEPTH_MAX. */
static const uint8_t *plan_run(const struct jfr_step *s, size_t count, const uint8_t *p, const uint8_t *end,
                               struct jfr_record *out)
{
    for (const struct jfr_step *last = s + count; p && s < last; s++) {
        struct jfr_value ignored, *value = s->slot != NO_SLOT && out ? &out->v[s->slot] : &ignored;
        value->at = p;
        value->num = 0;
        switch ((enum plan_step_kind)s->kind) {
        case STEP_VARINTS:
            value->at = NULL;
            p = s->slot != NO_SLOT ? jfr_varint(p, end, &value->num) : jfr_varint_skip(p, end, s->n);
            break;
        case STEP_BYTES:
            value->at = NULL;
            p = plan_run_bytes(s->n, p, end, value == &ignored ? NULL : &value->num);
            break;
        case STEP_STRING:
            p = jfr_string_skip(p, end);
            break;
        case STEP_ARRAY:
            p = plan_run_array(s, p, end);
            s += s->n;
            break;
        }
    }
    return p;
}

static const uint8_t *plan_skip_plain(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end)
{
    p = jfr_varint_skip(p, end, plan->numbers);
    return p && plan->bytes <= (size_t)(end - p) ? p + plan->bytes : NULL;
}

const uint8_t *jfr_plan_run(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end, struct jfr_record *out)
{
    if (!out && plan->string)
        return jfr_string_skip(p, end);
    if (!out && (plan->numbers | plan->bytes))
        return plan_skip_plain(plan, p, end);
    if (!out || !plan->quick || !jfr_plan_has_lead(plan, p, end))
        return plan_run(plan->steps, plan->count, p, end, out);
    for (unsigned i = 0; i < plan->read_count; i++)
        out->v[plan->reads[i].slot].at = NULL;
    return jfr_plan_read(plan, p, end, out);
}

bool jfr_plan_look(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end, struct jfr_record *out)
{
    if (plan->has == 0)
        return true;
    const struct jfr_step *last = &plan->steps[plan->before_last];
    p = plan_run(plan->steps, plan->before_last, p, end, out);
    if (!p || p == end || (last->kind != STEP_STRING && last->kind != STEP_ARRAY))
        return p && plan_run(last, 1, p, end, out);
    out->v[last->slot] = (struct jfr_value){.at = p};
    return true;
}

bool jfr_plan_numbers_checked(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end,
                              uint64_t out[JFR_SLOTS])
{
    struct jfr_record rec = {0};
    bool fits = plan_run(plan->steps, plan->count, p, end, &rec);
    for (int slot = 0; slot < JFR_SLOTS; slot++) {
        if (plan->has >> slot & 1)
            out[slot] = rec.v[slot].num;
    }
    return fits;
}

const uint8_t *jfr_plan_skip(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end, uint64_t n, bool keyed)
{
    uint64_t ignored;
    if (plan->count == 0 && !keyed)
        return p;
    if (plan->bytes == 0 && (plan->numbers || plan->count == 0))
        return n > (uint64_t)(end - p) ? NULL : jfr_varint_skip(p, end, n * (plan->numbers + keyed));
    while (p && n-- > 0) {
        if (keyed)
            p = jfr_varint(p, end, &ignored);
        p = p ? jfr_plan_run(plan, p, end, NULL) : NULL;
    }
    return p;
}
