#include "graph/health.h"

#include "base/mem.h"
#include "test.h"

static void the_time_moves_only_when_something_changes(void)
{
    struct health h = {0};
    health_set(&h, HEALTH_HEALTHY, xstrdup("fine"));
    CHECK(h.updated_ns > 0);
    h.updated_ns = 1;
    health_set(&h, HEALTH_HEALTHY, xstrdup("fine"));
    CHECK_INT(h.updated_ns, 1);
    health_set(&h, HEALTH_HEALTHY, xstrdup("finer"));
    CHECK(h.updated_ns > 1);
    h.updated_ns = 1;
    health_set(&h, HEALTH_UNHEALTHY, xstrdup("finer"));
    CHECK(h.updated_ns > 1);
    health_set(&h, HEALTH_UNHEALTHY, NULL);
    CHECK(h.message == NULL);
    health_done(&h);
}

/* 1 or 2: which of the two wins. */
static int worse(enum health_state a, int64_t a_ns, enum health_state b, int64_t b_ns)
{
    const struct health x = {.state = a, .updated_ns = a_ns}, y = {.state = b, .updated_ns = b_ns};
    return health_worse(&x, &y) == &x ? 1 : 2;
}

static void the_more_severe_wins_then_the_later_then_the_first(void)
{
    CHECK_INT(worse(HEALTH_HEALTHY, 9, HEALTH_UNKNOWN, 1), 2);
    CHECK_INT(worse(HEALTH_UNHEALTHY, 1, HEALTH_UNKNOWN, 9), 1);
    CHECK_INT(worse(HEALTH_UNHEALTHY, 9, HEALTH_EXITED, 1), 2);
    CHECK_INT(worse(HEALTH_HEALTHY, 1, HEALTH_HEALTHY, 2), 2);
    CHECK_INT(worse(HEALTH_HEALTHY, 2, HEALTH_HEALTHY, 2), 1);
}

int main(void)
{
    RUN(the_time_moves_only_when_something_changes);
    RUN(the_more_severe_wins_then_the_later_then_the_first);
    return REPORT();
}
