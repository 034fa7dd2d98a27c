/* Passes profiles from component to component within the process.
 *
 * An append never blocks and never fails for the sender: receivers have bounded queues, drop the oldest entry and count
 * it. Loop thread only.
 *
 * The recordings that profiles are made of are passed the same way, chunk by chunk, to receivers that take them; for
 * all others they end here. A chunk costs no copy: whoever keeps it takes a reference.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/labels.h"
#include "flow/origin.h"
#include "lang/schema.h"

struct jfr_chunk; /* jfr/shared_chunk.h */
/* A UUID, and the number of a part of a profile that was split. */
enum { PROFILE_ID_MAX = 56 };

struct ingest_body;

/* One encoded profile, shared by all receivers it goes to. */
struct encoded_profile {
    unsigned refs;
    uint8_t *pprof; /* protobuf, gzip-compressed unless another program sent it plain; owned unless there is a body */
    size_t len;
    uint64_t samples;                   /* events in it, for counters */
    int64_t time_nanos, duration_nanos; /* as inside */
    struct profile_origin *origin;      /* one reference, set by its maker; NULL = nobody asks */
    struct ingest_body *body;           /* one reference: the bytes are its, in its format; NULL = pprof of its own */
    char id[PROFILE_ID_MAX]; /* sent with it, the same in every attempt: a server may recognise a repetition */
};
/* Takes pprof. One reference. The ID is a new UUID (RFC 9562, version 4). */
struct encoded_profile *encoded_profile_new(uint8_t *pprof, size_t len, uint64_t samples, int64_t time_nanos,
                                            int64_t duration_nanos);
struct encoded_profile *encoded_profile_ref(struct encoded_profile *p);
void encoded_profile_unref(struct encoded_profile *p);

/* A profile as a program sent it to /ingest of a Pyroscope server, in any of the formats of that path: passed on as it
 * is, with the labels of its `name` parameter beside it. Shared by all receivers it goes to. */
enum { INGEST_BODY_MAX = 32 << 20 }; /* larger ones are refused where they arrive */
struct ingest_body {
    unsigned refs;
    uint8_t *bytes; /* owned */
    size_t len;
    char *content_type; /* "" = none; owned */
    char *query;        /* the other parameters, "format=jfr&from=1"; owned */
};
/* Takes all of them. One reference. */
struct ingest_body *ingest_body_new(uint8_t *bytes, size_t len, char *content_type, char *query);
struct ingest_body *ingest_body_ref(struct ingest_body *b);
/* As one profile of unknown content, for what keeps profiles. Takes a new reference. */
struct encoded_profile *encoded_profile_of_body(struct ingest_body *b);
void ingest_body_unref(struct ingest_body *b); /* NULL is fine */

struct receiver {
    unsigned refs;
    const char *id; /* of the component, for messages; owned */
    void *ctx;      /* NULL once the component is gone: appends are then dropped */
    /* Whether nobody gets what it is handed now: there is no endpoint, or no further receiver. NULL: somebody does. Set
     * by its component. */
    bool (*discards)(void *ctx);
    /* Labels and profile are borrowed: take references to keep them. `labels` include __name__. */
    void (*append)(void *ctx, const struct labels *labels, struct encoded_profile *p);
    /* Optional: one finished chunk of the recording of a JVM; NULL: takes none. The labels are those of its profiles,
     * with RECORDING_NAME as __name__ and the PID as __process_pid__. Borrowed, too. */
    void (*recording)(void *ctx, const struct labels *labels, struct jfr_chunk *chunk);
    /* Optional: such a body; NULL: takes none. `labels` include __name__, the application's. Borrowed, too. */
    void (*ingest)(void *ctx, const struct labels *labels, struct ingest_body *body);
};
#define RECORDING_NAME "jfr"

struct receiver *receiver_new(const char *id, void *ctx,
                              void (*append)(void *ctx, const struct labels *labels, struct encoded_profile *p));
struct receiver *receiver_ref(struct receiver *r);
void receiver_unref(struct receiver *r);

struct receivers {
    struct receiver **items;
    size_t len;
};
/* For OPT_CUSTOM options of type struct receivers (forward_to); null entries are skipped. */
extern const struct option_type receivers_option;
/* Whether whatever they are handed now is discarded: it is not worth being collected. */
bool receivers_discard(const struct receivers *rs);
struct value *receiver_value(struct receiver *r); /* takes a new reference of r; new value reference */

/* Hands the profile to every receiver of the list. */
void fanout_append(const struct receivers *rs, const struct labels *labels, struct encoded_profile *p);
/* Hands the chunk to every receiver of the list that takes recordings. */
void fanout_recording(const struct receivers *rs, const struct labels *labels, struct jfr_chunk *chunk);
/* Hands the body to every receiver of the list that takes it. */
void fanout_ingest(const struct receivers *rs, const struct labels *labels, struct ingest_body *body);
/* Whether one of them takes recordings: labels need not be made for nobody. */
bool receivers_take_recordings(const struct receivers *rs);
