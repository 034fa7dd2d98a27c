#include "api/pyroscope/querier_tree.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/frame_text.h"
#include "store/reader.h"

enum { NODES_DEFAULT = 8192 };

/* Stacks that do not begin with these names lose their values. */
static void querier_tree_keep_call_site(struct flame *f, const struct query_texts *names)
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

static void querier_tree_init(const struct store_reader *r, struct flame *f)
{
    flame_init(f, (size_t)reader_limit(r->limits.nodes, QUERY_NODES_MAX), FLAME_NAME_BYTES_MAX);
}

int querier_tree(struct querier_call *q, struct store_reader *r, bool lines, struct flame *f, struct store_span *span)
{
    const struct store_filter filter = {&q->selector, q->range};
    q->merge.lines = lines;
    querier_tree_init(r, f);
    const int code = store_merge(r, &filter, &q->merge, f, span, &q->err);
    if (code < 0)
        return code;
    if (f->truncated)
        return err_set(&q->err, -EMSGSIZE,
                       "the stacks have more than %zu nodes, or names of more than %d MiB: choose a shorter time range "
                       "or add label matchers, or raise --store.query-nodes",
                       f->nodes_max, FLAME_NAME_BYTES_MAX >> 20);
    querier_tree_keep_call_site(f, &q->request.call_site);
    return 0;
}

size_t querier_tree_nodes(const struct querier_call *q)
{
    return q->nodes ? q->nodes : NODES_DEFAULT;
}

int querier_tree_compare(struct querier_call *q, struct store_reader *r, struct querier_trees *t)
{
    struct querier_call *side = q->left;
    int code = querier_tree(side, r, false, &t->left, NULL);
    if (code == 0)
        code = querier_tree(side = q->right, r, false, &t->right, NULL);
    if (code < 0) {
        q->err = side->err;
        return code;
    }
    const size_t left = querier_tree_nodes(q->left), right = querier_tree_nodes(q->right);
    flame_init(&t->both, t->left.node_count + t->right.node_count + 1, (size_t)2 * FLAME_NAME_BYTES_MAX);
    flame_levels_compare(&t->levels, &t->both, &t->left, &t->right, left > right ? left : right);
    return 0;
}

void querier_trees_done(struct querier_trees *t)
{
    flame_levels_done(&t->levels);
    flame_done(&t->left);
    flame_done(&t->right);
    flame_done(&t->both);
}
