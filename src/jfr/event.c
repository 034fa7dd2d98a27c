#include "jfr/event.h"

#include <errno.h>

int jfr_events_next_checked(struct jfr_events *it, struct jfr_event *ret, struct err *err)
{
    if (it->p == it->end)
        return 0;
    uint64_t size = 0, type = 0;
    const uint8_t *p = jfr_varint(it->p, it->end, &size);
    size_t left = (size_t)(it->end - it->p);
    /* Zeros are what a torn write or a punched hole leaves. */
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
