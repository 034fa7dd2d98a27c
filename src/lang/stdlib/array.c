#include <errno.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"
#include "lang/coerce.h"
#include "lang/stdlib/rows.h"
#include "lang/value_print.h"

static int array_concat(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_items struct stdlib_items all = {0};
    for (size_t i = 0; i < n; i++) {
        /* Exports that were not published yet are null. */
        if (value_kind(args[i]) == VALUE_NULL)
            continue;
        int code = stdlib_kind(args, i, VALUE_ARRAY, bad_arg, err);
        for (size_t j = 0; code == 0 && j < value_len(args[i]); j++)
            code = stdlib_add(&all, value_ref(value_item(args[i], j)), err);
        if (code < 0)
            return code;
    }
    *ret = stdlib_array_of(&all);
    return 0;
}

/* An object, or a capsule that looks like one, as an object; new reference, NULL for anything else. */
static struct value *object_of(struct value *v)
{
    if (value_kind(v) == VALUE_OBJECT)
        return value_ref(v);
    if (value_kind(v) != VALUE_CAPSULE)
        return NULL;
    const struct capsule_type *type = value_capsule_type(v);
    return type->to_object ? type->to_object(value_capsule_data(v, type)) : NULL;
}

static int bad_element(size_t argument, size_t i, const struct value *v, enum value_kind wanted, int *bad_arg,
                       struct err *err)
{
    struct err why = {0};
    *bad_arg = (int)argument;
    (void)coerce_refuse(v, wanted, &why);
    return err_set(err, -EINVAL, "[%zu] %s", i, why.text);
}

/* The elements of an argument, all of them objects. */
static int array_objects(struct value *const *args, size_t argument, struct stdlib_items *out, int *bad_arg,
                         struct err *err)
{
    int code = stdlib_kind(args, argument, VALUE_ARRAY, bad_arg, err);
    for (size_t i = 0; code == 0 && i < value_len(args[argument]); i++) {
        struct value *v = value_item(args[argument], i), *o = object_of(v);
        code = o ? stdlib_add(out, o, err) : bad_element(argument, i, v, VALUE_OBJECT, bad_arg, err);
    }
    return code;
}

/* As the reference compares here: 1 and 1.0 are different. */
static bool array_same(const struct value *a, const struct value *b)
{
    bool numbers = value_kind(a) == VALUE_NUMBER && value_kind(b) == VALUE_NUMBER;
    return value_equal(a, b) && (!numbers || value_number_kind(a) == value_number_kind(b));
}

/* A number that is equal where all values under the keys are, and most likely different elsewhere; 0: a key is
 * missing. */
static uint64_t hash_of(const struct value *object, const struct value *keys)
{
    cleanup_buf struct buf text = BUF_INIT(STDLIB_TEXT_MAX);
    for (size_t i = 0; i < value_len(keys); i++) {
        const struct value *member = value_member(object, value_as_str(value_item(keys, i)));
        if (!member)
            return 0;
        value_print(member, &text);
        buf_byte(&text, '\0');
    }
    return str_hash(buf_slice(&text)) | 1;
}

static uint64_t *hashes_of(const struct stdlib_items *list, const struct value *keys)
{
    uint64_t *ret = xcalloc(list->len + 1, sizeof *ret);
    for (size_t i = 0; i < list->len; i++)
        ret[i] = hash_of(list->items[i], keys);
    return ret;
}

static bool array_agree(const struct value *l, const struct value *r, const struct value *keys)
{
    for (size_t i = 0; i < value_len(keys); i++) {
        struct str key = value_as_str(value_item(keys, i));
        if (!array_same(value_member(l, key), value_member(r, key)))
            return false;
    }
    return true;
}

static struct value *array_merged(const struct value *l, const struct value *r)
{
    struct value *ret = value_object(), *member;
    const struct value *sides[] = {l, r};
    for (size_t s = 0; s < ARRAY_LEN(sides); s++)
        for (size_t i = 0; i < value_len(sides[s]); i++) {
            struct str key = value_key(sides[s], i, &member);
            value_object_put(ret, key, value_ref(member));
        }
    return ret;
}

