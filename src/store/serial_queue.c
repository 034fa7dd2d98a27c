#include "store/serial_queue.h"

#include "base/cleanup.h"
#include "base/work.h"

static void serial_queue_next_batch(struct serial_queue *q);

static void serial_queue_run_batch(uv_work_t *w)
{
    struct serial_queue *q = w->data;
    q->run(q->ctx, &q->batch);
}

static void serial_queue_after_batch(uv_work_t *w, int status)
{
    (void)status;
    struct serial_queue *q = w->data;
    /* A job's end may submit the next one: they queue up behind this batch. */
    list_each(&q->batch, node)
    {
        list_del(node);
        struct serial_job *job = list_entry(node, struct serial_job, link);
        job->done(job);
    }
    q->busy = false;
    serial_queue_next_batch(q);
}

static void serial_queue_next_batch(struct serial_queue *q)
{
    if (q->busy)
        return;
    if (q->holds) {
        void (*held)(void *ctx) = TAKE_PTR(q->held);
        if (held)
            held(q->ctx);
        return;
    }
    for (unsigned n = 0; n < q->batch_max && !list_empty(&q->queue); n++) {
        struct serial_job *job = list_entry(q->queue.next, struct serial_job, link);
        list_del(&job->link);
        list_push(&q->batch, &job->link);
        q->count--;
        q->bytes -= job->bytes;
    }
    if (!list_empty(&q->batch)) {
        q->busy = true;
        work_queue(q->loop, &q->work, serial_queue_run_batch, serial_queue_after_batch);
    } else if (q->closing) {
        q->idle(q->ctx);
    }
}

void serial_queue_init(struct serial_queue *q, uv_loop_t *loop, unsigned batch_max,
                       void (*run)(void *ctx, struct list *batch), void *ctx)
{
    *q = (struct serial_queue){.loop = loop, .batch_max = batch_max, .run = run, .ctx = ctx};
    q->work.data = q;
    list_init(&q->queue);
    list_init(&q->batch);
}

void serial_queue_submit(struct serial_queue *q, struct serial_job *job)
{
    list_push(&q->queue, &job->link);
    q->count++;
    q->bytes += job->bytes;
    serial_queue_next_batch(q);
}

void serial_queue_close(struct serial_queue *q, void (*idle)(void *ctx))
{
    q->idle = idle;
    q->closing = true;
    serial_queue_next_batch(q);
}

void serial_queue_hold(struct serial_queue *q, void (*held)(void *ctx))
{
    q->holds = true;
    q->held = held;
    serial_queue_next_batch(q);
}

void serial_queue_release(struct serial_queue *q)
{
    q->holds = false;
    serial_queue_next_batch(q);
}
