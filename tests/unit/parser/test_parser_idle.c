/* A second parser process that nobody needs any more. */
#include "parser/parser_idle.h"

#include <signal.h>

#include "base/clock.h"
#include "parser/parser_main.h"
#include "test.h"

enum { IDLE_MS = 100, PATIENCE_MS = 60000 };

static const char *program;
static const struct parser_service *const services[] = {NULL};

static struct parser_process_ref take(struct parser_pool *pool)
{
    struct parser_process_ref r = {0};
    struct err err = {0};
    int64_t retry_ms;
    CHECK_INT(parser_pool_take(pool, PARSER_ANY, 0, false, &r, &retry_ms, &err), 0);
    return r;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static void run_until_idle(uv_loop_t *loop, struct parser_pool *pool)
{
    uv_timer_t tick;
    const int64_t until = clock_ms() + PATIENCE_MS;
    uv_timer_init(loop, &tick);
    uv_timer_start(&tick, on_tick, 5, 5);
    while (clock_ms() < until && parser_pool_is_idle(pool, 0))
        uv_run(loop, UV_RUN_ONCE);
    CHECK(!parser_pool_is_idle(pool, 0));
    uv_close((uv_handle_t *)&tick, NULL);
}

static void the_second_process_ends_when_it_is_idle_and_comes_again(void)
{
    uv_loop_t loop;
    struct parser_idle idle;
    struct parser_pool *pool = parser_pool_new(program, NULL);
    uv_loop_init(&loop);
    struct parser_process_ref first = take(pool), second = take(pool);
    CHECK(first.pid != second.pid);
    parser_pool_trim(pool, 0); /* both are busy */
    CHECK_INT(kill(second.pid, 0), 0);
    parser_pool_give(pool, &first);
    parser_pool_give(pool, &second);
    CHECK(!parser_pool_is_idle(pool, PATIENCE_MS));
    parser_pool_trim(pool, PATIENCE_MS);
    CHECK_INT(kill(second.pid, 0), 0);

    parser_idle_begin(&idle, &loop, pool, IDLE_MS);
    run_until_idle(&loop, pool);
    parser_idle_end(&idle);
    CHECK(kill(second.pid, 0) < 0);
    CHECK_INT(kill(first.pid, 0), 0); /* every interval needs one */

    const struct parser_process_ref again = take(pool), other = take(pool);
    CHECK_INT(again.pid, first.pid);
    CHECK(other.pid != second.pid && other.generation != second.generation);
    parser_pool_give(pool, &again);
    parser_pool_give(pool, &other);
    uv_close((uv_handle_t *)&idle.timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
    parser_pool_free(pool);
}

static void its_timer_keeps_no_loop_alive(void)
{
    uv_loop_t loop;
    struct parser_idle idle;
    struct parser_pool *pool = parser_pool_new(program, NULL);
    uv_loop_init(&loop);
    parser_idle_begin(&idle, &loop, pool, PATIENCE_MS);
    CHECK_INT(uv_run(&loop, UV_RUN_DEFAULT), 0);
    parser_idle_end(&idle);
    uv_close((uv_handle_t *)&idle.timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
    parser_pool_free(pool);
}

int main(int argc, char **argv)
{
    parser_main(argc, argv, services, NULL);
    program = argv[0];
    RUN(the_second_process_ends_when_it_is_idle_and_comes_again);
    RUN(its_timer_keeps_no_loop_alive);
    return REPORT();
}
