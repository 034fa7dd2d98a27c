/* Heap allocation of small objects whose size the program chooses: aborts with a message when out of memory, so that
 * callers do not check. Objects sized by input use buf or arena, which are limited and fail softly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

__attribute__((returns_nonnull, malloc)) void *xmalloc(size_t n);
/* Zeroed; aborts on overflow of n * size, too. */
__attribute__((returns_nonnull, malloc)) void *xcalloc(size_t n, size_t size);
__attribute__((returns_nonnull)) void *xrealloc(void *p, size_t n);
__attribute__((returns_nonnull, malloc)) char *xstrdup(const char *s);
__attribute__((returns_nonnull, malloc)) char *xstrndup(const char *s, size_t n);
__attribute__((returns_nonnull, malloc, format(printf, 1, 2))) char *xasprintf(const char *fmt, ...);

/* The next capacity of what holds `cap` and is to hold `want`: `first` doubled as often as needed. With
 * AddressSanitizer hardly more than wanted, so that growing things move at nearly every item: whoever kept a pointer
 * into one is then found by every test, and not by the one whose count happens to be a power of two. */
size_t mem_capacity(size_t cap, size_t want, size_t first);

/* As xgrow() below, for what input sizes: false where there is no memory, and all is as it was. */
__attribute__((warn_unused_result)) bool mem_grow_beyond(void *array, size_t *cap, size_t want, size_t size);
__attribute__((warn_unused_result)) static inline bool mem_grow(void *array, size_t *cap, size_t want, size_t size)
{
    return want <= *cap || mem_grow_beyond(array, cap, want, size);
}

/* Grows `*array` of `size`-byte items so that `want` fit; `*cap` counts items. */
void xgrow_beyond(void *array, size_t *cap, size_t want, size_t size);
static inline void xgrow(void *array, size_t *cap, size_t want, size_t size)
{
    if (want > *cap)
        xgrow_beyond(array, cap, want, size);
}