/* Every pair is looked at, as results are in the order of the pairs; the hashes keep a look cheap. `unmatched` is what
 * of the left side goes through without a match, a target as a target; NULL: nothing does. */
static int array_combine(const struct stdlib_items *left, const struct stdlib_items *right, const struct value *keys,
                         const struct value *unmatched, struct stdlib_items *out, struct err *err)
{
    cleanup_free uint64_t *l_hashes = hashes_of(left, keys), *r_hashes = hashes_of(right, keys);
    int code = 0;
    for (size_t i = 0; code == 0 && i < left->len; i++)
        for (size_t j = 0; code == 0 && j < right->len; j++) {
            struct value *l = left->items[i], *r = right->items[j];
            if (l_hashes[i] && l_hashes[i] == r_hashes[j] && array_agree(l, r, keys))
                code = stdlib_add(out, array_merged(l, r), err);
            else if (unmatched)
                code = stdlib_add(out, value_ref(value_item(unmatched, i)), err);
        }
    return code;
}

static int combine_maps(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_items struct stdlib_items left = {0}, right = {0}, out = {0};
    if (n != 3 && n != 4) {
        *bad_arg = BLAME_CALL;
        return err_set(err, -EINVAL, "combine_maps: expected 3 or 4 arguments, got %zu", n);
    }
    int code = array_objects(args, 0, &left, bad_arg, err);
    if (code == 0)
        code = array_objects(args, 1, &right, bad_arg, err);
    if (code == 0)
        code = stdlib_kind(args, 2, VALUE_ARRAY, bad_arg, err);
    if (code < 0)
        return code;
    if (value_len(args[2]) == 0) {
        *bad_arg = 2;
        return err_set(err, -EINVAL, "combine_maps: merge conditions must not be empty");
    }
    for (size_t i = 0; i < value_len(args[2]); i++)
        if (value_kind(value_item(args[2], i)) != VALUE_STRING)
            return bad_element(2, i, value_item(args[2], i), VALUE_STRING, bad_arg, err);
    if (n == 4 && (code = stdlib_kind(args, 3, VALUE_BOOL, bad_arg, err)) < 0)
        return code;
    code = array_combine(&left, &right, args[2], n == 4 && value_as_bool(args[3]) ? args[0] : NULL, &out, err);
    if (code == 0)
        *ret = stdlib_array_of(&out);
    return code;
}

/* Which group the i-th object belongs to. */
static int group_name(const struct value *object, size_t i, struct str key, bool drop_missing, struct str *ret,
                      bool *dropped, struct err *err)
{
    struct value *name = value_member(object, key);
    *dropped = !name && drop_missing;
    *ret = (struct str){NULL, 0};
    if (!name)
        return 0;
    if (value_kind(name) != VALUE_STRING)
        return err_set(err, -EINVAL, "[%zu].%.*s should be string, got %s", i, STR_ARG(key),
                       value_kind_name(value_kind(name)));
    *ret = value_as_str(name);
    return 0;
}

struct array_group {
    struct str name; /* of its first member */
    struct stdlib_items items;
};

struct groups {
    struct array_group *list; /* in the order of their first members */
    size_t len, cap;
    struct strmap index; /* name -> place + 1 */
};

static void groups_done(struct groups *g)
{
    for (size_t i = 0; i < g->len; i++)
        stdlib_items_done(&g->list[i].items);
    free(g->list);
    strmap_done(&g->index);
}

static int add_to_group(struct groups *g, struct str name, struct value *object, struct err *err)
{
    uintptr_t place = (uintptr_t)strmap_get(&g->index, name);
    if (!place) {
        xgrow(&g->list, &g->cap, g->len + 1, sizeof *g->list);
        g->list[g->len++] = (struct array_group){.name = name};
        place = g->len;
        strmap_put(&g->index, name, (void *)place);
    }
    return stdlib_add(&g->list[place - 1].items, value_ref(object), err);
}

