#include "store/block_tree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/block_grow.h"
#include "test.h"

enum { MAX = 64 << 20 };

static struct buf tree_bytes(const struct block_tree *t)
{
    struct buf out = BUF_INIT(MAX);
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    CHECK_INT(block_tree_put(t, &packer, &out), 0);
    return out;
}

/* One with lines, files and libraries, of which not all have everything; in the order given. */
static const struct str strings[] = {{"", 0}, {"a", 1}, {"A.java", 6}, {"b", 1}, {"libc.so", 7}, {"never used", 10}};
static const struct pprof_function functions[] = {
    {.name = 1, .system_name = 1, .filename = 2, .start_line = 10},
    {.name = 3, .system_name = 1, .filename = 2, .start_line = -5},
    {.name = 3, .mapping = 4},
    {.name = 0},
};
static const struct pprof_location frames[] = {{.function = 0, .line = 12},
                                               {.function = 2},
                                               {.function = 0, .line = INT32_MIN},
                                               {.function = 3, .line = INT32_MAX}};
static const struct block_node nodes[] = {{0}, {0, 0}, {1, 1}, {0, 3}, {1, 0}, {4, 1}, {2, 2}, {4, 2}, {0, 1}};
static const struct block_tree example = {.strings = strings,
                                          .functions = functions,
                                          .frames = frames,
                                          .nodes = nodes,
                                          .string_count = ARRAY_LEN(strings),
                                          .function_count = ARRAY_LEN(functions),
                                          .frame_count = ARRAY_LEN(frames),
                                          .node_count = ARRAY_LEN(nodes)};

static void check_same(const struct block_tree *a, const struct block_tree *b)
{
    CHECK_INT(a->string_count, b->string_count);
    for (uint32_t i = 0; i < a->string_count; i++)
        CHECK(str_eq(a->strings[i], b->strings[i]));
    CHECK_INT(a->function_count, b->function_count);
    CHECK(memcmp(a->functions, b->functions, a->function_count * sizeof *a->functions) == 0);
    CHECK_INT(a->frame_count, b->frame_count);
    CHECK(memcmp(a->frames, b->frames, a->frame_count * sizeof *a->frames) == 0);
    CHECK_INT(a->node_count, b->node_count);
    CHECK(memcmp(a->nodes, b->nodes, a->node_count * sizeof *a->nodes) == 0);
}

static void a_tree_comes_back_as_it_was(void)
{
    cleanup_buf struct buf blob = tree_bytes(&example);
    cleanup_block_tree struct block_tree t = {0};
    struct err err = {0};
    CHECK_INT(block_tree_read(buf_slice(&blob), &t, &err), 0);
    check_same(&t, &example);
}

static void a_tree_that_grows_keeps_its_numbers(void)
{
    cleanup_buf struct buf blob = tree_bytes(&example), more = BUF_INIT(MAX);
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(BLOCK_DEFLATE_LEVEL);
    struct grown_tree g = {0};
    struct err err = {0};
    bool added;
    CHECK_INT(grown_tree_begin(&g, buf_slice(&blob), &err), 0);
    CHECK_INT(grown_tree_child(&g, 1, 1, &added), 2);
    CHECK(!added);
    const struct grown_size before = grown_tree_size(&g);
    CHECK_INT(grown_tree_child(&g, 6, 0, &added), ARRAY_LEN(nodes));
    CHECK(added);
    /* As it was before, and with the new node. */
    CHECK_INT(grown_tree_put(&g, &before, &packer, &more), 0);
    CHECK(str_eq(buf_slice(&more), buf_slice(&blob)));
    buf_reset(&more);
    const struct grown_size after = grown_tree_size(&g);
    CHECK_INT(grown_tree_put(&g, &after, &packer, &more), 0);
    grown_tree_done(&g);
    cleanup_block_tree struct block_tree t = {0};
    CHECK_INT(block_tree_read(buf_slice(&more), &t, &err), 0);
    CHECK_INT(t.node_count, ARRAY_LEN(nodes) + 1);
    t.node_count--;
    check_same(&t, &example);
}

/* What was not written by this program, but has a checksum that fits: it was made by a process that was taken over. */
static void read_made_up(struct str content)
{
    cleanup_buf struct buf blob = BUF_INIT(MAX);
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(1);
    cleanup_block_tree struct block_tree t = {0};
    struct err err = {0};
    CHECK_INT(block_blob_put(BLOCK_TREE, content, &packer, &blob), 0);
    const int code = block_tree_read(buf_slice(&blob), &t, &err);
    CHECK(code == 0 || code == -EBADMSG);
    for (uint32_t i = 0; i < t.node_count; i++) {
        CHECK(i == 0 || t.nodes[i].parent < i);
        CHECK(i == 0 || t.nodes[i].frame < t.frame_count);
    }
    for (uint32_t i = 0; i < t.frame_count; i++)
        CHECK(t.frames[i].function < t.function_count);
    for (uint32_t i = 0; i < t.function_count; i++) {
        const struct pprof_function *f = &t.functions[i];
        CHECK(f->name < t.string_count && f->system_name < t.string_count && f->filename < t.string_count &&
              f->mapping < t.string_count);
    }
}

static void a_tree_that_was_made_up_is_an_error_or_can_be_used(void)
{
    cleanup_buf struct buf blob = tree_bytes(&example), room = BUF_INIT(MAX);
    struct str content = {0};
    struct err err = {0};
    unsigned seed = 1;
    CHECK_INT(block_blob_open(BLOCK_TREE, buf_slice(&blob), &room, &content, &err), 0);
    for (size_t n = 0; n < content.n; n++) {
        read_made_up((struct str){content.p, n});
        for (unsigned v = 0; v < 256; v += 1 + (v > 8 && v < 240) * 10) {
            cleanup_free char *lie = malloc(content.n);
            memcpy(lie, content.p, content.n);
            lie[n] = (char)v;
            seed = seed * 1103515245 + 12345;
            if (v % 2)
                lie[seed / 65536 % content.n] ^= (char)(seed >> 8);
            read_made_up((struct str){lie, content.n});
        }
    }
}

static void a_tree_with_something_twice_cannot_grow(void)
{
    const struct block_node twice[] = {{0}, {0, 0}, {0, 0}};
    struct block_tree t = example;
    t.nodes = twice;
    t.node_count = 3;
    cleanup_buf struct buf blob = tree_bytes(&t);
    struct grown_tree g = {0};
    struct err err = {0};
    CHECK_INT(grown_tree_begin(&g, buf_slice(&blob), &err), -EBADMSG);
    grown_tree_done(&g);
}

int main(void)
{
    RUN(a_tree_comes_back_as_it_was);
    RUN(a_tree_that_grows_keeps_its_numbers);
    RUN(a_tree_that_was_made_up_is_an_error_or_can_be_used);
    RUN(a_tree_with_something_twice_cannot_grow);
    return REPORT();
}
