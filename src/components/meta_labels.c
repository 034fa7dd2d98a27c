#include "components/meta_labels.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { META_TEXT_MAX = 64 << 10 };

const struct value *meta_member(const struct value *v, const char *name)
{
    return v && value_kind(v) == VALUE_OBJECT ? value_member(v, str_of(name)) : NULL;
}

const struct value *meta_path(const struct value *v, const char *path)
{
    struct str rest = str_of(path), name;
    while (v && str_split(&rest, '.', &name))
        v = value_kind(v) == VALUE_OBJECT ? value_member(v, name) : NULL;
    return v;
}

struct str meta_text(const struct value *v, const char *path)
{
    const struct value *text = meta_path(v, path);
    return text && value_kind(text) == VALUE_STRING ? value_as_str(text) : STR("");
}

int64_t meta_number(const struct value *v, const char *path)
{
    const struct value *number = meta_path(v, path);
    return number && value_kind(number) == VALUE_NUMBER ? value_as_int(number) : 0;
}

bool meta_flag(const struct value *v, const char *path)
{
    const struct value *flag = meta_path(v, path);
    return flag && value_kind(flag) == VALUE_BOOL && value_as_bool(flag);
}

size_t meta_len(const struct value *v)
{
    return v && (value_kind(v) == VALUE_OBJECT || value_kind(v) == VALUE_ARRAY) ? value_len(v) : 0;
}

size_t meta_items(const struct value *v)
{
    return v && value_kind(v) == VALUE_ARRAY ? value_len(v) : 0;
}

void meta_put(struct labels_builder *b, const char *label, struct str value)
{
    if (value.n)
        labels_set(b, str_of(label), value);
}

void meta_put_number(struct labels_builder *b, const char *label, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    meta_put(b, label, str_of(text));
}

void meta_put_flag(struct labels_builder *b, const char *label, bool value)
{
    meta_put(b, label, value ? STR("true") : STR("false"));
}

void meta_put_map(struct labels_builder *b, const char *prefix, const struct value *map)
{
    for (size_t i = 0; map && value_kind(map) == VALUE_OBJECT && i < value_len(map); i++) {
        struct value *member;
        const struct str key = value_key(map, i, &member);
        if (value_kind(member) != VALUE_STRING)
            continue;
        cleanup_buf struct buf name = BUF_INIT(META_TEXT_MAX);
        buf_puts(&name, prefix);
        for (size_t k = 0; k < key.n; k++)
            buf_byte(&name,
                     isalnum((unsigned char)key.p[k]) && (unsigned char)key.p[k] < 0x80 ? (uint8_t)key.p[k] : '_');
        if (buf_ok(&name))
            meta_put(b, buf_cstr(&name), value_as_str(member));
    }
}

void meta_put_tags(struct labels_builder *b, const char *label, const struct value *tags, const char *separator)
{
    cleanup_buf struct buf text = BUF_INIT(META_TEXT_MAX);
    for (size_t i = 0; tags && value_kind(tags) == VALUE_ARRAY && i < value_len(tags); i++) {
        const struct value *tag = value_item(tags, i);
        if (value_kind(tag) != VALUE_STRING)
            continue;
        buf_puts(&text, separator);
        buf_str(&text, value_as_str(tag));
    }
    if (text.len)
        buf_puts(&text, separator);
    meta_put(b, label, buf_slice(&text));
}

void meta_put_address(struct labels_builder *b, struct str host, int64_t port)
{
    const bool v6 = host.n && memchr(host.p, ':', host.n);
    cleanup_free char *text = xasprintf(v6 ? "[%.*s]:%" PRId64 : "%.*s:%" PRId64, STR_ARG(host), port);
    meta_put(b, "__address__", str_of(text));
}

void meta_put_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c))
            buf_byte(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

void meta_add(struct meta_targets *t, struct labels *target)
{
    xgrow(&t->list.items, &t->cap, t->list.len + 1, sizeof(struct labels *));
    t->list.items[t->list.len++] = target;
}
