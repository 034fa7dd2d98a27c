/* Bump allocator for objects with the same lifetime: no individual free.
 *
 * Sized by input, therefore limited: arena_alloc() returns NULL beyond the limit. Not thread safe; one owner.
 */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    char *free;                 /* in the newest */
    size_t left;                /* bytes there */
    size_t used, max;           /* bytes handed out, and their cap */
};

#define ARENA_INIT(maximum) ((struct arena){.max = (maximum)})

/* Uninitialised, aligned for any type; NULL beyond the cap. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_calloc(struct arena *a, size_t n, size_t size);
/* Room for n bytes, aligned for nothing but characters; NULL beyond the cap. Whatever comes next gets the same bytes,
 * unless arena_keep() says how many of them stay: so that a text can be written where it will be, before it is known
 * whether. */
char *arena_room(struct arena *a, size_t n);
void arena_keep(struct arena *a, size_t n);
/* Copy with a NUL after it; p == NULL beyond the cap. */
struct str arena_str(struct arena *a, struct str s);
/* Frees everything. */
void arena_done(struct arena *a);
#define cleanup_arena __attribute__((cleanup(arena_done)))
