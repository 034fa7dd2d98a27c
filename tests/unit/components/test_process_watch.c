/* That /proc is read beside the loop, and who is told. */
#include "components/process_watch.h"

#include <unistd.h>

#include "test.h"

struct told {
    unsigned count;
    int code;
    struct process_poll poll;
};

static void on_looked(void *arg, int code, const struct process_poll *poll, const char *why)
{
    struct told *told = arg;
    (void)why;
    told->count++;
    told->code = code;
    told->poll = *poll;
}

static void a_look_does_not_hold_up_the_loop(void)
{
    uv_loop_t loop;
    struct told told = {0};
    uv_loop_init(&loop);
    struct process_watch w = {.loop = &loop, .looked = on_looked, .arg = &told};
    CHECK(process_watch_look(&w, true));
    CHECK_INT(told.count, 0); /* the worker reads; the loop goes on */
    CHECK(!process_watch_look(&w, true));
    CHECK_INT(w.table.len, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(told.count, 1);
    CHECK_INT(told.code, 0);
    CHECK(told.poll.changed);
    const struct process *self = process_table_find(&w.table, getpid());
    CHECK(self && self->pending == READ_ALL);
    process_watch_done(&w);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static void nobody_is_told_of_a_look_that_was_given_up(void)
{
    uv_loop_t loop;
    struct told told = {0};
    uv_loop_init(&loop);
    struct process_watch w = {.loop = &loop, .looked = on_looked, .arg = &told};
    CHECK(process_watch_look(&w, true));
    process_watch_done(&w);
    CHECK(process_watch_look(&w, true)); /* another one beside it */
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(told.count, 1);
    CHECK(w.table.len > 0);
    process_watch_done(&w);
    CHECK_INT(w.table.len, 0);
    CHECK_INT(uv_loop_close(&loop), 0);
}

int main(void)
{
    RUN(a_look_does_not_hold_up_the_loop);
    RUN(nobody_is_told_of_a_look_that_was_given_up);
    return REPORT();
}
