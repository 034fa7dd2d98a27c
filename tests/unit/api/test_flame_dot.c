#include "api/pyroscope/flame_dot.h"

#include "flame_stacks.h"
#include "test.h"

enum { MAX = 1 << 16 };

static void check_graph(const struct flame *f, size_t nodes, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(MAX);
    flame_dot_put(f, STR("cpu"), nodes, &out);
    CHECK_STR(buf_cstr(&out), want);
}

static void functions_and_calls_are_drawn(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, 100, MAX);
    flame_add_stack(&f, "main;say \"x\"", 60);
    flame_add_stack(&f, "main;say \"x\";main", 30); /* a recursion counts once */
    flame_add_stack(&f, "idle", 10);
    flame_finish(&f);
    check_graph(&f, 0,
                "digraph \"cpu\" {\n"
                "  N1 [label=\"main\\n30 (30.00%)\\nof 90 (90.00%)\" shape=box]\n"
                "  N2 [label=\"say \\\"x\\\"\\n60 (60.00%)\\nof 90 (90.00%)\" shape=box]\n"
                "  N3 [label=\"idle\\n10 (10.00%)\\nof 10 (10.00%)\" shape=box]\n"
                "  N1 -> N2 [label=\" 90\"]\n"
                "  N2 -> N1 [label=\" 30\"]\n"
                "}\n");
    check_graph(&f, 1, "digraph \"cpu\" {\n  N1 [label=\"main\\n30 (30.00%)\\nof 90 (90.00%)\" shape=box]\n}\n");
}

static void nothing_is_no_graph(void)
{
    cleanup_flame struct flame f;
    flame_init(&f, 100, MAX);
    flame_finish(&f);
    check_graph(&f, 0, "");
}

int main(void)
{
    RUN(functions_and_calls_are_drawn);
    RUN(nothing_is_no_graph);
    return REPORT();
}
