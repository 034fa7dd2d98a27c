#include "base/drain.h"

#include "test.h"

static int told;

static void on_closed(void *arg)
{
    told += *(int *)arg;
}

static void without_work_it_ends_at_once(void)
{
    struct drain d = {0};
    int one = 1;
    told = 0;
    CHECK(drain_close(&d, on_closed, &one));
    drain_tell(&d);
    CHECK_INT(told, 1);
}

static void with_work_it_ends_with_the_last_of_it(void)
{
    struct drain d = {0};
    int one = 1;
    told = 0;
    drain_take(&d);
    CHECK(!drain_give(&d)); /* it goes on */
    drain_take(&d);
    drain_take(&d);
    CHECK(!drain_close(&d, on_closed, &one));
    CHECK(!drain_give(&d));
    CHECK_INT(told, 0);
    CHECK(drain_give(&d));
    drain_tell(&d);
    CHECK_INT(told, 1);
}

static void nobody_need_be_told(void)
{
    struct drain d = {0};
    CHECK(drain_close(&d, NULL, NULL));
    drain_tell(&d);
}

int main(void)
{
    RUN(without_work_it_ends_at_once);
    RUN(with_work_it_ends_with_the_last_of_it);
    RUN(nobody_need_be_told);
    return REPORT();
}
