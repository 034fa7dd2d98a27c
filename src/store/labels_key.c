#include "store/labels_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int labels_key_by_name(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

void label_list_print(const struct label *labels, size_t n, struct buf *out)
{
    buf_byte(out, '{');
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%.*s=\"%.*s\"", i ? ", " : "", STR_ARG(labels[i].name), STR_ARG(labels[i].value));
    buf_byte(out, '}');
}

static int labels_key_refuse(const struct label *labels, size_t n, const char *why, struct str what, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(LABELS_KEY_MAX);
    label_list_print(labels, n < STORE_LABELS_MAX ? n : STORE_LABELS_MAX, &text);
    return err_set(err, -EINVAL, "invalid labels '%.300s' with error: %s%.*s", buf_cstr(&text), why, STR_ARG(what));
}

static bool labels_key_is_text(struct str s, size_t max)
{
    return s.n <= max && (s.n == 0 || !memchr(s.p, '\0', s.n)) && str_is_utf8(s);
}

int label_list_of(struct label_list *out, const struct label *labels, size_t n, struct err *err)
{
    struct label_list ls = {0};
    if (n > STORE_LABELS_MAX)
        return err_set(err, -EINVAL, "profile series has %zu label names; limit %d", n, STORE_LABELS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct label l = labels[i];
        if (l.name.n == 0 || !labels_key_is_text(l.name, LABEL_NAME_MAX))
            return labels_key_refuse(labels, n, "invalid label name", STR(""), err);
        if (!labels_key_is_text(l.value, LABEL_VALUE_MAX))
            return labels_key_refuse(labels, n, "invalid or too long value of label ", l.name, err);
        if (!str_is(l.name, "__session_id__") && !str_is(l.name, "__delta__") && !str_is(l.name, "__profile_type__"))
            ls.items[ls.len++] = l;
    }
    qsort(ls.items, ls.len, sizeof *ls.items, labels_key_by_name);
    for (size_t i = 1; i < ls.len; i++)
        if (str_eq(ls.items[i - 1].name, ls.items[i].name))
            return labels_key_refuse(labels, n, "duplicate label name: ", ls.items[i].name, err);
    struct str name = label_list_get(&ls, STR("__name__"));
    if (name.n == 0 || memchr(name.p, ':', name.n))
        return labels_key_refuse(labels, n, "invalid metric name", STR(""), err);
    if (label_list_get(&ls, STR("service_name")).n == 0)
        (void)label_list_add(&ls, STR("service_name"), STR("unknown_service"));
    *out = ls;
    return 0;
}

struct str label_list_get(const struct label_list *ls, struct str name)
{
    for (size_t i = 0; i < ls->len; i++)
        if (str_eq(ls->items[i].name, name))
            return ls->items[i].value;
    return STR("");
}

bool label_list_add(struct label_list *ls, struct str name, struct str value)
{
    size_t at = 0;
    while (at < ls->len && str_cmp(ls->items[at].name, name) < 0)
        at++;
    if (at < ls->len && str_eq(ls->items[at].name, name)) {
        if (ls->items[at].value.n == 0)
            ls->items[at].value = value;
        return true;
    }
    if (ls->len == ARRAY_LEN(ls->items))
        return false;
    memmove(&ls->items[at + 1], &ls->items[at], (ls->len - at) * sizeof *ls->items);
    ls->items[at] = (struct label){name, value};
    ls->len++;
    return true;
}

void label_list_key(const struct label_list *ls, struct buf *out)
{
    for (size_t i = 0; i < ls->len; i++) {
        buf_str(out, ls->items[i].name);
        buf_byte(out, '\0');
        buf_str(out, ls->items[i].value);
        buf_byte(out, '\0');
    }
}

void profile_type_split(struct str type, struct str parts[static TYPE_PARTS])
{
    for (size_t i = 0; i < TYPE_PARTS; i++)
        if (!str_split(&type, ':', &parts[i]))
            parts[i] = STR("");
}

static void labels_key_derive(struct label_list *out, struct str name, struct str value)
{
    if (value.n)
        (void)label_list_add(out, name, value);
}

void labels_key_expand(struct str key, struct label_list *out)
{
    struct str name, value, parts[TYPE_PARTS];
    out->len = 0;
    while (out->len < ARRAY_LEN(out->items) && str_split(&key, '\0', &name) && str_split(&key, '\0', &value))
        out->items[out->len++] = (struct label){name, value};
    profile_type_split(label_list_get(out, STR("__profile_type__")), parts);
    labels_key_derive(out, STR("__service_name__"), label_list_get(out, STR("service_name")));
    labels_key_derive(out, STR("__type__"), parts[TYPE_SAMPLE]);
    labels_key_derive(out, STR("__unit__"), parts[TYPE_UNIT]);
    labels_key_derive(out, STR("__period_type__"), parts[TYPE_PERIOD]);
    labels_key_derive(out, STR("__period_unit__"), parts[TYPE_PERIOD_UNIT]);
}

bool label_may_split(struct str key, struct str value)
{
    return value.n && key.n && !str_is(key, "span_id") && !str_is(key, "profile_id") && !str_is(key, "trace_id") &&
           labels_key_is_text(key, LABEL_NAME_MAX) && labels_key_is_text(value, LABEL_VALUE_MAX);
}

bool label_splits(const struct symbols *symbols, const struct pprof_label *label)
{
    return label_may_split(symbols->strings[label->key], symbols->strings[label->str]);
}
