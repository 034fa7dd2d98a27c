/* Which events of a chunk a conversion takes, and how to read them.
 *
 * A type's plan is made when its first event is met: chunks describe many types that they have no events of.
 */
#pragma once

#include "jfr/event.h"
#include "pprof/conversion.h"

/* Ids are small in all producers so far. A class whose plan is not made yet is UNREAD and more; LEFT_OUT are
 * samples that nobody knows. */
enum { LAYOUT_DIRECT = 4096, NO_CLASS = CLASS_COUNT, UNREAD, LEFT_OUT = UNREAD + CLASS_COUNT };
struct layout {
    const struct jfr_metadata *metadata;
    struct arena *arena; /* for plans */
    bool spans;          /* samples may lie in spans, which are events as well */
    struct {
        uint64_t id; /* JFR_EVENT_METADATA, which is no sample, where the chunk has no such type or nobody wants it */
        const struct jfr_type *type;
        struct jfr_plan plan; /* of no steps until it is asked for */
    } of[CLASS_COUNT];
    uint8_t class_of[LAYOUT_DIRECT]; /* by type id, what `of` says; NO_CLASS, UNREAD, LEFT_OUT */
    /* Last: no event needs them, and in front of the rest they cost 5 % of the time of a conversion. */
    const struct conversion *conversion;
    struct left_out_chunk left_out;
    bool labelled; /* events of the plans made so far may have labels */
};

/* Finds the types of all classes. */
void layout_init(struct layout *l, const struct conversion *c, const struct jfr_metadata *m, struct arena *arena,
                 bool has_strings);
/* After the last change of an id. */
void layout_index(struct layout *l);
size_t layout_class_far(const struct layout *l, uint64_t type);
/* The class of an event's type, NO_CLASS, LEFT_OUT, or UNREAD and the class. */
static inline size_t layout_class(const struct layout *l, uint64_t type)
{
    return type < LAYOUT_DIRECT ? l->class_of[type] : layout_class_far(l, type);
}

/* Makes the plan of a class that has none; -EBADMSG, -E2BIG. */
must_check int layout_compile(struct layout *l, size_t class, struct err *err);
