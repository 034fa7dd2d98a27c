#include "pprof/native_leaks.h"

#include <stdlib.h>

#include "base/mem.h"
#include "jfr/hash.h"

struct native_block {
    uint64_t address; /* 0 = free slot */
    int64_t time, size;
    uint32_t stack, labels;
    bool freed;
};

static struct native_block *slot_of(struct native_block *blocks, size_t cap, uint64_t address)
{
    size_t i = jfr_hash(address) & (cap - 1);
    while (blocks[i].address != 0 && blocks[i].address != address)
        i = (i + 1) & (cap - 1);
    return &blocks[i];
}

/* Without the freed ones. */
static void move_to(struct native_leaks *l, size_t cap)
{
    struct native_block *blocks = xcalloc(cap, sizeof *blocks);
    size_t len = 0;
    for (size_t i = 0; i < l->cap; i++) {
        const struct native_block *b = &l->blocks[i];
        if (b->address == 0 || b->freed)
            continue;
        *slot_of(blocks, cap, b->address) = *b;
        len++;
    }
    free(l->blocks);
    *l = (struct native_leaks){.blocks = blocks, .len = len, .cap = cap, .any_free = l->any_free};
}

void native_leaks_malloc(struct native_leaks *l, uint64_t address, int64_t time, uint32_t stack, uint32_t labels,
                         int64_t size)
{
    enum { FIRST_CAP = 64 };
    if (address == 0)
        return;
    if (l->len * 2 >= l->cap && l->len < NATIVE_BLOCKS_MAX)
        move_to(l, l->cap ? l->cap * 2 : FIRST_CAP);
    struct native_block *b = slot_of(l->blocks, l->cap, address);
    if (b->address == 0 ? l->len == NATIVE_BLOCKS_MAX : time < b->time)
        return;
    l->len += b->address == 0;
    *b = (struct native_block){.address = address, .time = time, .size = size, .stack = stack, .labels = labels};
}

void native_leaks_free(struct native_leaks *l, uint64_t address, int64_t time)
{
    l->any_free = true;
    struct native_block *b = l->cap && address ? slot_of(l->blocks, l->cap, address) : NULL;
    if (b && b->address && time >= b->time)
        b->freed = true;
}

void native_leaks_settle(struct native_leaks *l)
{
    size_t live = 0, cap = 64;
    for (size_t i = 0; i < l->cap; i++)
        live += l->blocks[i].address != 0 && !l->blocks[i].freed;
    while (cap < live * 2)
        cap *= 2;
    if (l->cap && live < l->len)
        move_to(l, cap);
}

uint64_t native_leaks_report(const struct native_leaks *l, struct profile *p)
{
    uint64_t live = 0;
    for (size_t i = 0; l->any_free && i < l->cap; i++) {
        const struct native_block *b = &l->blocks[i];
        if (b->address != 0 && !b->freed)
            live += profile_add(p, b->stack, b->labels, (int64_t[]){1, b->size});
    }
    return live;
}

void native_leaks_done(struct native_leaks *l)
{
    free(l->blocks);
    *l = (struct native_leaks){0};
}
