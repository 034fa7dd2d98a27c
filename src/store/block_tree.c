#include "store/block_tree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/block.h"

/* Content: counts of strings, bytes, functions, frames, nodes; sizes of strings but the first, their bytes; columns of
 * functions, of frames, of nodes but the first. */

/* ---- writing ---- */

static void tree_put_strings(const struct block_tree *t, struct buf *out)
{
    for (uint32_t i = 1; i < t->string_count; i++)
        block_put_number(out, t->strings[i].n);
    for (uint32_t i = 1; i < t->string_count; i++)
        buf_str(out, t->strings[i]);
}

/* Mostly the next string that was added, or one of the last; 0 is "". */
static void tree_put_string_number(struct buf *out, uint32_t *last, uint32_t string)
{
    block_put_number(out, string ? 1 + block_zigzag((int64_t)string - *last) : 0);
    *last = string ? string : *last;
}

static void tree_put_functions(const struct block_tree *t, struct buf *out)
{
    uint32_t name = 0, file = 0, mapping = 0;
    int32_t line = 0;
    for (uint32_t i = 0; i < t->function_count; i++)
        tree_put_string_number(out, &name, t->functions[i].name);
    for (uint32_t i = 0; i < t->function_count; i++) {
        uint32_t of_name = t->functions[i].name;
        tree_put_string_number(out, &of_name, t->functions[i].system_name);
    }
    for (uint32_t i = 0; i < t->function_count; i++)
        tree_put_string_number(out, &file, t->functions[i].filename);
    for (uint32_t i = 0; i < t->function_count; i++)
        tree_put_string_number(out, &mapping, t->functions[i].mapping);
    for (uint32_t i = 0; i < t->function_count; i++) {
        block_put_number(out, block_zigzag((int64_t)t->functions[i].start_line - line));
        line = t->functions[i].start_line;
    }
}

/* What is mostly the next that was not seen yet; else how far it is below that. */
static void tree_put_seen(struct buf *out, uint32_t *seen, uint32_t number)
{
    block_put_number(out, block_zigzag((int64_t)*seen - number));
    *seen = number >= *seen ? number + 1 : *seen;
}

static void tree_put_frames(const struct block_tree *t, struct buf *out)
{
    cleanup_free int32_t *last = xcalloc((size_t)t->function_count + 1, sizeof *last); /* line of a function */
    uint32_t seen = 0;
    for (uint32_t i = 0; i < t->frame_count; i++)
        tree_put_seen(out, &seen, t->frames[i].function);
    for (uint32_t i = 0; i < t->frame_count; i++) {
        const struct pprof_location *f = &t->frames[i];
        block_put_number(out, block_zigzag((int64_t)f->line - last[f->function]));
        last[f->function] = f->line;
    }
}

/* What followed a frame last, by frame; the root's is the last. 0 = nothing did. */
struct tree_guess {
    uint32_t *after; /* owned; frame + 1 */
    uint32_t root;   /* index of the root's */
    uint32_t seen;   /* frames so far: the next new one has this number */
};

static void tree_guess_init(struct tree_guess *g, uint32_t frame_count)
{
    *g = (struct tree_guess){.after = xcalloc((size_t)frame_count + 1, sizeof *g->after), .root = frame_count};
}

static void tree_guess_done(struct tree_guess *g)
{
    free(g->after);
}

static uint32_t *tree_guess_at(const struct tree_guess *g, const struct block_node *nodes, uint32_t parent)
{
    return &g->after[parent ? nodes[parent].frame : g->root];
}

/* Where the last node of each depth is: mostly, that is the parent of the next one below. */
struct tree_path {
    uint32_t *last;  /* owned; by depth */
    uint32_t *depth; /* owned; by node */
    uint32_t deepest;
};

static bool tree_path_init(struct tree_path *p, uint32_t node_count)
{
    *p = (struct tree_path){.last = calloc(node_count, sizeof *p->last), .depth = calloc(node_count, sizeof *p->depth)};
    return p->last && p->depth;
}

static void tree_path_done(struct tree_path *p)
{
    free(p->last);
    free(p->depth);
}

