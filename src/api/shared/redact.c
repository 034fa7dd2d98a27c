#include "api/shared/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"
#include "lang/parser.h"
#include "lang/secrets.h"

/* --- configurations --- */

static void redact_put_range(const struct secrets *s, uint32_t first, uint32_t end, struct buf *out)
{
    unsigned no_column = 0;
    secrets_print(s, first, end, &no_column, &no_column, out);
}

void redact_config(const char *name, struct str text, struct buf *out)
{
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_secrets struct secrets s = {0};
    struct err err = {0};
    if (source_new(name, text, &source, &err) < 0 || parse_file(source, &file, &ds) < 0) {
        buf_puts(out, "// Omitted: syntax errors, secrets cannot be identified.\n");
        return;
    }
    secrets_find(&s, source);
    uint32_t at = 0;
    for (size_t i = 0; i < s.comment_len; i++) {
        redact_put_range(&s, at, s.comments[i].first, out);
        at = s.comments[i].end;
    }
    redact_put_range(&s, at, (uint32_t)source->text.n, out);
}

/* --- values --- */

enum { DEPTH_MAX = 64 };

/* What is known of a value by the names above it. */
struct context {
    bool secret, headers;
};

static struct value *redact_within(struct value *v, struct context in, unsigned depth);

static struct value *redact_text(struct str text)
{
    size_t first, end;
    if (!secret_find(text, 0, &first, &end))
        return value_string(text);
    cleanup_buf struct buf out = BUF_INIT(text.n * 2 + sizeof SECRET_HIDDEN);
    secret_hide(text, &out);
    return value_string(buf_ok(&out) ? buf_slice(&out) : STR(SECRET_HIDDEN));
}

/* Blocks whose names say that there are secrets in them, not that all of it is. */
static bool redact_is_container(struct str name, const struct value *v)
{
    static const char *const names[] = {"basic_auth", "oauth2", "authorization", "auth"};
    if (value_kind(v) != VALUE_OBJECT && value_kind(v) != VALUE_ARRAY)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_is(name, names[i]))
            return true;
    }
    return false;
}

static struct value *redact_object(const struct value *v, struct context in, unsigned depth)
{
    struct value *object = value_object();
    for (size_t i = 0; i < value_len(v); i++) {
        struct value *member;
        const struct str key = value_key(v, i, &member);
        const struct context inner = {
            .secret = in.secret || (in.headers && secret_header(key)) ||
                      (!in.headers && secret_name(key) && !redact_is_container(key, member)),
            .headers = secret_is_headers(key),
        };
        value_object_put(object, key, redact_within(member, inner, depth + 1));
    }
    return object;
}

static struct value *redact_array(const struct value *v, struct context in, unsigned depth)
{
    struct value **items = xcalloc(value_len(v) + 1, sizeof(struct value *));
    for (size_t i = 0; i < value_len(v); i++)
        items[i] = redact_within(value_item(v, i), in, depth + 1);
    struct value *array = value_array(items, value_len(v));
    free(items);
    return array;
}

static struct value *redact_within(struct value *v, struct context in, unsigned depth)
{
    const enum value_kind kind = value_kind(v);
    if (depth > DEPTH_MAX || (in.secret && (kind == VALUE_STRING || kind == VALUE_NUMBER)))
        return value_string(STR(SECRET_HIDDEN));
    if (kind == VALUE_STRING)
        return redact_text(value_as_str(v));
    if (kind == VALUE_OBJECT)
        return redact_object(v, in, depth);
    if (kind == VALUE_ARRAY)
        return redact_array(v, in, depth);
    /* Targets look like objects. */
    const struct capsule_type *type = kind == VALUE_CAPSULE ? value_capsule_type(v) : NULL;
    cleanup_value struct value *object = type && type->to_object ? type->to_object(value_capsule_data(v, type)) : NULL;
    return object && value_kind(object) == VALUE_OBJECT ? redact_object(object, in, depth) : value_ref(v);
}

struct value *redact_value(struct value *v)
{
    return v ? redact_within(v, (struct context){0}, 0) : NULL;
}
