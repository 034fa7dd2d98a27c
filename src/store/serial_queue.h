/* Serial queue: jobs for libuv workers, one batch at a time and in order, so that data shared by the jobs needs no
 * lock.
 *
 * Owned by the loop thread; the running batch belongs to the worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/list.h"

struct serial_job {
    struct list link;
    size_t bytes;                         /* memory it holds while queued */
    void (*done)(struct serial_job *job); /* on the loop; the job is the callee's to free */
};

struct serial_queue {
    uv_loop_t *loop;
    uv_work_t work;
    struct list queue, batch;
    size_t count, bytes; /* queued, not running */
    unsigned batch_max;
    bool busy;
    void (*run)(void *ctx, struct list *batch); /* in a worker */
    void *ctx;
    void (*idle)(void *ctx); /* on the loop, after serial_queue_close() and the last job */
    bool closing;
    bool holds;
    void (*held)(void *ctx); /* on the loop; NULL = it was called */
};

void serial_queue_init(struct serial_queue *q, uv_loop_t *loop, unsigned batch_max,
                       void (*run)(void *ctx, struct list *batch), void *ctx);
void serial_queue_submit(struct serial_queue *q, struct serial_job *job);
/* Calls `idle`, perhaps before it returns, after the last job. No further submissions. */
void serial_queue_close(struct serial_queue *q, void (*idle)(void *ctx));
/* Calls `held` once no batch runs, perhaps before it returns; none begins before serial_queue_release(). */
void serial_queue_hold(struct serial_queue *q, void (*held)(void *ctx));
void serial_queue_release(struct serial_queue *q);