/* The next node. Its parent is before it, so there is a node of each depth above it. */
static void tree_path_add(struct tree_path *p, uint32_t node, uint32_t parent)
{
    const uint32_t depth = p->depth[parent] + 1;
    p->depth[node] = depth;
    p->last[depth] = node;
    p->deepest = depth > p->deepest ? depth : p->deepest;
}

/* By how much a node is less deep than a child of the one before; 0 in front of it is one whose parent is not the last
 * of its depth. The parents of those come first, as differences. */
static int tree_put_parents(const struct block_tree *t, struct buf *out)
{
    __attribute__((cleanup(tree_path_done))) struct tree_path path;
    cleanup_buf struct buf depths = BUF_INIT(BLOCK_PLAIN_MAX), others = BUF_INIT(BLOCK_PLAIN_MAX);
    if (!tree_path_init(&path, t->node_count))
        return -ENOMEM;
    uint32_t other = 0;
    for (uint32_t i = 1; i < t->node_count; i++) {
        const uint32_t parent = t->nodes[i].parent;
        tree_path_add(&path, i, parent);
        const int64_t up = (int64_t)path.depth[i - 1] + 1 - path.depth[i];
        if (path.last[path.depth[i] - 1] == parent) {
            block_put_number(&depths, 1 + block_zigzag(up));
            continue;
        }
        block_put_number(&depths, 0);
        block_put_number(&others, block_zigzag((int64_t)parent - other));
        other = parent;
    }
    block_put_number(out, others.len);
    buf_str(out, buf_slice(&others));
    buf_str(out, buf_slice(&depths));
    return 0;
}

/* 0: as guessed. Else 1 and how far it is below the next new one. */
static int tree_put_nodes(const struct block_tree *t, struct buf *out)
{
    __attribute__((cleanup(tree_guess_done))) struct tree_guess guess = {0};
    const int code = tree_put_parents(t, out);
    if (code < 0)
        return code;
    tree_guess_init(&guess, t->frame_count);
    for (uint32_t i = 1; i < t->node_count; i++) {
        const uint32_t frame = t->nodes[i].frame;
        uint32_t *const after = tree_guess_at(&guess, t->nodes, t->nodes[i].parent);
        block_put_number(out, *after == frame + 1 ? 0 : 1 + block_zigzag((int64_t)guess.seen - frame));
        *after = frame + 1;
        guess.seen = frame >= guess.seen ? frame + 1 : guess.seen;
    }
    return 0;
}

int block_tree_put(const struct block_tree *t, struct gzip_packer *packer, struct buf *out)
{
    cleanup_buf struct buf content = BUF_INIT(BLOCK_PLAIN_MAX);
    size_t text = 0;
    for (uint32_t i = 1; i < t->string_count; i++)
        text += t->strings[i].n;
    block_put_number(&content, t->string_count);
    block_put_number(&content, text);
    block_put_number(&content, t->function_count);
    block_put_number(&content, t->frame_count);
    block_put_number(&content, t->node_count);
    tree_put_strings(t, &content);
    tree_put_functions(t, &content);
    tree_put_frames(t, &content);
    const int code = tree_put_nodes(t, &content);
    if (code < 0)
        return code;
    return buf_ok(&content) ? block_blob_put(BLOCK_TREE, buf_slice(&content), packer, out) : -EMSGSIZE;
}

/* ---- reading ---- */

void block_tree_done(struct block_tree *t)
{
    for (size_t i = 0; i < ARRAY_LEN(t->owned); i++)
        free(t->owned[i]);
    buf_done(&t->content);
    *t = (struct block_tree){0};
}

struct tree_counts {
    uint64_t strings, text, functions, frames, nodes;
};

