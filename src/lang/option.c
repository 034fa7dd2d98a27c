#include "lang/option.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"
#include "lang/coerce.h"
#include "lang/duration.h"

enum { TEXT_MAX = 16 << 20, DURATION_TEXT_MAX = 64 };

void option_zero(const struct option *o, void *field)
{
    if (o->kind == OPT_STRING || o->kind == OPT_SECRET)
        *(char **)field = xstrdup("");
}

/* A C string: a NUL inside would cut it short without a word. */
static int decode_text(const struct value *v, bool secret, char **ret, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    int code = secret ? coerce_secret(v, &text, err) : coerce_text(v, &text, err);
    if (code < 0)
        return code;
    if (!buf_ok(&text) || (text.len && memchr(text.p, '\0', text.len)))
        return err_set(err, -EINVAL, buf_ok(&text) ? "contains a NUL byte" : "is too long");
    if (secret && text.len)
        secret_learn(buf_slice(&text));
    *ret = str_dup(buf_slice(&text));
    return 0;
}

static void free_list(struct string_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

static int decode_list(const struct value *v, struct string_list *ret, struct err *err)
{
    if (value_kind(v) == VALUE_NULL)
        return 0;
    if (value_kind(v) != VALUE_ARRAY)
        return coerce_refuse(v, VALUE_ARRAY, err);
    struct string_list list = {.items = xcalloc(value_len(v) + 1, sizeof *list.items)};
    for (size_t i = 0; i < value_len(v); i++, list.len++) {
        struct err why = {0};
        int code = decode_text(value_item(v, i), false, &list.items[i], &why);
        if (code < 0) {
            free_list(&list);
            return err_set(err, code, "[%zu] %s", i, why.text);
        }
    }
    *ret = list;
    return 0;
}

static void free_map(struct string_map *map)
{
    for (size_t i = 0; i < map->len; i++) {
        free(map->items[i].name);
        free(map->items[i].value);
    }
    free(map->items);
    *map = (struct string_map){0};
}

static int option_by_name(const void *a, const void *b)
{
    return strcmp(((const struct string_pair *)a)->name, ((const struct string_pair *)b)->name);
}

static int decode_members(const struct value *object, struct string_map *ret, struct err *err)
{
    size_t len = value_len(object);
    struct string_map map = {.items = xcalloc(len + 1, sizeof *map.items)};
    for (size_t i = 0; i < len; i++) {
        struct value *member;
        struct str key = value_key(object, i, &member);
        struct err why = {0};
        int code = key.n && memchr(key.p, '\0', key.n) ? err_set(&why, -EINVAL, "has a name with a NUL byte")
                                                       : decode_text(member, false, &map.items[i].value, &why);
        if (code < 0) {
            free_map(&map);
            return err_set(err, code, ".%.*s %s", STR_ARG(key), why.text);
        }
        map.items[map.len++].name = str_dup(key);
    }
    qsort(map.items, map.len, sizeof *map.items, option_by_name);
    *ret = map;
    return 0;
}

static int decode_map(const struct value *v, struct string_map *ret, struct err *err)
{
    if (value_kind(v) == VALUE_NULL)
        return 0;
    if (value_kind(v) == VALUE_OBJECT)
        return decode_members(v, ret, err);
    const struct capsule_type *type = value_kind(v) == VALUE_CAPSULE ? value_capsule_type(v) : NULL;
    cleanup_value struct value *object = type && type->to_object ? type->to_object(value_capsule_data(v, type)) : NULL;
    return object ? decode_members(object, ret, err) : coerce_refuse(v, VALUE_OBJECT, err);
}

/* --- words --- */

_Static_assert(sizeof(enum option_kind) == sizeof(int), "the field of an enumerated option is accessed as an int");

const char *option_word(const struct option_words *words, int value)
{
    for (const struct option_word *w = words->words; w->text; w++)
        if (w->value == value)
            return w->text;
    return NULL;
}

void option_words_list(const struct option_words *words, const char *quote, struct buf *out)
{
    bool any = false;
    for (const struct option_word *w = words->words; w->text; w++) {
        if (!*w->text)
            continue;
        buf_printf(out, "%s%s%s%s", !any ? "" : w[1].text ? ", " : " or ", quote, w->text, quote);
        any = true;
    }
}

static int option_unknown_word(const struct option_words *words, const char *text, struct err *err)
{
    if (words->form == UNKNOWN_COLON)
        return err_set(err, -EINVAL, "%s: %s", words->unknown, text);
    if (words->form == UNKNOWN_QUOTED)
        return err_set(err, -EINVAL, "%s \"%s\"", words->unknown, text);
    cleanup_buf struct buf expected = BUF_INIT(ERR_MAX);
    option_words_list(words, "", &expected);
    return err_set(err, -EINVAL, "%s \"%s\", expected %s", words->unknown, text, buf_cstr(&expected));
}

static int option_decode_word(const struct option_words *words, const struct value *v, int *ret, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
    const int code = coerce_word(v, &text, err);
    if (code < 0)
        return code;
    for (const struct option_word *w = words->words; w->text; w++) {
        if (strcmp(buf_cstr(&text), w->text) == 0) {
            *ret = w->value;
            return 0;
        }
    }
    return option_unknown_word(words, buf_cstr(&text), err);
}

int option_decode(const struct option *o, struct value *v, void *field, struct err *err)
{
    switch (o->kind) {
    case OPT_BOOL:
        return coerce_bool(v, field, err);
    case OPT_INT:
        return coerce_int(v, field, err);
    case OPT_UINT:
        return coerce_uint(v, field, err);
    case OPT_FLOAT:
        return coerce_float(v, field, err);
    case OPT_DURATION:
        return coerce_duration(v, field, err);
    case OPT_STRING:
    case OPT_SECRET:
        return decode_text(v, o->kind == OPT_SECRET, field, err);
    case OPT_ENUM:
        return option_decode_word(o->words, v, field, err);
    case OPT_STRING_LIST:
        return decode_list(v, field, err);
    case OPT_STRING_MAP:
        return decode_map(v, field, err);
    case OPT_ANY:
        *(struct value **)field = value_ref(v);
        return 0;
    case OPT_CUSTOM:
        return o->custom->decode(v, field, err);
    default:
        abort();
    }
}

static bool texts_equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool lists_equal(const struct string_list *a, const struct string_list *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!texts_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool maps_equal(const struct string_map *a, const struct string_map *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!texts_equal(a->items[i].name, b->items[i].name) || !texts_equal(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

static bool values_equal(const struct value *a, const struct value *b)
{
    return value_equal(a ? a : value_null(), b ? b : value_null());
}

bool option_equal(const struct option *o, const void *a, const void *b)
{
    switch (o->kind) {
    case OPT_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case OPT_INT:
    case OPT_UINT:
    case OPT_DURATION:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case OPT_FLOAT:
        return *(const double *)a == *(const double *)b;
    case OPT_STRING:
    case OPT_SECRET:
        return texts_equal(*(char *const *)a, *(char *const *)b);
    case OPT_ENUM:
        return *(const int *)a == *(const int *)b;
    case OPT_STRING_LIST:
        return lists_equal(a, b);
    case OPT_STRING_MAP:
        return maps_equal(a, b);
    case OPT_ANY:
        return values_equal(*(struct value *const *)a, *(struct value *const *)b);
    case OPT_CUSTOM:
        return o->custom->equal(a, b);
    default:
        abort();
    }
}

void option_done(const struct option *o, void *field)
{
    switch (o->kind) {
    case OPT_BOOL:
        *(bool *)field = false;
        break;
    case OPT_INT:
    case OPT_UINT:
    case OPT_DURATION:
        *(uint64_t *)field = 0;
        break;
    case OPT_FLOAT:
        *(double *)field = 0;
        break;
    case OPT_SECRET:
        if (*(char **)field)
            explicit_bzero(*(char **)field, strlen(*(char **)field));
        __attribute__((fallthrough));
    case OPT_STRING:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case OPT_ENUM:
        *(int *)field = 0;
        break;
    case OPT_STRING_LIST:
        free_list(field);
        break;
    case OPT_STRING_MAP:
        free_map(field);
        break;
    case OPT_ANY:
        value_unref(*(struct value **)field);
        *(struct value **)field = NULL;
        break;
    case OPT_CUSTOM:
        o->custom->done(field);
        break;
    default:
        abort();
    }
}

static struct value *option_list_to_value(const struct string_list *list)
{
    cleanup_free struct value **items = xcalloc(list->len + 1, sizeof *items);
    for (size_t i = 0; i < list->len; i++)
        items[i] = value_string(str_of(list->items[i]));
    return value_array(items, list->len);
}

static struct value *map_to_value(const struct string_map *map)
{
    struct value *object = value_object();
    for (size_t i = 0; i < map->len; i++)
        value_object_put(object, str_of(map->items[i].name), value_string(str_of(map->items[i].value)));
    return object;
}

static struct value *duration_to_value(int64_t ns)
{
    cleanup_buf struct buf text = BUF_INIT(DURATION_TEXT_MAX);
    duration_print(ns, &text);
    return value_string(buf_slice(&text));
}

struct value *option_to_value(const struct option *o, const void *field)
{
    struct value *v;
    switch (o->kind) {
    case OPT_BOOL:
        return value_bool(*(const bool *)field);
    case OPT_INT:
        return value_int(*(const int64_t *)field);
    case OPT_UINT:
        return value_uint(*(const uint64_t *)field);
    case OPT_FLOAT:
        return value_float(*(const double *)field);
    case OPT_DURATION:
        return duration_to_value(*(const int64_t *)field);
    case OPT_STRING:
        return value_string(str_of(*(char *const *)field));
    case OPT_SECRET:
        return value_secret(str_of(*(char *const *)field));
    case OPT_ENUM:
        return value_string(str_of(option_word(o->words, *(const int *)field)));
    case OPT_STRING_LIST:
        return option_list_to_value(field);
    case OPT_STRING_MAP:
        return map_to_value(field);
    case OPT_ANY:
        v = *(struct value *const *)field;
        return v ? value_ref(v) : value_null();
    case OPT_CUSTOM:
        return o->custom->to_value(field);
    default:
        abort();
    }
}
