#include "store/flame_merge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/id_map.h"
#include "base/mem.h"
#include "store/body_samples.h"

/* As it is sent: this, the nodes, sizes of names, names. */
struct tree_head {
    int64_t period;
    uint32_t node_count, name_count, name_bytes, truncated, damaged, zero;
};
struct tree_node {
    int64_t self;
    uint32_t parent, name; /* parent < own index, but of the first, the root */
};

/* ---- the parser process ---- */

/* What is known of the symbols of several bodies: each distinct stack is walked once. */
struct merge {
    struct body_samples bodies; /* the first, for its callbacks */
    struct flame flame;
    struct flame_frames frames;
    struct id_map lines;         /* by location: name of its text + 2; 1 = no name, 0 = not asked yet */
    struct id_map node_of_stack; /* node + 1; 0 = not walked yet */
    struct flame_filter filter;
    int64_t period;
    uint32_t damaged;
};

static void merge_restart(struct body_samples *bodies)
{
    struct merge *m = (struct merge *)bodies;
    flame_frames_done(&m->frames);
    id_map_done(&m->lines);
    id_map_done(&m->node_of_stack);
}

static int64_t merge_line_of(struct merge *m, uint32_t location)
{
    uint32_t *id = id_map_at(&m->lines, location);
    if (id && *id)
        return (int64_t)*id - 2;
    cleanup_buf struct buf text = BUF_INIT(FLAME_NAME_BYTES_MAX);
    frame_text_put(&m->bodies.symbols, location, &text);
    const int64_t name = flame_name(&m->flame, buf_slice(&text));
    if (id)
        *id = (uint32_t)(name + 2);
    return name;
}

static uint32_t merge_walk(struct merge *m, uint32_t stack)
{
    if (!m->filter.how.lines)
        return flame_stack(&m->flame, &m->frames, 0, &m->bodies.symbols, stack);
    const struct pprof_stack *s = &m->bodies.symbols.stacks[stack];
    uint32_t node = 0;
    for (uint32_t i = s->count; i-- > 0;) {
        const int64_t name = merge_line_of(m, s->locations[i]);
        if (name == FLAME_NO_NAME)
            break;
        node = flame_step(&m->flame, node, name);
    }
    return node;
}

static uint32_t merge_node_of(struct merge *m, uint32_t stack)
{
    uint32_t *node = id_map_at(&m->node_of_stack, stack);
    if (!node)
        return merge_walk(m, stack);
    if (*node == 0)
        *node = merge_walk(m, stack) + 1;
    return *node - 1;
}

static bool merge_wants(const struct merge *m, uint32_t label_set)
{
    if (!flame_filter_by_id(&m->filter))
        return true;
    struct sample_ids ids;
    sample_ids_of(&m->bodies.symbols, label_set, &ids);
    return flame_filter_wants(&m->filter, &ids);
}

static void merge_take(struct body_samples *bodies, const struct pprof_sample *s, uint32_t row, int64_t value)
{
    struct merge *m = (struct merge *)bodies;
    (void)row;
    if (merge_wants(m, s->labels))
        flame_add(&m->flame, merge_node_of(m, s->stack), value);
}

static int merge_body(struct merge *m, const struct parser_item *item, struct err *err)
{
    struct str head = item->head;
    if (!flame_filter_read(&m->filter, &head))
        return err_set(err, -EINVAL, "invalid request");
    m->flame.nodes_max = m->filter.how.nodes;
    struct err why = {0};
    const int code = body_samples_sent(&m->bodies, item->bytes, head, &why);
    if (code < 0 && code != -EBADMSG)
        return err_set(err, code, "%s", why.text);
    m->damaged += code < 0;
    if (code == 0 && m->bodies.period > m->period)
        m->period = m->bodies.period;
    return 0;
}

void flame_merge_put(const struct flame *f, int64_t period, uint32_t damaged, struct buf *out)
{
    struct tree_head head = {.period = period,
                             .damaged = damaged,
                             .node_count = (uint32_t)f->node_count,
                             .name_count = (uint32_t)f->name_count,
                             .truncated = f->truncated};
    for (size_t i = 0; i < f->name_count; i++)
        head.name_bytes += (uint32_t)f->names[i].n;
    buf_append(out, &head, sizeof head);
    for (size_t i = 0; i < f->node_count; i++) {
        const struct tree_node n = {f->nodes[i].self, f->nodes[i].parent, f->nodes[i].name};
        buf_append(out, &n, sizeof n);
    }
    for (size_t i = 0; i < f->name_count; i++) {
        const uint32_t size = (uint32_t)f->names[i].n;
        buf_append(out, &size, sizeof size);
    }
    for (size_t i = 0; i < f->name_count; i++)
        buf_str(out, f->names[i]);
}

