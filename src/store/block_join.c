#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/block_rows.h"

/* A head has the sizes of the blobs, which are the bytes. An answer per item: this, then both blobs. */
struct sent_joined {
    uint64_t rows, sum;
    uint32_t count, zero;
};

/* ---- the parser process ---- */

struct join {
    struct block_rows_maker maker;
    struct block_ids ids;       /* of all slices */
    struct id_map ids_of;       /* of the slice at hand -> of all, + 1 */
    struct block_value *values; /* a row with these; owned */
    size_t value_cap;
};

static void join_done(struct join *j)
{
    block_rows_maker_done(&j->maker);
    block_ids_done(&j->ids);
    id_map_done(&j->ids_of);
    free(j->values);
}

static int64_t join_ids(struct join *j, const struct block_rows *r, uint32_t number)
{
    uint32_t *known = number ? id_map_at(&j->ids_of, number) : NULL;
    if (number == 0 || (known && *known))
        return number ? (int64_t)*known - 1 : 0;
    struct sample_ids ids;
    block_ids_get(&r->ids, number, &ids);
    const int64_t to = known ? block_ids_add(&j->ids, &ids) : BLOCK_IDS_FULL;
    if (to >= 0)
        *known = (uint32_t)to + 1;
    return to;
}

/* A row with the ids of all slices. */
static int join_add(struct join *j, const struct block_rows *r, struct block_row row)
{
    if (r->ids.count) {
        if (!mem_grow(&j->values, &j->value_cap, row.count + 1, sizeof *j->values))
            return -ENOMEM;
        for (size_t i = 0; i < row.count; i++) {
            const int64_t ids = join_ids(j, r, row.values[i].ids);
            if (ids < 0)
                return -EMSGSIZE;
            j->values[i] = row.values[i];
            j->values[i].ids = (uint32_t)ids;
        }
        row.values = j->values;
    }
    block_rows_add(&j->maker, &row);
    return 0;
}

/* Once through a slice, to count or to add its rows. */
static int join_pass(struct join *j, struct str blob, bool add, struct err *err)
{
    cleanup_block_rows struct block_rows r = {0};
    struct block_row row;
    id_map_done(&j->ids_of);
    int code = block_rows_open(blob, &r, err);
    while (code >= 0 && (code = block_rows_next(&r, &row, err)) == 1) {
        if (add)
            code = join_add(j, &r, row);
        else
            block_rows_count(&j->maker, &row);
    }
    return code;
}

/* The blob at hand of an item. */
static struct str join_blob(const struct parser_item *item, size_t i, size_t *at)
{
    uint64_t size;
    memcpy(&size, item->head.p + i * sizeof size, sizeof size);
    const size_t left = item->bytes.n - *at, n = size < left ? size : left;
    const struct str blob = {item->bytes.p + *at, n};
    *at += n;
    return blob;
}

static int join_slices(struct join *j, const struct parser_item *item, struct err *err)
{
    const size_t n = item->head.n / sizeof(uint64_t);
    int code = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (size_t i = 0; code == 0 && i < n; i++)
            code = join_pass(j, join_blob(item, i, &at), pass == 1, err);
        if (code == 0 && pass == 0)
            block_rows_rank(&j->maker);
    }
    return code;
}

static int join_item(const struct parser_item *item, struct gzip_packer *packer, struct buf *out, struct err *err)
{
    __attribute__((cleanup(join_done))) struct join j = {.maker = BLOCK_ROWS_MAKER_INIT, .ids = BLOCK_IDS_INIT};
    cleanup_buf struct buf rows = BUF_INIT(out->max), sum = BUF_INIT(out->max);
    struct sent_joined sent = {0};
    struct err why = {0};
    int code = join_slices(&j, item, &why);
    if (code == 0 && j.maker.row_count)
        code = block_rows_put(&j.maker, &j.ids, packer, &rows, &sum);
    if (code == -ENOMEM)
        return err_set(err, code, "out of memory");
    if (code == 0)
        sent = (struct sent_joined){rows.len, sum.len, j.maker.row_count, 0};
    buf_append(out, &sent, sizeof sent);
    if (code == 0) {
        buf_str(out, buf_slice(&rows));
        buf_str(out, buf_slice(&sum));
    }
    return 0;
}

static int join_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++)
        code = join_item(&items[i], &packer, out, err);
    return code;
}

const struct parser_service block_join_service = {"store.join", join_serve};

/* ---- where it is stored ---- */

void block_join_request(const struct str *rows, size_t n, struct buf *head, struct buf *bytes)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t size = rows[i].n;
        buf_append(head, &size, sizeof size);
        buf_str(bytes, rows[i]);
    }
}

int block_join_read(struct cursor *c, struct block_slice *ret, struct err *err)
{
    struct sent_joined sent = {0};
    const uint8_t *p = cursor_bytes(c, sizeof sent);
    if (p)
        memcpy(&sent, p, sizeof sent);
    const struct block_slice slice = {cursor_str(c, sent.rows), cursor_str(c, sent.sum), sent.count};
    if (c->bad || (sent.count == 0) != (sent.rows == 0))
        return err_set(err, -EBADMSG, "invalid answer to slices");
    *ret = slice;
    return 0;
}

int block_join_check(void *arg, size_t n, struct str answer, struct err *err)
{
    struct cursor c = cursor_of(answer.p, answer.n);
    struct block_slice slice;
    int code = 0;
    (void)arg;
    for (size_t i = 0; code == 0 && i < n; i++)
        code = block_join_read(&c, &slice, err);
    if (code == 0 && cursor_left(&c))
        return err_set(err, -EBADMSG, "more than was asked for");
    return code;
}
