#include "components/pyroscope_write_sender_settle.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "components/pyroscope_write_sender_spill.h"

/* A profile of this size that failed so often for a rate limit is split. */
enum { RATE_ATTEMPTS = 3, RATE_BYTES = 32 << 10 };

/* Two pushes that fail together are one failure of the endpoint: the wait grows once, but the longer Retry-After
 * counts. */
static void sender_wait_after_failure(struct sender *s, int64_t retry_after_ms)
{
    int64_t asked = retry_after_ms * NS_PER_MS, most = SENDER_QUEUE_AGE_S * NS_PER_SEC, now = sender_now_ns();
    int64_t wait = s->wait_until_ns ? 0 : push_backoff_next(&s->backoff, sender_jitter());
    if (asked > wait)
        wait = asked < most ? asked : most;
    if (now + wait > s->wait_until_ns)
        s->wait_until_ns = now + wait;
}

/* --- whose fault it is --- */

/* The endpoint took a profile that was sent at `begun_ns`: what failed before is at fault itself. */
static void sender_blame_failed(struct sender *s, int64_t begun_ns)
{
    const int64_t most = s->args->max_backoff_retries;
    list_each(&s->queue.items, node)
    {
        struct push_item *item = list_entry(node, struct push_item, node);
        if (!item->pending || item->failed_ns > begun_ns)
            continue;
        item->judged += item->pending;
        item->pending = 0;
        if (most > 0 && item->judged >= most)
            push_queue_drop_queued(&s->queue, item, PUSH_DROP_RETRIES);
    }
}

/* It is down: what failed says nothing about the profiles. */
static void sender_forgive_failed(struct sender *s)
{
    list_each(&s->queue.items, node) list_entry(node, struct push_item, node)->pending = 0;
}

/* A profile that fails may be at fault itself. Once another one fails, too, or the failure can have nothing to do with
 * the profile, it is the endpoint. */
static void sender_suspect(struct sender *s, const struct push_item *item, bool is_endpoint, int64_t retry_after_ms)
{
    if (s->draining)
        return;
    if (is_endpoint || s->is_down || (s->suspect && s->suspect != item->number + 1)) {
        s->is_down = true;
        sender_forgive_failed(s);
        sender_wait_after_failure(s, retry_after_ms);
    }
    s->suspect = item->number + 1;
}

static void sender_succeed_item(struct sender *s, struct push_item *item)
{
    sender_count_sent(s, item);
    sender_observe_item(s, item);
    (void)sender_forget_copy(s, item, false);
    push_queue_finish(&s->queue, item);
}

/* The endpoint has taken a profile, sent at `begun_ns`. */
static void sender_note_success(struct sender *s, int64_t begun_ns)
{
    sender_blame_failed(s, begun_ns);
    s->last_success_s = time(NULL);
    s->state = SENDER_OK;
    s->is_down = false;
    s->wait_until_ns = 0;
    push_backoff_reset(&s->backoff, s->args->min_backoff_period, s->args->max_backoff_period);
    if (!push_queue_has_failed(&s->queue))
        write_trouble_end(&s->trouble, s->set->shown, s->lost, sender_now_ns());
}

static void sender_succeed(struct sender *s, struct list *items, int64_t begun_ns)
{
    for (struct push_item *item; (item = sender_first_item(items));)
        sender_succeed_item(s, item);
    s->suspect = 0;
    sender_note_success(s, begun_ns);
}

/* --- profiles that a server does not take as they are --- */

static void sender_on_fit(void *arg, const struct write_fit_parts *parts)
{
    struct fitting *f = arg;
    struct sender *s = f->sender;
    struct push_item *item = f->item;
    list_del(&f->node);
    free(f);
    if (parts->len) {
        (void)sender_forget_copy(s, item, false);
        push_queue_replace(&s->queue, item, parts->items, parts->len);
    } else {
        profile_origin_reject(item->profile->origin, s->trouble.last_error);
        push_queue_drop(&s->queue, item, PUSH_DROP_REJECTED);
    }
    for (size_t i = 0; i < parts->len; i++)
        encoded_profile_unref(parts->items[i]);
    if (parts->lost)
        log_warn("samples dropped: larger than the server's limit by themselves", L_COMPONENT(s->env.component_id),
                 L_STR("endpoint", s->set->shown), L_INT("samples", parts->lost));
    sender_publish_queue(s);
    s->pump(s);
}

static void sender_split(struct sender *s, struct push_item *item, struct push_limit limit)
{
    struct fitting *f = xcalloc(1, sizeof *f);
    list_del(&item->node);
    *f = (struct fitting){.sender = s, .item = item};
    list_push(&s->fitting, &f->node);
    f->fit = write_fit_start(s->env.loop, item->profile, limit, sender_on_fit, f);
}

void sender_cancel_fitting(struct sender *s)
{
    list_each(&s->fitting, node)
    {
        struct fitting *f = list_entry(node, struct fitting, node);
        write_fit_cancel(f->fit);
        list_del(&f->node);
        push_queue_drop(&s->queue, f->item, PUSH_DROP_SHUTDOWN);
        free(f);
    }
}

/* Changes what exceeds a limit, and queues it again. False: there is nothing to change. */
static bool sender_adapt(struct sender *s, struct push_item *item, struct push_limit limit)
{
    if (limit.kind == PUSH_LIMIT_SAMPLES || limit.kind == PUSH_LIMIT_BYTES) {
        sender_split(s, item, limit);
        return true;
    }
    struct labels *fewer = write_fit_labels(item->labels, limit);
    if (!fewer)
        return false;
    s->labels_fit = limit;
    push_queue_relabel(item, fewer);
    push_queue_put_back(&s->queue, item);
    return true;
}

