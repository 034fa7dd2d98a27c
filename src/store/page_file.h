/* The pages of an SQLite database, read without SQLite: what it refuses to open or to walk (store/salvage.h).
 *
 * A page is that of the last transaction in the write-ahead log which has one, else that of the file. Of each page the
 * pointer map tells what it is and which page refers to it, independent of the page itself and of its parent: databases
 * with auto_vacuum have one. Nothing is trusted, and nothing is changed. A worker's.
 *
 * Source: https://sqlite.org/fileformat2.html §1.3 (header), §1.8 (pointer map), §4 (write-ahead log).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"

enum { PAGE_SIZE_MAX = 65536 };

struct page_file {
    int fd, wal;     /* wal: -1 = there is none */
    uint32_t size;   /* of a page */
    uint32_t usable; /* bytes of it */
    uint32_t count;  /* of pages; they are numbered from 1 */
    bool mapped;     /* there is a pointer map */
    struct u64map frames;
    uint8_t *map; /* page `map_page` of the pointer map, as it was read last; owned */
    uint32_t map_page;
};

/* Fails only where the file cannot be read at all. */
must_check int page_file_open(const char *path, struct page_file *ret, struct err *err);
void page_file_done(struct page_file *f);
/* False: it is not there, or cannot be read. */
bool page_file_read(const struct page_file *f, uint32_t page, uint8_t *out);

enum page_use { PAGE_UNKNOWN, PAGE_ROOT, PAGE_FREE, PAGE_OVERFLOW_FIRST, PAGE_OVERFLOW, PAGE_CHILD };
/* What the pointer map says; PAGE_UNKNOWN where it is damaged as well. `parent`: of PAGE_CHILD. */
enum page_use page_file_use(struct page_file *f, uint32_t page, uint32_t *parent);

static inline uint32_t page_u16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}
static inline uint32_t page_u32(const uint8_t *p)
{
    return page_u16(p) << 16 | page_u16(p + 2);
}
