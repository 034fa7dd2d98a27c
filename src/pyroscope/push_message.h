/* push.v1.PushRequest: the message of the push protocol, to and from protobuf. Its JSON form: pyroscope/push_json.h.
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

/* Appends what stands before the `at`-th profile of a series: the head of the series before the first, that of a sample before each.
 * So profiles are sent from where they lie, and the series of a request simply follow each other. */
void push_message_head(struct buf *out, const struct series *series, size_t at);

/* --- decoding --- */

struct push_message {
    struct series *series; /* all of it in `arena`, but for what it borrows from the body */
    size_t series_count;
    struct arena arena;
};
#define PUSH_MESSAGE_INIT ((struct push_message){.arena = ARENA_INIT(PUSH_ARENA_MAX)})

/* Slices point into `body`, which must stay. -EINVAL: cut or not a message ("unexpected EOF"); more than PUSH_SERIES_MAX series; no
 * series, or one without samples: "no profiles received". On failure push_message_done() is due, too. */
must_check int push_message_decode(struct push_message *m, struct str body, struct err *err);
/* What any decoder checks at its end. */
must_check int push_message_check(const struct push_message *m, struct err *err);
/* As push_message_check() for a number of series that is not decoded yet. */
must_check int push_message_check_count(size_t series, struct err *err);
void push_message_done(struct push_message *m);