/* Memory for what comes is bounded by these limits. */
static bool tree_read_counts(struct cursor *c, struct tree_counts *ret)
{
    ret->strings = block_number(c);
    ret->text = block_number(c);
    ret->functions = block_number(c);
    ret->frames = block_number(c);
    ret->nodes = block_number(c);
    const size_t left = cursor_left(c);
    return !c->bad && ret->strings > 0 && ret->nodes > 0 && ret->strings <= BLOCK_SYMBOLS_MAX &&
           ret->text <= BLOCK_TEXT_MAX && ret->functions <= BLOCK_SYMBOLS_MAX && ret->frames <= BLOCK_SYMBOLS_MAX &&
           ret->nodes <= BLOCK_NODES_MAX && ret->strings - 1 <= left && ret->text <= left && ret->functions <= left &&
           ret->frames <= left && ret->nodes - 1 <= left;
}

/* An array that the tree owns; NULL where there is no memory. */
static void *tree_array(struct block_tree *t, size_t which, uint64_t n, size_t size)
{
    return t->owned[which] = calloc(n + 1, size);
}

static bool tree_read_strings(struct cursor *c, const struct tree_counts *n, struct str *strings)
{
    uint64_t left = n->text;
    strings[0] = STR("");
    for (uint64_t i = 1; i < n->strings; i++) {
        const uint64_t size = block_number(c);
        if (size > left)
            return false;
        strings[i].n = size;
        left -= size;
    }
    for (uint64_t i = 1; i < n->strings; i++)
        strings[i] = cursor_str(c, strings[i].n);
    return left == 0 && !c->bad;
}

/* What was written as a difference; false where it is not below `count`. */
static bool tree_read_below(uint64_t difference, int64_t last, uint64_t count, uint32_t *ret)
{
    const uint64_t v = (uint64_t)last + (uint64_t)block_unzigzag(difference);
    *ret = (uint32_t)v;
    return v < count;
}

static bool tree_read_string_number(struct cursor *c, uint32_t *last, uint64_t count, uint32_t *ret)
{
    const uint64_t v = block_number(c);
    if (v == 0) {
        *ret = 0;
        return true;
    }
    const bool good = tree_read_below(v - 1, *last, count, ret);
    *last = *ret;
    return good;
}

static bool tree_read_line(struct cursor *c, int32_t *last)
{
    const int64_t v = (int64_t)((uint64_t)*last + (uint64_t)block_unzigzag(block_number(c)));
    *last = (int32_t)v;
    return v >= INT32_MIN && v <= INT32_MAX;
}

static bool tree_read_functions(struct cursor *c, const struct tree_counts *n, struct pprof_function *functions)
{
    uint32_t name = 0, file = 0, mapping = 0;
    int32_t line = 0;
    bool good = true;
    for (uint64_t i = 0; good && i < n->functions; i++)
        good = tree_read_string_number(c, &name, n->strings, &functions[i].name);
    for (uint64_t i = 0; good && i < n->functions; i++) {
        uint32_t of_name = functions[i].name;
        good = tree_read_string_number(c, &of_name, n->strings, &functions[i].system_name);
    }
    for (uint64_t i = 0; good && i < n->functions; i++)
        good = tree_read_string_number(c, &file, n->strings, &functions[i].filename);
    for (uint64_t i = 0; good && i < n->functions; i++)
        good = tree_read_string_number(c, &mapping, n->strings, &functions[i].mapping);
    for (uint64_t i = 0; good && i < n->functions; i++) {
        good = tree_read_line(c, &line);
        functions[i].start_line = line;
    }
    return good && !c->bad;
}

static bool tree_read_frames(struct cursor *c, const struct tree_counts *n, struct pprof_location *frames)
{
    cleanup_free int32_t *last = xcalloc(n->functions + 1, sizeof *last);
    uint64_t seen = 0;
    for (uint64_t i = 0; i < n->frames; i++) {
        const uint64_t function = seen - (uint64_t)block_unzigzag(block_number(c));
        if (function >= n->functions)
            return false;
        frames[i].function = (uint32_t)function;
        seen = function >= seen ? function + 1 : seen;
    }
    bool good = true;
    for (uint64_t i = 0; good && i < n->frames; i++) {
        good = tree_read_line(c, &last[frames[i].function]);
        frames[i].line = last[frames[i].function];
    }
    return good && !c->bad;
}

