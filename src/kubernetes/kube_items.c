#include "kubernetes/kube_items.h"

#include <errno.h>
#include <string.h>

void kube_items_init(struct kube_items *s, enum kube_stream stream, kube_item *take, void *arg)
{
    *s = (struct kube_items){.stream = stream, .take = take, .arg = arg, .text = BUF_INIT(KUBE_OBJECT_MAX)};
}

void kube_items_done(struct kube_items *s)
{
    buf_done(&s->text);
}

bool kube_items_complete(const struct kube_items *s)
{
    return s->depth == 0 && !s->in_string;
}

static bool kube_items_key_is(const struct kube_items *s, struct str name)
{
    return s->key_len == name.n && memcmp(s->key, name.p, name.n) == 0;
}

static bool kube_items_is_key_place(const struct kube_items *s)
{
    return s->stream == KUBE_LIST && s->depth == 1;
}

/* A character of a string. */
static void kube_items_in_string(struct kube_items *s, char c)
{
    if (s->escaped) {
        s->escaped = false;
    } else if (c == '\\') {
        s->escaped = true;
    } else if (c == '"') {
        s->in_string = false;
        return;
    }
    if (kube_items_is_key_place(s)) {
        if (s->key_len < sizeof s->key)
            s->key[s->key_len] = c;
        s->key_len++; /* a longer one is none that is looked for */
    }
}

static bool kube_items_begins_object(const struct kube_items *s, char c)
{
    if (s->in_object || c != '{')
        return false;
    if (s->stream == KUBE_WATCH)
        return s->depth == 0;
    return (s->depth == 2 && s->in_items) || (s->depth == 1 && kube_items_key_is(s, STR("metadata")));
}

static void kube_items_pass(struct kube_items *s)
{
    const bool is_metadata = s->stream == KUBE_LIST && s->object_depth == 1;
    s->in_object = false;
    if (buf_ok(&s->text))
        s->take(s->arg, is_metadata ? KUBE_METADATA : KUBE_ITEM, buf_slice(&s->text));
    else
        s->oversized++;
    if (s->text.cap > 64u << 10 || !buf_ok(&s->text)) {
        buf_done(&s->text); /* a rare one: its memory is not kept for the next */
        s->text = BUF_INIT(KUBE_OBJECT_MAX);
    } else {
        buf_reset(&s->text);
    }
}

static int kube_items_open(struct kube_items *s, char c)
{
    if (s->depth == KUBE_DEPTH_MAX)
        return -EINVAL;
    if (kube_items_is_key_place(s) && c == '[')
        s->in_items = kube_items_key_is(s, STR("items"));
    s->depth++;
    return 0;
}

/* Whether the object that is held ends here. */
static int kube_items_close(struct kube_items *s, bool *ret_ends)
{
    if (s->depth == 0)
        return -EINVAL;
    s->depth--;
    s->in_items = s->in_items && s->depth > 1;
    *ret_ends = s->in_object && s->depth == s->object_depth;
    return 0;
}

int kube_items_feed(struct kube_items *s, struct str bytes)
{
    size_t from = 0; /* where the part of the object in these bytes begins */
    for (size_t i = 0; i < bytes.n; i++) {
        const char c = bytes.p[i];
        bool ends = false;
        int code = 0;
        if (s->in_string) {
            kube_items_in_string(s, c);
        } else if (c == '"') {
            s->in_string = true;
            if (kube_items_is_key_place(s))
                s->key_len = 0;
        } else if (c == '{' || c == '[') {
            if (kube_items_begins_object(s, c)) {
                s->in_object = true;
                s->object_depth = s->depth;
                from = i;
            }
            code = kube_items_open(s, c);
        } else if (c == '}' || c == ']') {
            code = kube_items_close(s, &ends);
        }
        if (code < 0)
            return code;
        if (ends) {
            buf_append(&s->text, bytes.p + from, i + 1 - from);
            kube_items_pass(s);
        }
    }
    if (s->in_object)
        buf_append(&s->text, bytes.p + from, bytes.n - from);
    return 0;
}
