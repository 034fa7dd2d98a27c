#include "store/block_wants.h"

#include <errno.h>
#include <string.h>

/* As they are sent: this, wants, rows of all wants. */
struct sent_block {
    uint64_t tree, wants;
};
struct sent_want {
    uint64_t size, rows;
    uint32_t sum, all, number, zero;
};

void block_wants_put(struct str tree, const struct block_want *wants, size_t n, struct buf *head, struct buf *bytes)
{
    const struct sent_block block = {tree.n, n};
    buf_append(head, &block, sizeof block);
    buf_str(bytes, tree);
    for (size_t i = 0; i < n; i++) {
        const struct block_want *w = &wants[i];
        const bool all = w->is_sum || !w->rows;
        const struct sent_want sent = {w->blob.n, all ? 0 : w->row_count, w->is_sum, all, w->number, 0};
        buf_append(head, &sent, sizeof sent);
        buf_str(bytes, w->blob);
    }
    for (size_t i = 0; i < n; i++) {
        if (wants[i].rows && !wants[i].is_sum)
            buf_append(head, wants[i].rows, wants[i].row_count * sizeof *wants[i].rows);
    }
}

/* ---- the parser process ---- */

bool block_wants_read(struct str head, struct str bytes, struct block_wants *ret)
{
    struct sent_block block = {0};
    struct cursor c = cursor_of(head.p, head.n), blobs = cursor_of(bytes.p, bytes.n);
    const uint8_t *p = cursor_bytes(&c, sizeof block);
    if (p)
        memcpy(&block, p, sizeof block);
    const struct str tree = cursor_str(&blobs, block.tree);
    if (!p || blobs.bad || block.wants > cursor_left(&c) / sizeof(struct sent_want))
        return false;
    const struct str wants = cursor_str(&c, block.wants * sizeof(struct sent_want));
    *ret = (struct block_wants){tree, cursor_of(wants.p, wants.n), c, blobs};
    return true;
}

int block_wants_next(struct block_wants *w, struct block_wanted *ret)
{
    struct sent_want sent;
    if (cursor_left(&w->wants) == 0)
        return 0;
    const uint8_t *p = cursor_bytes(&w->wants, sizeof sent);
    if (!p)
        return -EINVAL;
    memcpy(&sent, p, sizeof sent);
    if (sent.rows > UINT32_MAX)
        return -EINVAL;
    const struct str rows = cursor_str(&w->rows, sent.rows * sizeof(uint32_t)), blob = cursor_str(&w->blobs, sent.size);
    if (w->rows.bad || w->blobs.bad)
        return -EINVAL;
    *ret = (struct block_wanted){blob, sent.sum, sent.all, sent.number, rows};
    return 1;
}

bool block_wanted_takes(struct block_wanted *w, uint32_t row)
{
    uint32_t next = row;
    if (w->all)
        return true;
    memcpy(&next, w->rows.p, sizeof next);
    if (next != row)
        return false;
    w->rows.p += sizeof next;
    w->rows.n -= sizeof next;
    return true;
}
