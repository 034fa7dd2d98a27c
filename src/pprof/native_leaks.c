#include "pprof/native_leaks.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

struct native_block {
    uint64_t address; /* 0 = free slot */
    int64_t time, size;
    uint32_t stack, labels;
    bool freed;
};

static struct native_block *leaks_slot_of(struct native_block *blocks, size_t cap, uint64_t address)
{
    size_t i = hash_number(address) & (cap - 1);
    while (blocks[i].address != 0 && blocks[i].address != address)
        i = (i + 1) & (cap - 1);
    return &blocks[i];
}

static size_t leaks_max_of(const struct native_leaks *l)
{
    return l->max ? l->max : NATIVE_BLOCKS_MAX;
}

/* Without the freed ones. Where there is no memory all stays as it is. */
static void leaks_move_to(struct native_leaks *l, size_t cap)
{
    struct native_block *blocks = calloc(cap, sizeof *blocks);
    size_t len = 0;
    if (!blocks)
        return;
    for (size_t i = 0; i < l->cap; i++) {
        const struct native_block *b = &l->blocks[i];
        if (b->address == 0 || b->freed)
            continue;
        *leaks_slot_of(blocks, cap, b->address) = *b;
        len++;
    }
    free(l->blocks);
    *l = (struct native_leaks){.blocks = blocks, .len = len, .cap = cap, .max = l->max, .any_free = l->any_free};
}

/* Half full at most. What is freed goes first. */
static void leaks_make_room(struct native_leaks *l)
{
    enum { FIRST_CAP = 64 };
    if ((l->len - l->freed) * 4 >= l->cap && l->cap < 2 * leaks_max_of(l))
        leaks_move_to(l, l->cap ? l->cap * 2 : FIRST_CAP);
    else if (l->freed)
        leaks_move_to(l, l->cap);
}

void native_leaks_malloc(struct native_leaks *l, uint64_t address, int64_t time, uint32_t stack, uint32_t labels,
                         int64_t size)
{
    if (address == 0)
        return;
    if (l->len * 2 >= l->cap || l->len >= leaks_max_of(l))
        leaks_make_room(l);
    if (l->cap == 0)
        return;
    struct native_block *b = leaks_slot_of(l->blocks, l->cap, address);
    if (b->address == 0 ? l->len >= leaks_max_of(l) || l->len * 2 >= l->cap : time < b->time)
        return;
    l->len += b->address == 0;
    l->freed -= b->freed;
    *b = (struct native_block){.address = address, .time = time, .size = size, .stack = stack, .labels = labels};
}

void native_leaks_free(struct native_leaks *l, uint64_t address, int64_t time)
{
    l->any_free = true;
    struct native_block *b = l->cap && address ? leaks_slot_of(l->blocks, l->cap, address) : NULL;
    if (!b || !b->address || time < b->time)
        return;
    l->freed += !b->freed;
    b->freed = true;
}

/* Mostly there is nothing from chunks before. */
void native_leaks_settle(struct native_leaks *l, struct native_leaks *chunk)
{
    const bool any_free = l->any_free || chunk->any_free;
    if (l->len == 0) {
        native_leaks_done(l);
        *l = *chunk;
        *chunk = (struct native_leaks){0};
    }
    for (size_t i = 0; i < chunk->cap; i++) {
        const struct native_block *b = &chunk->blocks[i];
        if (b->address != 0 && !b->freed)
            native_leaks_malloc(l, b->address, b->time, b->stack, b->labels, b->size);
    }
    l->any_free = any_free;
    native_leaks_done(chunk);
}

static int leaks_compare(const void *a, const void *b)
{
    const struct native_block *x = *(const struct native_block *const *)a, *y = *(const struct native_block *const *)b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->address < y->address ? -1 : x->address > y->address;
}

uint64_t native_leaks_report(const struct native_leaks *l, struct profile *p)
{
    uint64_t live = 0;
    size_t n = 0;
    if (!l->any_free)
        return 0;
    const struct native_block **blocks = xcalloc(l->len + 1, sizeof *blocks); /* bounded, see `max` */
    for (size_t i = 0; i < l->cap; i++) {
        if (l->blocks[i].address != 0 && !l->blocks[i].freed)
            blocks[n++] = &l->blocks[i];
    }
    qsort(blocks, n, sizeof *blocks, leaks_compare);
    for (size_t i = 0; i < n; i++)
        live += profile_add(p, blocks[i]->stack, blocks[i]->labels, (int64_t[]){1, blocks[i]->size});
    free(blocks);
    return live;
}

void native_leaks_done(struct native_leaks *l)
{
    free(l->blocks);
    *l = (struct native_leaks){0};
}
