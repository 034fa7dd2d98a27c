/* The rows of a table or an index in a damaged database, with what a damaged page hides.
 *
 * From its root, children from the right to the left, so that the newest rows of a table come first. Where a page of
 * the tree cannot be read, the pages below it are found by the pointer map (store/page_file.h). Pages that are free, or
 * another tree's, are never read: their rows may have been deleted or replaced.
 *
 * Source: https://sqlite.org/fileformat2.html §1.6 (b-tree pages, overflow), §2.1 (records).
 */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "store/page_file.h"

enum { PAGE_COLUMNS_MAX = 12 };

enum page_kind { PAGE_NULL, PAGE_NUMBER, PAGE_BLOB, PAGE_TEXT };
struct page_column {
    enum page_kind kind;
    int64_t number;
    struct str bytes; /* as far as they could be read; borrowed until the next row */
};
struct page_row {
    int64_t rowid; /* of a table's */
    bool complete; /* false: the end of it is damaged */
    size_t n;
    struct page_column columns[PAGE_COLUMNS_MAX];
};

struct page_walk {
    struct page_file *file;
    uint8_t *owners; /* by page, file->count + 1: the number of the walk that has been there; the caller's */
    uint8_t number;
    bool index;
    bool damaged; /* something of the tree could not be read, so far */
    uint8_t *page;
    uint32_t at, cells, cell, orphan; /* cell: those before it are still to come */
    uint32_t *stack;
    size_t len, cap;
    struct buf payload;
};
/* `number`: of this walk, from 1. */
void page_walk_begin(struct page_walk *w, struct page_file *file, uint8_t *owners, uint8_t number, uint32_t root,
                     bool index);
/* False: that was all. */
bool page_walk_next(struct page_walk *w, struct page_row *row);
void page_walk_done(struct page_walk *w);
