#include "store/block_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pprof/flame.h"
#include "store/block.h"

/* Content of rows: numbers of rows and ranks, sizes of three columns, nodes by rank as differences, sets of ids, then
 * the columns. `heads` has per row: number of values, their divisor, the difference of its period. `deltas` has
 * differences of ascending ranks, `values` the quotients; both have all rows one after the other. Where there are sets
 * of ids, the rest is the numbers of those.
 *
 * Content of a sum: number of nodes, period, divisor, differences of ascending nodes, quotients. */

enum { SUM_PAYS = 2 }; /* values of the rows per node of the sum */

/* ---- writing ---- */

void block_rows_maker_done(struct block_rows_maker *m)
{
    id_map_done(&m->ranks);
    free(m->nodes);
    free(m->sums);
    free(m->row);
    buf_done(&m->heads);
    buf_done(&m->deltas);
    buf_done(&m->values);
    buf_done(&m->ids);
    *m = BLOCK_ROWS_MAKER_INIT;
}

void block_rows_count(struct block_rows_maker *m, const struct block_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        uint32_t *const uses = id_map_at(&m->ranks, row->values[i].node);
        if (!uses) {
            m->failed = true;
            return;
        }
        ++*uses;
        if (row->values[i].node >= m->nodes_end)
            m->nodes_end = row->values[i].node + (size_t)1;
    }
}

