/* How long is waited for what. */
#include "jvm/session/retry.h"

#include <time.h>
#include <unistd.h>

#include "os/pidref.h"
#include "test.h"

static const int64_t SECOND = 1000000000;

static void failures_wait_longer_and_longer(void)
{
    struct jvm_retry r = {0};
    CHECK_INT(jvm_retry_after(&r, JVM_FAILED, SECOND, 0), 300000000);
    CHECK_INT(jvm_retry_after(&r, JVM_TIMEOUT, SECOND, 0), SECOND);
    CHECK_INT(jvm_retry_after(&r, JVM_REFUSED, SECOND, 0), 2 * SECOND);
    for (int i = 0; i < 100; i++)
        CHECK(jvm_retry_after(&r, JVM_FAILED, SECOND, 0) <= 60 * SECOND);
    CHECK_INT(jvm_retry_after(&r, JVM_FAILED, SECOND, 0), 60 * SECOND);
}

static void want_of_memory_has_a_rhythm_of_its_own(void)
{
    struct jvm_retry r = {0};
    int64_t total = 0, last = 0;
    for (int i = 0; i < 6; i++) {
        last = jvm_retry_after(&r, JVM_NO_ROOM, SECOND, 0);
        total += last;
    }
    CHECK_INT(total, (10 + 20 + 40 + 80 + 160 + 300) * SECOND);
    CHECK_INT(last, 300 * SECOND);
    CHECK_INT(r.failures, 0);
}

static void what_will_not_pass_is_looked_at_rarely(void)
{
    struct jvm_retry r = {0};
    CHECK_INT(jvm_retry_after(&r, JVM_NO_ATTACH, SECOND, 0), 600 * SECOND);
    CHECK_INT(jvm_retry_after(&r, JVM_FOREIGN, SECOND, 0), 5 * SECOND);
    CHECK_INT(jvm_retry_after(&r, JVM_FOREIGN, 60 * SECOND, 0), 60 * SECOND);
    CHECK_INT(jvm_retry_after(&r, JVM_NOT_HOTSPOT, SECOND, SECOND), SECOND / 2);
    CHECK_INT(jvm_retry_after(&r, JVM_NOT_HOTSPOT, SECOND, 31 * SECOND), 60 * SECOND);
    CHECK_INT(r.failures + r.no_rooms, 0);
}

static void an_age_is_that_of_the_process(void)
{
    struct pidref p;
    CHECK_INT(pidref_open(getpid(), 0, &p, NULL), 0);
    const int64_t first = jvm_age_ns(p.start_time);
    usleep(50000);
    const int64_t grown = jvm_age_ns(p.start_time) - first;
    CHECK(first >= 0 && first < 60 * SECOND);
    CHECK(grown >= 50000000 && grown < 10 * SECOND);
    pidref_done(&p);
}

int main(void)
{
    RUN(failures_wait_longer_and_longer);
    RUN(want_of_memory_has_a_rhythm_of_its_own);
    RUN(what_will_not_pass_is_looked_at_rarely);
    RUN(an_age_is_that_of_the_process);
    return REPORT();
}
