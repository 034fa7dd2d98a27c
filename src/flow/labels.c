#include "flow/labels.h"

#include <stdlib.h>

#include "base/mem.h"

/* One block of memory: this head, the items, then all texts. */
struct labels {
    unsigned refs;
    size_t len;
    struct label items[];
};

/* Room for a text and its NUL. */
static size_t text_size(struct str s)
{
    return s.n + 1;
}

static struct str text_put(char **at, struct str s)
{
    char *p = *at;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    *at += text_size(s);
    return (struct str){p, s.n};
}

size_t labels_len(const struct labels *ls)
{
    return ls ? ls->len : 0;
}

const struct label *labels_at(const struct labels *ls, size_t i)
{
    return &ls->items[i];
}

static const struct label *labels_find(const struct labels *ls, struct str name)
{
    size_t lo = 0, hi = labels_len(ls);
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        const int order = str_cmp(ls->items[mid].name, name);
        if (order == 0)
            return &ls->items[mid];
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

struct str labels_get(const struct labels *ls, struct str name)
{
    const struct label *l = labels_find(ls, name);
    return l ? l->value : STR("");
}

bool labels_has(const struct labels *ls, struct str name)
{
    return labels_find(ls, name) != NULL;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
    if (a == b)
        return true;
    if (labels_len(a) != labels_len(b))
        return false;
    for (size_t i = 0; i < labels_len(a); i++) {
        if (!str_eq(a->items[i].name, b->items[i].name) || !str_eq(a->items[i].value, b->items[i].value))
            return false;
    }
    return true;
}

uint64_t labels_hash(const struct labels *ls)
{
    /* Multiplying between the parts makes the order, and which part is the name, matter. */
    const uint64_t prime = UINT64_C(0x100000001b3);
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < labels_len(ls); i++) {
        h = (h ^ str_hash(ls->items[i].name)) * prime;
        h = (h ^ str_hash(ls->items[i].value)) * prime;
    }
    return h;
}

static void labels_print_quoted(struct str s, struct buf *out)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        const uint8_t c = (uint8_t)s.p[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_byte(out, c);
    }
    buf_byte(out, '"');
}

void labels_print(const struct labels *ls, struct buf *out)
{
    buf_byte(out, '{');
    for (size_t i = 0; i < labels_len(ls); i++) {
        if (i > 0)
            buf_puts(out, ", ");
        buf_str(out, ls->items[i].name);
        buf_byte(out, '=');
        labels_print_quoted(ls->items[i].value, out);
    }
    buf_byte(out, '}');
}

struct labels *labels_ref(const struct labels *ls)
{
    /* Const says that the content is shared and fixed; the count is not content. */
    struct labels *counted = (struct labels *)ls;
    if (counted)
        counted->refs++;
    return counted;
}

void labels_unref(const struct labels *ls)
{
    struct labels *counted = (struct labels *)ls;
    if (counted && --counted->refs == 0)
        free(counted);
}

/* --- building --- */

/* An item either borrows from the set the builder started from, or owns one allocation that starts at its name. */
static bool is_borrowed(const struct labels_builder *b, const struct label *l)
{
    const struct labels *base = b->base;
    if (!base || base->len == 0)
        return false;
    const struct str end = base->items[base->len - 1].value;
    return l->name.p >= (const char *)base && l->name.p <= end.p + end.n;
}

static void item_done(const struct labels_builder *b, const struct label *l)
{
    if (!is_borrowed(b, l))
        free((char *)l->name.p);
}

/* Where the first item of this name or a later one is. */
static size_t builder_place(const struct labels_builder *b, struct str name)
{
    size_t lo = 0, hi = b->len;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (str_cmp(b->items[mid].name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct label *builder_find(const struct labels_builder *b, struct str name)
{
    const size_t at = builder_place(b, name);
    return at < b->len && str_eq(b->items[at].name, name) ? &b->items[at] : NULL;
}

void labels_builder_from(struct labels_builder *b, const struct labels *ls)
{
    struct labels *base = labels_ref(ls);
    for (size_t i = 0; i < b->len; i++)
        item_done(b, &b->items[i]);
    labels_unref(b->base);
    b->base = base;
    b->changed = false;
    b->len = labels_len(base);
    if (b->len == 0)
        return;
    xgrow(&b->items, &b->cap, b->len, sizeof *b->items);
    memcpy(b->items, base->items, b->len * sizeof *b->items);
}

void labels_set(struct labels_builder *b, struct str name, struct str value)
{
    const size_t place = builder_place(b, name);
    struct label *old = place < b->len && str_eq(b->items[place].name, name) ? &b->items[place] : NULL;
    if (old && str_eq(old->value, value))
        return;
    /* Copied first: `value` may lie inside the item that goes. */
    char *at = xmalloc(text_size(name) + text_size(value));
    struct label fresh;
    fresh.name = text_put(&at, name);
    fresh.value = text_put(&at, value);
    b->changed = true;
    if (old) {
        item_done(b, old);
        *old = fresh;
        return;
    }
    xgrow(&b->items, &b->cap, b->len + 1, sizeof *b->items);
    memmove(&b->items[place + 1], &b->items[place], (b->len++ - place) * sizeof *b->items);
    b->items[place] = fresh;
}

void labels_del(struct labels_builder *b, struct str name)
{
    struct label *l = builder_find(b, name);
    if (!l)
        return;
    item_done(b, l);
    memmove(l, l + 1, (size_t)(&b->items[--b->len] - l) * sizeof *l);
    b->changed = true;
}

struct str labels_builder_get(const struct labels_builder *b, struct str name)
{
    const struct label *l = builder_find(b, name);
    return l ? l->value : STR("");
}

static void drop_empty_values(struct labels_builder *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->len; i++) {
        if (b->items[i].value.n > 0) {
            b->items[kept++] = b->items[i];
        } else {
            item_done(b, &b->items[i]);
            b->changed = true;
        }
    }
    b->len = kept;
}

struct labels *labels_build(struct labels_builder *b, bool drop_empty)
{
    if (drop_empty)
        drop_empty_values(b);
    struct labels *ls;
    if (b->base && !b->changed) {
        ls = labels_ref(b->base);
    } else {
        size_t size = sizeof *ls + b->len * sizeof *b->items;
        for (size_t i = 0; i < b->len; i++)
            size += text_size(b->items[i].name) + text_size(b->items[i].value);
        ls = xmalloc(size);
        ls->refs = 1;
        ls->len = b->len;
        char *at = (char *)&ls->items[b->len];
        for (size_t i = 0; i < b->len; i++) {
            ls->items[i].name = text_put(&at, b->items[i].name);
            ls->items[i].value = text_put(&at, b->items[i].value);
        }
    }
    /* The item array stays for the next set: relabelling builds thousands in a row. */
    for (size_t i = 0; i < b->len; i++)
        item_done(b, &b->items[i]);
    b->len = 0;
    labels_unref(b->base);
    b->base = NULL;
    b->changed = false;
    return ls;
}

void labels_builder_done(struct labels_builder *b)
{
    for (size_t i = 0; i < b->len; i++)
        item_done(b, &b->items[i]);
    labels_unref(b->base);
    free(b->items);
    *b = LABELS_BUILDER_INIT;
}
