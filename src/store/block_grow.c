#include "store/block_grow.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "store/block.h"

/* What all that a tree has takes in memory, at most: strings, functions and frames with their indexes. */
enum { DICTIONARY_MAX = 160 << 20 };

void grown_tree_done(struct grown_tree *g)
{
    symbols_done(&g->dictionary);
    hash_index_done(&g->children);
    free(g->nodes);
}

struct grown_size grown_tree_size(const struct grown_tree *g)
{
    return (struct grown_size){g->dictionary.string_count, g->dictionary.function_count, g->dictionary.location_count,
                               g->node_count};
}

/* Whether there is room for one more frame, its function and that one's strings. */
static bool grown_has_room(const struct grown_tree *g, size_t text)
{
    enum { STRINGS = 4 };
    const struct symbols *d = &g->dictionary;
    return d->string_count + STRINGS <= BLOCK_SYMBOLS_MAX && d->function_count < BLOCK_SYMBOLS_MAX &&
           d->location_count < BLOCK_SYMBOLS_MAX && d->arena.used + text + STRINGS <= BLOCK_TEXT_MAX;
}

uint32_t grown_tree_child(struct grown_tree *g, uint32_t parent, uint32_t frame, bool *added)
{
    if (!hash_index_reserve(&g->children))
        return SYMBOLS_FULL;
    const uint32_t hash = hash_number((uint64_t)parent << 32 | frame);
    struct hash_index_slot *slot =
        hash_index_find(&g->children, hash, g->nodes[item].parent == parent && g->nodes[item].frame == frame);
    *added = slot->item == 0;
    if (slot->item)
        return slot->item - 1;
    if (g->node_count == BLOCK_NODES_MAX || !mem_grow(&g->nodes, &g->node_cap, g->node_count + 1, sizeof *g->nodes))
        return SYMBOLS_FULL;
    g->nodes[g->node_count] = (struct block_node){parent, frame};
    hash_index_add(&g->children, slot, hash, (uint32_t)g->node_count);
    return (uint32_t)g->node_count++;
}

static bool grown_load_dictionary(struct symbols *d, const struct block_tree *t)
{
    for (uint32_t i = 0; i < t->string_count; i++) {
        if (symbols_string(d, t->strings[i]) != i)
            return false;
    }
    for (uint32_t i = 0; i < t->function_count; i++) {
        if (symbols_function(d, t->functions[i]) != i)
            return false;
    }
    for (uint32_t i = 0; i < t->frame_count; i++) {
        if (symbols_location(d, t->frames[i]) != i)
            return false;
    }
    return true;
}

int grown_tree_begin(struct grown_tree *g, struct str blob, struct err *err)
{
    cleanup_block_tree struct block_tree t = {0};
    int code = blob.n ? block_tree_read(blob, &t, err) : 0;
    if (code < 0)
        return code;
    symbols_init(&g->dictionary, DICTIONARY_MAX);
    if (!mem_grow(&g->nodes, &g->node_cap, t.node_count + (size_t)1, sizeof *g->nodes))
        return err_set(err, -ENOMEM, "out of memory");
    g->nodes[g->node_count++] = (struct block_node){0};
    bool good = grown_load_dictionary(&g->dictionary, &t), added = true;
    for (uint32_t i = 1; good && added && i < t.node_count; i++)
        good = grown_tree_child(g, t.nodes[i].parent, t.nodes[i].frame, &added) == i;
    return good && added ? 0 : err_set(err, -EBADMSG, "stored tree: something comes twice");
}

uint32_t grown_tree_frame(struct grown_tree *g, const struct symbols *s, uint32_t location)
{
    const struct pprof_location *l = &s->locations[location];
    const struct pprof_function *f = &s->functions[l->function];
    const struct str name = s->strings[f->name], system = s->strings[f->system_name], file = s->strings[f->filename],
                     mapping = s->strings[f->mapping];
    struct symbols *d = &g->dictionary;
    if (!grown_has_room(g, name.n + system.n + file.n + mapping.n))
        return SYMBOLS_FULL;
    const struct pprof_function function = {.name = symbols_string(d, name),
                                            .system_name = symbols_string(d, system),
                                            .filename = symbols_string(d, file),
                                            .mapping = symbols_string(d, mapping),
                                            .start_line = f->start_line};
    const uint32_t n = symbols_function(d, function);
    return n == SYMBOLS_FULL ? n : symbols_location(d, (struct pprof_location){.function = n, .line = l->line});
}

int grown_tree_put(const struct grown_tree *g, const struct grown_size *size, struct gzip_packer *packer,
                   struct buf *out)
{
    const struct symbols *d = &g->dictionary;
    const struct block_tree t = {.strings = d->strings,
                                 .functions = d->functions,
                                 .frames = d->locations,
                                 .nodes = g->nodes,
                                 .string_count = (uint32_t)size->strings,
                                 .function_count = (uint32_t)size->functions,
                                 .frame_count = (uint32_t)size->frames,
                                 .node_count = (uint32_t)size->nodes};
    return block_tree_put(&t, packer, out);
}