/* More uses first, then by node. */
static int rows_by_uses(const void *a, const void *b)
{
    const struct block_value *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

void block_rows_rank(struct block_rows_maker *m)
{
    for (size_t i = 0; i < m->nodes_end; i++)
        m->rank_count += id_map_get(&m->ranks, i) != 0;
    cleanup_free struct block_value *order = calloc(m->rank_count + 1, sizeof *order);
    m->nodes = calloc(m->rank_count + 1, sizeof *m->nodes);
    m->sums = calloc(m->rank_count + 1, sizeof *m->sums);
    if (m->failed || !order || !m->nodes || !m->sums) {
        m->failed = true;
        return;
    }
    size_t n = 0;
    for (size_t i = 0; i < m->nodes_end; i++) {
        const uint32_t uses = id_map_get(&m->ranks, i);
        if (uses)
            order[n++] = (struct block_value){.node = (uint32_t)i, .value = uses};
    }
    qsort(order, n, sizeof *order, rows_by_uses);
    for (size_t i = 0; i < n; i++) {
        m->nodes[i] = order[i].node;
        m->ranks.of[order[i].node] = (uint32_t)i + 1;
    }
}

static uint64_t rows_common(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int rows_by_rank(const void *a, const void *b)
{
    const struct block_value *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->ids < y->ids ? -1 : x->ids > y->ids;
}

/* The row by rank, equal ones together; how many are left. */
static size_t rows_sort(struct block_rows_maker *m, const struct block_row *row)
{
    size_t n = 0;
    for (size_t i = 0; i < row->count; i++) {
        m->row[i] = row->values[i];
        m->row[i].node = id_map_get(&m->ranks, row->values[i].node) - 1;
    }
    qsort(m->row, row->count, sizeof *m->row, rows_by_rank);
    for (size_t i = 0; i < row->count; i++) {
        if (n && m->row[n - 1].node == m->row[i].node && m->row[n - 1].ids == m->row[i].ids)
            m->row[n - 1].value = flame_sum(m->row[n - 1].value, m->row[i].value);
        else
            m->row[n++] = m->row[i];
    }
    return n;
}

void block_rows_add(struct block_rows_maker *m, const struct block_row *row)
{
    m->failed = m->failed || !mem_grow(&m->row, &m->row_cap, row->count + 1, sizeof *m->row);
    if (m->failed)
        return;
    const size_t n = rows_sort(m, row);
    uint64_t divisor = 0;
    for (size_t i = 0; i < n && divisor != 1; i++)
        divisor = rows_common((uint64_t)m->row[i].value, divisor);
    divisor += divisor == 0;
    block_put_number(&m->heads, n);
    block_put_number(&m->heads, divisor);
    block_put_number(&m->heads, block_zigzag((int64_t)((uint64_t)row->period - (uint64_t)m->period)));
    for (size_t i = 0; i < n; i++) {
        block_put_number(&m->deltas, m->row[i].node - (i ? m->row[i - 1].node : 0));
        block_put_number(&m->values, (uint64_t)m->row[i].value / divisor);
        block_put_number(&m->ids, m->row[i].ids);
        m->sums[m->row[i].node] = flame_sum(m->sums[m->row[i].node], m->row[i].value);
    }
    m->value_count += n;
    m->row_count++;
    m->period = row->period;
    m->longest = row->period > m->longest ? row->period : m->longest;
}

static int rows_put_sum(const struct block_rows_maker *m, struct gzip_packer *packer, struct buf *out)
{
    cleanup_buf struct buf content = BUF_INIT(BLOCK_PLAIN_MAX);
    uint64_t divisor = 0;
    for (size_t i = 0; i < m->rank_count && divisor != 1; i++)
        divisor = rows_common((uint64_t)m->sums[i], divisor);
    divisor += divisor == 0;
    block_put_number(&content, m->rank_count);
    block_put_number(&content, (uint64_t)m->longest);
    block_put_number(&content, divisor);
    size_t last = 0;
    for (size_t i = 0; i < m->nodes_end; i++) {
        if (m->ranks.of[i] == 0)
            continue;
        block_put_number(&content, i - last);
        last = i;
    }
    for (size_t i = 0; i < m->nodes_end; i++) {
        if (m->ranks.of[i])
            block_put_number(&content, (uint64_t)m->sums[m->ranks.of[i] - 1] / divisor);
    }
    return buf_ok(&content) ? block_blob_put(BLOCK_SUM, buf_slice(&content), packer, out) : -EMSGSIZE;
}

int block_rows_put(const struct block_rows_maker *m, const struct block_ids *ids, struct gzip_packer *packer,
                   struct buf *rows, struct buf *sum)
{
    cleanup_buf struct buf content = BUF_INIT(BLOCK_PLAIN_MAX);
    if (m->failed)
        return -ENOMEM;
    if (m->value_count > BLOCK_VALUES_MAX)
        return -EMSGSIZE;
    block_put_number(&content, m->row_count);
    block_put_number(&content, m->rank_count);
    block_put_number(&content, m->heads.len);
    block_put_number(&content, m->deltas.len);
    block_put_number(&content, m->values.len);
    uint32_t last = 0;
    for (size_t i = 0; i < m->rank_count; i++) {
        block_put_number(&content, block_zigzag((int64_t)m->nodes[i] - last));
        last = m->nodes[i];
    }
    block_ids_put(ids, &content);
    buf_str(&content, buf_slice(&m->heads));
    buf_str(&content, buf_slice(&m->deltas));
    buf_str(&content, buf_slice(&m->values));
    if (ids->count)
        buf_str(&content, buf_slice(&m->ids));
    if (!buf_ok(&content) || !buf_ok(&m->heads) || !buf_ok(&m->deltas) || !buf_ok(&m->values) || !buf_ok(&m->ids))
        return -EMSGSIZE;
    const int code = block_blob_put(BLOCK_ROWS, buf_slice(&content), packer, rows);
    if (code < 0 || m->value_count <= m->rank_count * SUM_PAYS)
        return code;
    return rows_put_sum(m, packer, sum);
}

/* ---- reading ---- */

static int rows_bad(struct err *err)
{
    return err_set(err, -EBADMSG, "stored rows: invalid");
}

void block_rows_done(struct block_rows *r)
{
    block_ids_done(&r->ids);
    buf_done(&r->room);
    free(r->nodes);
    free(r->row);
    *r = (struct block_rows){0};
}

static bool rows_node_add(uint32_t *node, int64_t difference)
{
    const uint64_t v = *node + (uint64_t)difference;
    *node = (uint32_t)v;
    return v < BLOCK_NODES_MAX;
}

static struct cursor rows_column(struct cursor *c, uint64_t size)
{
    const uint8_t *p = cursor_bytes(c, size);
    return cursor_of(p, p ? size : 0);
}

static int rows_read_content(struct block_rows *r, struct str content, struct err *err)
{
    struct cursor c = cursor_of(content.p, content.n);
    const uint64_t rows = block_number(&c), ranks = block_number(&c), heads = block_number(&c),
                   deltas = block_number(&c), values = block_number(&c);
    if (ranks > cursor_left(&c) || ranks > BLOCK_NODES_MAX || rows > cursor_left(&c))
        return rows_bad(err);
    r->nodes = calloc(ranks + 1, sizeof *r->nodes);
    if (!r->nodes)
        return err_set(err, -ENOMEM, "out of memory");
    uint32_t node = 0;
    for (uint64_t i = 0; i < ranks; i++) {
        if (!rows_node_add(&node, block_unzigzag(block_number(&c))))
            return rows_bad(err);
        r->nodes[i] = node;
    }
    if (!block_ids_read(&c, &r->ids))
        return rows_bad(err);
    r->heads = rows_column(&c, heads);
    r->deltas = rows_column(&c, deltas);
    r->values = rows_column(&c, values);
    r->set_numbers = c;
    r->row_count = (uint32_t)rows;
    r->rank_count = ranks;
    r->values_left = BLOCK_VALUES_MAX;
    return c.bad ? rows_bad(err) : 0;
}

int block_rows_open(struct str blob, struct block_rows *ret, struct err *err)
{
    cleanup_block_rows struct block_rows r = {.ids = BLOCK_IDS_INIT};
    struct str content;
    int code = block_blob_open(BLOCK_ROWS, blob, &r.room, &content, err);
    if (code == 0)
        code = rows_read_content(&r, content, err);
    if (code < 0)
        return code;
    *ret = r;
    r = (struct block_rows){0};
    return 0;
}

static bool rows_read_values(struct block_rows *r, size_t n, uint64_t divisor)
{
    uint64_t rank = 0;
    for (size_t i = 0; i < n; i++) {
        struct block_value *v = &r->row[i];
        rank += block_number(&r->deltas);
        if (rank >= r->rank_count || __builtin_mul_overflow(block_number(&r->values), divisor, &v->value) ||
            v->value <= 0)
            return false;
        v->node = r->nodes[rank];
        v->ids = 0;
    }
    for (size_t i = 0; r->ids.count && i < n; i++) {
        const uint64_t ids = block_number(&r->set_numbers);
        if (ids > r->ids.count)
            return false;
        r->row[i].ids = (uint32_t)ids;
    }
    return !r->deltas.bad && !r->values.bad && !r->set_numbers.bad;
}

int block_rows_next(struct block_rows *r, struct block_row *ret, struct err *err)
{
    if (r->next == r->row_count)
        return 0;
    const uint64_t n = block_number(&r->heads), divisor = block_number(&r->heads);
    r->period = (int64_t)((uint64_t)r->period + (uint64_t)block_unzigzag(block_number(&r->heads)));
    if (r->heads.bad || n > r->values_left || n > cursor_left(&r->deltas))
        return rows_bad(err);
    if (!mem_grow(&r->row, &r->row_cap, n + 1, sizeof *r->row))
        return err_set(err, -ENOMEM, "out of memory");
    if (!rows_read_values(r, n, divisor))
        return rows_bad(err);
    r->values_left -= n;
    r->next++;
    *ret = (struct block_row){r->row, n, r->period};
    return 1;
}

void block_sum_done(struct block_sum *s)
{
    free(s->values);
    *s = (struct block_sum){0};
}

static int rows_read_sum(struct block_sum *s, struct str content, struct err *err)
{
    struct cursor c = cursor_of(content.p, content.n);
    const uint64_t n = block_number(&c), period = block_number(&c), divisor = block_number(&c);
    if (n > cursor_left(&c) || n > BLOCK_NODES_MAX || period > INT64_MAX)
        return rows_bad(err);
    s->values = calloc(n + 1, sizeof *s->values);
    if (!s->values)
        return err_set(err, -ENOMEM, "out of memory");
    uint64_t node = 0;
    for (uint64_t i = 0; i < n; i++) {
        node += block_number(&c);
        if (node >= BLOCK_NODES_MAX)
            return rows_bad(err);
        s->values[i].node = (uint32_t)node;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (__builtin_mul_overflow(block_number(&c), divisor, &s->values[i].value) || s->values[i].value <= 0)
            return rows_bad(err);
    }
    s->count = n;
    s->period = (int64_t)period;
    return c.bad || cursor_left(&c) ? rows_bad(err) : 0;
}

int block_sum_read(struct str blob, struct block_sum *ret, struct err *err)
{
    cleanup_buf struct buf room = BUF_INIT(BLOCK_PLAIN_MAX);
    cleanup_block_sum struct block_sum s = {0};
    struct str content;
    int code = block_blob_open(BLOCK_SUM, blob, &room, &content, err);
    if (code == 0)
        code = rows_read_sum(&s, content, err);
    if (code < 0)
        return code;
    *ret = s;
    s = (struct block_sum){0};
    return 0;
}
