/* What the tests of the language share: sources from literals, and a scope with one of everything. */
#pragma once

#include "base/cleanup.h"
#include "base/mem.h"
#include "lang/ast.h"
#include "lang/diag_text.h"
#include "lang/eval.h"
#include "lang/parser.h"
#include "lang/source.h"
#include "lang/value.h"
#include "test.h"

enum { TEST_TEXT_MAX = 1 << 20 };

static inline struct source *source_from(const char *name, struct str text)
{
    struct source *s = NULL;
    struct err err = {0};
    if (source_new(name, text, &s, &err) < 0)
        abort();
    return s;
}

/* Every diagnostic in its one-line form. */
static inline void all_lines(const struct diags *ds, struct buf *out)
{
    for (size_t i = 0; i < ds->len; i++) {
        buf_puts(out, i ? "\n" : "");
        diag_line(&ds->items[i], out);
    }
}

static struct value *widget_member(const void *data, struct str key)
{
    (void)data;
    return str_is(key, "color") ? value_string(STR("red")) : NULL;
}

static struct value *widget_object(const void *data)
{
    struct value *o = value_object();
    value_object_put(o, STR("color"), widget_member(data, STR("color")));
    return o;
}

/* A capsule that looks like an object, and one that looks like nothing. */
static const struct capsule_type widget_capsule = {
    .name = "test.Widget", .to_object = widget_object, .get = widget_member};
static const struct capsule_type opaque_capsule = {.name = "test.Opaque"};

/* node.one.out = {list = [1, "two", true], name = "n", nothing = null}; everything else has one name. */
static inline struct value *node_exports(void)
{
    struct value *items[] = {value_int(1), value_string(STR("two")), value_bool(true)};
    struct value *out = value_object(), *node = value_object();
    value_object_put(out, STR("list"), value_array(items, ARRAY_LEN(items)));
    value_object_put(out, STR("name"), value_string(STR("n")));
    value_object_put(out, STR("nothing"), value_null());
    value_object_put(node, STR("out"), out);
    return node;
}

static inline bool test_resolve(void *ctx, const struct str *path, size_t n, size_t *used, struct value **ret)
{
    static int opaque;
    (void)ctx;
    *used = 1;
    if (n >= 2 && str_is(path[0], "node") && str_is(path[1], "one")) {
        *used = 2;
        *ret = node_exports();
    } else if (str_is(path[0], "secret")) {
        *ret = value_secret(STR("hidden"));
    } else if (str_is(path[0], "optional_secret")) {
        *ret = value_optional_secret(STR("hidden"), true);
    } else if (str_is(path[0], "optional_open")) {
        *ret = value_optional_secret(STR("shown"), false);
    } else if (str_is(path[0], "widget")) {
        *ret = value_capsule(&widget_capsule, &opaque);
    } else if (str_is(path[0], "opaque")) {
        *ret = value_capsule(&opaque_capsule, &opaque);
    } else {
        return false;
    }
    return true;
}

static const struct scope test_scope __attribute__((unused)) = {.resolve = test_resolve};
