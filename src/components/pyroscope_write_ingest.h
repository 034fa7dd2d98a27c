/* Bodies of /ingest on their way to the endpoints of a pyroscope.write: POST <url>/ingest, unchanged.
 *
 * Each endpoint has a queue of its own, limited to INGEST_QUEUE_BYTES and, without a spool, INGEST_QUEUE_AGE_S, and
 * sends one body at a time, in order. After a failure that may pass (no answer, 408, 429, 5xx) it waits as a push
 * would: backoff, Retry-After. After a few attempts of the oldest body others are tried, too, so that one that always
 * fails does not hold them up; max_backoff_retries limits the attempts while others are taken, and not those of an
 * outage.
 *
 * With a data directory, bodies that are not delivered within a second are kept in a spool of their own per endpoint
 * (pyroscope_write_ingest_spill.h), as profiles that are pushed. Loop thread.
 *
 * Labels are written into the `name` parameter; the grammar knows no quotes, so `,` and `}` in values become `_`.
 * Source: spec components §4.6.
 */
#pragma once

#include "components/pyroscope_write_args.h"
#include "components/pyroscope_write_sender.h"
#include "flow/receiver.h"

enum { INGEST_QUEUE_BYTES = INGEST_BODY_MAX, INGEST_QUEUE_AGE_S = 600 };

struct ingest_forwarder;

struct ingest_forwarder *ingest_forwarder_new(const struct sender_env *env, const struct write_args *args);
/* New arguments; endpoints of the same URL and name keep what is queued. */
void ingest_forwarder_update(struct ingest_forwarder *f, const struct write_args *args);
/* `labels` are final, as write_labels() makes them. */
void ingest_forwarder_append(struct ingest_forwarder *f, const struct labels *labels, struct ingest_body *body);
/* One attempt for everything that is queued, until the time is up. `done` may be called before this returns. */
void ingest_forwarder_drain(struct ingest_forwarder *f, int64_t timeout_ms, void (*done)(void *arg), void *arg);
/* NULL is fine. What is queued is dropped. */
void ingest_forwarder_free(struct ingest_forwarder *f);
