/* Sends the queue of one endpoint: two concurrent pushes and an own backoff, so that endpoints do not delay each other.
 *
 * Profiles that arrive together, such as those of one JVM and interval, share a request, and so do those of a backlog,
 * which reduces the number of requests and the time to recover from an outage. If the answer says which of them were
 * not stored, only those are sent again; if it does not, each is sent again in its own request, so that one invalid
 * profile does not affect the others. Every attempt carries the ID of the profile (flow/receiver.h).
 *
 * A profile that fails waits by itself (spec components §4.4), and the others go on. The endpoint is down once
 * different profiles failed with no success in between, at once without a connection or with Retry-After: then one
 * profile is sent at a time, each time another one, after a backoff that doubles or that the server requests; a dead or
 * overloaded endpoint costs occasional requests and a bounded queue. A profile is dropped after max_backoff_retries
 * attempts of its own: in a request of its own, while the endpoint took others. An outage does not count. Without a
 * spool the only profile there is is dropped after as many attempts, as there is nothing to tell an outage by. One that
 * exceeds a limit of the server is adapted (pyroscope_write_fit.h) and sent again.
 *
 * With a data directory, profiles that are not delivered within a second, and all while the endpoint is down or at
 * shutdown, are written to a spool (pyroscope_write_spool.h) and survive the agent. They are replayed oldest first at a
 * limited rate, beside what is new.
 *
 * Failures are logged once when they begin and once when they end; rejections at most once a minute, and the origin of
 * the profile is told (flow/origin.h).
 */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "components/pyroscope_write_args.h"
#include "components/pyroscope_write_latency.h"
#include "components/pyroscope_write_sender_env.h"
#include "flow/receiver.h"

struct sender;

struct sender_view {
    enum sender_state state;
    const char *endpoint; /* URL without credentials; borrowed, as is last_error */
    size_t queued_profiles, queued_bytes, in_flight, spooled_profiles, spooled_bytes;
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

/* `latency` may be NULL. */
void sender_append(struct sender *s, const struct labels *labels, struct encoded_profile *p,
                   struct write_latency *latency);

/* Sends all queued profiles once, and those that still arrive, until the queue is empty or the time is up; dropped
 * profiles are counted and logged. `done` may be called before this returns. Later profiles are dropped. */
void sender_drain(struct sender *s, int64_t timeout_ms, void (*done)(void *arg), void *arg);

/* At any time; queued profiles are dropped. NULL is allowed. */
void sender_free(struct sender *s);

void sender_view(const struct sender *s, struct sender_view *ret);

/* Counts a profile with invalid labels; logs the reason at most once a minute. */
void sender_count_invalid(const char *component_id, const char *reason);
