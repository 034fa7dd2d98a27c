#include "graph/stopping.h"

#include "base/mem.h"

/* Whoever is told gets five ninths of the limit, 5 of 9 seconds, before those behind it are told, too. */
static uint64_t patience_ms(const struct stopping *s)
{
    return s->limit_ms * 5 / 9;
}

static void stopping_tell(const struct stopping *s, struct instance *i, uint64_t now_ms)
{
    if (i->stop.waits_for > 0 || i->phase != INSTANCE_STOPPING)
        return;
    i->stop.release_ms = now_ms + patience_ms(s);
    instance_stop(i);
}

static void stopping_add_one(struct stopping *s, const struct stopping_graph *g, struct instance *i, size_t place,
                             uint64_t now_ms)
{
    const struct dag_links *needs = &g->dag->needs[place];
    struct instance_stop *stop = &i->stop;
    stop->then = xcalloc(needs->len + 1, sizeof(struct instance *));
    for (size_t k = 0; k < needs->len; k++) {
        struct instance *needed = g->instances[needs->items[k]];
        if (!needed || needed->node)
            continue;
        stop->then[stop->then_len++] = needed;
        needed->stop.waits_for++;
    }
    /* What never started needs no stop. */
    i->phase = i->phase == INSTANCE_RUNNING ? INSTANCE_STOPPING : INSTANCE_STOPPED;
    const struct instance *group = stop->group;
    stop->leave_ms = group && group->phase == INSTANCE_STOPPING ? group->stop.leave_ms : now_ms + s->limit_ms;
    if (stop->group)
        stop->group->stop.group_len++;
    stop->next = s->first;
    s->first = i;
}

void stopping_add(struct stopping *s, const struct stopping_graph *g, struct instance *group, uint64_t now_ms)
{
    const struct instance *before = s->first;
    for (size_t k = 0; k < g->dag->len; k++) {
        struct instance *i = g->instances[g->order[k]];
        if (!i || i->node)
            continue;
        i->stop.group = group;
        stopping_add_one(s, g, i, g->order[k], now_ms);
    }
    for (struct instance *i = s->first; i != before; i = i->stop.next)
        stopping_tell(s, i, now_ms);
}

/* True: somebody had waited for this one no longer. */
static bool stopping_release(const struct stopping *s, struct instance *i, uint64_t now_ms)
{
    const bool is_late = i->phase == INSTANCE_STOPPING && i->stop.waits_for == 0 && now_ms >= i->stop.release_ms;
    if (i->stop.is_released || (i->phase != INSTANCE_STOPPED && !is_late))
        return false;
    i->stop.is_released = true;
    for (size_t k = 0; k < i->stop.then_len; k++) {
        i->stop.then[k]->stop.waits_for--;
        stopping_tell(s, i->stop.then[k], now_ms);
    }
    return i->stop.then_len > 0;
}

/* The last of a group: now the group itself has stopped, too, if it was to. */
static void leave_group(struct instance *i)
{
    struct instance *group = i->stop.group;
    if (group && --group->stop.group_len == 0 && group->stop.is_done && group->phase == INSTANCE_STOPPING)
        component_stopped(&group->handle);
}

/* True: something went, which may be what others waited for. */
static bool stopping_drop_stopped(struct stopping *s, uint64_t now_ms, void (*late)(void *arg, const char *id),
                                  void *arg)
{
    bool any = false;
    for (struct instance **at = &s->first; *at;) {
        struct instance *i = *at;
        /* One that stopped of its own accord may still be named by those before it. */
        const bool has_stopped = i->phase == INSTANCE_STOPPED && i->stop.is_released && i->stop.waits_for == 0;
        const bool is_late = i->phase != INSTANCE_STOPPED && now_ms >= i->stop.leave_ms;
        if (!has_stopped && !is_late) {
            at = &i->stop.next;
            continue;
        }
        any = true;
        *at = i->stop.next;
        if (is_late) {
            late(arg, i->handle.id);
            for (size_t k = 0; k < i->stop.then_len && !i->stop.is_released; k++) {
                i->stop.then[k]->stop.waits_for--;
                stopping_tell(s, i->stop.then[k], now_ms);
            }
            /* It is at work on something that may still call back: its memory is not ours to free. */
            i->owner = NULL;
        }
        leave_group(i);
        if (has_stopped)
            instance_free(i);
    }
    return any;
}

void stopping_step(struct stopping *s, uint64_t now_ms, void (*late)(void *arg, const char *id), void *arg)
{
    do {
        bool again;
        do {
            again = false;
            for (struct instance *i = s->first; i; i = i->stop.next)
                again |= stopping_release(s, i, now_ms);
        } while (again);
    } while (stopping_drop_stopped(s, now_ms, late, arg));
}

uint64_t stopping_due(const struct stopping *s, uint64_t now_ms)
{
    uint64_t due = UINT64_MAX;
    for (const struct instance *i = s->first; i; i = i->stop.next) {
        const bool holds_up = i->phase == INSTANCE_STOPPING && i->stop.waits_for == 0 && !i->stop.is_released;
        const uint64_t at = holds_up ? i->stop.release_ms : i->stop.leave_ms;
        if (at < due)
            due = at;
    }
    return due > now_ms ? due - now_ms : 0;
}

bool stopping_has(const struct stopping *s, const struct component_def *def)
{
    for (const struct instance *i = s->first; i; i = i->stop.next) {
        if (i->phase == INSTANCE_STOPPING && i->def == def)
            return true;
    }
    return false;
}
