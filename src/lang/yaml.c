#include "lang/yaml.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"
#include "lang/value_print.h"
#include "lang/yaml_scalar.h"

/* --- the library --- */

static struct {
    __typeof__(yaml_parser_initialize) *initialize;
    __typeof__(yaml_parser_delete) *done;
    __typeof__(yaml_parser_set_input_string) *set_input;
    __typeof__(yaml_parser_parse) *parse;
    __typeof__(yaml_event_delete) *event_done;
} lib;

static int load_library(struct err *err)
{
    static const struct {
        const char *name;
        void *place;
    } functions[] = {{"yaml_parser_initialize", &lib.initialize},
                     {"yaml_parser_delete", &lib.done},
                     {"yaml_parser_set_input_string", &lib.set_input},
                     {"yaml_parser_parse", &lib.parse},
                     {"yaml_event_delete", &lib.event_done}};
    static bool loaded;
    if (loaded)
        return 0;
    void *so = dlopen("libyaml-0.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!so)
        return err_set(err, -ELIBACC, "load libyaml: %s; install the package libyaml-0-2", dlerror());
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *f = dlsym(so, functions[i].name);
        if (!f)
            return err_set(err, -ELIBACC, "libyaml lacks %s", functions[i].name);
        memcpy(functions[i].place, &f, sizeof f);
    }
    loaded = true;
    return 0;
}

/* --- from events to values --- */

/* What an anchor names. While it is being built its value is NULL. */
struct anchor {
    char *name;
    struct value *value;
    size_t size; /* values in it, aliases in full */
};

struct yaml_reader {
    yaml_parser_t parser;
    struct anchor *anchors;
    size_t anchor_count, anchor_cap;
    struct strmap by_name; /* the latest of a name -> its number + 1 */
    size_t values;         /* so far, aliases in full */
    unsigned depth;
    bool strings; /* scalars stay what is written */
    struct err *err;
};