static bool tree_read_parents(struct cursor *c, struct cursor *others, const struct tree_path *empty, uint64_t count,
                              struct block_node *nodes)
{
    struct tree_path path = *empty;
    uint64_t other = 0;
    for (uint64_t i = 1; i < count; i++) {
        const uint64_t v = block_number(c);
        if (v) {
            const uint64_t depth = path.depth[i - 1] + 1 - (uint64_t)block_unzigzag(v - 1);
            if (depth == 0 || depth > (uint64_t)path.deepest + 1)
                return false;
            nodes[i].parent = path.last[depth - 1];
        } else {
            other += (uint64_t)block_unzigzag(block_number(others));
            if (other >= i)
                return false;
            nodes[i].parent = (uint32_t)other;
        }
        tree_path_add(&path, (uint32_t)i, nodes[i].parent);
    }
    return !c->bad && !others->bad;
}

static bool tree_read_node_frames(struct cursor *c, const struct tree_counts *n, struct block_node *nodes)
{
    __attribute__((cleanup(tree_guess_done))) struct tree_guess guess;
    tree_guess_init(&guess, (uint32_t)n->frames);
    for (uint64_t i = 1; i < n->nodes; i++) {
        uint32_t *const after = tree_guess_at(&guess, nodes, nodes[i].parent);
        const uint64_t v = block_number(c);
        const uint64_t frame =
            v ? (uint64_t)guess.seen - (uint64_t)block_unzigzag(v - 1) : (uint64_t)*after - 1; /* 0 - 1: too large */
        if (frame >= n->frames)
            return false;
        nodes[i].frame = (uint32_t)frame;
        *after = nodes[i].frame + 1;
        guess.seen = nodes[i].frame >= guess.seen ? nodes[i].frame + 1 : guess.seen;
    }
    return !c->bad;
}

static bool tree_read_nodes(struct cursor *c, const struct tree_counts *n, struct block_node *nodes)
{
    __attribute__((cleanup(tree_path_done))) struct tree_path path;
    const uint64_t size = block_number(c);
    const struct str bytes = cursor_str(c, size);
    struct cursor others = cursor_of(bytes.p, bytes.n);
    return tree_path_init(&path, (uint32_t)n->nodes) && tree_read_parents(c, &others, &path, n->nodes, nodes) &&
           cursor_left(&others) == 0 && tree_read_node_frames(c, n, nodes);
}

static int tree_read_content(struct block_tree *t, struct str content, struct err *err)
{
    struct cursor c = cursor_of(content.p, content.n);
    struct tree_counts n;
    if (!tree_read_counts(&c, &n))
        return err_set(err, -EBADMSG, "stored tree: invalid counts");
    struct str *strings = tree_array(t, 0, n.strings, sizeof *strings);
    struct pprof_function *functions = tree_array(t, 1, n.functions, sizeof *functions);
    struct pprof_location *frames = tree_array(t, 2, n.frames, sizeof *frames);
    struct block_node *nodes = tree_array(t, 3, n.nodes, sizeof *nodes);
    if (!strings || !functions || !frames || !nodes)
        return err_set(err, -ENOMEM, "out of memory");
    if (!tree_read_strings(&c, &n, strings) || !tree_read_functions(&c, &n, functions) ||
        !tree_read_frames(&c, &n, frames) || !tree_read_nodes(&c, &n, nodes) || cursor_left(&c))
        return err_set(err, -EBADMSG, "stored tree: invalid columns");
    t->strings = strings;
    t->functions = functions;
    t->frames = frames;
    t->nodes = nodes;
    t->string_count = (uint32_t)n.strings;
    t->function_count = (uint32_t)n.functions;
    t->frame_count = (uint32_t)n.frames;
    t->node_count = (uint32_t)n.nodes;
    return 0;
}

int block_tree_read(struct str blob, struct block_tree *ret, struct err *err)
{
    cleanup_block_tree struct block_tree t = {0};
    struct str content;
    int code = block_blob_open(BLOCK_TREE, blob, &t.content, &content, err);
    if (code == 0)
        code = tree_read_content(&t, content, err);
    if (code < 0)
        return code;
    *ret = t;
    t = (struct block_tree){0};
    return 0;
}