static void sender_reject_item(struct sender *s, struct push_item *item, struct push_limit limit, const char *reason)
{
    if (sender_adapt(s, item, limit))
        return;
    write_trouble_set_error(&s->trouble, reason);
    write_trouble_rejected(&s->trouble, s->set->shown, item->labels, sender_now_ns());
    profile_origin_reject(item->profile->origin, reason);
    push_queue_drop(&s->queue, item, PUSH_DROP_REJECTED);
    s->state = SENDER_REJECTED;
}

/* A profile above the burst size of a rate limit fails at any time, however long it waits. */
static bool sender_is_above_burst(const struct push_item *item, struct push_limit limit)
{
    return limit.kind == PUSH_LIMIT_RATE && item->attempts >= RATE_ATTEMPTS && item->profile->len >= RATE_BYTES;
}

/* Whether it had its attempts and is not worth waiting for the proof that the endpoint takes others: there is none to
 * prove it by, and no disk to wait on. */
static bool sender_gives_up(const struct sender *s, const struct push_item *item)
{
    const int64_t most = s->args->max_backoff_retries;
    return most > 0 && item->judged + item->pending >= most && !s->spool && !s->queue.len && !s->in_flight;
}

/* `shared`: of several in one request, any may be the cause. */
static void sender_retry_item(struct sender *s, struct push_item *item, struct push_limit limit, bool shared)
{
    item->attempts++;
    item->pending += !s->is_down && !shared;
    item->failed_ns = sender_now_ns();
    item->alone = true;
    item->wait_until_ns = sender_now_ns() + push_backoff_after(s->args->min_backoff_period, s->args->max_backoff_period,
                                                               item->attempts, sender_jitter());
    if (s->draining)
        push_queue_drop(&s->queue, item, PUSH_DROP_SHUTDOWN);
    else if (sender_is_above_burst(item, limit))
        sender_split(s, item, limit);
    else if (sender_gives_up(s, item))
        push_queue_drop(&s->queue, item, PUSH_DROP_RETRIES);
    else
        push_queue_put_back(&s->queue, item);
}

/* --- what happened --- */

static void sender_note_failure(struct sender *s, const char *reason)
{
    write_trouble_set_error(&s->trouble, reason);
    s->state = SENDER_FAILING;
    write_trouble_begin(&s->trouble, s->set->shown, s->lost, sender_now_ns());
}

static bool sender_has_stored(const struct push_verdict *verdicts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (verdicts[i].result == PUSH_OK)
            return true;
    }
    return false;
}

/* The server says which profiles it has not stored. One that stores others is not down. */
static void sender_judge_each(struct sender *s, struct list *items, size_t n, const struct push_outcome *o)
{
    const struct push_verdict *verdicts = o->verdicts, *failed = NULL;
    const bool stored = sender_has_stored(verdicts, n);
    for (struct push_item *item; (item = sender_first_item(items)); verdicts++) {
        if (verdicts->result == PUSH_RETRY) {
            if (!stored || o->retry_after_ms)
                sender_suspect(s, item, false, o->retry_after_ms);
            sender_retry_item(s, item, verdicts->limit, false);
            failed = verdicts;
        } else if (verdicts->result == PUSH_REJECTED) {
            sender_reject_item(s, item, verdicts->limit, verdicts->reason);
        } else {
            sender_succeed_item(s, item);
        }
    }
    if (stored)
        s->suspect = 0;
    if (failed)
        sender_note_failure(s, failed->reason);
    if (failed && stored)
        sender_blame_failed(s, sender_now_ns());
    else if (stored)
        sender_note_success(s, sender_now_ns());
}

/* Of several it may be one that the server does not want: each is to be judged by itself. */
static void sender_try_each_alone(struct sender *s, struct list *items)
{
    for (struct push_item *item; (item = sender_first_item(items));) {
        item->alone = true;
        push_queue_put_back(&s->queue, item);
    }
}

/* Without a connection no profile was looked at. */
static bool sender_is_endpoint_failure(const struct push_outcome *o)
{
    return o->retry_after_ms > 0 || (o->status == 0 && o->failure != HTTP_TIMED_OUT && o->failure != HTTP_BROKEN);
}

static void sender_fail(struct sender *s, struct list *items, bool several, const struct push_outcome *o)
{
    if (o->result == PUSH_REJECTED) { /* it answers, so the next profile needs no wait */
        push_backoff_reset(&s->backoff, s->args->min_backoff_period, s->args->max_backoff_period);
        sender_reject_item(s, sender_first_item(items), o->limit, o->reason);
        return;
    }
    sender_note_failure(s, o->reason);
    sender_suspect(s, sender_first_item(items), sender_is_endpoint_failure(o), o->retry_after_ms);
    for (struct push_item *item; (item = sender_first_item(items));)
        sender_retry_item(s, item, o->limit, several);
}

void sender_settle(struct flight *f, const struct push_outcome *o)
{
    struct sender *s = f->sender;
    const size_t n = f->len;
    f->len = 0;
    f->push = NULL;
    sender_count_push(s, o->result);
    if (o->result == PUSH_OK)
        sender_succeed(s, &f->items, f->begun_ns);
    else if (o->verdicts)
        sender_judge_each(s, &f->items, n, o);
    else if (o->result == PUSH_REJECTED && n > 1)
        sender_try_each_alone(s, &f->items);
    else
        sender_fail(s, &f->items, n > 1, o);
    sender_publish_queue(s);
}