static int merge_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    struct merge m = {.bodies = {.restart = merge_restart, .take = merge_take}};
    int code = 0;
    flame_init(&m.flame, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    body_samples_init(&m.bodies);
    for (size_t i = 0; code == 0 && i < n; i++)
        code = merge_body(&m, &items[i], err);
    if (code == 0)
        flame_merge_put(&m.flame, m.period, m.damaged, out);
    merge_restart(&m.bodies);
    body_samples_done(&m.bodies);
    flame_filter_done(&m.filter);
    flame_done(&m.flame);
    return code;
}

const struct parser_service flame_merge_service = {"store.flame", merge_serve};

/* ---- where it was asked for ---- */

struct sent_tree {
    struct tree_head head;
    const uint8_t *nodes, *sizes, *names;
};

static struct tree_node tree_node_at(const struct sent_tree *t, size_t i)
{
    struct tree_node n;
    memcpy(&n, t->nodes + i * sizeof n, sizeof n);
    return n;
}

static uint32_t tree_name_size(const struct sent_tree *t, size_t i)
{
    uint32_t size;
    memcpy(&size, t->sizes + i * sizeof size, sizeof size);
    return size;
}

static bool tree_split(struct str answer, struct sent_tree *ret)
{
    struct cursor c = cursor_of(answer.p, answer.n);
    const uint8_t *head = cursor_bytes(&c, sizeof ret->head);
    if (!head)
        return false;
    memcpy(&ret->head, head, sizeof ret->head);
    ret->nodes = cursor_bytes(&c, (uint64_t)ret->head.node_count * sizeof(struct tree_node));
    ret->sizes = cursor_bytes(&c, (uint64_t)ret->head.name_count * sizeof(uint32_t));
    ret->names = cursor_bytes(&c, ret->head.name_bytes);
    return !c.bad && cursor_left(&c) == 0;
}

int flame_merge_check(void *arg, size_t n, struct str answer, struct err *err)
{
    struct sent_tree t;
    uint64_t name_bytes = 0;
    (void)arg;
    (void)n;
    bool good = tree_split(answer, &t) && t.head.node_count > 0 && t.head.period >= 0;
    for (size_t i = 0; good && i < t.head.name_count; i++)
        name_bytes += tree_name_size(&t, i);
    good = good && name_bytes == t.head.name_bytes;
    for (size_t i = 0; good && i < t.head.node_count; i++) {
        const struct tree_node node = tree_node_at(&t, i);
        good = node.self >= 0 && node.name < t.head.name_count && (i == 0 || node.parent < i);
    }
    return good ? 0 : err_set(err, -EBADMSG, "invalid tree of stored profiles");
}

uint32_t flame_merge_damaged(struct str answer)
{
    struct sent_tree t;
    return tree_split(answer, &t) ? t.head.damaged : 0;
}

struct flame_place flame_place_of(struct flame *out, const struct flame_place *parent, int64_t name)
{
    if (parent->cut || name == FLAME_NO_NAME)
        return (struct flame_place){parent->node, true};
    return (struct flame_place){flame_step(out, parent->node, name), false};
}

void flame_merge_add(struct flame *out, int64_t *period, struct str answer)
{
    struct sent_tree t;
    if (!tree_split(answer, &t))
        return;
    cleanup_free int64_t *names = xcalloc(t.head.name_count + 1, sizeof *names);
    cleanup_free struct flame_place *places = xcalloc(t.head.node_count + 1, sizeof *places);
    const char *text = (const char *)t.names;
    for (size_t i = 0; i < t.head.name_count; i++) {
        const uint32_t size = tree_name_size(&t, i);
        names[i] = flame_name(out, (struct str){text, size});
        text += size;
    }
    for (size_t i = 1; i < t.head.node_count; i++) {
        const struct tree_node n = tree_node_at(&t, i);
        places[i] = flame_place_of(out, &places[n.parent], names[n.name]);
    }
    for (size_t i = 0; i < t.head.node_count; i++)
        flame_add(out, places[i].node, tree_node_at(&t, i).self);
    out->truncated |= t.head.truncated != 0;
    if (period && t.head.period > *period)
        *period = t.head.period;
}
