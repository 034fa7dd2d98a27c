#include "store/flame_merge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/id_map.h"
#include "base/mem.h"
#include "pprof/decode.h"
#include "store/frame_text.h"
#include "store/limits.h"
#include "store/splits.h"

enum { SYMBOLS_MAX = 16 << 20 }; /* shared by the profiles of one request, started afresh when full */

/* As it is sent: this, the nodes, sizes of names, names. */
struct tree_head {
    int64_t period;
    uint32_t node_count, name_count, name_bytes, truncated;
};
struct tree_node {
    int64_t self;
    uint32_t parent, name; /* parent < own index, but of the first, the root */
};

/* ---- the parser process ---- */

/* Profiles of one service repeat their symbols and stacks: decoded into shared symbols, each distinct stack is walked
 * once. */
struct merge {
    struct flame flame;
    struct symbols symbols;
    struct flame_frames frames;
    struct id_map lines;         /* by location: name of its text + 2; 1 = no name, 0 = not asked yet */
    struct id_map node_of_stack; /* node + 1; 0 = not walked yet */
    struct flame_how how;
    struct strmap ids; /* of spans and traces that are wanted */
    int64_t period;
};

static void merge_end_symbols(struct merge *m)
{
    symbols_done(&m->symbols);
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
    frame_text_put(&m->symbols, location, &text);
    const int64_t name = flame_name(&m->flame, buf_slice(&text));
    if (id)
        *id = (uint32_t)(name + 2);
    return name;
}

static uint32_t merge_walk(struct merge *m, uint32_t stack)
{
    if (!m->how.lines)
        return flame_stack(&m->flame, &m->frames, 0, &m->symbols, stack);
    const struct pprof_stack *s = &m->symbols.stacks[stack];
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

/* Whether a label has one of the ids asked for. */
static bool merge_label_has_id(const struct merge *m, const struct pprof_label *l, bool trace)
{
    const struct str key = m->symbols.strings[l->key], id = m->symbols.strings[l->str];
    char lower[TRACE_ID_HEX];
    if (trace ? !str_is(key, "trace_id") : !str_is(key, "span_id") && !str_is(key, "profile_id"))
        return false;
    if (id.n != (trace ? TRACE_ID_HEX : SPAN_ID_HEX))
        return false;
    for (size_t i = 0; i < id.n; i++)
        lower[i] = (char)(id.p[i] >= 'A' && id.p[i] <= 'F' ? id.p[i] - 'A' + 'a' : id.p[i]);
    return strmap_has(&m->ids, (struct str){lower, id.n});
}

static bool merge_wants(const struct merge *m, uint32_t label_set)
{
    const struct pprof_labels *set = &m->symbols.label_sets[label_set];
    bool span = m->how.span_count == 0, trace = m->how.trace_count == 0;
    for (uint32_t i = 0; i < set->count && !(span && trace); i++) {
        span = span || merge_label_has_id(m, &set->labels[i], false);
        trace = trace || merge_label_has_id(m, &set->labels[i], true);
    }
    return span && trace;
}

/* The parts of one body by split, as lists: a body may have thousands, and each sample asks for those of its split. */
struct parts_by_split {
    struct flame_part *parts; /* owned */
    size_t count;
    struct u64map first; /* split -> part + 1 */
    uint32_t *next;      /* owned; part + 1, 0 = the last */
};

static void merge_parts_done(struct parts_by_split *r)
{
    free(r->parts);
    u64map_done(&r->first);
    free(r->next);
}

static void merge_parts_init(struct parts_by_split *r, struct str head)
{
    const size_t n = head.n / sizeof(struct flame_part);
    *r = (struct parts_by_split){
        .parts = xcalloc(n + 1, sizeof *r->parts), .count = n, .next = xcalloc(n + 1, sizeof *r->next)};
    if (n)
        memcpy(r->parts, head.p, n * sizeof *r->parts);
    for (size_t k = n; k-- > 0;) {
        uint64_t *first = u64map_add(&r->first, (uint64_t)r->parts[k].split, 0, NULL);
        r->next[k] = (uint32_t)*first;
        *first = k + 1;
    }
}

static void merge_profile(struct merge *m, const struct profile *p, struct str head)
{
    cleanup_splits struct splits splits = SPLITS_INIT(&m->symbols);
    __attribute__((cleanup(merge_parts_done))) struct parts_by_split by_split;
    merge_parts_init(&by_split, head);
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t *values = profile_values(p, i);
        size_t at;
        if (!splits_counts(values, p->type_count) || splits_of(&splits, p->samples[i].labels, &at) < 0)
            continue;
        uint64_t k = 0;
        if (!merge_wants(m, p->samples[i].labels))
            continue;
        (void)u64map_get(&by_split.first, (uint64_t)splits.items[at].number, &k);
        for (; k; k = by_split.next[k - 1]) {
            const size_t type = (size_t)by_split.parts[k - 1].type;
            if (type < p->type_count && values[type])
                flame_add(&m->flame, merge_node_of(m, p->samples[i].stack), values[type]);
        }
    }
}

