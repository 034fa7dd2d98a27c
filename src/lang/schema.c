#include "lang/schema.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"
#include "lang/ast.h"
#include "lang/eval.h"
#include "lang/option.h"
#include "lang/parser.h"
#include "lang/static_check.h"
#include "lang/suggest.h"

struct block_decoder {
    const struct schema *schema;
    const struct scope *scope;
    char *record;
    unsigned *seen; /* how often each option came, by its position */
    bool check;     /* nothing is evaluated: `record` is zeroed memory to try things in */
    bool decodes;   /* at the same time: an outer block tries all of its values together, which includes these */
    struct diags *ds;
};

static void schema_check_body(const struct schema *s, const struct ast_body *body, struct range block, bool decodes,
                              struct diags *ds);

static bool schema_is_block(const struct option *o)
{
    return o->kind == OPT_BLOCK || o->kind == OPT_BLOCKS;
}

static void set_seen(const struct option *o, char *record)
{
    if (o->set_offset)
        *(bool *)(record + o->set_offset) = true;
}

/* A default that does not fit is a mistake in the table, not in anyone's configuration. */
static _Noreturn void bad_default(const struct option *o, const char *why)
{
    fprintf(stderr, "default of option %s: %s\n", o->name, why);
    abort();
}

/* Evaluated once for the whole run: tables are decoded at every change. By the text's address, as it belongs to a
 * static table. */
static struct value *default_value(const struct option *o)
{
    static struct u64map values;
    uint64_t known;
    if (u64map_get(&values, (uintptr_t)o->default_text, &known))
        return (struct value *)(uintptr_t)known;
    cleanup_source struct source *source = NULL;
    cleanup_ast struct ast_file *file = NULL;
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct value *v;
    struct err err = {0};
    if (source_new("", str_of(o->default_text), &source, &err) < 0)
        bad_default(o, err.text);
    if (parse_expression(source, &file, &ds) < 0 || eval(file->expr, NULL, &v, &ds) < 0)
        bad_default(o, ds.items[0].message);
    u64map_put(&values, (uintptr_t)o->default_text, (uintptr_t)v);
    return v;
}

static void set_default(const struct option *o, char *record)
{
    if (schema_is_block(o)) {
        if (o->kind == OPT_BLOCK)
            schema_defaults(o->block, record + o->offset);
        return;
    }
    if (!o->default_text)
        return option_zero(o, record + o->offset);
    struct err err = {0};
    if (option_decode(o, default_value(o), record + o->offset, &err) < 0)
        bad_default(o, err.text);
}

/* Of a schema with labels. */
static char **schema_label(const struct schema *s, const void *record)
{
    return (char **)(uintptr_t)((const char *)record + s->label_offset);
}

void schema_defaults(const struct schema *s, void *record)
{
    if (s->label_offset)
        *schema_label(s, record) = xstrdup("");
    for (const struct option *o = s->options; o->name; o++)
        set_default(o, record);
}

/* The option a statement is about; NULL after saying why there is none. */
static const struct option *find_option(struct block_decoder *d, const struct ast_stmt *s)
{
    bool block = s->kind == AST_BLOCK;
    const char *what = block ? "block" : "attribute";
    for (const struct option *o = d->schema->options; o->name; o++) {
        if (!str_is(s->name, o->name))
            continue;
        if (schema_is_block(o) == block)
            return o;
        diag_error(d->ds, s->range, "\"%s\" must be %s, but is used as %s", o->name, block ? "an attribute" : "a block",
                   block ? "a block" : "an attribute");
        /* It was there, if wrongly: that it is missing as well would be noise. */
        d->seen[o - d->schema->options]++;
        return NULL;
    }
    struct suggest close = suggest_for(s->name);
    for (const struct option *o = d->schema->options; o->name; o++)
        if (schema_is_block(o) == block)
            suggest_try(&close, str_of(o->name));
    diag_error(d->ds, s->range, "unrecognized %s name \"%.*s\"" SUGGEST_FMT, what, STR_ARG(s->name),
               SUGGEST_ARG(close));
    return NULL;
}

static void decode_attr(struct block_decoder *d, const struct option *o, const struct ast_stmt *s)
{
    if (d->seen[o - d->schema->options]++) {
        diag_error(d->ds, s->range, "attribute \"%s\" may only be provided once", o->name);
        return;
    }
    if (d->check) {
        static_check(o, s->value, d->record + o->offset, d->ds);
        return;
    }
    set_seen(o, d->record);
    cleanup_value struct value *v = NULL;
    struct err err = {0};
    if (eval(s->value, d->scope, &v, d->ds) < 0)
        return;
    option_done(o, d->record + o->offset);
    if (option_decode(o, v, d->record + o->offset, &err) < 0)
        eval_blame(s->value, err.text, d->ds);
}

static void decode_block(struct block_decoder *d, const struct option *o, const struct ast_stmt *s)
{
    const bool labelled = s->label_range.first.source && s->label.n;
    if (o->block->label_offset && !labelled)
        diag_error(d->ds, s->range, "block \"%s\" requires non-empty label", o->name);
    if (!o->block->label_offset && labelled) {
        struct range range = {s->range.first, s->open.first};
        diag_error(d->ds, range, "block \"%s\" does not support specifying labels", o->name);
    }
    if (d->seen[o - d->schema->options]++ && o->kind != OPT_BLOCKS) {
        diag_error(d->ds, s->range, "block \"%s\" may only be specified once", o->name);
        return;
    }
    if (d->check) {
        schema_check_body(o->block, &s->body, s->range, d->decodes, d->ds);
        return;
    }
    set_seen(o, d->record);
    char *record = d->record + o->offset;
    if (o->kind == OPT_BLOCKS) {
        struct block_list *list = (struct block_list *)record;
        list->items = xrealloc(list->items, (list->len + 1) * o->block->size);
        record = (char *)list->items + list->len++ * o->block->size;
        memset(record, 0, o->block->size);
    } else {
        schema_done(o->block, record);
    }
    /* What is wrong is in the list of diagnostics; the record is empty then, and thrown away with the rest. */
    if (schema_decode(o->block, &s->body, s->range, d->scope, record, d->ds) < 0)
        return;
    if (o->block->label_offset) {
        free(*schema_label(o->block, record));
        *schema_label(o->block, record) = str_dup(s->label);
    }
}

