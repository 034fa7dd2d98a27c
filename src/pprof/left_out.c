#include "pprof/left_out.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "pprof/events.h"

/* A sample has a stack, and what it costs is that of a span: others tell about threads, settings or end points. */
static bool left_out_is_sample(const struct jfr_metadata *m, const struct jfr_type *t)
{
    struct jfr_field field;
    if (t->name.n == 0 || t->name.p[0] != 'd' || !str_has_prefix(t->name, STR("datadog.")) ||
        t->name.n >= LEFT_OUT_NAME_MAX)
        return false;
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (str_is(t->name, event_classes[i].type))
            return false;
    }
    return jfr_field_by_name(m, t, "stackTrace", &field) && jfr_field_by_name(m, t, "spanId", &field);
}

static struct left_out_type *left_out_type_of(struct left_out *l, struct str name)
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

void left_out_find(struct left_out_chunk *c, const struct jfr_metadata *m)
{
    c->count = 0;
    c->mask = 0;
    for (size_t i = 0; i < m->count && c->count < LEFT_OUT_TYPES_MAX; i++) {
        if (!left_out_is_sample(m, &m->types[i]))
            continue;
        c->types[c->count] = &m->types[i];
        c->ids[c->count] = m->types[i].id;
        c->mask |= UINT64_C(1) << m->types[i].id % 64;
        c->events[c->count++] = 0;
    }
}

void left_out_count(struct left_out_chunk *c, uint64_t type)
{
    for (size_t i = 0; i < c->count; i++)
        c->events[i] += c->ids[i] == type;
}

void left_out_add(struct left_out *l, const struct left_out_chunk *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct left_out_type *t = c->events[i] ? left_out_type_of(l, c->types[i]->name) : NULL;
        if (t)
            t->events += c->events[i];
    }
}

void left_out_join(struct left_out *l, const struct left_out *later)
{
    for (size_t i = 0; i < later->count; i++) {
        struct left_out_type *t = left_out_type_of(l, str_of(later->types[i].name));
        if (t)
            t->events += later->types[i].events;
    }
}
