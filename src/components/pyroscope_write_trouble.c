#include "components/pyroscope_write_trouble.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

enum { AGAIN_S = 60 };

/* An endpoint that fails every now and then is not worth two lines each time. */
static bool write_trouble_is_recent(int64_t then_ns, int64_t now_ns)
{
    return then_ns && now_ns - then_ns < AGAIN_S * NS_PER_SEC;
}

void write_trouble_set_error(struct write_trouble *t, const char *reason)
{
    snprintf(t->last_error, sizeof t->last_error, "%s", reason);
    t->last_error_s = time(NULL);
}

void write_trouble_begin(struct write_trouble *t, const char *endpoint, uint64_t lost, int64_t now_ns)
{
    log_debug("pushes fail", L_COMPONENT(t->component_id), L_STR("endpoint", endpoint), L_STR("err", t->last_error));
    if (t->standing || write_trouble_is_recent(t->warned_ns, now_ns))
        return;
    t->standing = true;
    t->warned_ns = t->since_ns = now_ns;
    t->lost_before = lost;
    log_warn("pushes fail", L_COMPONENT(t->component_id), L_STR("endpoint", endpoint), L_STR("err", t->last_error));
}

void write_trouble_end(struct write_trouble *t, const char *endpoint, uint64_t lost, int64_t now_ns)
{
    if (!t->standing)
        return;
    t->standing = false;
    log_info("pushes succeed again", L_COMPONENT(t->component_id), L_STR("endpoint", endpoint),
             L_INT("after_seconds", (now_ns - t->since_ns) / NS_PER_SEC),
             L_INT("lost_profiles", lost - t->lost_before));
}

void write_trouble_rejected(struct write_trouble *t, const char *endpoint, const struct labels *labels, int64_t now_ns)
{
    log_debug("the server rejects profiles", L_COMPONENT(t->component_id), L_STR("endpoint", endpoint),
              L_STR("err", t->last_error));
    if (write_trouble_is_recent(t->rejected_ns, now_ns))
        return;
    t->rejected_ns = now_ns;
    log_warn("the server rejects profiles", L_COMPONENT(t->component_id), L_STR("endpoint", endpoint),
             L_STR("service", labels_get(labels, STR("service_name")).p),
             L_STR("profile", labels_get(labels, STR("__name__")).p), L_STR("err", t->last_error));
}