static int yaml_fail(const struct yaml_reader *r, yaml_mark_t at, const char *fmt, ...) printf_like(3, 4);
static int yaml_fail(const struct yaml_reader *r, yaml_mark_t at, const char *fmt, ...)
{
    char text[ERR_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_set(r->err, -EINVAL, "yaml: line %zu: %s", at.line + 1, text);
}

static int yaml_next(struct yaml_reader *r, yaml_event_t *ret)
{
    if (lib.parse(&r->parser, ret))
        return 0;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return err_set(r->err, -ENOMEM, "yaml: out of memory");
    if (p->error == YAML_READER_ERROR)
        return err_set(r->err, -EINVAL, "yaml: offset %zu: %s", p->problem_offset, p->problem);
    return yaml_fail(r, p->problem_mark, "%s", p->problem ? p->problem : "unknown error");
}

static int yaml_count(struct yaml_reader *r, size_t n)
{
    r->values += n;
    if (r->values > YAML_VALUES_MAX)
        return err_set(r->err, -E2BIG, "yaml: more than %d values, aliases counted in full", YAML_VALUES_MAX);
    return 0;
}

/* The number of an anchor whose value comes; SIZE_MAX where there is none. */
static size_t open_anchor(struct yaml_reader *r, const yaml_char_t *name)
{
    if (!name)
        return SIZE_MAX;
    xgrow(&r->anchors, &r->anchor_cap, r->anchor_count + 1, sizeof *r->anchors);
    r->anchors[r->anchor_count] = (struct anchor){.name = xstrdup((const char *)name)};
    struct str key = str_of(r->anchors[r->anchor_count].name);
    /* A name may be given again: the map must then hold the new number. */
    strmap_put(&r->by_name, key, (void *)(uintptr_t)(r->anchor_count + 1));
    return r->anchor_count++;
}

static void close_anchor(struct yaml_reader *r, size_t anchor, struct value *v, size_t before)
{
    if (anchor == SIZE_MAX)
        return;
    r->anchors[anchor].value = value_ref(v);
    r->anchors[anchor].size = r->values - before;
}

static int yaml_alias(struct yaml_reader *r, const yaml_event_t *e, struct value **ret)
{
    const char *name = (const char *)e->data.alias.anchor;
    uintptr_t number = (uintptr_t)strmap_get(&r->by_name, str_of(name));
    if (!number)
        return yaml_fail(r, e->start_mark, "unknown anchor '%s' referenced", name);
    const struct anchor *a = &r->anchors[number - 1];
    if (!a->value)
        return yaml_fail(r, e->start_mark, "anchor '%s' value contains itself", name);
    int code = yaml_count(r, a->size);
    if (code == 0)
        *ret = value_ref(a->value);
    return code;
}

static int yaml_node(struct yaml_reader *r, const yaml_event_t *e, struct value **ret);

static int yaml_sequence(struct yaml_reader *r, struct value **ret)
{
    struct value **items = NULL;
    size_t len = 0, cap = 0;
    int code;
    for (;;) {
        yaml_event_t e;
        struct value *item = NULL;
        if ((code = yaml_next(r, &e)) < 0)
            break;
        const bool end = e.type == YAML_SEQUENCE_END_EVENT;
        code = end ? 0 : yaml_node(r, &e, &item);
        lib.event_done(&e);
        if (end || code < 0)
            break;
        xgrow(&items, &cap, len + 1, sizeof *items);
        items[len++] = item;
    }
    if (code == 0)
        *ret = value_array(items, len);
    else
        while (len > 0)
            value_unref(items[--len]);
    free(items);
    return code;
}

static bool is_merge_key(const yaml_event_t *e)
{
    if (e->type != YAML_SCALAR_EVENT)
        return false;
    const char *tag = (const char *)e->data.scalar.tag, *text = (const char *)e->data.scalar.value;
    if (tag)
        return strcmp(tag, "tag:yaml.org,2002:merge") == 0;
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(text, "<<") == 0;
}

/* Keys of the language are strings; what else a key looks like, it keeps its text. */
static int yaml_key_of(struct yaml_reader *r, const yaml_event_t *e, struct value **ret)
{
    if (e->type == YAML_MAPPING_START_EVENT || e->type == YAML_SEQUENCE_START_EVENT)
        return yaml_fail(r, e->start_mark, "invalid map key: only scalars can be keys");
    cleanup_value struct value *v = NULL;
    int code = yaml_node(r, e, &v);
    if (code < 0)
        return code;
    if (value_kind(v) == VALUE_ARRAY || value_kind(v) == VALUE_OBJECT)
        return yaml_fail(r, e->start_mark, "invalid map key: only scalars can be keys");
    if (value_kind(v) == VALUE_STRING && (e->type != YAML_SCALAR_EVENT || e->data.scalar.tag)) {
        *ret = TAKE_PTR(v);
    } else if (e->type == YAML_SCALAR_EVENT) {
        *ret = value_string((struct str){(const char *)e->data.scalar.value, e->data.scalar.length});
    } else {
        cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
        value_print(v, &text);
        *ret = value_string(buf_slice(&text));
    }
    return 0;
}

/* The members of `from`, a mapping or a sequence of them, that are not there yet. */
static int yaml_merge(struct yaml_reader *r, yaml_mark_t at, struct value *into, const struct value *from)
{
    if (value_kind(from) == VALUE_OBJECT) {
        for (size_t i = 0; i < value_len(from); i++) {
            struct value *member;
            struct str key = value_key(from, i, &member);
            if (!value_member(into, key))
                value_object_put(into, key, value_ref(member));
        }
        return 0;
    }
    bool good = value_kind(from) == VALUE_ARRAY;
    for (size_t i = 0; good && i < value_len(from); i++)
        good = value_kind(value_item(from, i)) == VALUE_OBJECT && yaml_merge(r, at, into, value_item(from, i)) == 0;
    return good ? 0 : yaml_fail(r, at, "map merge requires map or sequence of maps as the value");
}

static int next_node(struct yaml_reader *r, struct value **ret)
{
    yaml_event_t e;
    int code = yaml_next(r, &e);
    if (code < 0)
        return code;
    code = yaml_node(r, &e, ret);
    lib.event_done(&e);
    return code;
}

/* One key, which is `e`, and its value. */
static int yaml_member(struct yaml_reader *r, const yaml_event_t *e, struct value *object, struct value **merged)
{
    cleanup_value struct value *key = NULL, *v = NULL;
    if (is_merge_key(e)) {
        if (*merged)
            return yaml_fail(r, e->start_mark, "mapping key \"<<\" already defined");
        return next_node(r, merged);
    }
    int code = yaml_key_of(r, e, &key);
    if (code < 0)
        return code;
    struct str name = value_as_str(key);
    if (value_member(object, name))
        return yaml_fail(r, e->start_mark, "mapping key \"%.*s\" already defined", STR_ARG(name));
    code = next_node(r, &v);
    if (code == 0)
        value_object_put(object, name, TAKE_PTR(v));
    return code;
}

static int yaml_mapping(struct yaml_reader *r, yaml_mark_t at, struct value **ret)
{
    cleanup_value struct value *object = value_object(), *merged = NULL;
    for (;;) {
        yaml_event_t e;
        int code = yaml_next(r, &e);
        if (code < 0)
            return code;
        const bool end = e.type == YAML_MAPPING_END_EVENT;
        code = end ? 0 : yaml_member(r, &e, object, &merged);
        lib.event_done(&e);
        if (code < 0)
            return code;
        if (end)
            break;
    }
    int code = merged ? yaml_merge(r, at, object, merged) : 0;
    if (code == 0)
        *ret = TAKE_PTR(object);
    return code;
}

static int yaml_event_scalar(struct yaml_reader *r, const yaml_event_t *e, struct value **ret)
{
    struct err why = {0};
    const bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct str text = {(const char *)e->data.scalar.value, e->data.scalar.length};
    struct value *v = NULL;
    const int code = yaml_scalar((const char *)e->data.scalar.tag, plain, text, &v, &why);
    if (code < 0)
        return yaml_fail(r, e->start_mark, "%s", why.text);
    if (r->strings && value_kind(v) != VALUE_NULL) {
        value_unref(v);
        v = value_string(text);
    }
    *ret = v;
    return 0;
}

static int yaml_node(struct yaml_reader *r, const yaml_event_t *e, struct value **ret)
{
    const size_t before = r->values;
    if (e->type == YAML_ALIAS_EVENT)
        return yaml_alias(r, e, ret);
    int code = yaml_count(r, 1);
    if (code < 0)
        return code;
    if (++r->depth > YAML_DEPTH_MAX)
        return yaml_fail(r, e->start_mark, "nested too deeply (more than %d levels)", YAML_DEPTH_MAX);
    const bool is_scalar = e->type == YAML_SCALAR_EVENT, is_map = e->type == YAML_MAPPING_START_EVENT;
    size_t anchor = open_anchor(r, is_scalar ? e->data.scalar.anchor
                                   : is_map  ? e->data.mapping_start.anchor
                                             : e->data.sequence_start.anchor);
    cleanup_value struct value *v = NULL;
    code = is_scalar ? yaml_event_scalar(r, e, &v) : is_map ? yaml_mapping(r, e->start_mark, &v) : yaml_sequence(r, &v);
    if (code < 0)
        return code;
    if (value_depth(v) > YAML_DEPTH_MAX)
        return yaml_fail(r, e->start_mark, "nested too deeply (more than %d levels)", YAML_DEPTH_MAX);
    close_anchor(r, anchor, v, before);
    r->depth--;
    *ret = TAKE_PTR(v);
    return 0;
}

static int event_type(struct yaml_reader *r, yaml_event_type_t *ret)
{
    yaml_event_t e;
    int code = yaml_next(r, &e);
    if (code < 0)
        return code;
    *ret = e.type;
    lib.event_done(&e);
    return 0;
}

/* The content of the first document, up to where it ends: that is where rubbish after it shows. */
static int yaml_document(struct yaml_reader *r, struct value **ret)
{
    yaml_event_type_t type = YAML_NO_EVENT;
    cleanup_value struct value *v = NULL;
    int code = event_type(r, &type);
    if (code == 0)
        code = event_type(r, &type);
    if (code == 0 && type == YAML_STREAM_END_EVENT)
        v = value_null();
    else if (code == 0 && (code = next_node(r, &v)) == 0)
        code = event_type(r, &type);
    if (code == 0)
        *ret = TAKE_PTR(v);
    return code;
}

static int read_yaml(struct str text, bool strings, struct value **ret, struct err *err)
{
    if (text.n > YAML_TEXT_MAX)
        return err_set(err, -E2BIG, "yaml: more than %d bytes", YAML_TEXT_MAX);
    int code = load_library(err);
    if (code < 0)
        return code;
    struct yaml_reader r = {.strings = strings, .err = err};
    if (!lib.initialize(&r.parser))
        return err_set(err, -ENOMEM, "yaml: out of memory");
    lib.set_input(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    code = yaml_document(&r, ret);
    for (size_t i = 0; i < r.anchor_count; i++) {
        free(r.anchors[i].name);
        value_unref(r.anchors[i].value);
    }
    free(r.anchors);
    strmap_done(&r.by_name);
    lib.done(&r.parser);
    return code;
}

int yaml_read(struct str text, struct value **ret, struct err *err)
{
    return read_yaml(text, false, ret, err);
}

int yaml_read_strings(struct str text, struct value **ret, struct err *err)
{
    return read_yaml(text, true, ret, err);
}
