/* Decodes push.v1.PushRequest into series for store_push(). Source: spec components §4.5 (field numbers). */
#pragma once

#include "base/arena.h"
#include "store/store.h"

enum { PUSH_SERIES_MAX = 10000, PUSH_ARENA_MAX = 80 << 20 };

struct push_message {
    struct store_series *series; /* all of it in `arena`, but for what it borrows from the body */
    size_t series_count;
    struct arena arena;
};
#define PUSH_MESSAGE_INIT ((struct push_message){.arena = ARENA_INIT(PUSH_ARENA_MAX)})

/* Protobuf; slices point into `body`, which must stay. -EINVAL: cut or not a message ("unexpected EOF"); no series, or one without
 * samples: "no profiles received". On failure the message is to be done(), too. */
must_check int push_message_decode(struct push_message *m, struct str body, struct err *err);
/* What any decoder checks at its end. */
must_check int push_message_check(const struct push_message *m, struct err *err);
void push_message_done(struct push_message *m);
