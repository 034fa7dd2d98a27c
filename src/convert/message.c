#include "convert/message.h"

#include <errno.h>
#include <string.h>

/* What an encoded profile is beside samples and names, which have limits: types, times, the frames "[other]"; and
 * gzip of what cannot be compressed. */
enum { PROFILE_SPARE = 2 << 20 };

static bool message_is_text(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

/* Names and labels of a profile become those of a series: nothing but what a conversion gives them. */
static bool message_is_name(const char *text, size_t size)
{
    const size_t n = strnlen(text, size);
    return n > 0 && n < size && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == n;
}

static int message_bad(struct err *err, const char *what)
{
    return err_set(err, -EBADMSG, "invalid message of the converter: %s", what);
}

int convert_request_check(const struct convert_request *rq, struct err *err)
{
    switch (rq->op) {
    case CONVERT_OPEN:
        if (!message_is_text(rq->open.settings.event, sizeof rq->open.settings.event))
            return message_bad(err, "unterminated event");
        if (!message_is_text(rq->open.filter, sizeof rq->open.filter))
            return message_bad(err, "unterminated filter");
        if (rq->size % sizeof(uint64_t) || rq->size / sizeof(uint64_t) > CONVERT_SERIES_MAX)
            return message_bad(err, "too many series");
        return 0;
    case CONVERT_CHUNK:
        return rq->size ? 0 : message_bad(err, "empty chunk");
    case CONVERT_FINISH:
        return rq->size ? message_bad(err, "unexpected bytes") : 0;
    default:
        return message_bad(err, "unknown request");
    }
}

int convert_reply_check(const struct convert_reply *r, const struct convert_options *o, struct err *err)
{
    if (!message_is_text(r->why, sizeof r->why) || !message_is_text(r->settings.event, sizeof r->settings.event))
        return message_bad(err, "unterminated text");
    if (r->code > 0 || r->cpu_ns < 0)
        return message_bad(err, "number out of range");
    if (r->profile_count > CONVERT_PROFILES_MAX || (r->code < 0 && r->profile_count))
        return message_bad(err, "too many profiles");
    if (r->series_count > o->series_max)
        return message_bad(err, "too many series");
    return 0;
}

int convert_profile_check(const struct convert_profile *p, const struct convert_options *o, struct err *err)
{
    if (!message_is_name(p->type, sizeof p->type))
        return message_bad(err, "profile without a name");
    if (p->label_count > CONVERT_LABELS_MAX)
        return message_bad(err, "too many labels");
    for (uint32_t i = 0; i < p->label_count; i++) {
        const struct convert_label *l = &p->labels[i];
        if (!message_is_name(l->name, sizeof l->name) || !message_is_text(l->value, sizeof l->value))
            return message_bad(err, "invalid label");
    }
    if (p->size == 0 || p->size > (uint64_t)o->limits.output + o->limits.text + PROFILE_SPARE)
        return message_bad(err, "profile exceeds the limits");
    return 0;
}

const char *convert_label(const struct convert_profile *p, const char *name)
{
    for (uint32_t i = 0; i < p->label_count; i++) {
        if (strcmp(p->labels[i].name, name) == 0)
            return p->labels[i].value;
    }
    return "";
}
