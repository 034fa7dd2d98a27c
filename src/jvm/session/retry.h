/* The delay before a session retries, by the result of the last attempt. */
#pragma once

#include <stdint.h>

#include "jvm/operation/request.h"

struct jvm_retry {
    unsigned failures, no_rooms; /* in a row */
};

/* A condemned make-up: how often it is looked at whether it is forgiven, which costs nothing. */
enum { JVM_CONDEMNED_POLL_S = 5 };

/* Nanoseconds. `interval_ns` is that of the profiles, `age_ns` the JVM's. */
int64_t jvm_retry_after(struct jvm_retry *r, enum jvm_outcome outcome, int64_t interval_ns, int64_t age_ns);

/* How long a process that started at this clock tick since boot has been running. */
int64_t jvm_age_ns(uint64_t start_time);
