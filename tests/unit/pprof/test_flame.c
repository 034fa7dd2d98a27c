#include "pprof/flame.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "test.h"

static uint32_t walk(struct flame *f, const char *path)
{
    struct str rest = str_of(path), name;
    uint32_t at = 0;
    while (str_split(&rest, ';', &name))
        at = flame_step(f, at, flame_name(f, name));
    return at;
}

static void sums_up_and_sorts_children_by_total(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_add(&f, walk(&f, "a;b"), 1);
    flame_add(&f, walk(&f, "a;c"), 5);
    flame_add(&f, walk(&f, "a"), 2);
    flame_add(&f, walk(&f, "d"), 1);
    flame_add(&f, walk(&f, "a;b"), 1);
    CHECK_INT(walk(&f, "a;b"), 2);
    CHECK_INT(f.node_count, 5);
    flame_finish(&f);
    CHECK_INT(f.nodes[0].total, 10);
    uint32_t a = f.nodes[0].first_child, c = f.nodes[a].first_child;
    CHECK(str_is(f.names[f.nodes[a].name], "a"));
    CHECK_INT(f.nodes[a].total, 9);
    CHECK_INT(f.nodes[a].self, 2);
    CHECK(str_is(f.names[f.nodes[c].name], "c"));
    CHECK_INT(f.nodes[f.nodes[c].next_sibling].total, 2);
    CHECK_INT(f.nodes[f.nodes[c].next_sibling].next_sibling, 0);
    CHECK(!f.truncated);
}

static void grows_on_after_it_was_finished(void)
{
    static const char *const paths[] = {"a;b", "a;c", "a;b", "a;b", "d;b", "a;c", "a", "d;c", "a;c"};
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    for (size_t round = 1; round <= 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(paths); i++)
            flame_add(&f, walk(&f, paths[i]), 1);
        flame_finish(&f);
        CHECK_INT(f.node_count, 7);
        CHECK_INT(f.nodes[walk(&f, "a")].total, round * 7);
        CHECK_INT(f.nodes[walk(&f, "a;b")].total, round * 3);
        CHECK_INT(f.nodes[walk(&f, "a;c")].total, round * 3);
        CHECK_INT(f.nodes[walk(&f, "d")].total, round * 2);
    }
}

static void says_how_much_memory_it_has(void)
{
    enum { NODES = 100000 };
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    uint32_t at = 0;
    for (size_t i = 1; i < NODES; i++)
        at = flame_step(&f, at, flame_name(&f, STR("a")));
    CHECK(flame_bytes(&f) >= (size_t)NODES * FLAME_NODE_BYTES);
    CHECK(flame_bytes(&f) <= (size_t)NODES * FLAME_NODE_BYTES * 3);
}

static void keeps_equal_names_apart_by_parent_and_a_function_called_total(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_add(&f, walk(&f, "total;total;x"), 3);
    flame_add(&f, walk(&f, "x"), 4);
    flame_finish(&f);
    CHECK_INT(f.node_count, 5);
    CHECK_INT(f.nodes[0].total, 7);
    CHECK_INT(f.nodes[f.nodes[0].first_child].total, 4);
}

static void loses_no_value_when_it_is_full(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    int64_t values = 0;
    char name[32];
    for (int i = 0; i < FLAME_NODES_MAX + 1000; i++) {
        snprintf(name, sizeof name, "f%d", i % 100000);
        uint32_t parent = walk(&f, i % 3 ? "p" : "q;r");
        flame_add(&f, flame_step(&f, flame_step(&f, parent, flame_name(&f, STR("s"))), flame_name(&f, str_of(name))),
                  1);
        values++;
        snprintf(name, sizeof name, "g%d", i);
        flame_add(&f, flame_step(&f, 0, flame_name(&f, str_of(name))), 1);
        values++;
    }
    CHECK(f.truncated);
    CHECK(f.node_count <= FLAME_NODES_MAX);
    flame_finish(&f);
    CHECK_INT(f.nodes[0].total, values);
}

static void says_from_which_total_on_a_node_is_shown(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    for (int i = 1; i <= 9; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i);
        flame_add(&f, walk(&f, name), i < 4 ? 1 : i);
    }
    flame_finish(&f);
    CHECK_INT(flame_threshold(&f, 0, 100), 1);
    CHECK_INT(flame_threshold(&f, 0, 4), 7); /* root, 9, 8, 7 */
    CHECK_INT(flame_threshold(&f, 0, 8), 2); /* one of the three 1s would fit: none is shown */
    CHECK_INT(flame_threshold(&f, 0, 10), 1);
}

int main(void)
{
    RUN(sums_up_and_sorts_children_by_total);
    RUN(grows_on_after_it_was_finished);
    RUN(says_how_much_memory_it_has);
    RUN(keeps_equal_names_apart_by_parent_and_a_function_called_total);
    RUN(loses_no_value_when_it_is_full);
    RUN(says_from_which_total_on_a_node_is_shown);
    return REPORT();
}
