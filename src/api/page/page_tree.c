#include "api/page/page_tree.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pprof/flame_view.h"
#include "store/frame_text.h"
#include "store/label_groups.h"

/* Each group is merged by itself. */
enum { GROUPS_DEFAULT = 20, GROUPS_MAX = 100, NAME_TEXT_MAX = 64 << 10 };

static void page_tree_init(const struct store_reader *r, struct flame *f)
{
    flame_init(f, (size_t)reader_limit(r->limits.nodes, QUERY_NODES_MAX), FLAME_NAME_BYTES_MAX);
}

static int page_tree_merge(struct page_call *q, struct store_reader *r, size_t side, enum page_names names,
                           struct flame *f, struct store_span *span)
{
    const struct store_filter filter = {&q->sides[side].selector, q->sides[side].range};
    const struct store_merge how = {.lines = names == PAGE_FRAMES || q->lines};
    page_tree_init(r, f);
    const int code = store_merge(r, &filter, &how, f, span, &q->err);
    if (code < 0)
        flame_done(f);
    return code;
}

/* ---- what is shown of it ---- */

static void page_tree_view(const struct page_call *q, struct flame *f)
{
    cleanup_free bool *only = name_matches_of(&q->only, f), *without = name_matches_of(&q->without, f);
    cleanup_free bool *hidden = name_matches_of(&q->hidden, f), *folded = name_matches_of(&q->folded, f);
    const struct flame_view view = {.only = only,
                                    .without = without,
                                    .hidden = hidden,
                                    .folded = folded,
                                    .recursion = q->recursion,
                                    .callers = q->callers};
    if (!flame_view_changes(&view))
        return;
    struct flame seen;
    flame_init(&seen, f->nodes_max, FLAME_NAME_BYTES_MAX);
    flame_view_apply(&seen, f, &view);
    flame_done(f);
    *f = seen;
}

static struct str page_tree_line_name(struct str text, struct buf *out)
{
    const struct frame_text t = frame_text_read(text);
    buf_reset(out);
    buf_str(out, t.name);
    if (t.line > 0)
        buf_printf(out, ":%d", t.line);
    return out->len ? buf_slice(out) : STR("(unknown)");
}

/* Texts of frames become names with lines. */
static void page_tree_name_lines(struct flame *f)
{
    cleanup_buf struct buf name = BUF_INIT(NAME_TEXT_MAX);
    cleanup_free uint32_t *places = xcalloc(f->node_count, sizeof *places);
    struct flame named;
    flame_init(&named, f->nodes_max, FLAME_NAME_BYTES_MAX);
    for (size_t i = 0; i < f->node_count; i++) {
        const struct flame_node *n = &f->nodes[i];
        if (i)
            places[i] = flame_step(&named, places[n->parent],
                                   flame_name(&named, page_tree_line_name(f->names[n->name], &name)));
        flame_add(&named, places[i], n->self);
    }
    named.truncated |= f->truncated;
    flame_done(f);
    *f = named;
}

static void page_tree_show(const struct page_call *q, enum page_names names, struct flame *f)
{
    page_tree_view(q, f);
    if (q->lines && names == PAGE_FUNCTIONS)
        page_tree_name_lines(f);
}

/* ---- beneath a frame per value of a label ---- */

struct tree_group {
    struct str value; /* "" = the label is missing */
    int64_t total;
};
struct tree_groups {
    struct label_groups keys;
    struct tree_group *items; /* by number, then the largest first; owned */
    size_t len, cap;
};

static void page_tree_visit_point(void *arg, const struct store_point *p)
{
    struct tree_groups *g = arg;
    const uint32_t number = label_group_of(&g->keys, p->series);
    if (number == g->len) {
        struct str rest = g->keys.keys[number], part = STR("");
        if (str_split(&rest, '\0', &part)) /* the name of the label */
            (void)str_split(&rest, '\0', &part);
        xgrow(&g->items, &g->cap, g->len + 1, sizeof *g->items);
        g->items[g->len++] = (struct tree_group){.value = part};
    }
    g->items[number].total = flame_sum(g->items[number].total, p->total);
}

