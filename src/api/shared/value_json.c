#include "api/shared/value_json.h"

#include "base/json.h"
#include "lang/number.h"
#include "lang/schema.h"
#include "lang/value_print.h"

enum { DEPTH_MAX = 64 };

/* JSON has its own way with floats; integers are written as the language does. */
static void value_json_number(const struct value *v, struct buf *out)
{
    if (value_number_kind(v) == NUMBER_FLOAT)
        json_double(out, value_as_float(v));
    else
        number_print(v, out);
}

/* Targets look like objects. New reference, or NULL. */
static struct value *value_json_object_of_capsule(const struct value *v)
{
    const struct capsule_type *type = value_capsule_type(v);
    return type && type->to_object ? type->to_object(value_capsule_data(v, type)) : NULL;
}

/* Secrets print as (secret), so nothing here can leak one. */
static void value_json_printed(const struct value *v, struct buf *out)
{
    cleanup_buf struct buf text = BUF_INIT(1 << 20);
    value_print(v, &text);
    json_string(out, buf_slice(&text));
}

static void value_json_put_plain(const struct value *v, struct buf *out, unsigned depth)
{
    if (!v || depth > DEPTH_MAX) {
        buf_puts(out, "null");
        return;
    }
    switch (value_kind(v)) {
    case VALUE_NULL:
        buf_puts(out, "null");
        break;
    case VALUE_NUMBER:
        value_json_number(v, out);
        break;
    case VALUE_STRING:
        json_string(out, value_as_str(v));
        break;
    case VALUE_BOOL:
        buf_puts(out, value_as_bool(v) ? "true" : "false");
        break;
    case VALUE_ARRAY:
        buf_byte(out, '[');
        for (size_t i = 0; i < value_len(v); i++) {
            buf_puts(out, i ? "," : "");
            value_json_put_plain(value_item(v, i), out, depth + 1);
        }
        buf_byte(out, ']');
        break;
    case VALUE_OBJECT:
        buf_byte(out, '{');
        for (size_t i = 0; i < value_len(v); i++) {
            struct value *m;
            buf_puts(out, i ? "," : "");
            json_string(out, value_key(v, i, &m));
            buf_byte(out, ':');
            value_json_put_plain(m, out, depth + 1);
        }
        buf_byte(out, '}');
        break;
    case VALUE_CAPSULE: {
        cleanup_value struct value *object = value_json_object_of_capsule(v);
        if (object)
            value_json_put_plain(object, out, depth + 1);
        else
            value_json_printed(v, out);
        break;
    }
    case VALUE_FUNCTION:
        value_json_printed(v, out);
        break;
    }
}

void value_json_plain(const struct value *v, struct buf *out)
{
    value_json_put_plain(v, out, 0);
}

static void value_json_put_tagged(const struct value *v, struct buf *out, unsigned depth);

static void value_json_tagged_array(const struct value *v, struct buf *out, unsigned depth)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < value_len(v); i++) {
        buf_puts(out, i ? "," : "");
        value_json_put_tagged(value_item(v, i), out, depth + 1);
    }
    buf_byte(out, ']');
}

static void value_json_tagged_object(const struct value *v, struct buf *out, unsigned depth)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < value_len(v); i++) {
        struct value *m;
        buf_printf(out, "%s{\"key\":", i ? "," : "");
        json_string(out, value_key(v, i, &m));
        buf_puts(out, ",\"value\":");
        value_json_put_tagged(m, out, depth + 1);
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

static void value_json_put_tagged(const struct value *v, struct buf *out, unsigned depth)
{
    enum value_kind kind = v && depth <= DEPTH_MAX ? value_kind(v) : VALUE_NULL;
    cleanup_value struct value *object = kind == VALUE_CAPSULE ? value_json_object_of_capsule(v) : NULL;
    if (object) {
        value_json_put_tagged(object, out, depth + 1);
        return;
    }
    buf_printf(out, "{\"type\":\"%s\",\"value\":", value_kind_name(kind));
    if (kind == VALUE_ARRAY)
        value_json_tagged_array(v, out, depth);
    else if (kind == VALUE_OBJECT)
        value_json_tagged_object(v, out, depth);
    else
        value_json_put_plain(kind == VALUE_NULL ? NULL : v, out, depth);
    buf_byte(out, '}');
}

/* --- statements --- */

/* Of what has no schema. */
static const struct option no_options[] = {{0}};
static const struct schema debug_schema = {.options = no_options};

static bool value_json_is_list_of_objects(const struct value *v)
{
    return value_kind(v) == VALUE_ARRAY && value_len(v) > 0 && value_kind(value_item(v, 0)) == VALUE_OBJECT;
}

/* NULL: an attribute. */
static const struct schema *value_json_block_of(const struct schema *s, struct str name, const struct value *v)
{
    if (s == &debug_schema)
        return value_json_is_list_of_objects(v) ? s : NULL;
    for (const struct option *o = s ? s->options : NULL; o && o->name; o++) {
        if (str_is(name, o->name))
            return o->kind == OPT_BLOCK || o->kind == OPT_BLOCKS ? o->block : NULL;
    }
    return NULL;
}

static void value_json_statement(struct str name, const struct value *v, const struct schema *block, bool *any,
                                 struct buf *out)
{
    buf_printf(out, "%s{\"name\":", *any ? "," : "");
    *any = true;
    json_string(out, name);
    if (block) {
        buf_puts(out, ",\"type\":\"block\",\"body\":");
        value_json_body(v, block, out);
    } else {
        buf_puts(out, ",\"type\":\"attr\",\"value\":");
        value_json_put_tagged(v, out, 0);
    }
    buf_byte(out, '}');
}

void value_json_body(const struct value *object, const struct schema *schema, struct buf *out)
{
    bool any = false;
    buf_byte(out, '[');
    for (size_t i = 0; object && value_kind(object) == VALUE_OBJECT && i < value_len(object); i++) {
        struct value *m;
        const struct str name = value_key(object, i, &m);
        const struct schema *block = value_json_block_of(schema, name, m);
        const bool several = block && value_kind(m) == VALUE_ARRAY;
        for (size_t k = 0; k < (several ? value_len(m) : 1); k++)
            value_json_statement(name, several ? value_item(m, k) : m, block, &any, out);
    }
    buf_byte(out, ']');
}

void value_json_debug(const struct value *object, struct buf *out)
{
    value_json_body(object, &debug_schema, out);
}