/* The beginning of a head; what is left of it are the parts. False: it is none. */
static bool merge_read_head(struct merge *m, struct str *head)
{
    if (head->n < sizeof m->how)
        return false;
    memcpy(&m->how, head->p, sizeof m->how);
    const size_t spans = (size_t)m->how.span_count * SPAN_ID_HEX, traces = (size_t)m->how.trace_count * TRACE_ID_HEX;
    const char *ids = head->p + sizeof m->how;
    if (head->n - sizeof m->how < spans + traces)
        return false;
    for (uint32_t i = 0; i < m->how.span_count && m->ids.len < m->how.span_count; i++)
        strmap_put(&m->ids, (struct str){ids + (size_t)i * SPAN_ID_HEX, SPAN_ID_HEX}, m);
    for (uint32_t i = 0; i < m->how.trace_count && m->ids.len < m->how.trace_count; i++)
        strmap_put(&m->ids, (struct str){ids + spans + (size_t)i * TRACE_ID_HEX, TRACE_ID_HEX}, m);
    *head = (struct str){ids + spans + traces, head->n - sizeof m->how - spans - traces};
    return true;
}

static int merge_body(struct merge *m, const struct parser_item *item, struct err *err)
{
    struct str head = item->head;
    struct profile p;
    struct err why = {0};
    const struct str bytes = item->bytes;
    if (!merge_read_head(m, &head))
        return err_set(err, -EINVAL, "invalid request");
    m->flame.nodes_max = m->how.nodes;
    int code = pprof_decode(bytes.p, bytes.n, STORE_PROFILE_MAX, &m->symbols, &p, &why);
    if (code == -E2BIG) {
        merge_end_symbols(m);
        symbols_init(&m->symbols, SYMBOLS_MAX);
        code = pprof_decode(bytes.p, bytes.n, STORE_PROFILE_MAX, &m->symbols, &p, &why);
    }
    if (code == -EBADMSG || code == -EMSGSIZE || code == -E2BIG)
        return 0;
    if (code < 0)
        return err_set(err, code, "%s", why.text);
    m->period = p.period > m->period ? p.period : m->period;
    merge_profile(m, &p, head);
    profile_done(&p);
    return 0;
}

static void merge_put_tree(const struct flame *f, int64_t period, struct buf *out)
{
    struct tree_head head = {.period = period,
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
    struct merge m = {0};
    int code = 0;
    flame_init(&m.flame, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    symbols_init(&m.symbols, SYMBOLS_MAX);
    for (size_t i = 0; code == 0 && i < n; i++)
        code = merge_body(&m, &items[i], err);
    if (code == 0)
        merge_put_tree(&m.flame, m.period, out);
    merge_end_symbols(&m);
    strmap_done(&m.ids);
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

int64_t flame_merge_period(struct str answer)
{
    struct sent_tree t;
    return tree_split(answer, &t) ? t.head.period : 0;
}

/* What becomes of a node of the answer. */
struct tree_place {
    uint32_t node; /* of the graph */
    bool cut;      /* a name is missing: what is below counts for this */
};

static struct tree_place tree_place_of(struct flame *out, const struct tree_place *parent, int64_t name)
{
    if (parent->cut || name == FLAME_NO_NAME)
        return (struct tree_place){parent->node, true};
    return (struct tree_place){flame_step(out, parent->node, name), false};
}

void flame_merge_add(struct flame *out, struct str answer)
{
    struct sent_tree t;
    if (!tree_split(answer, &t))
        return;
    cleanup_free int64_t *names = xcalloc(t.head.name_count + 1, sizeof *names);
    cleanup_free struct tree_place *places = xcalloc(t.head.node_count + 1, sizeof *places);
    const char *text = (const char *)t.names;
    for (size_t i = 0; i < t.head.name_count; i++) {
        const uint32_t size = tree_name_size(&t, i);
        names[i] = flame_name(out, (struct str){text, size});
        text += size;
    }
    for (size_t i = 1; i < t.head.node_count; i++) {
        const struct tree_node n = tree_node_at(&t, i);
        places[i] = tree_place_of(out, &places[n.parent], names[n.name]);
    }
    for (size_t i = 0; i < t.head.node_count; i++)
        flame_add(out, places[i].node, tree_node_at(&t, i).self);
    out->truncated |= t.head.truncated != 0;
}
