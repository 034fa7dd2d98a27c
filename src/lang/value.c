#include "lang/value.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"
#include "lang/quote.h"

struct object_member {
    struct str key; /* owned */
    struct value *value;
};

struct object {
    struct object_member *members;
    size_t len, cap;
    struct strmap index; /* key -> position + 1; only from INDEX_FROM members on */
};

enum { INDEX_FROM = 12 };

struct value {
    unsigned refs; /* 0: static, lives for ever */
    uint8_t kind, number;
    uint16_t depth;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
        struct str s; /* the bytes follow the value */
        struct {
            struct value **items;
            size_t len;
        } array;
        struct object *object; /* owned */
        const struct function_def *function;
        struct {
            const struct capsule_type *type;
            void *data;
        } capsule;
    };
};

static const char *const kind_names[] = {
    [VALUE_NULL] = "null",   [VALUE_NUMBER] = "number", [VALUE_STRING] = "string",     [VALUE_BOOL] = "bool",
    [VALUE_ARRAY] = "array", [VALUE_OBJECT] = "object", [VALUE_FUNCTION] = "function", [VALUE_CAPSULE] = "capsule",
};

static struct value *new_value(enum value_kind kind, size_t extra)
{
    struct value *v = xcalloc(1, sizeof *v + extra);
    v->refs = 1;
    v->kind = (uint8_t)kind;
    return v;
}

static void must_be(const struct value *v, enum value_kind kind)
{
    if (v->kind != kind) {
        fprintf(stderr, "a %s value was used as a %s\n", kind_names[v->kind], kind_names[kind]);
        abort();
    }
}

struct value *value_null(void)
{
    static struct value null = {.kind = VALUE_NULL};
    return &null;
}

struct value *value_bool(bool b)
{
    static struct value values[] = {{.kind = VALUE_BOOL, .b = false}, {.kind = VALUE_BOOL, .b = true}};
    return &values[b];
}

struct value *value_int(int64_t i)
{
    struct value *v = new_value(VALUE_NUMBER, 0);
    v->number = NUMBER_INT;
    v->i = i;
    return v;
}

struct value *value_uint(uint64_t u)
{
    struct value *v = new_value(VALUE_NUMBER, 0);
    v->number = NUMBER_UINT;
    v->u = u;
    return v;
}

struct value *value_float(double d)
{
    struct value *v = new_value(VALUE_NUMBER, 0);
    v->number = NUMBER_FLOAT;
    v->d = d;
    return v;
}

struct value *value_string(struct str s)
{
    struct value *v = new_value(VALUE_STRING, s.n + 1);
    char *text = (char *)(v + 1);
    if (s.n)
        memcpy(text, s.p, s.n);
    v->s = (struct str){text, s.n};
    return v;
}

struct value *value_function_of(const struct function_def *def)
{
    struct value *v = new_value(VALUE_FUNCTION, 0);
    v->function = def;
    return v;
}

struct value *value_capsule(const struct capsule_type *type, void *data)
{
    struct value *v = new_value(VALUE_CAPSULE, 0);
    v->capsule.type = type;
    v->capsule.data = data;
    return v;
}

static void value_deepen(struct value *container, const struct value *part)
{
    unsigned depth = part->depth + 1u;
    if (depth > container->depth)
        container->depth = (uint16_t)(depth > UINT16_MAX ? UINT16_MAX : depth);
}

struct value *value_array(struct value *const *items, size_t n)
{
    struct value *v = new_value(VALUE_ARRAY, 0);
    v->depth = 1;
    v->array.items = n ? xcalloc(n, sizeof *items) : NULL;
    v->array.len = n;
    for (size_t i = 0; i < n; i++) {
        v->array.items[i] = items[i];
        value_deepen(v, items[i]);
    }
    return v;
}

struct value *value_object(void)
{
    struct value *v = new_value(VALUE_OBJECT, 0);
    v->depth = 1;
    v->object = xcalloc(1, sizeof *v->object);
    return v;
}

static struct object_member *value_find(const struct object *o, struct str key)
{
    if (o->len >= INDEX_FROM) {
        uintptr_t at = (uintptr_t)strmap_get(&o->index, key);
        return at ? &o->members[at - 1] : NULL;
    }
    for (size_t i = 0; i < o->len; i++)
        if (str_eq(o->members[i].key, key))
            return &o->members[i];
    return NULL;
}

