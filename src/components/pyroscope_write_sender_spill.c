#include "components/pyroscope_write_sender_spill.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "flow/dropped.h"

/* What a healthy endpoint takes within a second never gets to the disk. Of what waits on disk, so much is in memory; it
 * is replayed at a rate that a server which comes back can bear beside what is new. */
enum { AFTER_MS = 1000, MEMORY = 1 << 20, REPLAY_BATCH = 256 << 10, REPLAY_RATE = 1 << 20 };

/* --- what the spool says --- */

static void spill_on_taken(void *ctx, const struct write_spool_entry *e)
{
    struct sender *s = ctx;
    const int64_t now = sender_now_ns();
    struct push_item *item = push_queue_add(&s->queue, e->labels, e->profile, now - e->age_ns);
    if (item)
        item->copy = e->copy;
    else
        write_spool_release(s->spool, e->copy);
    s->replay_ns = (s->replay_ns > now ? s->replay_ns : now) + (int64_t)e->profile->len * NS_PER_SEC / REPLAY_RATE;
    write_spool_count_replayed(s->label);
    labels_unref(e->labels);
    encoded_profile_unref(e->profile);
}

static void spill_count_lost(struct sender *s, size_t *told, size_t now, enum push_drop why)
{
    if (now > *told) {
        s->lost += now - *told;
        metric_add(&dropped_profiles_total, (double)(now - *told), push_drop_name(why));
    }
    *told = now;
}

static void spill_on_changed(void *ctx, const char *problem)
{
    struct sender *s = ctx;
    const struct spool_counts counts = write_spool_counts(s->spool);
    s->is_taking = false;
    spill_count_lost(s, &s->spool_told.too_many, counts.too_many, PUSH_DROP_SPOOL_FULL);
    spill_count_lost(s, &s->spool_told.too_old, counts.too_old, PUSH_DROP_TOO_OLD);
    write_spool_count_bytes(s->label, s->spool_told.bytes, counts.bytes);
    s->spool_told = counts;
    if (*problem && !s->spool_is_broken)
        log_warn("cannot keep profiles on disk; they wait in memory", L_COMPONENT(s->env.component_id),
                 L_STR("endpoint", s->set->shown), L_STR("err", problem));
    s->spool_is_broken = *problem != '\0';
    s->pump(s);
}

void sender_open_spool(struct sender *s)
{
    static const struct write_spool_events events = {spill_on_taken, spill_on_changed};
    const struct spool_limits limits = {s->args->spool.max_bytes, s->args->spool.max_age};
    if (s->spool)
        write_spool_limit(s->spool, &limits);
    if (s->spool || !s->env.storage_path || !*s->env.storage_path || !limits.bytes)
        return;
    cleanup_free char *key = xasprintf("%s %s %s", s->env.component_id, s->label, s->args->name);
    cleanup_free char *path = write_spool_path(s->env.storage_path, key);
    s->spool = write_spool_new(s->env.loop, path, &limits, sender_clock_offset_ns, &events, s);
}

void sender_close_spool(struct sender *s)
{
    write_spool_count_bytes(s->label, s->spool_told.bytes, 0);
    write_spool_forget_bytes(s->label);
    write_spool_close(s->spool);
    s->spool = NULL;
}

bool sender_forget_copy(struct sender *s, const struct push_item *item, bool shutdown)
{
    struct spooled *copy = item->copy;
    if (!copy)
        return false;
    const bool kept = shutdown && !write_spool_has_failed(copy);
    if (kept)
        write_spool_release(s->spool, copy);
    else
        write_spool_finish(s->spool, copy);
    return kept;
}

/* --- to the disk and back --- */

static bool spill_is_unstored(const struct push_item *item)
{
    return !item->copy || write_spool_has_failed(item->copy);
}

static void spill_store(struct sender *s, struct push_item *item, bool all, int64_t now)
{
    if (!spill_is_unstored(item) || (!all && now - item->since_ns < AFTER_MS * NS_PER_MS))
        return;
    if (item->copy)
        write_spool_finish(s->spool, item->copy);
    item->copy = write_spool_store(s->spool, item->labels, item->profile);
}

static void spill_store_list(struct sender *s, struct list *items, bool all, int64_t now)
{
    list_each(items, node) spill_store(s, list_entry(node, struct push_item, node), all, now);
}

/* The newest first, as the oldest are sent next. What failed by itself stays, for its attempts are counted here. */
static void spill_unload(struct sender *s)
{
    for (struct list *at = s->queue.items.prev, *before; at != &s->queue.items && s->queue.bytes > MEMORY;
         at = before) {
        struct push_item *item = list_entry(at, struct push_item, node);
        before = at->prev;
        if (!item->copy || !write_spool_is_stored(item->copy) || (item->attempts && !s->is_down))
            continue;
        write_spool_release(s->spool, item->copy);
        push_queue_unload(&s->queue, item);
    }
}

static bool spill_may_take(const struct sender *s)
{
    if (s->is_taking || s->draining || s->state == SENDER_STOPPED || !write_spool_counts(s->spool).waiting)
        return false;
    return s->is_down ? !s->queue.len && !s->in_flight && !s->wait_until_ns : s->queue.bytes < MEMORY / 2;
}

void sender_spill(struct sender *s)
{
    if (!s->spool)
        return;
    const int64_t now = sender_now_ns();
    const bool all = s->is_down || s->draining || s->queue.bytes > MEMORY;
    spill_store_list(s, &s->queue.items, all, now);
    for (size_t i = 0; i < SENDER_IN_FLIGHT; i++)
        spill_store_list(s, &s->flights[i].items, all, now);
    if (!s->draining)
        spill_unload(s);
    if (!spill_may_take(s) || now < s->replay_ns)
        return;
    s->is_taking = true;
    write_spool_take(s->spool, REPLAY_BATCH);
}

static int64_t spill_list_due(const struct list *items, int64_t due)
{
    list_each(items, node)
    {
        const struct push_item *item = list_entry(node, struct push_item, node);
        if (!item->copy && item->since_ns + AFTER_MS * NS_PER_MS < due)
            due = item->since_ns + AFTER_MS * NS_PER_MS;
    }
    return due;
}

int64_t sender_spill_due_ns(const struct sender *s)
{
    int64_t due = INT64_MAX;
    if (!s->spool)
        return due;
    due = spill_list_due(&s->queue.items, due);
    for (size_t i = 0; i < SENDER_IN_FLIGHT; i++)
        due = spill_list_due(&s->flights[i].items, due);
    return spill_may_take(s) && s->replay_ns < due ? s->replay_ns : due;
}
