#include "jvm/session/session_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void session_config_copy(struct jvm_session_config *to, const struct jvm_session_config *from)
{
    *to = *from;
    to->tmp_dir = xstrdup(from->tmp_dir);
    to->dist = xstrdup(from->dist);
    to->events = xstrdup(from->events);
}

void session_config_done(struct jvm_session_config *c)
{
    free((char *)c->tmp_dir);
    free((char *)c->dist);
    free((char *)c->events);
}

bool session_config_is_guarded(const struct jvm_session_config *c)
{
    return c->quarantine && !c->retry_crashed && c->crash_guard != CRASH_GUARD_OFF;
}

bool session_config_samples_differ(const struct jvm_session_config *a, const struct jvm_session_config *b)
{
    return strcmp(a->events, b->events) != 0 || a->interval_ns != b->interval_ns || a->roll_ns != b->roll_ns;
}

bool session_config_rules_differ(const struct jvm_session_config *a, const struct jvm_session_config *b)
{
    return a->untested != b->untested || a->headroom != b->headroom || a->min_age_ns != b->min_age_ns ||
           a->retry_crashed != b->retry_crashed || a->crash_guard != b->crash_guard || strcmp(a->dist, b->dist) != 0;
}
