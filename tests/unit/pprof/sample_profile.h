/* A small profile of two values: app.Main.main:10 and app.Main.work:20 below it, one of them with a label. */
#pragma once

#include "pprof/profile.h"

static inline uint32_t sample_location(struct symbols *s, const char *name, int32_t line)
{
    struct pprof_function f = {.name = symbols_string(s, str_of(name))};
    return symbols_location(s, (struct pprof_location){.function = symbols_function(s, f), .line = line});
}

static inline void sample_profile(struct profile *p, struct symbols *s)
{
    profile_init(p, s);
    (void)profile_add_type(p, STR("objects"), STR("count"));
    (void)profile_add_type(p, STR("space"), STR("bytes"));
    p->period_type = (struct pprof_value_type){symbols_string(s, STR("space")), symbols_string(s, STR("bytes"))};
    p->period = 524288;
    p->time_nanos = 1700000000000000000;
    p->duration_nanos = 15000000000;
    uint32_t frames[] = {sample_location(s, "app.Main.work", 20), sample_location(s, "app.Main.main", 10)};
    struct pprof_label label = {.key = symbols_string(s, STR("thread")), .str = symbols_string(s, STR("main"))};
    uint32_t labels = symbols_labels(s, &label, 1);
    (void)profile_add(p, symbols_stack(s, frames, 2), 0, (int64_t[]){2, 300});
    (void)profile_add(p, symbols_stack(s, frames + 1, 1), labels, (int64_t[]){1, -5});
}
