#include "cli/top_answer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/json.h"

enum { BAR_NUMBERS = 4 };

const char *const top_sort_names[TOP_SORTS + 1] = {"self", "total", "name", NULL};

/* ---- values ---- */

static int top_parse(struct str json, struct value **ret, struct err *err)
{
    struct err why = {0};
    if (json_read(json, JSON_KEEP_INTEGERS, ret, &why) < 0)
        return err_set(err, -EBADMSG, "the answer is no JSON: %s", why.text);
    return 0;
}

static const struct value *top_member(const struct value *v, const char *name)
{
    return v && value_kind(v) == VALUE_OBJECT ? value_member(v, str_of(name)) : NULL;
}

static size_t top_length(const struct value *v)
{
    return v && value_kind(v) == VALUE_ARRAY ? value_len(v) : 0;
}

static struct str top_text(const struct value *v)
{
    return v && value_kind(v) == VALUE_STRING ? value_as_str(v) : STR("");
}

/* 64-bit integers are texts. */
static double top_number(const struct value *v)
{
    int64_t n;
    double d = 0;
    if (v && value_kind(v) == VALUE_NUMBER)
        d = value_as_float(v);
    else if (v && value_kind(v) == VALUE_STRING && str_to_i64(value_as_str(v), &n))
        d = (double)n;
    return isfinite(d) ? d : 0;
}

/* ---- services ---- */

static void top_service_add_point(struct top_service *s, const struct value *point, int64_t end_ms, int64_t step_ms)
{
    const double before = ((double)end_ms - top_number(top_member(point, "timestamp"))) / (double)step_ms;
    const double value = top_number(top_member(point, "value"));
    s->value += value;
    if (before > -0.5 && before < TOP_TREND - 0.5)
        s->trend[TOP_TREND - 1 - (size_t)(before + 0.5)] += value;
}

static void top_service_read(struct top_service *s, const struct value *series, int64_t end_ms, int64_t step_ms,
                             bool gauge)
{
    const struct value *labels = top_member(series, "labels"), *points = top_member(series, "points");
    for (size_t i = 0; i < top_length(labels); i++) {
        const struct value *label = value_item(labels, i);
        if (!s->name && str_is(top_text(top_member(label, "name")), "service_name"))
            s->name = str_dup(top_text(top_member(label, "value")));
    }
    if (!s->name)
        s->name = xstrdup("");
    for (size_t i = 0; i < top_length(points); i++)
        top_service_add_point(s, value_item(points, i), end_ms, step_ms);
    if (gauge && top_length(points))
        s->value /= (double)top_length(points);
}

static int top_service_order(const void *a, const void *b)
{
    const struct top_service *x = a, *y = b;
    return x->value > y->value ? -1 : x->value < y->value ? 1 : strcmp(x->name, y->name);
}

int top_services_read(struct str json, int64_t end_ms, int64_t step_ms, bool gauge, struct top_services *ret,
                      struct err *err)
{
    cleanup_value struct value *answer = NULL;
    int code = top_parse(json, &answer, err);
    if (code < 0)
        return code;
    const struct value *list = top_member(answer, "series");
    struct top_services s = {.len = top_length(list)};
    s.len = s.len > TOP_ROWS_MAX ? TOP_ROWS_MAX : s.len;
    s.items = xcalloc(s.len + 1, sizeof *s.items);
    for (size_t i = 0; i < s.len; i++) {
        top_service_read(&s.items[i], value_item(list, i), end_ms, step_ms, gauge);
        s.value += s.items[i].value;
    }
    qsort(s.items, s.len, sizeof *s.items, top_service_order);
    *ret = s;
    return 0;
}

void top_services_done(struct top_services *s)
{
    for (size_t i = 0; i < s->len; i++)
        free(s->items[i].name);
    free(s->items);
    *s = (struct top_services){0};
}

/* ---- methods: from a flame graph ---- */

/* A bar of a flame graph; `parent` is an index, of the root its own. */
struct top_bar {
    double from, to;
    size_t name, parent;
};

struct top_bars {
    struct top_bar *items;
    size_t len, cap;
    size_t above, above_end; /* the level above the present one */
};

static bool top_bar_repeats(const struct top_bars *b, size_t bar)
{
    for (size_t at = bar; b->items[at].parent != at;) {
        at = b->items[at].parent;
        if (b->items[at].name == b->items[bar].name && b->items[at].parent != at)
            return true;
    }
    return false;
}

/* Bars of a level are in order, and so are those above them. */
static size_t top_bar_parent(struct top_bars *b, double from)
{
    while (b->above + 1 < b->above_end && b->items[b->above].to <= from)
        b->above++;
    return b->above;
}

static void top_level_read(struct top_bars *b, const struct value *numbers, struct top_methods *m)
{
    const size_t first = b->len;
    double at = 0;
    for (size_t i = 0; i + BAR_NUMBERS <= top_length(numbers) && b->len < TOP_ROWS_MAX; i += BAR_NUMBERS) {
        const double from = at + top_number(value_item(numbers, i)), total = top_number(value_item(numbers, i + 1)),
                     self = top_number(value_item(numbers, i + 2)), name = top_number(value_item(numbers, i + 3));
        at = from + total;
        if (name < 0 || name >= (double)m->len || total < 0)
            continue;
        xgrow(&b->items, &b->cap, b->len + 1, sizeof *b->items);
        const size_t parent = b->above_end ? top_bar_parent(b, from) : b->len;
        b->items[b->len] = (struct top_bar){from, at, (size_t)name, parent};
        if (parent == b->len) {
            m->value = total;
        } else {
            m->items[(size_t)name].self += self;
            m->items[(size_t)name].total += top_bar_repeats(b, b->len) ? 0 : total;
        }
        b->len++;
    }
    b->above = first;
    b->above_end = b->len;
}

