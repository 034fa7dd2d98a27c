/* What a Pyroscope server says about the profiles of a push it did not accept as a whole.
 *
 * Since version 1.17 it attempts each profile by itself, stores those that pass, and answers the request with one error
 * that lists the others: "push series with index 3 and id ID failed: invalid_argument: …; push series with …". Profiles
 * are found by the ID they were sent with and not by the index, which counts profiles it could decode. An ID is random,
 * so labels, which errors quote, cannot speak of other profiles.
 *
 * Source: pkg/distributor/distributor.go (PushBatch) and pkg/validation/validate.go of grafana/pyroscope.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum push_result {
    PUSH_OK,
    PUSH_RETRY,   /* may succeed later: no reply, 408, 429, 5xx, or a 2xx of something else than Pyroscope */
    PUSH_REJECTED /* will not succeed unchanged */
};
const char *push_result_name(enum push_result r); /* "ok", "retry", "rejected" */

/* A limit that the profile exceeds and that a change of the profile can meet. */
enum push_limit_kind {
    PUSH_LIMIT_NONE,
    PUSH_LIMIT_SAMPLES,
    PUSH_LIMIT_BYTES,       /* of the profile, not compressed */
    PUSH_LIMIT_LABELS,      /* their number */
    PUSH_LIMIT_LABEL_VALUE, /* in bytes */
    PUSH_LIMIT_RATE,        /* of bytes; a profile above the burst size fails at any time */
};
struct push_limit {
    enum push_limit_kind kind;
    int64_t most; /* 0 = not said */
};
struct push_limit push_limit_of(struct str reason);

struct push_verdict {
    enum push_result result;
    struct push_limit limit;
    char reason[ERR_MAX]; /* "" when stored; label sets are left out, so that the cause fits */
};

/* Fills `ret`, one per ID, from the message of an answer with this result. False: it names none of them. A verdict
 * without a code of its own has the result of the answer. */
must_check bool push_verdicts_read(struct str message, enum push_result whole, bool retry_429, const struct str *ids,
                                   size_t n, struct push_verdict *ret);

/* The text in one line of printable characters, with "'{…}'" in place of each label set. */
void push_verdict_shorten(struct str text, char *out, size_t room);
