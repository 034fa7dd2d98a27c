#include "base/work.h"

#include <pthread.h>

#include "test.h"

static uv_loop_t loop;
static pthread_t worker;
static unsigned done, ended;

static void run(uv_work_t *w)
{
    (void)w;
    worker = pthread_self();
    done++;
}

static void after(uv_work_t *w, int status)
{
    (void)w;
    CHECK_INT(status, 0);
    ended++;
}

static void it_is_done_by_another_thread(void)
{
    uv_work_t w;
    done = ended = 0;
    work_queue(&loop, &w, run, after);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(done, 1);
    CHECK_INT(ended, 1);
    CHECK(!pthread_equal(worker, pthread_self()));
}

static void what_is_held_back_is_done_later(void)
{
    uv_work_t first, second;
    done = ended = 0;
    work_hold();
    work_queue(&loop, &first, run, after);
    work_queue(&loop, &second, run, after);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(done, 0);
    CHECK(!work_cancel(&second)); /* its owner waits for the end in any case */
    work_release();
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(done, 2);
    CHECK_INT(ended, 2);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(it_is_done_by_another_thread);
    RUN(what_is_held_back_is_done_later);
    CHECK_INT(uv_loop_close(&loop), 0);
    return REPORT();
}
