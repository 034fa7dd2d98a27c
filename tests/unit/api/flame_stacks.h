/* Flame graphs out of collapsed stacks. */
#pragma once

#include "pprof/flame.h"

/* "main;work" with a value of its own. */
static inline void flame_add_stack(struct flame *f, const char *stack, int64_t value)
{
    struct str rest = str_of(stack), name;
    uint32_t node = 0;
    while (str_split(&rest, ';', &name))
        node = flame_step(f, node, flame_name(f, name));
    flame_add(f, node, value);
}
