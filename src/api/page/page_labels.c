/* Which labels what is selected has, and which values. None reads a profile. */
#include <errno.h>
#include <stdlib.h>

#include "api/page/page_call.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/map.h"

enum { PAGE_LABELS_MAX = 64 << 20, VALUES_DEFAULT = 1000 };

/* Distinct texts: name NUL value, or values. */
struct label_texts {
    struct page_call *q;
    struct strmap map;
    struct arena arena;
    bool full;
};

static void label_texts_add(struct label_texts *t, struct str text)
{
    if (strmap_has(&t->map, text))
        return;
    const struct str copy = arena_str(&t->arena, text);
    t->full = t->full || !copy.p;
    if (copy.p)
        strmap_put(&t->map, copy, (void *)copy.p);
}

static int label_texts_by_text(const void *a, const void *b)
{
    const struct strmap_entry *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

/* Collects by `visit`, and sorts: afterwards they can only be read in order. To be done() in any case. */
static int label_texts_read(struct label_texts *t, struct page_call *q, struct store_reader *r,
                            void (*visit)(void *arg, const struct store_series *s))
{
    const struct page_side *side = &q->sides[PAGE_SHOWN];
    const struct store_filter filter = {&side->selector, side->range};
    *t = (struct label_texts){.q = q, .arena = ARENA_INIT(PAGE_LABELS_MAX)};
    const int code = store_each_series(r, &filter, visit, t, &q->err);
    if (code == 0 && t->full)
        return err_set(&q->err, -EMSGSIZE, "more than %d MiB of labels: add label matchers", PAGE_LABELS_MAX >> 20);
    if (t->map.used)
        qsort(t->map.entries, t->map.used, sizeof *t->map.entries, label_texts_by_text);
    return code;
}

static void label_texts_done(struct label_texts *t)
{
    strmap_done(&t->map);
    arena_done(&t->arena);
}

/* Names with two underscores in front are those that the store made. */
static void page_labels_visit(void *arg, const struct store_series *series)
{
    struct label_texts *t = arg;
    for (size_t i = 0; i < series->labels->len; i++) {
        const struct label *l = &series->labels->items[i];
        cleanup_buf struct buf key = BUF_INIT(LABELS_KEY_MAX);
        if (str_has_prefix(l->name, STR("__")))
            continue;
        buf_str(&key, l->name);
        buf_byte(&key, '\0');
        buf_str(&key, l->value);
        label_texts_add(t, buf_slice(&key));
    }
}

static void page_labels_put(struct buf *out, struct str name, size_t values)
{
    if (values == 0)
        return;
    buf_puts(out, out->p[out->len - 1] == '[' ? "{\"name\":" : ",{\"name\":");
    json_string(out, name);
    buf_printf(out, ",\"values\":%zu}", values);
}

static int page_labels_run(struct page_call *q, struct store_reader *r)
{
    struct label_texts t;
    struct str last = STR("");
    size_t values = 0;
    const int code = label_texts_read(&t, q, r, page_labels_visit);
    buf_puts(&q->out, "{\"labels\":[");
    for (size_t i = 0; code == 0 && i < t.map.used; i++) {
        struct str rest = t.map.entries[i].key, name = STR("");
        (void)str_split(&rest, '\0', &name);
        if (!str_eq(name, last)) {
            page_labels_put(&q->out, last, values);
            values = 0;
        }
        last = name;
        values++;
    }
    page_labels_put(&q->out, last, values);
    buf_puts(&q->out, "]}");
    label_texts_done(&t);
    return code;
}

const struct page_answer page_labels = {"labels", 0, page_labels_run};

static void page_values_visit(void *arg, const struct store_series *series)
{
    struct label_texts *t = arg;
    const struct str value = label_list_get(series->labels, t->q->name);
    if (value.n && (t->q->search.len == 0 || name_matches(&t->q->search, value)))
        label_texts_add(t, value);
}

static int page_values_run(struct page_call *q, struct store_reader *r)
{
    struct label_texts t;
    const size_t limit = q->limit ? q->limit : VALUES_DEFAULT;
    if (q->name.n == 0)
        return err_set(&q->err, -EINVAL, "name is required");
    const int code = label_texts_read(&t, q, r, page_values_visit);
    buf_puts(&q->out, "{\"name\":");
    json_string(&q->out, q->name);
    buf_printf(&q->out, ",\"count\":%zu,\"values\":[", t.map.used);
    for (size_t i = 0; code == 0 && i < t.map.used && i < limit; i++) {
        buf_puts(&q->out, i ? "," : "");
        json_string(&q->out, t.map.entries[i].key);
    }
    buf_puts(&q->out, "]}");
    label_texts_done(&t);
    return code;
}

const struct page_answer page_values = {"values", 0, page_values_run};
