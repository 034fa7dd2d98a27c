/* What the page shows of stacks: flame graph, functions, one function between callers and callees, comparison. All of
 * it is computed on the whole graph; the largest part is sent. */
#include <errno.h>
#include <stdlib.h>

#include "api/page/flame_json.h"
#include "api/page/flame_search.h"
#include "api/page/function_table.h"
#include "api/page/page_tree.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "pprof/flame_sandwich.h"
#include "pprof/flame_view.h"
#include "store/labels_key.h"

/* What one sample has, where that is said by the period: of CPU and wall clock time, not of sizes. */
static int64_t page_stacks_period(const struct page_call *q, const struct store_span *span)
{
    struct str parts[TYPE_PARTS];
    profile_type_split(q->type, parts);
    const bool same =
        str_eq(parts[TYPE_UNIT], parts[TYPE_PERIOD_UNIT]) && str_eq(parts[TYPE_SAMPLE], parts[TYPE_PERIOD]);
    return same ? span->period : 0;
}

static void page_stacks_begin(struct page_call *q, const struct flame *f, const struct store_span *span)
{
    page_put_unit(q);
    buf_byte(&q->out, ',');
    page_put_span(&q->out, span);
    buf_printf(&q->out, ",\"period\":%lld,\"total\":%lld,", (long long)page_stacks_period(q, span),
               (long long)f->nodes[0].total);
    page_put_size(&q->out, f, f->nodes_max);
}

static int page_flamegraph_run(struct page_call *q, struct store_reader *r)
{
    cleanup_flame struct flame f = {0};
    struct store_span span = {0};
    const int code = page_tree(q, r, PAGE_SHOWN, PAGE_FUNCTIONS, &f, &span);
    if (code < 0)
        return code;
    const uint32_t at = flame_find(&f, q->path, q->path_len);
    page_stacks_begin(q, &f, &span);
    if (q->search.len)
        buf_printf(&q->out, ",\"matched\":%lld", (long long)flame_search(&f, at, &q->search));
    buf_byte(&q->out, ',');
    const unsigned leaf_depth = q->callers ? 1 + (q->by_count > 0) : 0;
    flame_json_put(
        &(struct flame_json){.flame = &f, .at = at, .nodes = q->nodes, .top = true, .leaf_depth = leaf_depth}, &q->out);
    buf_byte(&q->out, '}');
    return 0;
}

const struct page_answer page_flamegraph = {"flamegraph", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE, page_flamegraph_run};

/* Values of labels are no functions, and what functions have of their own is at the ends of stacks as they are. */
static void page_stacks_count_functions(struct page_call *q)
{
    q->by_count = 0;
    q->callers = false;
}

static int page_functions_run(struct page_call *q, struct store_reader *r)
{
    cleanup_flame struct flame f = {0};
    struct store_span span = {0};
    page_stacks_count_functions(q);
    const int code = page_tree(q, r, PAGE_SHOWN, PAGE_FUNCTIONS, &f, &span);
    if (code < 0)
        return code;
    page_stacks_begin(q, &f, &span);
    const uint32_t at = flame_find(&f, q->path, q->path_len);
    if (q->search.len)
        buf_printf(&q->out, ",\"matched\":%lld", (long long)flame_search(&f, at, &q->search));
    buf_byte(&q->out, ',');
    const struct function_table t = {.flame = &f, .at = at, .search = &q->search, .sort = q->sort, .limit = q->limit};
    const int sorted = function_table_put(&t, &q->out, &q->err);
    buf_byte(&q->out, '}');
    return sorted;
}

const struct page_answer page_functions = {"functions", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE, page_functions_run};

/* ---- one function ---- */

typedef void sandwich_tree(struct flame *to, const struct flame *from, uint32_t name);

/* Puts one half; what the function has in all is returned. */
static int64_t page_sandwich_put(const struct page_call *q, const struct flame *f, sandwich_tree *make,
                                 const char *member, struct buf *out)
{
    cleanup_flame struct flame half;
    const uintptr_t known = (uintptr_t)strmap_get(&f->name_ids, q->function);
    flame_init(&half, f->nodes_max, FLAME_NAME_BYTES_MAX);
    if (known)
        make(&half, f, (uint32_t)known - 1);
    flame_finish(&half);
    buf_printf(out, ",\"%s\":{", member);
    flame_json_put(&(struct flame_json){.flame = &half, .nodes = q->nodes}, out);
    buf_byte(out, '}');
    return half.nodes[0].total;
}

static int page_sandwich_run(struct page_call *q, struct store_reader *r)
{
    cleanup_flame struct flame f = {0};
    struct store_span span = {0};
    if (q->function.n == 0)
        return err_set(&q->err, -EINVAL, "function is required");
    page_stacks_count_functions(q);
    const int code = page_tree(q, r, PAGE_SHOWN, PAGE_FUNCTIONS, &f, &span);
    if (code < 0)
        return code;
    int64_t self = 0;
    for (size_t i = 1; i < f.node_count; i++)
        if (str_eq(f.names[f.nodes[i].name], q->function))
            self = flame_sum(self, f.nodes[i].self);
    page_stacks_begin(q, &f, &span);
    buf_puts(&q->out, ",\"function\":");
    json_string(&q->out, q->function);
    const int64_t total = page_sandwich_put(q, &f, flame_callers, "callers", &q->out);
    (void)page_sandwich_put(q, &f, flame_callees, "callees", &q->out);
    buf_printf(&q->out, ",\"self\":%lld,\"function_total\":%lld}", (long long)self, (long long)total);
    return 0;
}

