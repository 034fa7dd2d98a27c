/* Remembers the profiles a server has accepted, by the ID and labels they were sent with, so that one whose answer was
 * lost and that is sent again is not counted twice. The last PUSH_SEEN_MAX at least; shorter IDs than a UUID are no
 * identity. Loop thread.
 */
#pragma once

#include "base/map.h"
#include "pyroscope/push_message.h"

enum { PUSH_SEEN_MAX = 2048, PUSH_SEEN_ID_MIN = 32 };

struct push_seen {
    struct u64map recent, older; /* keys are hashes; older is dropped when recent is full */
};
#define PUSH_SEEN_INIT ((struct push_seen){U64MAP_INIT, U64MAP_INIT})

/* Removes from the message what was accepted before; series without profiles go, too. Returns how many profiles. */
size_t push_seen_filter(const struct push_seen *s, struct push_message *m);
void push_seen_add(struct push_seen *s, const struct push_message *m);
void push_seen_done(struct push_seen *s);
