/* Sender of one endpoint, with its own queue, two concurrent pushes and its own backoff, independent of other
 * endpoints.
 *
 * Profiles that arrive together, such as those of one JVM and interval, share a request, and so do those of a backlog.
 * If a shared request is rejected, each profile is sent again in a request of its own, so that only invalid ones are
 * lost.
 *
 * While pushes fail, one profile at a time is sent as a probe, after the backoff (spec components §4.4) or the time in
 * Retry-After. A profile is dropped after max_backoff_retries attempts. The begin and the end of a failure are logged
 * once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "components/pyroscope_write_args.h"
#include "flow/receiver.h"

enum {
    SENDER_QUEUE_BYTES = 32 << 20,
    SENDER_QUEUE_AGE_S = 600,
    SENDER_IN_FLIGHT = 2,
};

struct sender;

struct sender_env {
    uv_loop_t *loop;
    const char *component_id, *version; /* outlive the sender */
};

enum sender_state { SENDER_IDLE, SENDER_OK, SENDER_FAILING, SENDER_REJECTED, SENDER_STOPPED };
const char *sender_state_name(enum sender_state s);

struct sender_view {
    enum sender_state state;
    const char *endpoint; /* URL without credentials; borrowed, as is last_error */
    size_t queued_profiles, queued_bytes, in_flight;
    const char *last_error;                       /* "" = none */
    int64_t last_error_s, last_success_s, next_s; /* Unix time; 0 = never; next: the next probe */
};

/* Prepared arguments of an endpoint; `args` must outlive them. */
struct sender_settings;
must_check int sender_settings_new(const struct write_endpoint_args *args, struct sender_settings **ret,
                                   struct err *err);
void sender_settings_free(struct sender_settings *set);

/* Takes ownership of the settings. Connects at the first profile. */
struct sender *sender_new(const struct sender_env *env, struct sender_settings *set);
/* New settings for the same endpoint: keeps the queue; a change ends the backoff. */
void sender_update(struct sender *s, struct sender_settings *set);
const struct write_endpoint_args *sender_args(const struct sender *s);

void sender_append(struct sender *s, const struct labels *labels, struct profile *p);

/* Sends all queued profiles once, and those that still arrive, until the queue is empty or the time is up; dropped
 * profiles are counted and logged. `done` may be called before this returns. Later profiles are dropped. */
void sender_drain(struct sender *s, int64_t timeout_ms, void (*done)(void *arg), void *arg);

/* At any time; queued profiles are dropped. NULL is allowed. */
void sender_free(struct sender *s);

void sender_view(const struct sender *s, struct sender_view *ret);

/* Counts a profile with invalid labels; logs the reason at most once a minute. */
void sender_count_invalid(const char *component_id, const char *reason);

/* For tests: the source of monotonic nanoseconds and of the position in a backoff range (0 to 1); NULL = the real
 * ones. */
void sender_fake(int64_t (*clock_ns)(void), double (*jitter)(void));
