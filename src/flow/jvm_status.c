#include "flow/jvm_status.h"

#include <time.h>

#include "base/clock.h"

static void jvm_status_put(struct value *object, const char *name, struct value *v)
{
    value_object_put(object, str_of(name), v);
}

static struct value *jvm_status_time(int64_t ns)
{
    char text[40] = "";
    struct tm tm;
    time_t seconds = (time_t)(ns / NS_PER_SEC);
    if (ns > 0 && gmtime_r(&seconds, &tm))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return value_string(str_of(text));
}

static struct value *jvm_status_labels(const struct labels *ls)
{
    struct value *object = value_object();
    for (size_t i = 0; i < labels_len(ls); i++) {
        const struct label *l = labels_at(ls, i);
        if (!str_has_prefix(l->name, STR("__")))
            value_object_put(object, l->name, value_string(l->value));
    }
    return object;
}

struct value *jvm_status_value(const struct jvm_status *status)
{
    struct value *object = value_object();
    jvm_status_put(object, "pid", value_int(status->pid));
    jvm_status_put(object, "start_time", value_uint(status->start_time));
    jvm_status_put(object, "service_name", value_string(status->service_name));
    jvm_status_put(object, "main", value_string(status->main));
    jvm_status_put(object, "state", value_string(str_of(status->state)));
    jvm_status_put(object, "reason", value_string(str_of(status->reason)));
    jvm_status_put(object, "reason_code", value_string(str_of(status->code)));
    jvm_status_put(object, "remedy", value_string(str_of(status->remedy)));
    jvm_status_put(object, "since", jvm_status_time(status->since_ns));
    jvm_status_put(object, "next_profile_seconds", value_int((status->next_profile_ns + NS_PER_SEC - 1) / NS_PER_SEC));
    jvm_status_put(object, "last_profile", jvm_status_time(status->last_profile_ns));
    jvm_status_put(object, "profiles", value_uint(status->profiles));
    jvm_status_put(object, "samples", value_uint(status->samples));
    jvm_status_put(object, "labels", jvm_status_labels(status->labels));
    return object;
}
