#include "base/map.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

struct u64map_slot {
    uint64_t key, value;
    bool taken;
};

static size_t map_slot_of(uint64_t key, size_t cap)
{
    return hash_number(key) & (cap - 1);
}

static struct u64map_slot *map_find_slot(struct u64map_slot *slots, size_t cap, uint64_t key)
{
    size_t i = map_slot_of(key, cap);
    while (slots[i].taken && slots[i].key != key)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void u64map_move(struct u64map *m, size_t cap)
{
    struct u64map_slot *slots = xcalloc(cap, sizeof *slots);
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].taken)
            *map_find_slot(slots, cap, m->slots[i].key) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
}

/* A quarter is free at all times. */
void u64map_expect(struct u64map *m, size_t want)
{
    size_t cap = m->cap ? m->cap : 16;
    while (want * 4 > cap * 3)
        cap *= 2;
    if (cap > m->cap)
        u64map_move(m, cap);
}

uint64_t *u64map_add(struct u64map *m, uint64_t key, uint64_t value, bool *added)
{
    if ((m->len + 1) * 4 > m->cap * 3)
        u64map_expect(m, m->len + 1);
    struct u64map_slot *s = map_find_slot(m->slots, m->cap, key);
    if (added)
        *added = !s->taken;
    if (!s->taken) {
        *s = (struct u64map_slot){key, value, true};
        m->len++;
    }
    return &s->value;
}

void u64map_put(struct u64map *m, uint64_t key, uint64_t value)
{
    *u64map_add(m, key, value, NULL) = value;
}

bool u64map_get(const struct u64map *m, uint64_t key, uint64_t *ret)
{
    if (m->cap == 0)
        return false;
    const struct u64map_slot *s = map_find_slot(m->slots, m->cap, key);
    if (s->taken)
        *ret = s->value;
    return s->taken;
}

size_t u64map_keys(const struct u64map *m, uint64_t value, uint64_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].taken && m->slots[i].value == value)
            ret[n++] = m->slots[i].key;
    }
    return n;
}

void u64map_done(struct u64map *m)
{
    free(m->slots);
    *m = U64MAP_INIT;
}

/* strmap: index slots hold entry number + 1; 0 is free. A deleted entry keeps its slot until the next rebuild. */
static void strmap_rebuild(struct strmap *m)
{
    size_t live = 0;
    for (size_t i = 0; i < m->used; i++) {
        if (m->entries[i].key.p)
            m->entries[live++] = m->entries[i];
    }
    m->used = live;
    size_t cap = 16;
    while (cap < (live + 1) * 2)
        cap *= 2;
    free(m->index);
    m->index = xcalloc(cap, sizeof *m->index);
    m->index_cap = cap;
    for (size_t i = 0; i < live; i++) {
        size_t slot = str_hash(m->entries[i].key) & (cap - 1);
        while (m->index[slot])
            slot = (slot + 1) & (cap - 1);
        m->index[slot] = (uint32_t)i + 1;
    }
}

static struct strmap_entry *strmap_find(const struct strmap *m, struct str key)
{
    if (m->index_cap == 0)
        return NULL;
    for (size_t slot = str_hash(key) & (m->index_cap - 1); m->index[slot]; slot = (slot + 1) & (m->index_cap - 1)) {
        struct strmap_entry *e = &m->entries[m->index[slot] - 1];
        if (e->key.p && str_eq(e->key, key))
            return e;
    }
    return NULL;
}

void *strmap_put(struct strmap *m, struct str key, void *value)
{
    struct strmap_entry *e = strmap_find(m, key);
    if (e) {
        void *old = e->value;
        e->value = value;
        return old;
    }
    if ((m->used + 1) * 2 > m->index_cap)
        strmap_rebuild(m);
    xgrow(&m->entries, &m->cap, m->used + 1, sizeof *m->entries);
    m->entries[m->used++] = (struct strmap_entry){key.p ? key : STR(""), value};
    m->len++;
    size_t slot = str_hash(key) & (m->index_cap - 1);
    while (m->index[slot])
        slot = (slot + 1) & (m->index_cap - 1);
    m->index[slot] = (uint32_t)m->used;
    return NULL;
}

void *strmap_get(const struct strmap *m, struct str key)
{
    const struct strmap_entry *e = strmap_find(m, key);
    return e ? e->value : NULL;
}

bool strmap_has(const struct strmap *m, struct str key)
{
    return strmap_find(m, key) != NULL;
}

void *strmap_del(struct strmap *m, struct str key)
{
    struct strmap_entry *e = strmap_find(m, key);
    if (!e)
        return NULL;
    void *old = e->value;
    *e = (struct strmap_entry){0};
    m->len--;
    return old;
}

void strmap_done(struct strmap *m)
{
    free(m->entries);
    free(m->index);
    *m = STRMAP_INIT;
}
