#include "base/work.h"

#include <stdlib.h>

#include "base/mem.h"

struct held_work {
    uv_loop_t *loop;
    uv_work_t *req;
    uv_work_cb work;
    uv_after_work_cb after;
};

static struct held_work *held;
static size_t held_count, held_cap;
static bool is_holding;

/* It fails for want of a callback only. */
static void work_begin(const struct held_work *w)
{
    (void)uv_queue_work(w->loop, w->req, w->work, w->after);
}

void work_queue(uv_loop_t *loop, uv_work_t *req, uv_work_cb work, uv_after_work_cb after)
{
    const struct held_work w = {loop, req, work, after};
    if (!is_holding) {
        work_begin(&w);
        return;
    }
    xgrow(&held, &held_cap, held_count + 1, sizeof *held);
    held[held_count++] = w;
}

bool work_cancel(uv_work_t *req)
{
    for (size_t i = 0; i < held_count; i++) {
        if (held[i].req == req)
            return false;
    }
    return uv_cancel((uv_req_t *)req) == 0;
}

void work_hold(void)
{
    is_holding = true;
}

void work_release(void)
{
    const size_t n = held_count;
    is_holding = false;
    held_count = 0;
    for (size_t i = 0; i < n; i++)
        work_begin(&held[i]);
    free(held);
    held = NULL;
    held_cap = 0;
}