void value_object_put(struct value *object, struct str key, struct value *member)
{
    must_be(object, VALUE_OBJECT);
    struct object *o = object->object;
    value_deepen(object, member);
    struct object_member *m = value_find(o, key);
    if (m) {
        value_unref(m->value);
        m->value = member;
        return;
    }
    xgrow(&o->members, &o->cap, o->len + 1, sizeof *o->members);
    o->members[o->len++] = (struct object_member){{str_dup(key), key.n}, member};
    if (o->len < INDEX_FROM)
        return;
    for (size_t i = o->len == INDEX_FROM ? 0 : o->len - 1; i < o->len; i++)
        strmap_put(&o->index, o->members[i].key, (void *)(uintptr_t)(i + 1));
}

struct value *value_ref(struct value *v)
{
    v->refs += v->refs != 0;
    return v;
}

static void free_value(struct value *v)
{
    switch (v->kind) {
    case VALUE_ARRAY:
        for (size_t i = 0; i < v->array.len; i++)
            value_unref(v->array.items[i]);
        free(v->array.items);
        break;
    case VALUE_OBJECT:
        for (size_t i = 0; i < v->object->len; i++) {
            free((char *)v->object->members[i].key.p);
            value_unref(v->object->members[i].value);
        }
        free(v->object->members);
        strmap_done(&v->object->index);
        free(v->object);
        break;
    case VALUE_CAPSULE:
        if (v->capsule.type->free)
            v->capsule.type->free(v->capsule.data);
        break;
    default:
        break;
    }
    free(v);
}

void value_unref(struct value *v)
{
    if (v && v->refs && --v->refs == 0)
        free_value(v);
}

enum value_kind value_kind(const struct value *v)
{
    return v->kind;
}

const char *value_kind_name(enum value_kind k)
{
    return kind_names[k];
}

bool value_as_bool(const struct value *v)
{
    must_be(v, VALUE_BOOL);
    return v->b;
}

enum number_kind value_number_kind(const struct value *v)
{
    must_be(v, VALUE_NUMBER);
    return v->number;
}

/* As Go on amd64 does it: what does not fit becomes INT64_MIN. In C it would be undefined. */
static int64_t int_of_double(double d)
{
    return d >= -0x1p63 && d < 0x1p63 ? (int64_t)d : INT64_MIN;
}

int64_t value_as_int(const struct value *v)
{
    must_be(v, VALUE_NUMBER);
    return v->number == NUMBER_FLOAT ? int_of_double(v->d) : v->i;
}

uint64_t value_as_uint(const struct value *v)
{
    must_be(v, VALUE_NUMBER);
    if (v->number != NUMBER_FLOAT)
        return v->u;
    return v->d >= 0x1p63 && v->d < 0x1p64 ? (uint64_t)v->d : (uint64_t)int_of_double(v->d);
}

double value_as_float(const struct value *v)
{
    must_be(v, VALUE_NUMBER);
    return v->number == NUMBER_FLOAT ? v->d : v->number == NUMBER_INT ? (double)v->i : (double)v->u;
}

struct str value_as_str(const struct value *v)
{
    must_be(v, VALUE_STRING);
    return v->s;
}

size_t value_len(const struct value *v)
{
    if (v->kind == VALUE_ARRAY)
        return v->array.len;
    must_be(v, VALUE_OBJECT);
    return v->object->len;
}

struct value *value_item(const struct value *v, size_t i)
{
    must_be(v, VALUE_ARRAY);
    if (i >= v->array.len)
        abort();
    return v->array.items[i];
}

struct value *value_member(const struct value *v, struct str key)
{
    must_be(v, VALUE_OBJECT);
    struct object_member *m = value_find(v->object, key);
    return m ? m->value : NULL;
}

struct str value_key(const struct value *v, size_t i, struct value **member)
{
    must_be(v, VALUE_OBJECT);
    if (i >= v->object->len)
        abort();
    if (member)
        *member = v->object->members[i].value;
    return v->object->members[i].key;
}

const struct capsule_type *value_capsule_type(const struct value *v)
{
    must_be(v, VALUE_CAPSULE);
    return v->capsule.type;
}