static int group_all(const struct value *list, struct str key, bool drop_missing, struct groups *g, int *bad_arg,
                     struct err *err)
{
    *bad_arg = 0;
    for (size_t i = 0; i < value_len(list); i++) {
        cleanup_value struct value *object = object_of(value_item(list, i));
        struct str name;
        bool dropped;
        if (!object)
            return bad_element(0, i, value_item(list, i), VALUE_OBJECT, bad_arg, err);
        int code = group_name(object, i, key, drop_missing, &name, &dropped, err);
        if (code == 0 && !dropped)
            code = add_to_group(g, name, object, err);
        if (code < 0)
            return code;
    }
    return 0;
}

static int group_by(struct value *const *args, size_t n, struct value **ret, int *bad_arg, struct err *err)
{
    cleanup_items struct stdlib_items out = {0};
    __attribute__((cleanup(groups_done))) struct groups groups = {0};
    if (n != 3) {
        *bad_arg = BLAME_CALL;
        return err_set(err, -EINVAL, "group_by: expected 3 arguments, got %zu", n);
    }
    int code = stdlib_kind(args, 0, VALUE_ARRAY, bad_arg, err);
    if (code == 0)
        code = stdlib_kind(args, 1, VALUE_STRING, bad_arg, err);
    if (code == 0)
        code = stdlib_kind(args, 2, VALUE_BOOL, bad_arg, err);
    if (code < 0)
        return code;
    struct str key = value_as_str(args[1]);
    code = group_all(args[0], key, value_as_bool(args[2]), &groups, bad_arg, err);
    for (size_t i = 0; code == 0 && i < groups.len; i++) {
        struct value *o = value_object();
        value_object_put(o, key, value_string(groups.list[i].name));
        value_object_put(o, STR("items"), stdlib_array_of(&groups.list[i].items));
        code = stdlib_add(&out, o, err);
    }
    if (code == 0)
        *ret = stdlib_array_of(&out);
    return code;
}

const struct stdlib_function stdlib_array[] = {
    {{"array.combine_maps", 0, true, combine_maps},
     .stability = STABILITY_EXPERIMENTAL,
     .parameters = "left list(map), right list(map), keys list(string), passthrough bool",
     .result = "list(map)",
     .help =
         "Joins two lists of objects or targets. Each pair with equal values for all keys yields one object with the "
         "members of both; those of the right one take precedence. With `passthrough` (optional, default false), each "
         "pair that does not match yields the left object unchanged, once per pair. 1 and 1.0 are different values.",
     .examples = {{"array.combine_maps([{pid = \"7\", a = 1}], [{pid = \"7\", b = 2}, {pid = \"8\"}], [\"pid\"])",
                   "[{a = 1, b = 2, pid = \"7\"}]"},
                  {"array.combine_maps([{pid = \"7\"}], [{pid = \"8\"}], [\"pid\"], true)", "[{pid = \"7\"}]"}}},
    {{"array.concat", 0, true, array_concat},
     .alias = "concat",
     .parameters = "lists list…",
     .result = "list",
     .help = "All elements of all lists, in order.",
     .examples = {{"array.concat([1, 2], [], [3, [4]])", "[1, 2, 3, [4]]"}, {"array.concat()", "[]"}}},
    {{"array.group_by", 0, true, group_by},
     .stability = STABILITY_EXPERIMENTAL,
     .parameters = "list list(map), key string, drop_missing bool",
     .result = "list(map)",
     .help = "Groups objects or targets by the string value of `key`. Each group yields one object with that value and "
             "its `items`, in the order of the first members. Items without the key are dropped, or, if `drop_missing` "
             "is false, grouped under \"\".",
     .examples =
         {{"array.group_by([{app = \"a\", n = 1}, {app = \"b\"}, {app = \"a\"}], \"app\", true)",
           "[{app = \"a\", items = [{app = \"a\", n = 1}, {app = \"a\"}]}, {app = \"b\", items = [{app = \"b\"}]}]"}}},
    {{NULL}},
};
