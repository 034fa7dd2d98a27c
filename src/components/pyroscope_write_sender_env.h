/* What a sender works with, and its clock. */
#pragma once

#include <stdint.h>
#include <uv.h>

enum {
    SENDER_QUEUE_BYTES = 32 << 20,
    SENDER_QUEUE_AGE_S = 600,
    SENDER_IN_FLIGHT = 2,
};

struct sender_env {
    uv_loop_t *loop;
    const char *component_id, *version; /* outlive the sender */
    const char *storage_path;           /* data directory, outlives the sender; NULL or "" = none */
};

enum sender_state { SENDER_IDLE, SENDER_OK, SENDER_FAILING, SENDER_REJECTED, SENDER_STOPPED };
const char *sender_state_name(enum sender_state s);

/* Monotonic, or what a test says. */
int64_t sender_now_ns(void);

/* For tests: the source of monotonic nanoseconds and of the position in a backoff range (0 to 1); NULL = the real
 * ones. */
void sender_fake(int64_t (*now_ns)(void), double (*jitter)(void));
/* How far that clock is ahead: 0 but in tests. */
int64_t sender_clock_offset_ns(void);
/* Position in a backoff range, 0 to 1. */
double sender_jitter(void);
