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

/* A profile that fails may be at fault itself. Once another one fails, too, or the failure can have nothing to do with
 * the profile, it is the endpoint. */
static void sender_suspect(struct sender *s, const struct push_item *item, bool is_endpoint, int64_t retry_after_ms)
{
    if (s->draining)
        return;
    if (is_endpoint || s->is_down || (s->suspect && s->suspect != item->number + 1)) {
        s->is_down = true;
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

/* The endpoint has taken a profile. */
static void sender_note_success(struct sender *s)
{
    s->last_success_s = time(NULL);
    s->state = SENDER_OK;
    s->is_down = false;
    s->wait_until_ns = 0;
    push_backoff_reset(&s->backoff, s->args->min_backoff_period, s->args->max_backoff_period);
    if (!push_queue_has_failed(&s->queue))
        write_trouble_end(&s->trouble, s->set->shown, s->lost, sender_now_ns());
}

static void sender_succeed(struct sender *s, struct list *items)
{
    for (struct push_item *item; (item = sender_first_item(items));)
        sender_succeed_item(s, item);
    s->suspect = 0;
    sender_note_success(s);
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

static void sender_retry_item(struct sender *s, struct push_item *item, struct push_limit limit)
{
    const int64_t most = s->args->max_backoff_retries;
    item->attempts++;
    item->judged += !s->is_down || !s->spool; /* an outage says nothing about what is kept on disk */
    item->alone = true;
    item->wait_until_ns = sender_now_ns() + push_backoff_after(s->args->min_backoff_period, s->args->max_backoff_period,
                                                               item->attempts, sender_jitter());
    if (s->draining)
        push_queue_drop(&s->queue, item, PUSH_DROP_SHUTDOWN);
    else if (sender_is_above_burst(item, limit))
        sender_split(s, item, limit);
    else if (most > 0 && item->judged >= most)
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

/* The server says which profiles it has not stored. */
static void sender_judge_each(struct sender *s, struct list *items, const struct push_verdict *verdicts,
                              int64_t retry_after_ms)
{
    const struct push_verdict *failed = NULL;
    bool stored = false;
    for (struct push_item *item; (item = sender_first_item(items)); verdicts++) {
        if (verdicts->result == PUSH_RETRY) {
            sender_suspect(s, item, false, retry_after_ms);
            sender_retry_item(s, item, verdicts->limit);
            failed = verdicts;
        } else if (verdicts->result == PUSH_REJECTED) {
            sender_reject_item(s, item, verdicts->limit, verdicts->reason);
        } else {
            sender_succeed_item(s, item);
            stored = true;
        }
    }
    if (failed)
        sender_note_failure(s, failed->reason);
    else if (stored)
        sender_note_success(s);
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

static void sender_fail(struct sender *s, struct list *items, const struct push_outcome *o)
{
    if (o->result == PUSH_REJECTED) { /* it answers, so the next profile needs no wait */
        push_backoff_reset(&s->backoff, s->args->min_backoff_period, s->args->max_backoff_period);
        sender_reject_item(s, sender_first_item(items), o->limit, o->reason);
        return;
    }
    sender_note_failure(s, o->reason);
    sender_suspect(s, sender_first_item(items), sender_is_endpoint_failure(o), o->retry_after_ms);
    for (struct push_item *item; (item = sender_first_item(items));)
        sender_retry_item(s, item, o->limit);
}

void sender_settle(struct flight *f, const struct push_outcome *o)
{
    struct sender *s = f->sender;
    const bool several = f->len > 1;
    f->len = 0;
    f->push = NULL;
    sender_count_push(s, o->result);
    if (o->result == PUSH_OK)
        sender_succeed(s, &f->items);
    else if (o->verdicts)
        sender_judge_each(s, &f->items, o->verdicts, o->retry_after_ms);
    else if (o->result == PUSH_REJECTED && several)
        sender_try_each_alone(s, &f->items);
    else
        sender_fail(s, &f->items, o);
    sender_publish_queue(s);
}
