#include "graph/reference.h"

#include "lang/stdlib.h"
#include "lang/suggest.h"

static struct range part_range(const struct ast_traversal *t, size_t i)
{
    const struct source *source = t->range.first.source;
    const size_t first = (size_t)(t->path[i].p - source->text.p);
    return source_range(source, first, first + t->path[i].n - 1);
}

static void report_no_field(const struct ast_traversal *t, size_t i, const struct suggest *close, struct diags *ds)
{
    diag_error(ds, part_range(t, i), "field \"%.*s\" does not exist" SUGGEST_FMT, STR_ARG(t->path[i]),
               SUGGEST_ARG(*close));
}

static bool try_field(struct suggest *close, struct str name)
{
    suggest_try(close, name);
    return str_eq(close->name, name);
}

static bool try_exports(struct suggest *close, const struct ast_body *declare)
{
    for (size_t i = 0; i < declare->len; i++) {
        const struct ast_stmt *s = &declare->stmts[i];
        if (s->kind == AST_BLOCK && str_is(s->name, "export") && try_field(close, s->label))
            return true;
    }
    return false;
}

static void check_field(const struct block *on, const struct ast_traversal *t, size_t i, struct diags *ds)
{
    struct suggest close = suggest_for(t->path[i]);
    const struct declare *declare;
    if (on->type == BLOCK_COMPONENT && on->def) {
        for (const char *const *name = on->def->exports; name && *name; name++) {
            if (try_field(&close, str_of(*name)))
                return;
        }
    } else if (on->type == BLOCK_CUSTOM &&
               definitions_find(on->plan->definitions, on->stmt->name, &declare) == DEFINITIONS_FOUND) {
        if (try_exports(&close, &declare->stmt->body))
            return;
    } else if (on->type != BLOCK_ARGUMENT || try_field(&close, STR("value"))) {
        return;
    }
    report_no_field(t, i, &close, ds);
}

void reference_check(const struct block *on, const struct ast_traversal *t, size_t used, struct diags *ds)
{
    on = plan_origin(on);
    if (on->type == BLOCK_INPUT)
        return;
    cleanup_value struct value *hidden = stdlib_resolve(t->path, 1, &(size_t){0});
    if (hidden)
        diag_warn(ds, part_range(t, 0), "a component is shadowing an existing stdlib name");
    if (used < t->len)
        check_field(on, t, used, ds);
}

/* In the words of the validator. */
static void check_member(const struct ast_traversal *t, const struct diags *found, struct diags *ds)
{
    if (found->len > found->errors)
        diag_warn(ds, t->range,
                  "this stdlib function is deprecated; please refer to the documentation for updated usage and "
                  "alternatives");
    for (size_t i = 0; i < found->len; i++) {
        if (found->items[i].severity == SEVERITY_ERROR)
            diag_error(ds, found->items[i].range, "%s", found->items[i].message);
    }
    size_t used;
    cleanup_value struct value *v = stdlib_resolve(t->path, t->len, &used);
    if (!v || used == t->len || value_kind(v) != VALUE_OBJECT)
        return;
    struct suggest close = suggest_for(t->path[used]);
    for (size_t i = 0; i < value_len(v); i++) {
        if (try_field(&close, value_key(v, i, &(struct value *){NULL})))
            return;
    }
    report_no_field(t, used, &close, ds);
}

bool reference_is_of_library(const struct ast_traversal *t, const struct plan_options *options, struct diags *ds)
{
    if (!options->is_thorough)
        return stdlib_reference(t, options->stability, ds);
    cleanup_diags struct diags found = DIAGS_INIT;
    if (!stdlib_reference(t, options->stability, &found))
        return false;
    check_member(t, &found, ds);
    return true;
}
