#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/block.h"
#include "store/block_rows.h"
#include "store/block_tree.h"
#include "store/flame_merge.h"

/* ---- the parser process ---- */

struct block_flame {
    struct flame flame;
    struct flame_filter filter;
    int64_t period;
    uint32_t damaged;
    /* Of the block at hand: */
    struct block_tree tree;
    int64_t *sums;       /* by node; owned */
    uint8_t *wanted_ids; /* by set of ids of the slice at hand: 1 = counts; owned */
    size_t wanted_ids_cap;
};

static bool flame_block_add(struct block_flame *f, uint32_t node, int64_t value)
{
    if (node >= f->tree.node_count)
        return false;
    f->sums[node] = flame_sum(f->sums[node], value);
    return true;
}

static void flame_block_period(struct block_flame *f, int64_t period)
{
    f->period = period > f->period ? period : f->period;
}

static int flame_block_sum(struct block_flame *f, struct str blob, struct err *err)
{
    cleanup_block_sum struct block_sum sum = {0};
    int code = block_sum_read(blob, &sum, err);
    for (size_t i = 0; code == 0 && i < sum.count; i++)
        code = flame_block_add(f, sum.values[i].node, sum.values[i].value) ? 0 : -EBADMSG;
    if (code == 0)
        flame_block_period(f, sum.period);
    return code;
}

/* Which sets of ids of a slice count; those without any do if none is asked for. */
static int flame_block_select_ids(struct block_flame *f, const struct block_rows *r)
{
    struct sample_ids ids = {.count = 0};
    if (!mem_grow(&f->wanted_ids, &f->wanted_ids_cap, r->ids.count + 1, 1))
        return -ENOMEM;
    f->wanted_ids[0] = flame_filter_wants(&f->filter, &ids);
    for (uint32_t i = 1; i <= r->ids.count; i++) {
        block_ids_get(&r->ids, i, &ids);
        f->wanted_ids[i] = flame_filter_wants(&f->filter, &ids);
    }
    return 0;
}

static int flame_block_row(struct block_flame *f, const struct block_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        const struct block_value *v = &row->values[i];
        if (f->wanted_ids[v->ids] && !flame_block_add(f, v->node, v->value))
            return -EBADMSG;
    }
    flame_block_period(f, row->period);
    return 0;
}

static int flame_block_rows(struct block_flame *f, struct block_wanted *wanted, struct err *err)
{
    cleanup_block_rows struct block_rows r = {0};
    struct block_row row;
    int code = block_rows_open(wanted->blob, &r, err);
    if (code == 0)
        code = flame_block_select_ids(f, &r);
    for (uint32_t i = 0; code >= 0 && block_wanted_more(wanted) && (code = block_rows_next(&r, &row, err)) == 1; i++) {
        if (block_wanted_takes(wanted, i))
            code = flame_block_row(f, &row);
    }
    if (code >= 0 && block_wanted_lacks(wanted))
        return err_set(err, -EBADMSG, "stored rows: too few");
    return code < 0 ? code : 0;
}

static int flame_block_want(struct block_flame *f, struct block_wanted *wanted, struct err *err)
{
    if (wanted->is_sum && flame_filter_by_id(&f->filter))
        return err_set(err, -EINVAL, "invalid request");
    return wanted->is_sum ? flame_block_sum(f, wanted->blob, err) : flame_block_rows(f, wanted, err);
}

/* Whether a node, or one below it, has a value. */
static bool *flame_block_used(const struct block_flame *f)
{
    bool *used = calloc(f->tree.node_count, sizeof *used);
    for (size_t i = f->tree.node_count; used && i-- > 0;) {
        used[i] = used[i] || f->sums[i];
        if (used[i])
            used[f->tree.nodes[i].parent] = true;
    }
    return used;
}

static int64_t flame_block_name(struct block_flame *f, uint32_t frame)
{
    const struct pprof_location *l = &f->tree.frames[frame];
    const struct pprof_function *of = &f->tree.functions[l->function];
    const struct str *text = f->tree.strings;
    if (!f->filter.how.lines)
        return flame_name(&f->flame, text[of->name].n ? text[of->name] : STR("(unknown)"));
    const struct frame_text t = {text[of->name], text[of->system_name], text[of->filename], of->start_line, l->line};
    cleanup_buf struct buf name = BUF_INIT(FLAME_NAME_BYTES_MAX);
    frame_text_put_parts(&t, &name);
    return flame_name(&f->flame, buf_slice(&name));
}

/* Adds the sums to the graph. A name is looked up once per function, or per frame where lines are kept. */
static int flame_block_fold(struct block_flame *f)
{
    const struct block_tree *t = &f->tree;
    const size_t names_max = f->filter.how.lines ? t->frame_count : t->function_count;
    cleanup_free bool *used = flame_block_used(f);
    cleanup_free uint32_t *names = calloc(names_max + 1, sizeof *names); /* name + 2; 0 = not asked yet */
    cleanup_free struct flame_place *places = calloc(t->node_count, sizeof *places);
    if (!used || !names || !places)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->node_count; i++) {
        if (!used[i])
            continue;
        if (i) {
            const uint32_t frame = t->nodes[i].frame;
            uint32_t *name = &names[f->filter.how.lines ? frame : t->frames[frame].function];
            if (*name == 0)
                *name = (uint32_t)(flame_block_name(f, frame) + 2);
            places[i] = flame_place_of(&f->flame, &places[t->nodes[i].parent], (int64_t)*name - 2);
        }
        flame_add(&f->flame, places[i].node, f->sums[i]);
    }
    return 0;
}

static int flame_block_wants(struct block_flame *f, struct block_wants *wants, struct err *err)
{
    struct block_wanted wanted;
    int code;
    f->sums = calloc(f->tree.node_count, sizeof *f->sums);
    if (!f->sums)
        return -ENOMEM;
    while ((code = block_wants_next(wants, &wanted)) == 1) {
        struct err why = {0};
        code = flame_block_want(f, &wanted, &why);
        if (code < 0 && code != -EBADMSG)
            return err_set(err, code, "%s", why.text);
        f->damaged += code < 0;
    }
    return code < 0 ? err_set(err, code, "invalid request") : flame_block_fold(f);
}

static int flame_block_item(struct block_flame *f, const struct parser_item *item, struct err *err)
{
    struct str head = item->head;
    struct block_wants wants;
    struct err why = {0};
    if (!flame_filter_read(&f->filter, &head) || !block_wants_read(head, item->bytes, &wants))
        return err_set(err, -EINVAL, "invalid request");
    f->flame.nodes_max = f->filter.how.nodes;
    int code = block_tree_read(wants.tree, &f->tree, &why);
    if (code == -EBADMSG)
        f->damaged++;
    else if (code == 0)
        code = flame_block_wants(f, &wants, err);
    block_tree_done(&f->tree);
    free(TAKE_PTR(f->sums));
    return code == -ENOMEM ? err_set(err, code, "out of memory") : code == -EBADMSG ? 0 : code;
}

static int flame_block_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    struct block_flame f = {0};
    int code = 0;
    flame_init(&f.flame, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    for (size_t i = 0; code == 0 && i < n; i++)
        code = flame_block_item(&f, &items[i], err);
    if (code == 0)
        flame_merge_put(&f.flame, f.period, f.damaged, out);
    flame_filter_done(&f.filter);
    flame_done(&f.flame);
    free(f.wanted_ids);
    return code;
}

const struct parser_service block_flame_service = {"store.block", flame_block_serve};
