#include "api/page/flame_json.h"

#include "base/cleanup.h"
#include "flame_stacks.h"
#include "test.h"

static void set_up(struct flame *f)
{
    flame_init(f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
}

static void check_json_(int line, struct flame *f, const struct str *at, size_t depth, size_t nodes, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    flame_finish(f);
    flame_json_put(&(struct flame_json){.flame = f, .at = flame_find(f, at, depth), .nodes = nodes, .top = true}, &out);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: %s, want %s", line, buf_cstr(&out), want);
}
#define CHECK_JSON(f, nodes, want) check_json_(__LINE__, f, NULL, 0, nodes, want)

static void prints_a_tree_in_preorder_the_largest_child_first(void)
{
    cleanup_flame struct flame f;
    set_up(&f);
    flame_add_stack(&f, "main;idle", 4);
    flame_add_stack(&f, "main;work;sum", 30);
    flame_add_stack(&f, "main;work", 6);
    flame_add_stack(&f, "say \"hi\"", 2);
    CHECK_JSON(&f, 100,
               "\"nodes\":[0,0,0,42,1,1,0,40,2,2,6,36,3,3,30,30,2,4,4,4,1,5,2,2],\"top\":[3,30,2,6,4,4,5,2],"
               "\"names\":[\"total\",\"main\",\"work\",\"sum\",\"idle\",\"say \\\"hi\\\"\"]");
}

static void an_empty_graph_is_its_root(void)
{
    cleanup_flame struct flame f;
    set_up(&f);
    CHECK_JSON(&f, 100, "\"nodes\":[0,0,0,0],\"top\":[],\"names\":[\"total\"]");
}

static void small_children_share_one_node_and_lose_no_value(void)
{
    cleanup_flame struct flame f;
    set_up(&f);
    flame_add_stack(&f, "a;b", 50);
    flame_add_stack(&f, "a;c", 3);
    flame_add_stack(&f, "a;d", 2);
    flame_add_stack(&f, "e", 1);
    /* Three are printed: root, a, b. The sums of the others stand for them at both depths; the list of functions has
     * all. */
    CHECK_JSON(&f, 3,
               "\"nodes\":[0,0,0,56,1,1,0,55,2,2,50,50,2,3,5,5,1,3,1,1],\"top\":[2,50,4,3,5,2,6,1],"
               "\"names\":[\"total\",\"a\",\"b\",\"(other)\",\"c\",\"d\",\"e\"]");
}

static void of_a_part_what_is_above_it_comes_first(void)
{
    const struct str at[] = {STR("a"), STR("b")};
    cleanup_flame struct flame f;
    set_up(&f);
    flame_add_stack(&f, "a;b;c", 3);
    flame_add_stack(&f, "a;b;d", 2);
    flame_add_stack(&f, "a;b", 1);
    flame_add_stack(&f, "x", 50);
    check_json_(__LINE__, &f, at, 2, 2,
                "\"nodes\":[0,0,0,56,1,1,0,6,2,2,1,6,3,3,3,3,3,4,2,2],\"top\":[5,50,3,3,6,2,2,1],"
                "\"names\":[\"total\",\"a\",\"b\",\"c\",\"(other)\",\"x\",\"d\"]");
    CHECK_INT(flame_find(&f, (const struct str[]){STR("a"), STR("gone")}, 2), flame_find(&f, at, 1));
}

static void a_function_counts_once_wherever_it_is_called(void)
{
    cleanup_flame struct flame f;
    set_up(&f);
    flame_add_stack(&f, "a;lock", 5);
    flame_add_stack(&f, "b;lock", 6);
    flame_add_stack(&f, "b", 10);
    CHECK_JSON(&f, 100,
               "\"nodes\":[0,0,0,21,1,1,10,16,2,2,6,6,1,3,0,5,2,2,5,5],\"top\":[2,11,1,10],"
               "\"names\":[\"total\",\"b\",\"lock\",\"a\"]");
}

static void the_list_of_functions_has_an_end(void)
{
    cleanup_flame struct flame f;
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    set_up(&f);
    for (int i = 0; i < 200; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        flame_add_stack(&f, name, i + 1);
    }
    flame_finish(&f);
    flame_json_put(&(struct flame_json){.flame = &f, .nodes = 1000, .top = true}, &out);
    const char *top = strstr(buf_cstr(&out), "\"top\":[");
    CHECK(top);
    size_t commas = 0;
    for (const char *at = top ? top : ""; *at && *at != ']'; at++)
        commas += *at == ',';
    CHECK_INT(commas, 2 * 50 - 1);
}

int main(void)
{
    RUN(prints_a_tree_in_preorder_the_largest_child_first);
    RUN(an_empty_graph_is_its_root);
    RUN(small_children_share_one_node_and_lose_no_value);
    RUN(of_a_part_what_is_above_it_comes_first);
    RUN(a_function_counts_once_wherever_it_is_called);
    RUN(the_list_of_functions_has_an_end);
    return REPORT();
}
