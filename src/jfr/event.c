#include "jfr/event.h"

#include <errno.h>
#include <stdbool.h>

/* With the one event that async-profiler begins each chunk with, or without. */
static bool event_is_behind_metadata(const struct jfr_events *it)
{
    const uint8_t *at = it->metadata;
    uint64_t size;
    for (int i = 0; i < 2 && at < it->p; i++) {
        if (!jfr_varint(at, it->p, &size) || size > (size_t)(it->p - at))
            return false;
        at += size;
    }
    return at == it->p && at > it->metadata;
}

int jfr_events_next_checked(struct jfr_events *it, struct jfr_event *ret, struct err *err)
{
    if (it->p < it->end && *it->p == 0 && event_is_behind_metadata(it)) {
        while (it->p < it->end && *it->p == 0)
            it->p++;
    }
    if (it->p == it->end)
        return 0;
    uint64_t size = 0, type = 0;
    const uint8_t *p = jfr_varint(it->p, it->end, &size);
    size_t left = (size_t)(it->end - it->p);
    if (!p || size < 2 || size > left)
        return err_set(err, -EBADMSG, "event at %zu: size %llu of %zu bytes", (size_t)(it->p - it->chunk),
                       (unsigned long long)size, left);
    const uint8_t *end = it->p + size;
    p = jfr_varint(p, end, &type);
    if (!p)
        return err_set(err, -EBADMSG, "event at %zu: no type", (size_t)(it->p - it->chunk));
    *ret = (struct jfr_event){.type = type, .payload = p, .end = end};
    it->p = end;
    return 1;
}
