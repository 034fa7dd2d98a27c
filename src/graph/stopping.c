#include "graph/stopping.h"

#include "base/mem.h"

/* Whoever is told gets five ninths of the limit, 5 of 9 seconds, before those behind it are told, too. */
static uint64_t patience_ms(const struct stopping *s)
{
    return s->limit_ms * 5 / 9;
}

static void tell(const struct stopping *s, struct component *c, uint64_t now_ms)
{
    if (c->waits_for > 0 || c->phase != NODE_STOPPING)
        return;
    c->release_ms = now_ms + patience_ms(s);
    node_stop(c);
}

static void add(struct stopping *s, const struct plan *p, struct component *c, size_t place, uint64_t now_ms)
{
    const struct dag_links *needs = &p->dag.needs[place];
    c->then = xcalloc(needs->len + 1, sizeof(struct component *));
    for (size_t i = 0; i < needs->len; i++) {
        struct component *needed = p->nodes[needs->items[i]]->component;
        if (!needed || needed->plan)
            continue;
        c->then[c->then_len++] = needed;
        needed->waits_for++;
    }
    /* What never started needs no stop. */
    c->phase = c->phase == NODE_RUNNING ? NODE_STOPPING : NODE_STOPPED;
    c->leave_ms = c->group && c->group->phase == NODE_STOPPING ? c->group->leave_ms : now_ms + s->limit_ms;
    if (c->group)
        c->group->group_len++;
    c->next = s->first;
    s->first = c;
}

void stopping_add(struct stopping *s, const struct plan *p, struct component *group, uint64_t now_ms)
{
    const struct component *before = s->first;
    for (size_t i = 0; i < p->len; i++) {
        struct component *c = p->nodes[p->order[i]]->component;
        if (!c || c->plan)
            continue;
        c->group = group;
        add(s, p, c, p->order[i], now_ms);
    }
    for (struct component *c = s->first; c != before; c = c->next)
        tell(s, c, now_ms);
}

/* True: somebody had waited for this one no longer. */
static bool release(const struct stopping *s, struct component *c, uint64_t now_ms)
{
    const bool is_late = c->phase == NODE_STOPPING && c->waits_for == 0 && now_ms >= c->release_ms;
    if (c->released || (c->phase != NODE_STOPPED && !is_late))
        return false;
    c->released = true;
    for (size_t i = 0; i < c->then_len; i++) {
        c->then[i]->waits_for--;
        tell(s, c->then[i], now_ms);
    }
    return c->then_len > 0;
}

/* The last of a group: now the group itself has stopped, too, if it was to. */
static void leave_group(struct component *c)
{
    struct component *group = c->group;
    if (group && --group->group_len == 0 && group->self_stopped && group->phase == NODE_STOPPING)
        component_stopped(group);
}

/* True: something went, which may be what others waited for. */
static bool drop_stopped(struct stopping *s, uint64_t now_ms, void (*late)(void *arg, const char *id), void *arg)
{
    bool any = false;
    for (struct component **at = &s->first; *at;) {
        struct component *c = *at;
        /* One that stopped of its own accord may still be named by those before it. */
        const bool has_stopped = c->phase == NODE_STOPPED && c->released && c->waits_for == 0;
        const bool is_late = c->phase != NODE_STOPPED && now_ms >= c->leave_ms;
        if (!has_stopped && !is_late) {
            at = &c->next;
            continue;
        }
        any = true;
        *at = c->next;
        if (is_late) {
            late(arg, c->id);
            for (size_t i = 0; i < c->then_len && !c->released; i++) {
                c->then[i]->waits_for--;
                tell(s, c->then[i], now_ms);
            }
            /* It is at work on something that may still call back: its memory is not ours to free. */
            c->owner = NULL;
        }
        leave_group(c);
        if (has_stopped)
            node_free(c);
    }
    return any;
}

void stopping_step(struct stopping *s, uint64_t now_ms, void (*late)(void *arg, const char *id), void *arg)
{
    do {
        bool again;
        do {
            again = false;
            for (struct component *c = s->first; c; c = c->next)
                again |= release(s, c, now_ms);
        } while (again);
    } while (drop_stopped(s, now_ms, late, arg));
}

uint64_t stopping_due(const struct stopping *s, uint64_t now_ms)
{
    uint64_t due = UINT64_MAX;
    for (const struct component *c = s->first; c; c = c->next) {
        const bool holds_up = c->phase == NODE_STOPPING && c->waits_for == 0 && !c->released;
        const uint64_t at = holds_up ? c->release_ms : c->leave_ms;
        if (at < due)
            due = at;
    }
    return due > now_ms ? due - now_ms : 0;
}

bool stopping_has(const struct stopping *s, const struct component_def *def)
{
    for (const struct component *c = s->first; c; c = c->next) {
        if (c->phase == NODE_STOPPING && c->def == def)
            return true;
    }
    return false;
}
