#include "components/refresh.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "graph/measured.h"

/* Until the first answer, at most this long: doubling from a second. */
enum { FIRST_RETRY_MS = 1000, FIRST_RETRIES_MAX = 5 };

static const double refresh_buckets[] = {0.01, 0.1, 1, 10};
static struct metric_family refresh_failures = {.name = "prometheus_sd_refresh_failures_total",
                                                .help = "Refreshes of a discovery component that failed.",
                                                .kind = METRIC_COUNTER,
                                                .labels = {"component_id", "component_path", "config", "mechanism"}};
static struct metric_family refresh_seconds = {.name = "prometheus_sd_refresh_duration_histogram_seconds",
                                               .help = "Duration of refreshes of a discovery component, in seconds.",
                                               .kind = METRIC_HISTOGRAM,
                                               .labels = {"component_id", "component_path", "mechanism"},
                                               .buckets = refresh_buckets,
                                               .bucket_count = ARRAY_LEN(refresh_buckets)};

const char *const refresh_exports[] = {"targets", NULL};

int refresh_check_interval(int64_t interval, struct err *err)
{
    return interval < NS_PER_MS ? err_set(err, -EINVAL, "refresh_interval must be greater than 0") : 0;
}

void refresh_init(struct refresh *r, struct component *self, uv_loop_t *loop, const char *mechanism,
                  void (*begin)(void *arg), void *arg)
{
    *r = (struct refresh){.self = self, .loop = loop, .mechanism = mechanism, .begin = begin, .arg = arg};
    measured_labels(component_id(self), &r->component_path, &r->component_id);
}

void refresh_set_interval(struct refresh *r, int64_t interval)
{
    r->interval_ms = interval / NS_PER_MS;
}

static void refresh_begin(struct refresh *r)
{
    r->is_asking = true;
    r->is_late = false;
    r->begun_ns = clock_ns();
    uv_timer_stop(r->timer);
    r->begin(r->arg);
}

static void refresh_on_timer(uv_timer_t *timer)
{
    refresh_begin(timer->data);
}

static void refresh_schedule(struct refresh *r)
{
    int64_t wait = r->interval_ms;
    const unsigned doubled = r->failures < FIRST_RETRIES_MAX ? r->failures : FIRST_RETRIES_MAX;
    if (!r->has_targets && doubled && wait > (int64_t)FIRST_RETRY_MS << (doubled - 1))
        wait = (int64_t)FIRST_RETRY_MS << (doubled - 1);
    if (r->timer)
        uv_timer_start(r->timer, refresh_on_timer, r->is_late ? 0 : (uint64_t)wait, 0);
}

void refresh_start(struct refresh *r)
{
    r->timer = xcalloc(1, sizeof *r->timer);
    uv_timer_init(r->loop, r->timer);
    r->timer->data = r;
    metric_add(&refresh_failures, 0, r->component_id, r->component_path, r->component_id, r->mechanism);
    refresh_begin(r);
}

void refresh_now(struct refresh *r)
{
    if (r->is_asking)
        r->is_late = true;
    else if (r->timer)
        refresh_begin(r);
}

static void refresh_answered(struct refresh *r)
{
    r->is_asking = false;
    metric_observe(&refresh_seconds, (double)(clock_ns() - r->begun_ns) / 1e9, r->component_id, r->component_path,
                   r->mechanism);
}

static void refresh_export(struct refresh *r, struct targets *targets)
{
    struct value *exports = value_object();
    r->has_targets = true;
    r->count = targets->len;
    value_object_put(exports, STR("targets"), targets_value(targets->items, targets->len));
    targets_done(targets);
    component_export(r->self, exports);
}

static void refresh_succeeded(struct refresh *r, size_t count)
{
    refresh_answered(r);
    if (r->failures)
        log_info("discovery works again", L_COMPONENT(component_id(r->self)));
    r->failures = 0;
    component_health(r->self, true, "%zu targets", count);
}

void refresh_targets(struct refresh *r, struct targets *targets)
{
    refresh_succeeded(r, targets->len);
    refresh_export(r, targets);
    refresh_schedule(r);
}

void refresh_unchanged(struct refresh *r)
{
    refresh_succeeded(r, r->count);
    refresh_schedule(r);
}

static void refresh_note_failure(struct refresh *r, const char *why)
{
    refresh_answered(r);
    metric_add(&refresh_failures, 1, r->component_id, r->component_path, r->component_id, r->mechanism);
    component_health(r->self, false, "%s", why);
    if (!r->failures++)
        log_warn(r->has_targets ? "cannot refresh targets; keeping the previous ones" : "cannot discover targets",
                 L_COMPONENT(component_id(r->self)), L_STR("err", why));
}

void refresh_failed(struct refresh *r, const char *why)
{
    refresh_note_failure(r, why);
    refresh_schedule(r);
}

void refresh_partly(struct refresh *r, struct targets *targets, const char *why)
{
    refresh_note_failure(r, why);
    refresh_export(r, targets);
    refresh_schedule(r);
}

void refresh_cancelled(struct refresh *r)
{
    r->is_asking = r->is_late = false;
}

static void refresh_on_closed(uv_handle_t *handle)
{
    free(handle);
}

void refresh_stop(struct refresh *r)
{
    if (r->timer)
        uv_close((uv_handle_t *)TAKE_PTR(r->timer), refresh_on_closed);
}

void refresh_done(struct refresh *r)
{
    refresh_stop(r);
    metric_forget(&refresh_failures, r->component_id, r->component_path, r->component_id, r->mechanism);
    metric_forget(&refresh_seconds, r->component_id, r->component_path, r->mechanism);
    free(r->component_path);
}
