/* push.v1.PushRequest, the request of the push protocol, in protobuf. Its JSON encoding: pyroscope/push_json.h.
 *
 * Source: spec components §4.5 (field numbers of push.v1 and types.v1).
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "flow/series.h"

#define PUSH_PATH "/push.v1.PusherService/Push"

enum { PUSH_SERIES_MAX = 10000, PUSH_ARENA_MAX = 80 << 20 };

/* --- encoding --- */

/* Appends the bytes that precede the `at`-th profile of a series: the header of the series before the first profile,
 * and the header of the sample before each. Profiles are sent from where they are stored; series are concatenated. */
void push_message_head(struct buf *out, const struct series *series, size_t at);

/* --- decoding --- */

struct push_message {
    struct series *series; /* in `arena`; texts and profiles may point into the body */
    size_t series_count;
    struct arena arena;
};
#define PUSH_MESSAGE_INIT ((struct push_message){.arena = ARENA_INIT(PUSH_ARENA_MAX)})

/* Borrows from `body`. -EINVAL: truncated or malformed ("unexpected EOF"), more than PUSH_SERIES_MAX series, or no
 * series or a series without samples ("no profiles received"). Call push_message_done() after a failure, too. */
must_check int push_message_decode(struct push_message *m, struct str body, struct err *err);
/* The final check of every decoder. */
must_check int push_message_check(const struct push_message *m, struct err *err);
/* Checks the number of series before they are decoded. */
must_check int push_message_check_count(size_t series, struct err *err);
void push_message_done(struct push_message *m);
