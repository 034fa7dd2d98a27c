#include "store/label_groups.h"

#include <stdlib.h>

#include "base/mem.h"

enum { GROUP_TEXTS_MAX = 64 << 20 };

void label_groups_init(struct label_groups *g, const struct str *by, size_t by_count)
{
    *g = (struct label_groups){.by = by, .by_count = by_count, .texts = ARENA_INIT(GROUP_TEXTS_MAX), .series = -1};
}

void label_groups_done(struct label_groups *g)
{
    free(g->keys);
    strmap_done(&g->numbers);
    arena_done(&g->texts);
}

static bool label_groups_has(const struct label_groups *g, struct str name)
{
    for (size_t i = 0; i < g->by_count; i++)
        if (str_eq(g->by[i], name))
            return true;
    return false;
}

static void label_groups_put(const struct label_groups *g, const struct label_list *labels, bool grouped,
                             struct buf *out)
{
    for (size_t i = 0; i < labels->len; i++) {
        if (label_groups_has(g, labels->items[i].name) != grouped)
            continue;
        buf_str(out, labels->items[i].name);
        buf_byte(out, '\0');
        buf_str(out, labels->items[i].value);
        buf_byte(out, '\0');
    }
}

static uint32_t label_groups_number(struct label_groups *g, struct str key)
{
    const uintptr_t known = (uintptr_t)strmap_get(&g->numbers, key);
    if (known)
        return (uint32_t)known - 1;
    const struct str copy = arena_str(&g->texts, key);
    g->full = g->full || !copy.p;
    if (!copy.p && g->len)
        return 0;
    xgrow(&g->keys, &g->cap, g->len + 1, sizeof *g->keys);
    g->keys[g->len++] = copy.p ? copy : STR("");
    strmap_put(&g->numbers, g->keys[g->len - 1], (void *)(uintptr_t)g->len);
    return (uint32_t)g->len - 1;
}

uint32_t label_group_of(struct label_groups *g, const struct store_series *series)
{
    if (g->series == series->id)
        return g->number;
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    label_groups_put(g, series->labels, true, &key);
    g->series = series->id;
    return g->number = label_groups_number(g, key.len ? buf_slice(&key) : STR(""));
}

struct str label_groups_rest(struct label_groups *g, const struct store_series *series)
{
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    label_groups_put(g, series->labels, false, &key);
    const struct str copy = arena_str(&g->texts, key.len ? buf_slice(&key) : STR(""));
    g->full = g->full || !copy.p;
    return copy.p ? copy : STR("");
}
