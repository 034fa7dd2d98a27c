/* A profile of one value from a table of stacks. */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "pprof/profile.h"
#include "test.h"

enum { VIEW_FRAMES = 4 };
struct view_stack {
    const char *names[VIEW_FRAMES]; /* leaf first; a row without ends the table */
    int32_t lines[VIEW_FRAMES];
    int64_t value;
    const char *allocated_class; /* a label; NULL = none */
};

static inline uint32_t view_stack_number(struct symbols *s, const struct view_stack *row)
{
    uint32_t locations[VIEW_FRAMES];
    size_t n = 0;
    for (; n < VIEW_FRAMES && row->names[n]; n++) {
        const struct pprof_function f = {.name = symbols_string(s, str_of(row->names[n]))};
        locations[n] =
            symbols_location(s, (struct pprof_location){.function = symbols_function(s, f), .line = row->lines[n]});
    }
    return symbols_stack(s, locations, n);
}

static inline void view_profile(struct profile *p, struct symbols *s, const struct view_stack *rows)
{
    profile_init(p, s);
    CHECK(profile_add_type(p, STR("cpu"), STR("nanoseconds")));
    for (; rows->names[0]; rows++) {
        struct pprof_label label = {.key = symbols_string(s, STR("allocated_class"))};
        label.str = symbols_string(s, str_of(rows->allocated_class));
        const uint32_t labels = rows->allocated_class ? symbols_labels(s, &label, 1) : 0;
        CHECK(profile_add(p, view_stack_number(s, rows), labels, &rows->value));
    }
}
