#include "components/pyroscope_relabel_cache.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SLOTS_FIRST = 16 };

void relabel_cache_init(struct relabel_cache *c, size_t max)
{
    *c = (struct relabel_cache){.max = max};
    list_init(&c->used);
}

static struct relabel_result **relabel_cache_slot(const struct relabel_cache *c, uint64_t hash)
{
    return &c->slots[hash & (c->slot_count - 1)];
}

bool relabel_cache_find(struct relabel_cache *c, const struct labels *in, const struct labels **ret)
{
    const uint64_t hash = labels_hash(in);
    struct relabel_result *r = c->slot_count ? *relabel_cache_slot(c, hash) : NULL;
    while (r && (r->hash != hash || !labels_equal(r->in, in)))
        r = r->next;
    if (!r)
        return false;
    list_del(&r->used);
    list_push(&c->used, &r->used);
    *ret = r->out;
    return true;
}

static void relabel_cache_grow(struct relabel_cache *c)
{
    struct relabel_result **old = c->slots;
    const size_t old_count = c->slot_count;
    c->slot_count = old_count ? 2 * old_count : SLOTS_FIRST;
    c->slots = xcalloc(c->slot_count, sizeof(struct relabel_result *));
    for (size_t i = 0; i < old_count; i++) {
        for (struct relabel_result *r = old[i], *next; r; r = next) {
            struct relabel_result **slot = relabel_cache_slot(c, r->hash);
            next = r->next;
            r->next = *slot;
            *slot = r;
        }
    }
    free(old);
}

static void relabel_cache_forget(struct relabel_cache *c, struct relabel_result *r)
{
    struct relabel_result **at = relabel_cache_slot(c, r->hash);
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    list_del(&r->used);
    labels_unref(r->in);
    labels_unref(r->out);
    free(r);
    c->len--;
}

static void relabel_cache_shrink(struct relabel_cache *c, size_t len)
{
    while (c->len > len)
        relabel_cache_forget(c, list_entry(c->used.next, struct relabel_result, used));
}

void relabel_cache_add(struct relabel_cache *c, const struct labels *in, const struct labels *out)
{
    relabel_cache_shrink(c, c->max - 1);
    if (c->len == c->slot_count)
        relabel_cache_grow(c);
    struct relabel_result *r = xmalloc(sizeof *r);
    *r = (struct relabel_result){.hash = labels_hash(in), .in = labels_ref(in), .out = out ? labels_ref(out) : NULL};
    struct relabel_result **slot = relabel_cache_slot(c, r->hash);
    r->next = *slot;
    *slot = r;
    list_push(&c->used, &r->used);
    c->len++;
}

void relabel_cache_resize(struct relabel_cache *c, size_t max)
{
    c->max = max;
    relabel_cache_shrink(c, max);
}

void relabel_cache_purge(struct relabel_cache *c)
{
    relabel_cache_shrink(c, 0);
}

void relabel_cache_done(struct relabel_cache *c)
{
    relabel_cache_shrink(c, 0);
    free(c->slots);
    *c = (struct relabel_cache){0};
}
