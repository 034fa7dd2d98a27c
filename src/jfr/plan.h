/* A type's byte layout as a short row of steps: what to step over, what to keep.
 *
 * Compiled once per type and chunk, run once per event or pool entry. Runs of numbers nobody asked for collapse into
 * one step, nested structs are laid out flat, and a plan for an event ends after the last field that was asked for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jfr/metadata.h"
#include "jfr/varint.h"

/* Nesting of struct values; real files have 2. */
enum { JFR_DEPTH_MAX = 8 };

enum { JFR_SLOTS = 9 };

/* What one run keeps of a field. */
struct jfr_value {
    uint64_t num;      /* number or reference; the bits of a float or double; 0 for the rest */
    const uint8_t *at; /* where a string or an array starts in the chunk; NULL for the rest */
};
struct jfr_record {
    struct jfr_value v[JFR_SLOTS];
};

struct jfr_step;
struct jfr_plan {
    const struct jfr_step *steps;
    size_t count;
    size_t before_last; /* steps in front of the last one that a slot keeps */
    uint32_t has;       /* bit per slot: the type has that field */
    size_t min_size;    /* no value is shorter */
    bool string;        /* a value is one string, in slot 0, and nothing else */
    /* Most values are numbers and then, at most, some bytes: how many of each; 0 and 0 for all others. */
    uint32_t numbers, bytes;
    /* Where the slots' fields are all among the numbers a value begins with: how many of these hold them, else 0; which
     * of them each slot keeps; and the way there, `skip` numbers to step over and then the slot's. */
    uint32_t lead;
    struct {
        uint8_t skip, slot;
    } reads[JFR_SLOTS];
    uint8_t read_count;
    uint8_t number_of[JFR_SLOTS];
    bool quick; /* the last of them is the last of the plan */
};

/* `names[i]` is the field to keep in slot i; a name may be missing from the type, then its bit in `has` is 0. Only
 * fields of the type itself are found, not those of structs in it; a type that is a bare primitive keeps its value in
 * slot 0. `whole` = the plan reaches the end of the value, for pools. -EBADMSG for layouts that cannot be (unknown
 * types, too deep, absurdly wide). Steps live in the arena. */
must_check int jfr_plan_compile(const struct jfr_metadata *m, const struct jfr_type *t, const char *const *names,
                                size_t name_count, bool whole, struct arena *arena, struct jfr_plan *ret,
                                struct err *err);

/* Reads one value at p; position after it, or NULL when it does not fit. Slots without a field stay as they are; `out`
 * may be NULL when the plan keeps nothing. */
const uint8_t *jfr_plan_run(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end, struct jfr_record *out);

/* Whether the numbers of plan->reads are far enough from the end of the bytes to be read unchecked. */
static inline bool jfr_plan_has_lead(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end)
{
    return plan->lead && end - p >= (ptrdiff_t)plan->lead * JFR_VARINT_MAX;
}
/* Steps over what lies in front of the number of plan->reads[i]; behind jfr_plan_has_lead(). */
static inline const uint8_t *jfr_plan_skip_to(const struct jfr_plan *plan, unsigned i, const uint8_t *p)
{
    for (unsigned skip = plan->reads[i].skip; skip > 0; skip--)
        p = jfr_varint_step(p);
    return p;
}
/* As jfr_plan_run, in line, for a record whose numbers have no `at` yet. */
static inline const uint8_t *jfr_plan_read(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end,
                                           struct jfr_record *out)
{
    if (!plan->quick || !jfr_plan_has_lead(plan, p, end))
        return jfr_plan_run(plan, p, end, out);
    for (unsigned i = 0; i < plan->read_count; i++)
        p = jfr_varint_unchecked(jfr_plan_skip_to(plan, i, p), &out->v[plan->reads[i].slot].num);
    return p;
}

/* The slots of one value and no more: where the last one is a string or an array, that is not read itself. False where
 * they do not fit. */
bool jfr_plan_look(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end, struct jfr_record *out);
/* Near the end of the bytes, and where fields lie further behind. */
bool jfr_plan_numbers_checked(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end,
                              uint64_t out[JFR_SLOTS]);
/* The numbers of one value, by slot; slots without a field stay as they are. False where they do not fit. Only for
 * plans that keep nothing else. */
static inline bool jfr_plan_numbers(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end,
                                    uint64_t out[JFR_SLOTS])
{
    if (!jfr_plan_has_lead(plan, p, end))
        return jfr_plan_numbers_checked(plan, p, end, out);
    for (unsigned i = 0; i < plan->read_count; i++)
        p = jfr_varint_unchecked(jfr_plan_skip_to(plan, i, p), &out[plan->reads[i].slot]);
    return true;
}
/* Steps over n values, each after a varint of its own when `keyed` (the entries of a pool). */
const uint8_t *jfr_plan_skip(const struct jfr_plan *plan, const uint8_t *p, const uint8_t *end, uint64_t n, bool keyed);
