#include "kubernetes/kube_object.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define META "__meta_kubernetes_"

/* --- access --- */

bool kube_has_str(const json_t *o, const char *key, struct str *ret)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_string(v))
        return false;
    *ret = (struct str){json_string_value(v), json_string_length(v)};
    return true;
}

struct str kube_str(const json_t *o, const char *key)
{
    struct str s = STR("");
    (void)kube_has_str(o, key, &s);
    return s;
}

bool kube_has_int(const json_t *o, const char *key, int64_t *ret)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v))
        return false;
    *ret = json_integer_value(v);
    return true;
}

bool kube_has_bool(const json_t *o, const char *key, bool *ret)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_boolean(v))
        return false;
    *ret = json_is_true(v);
    return true;
}

json_t *kube_get(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);
    return json_is_object(v) || json_is_array(v) ? v : NULL;
}

/* --- labels --- */

void kube_put(struct labels_builder *b, const char *name, struct str value)
{
    char full[128];
    const int n = snprintf(full, sizeof full, META "%s", name);
    labels_set(b, (struct str){full, (size_t)n}, value);
}

void kube_put_int(struct labels_builder *b, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    kube_put(b, name, str_of(text));
}

void kube_put_bool(struct labels_builder *b, const char *name, bool value)
{
    kube_put(b, name, value ? STR("true") : STR("false"));
}

void kube_put_str(struct labels_builder *b, const char *name, const json_t *o, const char *key)
{
    struct str value;
    if (kube_has_str(o, key, &value))
        kube_put(b, name, value);
}

static bool kube_is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A character beyond ASCII is one `_`, as in the reference. */
static void kube_sanitize(struct str key, struct buf *out)
{
    for (size_t i = 0; i < key.n; i++) {
        const unsigned char c = (unsigned char)key.p[i];
        if (kube_is_word(c))
            buf_byte(out, c);
        else if ((c & 0xc0) != 0x80)
            buf_byte(out, '_');
    }
}

void kube_put_key(struct labels_builder *b, const char *prefix, struct str key, struct str value)
{
    cleanup_buf struct buf name = BUF_INIT(64 + strlen(prefix) + key.n);
    buf_puts(&name, META);
    buf_puts(&name, prefix);
    kube_sanitize(key, &name);
    labels_set(b, buf_slice(&name), value);
}

static void kube_put_map(struct labels_builder *b, const char *role, const char *what, json_t *map)
{
    char prefix[64], present[64];
    snprintf(prefix, sizeof prefix, "%s_%s_", role, what);
    snprintf(present, sizeof present, "%s_%spresent_", role, what);
    const char *key;
    json_t *v;
    json_object_foreach(map, key, v)
    {
        const struct str value = {json_string_value(v), json_string_length(v)};
        kube_put_key(b, prefix, str_of(key), value.p ? value : STR(""));
        kube_put_key(b, present, str_of(key), STR("true"));
    }
}

void kube_put_metadata(struct labels_builder *b, const char *role, const json_t *object)
{
    const json_t *metadata = kube_get(object, "metadata");
    kube_put_map(b, role, "label", kube_get(metadata, "labels"));
    kube_put_map(b, role, "annotation", kube_get(metadata, "annotations"));
}

void kube_put_address(struct labels_builder *b, struct str host, int64_t port)
{
    const bool is_ipv6 = host.n && memchr(host.p, ':', host.n);
    cleanup_free char *address = port < 0  ? str_dup(host)
                                 : is_ipv6 ? xasprintf("[%.*s]:%" PRId64, STR_ARG(host), port)
                                           : xasprintf("%.*s:%" PRId64, STR_ARG(host), port);
    labels_set(b, STR("__address__"), str_of(address));
}

/* --- targets --- */

void kube_targets_add(struct kube_targets *t, struct labels_builder *b)
{
    xgrow(&t->items, &t->cap, t->len + 1, sizeof *t->items);
    t->items[t->len++] = labels_build(b, false);
}

void kube_targets_done(struct kube_targets *t)
{
    for (size_t i = 0; i < t->len; i++)
        labels_unref(t->items[i]);
    free(t->items);
    *t = (struct kube_targets){0};
}
