#include "store/lane.h"

static void next_batch(struct lane *l);

static void run_batch(uv_work_t *w)
{
    struct lane *l = w->data;
    l->run(l->ctx, &l->batch);
}

static void after_batch(uv_work_t *w, int status)
{
    (void)status;
    struct lane *l = w->data;
    /* A job's end may submit the next one: they queue up behind this batch. */
    list_each(&l->batch, node)
    {
        list_del(node);
        struct lane_job *job = list_entry(node, struct lane_job, link);
        job->done(job);
    }
    l->busy = false;
    next_batch(l);
}

static void next_batch(struct lane *l)
{
    if (l->busy)
        return;
    for (unsigned n = 0; n < l->batch_max && !list_empty(&l->queue); n++) {
        struct lane_job *job = list_entry(l->queue.next, struct lane_job, link);
        list_del(&job->link);
        list_push(&l->batch, &job->link);
        l->count--;
        l->bytes -= job->bytes;
    }
    if (!list_empty(&l->batch)) {
        l->busy = true;
        uv_queue_work(l->loop, &l->work, run_batch, after_batch);
    } else if (l->closing) {
        l->idle(l->ctx);
    }
}

void lane_init(struct lane *l, uv_loop_t *loop, unsigned batch_max, void (*run)(void *ctx, struct list *batch),
               void *ctx)
{
    *l = (struct lane){.loop = loop, .batch_max = batch_max, .run = run, .ctx = ctx};
    l->work.data = l;
    list_init(&l->queue);
    list_init(&l->batch);
}

void lane_submit(struct lane *l, struct lane_job *job)
{
    list_push(&l->queue, &job->link);
    l->count++;
    l->bytes += job->bytes;
    next_batch(l);
}

void lane_close(struct lane *l, void (*idle)(void *ctx))
{
    l->idle = idle;
    l->closing = true;
    next_batch(l);
}
