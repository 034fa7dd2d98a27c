#include "store/block_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof/flame.h"
#include "store/block.h"
#include "test.h"

enum { MAX = 64 << 20, NODES = 50 };

struct blobs {
    struct buf rows, sum;
};

static void blobs_done(struct blobs *b)
{
    buf_done(&b->rows);
    buf_done(&b->sum);
}
#define cleanup_blobs __attribute__((cleanup(blobs_done)))

static struct blobs put_rows(const struct block_row *rows, size_t n, const struct block_ids *ids)
{
    struct blobs b = {BUF_INIT(MAX), BUF_INIT(MAX)};
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    cleanup_block_rows_maker struct block_rows_maker m = BLOCK_ROWS_MAKER_INIT;
    for (size_t i = 0; i < n; i++)
        block_rows_count(&m, &rows[i]);
    block_rows_rank(&m);
    for (size_t i = 0; i < n; i++)
        block_rows_add(&m, &rows[i]);
    CHECK_INT(block_rows_put(&m, ids, &packer, &b.rows, &b.sum), 0);
    return b;
}

/* What a row adds to nodes, by set of ids. */
static void add_up(const struct block_row *row, int64_t sums[static 3][NODES])
{
    for (size_t i = 0; i < row->count; i++) {
        int64_t *sum = &sums[row->values[i].ids][row->values[i].node];
        *sum = flame_sum(*sum, row->values[i].value);
    }
}

static void check_rows(const struct blobs *b, const struct block_row *rows, size_t n)
{
    cleanup_block_rows struct block_rows r = {0};
    struct block_row row;
    struct err err = {0};
    CHECK_INT(block_rows_open(buf_slice(&b->rows), &r, &err), 0);
    CHECK_INT(r.row_count, n);
    for (size_t i = 0; i < n; i++) {
        int64_t want[3][NODES] = {0}, got[3][NODES] = {0};
        CHECK_INT(block_rows_next(&r, &row, &err), 1);
        CHECK_INT(row.period, rows[i].period);
        add_up(&rows[i], want);
        add_up(&row, got);
        CHECK(memcmp(want, got, sizeof want) == 0);
    }
    CHECK_INT(block_rows_next(&r, &row, &err), 0);
}

static const struct block_value one[] = {{3, 0, 30}, {7, 0, 10}, {3, 0, 20}, {49, 0, 40}},
                                other[] = {{7, 0, INT64_MAX}, {7, 0, 1}, {8, 0, 1}, {9, 0, 6}};
static const struct block_row some[] = {{one, 4, 0},    {NULL, 0, 17},       {other, 4, INT64_MIN},
                                        {one, 4, 1000}, {one, 2, INT64_MAX}, {other, 2, -1}};

static void rows_come_back_in_their_order(void)
{
    const struct block_ids none = BLOCK_IDS_INIT;
    for (size_t n = 0; n <= ARRAY_LEN(some); n++) {
        cleanup_blobs struct blobs b = put_rows(some, n, &none);
        check_rows(&b, some, n);
    }
}

static void a_sum_is_made_where_it_is_faster_to_read(void)
{
    const struct block_ids none = BLOCK_IDS_INIT;
    struct block_row many[30];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct block_row){one, 4, (int64_t)i};
    cleanup_blobs struct blobs few = put_rows(many, 1, &none), all = put_rows(many, ARRAY_LEN(many), &none);
    CHECK_INT(few.sum.len, 0);
    cleanup_block_sum struct block_sum sum = {0};
    struct err err = {0};
    CHECK_INT(block_sum_read(buf_slice(&all.sum), &sum, &err), 0);
    CHECK_INT(sum.period, 29);
    CHECK_INT(sum.count, 3);
    CHECK_INT(sum.values[0].node, 3);
    CHECK_INT(sum.values[0].value, 30 * 50);
    CHECK_INT(sum.values[2].node, 49);
    CHECK_INT(sum.values[2].value, 30 * 40);
}

