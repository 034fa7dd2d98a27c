#include "jvm/session/retry.h"

#include <unistd.h>

#include "base/clock.h"

static const int64_t FIRST_NS = 300 * NS_PER_MS; /* a JVM about to be ready */

/* A JVM this young may still be loading libjvm. */
enum { YOUNG_S = 30 };
/* Looking again for memory, twice as long each time. */
enum { NO_ROOM_S = 10, NO_ROOM_DOUBLINGS = 5, NO_ROOM_MAX_S = 300 };

int64_t jvm_retry_after(struct jvm_retry *r, enum jvm_outcome outcome, int64_t interval_ns, int64_t age_ns)
{
    switch (outcome) {
    case JVM_NOT_HOTSPOT:
        return age_ns < YOUNG_S * NS_PER_SEC ? NS_PER_SEC / 2 : 60 * NS_PER_SEC;
    case JVM_NO_ATTACH:
        return 600 * NS_PER_SEC;
    case JVM_FOREIGN:
        return interval_ns > 5 * NS_PER_SEC ? interval_ns : 5 * NS_PER_SEC;
    case JVM_CONDEMNED:
        return JVM_CONDEMNED_POLL_S * NS_PER_SEC;
    case JVM_NO_ROOM:
        return r->no_rooms < NO_ROOM_DOUBLINGS ? (NO_ROOM_S * NS_PER_SEC) << r->no_rooms++ : NO_ROOM_MAX_S * NS_PER_SEC;
    default:
        break;
    }
    unsigned doublings = r->failures++;
    if (doublings == 0)
        return FIRST_NS;
    return doublings >= 7 ? 60 * NS_PER_SEC : NS_PER_SEC << (doublings - 1);
}

int64_t jvm_age_ns(uint64_t start_time)
{
    const int64_t hz = sysconf(_SC_CLK_TCK), start = (int64_t)start_time;
    return clock_boot_ns() - (start / hz * NS_PER_SEC + start % hz * (NS_PER_SEC / hz));
}