static void check_required(struct block_decoder *d, struct range block)
{
    const struct option *options = d->schema->options;
    for (const struct option *o = options; o->name; o++)
        if (o->required && !d->seen[o - options])
            diag_error(d->ds, block, "missing required %s \"%s\"", schema_is_block(o) ? "block" : "attribute", o->name);
}

/* The statements in source order, then what is missing. */
static void decode_body(struct block_decoder *d, const struct ast_body *body, struct range block)
{
    size_t count = 0;
    while (d->schema->options[count].name)
        count++;
    cleanup_free unsigned *seen = xcalloc(count + 1, sizeof *seen);
    d->seen = seen;
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *stmt = &body->stmts[i];
        const struct option *o = find_option(d, stmt);
        if (o && stmt->kind == AST_ATTR)
            decode_attr(d, o, stmt);
        else if (o)
            decode_block(d, o, stmt);
    }
    check_required(d, block);
}

int schema_decode(const struct schema *s, const struct ast_body *body, struct range block, const struct scope *scope,
                  void *record, struct diags *ds)
{
    const size_t errors = ds->errors;
    struct block_decoder d = {.schema = s, .scope = scope, .record = record, .ds = ds};
    memset(record, 0, s->size);
    schema_defaults(s, record);
    decode_body(&d, body, block);
    struct err err = {0};
    if (ds->errors == errors && s->validate && s->validate(record, &err) < 0)
        diag_error(ds, block, "%s", err.text);
    if (ds->errors == errors)
        return 0;
    schema_done(s, record);
    return -EINVAL;
}

static void schema_check_body(const struct schema *s, const struct ast_body *body, struct range block, bool decodes,
                              struct diags *ds)
{
    const size_t errors = ds->errors;
    const bool whole = !decodes && static_body(body);
    cleanup_free void *record = xcalloc(1, s->size);
    struct block_decoder d = {.schema = s, .record = record, .check = true, .decodes = decodes || whole, .ds = ds};
    decode_body(&d, body, block);
    /* Nothing of it depends on anything: what the record says of itself counts, too. */
    if (whole && ds->errors == errors && schema_decode(s, body, block, NULL, record, ds) == 0)
        schema_done(s, record);
}

void schema_check(const struct schema *s, const struct ast_body *body, struct range block, struct diags *ds)
{
    schema_check_body(s, body, block, false, ds);
}

static bool blocks_equal(const struct schema *s, const struct block_list *a, const struct block_list *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!schema_equal(s, (char *)a->items + i * s->size, (char *)b->items + i * s->size))
            return false;
    return true;
}

static bool field_equal(const struct option *o, const void *a, const void *b)
{
    const void *x = (const char *)a + o->offset, *y = (const char *)b + o->offset;
    switch (o->kind) {
    case OPT_BLOCK:
        return schema_equal(o->block, x, y);
    case OPT_BLOCKS:
        return blocks_equal(o->block, x, y);
    default:
        return option_equal(o, x, y);
    }
}

bool schema_equal(const struct schema *s, const void *a, const void *b)
{
    if (s->label_offset && strcmp(*schema_label(s, a), *schema_label(s, b)) != 0)
        return false;
    for (const struct option *o = s->options; o->name; o++) {
        if (!field_equal(o, a, b))
            return false;
        if (o->set_offset && *((const bool *)a + o->set_offset) != *((const bool *)b + o->set_offset))
            return false;
    }
    return true;
}

void schema_done(const struct schema *s, void *record)
{
    for (const struct option *o = s->options; o->name; o++) {
        char *field = (char *)record + o->offset;
        if (o->kind == OPT_BLOCK) {
            schema_done(o->block, field);
        } else if (o->kind == OPT_BLOCKS) {
            struct block_list *list = (struct block_list *)field;
            for (size_t i = 0; i < list->len; i++)
                schema_done(o->block, (char *)list->items + i * o->block->size);
            free(list->items);
        } else {
            option_done(o, field);
        }
    }
    if (s->label_offset)
        free(*schema_label(s, record));
    memset(record, 0, s->size);
}

static struct value *blocks_to_value(const struct schema *s, const struct block_list *list)
{
    cleanup_free struct value **items = xcalloc(list->len + 1, sizeof *items);
    for (size_t i = 0; i < list->len; i++)
        items[i] = schema_to_value(s, (const char *)list->items + i * s->size);
    return value_array(items, list->len);
}

struct value *schema_to_value(const struct schema *s, const void *record)
{
    struct value *object = value_object();
    cleanup_free void *defaults = xcalloc(1, s->size);
    schema_defaults(s, defaults);
    for (const struct option *o = s->options; o->name; o++) {
        const void *field = (const char *)record + o->offset;
        if (!o->required && field_equal(o, record, defaults))
            continue;
        struct value *v = o->kind == OPT_BLOCK    ? schema_to_value(o->block, field)
                          : o->kind == OPT_BLOCKS ? blocks_to_value(o->block, field)
                                                  : option_to_value(o, field);
        value_object_put(object, str_of(o->name), v);
    }
    if (s->label_offset)
        value_object_put(object, STR("label"), value_string(str_of(*schema_label(s, record))));
    schema_done(s, defaults);
    return object;
}
