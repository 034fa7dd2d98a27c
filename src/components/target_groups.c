#include "components/target_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "lang/json.h"
#include "lang/yaml.h"

_Static_assert((int)GROUPS_TEXT_MAX <= (int)JSON_TEXT_MAX && (int)GROUPS_TEXT_MAX <= (int)YAML_TEXT_MAX,
               "what is read can be parsed");

static const char *groups_ending(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    return dot ? dot : "";
}

static bool groups_is_json(const char *path)
{
    return strcasecmp(groups_ending(path), ".json") == 0;
}

bool groups_path_ok(const char *path)
{
    return groups_is_json(path) || strcasecmp(groups_ending(path), ".yml") == 0 ||
           strcasecmp(groups_ending(path), ".yaml") == 0;
}

/* --- one group --- */

struct group {
    const struct value *targets, *labels; /* borrowed; NULL: none */
};

struct groups_reader {
    struct str origin_label, origin; /* "__meta_filepath" and the path */
    bool any_case;                   /* of the keys: Go reads JSON so */
    struct targets targets;
    size_t cap;
};

static bool groups_key_is(const struct groups_reader *r, struct str key, const char *name)
{
    return key.n == strlen(name) && (r->any_case ? strncasecmp(key.p, name, key.n) : memcmp(key.p, name, key.n)) == 0;
}

static int groups_should_be(const struct value *v, const char *wanted, struct err *err)
{
    return err_set(err, -EINVAL, "should be %s, got %s", wanted, value_kind_name(value_kind(v)));
}

/* Null is what a group has that says nothing. */
static const struct value *groups_unless_null(const struct value *v)
{
    return value_kind(v) == VALUE_NULL ? NULL : v;
}

static int groups_parts(const struct groups_reader *r, const struct value *v, struct group *ret, struct err *err)
{
    if (value_kind(v) == VALUE_NULL)
        return err_set(err, -EINVAL, "nil target group item found");
    if (value_kind(v) != VALUE_OBJECT)
        return groups_should_be(v, "object", err);
    struct group g = {0};
    for (size_t i = 0; i < value_len(v); i++) {
        struct value *member;
        const struct str key = value_key(v, i, &member);
        if (groups_key_is(r, key, "targets"))
            g.targets = groups_unless_null(member);
        else if (groups_key_is(r, key, "labels"))
            g.labels = groups_unless_null(member);
        else
            return err_set(err, -EINVAL, "unknown field \"%.*s\": a group has targets and labels", STR_ARG(key));
    }
    if (g.targets && value_kind(g.targets) != VALUE_ARRAY)
        return err_wrap(err, groups_should_be(g.targets, "array", err), "targets");
    if (g.labels && value_kind(g.labels) != VALUE_OBJECT)
        return err_wrap(err, groups_should_be(g.labels, "object", err), "labels");
    *ret = g;
    return 0;
}

/* A string; null is an empty one, as for the reference's decoders. */
static int groups_text(const struct value *v, struct str *ret, struct err *err)
{
    if (value_kind(v) != VALUE_STRING && value_kind(v) != VALUE_NULL)
        return groups_should_be(v, "string", err);
    *ret = value_kind(v) == VALUE_STRING ? value_as_str(v) : STR("");
    return 0;
}

static int groups_set_labels(struct labels_builder *b, const struct value *labels, struct err *err)
{
    for (size_t i = 0; labels && i < value_len(labels); i++) {
        struct value *member;
        struct str text;
        const struct str name = value_key(labels, i, &member);
        if (name.n == 0 || !str_is_utf8(name))
            return err_set(err, -EINVAL, "labels: \"%.*s\" is not a valid label name", STR_ARG(name));
        const int code = groups_text(member, &text, err);
        if (code < 0)
            return err_wrap(err, code, "labels.%.*s", STR_ARG(name));
        labels_set(b, name, text);
    }
    return 0;
}

static int groups_read_one(struct groups_reader *r, const struct value *v, struct err *err)
{
    struct group g = {0};
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    int code = groups_parts(r, v, &g, err);
    if (code == 0)
        code = groups_set_labels(&b, g.labels, err);
    if (code < 0)
        return code;
    labels_set(&b, r->origin_label, r->origin);
    struct labels *shared = labels_build(&b, false);
    for (size_t i = 0; g.targets && i < value_len(g.targets) && code == 0; i++) {
        struct str address;
        code = groups_text(value_item(g.targets, i), &address, err);
        if (code < 0) {
            code = err_wrap(err, code, "targets[%zu]", i);
            break;
        }
        labels_builder_from(&b, shared);
        labels_set(&b, STR("__address__"), address);
        xgrow(&r->targets.items, &r->cap, r->targets.len + 1, sizeof(struct labels *));
        r->targets.items[r->targets.len++] = labels_build(&b, false);
    }
    labels_unref(shared);
    return code;
}

/* --- the file --- */

/* Errors quote nothing: whoever may replace the file could link it to a secret, and everybody reads errors. */
static int groups_parse(const char *path, struct str text, struct value **ret, struct err *err)
{
    return groups_is_json(path) ? json_read(text, JSON_KEEP_INTEGERS | JSON_QUOTE_NOTHING, ret, err)
                                : yaml_read_strings(text, ret, err);
}

static int groups_read_all(struct groups_reader r, const struct value *v, struct targets *ret, struct err *err)
{
    int code = 0;
    if (value_kind(v) != VALUE_ARRAY && value_kind(v) != VALUE_NULL)
        return err_wrap(err, groups_should_be(v, "array", err), "a file of targets");
    for (size_t i = 0; value_kind(v) == VALUE_ARRAY && i < value_len(v) && code == 0; i++) {
        code = groups_read_one(&r, value_item(v, i), err);
        if (code < 0)
            code = err_wrap(err, code, "group %zu", i);
    }
    if (code < 0)
        targets_done(&r.targets);
    else
        *ret = r.targets;
    return code;
}

int groups_read(const char *path, struct str text, struct targets *ret, struct err *err)
{
    const struct groups_reader r = {
        .origin_label = STR("__meta_filepath"), .origin = str_of(path), .any_case = groups_is_json(path)};
    cleanup_value struct value *v = NULL;
    const int code = groups_parse(path, text, &v, err);
    return code < 0 ? code : groups_read_all(r, v, ret, err);
}

int groups_read_url(const char *url, struct str text, struct targets *ret, struct err *err)
{
    const struct groups_reader r = {.origin_label = STR("__meta_url"), .origin = str_of(url), .any_case = true};
    cleanup_value struct value *v = NULL;
    const int code = json_read(text, JSON_KEEP_INTEGERS | JSON_QUOTE_NOTHING, &v, err);
    return code < 0 ? code : groups_read_all(r, v, ret, err);
}
