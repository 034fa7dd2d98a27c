/* Blocks of the store: what a process that was taken over may leave in one, for those that read it afterwards, and what
 * it may answer. Checksums are made here, or nothing would come through.
 *
 * An input: what to do, the size of the first part (2 bytes, little-endian), that part, the rest.
 */
#include <stdint.h>
#include <stdlib.h>

#include "store/block.h"
#include "store/block_rows.h"
#include "store/block_tree.h"
#include "store/flame_merge.h"
#include "store/profile_values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum what { A_GRAPH_OF_ROWS, A_GRAPH_OF_A_SUM, PACKING, JOINING, AN_ANSWER_TO_PACK, AN_ANSWER_TO_JOIN, A_REQUEST };
enum { MAX = 64 << 20, NODES = 1000 };

static void must_not(bool wrong)
{
    if (wrong)
        abort();
}

static struct buf sealed(enum blob_kind kind, struct str content)
{
    struct buf out = BUF_INIT(MAX);
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(1);
    must_not(block_blob_put(kind, content, &packer, &out) < 0);
    return out;
}

/* What a service answers passes its own check. */
static struct buf served(const struct parser_service *s, const struct buf *head, const struct buf *bytes,
                         int (*check)(void *arg, size_t n, struct str answer, struct err *err))
{
    const struct parser_item item = {buf_slice(head), buf_slice(bytes)};
    struct buf out = BUF_INIT(MAX);
    struct err err = {0};
    if (s->serve(&item, 1, &out, &err) == 0)
        must_not(check(NULL, 1, buf_slice(&out), &err) < 0);
    return out;
}

static void graph(struct str tree_content, enum blob_kind kind, struct str content)
{
    static const struct str span = {"00000000000000a0", 16};
    static const uint32_t rows[] = {0, 2};
    cleanup_buf struct buf tree = sealed(BLOCK_TREE, tree_content), blob = sealed(kind, content);
    for (unsigned k = 0; k < 3; k++) {
        const struct flame_ask ask = {.lines = k == 1, .nodes = NODES, .spans = &span, .span_count = k == 2};
        const struct block_want want = {buf_slice(&blob), kind == BLOCK_SUM, k == 1 ? rows : NULL, 2, 0};
        cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
        flame_ask_put(&ask, &head);
        block_wants_put(buf_slice(&tree), &want, 1, &head, &bytes);
        struct buf answer = served(&block_flame_service, &head, &bytes, flame_merge_check);
        buf_done(&answer);
    }
    for (unsigned k = 0; kind == BLOCK_ROWS && k < 2; k++) {
        static const struct str site = {"a", 1};
        const struct values_ask ask = {.by_span = k == 0, .call_site = &site, .call_site_len = k};
        const struct block_want want = {.blob = buf_slice(&blob), .rows = k ? rows : NULL, .row_count = 2};
        cleanup_buf struct buf head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
        values_ask_put(&ask, &head);
        block_wants_put(buf_slice(&tree), &want, 1, &head, &bytes);
        struct buf answer = served(&block_values_service, &head, &bytes, values_check);
        buf_done(&answer);
    }
}

/* A tree that was made up grows by a body, and is read again. */
static void pack(struct str tree_content, struct str pprof)
{
    cleanup_buf struct buf tree = sealed(BLOCK_TREE, tree_content), head = BUF_INIT(MAX), bytes = BUF_INIT(MAX);
    const struct block_part parts[] = {{0, 0, 0}, {0, 1, 1}};
    const struct block_body body = {pprof, parts, 2};
    struct block_packed packed;
    struct block_tree t;
    struct err err;
    block_pack_request(tree_content.n ? buf_slice(&tree) : STR(""), &body, 1, 2, &head, &bytes);
    cleanup_buf struct buf answer = served(&block_pack_service, &head, &bytes, block_pack_check);
    if (answer.len == 0)
        return;
    must_not(block_pack_read(buf_slice(&answer), &packed, &err) < 0);
    must_not(block_tree_read(packed.tree, &t, &err) < 0);
    must_not(t.node_count != packed.nodes || packed.slice_count != 2);
    block_tree_done(&t);
    block_packed_done(&packed);
}

static void join(struct str one, struct str other)
{
    cleanup_buf struct buf a = sealed(BLOCK_ROWS, one), b = sealed(BLOCK_ROWS, other), head = BUF_INIT(MAX),
                           bytes = BUF_INIT(MAX);
    const struct str rows[] = {buf_slice(&a), buf_slice(&b), buf_slice(&a)};
    struct block_slice joined;
    struct block_rows r;
    struct err err;
    block_join_request(rows, 3, &head, &bytes);
    cleanup_buf struct buf answer = served(&block_join_service, &head, &bytes, block_join_check);
    struct cursor c = cursor_of(answer.p, answer.len);
    if (block_join_read(&c, &joined, &err) < 0 || joined.count == 0)
        return;
    must_not(block_rows_open(joined.rows, &r, &err) < 0);
    must_not(r.row_count != joined.count);
    block_rows_done(&r);
}

static void read_answers(enum what what, struct str answer)
{
    struct err err;
    struct block_packed packed;
    if (what == AN_ANSWER_TO_PACK && block_pack_check(NULL, 1, answer, &err) == 0) {
        must_not(block_pack_read(answer, &packed, &err) < 0);
        block_packed_done(&packed);
    }
    if (what == AN_ANSWER_TO_JOIN)
        (void)!block_join_check(NULL, 2, answer, &err);
}

/* A head that the main process would not send. */
static void request(struct str head, struct str bytes)
{
    static const struct parser_service *const services[] = {
        &block_pack_service, &block_join_service, &block_flame_service, &block_values_service, &body_values_service};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        const struct parser_item item = {head, bytes};
        struct buf out = BUF_INIT(MAX);
        struct err err = {0};
        (void)!services[i]->serve(&item, 1, &out, &err);
        buf_done(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const size_t said = data[1] | (size_t)data[2] << 8, n = said < size - 3 ? said : size - 3;
    const struct str first = {(const char *)data + 3, n}, rest = {(const char *)data + 3 + n, size - 3 - n};
    switch (data[0]) {
    case A_GRAPH_OF_ROWS:
    case A_GRAPH_OF_A_SUM:
        graph(first, data[0] == A_GRAPH_OF_ROWS ? BLOCK_ROWS : BLOCK_SUM, rest);
        break;
    case PACKING:
        pack(first, rest);
        break;
    case JOINING:
        join(first, rest);
        break;
    case A_REQUEST:
        request(first, rest);
        break;
    default:
        read_answers(data[0], rest);
    }
    return 0;
}