const struct page_answer page_sandwich = {"sandwich", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE, page_sandwich_run};

/* ---- comparison ---- */

struct page_trees {
    struct flame sides[FLAME_SIDES], both; /* sides: before, after */
    struct store_span spans[FLAME_SIDES];
    int64_t *self[FLAME_SIDES], *total[FLAME_SIDES]; /* by node of both; owned */
};

static void page_trees_done(struct page_trees *t)
{
    for (size_t s = 0; s < FLAME_SIDES; s++) {
        flame_done(&t->sides[s]);
        free(t->self[s]);
        free(t->total[s]);
    }
    flame_done(&t->both);
}

/* Shares of both sides, so that the frames of the smaller one are not the first to be left out. */
static void page_trees_weigh(struct page_trees *t)
{
    static const double whole = (double)(1LL << 52);
    for (size_t i = 0; i < t->both.node_count; i++) {
        double share = 0;
        for (size_t s = 0; s < FLAME_SIDES; s++)
            share += t->total[s][0] ? (double)t->self[s][i] / (double)t->total[s][0] : 0;
        t->both.nodes[i].self = share > 0 ? (int64_t)(share * whole) + 1 : 0;
    }
    flame_finish(&t->both);
}

/* Both sides as one; again after these have changed. */
static void page_trees_pair(struct page_trees *t)
{
    const struct flame *const sides[FLAME_SIDES] = {&t->sides[0], &t->sides[1]};
    for (size_t s = 0; s < FLAME_SIDES; s++) {
        free(t->self[s]);
        free(t->total[s]);
    }
    flame_done(&t->both);
    flame_init(&t->both, sides[0]->node_count + sides[1]->node_count + 1, (size_t)FLAME_SIDES * FLAME_NAME_BYTES_MAX);
    flame_pair(&t->both, sides, t->self);
    for (size_t s = 0; s < FLAME_SIDES; s++)
        t->total[s] = flame_totals(&t->both, t->self[s]);
    page_trees_weigh(t);
}

/* Their stacks begin at the leaf. */
static void page_trees_turn(struct page_trees *t)
{
    for (size_t s = 0; s < FLAME_SIDES; s++) {
        struct flame turned;
        flame_init(&turned, t->sides[s].nodes_max, FLAME_NAME_BYTES_MAX);
        flame_view_apply(&turned, &t->sides[s], &(struct flame_view){.callers = true});
        flame_done(&t->sides[s]);
        t->sides[s] = turned;
    }
    page_trees_pair(t);
}

static int page_trees_read(struct page_call *q, struct store_reader *r, struct page_trees *t)
{
    const size_t of[FLAME_SIDES] = {PAGE_BASE, PAGE_SHOWN};
    for (size_t s = 0; s < FLAME_SIDES; s++) {
        const int code = page_tree(q, r, of[s], PAGE_FUNCTIONS, &t->sides[s], &t->spans[s]);
        if (code < 0)
            return code;
    }
    page_trees_pair(t);
    return 0;
}

static void page_diff_put_side(struct page_call *q, const char *name, const struct page_trees *t, size_t side)
{
    buf_printf(&q->out, ",\"%s\":{", name);
    page_put_span(&q->out, &t->spans[side]);
    buf_printf(&q->out, ",\"total\":%lld}", (long long)t->total[side][0]);
}

static int page_diff_put_functions(struct page_call *q, const struct page_trees *t)
{
    const struct function_table table = {.flame = &t->both,
                                         .at = flame_find(&t->both, q->path, q->path_len),
                                         .search = &q->search,
                                         .sort = q->sort,
                                         .limit = q->limit,
                                         .self = {t->self[0], t->self[1]},
                                         .total = {t->total[0], t->total[1]}};
    return function_table_put(&table, &q->out, &q->err);
}

static void page_diff_put_graph(struct page_call *q, struct page_trees *t)
{
    const struct flame_json j = {.flame = &t->both,
                                 .at = flame_find(&t->both, q->path, q->path_len),
                                 .nodes = q->nodes,
                                 .self = {t->self[0], t->self[1]},
                                 .total = {t->total[0], t->total[1]}};
    page_put_size(&q->out, &t->both, t->sides[0].nodes_max);
    buf_byte(&q->out, ',');
    flame_json_put(&j, &q->out);
}

static int page_diff_put(struct page_call *q, struct page_trees *t, bool callers)
{
    page_put_unit(q);
    page_diff_put_side(q, "before", t, 0);
    page_diff_put_side(q, "after", t, 1);
    buf_byte(&q->out, ',');
    const int code = page_diff_put_functions(q, t);
    if (callers)
        page_trees_turn(t);
    buf_byte(&q->out, ',');
    page_diff_put_graph(q, t);
    buf_byte(&q->out, '}');
    return code;
}

static int page_diff_run(struct page_call *q, struct store_reader *r)
{
    struct page_trees t = {0};
    const bool callers = q->callers;
    page_stacks_count_functions(q);
    int code = page_trees_read(q, r, &t);
    if (code == 0)
        code = page_diff_put(q, &t, callers);
    page_trees_done(&t);
    return code;
}

const struct page_answer page_diff = {"diff", PAGE_NEEDS_SERVICE | PAGE_NEEDS_TYPE | PAGE_COMPARES, page_diff_run};
