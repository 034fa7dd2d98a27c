#include "graph/dag.h"

#include "base/buf.h"
#include "test.h"

/* Edges as pairs, "from needs on"; -1 ends. */
static struct dag graph(size_t len, const int *edges)
{
    struct dag d;
    dag_init(&d, len);
    for (; *edges >= 0; edges += 2)
        dag_need(&d, (size_t)edges[0], (size_t)edges[1]);
    return d;
}
#define EDGES(...) ((const int[]){__VA_ARGS__ __VA_OPT__(, ) - 1})

static void what_is_needed_comes_first(void)
{
    struct dag d = graph(5, EDGES(0, 1, 0, 2, 1, 3, 2, 3, 4, 0));
    size_t order[5], place[5];
    CHECK(dag_order(&d, order));
    for (size_t i = 0; i < 5; i++)
        place[order[i]] = i;
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < d.needs[i].len; k++)
            CHECK(place[d.needs[i].items[k]] < place[i]);
    }
    dag_done(&d);
}

static void a_repeated_edge_counts_once(void)
{
    struct dag d = graph(3, EDGES(0, 1, 0, 2, 0, 1, 2, 1));
    CHECK_INT(d.needs[0].len, 2);
    CHECK_INT(d.needed_by[1].len, 2);
    size_t order[3];
    CHECK(dag_order(&d, order));
    dag_done(&d);
}

static void write_cycle(void *arg, const size_t *members, size_t n)
{
    struct buf *out = arg;
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%zu", i > 0 ? " " : "", members[i]);
    buf_byte(out, ';');
}

static void check_cycles(size_t len, const int *edges, const char *want)
{
    struct dag d = graph(len, edges);
    cleanup_buf struct buf out = BUF_INIT(1000);
    dag_cycles(&d, write_cycle, &out);
    CHECK_STR(buf_cstr(&out), want);
    size_t order[16];
    CHECK(dag_order(&d, order) == (want[0] == '\0'));
    dag_done(&d);
}

static void every_cycle_is_found_with_its_members_only(void)
{
    check_cycles(4, EDGES(0, 1, 1, 2, 2, 3), "");
    check_cycles(1, EDGES(0, 0), "0;");
    check_cycles(2, EDGES(0, 1, 1, 0), "0 1;");
    check_cycles(6, EDGES(0, 1, 1, 0, 2, 3, 3, 4, 4, 2, 5, 5), "0 1;2 3 4;5;");
    /* 3 lies between two cycles and 4 behind them: neither is part of one. */
    check_cycles(7, EDGES(0, 1, 1, 0, 3, 0, 5, 3, 5, 6, 6, 5, 4, 5), "0 1;5 6;");
    /* Two rings that share a node are one. */
    check_cycles(5, EDGES(0, 1, 1, 2, 2, 0, 2, 3, 3, 4, 4, 2), "0 1 2 3 4;");
}

static void a_long_chain_needs_no_stack(void)
{
    enum { LEN = 200000 };
    struct dag d;
    dag_init(&d, LEN);
    for (size_t i = 0; i + 1 < LEN; i++)
        dag_need(&d, i, i + 1);
    dag_need(&d, LEN - 1, 0);
    size_t members = 0;
    cleanup_buf struct buf out = BUF_INIT(4 << 20);
    dag_cycles(&d, write_cycle, &out);
    for (size_t i = 0; i < out.len; i++)
        members += out.p[i] == ' ';
    CHECK_INT(members, LEN - 1);
    dag_done(&d);
}

int main(void)
{
    RUN(what_is_needed_comes_first);
    RUN(a_repeated_edge_counts_once);
    RUN(every_cycle_is_found_with_its_members_only);
    RUN(a_long_chain_needs_no_stack);
    return REPORT();
}
