#include "jvm/session/places.h"

#include <stdio.h>
#include <string.h>

void jvm_places_init(struct jvm_places *p)
{
    *p = (struct jvm_places){0};
    list_init(&p->held);
    list_init(&p->queue);
}

static bool places_are_full(const struct jvm_places *p)
{
    return p->most && p->taken >= p->most;
}

static void place_hold(struct jvm_place *p)
{
    list_del(&p->node);
    list_push(&p->of->held, &p->node);
    p->of->taken++;
    p->is_held = true;
}

/* Without finding the next one. */
static void place_leave(struct jvm_place *p)
{
    list_del(&p->node);
    p->of->taken -= p->is_held;
    p->is_held = p->is_proven = false;
}

static void places_pass_on(struct jvm_places *p)
{
    while (!places_are_full(p) && !list_empty(&p->queue)) {
        struct jvm_place *next = list_entry(p->queue.next, struct jvm_place, node);
        place_hold(next);
        next->changed(next->arg);
    }
}

void jvm_places_set(struct jvm_places *p, size_t most)
{
    p->most = most;
    while (most && p->taken > most) {
        struct jvm_place *last = list_entry(p->held.prev, struct jvm_place, node);
        place_leave(last);
        last->changed(last->arg);
    }
    places_pass_on(p);
}

void jvm_place_begin(struct jvm_place *p, struct jvm_places *of, void (*changed)(void *arg), void *arg)
{
    *p = (struct jvm_place){.of = of, .changed = changed, .arg = arg};
    list_init(&p->node);
}

bool jvm_place_take(struct jvm_place *p)
{
    if (!p->of || p->is_held)
        return true;
    if (!places_are_full(p->of))
        place_hold(p);
    else if (list_empty(&p->node))
        list_push(&p->of->queue, &p->node);
    return p->is_held;
}

static void place_give(struct jvm_place *p)
{
    struct jvm_places *of = p->of;
    place_leave(p);
    places_pass_on(of);
}

void jvm_place_follow(struct jvm_place *p, enum jvm_state state)
{
    if (!p->of || !p->is_held)
        return;
    if (state == JVM_STATE_PROFILING || state == JVM_STATE_DEGRADED)
        p->is_proven = true;
    else if (state == JVM_STATE_REFUSED || (!p->is_proven && state != JVM_STATE_ATTACHING && state != JVM_STATE_GONE))
        place_give(p);
}

void jvm_place_done(struct jvm_place *p)
{
    if (p->of)
        place_give(p);
    p->of = NULL;
}

const char *jvm_place_why(const struct jvm_place *p, const char *reason, char room[JVM_PLACE_WHY_MAX])
{
    if (*reason && (jvm_state_of_reason(reason) == JVM_STATE_REFUSED ||
                    strcmp(jvm_reason_of(JVM_STATE_WAITING, reason)->code, "not_hotspot") == 0))
        return reason;
    snprintf(room, JVM_PLACE_WHY_MAX, "%zu other JVMs are profiled, as many as max_targets allows", p->of->most);
    return room;
}
