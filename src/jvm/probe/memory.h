/* Memory of another process, and the dynamic symbols of a library that is mapped there.
 *
 * All of it is untrusted: every read is bounds-checked by the kernel, every chain has a maximum, and a wrong table only
 * yields a wrong answer about that process. Read page by page through a small cache, so that a table costs a system
 * call per page and its text does not change between two looks.
 *
 * 64-bit little-endian libraries with a GNU hash table, which all HotSpot builds for Linux have. Blocking: a page of a
 * file on a dead mount is waited for; for a child of the helper. Source: proc(5) /proc/PID/mem; elf(5); the dynamic
 * linker's DT_GNU_HASH.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_PAGE = 4096, MEMORY_PAGES = 16 };

struct memory {
    int fd; /* /proc/PID/mem; borrowed */
    /* Of the library: what its addresses are relative to, and its tables. */
    uint64_t bias, symbols, strings, hash;
    uint64_t pages[MEMORY_PAGES]; /* page number plus 1; 0 = empty */
    unsigned last, oldest;        /* slots: of the last look, and the one that is replaced next */
    uint8_t bytes[MEMORY_PAGES][MEMORY_PAGE];
};

/* `head` is where the library's first byte is mapped. False when no library that can be read is there. */
bool memory_open(struct memory *m, int fd, uint64_t head);

/* All `n` bytes at `at`, or false. */
bool memory_read(struct memory *m, uint64_t at, void *ret, size_t n);
/* A pointer or size_t there; 0 when it cannot be read. */
uint64_t memory_word(struct memory *m, uint64_t at);
/* The NUL-terminated text at `at`, cut at size - 1 bytes; "" when it cannot be read. Returns its length. */
size_t memory_text(struct memory *m, uint64_t at, char *ret, size_t size);
/* Is the NUL-terminated text at `at` this one? */
bool memory_text_is(struct memory *m, uint64_t at, const char *text);

/* The address of an exported symbol; 0 when there is none. */
uint64_t memory_symbol(struct memory *m, const char *name);
