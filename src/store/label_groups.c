#include "store/label_groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GROUP_TEXTS_MAX = 64 << 20, GROUP_PAIRS_MAX = 1 << 18 };

void label_groups_init(struct label_groups *g, const struct str *by, size_t by_count)
{
    *g = (struct label_groups){
        .by = by, .by_count = by_count, .texts = ARENA_INIT(GROUP_TEXTS_MAX), .series = -1, .rest_series = -1};
}

void label_groups_done(struct label_groups *g)
{
    free(g->keys);
    free(g->rests);
    strmap_done(&g->numbers);
    strmap_done(&g->rest_numbers);
    u64map_done(&g->common);
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

/* The number of a text in a list of distinct ones. */
static uint32_t label_groups_number(struct label_groups *g, struct strmap *numbers, struct str **list, size_t *len,
                                    size_t *cap, const struct buf *text)
{
    const struct str key = text->len ? buf_slice(text) : STR("");
    const uintptr_t known = (uintptr_t)strmap_get(numbers, key);
    if (known)
        return (uint32_t)known - 1;
    const struct str copy = arena_str(&g->texts, key);
    g->full = g->full || !copy.p;
    if (!copy.p && *len)
        return 0;
    xgrow(list, cap, *len + 1, sizeof **list);
    (*list)[(*len)++] = copy.p ? copy : STR("");
    strmap_put(numbers, (*list)[*len - 1], (void *)(uintptr_t)*len);
    return (uint32_t)*len - 1;
}

static uint32_t label_groups_rest_number(struct label_groups *g, const struct buf *text)
{
    return label_groups_number(g, &g->rest_numbers, &g->rests, &g->rest_len, &g->rest_cap, text);
}

uint32_t label_group_of(struct label_groups *g, const struct store_series *series)
{
    if (g->series == series->id)
        return g->number;
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    label_groups_put(g, series->labels, true, &key);
    g->series = series->id;
    return g->number = label_groups_number(g, &g->numbers, &g->keys, &g->len, &g->cap, &key);
}

uint32_t label_groups_rest(struct label_groups *g, const struct store_series *series)
{
    if (g->rest_series == series->id)
        return g->rest;
    cleanup_buf struct buf key = BUF_INIT(2 * LABELS_KEY_MAX);
    label_groups_put(g, series->labels, false, &key);
    g->rest_series = series->id;
    return g->rest = label_groups_rest_number(g, &key);
}

/* The next label of a set, with both NUL. */
static struct str label_groups_next(struct str *rest)
{
    const char *value = memchr(rest->p, '\0', rest->n);
    const char *end = value ? memchr(value + 1, '\0', rest->n - (size_t)(value + 1 - rest->p)) : NULL;
    const struct str label = {rest->p, end ? (size_t)(end + 1 - rest->p) : rest->n};
    *rest = (struct str){rest->p + label.n, rest->n - label.n};
    return label;
}

uint32_t label_groups_common(struct label_groups *g, uint32_t a, uint32_t b)
{
    if (a == b)
        return a;
    const uint64_t key = (uint64_t)a << 32 | b;
    uint64_t known;
    if (u64map_get(&g->common, key, &known))
        return (uint32_t)known;
    cleanup_buf struct buf text = BUF_INIT(2 * LABELS_KEY_MAX);
    for (struct str x = g->rests[a]; x.n;) {
        const struct str label = label_groups_next(&x);
        for (struct str y = g->rests[b]; y.n;)
            if (str_eq(label, label_groups_next(&y)))
                buf_str(&text, label);
    }
    const uint32_t number = label_groups_rest_number(g, &text);
    if (g->common.len < GROUP_PAIRS_MAX)
        u64map_put(&g->common, key, number);
    return number;
}
