/* A record with an option of every kind, for the tests of decoding. */
#pragma once

#include <errno.h>

#include "lang/schema.h"
#include "lang_test.h"

struct inner {
    int64_t interval;
    char *name;
    bool name_set;
};
struct point {
    int64_t x, y;
};
struct limit {
    int64_t rate;
};
struct when {
    struct limit limit;
};
struct rule {
    char *name;
    struct when when;
};
struct args {
    bool flag;
    int64_t count, wait;
    uint64_t size;
    double ratio;
    char *dir, *password;
    struct string_list list;
    struct string_map map;
    struct value *any;
    struct point point;
    struct inner inner;
    struct block_list rules;
};

static int decode_point(struct value *v, void *field, struct err *err)
{
    struct point *p = field;
    if (value_kind(v) != VALUE_ARRAY || value_len(v) != 2)
        return err_set(err, -EINVAL, "should be a point");
    if (value_kind(value_item(v, 1)) != VALUE_NUMBER)
        return err_set(err, -EINVAL, "[1] should be number, got %s", value_kind_name(value_kind(value_item(v, 1))));
    *p = (struct point){value_as_int(value_item(v, 0)), value_as_int(value_item(v, 1))};
    return 0;
}

static void point_done(void *field)
{
    *(struct point *)field = (struct point){0, 0};
}

static bool points_equal(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct point)) == 0;
}

static struct value *point_value(const void *field)
{
    const struct point *p = field;
    struct value *items[] = {value_int(p->x), value_int(p->y)};
    return value_array(items, 2);
}

static const struct option_type point_type = {"point", decode_point, point_done, points_equal, point_value};

static int validate_inner(const void *record, struct err *err)
{
    const struct inner *i = record;
    return i->interval < 0 ? err_set(err, -EINVAL, "interval must not be negative") : 0;
}

static const struct option inner_options[] = {
    {"interval", OPT_DURATION, offsetof(struct inner, interval), .default_text = "\"15s\""},
    {"name", OPT_STRING, offsetof(struct inner, name), .set_offset = offsetof(struct inner, name_set)},
    {0}};
static const struct schema inner_schema = {sizeof(struct inner), inner_options, validate_inner};

static const struct option limit_options[] = {{"rate", OPT_INT, offsetof(struct limit, rate)}, {0}};
static const struct schema limit_schema = {sizeof(struct limit), limit_options, NULL};

static const struct option when_options[] = {
    {"limit", OPT_BLOCK, offsetof(struct when, limit), .required = true, .block = &limit_schema}, {0}};
static const struct schema when_schema = {sizeof(struct when), when_options, NULL};

static const struct option rule_options[] = {{"name", OPT_STRING, offsetof(struct rule, name), .required = true},
                                             {"when", OPT_BLOCK, offsetof(struct rule, when), .block = &when_schema},
                                             {0}};
static const struct schema rule_schema = {sizeof(struct rule), rule_options, NULL};

static const struct option options[] = {
    {"dir", OPT_STRING, offsetof(struct args, dir), .default_text = "\"/tmp\""},
    {"flag", OPT_BOOL, offsetof(struct args, flag), .default_text = "true"},
    {"count", OPT_INT, offsetof(struct args, count), .required = true},
    {"size", OPT_UINT, offsetof(struct args, size)},
    {"ratio", OPT_FLOAT, offsetof(struct args, ratio), .default_text = "0.5"},
    {"wait", OPT_DURATION, offsetof(struct args, wait), .default_text = "\"1m\""},
    {"password", OPT_SECRET, offsetof(struct args, password)},
    {"list", OPT_STRING_LIST, offsetof(struct args, list), .default_text = "[\"a\"]"},
    {"map", OPT_STRING_MAP, offsetof(struct args, map)},
    {"any", OPT_ANY, offsetof(struct args, any)},
    {"point", OPT_CUSTOM, offsetof(struct args, point), .custom = &point_type},
    {"inner", OPT_BLOCK, offsetof(struct args, inner), .block = &inner_schema},
    {"group.rule", OPT_BLOCKS, offsetof(struct args, rules), .block = &rule_schema},
    {0}};
static const struct schema schema = {sizeof(struct args), options, NULL};
