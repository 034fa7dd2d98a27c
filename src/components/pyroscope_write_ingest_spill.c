#include "components/pyroscope_write_ingest_spill.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "flow/dropped.h"

/* As the sender's; see there. */
enum { AFTER_MS = 1000, REPLAY_BATCH = 256 << 10, REPLAY_RATE = 1 << 20 };

/* --- what the spool says --- */

static void ingest_on_taken(void *ctx, const struct write_spool_entry *entry)
{
    struct ingest_endpoint *e = ctx;
    const int64_t now = sender_now_ns();
    struct ingest_item *i = ingest_item_add(e, entry->labels, entry->profile, now - entry->age_ns);
    if (i)
        i->copy = entry->copy;
    else
        write_spool_finish(e->spool, entry->copy);
    e->replay_ns = (e->replay_ns > now ? e->replay_ns : now) + (int64_t)entry->profile->len * NS_PER_SEC / REPLAY_RATE;
    write_spool_count_replayed(e->label);
    labels_unref(entry->labels);
    encoded_profile_unref(entry->profile);
}

static void ingest_count_lost(size_t before, size_t now, enum push_drop why)
{
    if (now > before)
        metric_add(&dropped_profiles_total, (double)(now - before), push_drop_name(why));
}

static void ingest_on_changed(void *ctx, const char *problem)
{
    struct ingest_endpoint *e = ctx;
    const struct spool_counts counts = write_spool_counts(e->spool), before = e->spool_told;
    e->is_taking = false;
    ingest_count_lost(before.too_many, counts.too_many, PUSH_DROP_SPOOL_FULL);
    ingest_count_lost(before.too_old, counts.too_old, PUSH_DROP_TOO_OLD);
    write_spool_count_bytes(e->label, before.bytes, counts.bytes);
    e->spool_told = counts;
    if (*problem && !e->spool_is_broken)
        log_warn("cannot keep bodies of /ingest on disk; they wait in memory", L_COMPONENT(e->env->component_id),
                 L_STR("endpoint", e->label), L_STR("err", problem));
    e->spool_is_broken = *problem != '\0';
    e->pump(e);
}

void ingest_open_spool(struct ingest_endpoint *e)
{
    static const struct write_spool_events events = {ingest_on_taken, ingest_on_changed};
    const struct spool_limits limits = {e->args->spool.max_bytes, e->args->spool.max_age};
    const char *storage = e->env->storage_path;
    if (e->spool)
        write_spool_limit(e->spool, &limits);
    if (e->spool || !storage || !*storage || !limits.bytes)
        return;
    cleanup_free char *key = xasprintf("%s %s %s /ingest", e->env->component_id, e->label, e->args->name);
    cleanup_free char *path = write_spool_path(storage, key);
    e->spool = write_spool_new(e->env->loop, path, &limits, sender_clock_offset_ns, &events, e);
}

void ingest_close_spool(struct ingest_endpoint *e)
{
    write_spool_count_bytes(e->label, e->spool_told.bytes, 0);
    write_spool_forget_bytes(e->label);
    write_spool_close(e->spool);
    e->spool = NULL;
}

bool ingest_forget_copy(struct ingest_endpoint *e, const struct ingest_item *i, bool keep)
{
    struct spooled *copy = i->copy;
    if (!copy)
        return false;
    const bool kept = keep && !write_spool_has_failed(copy);
    if (kept)
        write_spool_release(e->spool, copy);
    else
        write_spool_finish(e->spool, copy);
    return kept;
}

/* --- to the disk and back --- */

static bool ingest_is_failing(const struct ingest_endpoint *e)
{
    return e->is_down || e->is_draining || e->failed || e->bytes > INGEST_MEMORY;
}

static void ingest_store(struct ingest_endpoint *e, struct ingest_item *i, bool all, int64_t now)
{
    if ((i->copy && !write_spool_has_failed(i->copy)) || (!all && now - i->since_ns < AFTER_MS * NS_PER_MS))
        return;
    if (i->copy)
        write_spool_finish(e->spool, i->copy);
    i->copy = write_spool_store(e->spool, i->labels, i->profile);
}

/* The newest first, as the oldest are sent next. What failed by itself stays, for its attempts are counted here. */
static void ingest_unload(struct ingest_endpoint *e)
{
    for (struct list *at = e->queue.prev, *before; at != &e->queue && e->bytes > INGEST_MEMORY; at = before) {
        struct ingest_item *i = list_entry(at, struct ingest_item, node);
        before = at->prev;
        if (!i->copy || !write_spool_is_stored(i->copy) || i == e->sent || (i->attempts && !e->is_down))
            continue;
        (void)ingest_forget_copy(e, i, true);
        ingest_item_free(e, i);
    }
}

static bool ingest_may_take(const struct ingest_endpoint *e)
{
    if (e->is_taking || e->is_draining || !write_spool_counts(e->spool).waiting)
        return false;
    return e->is_down ? list_empty(&e->queue) : e->bytes < INGEST_MEMORY / 2;
}

void ingest_spill(struct ingest_endpoint *e)
{
    if (!e->spool)
        return;
    const int64_t now = sender_now_ns();
    const bool all = ingest_is_failing(e);
    list_each(&e->queue, node) ingest_store(e, list_entry(node, struct ingest_item, node), all, now);
    if (!e->is_draining)
        ingest_unload(e);
    if (!ingest_may_take(e) || now < e->replay_ns)
        return;
    e->is_taking = true;
    write_spool_take(e->spool, REPLAY_BATCH);
}

int64_t ingest_spill_due_ns(const struct ingest_endpoint *e)
{
    int64_t due = INT64_MAX;
    if (!e->spool)
        return due;
    list_each(&e->queue, node)
    {
        const struct ingest_item *i = list_entry(node, struct ingest_item, node);
        if (!i->copy && i->since_ns + AFTER_MS * NS_PER_MS < due)
            due = i->since_ns + AFTER_MS * NS_PER_MS;
    }
    return ingest_may_take(e) && e->replay_ns < due ? e->replay_ns : due;
}
