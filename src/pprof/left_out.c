#include "pprof/left_out.h"

#include <stdio.h>
#include <string.h>

#include "jfr/event.h"

/* A sample has a stack: others tell about threads, settings or end points. */
static bool left_out_is_sample(const struct jfr_metadata *m, const struct jfr_type *t)
{
    struct jfr_field stack;
    return str_has_prefix(t->name, STR("datadog.")) && t->name.n < LEFT_OUT_NAME_MAX &&
           jfr_field_by_name(m, t, "stackTrace", &stack);
}

static struct left_out_type *left_out_add(struct left_out *l, struct str name)
{
    for (size_t i = 0; i < l->count; i++) {
        if (str_is(name, l->types[i].name))
            return &l->types[i];
    }
    if (l->count == LEFT_OUT_TYPES_MAX)
        return NULL;
    struct left_out_type *t = &l->types[l->count++];
    *t = (struct left_out_type){0};
    snprintf(t->name, sizeof t->name, "%.*s", STR_ARG(name));
    return t;
}

static uint64_t left_out_events(const uint8_t *chunk, const struct jfr_header *header, uint64_t type)
{
    struct jfr_events it = jfr_events_of(chunk, header);
    struct jfr_event event;
    uint64_t n = 0;
    while (jfr_events_next(&it, &event, NULL) > 0)
        n += event.type == type;
    return n;
}

void left_out_count(struct left_out *l, const uint8_t *chunk, const struct jfr_header *header,
                    const struct jfr_metadata *m)
{
    size_t met = 0;
    for (size_t i = 0; i < m->count && met < LEFT_OUT_TYPES_MAX; i++) {
        if (!left_out_is_sample(m, &m->types[i]))
            continue;
        met++;
        const uint64_t n = left_out_events(chunk, header, m->types[i].id);
        struct left_out_type *t = n ? left_out_add(l, m->types[i].name) : NULL;
        if (t)
            t->events += n;
    }
}
