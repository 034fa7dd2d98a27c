#include "parser/parser_idle.h"

#include "base/work.h"

static void parser_idle_work(uv_work_t *work)
{
    const struct parser_idle *i = work->data;
    parser_pool_trim(i->pool, i->idle_ms);
}

static void parser_idle_worked(uv_work_t *work, int status)
{
    struct parser_idle *i = work->data;
    (void)status;
    i->working = false;
}

static void parser_idle_look(uv_timer_t *timer)
{
    struct parser_idle *i = timer->data;
    if (i->working || !parser_pool_is_idle(i->pool, i->idle_ms))
        return;
    i->working = true;
    work_queue(timer->loop, &i->work, parser_idle_work, parser_idle_worked);
}

void parser_idle_begin(struct parser_idle *i, uv_loop_t *loop, struct parser_pool *pool, unsigned idle_ms)
{
    enum { LOOKS = 5 };
    *i = (struct parser_idle){.pool = pool, .idle_ms = idle_ms};
    i->timer.data = i->work.data = i;
    uv_timer_init(loop, &i->timer);
    uv_timer_start(&i->timer, parser_idle_look, idle_ms / LOOKS, idle_ms / LOOKS);
    uv_unref((uv_handle_t *)&i->timer);
}

void parser_idle_end(struct parser_idle *i)
{
    if (!i->pool)
        return;
    uv_timer_stop(&i->timer);
    while (i->working)
        uv_run(i->timer.loop, UV_RUN_ONCE);
}
