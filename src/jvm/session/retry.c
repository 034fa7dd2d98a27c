#include "jvm/session/retry.h"

#include <time.h>
#include <unistd.h>

static const int64_t SECOND = 1000000000, FIRST_NS = 300000000; /* a JVM about to be ready */

/* A JVM this young may still be loading libjvm. */
enum { YOUNG_S = 30 };
/* Looking again for memory, twice as long each time. */
enum { NO_ROOM_S = 10, NO_ROOM_DOUBLINGS = 5, NO_ROOM_MAX_S = 300 };

int64_t jvm_retry_after(struct jvm_retry *r, enum jvm_outcome outcome, int64_t interval_ns, int64_t age_ns)
{
    switch (outcome) {
    case JVM_NOT_HOTSPOT:
        return age_ns < YOUNG_S * SECOND ? SECOND / 2 : 60 * SECOND;
    case JVM_NO_ATTACH:
        return 600 * SECOND;
    case JVM_FOREIGN:
        return interval_ns > 5 * SECOND ? interval_ns : 5 * SECOND;
    case JVM_CONDEMNED:
        return JVM_CONDEMNED_LOOK_S * SECOND;
    case JVM_NO_ROOM:
        return r->no_rooms < NO_ROOM_DOUBLINGS ? (NO_ROOM_S * SECOND) << r->no_rooms++ : NO_ROOM_MAX_S * SECOND;
    default:
        break;
    }
    unsigned doublings = r->failures++;
    if (doublings == 0)
        return FIRST_NS;
    return doublings >= 7 ? 60 * SECOND : SECOND << (doublings - 1);
}

int64_t jvm_age_ns(uint64_t start_time)
{
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    const int64_t hz = sysconf(_SC_CLK_TCK), start = (int64_t)start_time;
    return (int64_t)boot.tv_sec * SECOND + boot.tv_nsec - (start / hz * SECOND + start % hz * (SECOND / hz));
}
