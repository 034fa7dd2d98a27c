#include "store/serial_queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

enum { JOBS = 10, BATCH = 3 };

static uv_loop_t loop;
static struct serial_queue queue;
static size_t largest_batch, running, ran, done;
static bool idle, again;

struct numbered {
    struct serial_job base;
    size_t number;
};

static void run(void *ctx, struct list *batch)
{
    CHECK(ctx == &queue);
    CHECK_INT(running++, 0); /* never two at once */
    size_t n = 0;
    list_each(batch, node)
    {
        const struct numbered *job = (const struct numbered *)list_entry(node, struct serial_job, link);
        CHECK_INT(job->number, ran++);
        n++;
    }
    largest_batch = n > largest_batch ? n : largest_batch;
    running--;
}

static void submit(size_t number);

static void on_done(struct serial_job *base)
{
    const struct numbered *job = (const struct numbered *)base;
    CHECK_INT(job->number, done++);
    if (again && done == JOBS)
        submit(JOBS);
    free(base);
}

static void submit(size_t number)
{
    struct numbered *job = calloc(1, sizeof *job);
    job->base = (struct serial_job){.bytes = 100, .done = on_done};
    list_init(&job->base.link);
    job->number = number;
    serial_queue_submit(&queue, &job->base);
}

static void on_idle(void *ctx)
{
    CHECK(ctx == &queue);
    idle = true;
}

static void set_up(void)
{
    largest_batch = running = ran = done = 0;
    idle = again = false;
    serial_queue_init(&queue, &loop, BATCH, run, &queue);
}

static void jobs_run_in_order_and_one_batch_at_a_time(void)
{
    set_up();
    for (size_t i = 0; i < JOBS; i++)
        submit(i);
    /* The first one is at work already; the others wait and are weighed. */
    CHECK_INT(queue.count, JOBS - 1);
    CHECK_INT(queue.bytes, 100 * (JOBS - 1));
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(ran, JOBS);
    CHECK_INT(done, JOBS);
    CHECK_INT(largest_batch, BATCH);
    CHECK_INT(queue.count + queue.bytes, 0);
}

static void a_job_that_ends_may_submit_the_next(void)
{
    set_up();
    again = true;
    for (size_t i = 0; i < JOBS; i++)
        submit(i);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(done, JOBS + 1);
}

static void a_close_waits_for_what_is_queued(void)
{
    set_up();
    for (size_t i = 0; i < JOBS; i++)
        submit(i);
    serial_queue_close(&queue, on_idle);
    CHECK(!idle);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(idle);
    CHECK_INT(done, JOBS);
}

static void a_close_without_jobs_is_over_at_once(void)
{
    set_up();
    serial_queue_close(&queue, on_idle);
    CHECK(idle);
}

static int holds;

static void on_held(void *ctx)
{
    CHECK(ctx == &queue);
    CHECK_INT(running, 0);
    holds++;
}

static void a_held_queue_begins_nothing(void)
{
    set_up();
    holds = 0;
    for (size_t i = 0; i < JOBS; i++)
        submit(i);
    serial_queue_hold(&queue, on_held);
    CHECK_INT(holds, 0); /* a batch runs */
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(holds, 1);
    const size_t before = done;
    CHECK(before < JOBS);
    serial_queue_close(&queue, on_idle);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(done, before);
    CHECK(!idle);
    serial_queue_release(&queue);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(done, JOBS);
    CHECK(idle);
    CHECK_INT(holds, 1);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(jobs_run_in_order_and_one_batch_at_a_time);
    RUN(a_job_that_ends_may_submit_the_next);
    RUN(a_close_waits_for_what_is_queued);
    RUN(a_close_without_jobs_is_over_at_once);
    RUN(a_held_queue_begins_nothing);
    uv_loop_close(&loop);
    return REPORT();
}
