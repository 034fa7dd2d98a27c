#include "store/block_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

/* Of the room, at most, for one answer. */
enum { CACHE_PART = 4 };

struct cached_answer {
    struct list link; /* the one that was asked for longest ago first */
    struct block_cache_key key;
    size_t size;
    char bytes[];
};

struct block_cache {
    struct strmap by_key; /* by the bytes of the key, in the entry */
    struct list order;
    struct block_cache_view view;
};

struct block_cache *block_cache_new(size_t max)
{
    struct block_cache *c = xcalloc(1, sizeof *c);
    list_init(&c->order);
    c->view.max = max;
    return c;
}

static struct str cached_key(const struct block_cache_key *key)
{
    return (struct str){(const char *)key, sizeof *key};
}

static void block_cache_drop(struct block_cache *c, struct cached_answer *a)
{
    strmap_del(&c->by_key, cached_key(&a->key));
    list_del(&a->link);
    c->view.bytes -= sizeof *a + a->size;
    free(a);
}

void block_cache_free(struct block_cache *c)
{
    if (!c)
        return;
    while (!list_empty(&c->order))
        block_cache_drop(c, list_entry(c->order.next, struct cached_answer, link));
    strmap_done(&c->by_key);
    free(c);
}

struct str block_cache_get(struct block_cache *c, struct block_cache_key key)
{
    struct cached_answer *a = strmap_get(&c->by_key, cached_key(&key));
    if (!a) {
        c->view.misses++;
        return (struct str){0};
    }
    c->view.hits++;
    list_del(&a->link);
    list_push(&c->order, &a->link);
    return (struct str){a->bytes, a->size};
}

void block_cache_put(struct block_cache *c, struct block_cache_key key, struct str answer)
{
    const size_t room = sizeof(struct cached_answer) + answer.n;
    if (room > c->view.max / CACHE_PART || strmap_has(&c->by_key, cached_key(&key)))
        return;
    while (c->view.bytes + room > c->view.max)
        block_cache_drop(c, list_entry(c->order.next, struct cached_answer, link));
    struct cached_answer *a = xmalloc(room);
    a->key = key;
    a->size = answer.n;
    memcpy(a->bytes, answer.p, answer.n);
    list_init(&a->link);
    list_push(&c->order, &a->link);
    strmap_put(&c->by_key, cached_key(&a->key), a);
    c->view.bytes += room;
}

struct block_cache_view block_cache_look(const struct block_cache *c)
{
    return c->view;
}
