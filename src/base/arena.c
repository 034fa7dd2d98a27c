#include "base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 256 * 1024, ALIGN = alignof(max_align_t) };

struct arena_block {
    struct arena_block *next;
    size_t cap;
    alignas(max_align_t) char data[];
};

static bool arena_add_block(struct arena *a, size_t n)
{
    size_t cap = a->blocks ? a->blocks->cap * 2 : FIRST_BLOCK;
    if (cap > LARGEST_BLOCK)
        cap = LARGEST_BLOCK;
    if (cap < n)
        cap = n;
    struct arena_block *b = malloc(sizeof *b + cap);
    if (!b)
        return false;
    *b = (struct arena_block){.next = a->blocks, .cap = cap};
    a->blocks = b;
    a->free = b->data;
    a->left = cap;
    return true;
}

char *arena_room(struct arena *a, size_t n)
{
    if (n > a->max - a->used || ((n > a->left || !a->free) && !arena_add_block(a, n)))
        return NULL;
    return a->free;
}

void arena_keep(struct arena *a, size_t n)
{
    a->free += n;
    a->left -= n;
    a->used = n > a->max - a->used ? a->max : a->used + n;
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t gap = -(uintptr_t)a->free % ALIGN; /* a new block needs none */
    if (n > SIZE_MAX - ALIGN || n > a->max - a->used)
        return NULL;
    if (a->free && gap + n <= a->left)
        arena_keep(a, gap);
    else if (!arena_add_block(a, n))
        return NULL;
    void *p = a->free;
    arena_keep(a, n);
    return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    void *p = arena_alloc(a, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = s.n < SIZE_MAX ? arena_room(a, s.n + 1) : NULL;
    if (!p)
        return (struct str){NULL, 0};
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    arena_keep(a, s.n + 1);
    return (struct str){p, s.n};
}

static void free_blocks(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_done(struct arena *a)
{
    free_blocks(a->blocks);
    *a = ARENA_INIT(a->max);
}