void *value_capsule_data(const struct value *v, const struct capsule_type *type)
{
    return v->kind == VALUE_CAPSULE && v->capsule.type == type ? v->capsule.data : NULL;
}

const struct function_def *value_function_def(const struct value *v)
{
    must_be(v, VALUE_FUNCTION);
    return v->function;
}

unsigned value_depth(const struct value *v)
{
    return v->depth;
}

static bool numbers_equal(const struct value *a, const struct value *b)
{
    if (a->number == NUMBER_FLOAT || b->number == NUMBER_FLOAT)
        return value_as_float(a) == value_as_float(b);
    return a->u == b->u; /* int and uint share their bits; the common type is int */
}

static bool capsules_equal(const struct value *a, const struct value *b)
{
    const struct capsule_type *type = a->capsule.type;
    if (type != b->capsule.type)
        return false;
    if (a->capsule.data == b->capsule.data)
        return true;
    return type->equal && a->capsule.data && b->capsule.data && type->equal(a->capsule.data, b->capsule.data);
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    /* What an export has in common with its predecessor need not be looked at; a number may still be no number. */
    if (a == b && a->kind != VALUE_NUMBER && a->kind != VALUE_FUNCTION)
        return true;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_NUMBER:
        return numbers_equal(a, b);
    case VALUE_STRING:
        return str_eq(a->s, b->s);
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_ARRAY:
        if (a->array.len != b->array.len)
            return false;
        for (size_t i = 0; i < a->array.len; i++)
            if (!value_equal(a->array.items[i], b->array.items[i]))
                return false;
        return true;
    case VALUE_OBJECT:
        if (a->object->len != b->object->len)
            return false;
        for (size_t i = 0; i < a->object->len; i++) {
            struct object_member *other = value_find(b->object, a->object->members[i].key);
            if (!other || !value_equal(a->object->members[i].value, other->value))
                return false;
        }
        return true;
    case VALUE_CAPSULE:
        return capsules_equal(a, b);
    default:
        return false;
    }
}

struct secret {
    bool hidden;
    size_t len;
    char text[];
};

/* Not left behind in freed memory. */
static void value_free_secret(void *data)
{
    struct secret *s = data;
    explicit_bzero(s->text, s->len);
    free(s);
}

static bool secrets_equal(const void *a, const void *b)
{
    const struct secret *x = a, *y = b;
    return x->hidden == y->hidden && x->len == y->len && memcmp(x->text, y->text, x->len) == 0;
}

static void print_secret(const void *data, struct buf *out)
{
    const struct secret *s = data;
    if (s->hidden)
        buf_puts(out, "(secret)");
    else
        quote_print((struct str){s->text, s->len}, out);
}

static const struct capsule_type secret_type = {
    .name = "alloytypes.Secret", .free = value_free_secret, .equal = secrets_equal, .text = print_secret};
static const struct capsule_type optional_secret_type = {
    .name = "alloytypes.OptionalSecret", .free = value_free_secret, .equal = secrets_equal, .text = print_secret};

static struct value *new_secret(const struct capsule_type *type, struct str text, bool hidden)
{
    struct secret *s = xcalloc(1, sizeof *s + text.n + 1);
    s->hidden = hidden;
    s->len = text.n;
    if (text.n)
        memcpy(s->text, text.p, text.n);
    return value_capsule(type, s);
}

struct value *value_secret(struct str s)
{
    return new_secret(&secret_type, s, true);
}

struct value *value_optional_secret(struct str s, bool is_secret)
{
    return new_secret(&optional_secret_type, s, is_secret);
}

enum value_secrecy value_secrecy(const struct value *v)
{
    const struct secret *s;
    if (value_capsule_data(v, &secret_type))
        return VALUE_SECRET;
    if ((s = value_capsule_data(v, &optional_secret_type)))
        return s->hidden ? VALUE_OPTIONAL_SECRET : VALUE_OPTIONAL_OPEN;
    return VALUE_NOT_SECRET;
}

bool value_secret_text(const struct value *v, struct str *ret)
{
    if (v->kind == VALUE_STRING) {
        *ret = v->s;
        return true;
    }
    if (value_secrecy(v) == VALUE_NOT_SECRET)
        return false;
    const struct secret *s = v->capsule.data;
    *ret = (struct str){s->text, s->len};
    return true;
}