static void samples_keep_their_ids(void)
{
    cleanup_block_ids struct block_ids ids = BLOCK_IDS_INIT;
    const struct sample_ids span = {.items = {{false, "00000000000000ff"}}, .count = 1},
                            both = {.items = {{true, "0123456789abcdef0123456789abcdef"}, {false, "ffffffffffffffff"}},
                                    .count = 2};
    CHECK_INT(block_ids_add(&ids, &(struct sample_ids){.count = 0}), 0);
    CHECK_INT(block_ids_add(&ids, &span), 1);
    CHECK_INT(block_ids_add(&ids, &both), 2);
    CHECK_INT(block_ids_add(&ids, &span), 1);
    const struct block_value values[] = {{1, 2, 5}, {1, 0, 5}, {1, 1, 5}, {0, 1, 5}, {1, 2, 5}};
    const struct block_row rows[] = {{values, 5, 0}, {one, 4, 0}};
    cleanup_blobs struct blobs b = put_rows(rows, 2, &ids);
    check_rows(&b, rows, 2);
    cleanup_block_rows struct block_rows r = {0};
    struct sample_ids got;
    struct err err = {0};
    CHECK_INT(block_rows_open(buf_slice(&b.rows), &r, &err), 0);
    CHECK_INT(r.ids.count, 2);
    block_ids_get(&r.ids, 2, &got);
    CHECK_INT(got.count, 2); /* spans first */
    CHECK(memcmp(got.items[0].hex, "ffffffffffffffff", 16) == 0 && !got.items[0].trace);
    CHECK(memcmp(got.items[1].hex, "0123456789abcdef0123456789abcdef", 32) == 0 && got.items[1].trace);
}

static void read_made_up(enum blob_kind kind, struct str content)
{
    cleanup_buf struct buf blob = BUF_INIT(MAX);
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(1);
    cleanup_block_rows struct block_rows r = {0};
    cleanup_block_sum struct block_sum sum = {0};
    struct sample_ids ids;
    struct block_row row;
    struct err err = {0};
    CHECK_INT(block_blob_put(kind, content, &packer, &blob), 0);
    int code =
        kind == BLOCK_SUM ? block_sum_read(buf_slice(&blob), &sum, &err) : block_rows_open(buf_slice(&blob), &r, &err);
    while (code == 0 && kind == BLOCK_ROWS && (code = block_rows_next(&r, &row, &err)) == 1) {
        code = 0;
        for (size_t i = 0; i < row.count; i++) {
            CHECK(row.values[i].node < BLOCK_NODES_MAX && row.values[i].value > 0);
            if (row.values[i].ids)
                block_ids_get(&r.ids, row.values[i].ids, &ids);
        }
    }
    CHECK(code == 0 || code == -EBADMSG);
    for (size_t i = 0; i < sum.count; i++)
        CHECK(sum.values[i].node < BLOCK_NODES_MAX && sum.values[i].value > 0);
}

static void rows_that_were_made_up_are_an_error_or_can_be_used(void)
{
    cleanup_block_ids struct block_ids ids = BLOCK_IDS_INIT;
    CHECK_INT(block_ids_add(&ids, &(struct sample_ids){.items = {{false, "00000000000000ff"}}, .count = 1}), 1);
    const struct block_value with_ids[] = {{1, 1, 5}, {1, 0, 5}};
    struct block_row rows[20] = {{with_ids, 2, 0}};
    for (size_t i = 1; i < ARRAY_LEN(rows); i++)
        rows[i] = some[i % 4];
    cleanup_blobs struct blobs b = put_rows(rows, ARRAY_LEN(rows), &ids);
    for (unsigned k = 0; k < 2; k++) {
        const enum blob_kind kind = k ? BLOCK_SUM : BLOCK_ROWS;
        cleanup_buf struct buf room = BUF_INIT(MAX);
        struct str content = {0};
        struct err err = {0};
        CHECK_INT(block_blob_open(kind, buf_slice(k ? &b.sum : &b.rows), &room, &content, &err), 0);
        for (size_t n = 0; n < content.n; n++) {
            read_made_up(kind, (struct str){content.p, n});
            for (unsigned v = 0; v < 256; v += 1 + (v > 8 && v < 240) * 10) {
                cleanup_free char *lie = malloc(content.n);
                memcpy(lie, content.p, content.n);
                lie[n] = (char)v;
                read_made_up(kind, (struct str){lie, content.n});
            }
        }
    }
}

int main(void)
{
    RUN(rows_come_back_in_their_order);
    RUN(a_sum_is_made_where_it_is_faster_to_read);
    RUN(samples_keep_their_ids);
    RUN(rows_that_were_made_up_are_an_error_or_can_be_used);
    return REPORT();
}
