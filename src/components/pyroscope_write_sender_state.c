#include "components/pyroscope_write_sender_state.h"

#include "base/metric.h"

static struct metric_family pushes = {.name = "smolder_pushes_total",
                                      .help = "Push requests, by endpoint and result: ok, retry or rejected.",
                                      .kind = METRIC_COUNTER,
                                      .labels = {"endpoint", "result"}};
static struct metric_family queue_bytes = {.name = "smolder_queue_bytes",
                                           .help = "Profiles waiting for an endpoint, in bytes.",
                                           .kind = METRIC_GAUGE,
                                           .labels = {"endpoint"}};
/* The names dashboards know from the reference. */
#define COMPAT(var, text, what)                                                                                        \
    static struct metric_family var = {.name = "pyroscope_write_" text,                                                \
                                       .help = what,                                                                   \
                                       .kind = METRIC_COUNTER,                                                         \
                                       .labels = {"component_id", "component_path", "endpoint"}}
COMPAT(compat_sent_bytes, "sent_bytes_total", "Compressed bytes of profiles sent.");
COMPAT(compat_dropped_bytes, "dropped_bytes_total", "Compressed bytes of profiles dropped.");
COMPAT(compat_sent, "sent_profiles_total", "Profiles sent.");
COMPAT(compat_dropped, "dropped_profiles_total", "Profiles dropped.");
COMPAT(compat_retries, "retries_total", "Retries.");

/* Deltas, so that endpoints of the same URL add up. */
void sender_publish_queue(struct sender *s)
{
    metric_add(&queue_bytes, (double)s->queue.bytes - (double)s->published_bytes, s->label);
    s->published_bytes = s->queue.bytes;
}

void sender_observe_item(struct sender *s, const struct push_item *item)
{
    write_latency_observe(s->local_id, s->path, s->label, WRITE_LATENCY_ENDPOINT, sender_now_ns() - item->since_ns);
}

void sender_count_sent(struct sender *s, const struct push_item *item)
{
    profile_origin_deliver(item->profile->origin);
    metric_add(&compat_sent, 1, s->local_id, s->path, s->label);
    metric_add(&compat_sent_bytes, (double)item->profile->len, s->local_id, s->path, s->label);
}

void sender_count_push(struct sender *s, enum push_result result)
{
    metric_add(&pushes, 1, s->label, push_result_name(result));
}

void sender_count_dropped(struct sender *s, const struct push_item *item)
{
    profile_origin_drop(item->profile->origin);
    metric_add(&compat_dropped, 1, s->local_id, s->path, s->label);
    metric_add(&compat_dropped_bytes, (double)item->profile->len, s->local_id, s->path, s->label);
}

void sender_count_retry(struct sender *s)
{
    metric_add(&compat_retries, 1, s->local_id, s->path, s->label);
}

void sender_forget_queue(struct sender *s)
{
    if (metric_value(&queue_bytes, s->label) == 0)
        metric_forget(&queue_bytes, s->label);
}

struct push_item *sender_first_item(struct list *items)
{
    return list_empty(items) ? NULL : list_entry(items->next, struct push_item, node);
}
