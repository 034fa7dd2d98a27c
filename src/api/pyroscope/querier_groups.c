#include "api/pyroscope/querier_groups.h"

#include <stdlib.h>

#include "base/mem.h"

enum { GROUP_TEXTS_MAX = 64 << 20 };

void querier_groups_init(struct querier_groups *g, const struct query_texts *by)
{
    *g = (struct querier_groups){.by = by, .texts = ARENA_INIT(GROUP_TEXTS_MAX), .series = -1};
}

void querier_groups_done(struct querier_groups *g)
{
    free(g->keys);
    strmap_done(&g->numbers);
    arena_done(&g->texts);
}

static bool querier_groups_has(const struct query_texts *names, struct str name)
{
    for (size_t i = 0; i < names->len; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

static void querier_groups_put(const struct querier_groups *g, const struct label_list *labels, bool grouped,
                               struct buf *out)
{
    for (size_t i = 0; i < labels->len; i++) {
        if (querier_groups_has(g->by, labels->items[i].name) != grouped)
            continue;
        buf_str(out, labels->items[i].name);
        buf_byte(out, '\0');
        buf_str(out, labels->items[i].value);
        buf_byte(out, '\0');
    }
}

static uint32_t querier_groups_number(struct querier_groups *g, struct str key)
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

uint32_t querier_group_of(struct querier_groups *g, const struct store_series *series)
{
    if (g->series == series->id)
        return g->number;
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    querier_groups_put(g, series->labels, true, &key);
    g->series = series->id;
    return g->number = querier_groups_number(g, key.len ? buf_slice(&key) : STR(""));
}

struct str querier_groups_rest(struct querier_groups *g, const struct store_series *series)
{
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    querier_groups_put(g, series->labels, false, &key);
    const struct str copy = arena_str(&g->texts, key.len ? buf_slice(&key) : STR(""));
    g->full = g->full || !copy.p;
    return copy.p ? copy : STR("");
}
