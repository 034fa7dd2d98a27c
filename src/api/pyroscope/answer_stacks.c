/* SelectMergeStacktraces, SelectMergeSpanProfile, SelectMergeProfile and Diff: profiles merged. */
#include <errno.h>
#include <stdlib.h>

#include "api/pyroscope/flame_levels.h"
#include "api/pyroscope/flame_pprof.h"
#include "api/pyroscope/querier_call.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/frame_text.h"
#include "store/reader.h"

enum { NODES_DEFAULT = 8192 };

/* ---- trees ---- */

/* Stacks that do not begin with these names lose their values. */
static void answer_keep_call_site(struct flame *f, const struct query_texts *names)
{
    enum { OUTSIDE = UINT32_MAX };
    if (names->len == 0)
        return;
    cleanup_free uint32_t *depth = xcalloc(f->node_count, sizeof *depth); /* names that match, so far */
    f->nodes[0].self = 0;
    for (size_t i = 1; i < f->node_count; i++) {
        const uint32_t above = depth[f->nodes[i].parent];
        const bool inside = above != OUTSIDE && above == names->len;
        const bool next =
            above < names->len && str_eq(frame_text_name(f->names[f->nodes[i].name]), names->items[above]);
        depth[i] = inside ? above : next ? above + 1 : OUTSIDE;
        if (depth[i] != names->len)
            f->nodes[i].self = 0;
    }
}

static void answer_flame_init(const struct store_reader *r, struct flame *f)
{
    flame_init(f, (size_t)reader_limit(r->limits.nodes, QUERY_NODES_MAX), FLAME_NAME_BYTES_MAX);
}

/* The tree of a call; the caller frees it in any case. */
static int answer_tree(struct querier_call *q, struct store_reader *r, bool lines, struct flame *f,
                       struct store_span *span)
{
    const struct store_filter filter = {&q->selector, q->range};
    q->merge.lines = lines;
    answer_flame_init(r, f);
    const int code = store_merge(r, &filter, &q->merge, f, span, &q->err);
    if (code < 0)
        return code;
    if (f->truncated)
        return err_set(&q->err, -EMSGSIZE,
                       "the stacks have more than %zu nodes, or names of more than %d MiB: choose a shorter time range "
                       "or add label matchers, or raise --store.query-nodes",
                       f->nodes_max, FLAME_NAME_BYTES_MAX >> 20);
    answer_keep_call_site(f, &q->request.call_site);
    return 0;
}

static size_t answer_nodes(const struct querier_call *q)
{
    return q->nodes ? q->nodes : NODES_DEFAULT;
}

/* ---- answers ---- */

static int answer_stacks_prepare(struct querier_call *q)
{
    const int code = querier_call_select(q);
    return code < 0 ? code : querier_call_stacks(q);
}

static int answer_put_pprof(struct querier_call *q, struct store_reader *r, struct buf *out)
{
    cleanup_flame struct flame f = {0};
    struct store_span span = {0};
    const int code = answer_tree(q, r, true, &f, &span);
    const struct flame_pprof how = {.type = q->type,
                                    .time_ns = span.first_ns,
                                    .duration_ns = span.duration_ns,
                                    .period = span.period,
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
    struct store_span span;
    const int code = answer_tree(q, r, false, &f, &span);
    if (code < 0)
        return code;
    flame_levels_init(&l, &f, answer_nodes(q));
    cleanup_buf struct buf part = BUF_INIT(QUERIER_ANSWER_MAX);
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
    cleanup_flame struct flame left = {0}, right = {0}, both = {0};
    cleanup_flame_levels struct flame_levels l = {0};
    struct store_span span;
    struct querier_call *side = q->left;
    int code = answer_tree(side, r, false, &left, &span);
    if (code == 0)
        code = answer_tree(side = q->right, r, false, &right, &span);
    if (code < 0) {
        q->err = side->err;
        return code;
    }
    const size_t nodes =
        answer_nodes(q->left) > answer_nodes(q->right) ? answer_nodes(q->left) : answer_nodes(q->right);
    flame_init(&both, left.node_count + right.node_count + 1, 2 * FLAME_NAME_BYTES_MAX);
    flame_levels_compare(&l, &both, &left, &right, nodes);
    cleanup_buf struct buf part = BUF_INIT(QUERIER_ANSWER_MAX);
    flame_levels_put(&l, &part);
    answer_put_part(1, &part, &q->out);
    return 0;
}

const struct querier_answer answer_stacktraces = {answer_stacks_prepare, answer_stacktraces_run},
                            answer_span_profile = {answer_stacks_prepare, answer_stacktraces_run},
                            answer_merge_profile = {answer_stacks_prepare, answer_merge_profile_run},
                            answer_diff = {answer_diff_prepare, answer_diff_run};
