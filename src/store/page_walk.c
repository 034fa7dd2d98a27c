#include "store/page_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum {
    INDEX_INTERIOR = 2,
    TABLE_INTERIOR = 5,
    INDEX_LEAF = 10,
    TABLE_LEAF = 13,
    LEAF_HEADER = 8,
    INTERIOR_HEADER = 12,
    FILE_HEADER = 100, /* of page 1 */
    DEPTH_MAX = 32,
    OVERFLOW_HEADER = 4,
    PAYLOAD_MAX = 256 << 20, /* of a row */
};

struct page_span {
    const uint8_t *p, *end;
};

/* False where it goes beyond the end. */
static bool page_varint(struct page_span *s, uint64_t *ret)
{
    uint64_t v = 0;
    for (int i = 0; s->p < s->end; i++) {
        const uint8_t byte = *s->p++;
        v = i == 8 ? v << 8 | byte : v << 7 | (byte & 0x7f);
        if (i == 8 || !(byte & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

/* ---- records ---- */

static bool page_column_shape(uint64_t type, enum page_kind *kind, uint64_t *n)
{
    static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8};
    if (type >= 12) {
        *kind = type & 1 ? PAGE_TEXT : PAGE_BLOB;
        *n = (type - 12) / 2;
        return true;
    }
    *kind = type ? PAGE_NUMBER : PAGE_NULL;
    *n = type < ARRAY_LEN(sizes) ? sizes[type] : 0;
    return type <= 6 || type == 8 || type == 9;
}

static int64_t page_number(uint64_t type, const uint8_t *p, uint64_t n)
{
    uint64_t v = n && p[0] & 0x80 ? UINT64_MAX : 0;
    if (type == 8 || type == 9)
        return (int64_t)(type - 8);
    for (uint64_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

/* False: not a record of `size` bytes. Columns may be cut off, except for the numbers. */
static bool page_record(struct str bytes, uint64_t size, struct page_row *row)
{
    struct page_span head = {(const uint8_t *)bytes.p, (const uint8_t *)bytes.p + bytes.n};
    uint64_t header, at, type, n;
    if (!page_varint(&head, &header) || header > bytes.n)
        return false;
    head.end = (const uint8_t *)bytes.p + header;
    for (at = header, row->n = 0; head.p < head.end; at += n, row->n++) {
        struct page_column *c = &row->columns[row->n];
        if (row->n == PAGE_COLUMNS_MAX || !page_varint(&head, &type) || !page_column_shape(type, &c->kind, &n) ||
            n > size - at)
            return false;
        const uint64_t there = at >= bytes.n ? 0 : n < bytes.n - at ? n : bytes.n - at;
        if (c->kind == PAGE_NUMBER && there < n)
            return false;
        c->bytes = (struct str){there ? bytes.p + at : "", (size_t)there};
        c->number = c->kind == PAGE_NUMBER ? page_number(type, (const uint8_t *)c->bytes.p, n) : 0;
    }
    return at == size;
}

/* ---- cells ---- */

/* Bytes of a payload that are in the cell itself. */
static uint64_t page_local(const struct page_walk *w, uint64_t size)
{
    const uint64_t usable = w->file->usable;
    const uint64_t max = w->index ? (usable - 12) * 64 / 255 - 23 : usable - 35;
    const uint64_t min = (usable - 12) * 32 / 255 - 23;
    if (size <= max)
        return size;
    const uint64_t local = min + (size - min) % (usable - OVERFLOW_HEADER);
    return local <= max ? local : min;
}

/* The rest of a payload. False: a part is missing. */
static bool page_overflow(struct page_walk *w, uint32_t next, uint64_t left)
{
    uint8_t page[PAGE_SIZE_MAX];
    while (left) {
        uint32_t parent;
        const enum page_use use = page_file_use(w->file, next, &parent);
        if (use == PAGE_FREE || use == PAGE_CHILD || use == PAGE_ROOT || next > w->file->count ||
            !page_file_read(w->file, next, page))
            return false;
        const uint64_t room = w->file->usable - OVERFLOW_HEADER, n = left < room ? left : room;
        buf_append(&w->payload, page + OVERFLOW_HEADER, (size_t)n);
        left -= n;
        next = page_u32(page);
    }
    return next == 0 && buf_ok(&w->payload);
}

/* Where cell `i` begins; NULL: not within the page. */
static const uint8_t *page_cell(const struct page_walk *w, uint32_t i)
{
    const uint32_t header = w->at == 1 ? FILE_HEADER : 0;
    const bool leaf = w->page[header] == INDEX_LEAF || w->page[header] == TABLE_LEAF;
    const uint32_t array = header + (leaf ? LEAF_HEADER : INTERIOR_HEADER);
    const uint32_t at = page_u16(w->page + array + 2 * (size_t)i);
    return at >= array + 2 * w->cells && at + OVERFLOW_HEADER <= w->file->usable ? w->page + at : NULL;
}

/* False: not a row. */
static bool page_walk_row(struct page_walk *w, uint32_t i, struct page_row *row)
{
    const uint8_t *cell = page_cell(w, i), *const end = w->page + w->file->usable;
    uint64_t size, rowid = 0;
    if (!cell)
        return false;
    struct page_span s = {cell + (w->page[w->at == 1 ? FILE_HEADER : 0] == INDEX_INTERIOR ? 4 : 0), end};
    if (!page_varint(&s, &size) || size > PAYLOAD_MAX || (!w->index && !page_varint(&s, &rowid)))
        return false;
    const uint64_t local = page_local(w, size);
    if (local + (local < size ? 4 : 0) > (uint64_t)(end - s.p))
        return false;
    buf_reset(&w->payload);
    buf_append(&w->payload, s.p, (size_t)local);
    row->rowid = (int64_t)rowid;
    row->complete = local == size || page_overflow(w, page_u32(s.p + local), size - local);
    w->damaged |= !row->complete;
    return page_record(buf_slice(&w->payload), size, row);
}

/* ---- pages ---- */

static void page_walk_push(struct page_walk *w, uint32_t page)
{
    w->owners[page] = w->number;
    xgrow(&w->stack, &w->cap, w->len + 1, sizeof *w->stack);
    w->stack[w->len++] = page;
}

static void page_walk_child(struct page_walk *w, uint32_t page)
{
    uint32_t parent = w->at;
    const bool valid = page > 1 && page <= w->file->count && !w->owners[page];
    const enum page_use use = valid ? page_file_use(w->file, page, &parent) : PAGE_UNKNOWN;
    if (valid && (use == PAGE_UNKNOWN || (use == PAGE_CHILD && parent == w->at)))
        page_walk_push(w, page);
    else
        w->damaged = true;
}

static void page_walk_children(struct page_walk *w, const uint8_t *header)
{
    for (uint32_t i = 0; i < w->cells; i++) {
        const uint8_t *cell = page_cell(w, i);
        if (cell)
            page_walk_child(w, page_u32(cell));
        else
            w->damaged = true;
    }
    page_walk_child(w, page_u32(header + LEAF_HEADER));
}

static void page_walk_enter(struct page_walk *w, uint32_t page)
{
    w->at = page;
    w->cells = w->cell = 0;
    if (!page_file_read(w->file, page, w->page)) {
        w->damaged = true;
        return;
    }
    const uint32_t header = page == 1 ? FILE_HEADER : 0;
    const uint8_t type = w->page[header];
    const bool leaf = type == (w->index ? INDEX_LEAF : TABLE_LEAF);
    const uint32_t cells = page_u16(w->page + header + 3);
    if ((!leaf && type != (w->index ? INDEX_INTERIOR : TABLE_INTERIOR)) ||
        header + (leaf ? LEAF_HEADER : INTERIOR_HEADER) + 2 * cells > w->file->usable) {
        w->damaged = true;
        return;
    }
    w->cells = cells;
    if (!leaf)
        page_walk_children(w, w->page + header);
    w->cell = leaf || w->index ? cells : 0;
}

/* Whether the pointer map says that a page belongs to this tree. */
static bool page_walk_owns(const struct page_walk *w, uint32_t page)
{
    uint32_t parent = 0;
    for (int depth = 0; depth < DEPTH_MAX && page_file_use(w->file, page, &parent) == PAGE_CHILD; depth++) {
        if (parent == 0)
            return false;
        if (w->owners[parent])
            return w->owners[parent] == w->number;
        page = parent;
    }
    return false;
}

/* The next page that nothing legible refers to. */
static bool page_walk_orphan(struct page_walk *w)
{
    for (; w->damaged && w->orphan <= w->file->count; w->orphan++) {
        if (!w->owners[w->orphan] && page_walk_owns(w, w->orphan)) {
            page_walk_push(w, w->orphan++);
            return true;
        }
    }
    return false;
}

void page_walk_begin(struct page_walk *w, struct page_file *file, uint8_t *owners, uint8_t number, uint32_t root,
                     bool index)
{
    uint32_t parent;
    *w = (struct page_walk){.file = file,
                            .owners = owners,
                            .number = number,
                            .index = index,
                            .orphan = 3,
                            .page = xmalloc(file->size),
                            .payload = BUF_INIT(PAYLOAD_MAX)};
    const bool valid = root >= 1 && root <= file->count && !owners[root];
    const enum page_use use = valid ? page_file_use(file, root, &parent) : PAGE_UNKNOWN;
    if (valid && (use == PAGE_UNKNOWN || use == PAGE_ROOT))
        page_walk_push(w, root);
    else
        w->damaged = true;
}

bool page_walk_next(struct page_walk *w, struct page_row *row)
{
    for (;;) {
        while (w->cell > 0) {
            if (page_walk_row(w, --w->cell, row))
                return true;
            w->damaged = true;
        }
        if (w->len)
            page_walk_enter(w, w->stack[--w->len]);
        else if (!page_walk_orphan(w))
            return false;
    }
}

void page_walk_done(struct page_walk *w)
{
    free(w->stack);
    free(w->page);
    buf_done(&w->payload);
    *w = (struct page_walk){0};
}
