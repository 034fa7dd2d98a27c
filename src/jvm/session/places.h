/* How many JVMs are profiled at once: a session attaches only while it holds one of a limited number of places.
 *
 * A JVM that is profiled keeps its place until it ends, is refused, or the number is reduced, when the newest ones give
 * theirs up; so the ones profiled stay the same. One that was never profiled gives its place to the next one as soon as
 * an attach has failed, and queues again: what is no JVM, or cannot be profiled, keeps nobody from it. Places are
 * passed on in the order in which they were asked for. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "jvm/probe/reason.h"

struct jvm_places {
    size_t most; /* 0: any number */
    size_t taken;
    struct list held, queue; /* struct jvm_place; the oldest first */
};

/* A session's. Empty until it is begun. */
struct jvm_place {
    struct jvm_places *of; /* NULL: none is needed */
    struct list node;      /* in one of the lists, or unlinked */
    bool is_held, is_proven;
    void (*changed)(void *arg); /* it was given to the session, or taken away: is_held */
    void *arg;
};

void jvm_places_init(struct jvm_places *p);
/* Calls back those who get or lose a place. */
void jvm_places_set(struct jvm_places *p, size_t most);

/* `of` may be NULL and must outlive the place. */
void jvm_place_begin(struct jvm_place *p, struct jvm_places *of, void (*changed)(void *arg), void *arg);
/* Whether it holds a place now; if not, it is queued. */
bool jvm_place_take(struct jvm_place *p);
/* To be called with each state of the session. May give the place to another. */
void jvm_place_follow(struct jvm_place *p, enum jvm_state state);
/* At the end; more than once is fine. */
void jvm_place_done(struct jvm_place *p);

/* Why a session waits: for a place, unless something would keep it from being profiled anyway, which `reason` says. */
enum { JVM_PLACE_WHY_MAX = 128 };
const char *jvm_place_why(const struct jvm_place *p, const char *reason, char room[JVM_PLACE_WHY_MAX]);