static void top_flame_read(const struct value *flame, struct top_methods *m)
{
    const struct value *names = top_member(flame, "names"), *levels = top_member(flame, "levels");
    struct top_bars b = {0};
    m->len = top_length(names);
    m->len = m->len > TOP_ROWS_MAX ? TOP_ROWS_MAX : m->len;
    m->items = xcalloc(m->len + 1, sizeof *m->items);
    for (size_t i = 0; i < m->len; i++)
        m->items[i].name = str_dup(top_text(value_item(names, i)));
    for (size_t i = 0; i < top_length(levels) && (i == 0 || b.above < b.above_end); i++)
        top_level_read(&b, top_member(value_item(levels, i), "values"), m);
    free(b.items);
}

/* ---- methods: as a list ---- */

static void top_functions_read(const struct value *functions, struct top_methods *m)
{
    const struct value *list = top_member(functions, "functions");
    m->len = top_length(list);
    m->len = m->len > TOP_ROWS_MAX ? TOP_ROWS_MAX : m->len;
    m->items = xcalloc(m->len + 1, sizeof *m->items);
    m->value = top_number(top_member(functions, "total"));
    for (size_t i = 0; i < m->len; i++) {
        const struct value *f = value_item(list, i);
        m->items[i] = (struct top_method){str_dup(top_text(top_member(f, "name"))), top_number(top_member(f, "self")),
                                          top_number(top_member(f, "total"))};
    }
}

static void top_methods_drop_empty(struct top_methods *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->len; i++) {
        if (m->items[i].total > 0 || m->items[i].self > 0)
            m->items[kept++] = m->items[i];
        else
            free(m->items[i].name);
    }
    m->len = kept;
}

int top_methods_read(struct str json, struct top_methods *ret, struct err *err)
{
    cleanup_value struct value *answer = NULL;
    struct top_methods m = {0};
    int code = top_parse(json, &answer, err);
    if (code < 0)
        return code;
    const struct value *functions = top_member(answer, "functions");
    if (functions)
        top_functions_read(functions, &m);
    else
        top_flame_read(top_member(answer, "flamegraph"), &m);
    top_methods_drop_empty(&m);
    top_methods_sort(&m, TOP_SELF);
    *ret = m;
    return 0;
}

static int top_compare(double a, double b)
{
    return a > b ? -1 : a < b;
}

static int top_order_self(const void *a, const void *b)
{
    const struct top_method *x = a, *y = b;
    const int by = top_compare(x->self, y->self);
    return by ? by : strcmp(x->name, y->name);
}

static int top_order_total(const void *a, const void *b)
{
    const struct top_method *x = a, *y = b;
    const int by = top_compare(x->total, y->total);
    return by ? by : top_order_self(a, b);
}

static int top_order_name(const void *a, const void *b)
{
    const struct top_method *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void top_methods_sort(struct top_methods *m, enum top_sort by)
{
    static int (*const orders[TOP_SORTS])(const void *a, const void *b) = {top_order_self, top_order_total,
                                                                           top_order_name};
    qsort(m->items, m->len, sizeof *m->items, orders[by]);
}

void top_methods_done(struct top_methods *m)
{
    for (size_t i = 0; i < m->len; i++)
        free(m->items[i].name);
    free(m->items);
    *m = (struct top_methods){0};
}

/* ---- types ---- */

static int top_type_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int top_types_read(struct str json, struct top_types *ret, struct err *err)
{
    cleanup_value struct value *answer = NULL;
    int code = top_parse(json, &answer, err);
    if (code < 0)
        return code;
    const struct value *list = top_member(answer, "profileTypes");
    struct top_types t = {0};
    t.items = xcalloc(top_length(list) + 1, sizeof *t.items);
    for (size_t i = 0; i < top_length(list) && i < TOP_ROWS_MAX; i++) {
        const struct str id = top_text(top_member(value_item(list, i), "ID"));
        if (id.n)
            t.items[t.len++] = str_dup(id);
    }
    qsort(t.items, t.len, sizeof *t.items, top_type_order);
    *ret = t;
    return 0;
}

size_t top_types_find(const struct top_types *t, const char *wanted)
{
    static const char cpu[] = "process_cpu:cpu:";
    const char *prefix = *wanted ? wanted : cpu;
    for (size_t i = 0; i < t->len; i++)
        if (str_has_prefix(str_of(t->items[i]), str_of(prefix)))
            return i;
    return *wanted ? t->len : 0;
}

void top_types_done(struct top_types *t)
{
    for (size_t i = 0; i < t->len; i++)
        free(t->items[i]);
    free(t->items);
    *t = (struct top_types){0};
}

int top_newest_read(struct str json, int64_t *ret_ms, struct err *err)
{
    cleanup_value struct value *answer = NULL;
    const int code = top_parse(json, &answer, err);
    if (code == 0)
        *ret_ms = (int64_t)top_number(top_member(answer, "newestProfileTime"));
    return code;
}
