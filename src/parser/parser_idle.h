/* Ends parser processes that nobody has needed for a while: all but the first, which every interval needs. The second
 * is started while the first is busy, and would stay for good after one busy moment.
 *
 * A timer looks for them, without keeping the loop alive; a worker ends them, because that waits for whoever started
 * them. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "parser/parser_pool.h"

enum { PARSER_IDLE_MS = 5 * 60 * 1000 };

struct parser_idle {
    struct parser_pool *pool;
    uv_timer_t timer;
    uv_work_t work;
    unsigned idle_ms;
    bool working;
};

/* Looks for processes without work for `idle_ms`, five times in that time. `i` stays where it is until its timer has
 * been closed, which is up to the loop's owner. */
void parser_idle_begin(struct parser_idle *i, uv_loop_t *loop, struct parser_pool *pool, unsigned idle_ms);
/* Before the pool is freed: runs the loop until the worker is done. */
void parser_idle_end(struct parser_idle *i);
