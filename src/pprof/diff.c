#include "pprof/diff.h"

#include <errno.h>
#include <string.h>

#include "pprof/merge.h"

static void diff_take_head(struct profile *to, const struct profile *from)
{
    to->time_nanos = from->time_nanos;
    to->duration_nanos = from->duration_nanos;
    to->period = from->period;
}

/* Copies the samples of `from`, whose symbols and types are those of `to`, to the values from `column` on. */
static bool diff_take_side(struct profile *to, const struct profile *from, size_t column)
{
    int64_t values[PROFILE_TYPES_MAX];
    for (size_t i = 0; i < from->sample_count; i++) {
        memset(values, 0, sizeof values);
        memcpy(values + column, profile_values(from, i), from->type_count * sizeof *values);
        if (!profile_add(to, from->samples[i].stack, from->samples[i].labels, values))
            return false;
    }
    return true;
}

static bool diff_take_types(struct profile *to, const struct profile *from)
{
    for (size_t i = 0; i < 2 * from->type_count; i++) {
        struct pprof_value_type t = from->types[i % from->type_count];
        if (!profile_add_type(to, from->symbols->strings[t.type], from->symbols->strings[t.unit]))
            return false;
    }
    return true;
}

static int diff_put_sides(struct profile *to, const struct profile *after, const struct profile *before,
                          struct err *err)
{
    if (2 * after->type_count > PROFILE_TYPES_MAX)
        return err_set(err, -EINVAL, "a profile of %zu sample types cannot be compared: %d at most", after->type_count,
                       PROFILE_TYPES_MAX / 2);
    /* Both in the symbols of the result, and the values of both in the same order. */
    cleanup_profile struct profile a, b;
    profile_init(&a, to->symbols);
    profile_init(&b, to->symbols);
    int code = profile_merge(&a, after, 1, err);
    if (code == 0)
        code = profile_merge(&b, &a, 0, err);
    if (code == 0)
        code = profile_merge(&b, before, 1, err);
    if (code < 0)
        return code;
    to->period_type = a.period_type;
    if (!diff_take_types(to, &a) || !diff_take_side(to, &a, 0) || !diff_take_side(to, &b, a.type_count))
        return err_set(err, -E2BIG, "the profiles have too many names and stacks");
    return 0;
}

int profile_diff(struct profile *to, const struct profile *after, const struct profile *before, enum profile_diff how,
                 struct err *err)
{
    int code;
    if (how == PROFILE_DIFF_SIDES) {
        code = diff_put_sides(to, after, before, err);
    } else {
        code = profile_merge(to, after, 1, err);
        if (code == 0)
            code = profile_merge(to, before, -1, err);
    }
    if (code == 0)
        diff_take_head(to, after);
    return code;
}