static int page_tree_largest_first(const void *a, const void *b)
{
    const struct tree_group *x = a, *y = b;
    return x->total != y->total ? (x->total < y->total) - (x->total > y->total) : str_cmp(x->value, y->value);
}

static void page_tree_take_away(struct flame *from, const uint32_t *places, const struct flame *group)
{
    for (size_t i = 0; i < group->node_count; i++) {
        int64_t *self = &from->nodes[places[i]].self;
        *self -= group->nodes[i].self < *self ? group->nodes[i].self : *self;
    }
}

static void page_tree_put_group(const struct page_call *q, enum page_names names, struct str value, struct flame *group,
                                struct flame *to)
{
    cleanup_buf struct buf name = BUF_INIT(NAME_TEXT_MAX);
    page_tree_show(q, names, group);
    buf_printf(&name, "%.*s: %.*s", STR_ARG(q->by[0]), STR_ARG(value));
    const uint32_t at = flame_step(to, 0, flame_name(to, buf_slice(&name)));
    cleanup_free uint32_t *places = flame_join(to, at, group);
    flame_join_values(to, places, group);
}

static int page_tree_add_group(struct page_call *q, struct store_reader *r, size_t side, enum page_names names,
                               struct str value, struct flame *rest, struct flame *to)
{
    struct label_selector *selector = &q->sides[side].selector;
    const size_t matchers = selector->len;
    struct store_span ignored;
    struct flame group;
    int code = label_selector_add_equal(selector, q->by[0], value, &q->err);
    if (code == 0)
        code = page_tree_merge(q, r, side, names, &group, &ignored);
    selector->len = matchers; /* it is plain, nothing else belongs to it */
    if (code < 0)
        return code;
    cleanup_free uint32_t *places = flame_join(rest, 0, &group);
    page_tree_take_away(rest, places, &group);
    page_tree_put_group(q, names, value.n ? value : STR("(none)"), &group, to);
    flame_done(&group);
    return 0;
}

/* The largest groups each, and all others as one: what the whole has beside them. */
static int page_tree_group(struct page_call *q, struct store_reader *r, size_t side, enum page_names names,
                           struct flame *f)
{
    const struct store_filter filter = {&q->sides[side].selector, q->sides[side].range};
    const size_t max = !q->limit ? GROUPS_DEFAULT : q->limit < GROUPS_MAX ? q->limit : GROUPS_MAX;
    struct tree_groups g = {0};
    struct flame to;
    label_groups_init(&g.keys, q->by, 1);
    page_tree_init(r, &to);
    int code = store_each_point(r, &filter, page_tree_visit_point, &g, &q->err);
    if (g.len)
        qsort(g.items, g.len, sizeof *g.items, page_tree_largest_first);
    for (size_t i = 0; code == 0 && i < g.len && i < max; i++)
        code = page_tree_add_group(q, r, side, names, g.items[i].value, f, &to);
    if (code == 0 && g.len > max)
        page_tree_put_group(q, names, STR("(others)"), f, &to);
    to.truncated |= f->truncated;
    flame_done(f);
    *f = to;
    if (code < 0)
        flame_done(f);
    label_groups_done(&g.keys);
    free(g.items);
    return code;
}

int page_tree(struct page_call *q, struct store_reader *r, size_t side, enum page_names names, struct flame *f,
              struct store_span *span)
{
    int code = page_tree_merge(q, r, side, names, f, span);
    if (code < 0)
        return code;
    if (q->by_count)
        code = page_tree_group(q, r, side, names, f);
    else
        page_tree_show(q, names, f);
    if (code == 0)
        flame_finish(f);
    return code;
}

void page_put_span(struct buf *out, const struct store_span *span)
{
    buf_printf(out, "\"profiles\":%llu,\"first_ms\":%lld,\"last_ms\":%lld", (unsigned long long)span->profiles,
               (long long)(span->first_ns / NS_PER_MS), (long long)(span->last_ns / NS_PER_MS));
}

void page_put_size(struct buf *out, const struct flame *f, size_t nodes_max)
{
    buf_printf(out, "\"node_count\":%zu,\"nodes_max\":%zu,\"truncated\":%s", f->node_count, nodes_max,
               f->truncated ? "true" : "false");
}
