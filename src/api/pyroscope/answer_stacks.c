/* SelectMergeStacktraces, SelectMergeSpanProfile, SelectMergeProfile and Diff: profiles merged. */
#include <errno.h>
#include <stdlib.h>

#include "api/pyroscope/flame_dot.h"
#include "api/pyroscope/flame_levels.h"
#include "api/pyroscope/flame_pprof.h"
#include "api/pyroscope/querier_call.h"
#include "api/pyroscope/querier_tree.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/wire.h"

/* ---- answers ---- */

static int answer_stacks_prepare(struct querier_call *q)
{
    const int code = querier_call_select(q);
    return code < 0 ? code : querier_call_stacks(q);
}

/* types.v1.GoPGO: what the Go compiler takes for profile-guided optimisation. Only a pprof can have it. */
static void answer_take_go_pgo(struct querier_call *q)
{
    enum { KEEP_LOCATIONS = 1, AGGREGATE_CALLEES = 2 };
    struct wire_reader r = wire_reader_of(q->request.go_pgo);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of == KEEP_LOCATIONS)
            q->leaf_frames = f.number > UINT32_MAX ? UINT32_MAX : (uint32_t)f.number;
        else if (f.number_of == AGGREGATE_CALLEES)
            q->leaf_without_line = f.number != 0;
    }
    q->request.go_pgo = STR("");
}

static int answer_profile_prepare(struct querier_call *q)
{
    answer_take_go_pgo(q);
    return answer_stacks_prepare(q);
}

static int answer_stacktraces_prepare(struct querier_call *q)
{
    return q->request.format.value == FORMAT_PPROF ? answer_profile_prepare(q) : answer_stacks_prepare(q);
}

static int answer_put_pprof(struct querier_call *q, struct store_reader *r, struct buf *out)
{
    cleanup_flame struct flame f = {0};
    struct store_span span = {0};
    const int code = querier_tree(q, r, true, &f, &span);
    const struct flame_pprof how = {.type = q->type,
                                    .time_ns = span.first_ns,
                                    .duration_ns = span.duration_ns,
                                    .period = span.period,
                                    .leaf_frames = q->leaf_frames,
                                    .leaf_without_line = q->leaf_without_line,
                                    .nodes = q->nodes};
    return code < 0 ? code : flame_pprof_put(&f, &how, out, &q->err);
}

static int answer_merge_profile_run(struct querier_call *q, struct store_reader *r)
{
    return answer_put_pprof(q, r, &q->out);
}

/* A message as a field, written by its own function. */
static void answer_put_part(uint32_t field, struct buf *part, struct buf *out)
{
    wire_bytes(out, field, buf_slice(part));
    out->failed |= !buf_ok(part);
}

static int answer_pprof_run(struct querier_call *q, struct store_reader *r)
{
    cleanup_buf struct buf profile = BUF_INIT(QUERIER_ANSWER_MAX), part = BUF_INIT(QUERIER_ANSWER_MAX);
    const int code = answer_put_pprof(q, r, &profile);
    if (code < 0)
        return code;
    answer_put_part(1, &profile, &part);
    answer_put_part(5, &part, &q->out);
    return 0;
}

static int answer_stacktraces_run(struct querier_call *q, struct store_reader *r)
{
    const int64_t format = q->request.format.value;
    if (format == FORMAT_PPROF)
        return answer_pprof_run(q, r);
    cleanup_flame struct flame f = {0};
    cleanup_flame_levels struct flame_levels l = {0};
    const int code = querier_tree(q, r, false, &f, NULL);
    if (code < 0)
        return code;
    cleanup_buf struct buf part = BUF_INIT(QUERIER_ANSWER_MAX);
    if (format == FORMAT_DOT) {
        flame_finish(&f);
        flame_dot_put(&f, q->type, q->nodes, &part);
        if (part.len)
            answer_put_part(3, &part, &q->out);
        return 0;
    }
    flame_levels_init(&l, &f, querier_tree_nodes(q));
    if (format == FORMAT_TREE && l.total[0][0] == 0)
        return 0;
    if (format == FORMAT_TREE)
        flame_levels_put_tree(&l, &part);
    else
        flame_levels_put(&l, &part);
    answer_put_part(format == FORMAT_TREE ? 2 : 1, &part, &q->out);
    return 0;
}

/* ---- comparisons ---- */

static struct querier_call *answer_diff_side(struct querier_call *q, struct str message, int *code)
{
    struct querier_call *side = xcalloc(1, sizeof *side);
    *side = QUERIER_CALL_INIT;
    *code = query_request_read(&side->request, query_methods[QUERY_STACKTRACES].request, message, &side->err);
    if (*code == 0)
        *code = answer_stacks_prepare(side);
    if (*code < 0)
        q->err = side->err;
    return side;
}

static int answer_diff_prepare(struct querier_call *q)
{
    int code = 0;
    if (!q->request.left.p || !q->request.right.p)
        return err_set(&q->err, -EINVAL, "both left and right are required");
    q->left = answer_diff_side(q, q->request.left, &code);
    if (code == 0)
        q->right = answer_diff_side(q, q->request.right, &code);
    if (code == 0 && !str_eq(q->left->type, q->right->type))
        code = err_set(&q->err, -EINVAL, "profile types must match");
    return code;
}

static int answer_diff_run(struct querier_call *q, struct store_reader *r)
{
    struct querier_trees t = {0};
    const int code = querier_tree_compare(q, r, &t);
    cleanup_buf struct buf part = BUF_INIT(QUERIER_ANSWER_MAX);
    if (code == 0) {
        flame_levels_put(&t.levels, &part);
        answer_put_part(1, &part, &q->out);
    }
    querier_trees_done(&t);
    return code;
}

const struct querier_answer answer_stacktraces = {answer_stacktraces_prepare, answer_stacktraces_run},
                            answer_span_profile = {answer_stacks_prepare, answer_stacktraces_run},
                            answer_merge_profile = {answer_profile_prepare, answer_merge_profile_run},
                            answer_diff = {answer_diff_prepare, answer_diff_run};
