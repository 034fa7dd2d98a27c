#include <stddef.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/missing.h"
#include "graph/registry.h"
#include "graph/validate_internal.h"
#include "lang/schema.h"
#include "lang/stdlib.h"
#include "lang/suggest.h"

/* --- definitions --- */

/* The declare or import a component's first name is the label of, and where that stands. */
static const struct check_node *find_custom(const struct check_body *b, struct str name, struct check_body **home)
{
    for (; b; b = b->parent) {
        const struct check_node *n = strmap_get(&b->custom, name);
        if (n) {
            *home = (struct check_body *)b;
            return n;
        }
    }
    return NULL;
}

/* A declare whose body uses another one around it needs that to be made, so a circle of them would never end. */
static void need_declare(struct check_body *from, struct check_body *home, const struct check_node *declare)
{
    const struct check_node *owner = NULL;
    for (const struct check_body *b = from; b != home; b = b->parent)
        owner = b->owner;
    if (owner && declare->kind == CHECK_DECLARE)
        dag_need(&home->dag, owner->place, declare->place);
}

static void refuse_unknown(const struct check_body *b, const struct ast_stmt *s, struct diags *ds)
{
    struct suggest close = suggest_for(s->name);
    for (const struct component_def *const *def = b->options->components; *def; def++)
        suggest_try(&close, str_of((*def)->name));
    for (const struct check_body *at = b; at; at = at->parent)
        strmap_each(&at->custom, e) suggest_try(&close, e->key);
    diag_error(ds, s->name_range, "cannot find the definition of component name \"%.*s\"" SUGGEST_FMT, STR_ARG(s->name),
               SUGGEST_ARG(close));
}

static void define_custom(struct check_body *b, struct check_node *n, struct check_body *home)
{
    const struct ast_stmt *s = n->stmt;
    struct diags *ds = &n->own;
    const bool import = n->declaration->kind == CHECK_IMPORT;
    if (n->declaration->skipped) {
        n->skipped = true;
        diag_warn(ds, s->name_range, "component \"%.*s\" is unknown here and left out", STR_ARG(s->name));
    } else if (import != (s->fragment_count > 1)) {
        n->declaration = NULL;
        refuse_unknown(b, s, ds);
    } else {
        need_declare(b, home, n->declaration);
    }
}

/* What a component is; says so if there is no such thing. */
static void define(struct check_body *b, struct check_node *n)
{
    const struct ast_stmt *s = n->stmt;
    struct diags *ds = &n->own;
    struct check_body *home = NULL;
    struct err err = {0};
    n->declaration = find_custom(b, s->fragments[0], &home);
    if (n->declaration) {
        define_custom(b, n, home);
        return;
    }
    n->def = registry_find(b->options->components, s->name);
    if (!n->def) {
        n->skipped = b->options->skip_unknown;
        if (n->skipped)
            diag_warn(ds, s->name_range, "component \"%.*s\" is unknown here and left out", STR_ARG(s->name));
        else
            refuse_unknown(b, s, ds);
        return;
    }
    n->schema = n->def->args;
    cleanup_free char *what = xasprintf("component \"%s\"", n->def->name);
    if (stability_check(what, n->def->stability, b->options->stability, &err) < 0)
        diag_error(ds, s->name_range, "%s", err.text);
}

/* --- arguments of custom components --- */

static const struct ast_stmt *attribute(const struct ast_body *body, struct str name)
{
    for (size_t i = 0; i < body->len; i++)
        if (body->stmts[i].kind == AST_ATTR && str_eq(body->stmts[i].name, name))
            return &body->stmts[i];
    return NULL;
}

static bool is_optional(const struct check_node *argument)
{
    const struct ast_stmt *s = attribute(&argument->stmt->body, STR("optional"));
    return s && s->value->kind == AST_LITERAL && str_is(s->value->name, "true");
}

/* The argument or export block of that label inside a declare. */
static const struct check_node *find_inner(const struct check_node *declare, const char *block, struct str label)
{
    cleanup_free char *id = xasprintf("%s.%.*s", block, STR_ARG(label));
    return strmap_get(&declare->inner->ids, str_of(id));
}

static void check_given(const struct check_node *n, const struct ast_stmt *s, struct diags *ds)
{
    if (s->kind == AST_BLOCK) {
        diag_error(ds, s->range, "unrecognized block name \"%.*s\"", STR_ARG(s->name));
        return;
    }
    if (attribute(&n->stmt->body, s->name) != s)
        diag_error(ds, s->range, "attribute \"%.*s\" may only be provided once", STR_ARG(s->name));
    if (find_inner(n->declaration, "argument", s->name))
        return;
    struct suggest close = suggest_for(s->name);
    const struct check_body *inner = n->declaration->inner;
    for (size_t i = 0; i < inner->len; i++)
        if (inner->nodes[i]->kind == CHECK_ARGUMENT)
            suggest_try(&close, inner->nodes[i]->stmt->label);
    diag_error(ds, s->range, "unrecognized attribute name \"%.*s\"" SUGGEST_FMT, STR_ARG(s->name), SUGGEST_ARG(close));
}

static void check_custom(const struct check_node *n, struct diags *ds)
{
    for (size_t i = 0; i < n->stmt->body.len; i++)
        check_given(n, &n->stmt->body.stmts[i], ds);
    const struct check_body *inner = n->declaration->inner;
    for (size_t i = 0; i < inner->len; i++) {
        const struct check_node *a = inner->nodes[i];
        if (a->kind == CHECK_ARGUMENT && a->stmt->label.n && !is_optional(a) &&
            !attribute(&n->stmt->body, a->stmt->label))
            diag_error(ds, n->stmt->range, "missing required attribute \"%.*s\"", STR_ARG(a->stmt->label));
    }
}

/* --- references --- */

struct linking {
    struct check_body *body;
    const struct check_node *from;
    struct diags *ds;
};

/* The node that the shortest prefix of a path names. Templates see what is around them. */
static const struct check_node *find_node(const struct check_body *b, const struct ast_traversal *t, size_t *used,
                                          const struct check_body **home)
{
    cleanup_buf struct buf id = BUF_INIT(VALIDATE_ID_MAX);
    for (size_t i = 0; i < t->len && buf_ok(&id); i++) {
        if (i > 0)
            buf_byte(&id, '.');
        buf_str(&id, t->path[i]);
        for (const struct check_body *at = b; at && buf_ok(&id); at = at->is_template ? at->parent : NULL) {
            const struct check_node *n = strmap_get(&at->ids, buf_slice(&id));
            if (n) {
                *used = i + 1;
                *home = at;
                return n;
            }
        }
    }
    return NULL;
}

static struct range name_range(const struct ast_traversal *t, size_t i)
{
    const struct source *source = t->range.first.source;
    const size_t first = (size_t)(t->path[i].p - source->text.p);
    return source_range(source, first, first + t->path[i].n - 1);
}

static void report_no_field(const struct ast_traversal *t, size_t i, const struct suggest *close, struct diags *ds)
{
    diag_error(ds, name_range(t, i), "field \"%.*s\" does not exist" SUGGEST_FMT, STR_ARG(t->path[i]),
               SUGGEST_ARG(*close));
}

static bool try_field(struct suggest *close, struct str name)
{
    suggest_try(close, name);
    return str_eq(close->name, name);
}

/* Whether what a node is asked for is something it has, where that is known. */
static void check_field(const struct check_node *on, const struct ast_traversal *t, size_t i, struct diags *ds)
{
    struct suggest close = suggest_for(t->path[i]);
    if (on->kind == CHECK_COMPONENT && on->def) {
        for (const char *const *name = on->def->exports; name && *name; name++)
            if (try_field(&close, str_of(*name)))
                return;
    } else if (on->kind == CHECK_COMPONENT && on->declaration && on->declaration->inner) {
        const struct check_body *inner = on->declaration->inner;
        for (size_t k = 0; k < inner->len; k++)
            if (inner->nodes[k]->kind == CHECK_EXPORT && try_field(&close, inner->nodes[k]->stmt->label))
                return;
    } else if (on->kind != CHECK_ARGUMENT || try_field(&close, STR("value"))) {
        return;
    }
    report_no_field(t, i, &close, ds);
}

static bool is_variable(const struct check_body *b, struct str name)
{
    for (; b && b->is_template; b = b->parent)
        if (b->var && str_is(name, b->var))
            return true;
    return str_is(name, "module_path");
}

/* A path of the library: deprecated, not settled enough, or not there. */
static bool check_stdlib(const struct linking *l, const struct ast_traversal *t)
{
    cleanup_diags struct diags found = DIAGS_INIT;
    if (!stdlib_reference(t, l->body->options->stability, &found))
        return false;
    if (found.len > found.errors)
        diag_warn(l->ds, t->range,
                  "this stdlib function is deprecated; please refer to the documentation for updated usage and "
                  "alternatives");
    for (size_t i = 0; i < found.len; i++)
        if (found.items[i].severity == SEVERITY_ERROR)
            diag_error(l->ds, found.items[i].range, "%s", found.items[i].message);
    size_t used;
    cleanup_value struct value *v = stdlib_resolve(t->path, t->len, &used);
    if (!v || used == t->len || value_kind(v) != VALUE_OBJECT)
        return true;
    struct suggest close = suggest_for(t->path[used]);
    for (size_t i = 0; i < value_len(v); i++)
        if (try_field(&close, value_key(v, i, &(struct value *){NULL})))
            return true;
    report_no_field(t, used, &close, l->ds);
    return true;
}

static void report_missing(const struct linking *l, const struct ast_traversal *t)
{
    struct missing m = missing_of(t);
    for (const struct check_body *b = l->body; b && l->ds->errors < MISSING_TRIES_MAX;
         b = b->is_template ? b->parent : NULL) {
        for (size_t i = 0; i < b->len; i++) {
            const struct check_node *n = b->nodes[i];
            /* What is unknown itself had better be written like the reference. */
            const bool unknown = n->kind == CHECK_COMPONENT && !n->def && !n->declaration;
            if (n != l->from && !unknown)
                missing_try(&m, n->stmt->fragment_count + (n->stmt->label.n > 0), n->id);
        }
    }
    missing_report(&m, l->ds);
}

static void check_reference(void *arg, const struct ast_traversal *t)
{
    const struct linking *l = arg;
    size_t used = 0;
    const struct check_body *home = NULL;
    const struct check_node *on = find_node(l->body, t, &used, &home);
    if (!on) {
        if (!is_variable(l->body, t->path[0]) && !check_stdlib(l, t))
            report_missing(l, t);
        return;
    }
    cleanup_value struct value *hidden = stdlib_resolve(t->path, 1, &(size_t){0});
    if (hidden)
        diag_warn(l->ds, name_range(t, 0), "a component is shadowing an existing stdlib name");
    if (used < t->len && !on->skipped)
        check_field(on, t, used, l->ds);
    if (home == l->body)
        dag_need(&l->body->dag, l->from->place, on->place);
}

/* --- cycles --- */

struct cycle {
    size_t *members, len;
};
struct cycles {
    struct cycle *items;
    size_t len, cap;
};

static void keep_cycle(void *arg, const size_t *members, size_t n)
{
    struct cycles *c = arg;
    xgrow(&c->items, &c->cap, c->len + 1, sizeof *c->items);
    struct cycle *new = &c->items[c->len++];
    *new = (struct cycle){xcalloc(n, sizeof *members), n};
    memcpy(new->members, members, n * sizeof *members);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Circles first, then what needs itself; in the order of the text. */
static int by_size_and_place(const void *a, const void *b)
{
    const struct cycle *x = a, *y = b;
    if ((x->len == 1) != (y->len == 1))
        return x->len == 1 ? 1 : -1;
    return x->members[0] < y->members[0] ? -1 : x->members[0] > y->members[0];
}

static struct range head_of(const struct check_node *n)
{
    return (struct range){n->stmt->range.first, n->stmt->open.first};
}

static void report_cycle(const struct check_body *b, const struct cycle *c, struct diags *ds)
{
    if (c->len == 1) {
        diag_error(ds, head_of(b->nodes[c->members[0]]), "cannot reference self");
        return;
    }
    cleanup_free const char **ids = xcalloc(c->len, sizeof *ids);
    for (size_t i = 0; i < c->len; i++)
        ids[i] = b->nodes[c->members[i]]->id;
    qsort(ids, c->len, sizeof *ids, by_text);
    cleanup_buf struct buf text = BUF_INIT(VALIDATE_ID_MAX);
    for (size_t i = 0; i < c->len; i++) {
        buf_puts(&text, i ? ", " : "");
        buf_puts(&text, ids[i]);
    }
    for (size_t i = 0; i < c->len; i++)
        diag_error(ds, head_of(b->nodes[c->members[i]]), "cycle detected: %s%s", buf_cstr(&text),
                   buf_ok(&text) ? "" : ", …");
}

static void check_cycles(const struct check_body *b, struct diags *ds)
{
    struct cycles found = {0};
    dag_cycles(&b->dag, keep_cycle, &found);
    if (found.len)
        qsort(found.items, found.len, sizeof *found.items, by_size_and_place);
    for (size_t i = 0; i < found.len; i++) {
        report_cycle(b, &found.items[i], ds);
        free(found.items[i].members);
    }
    free(found.items);
}

/* --- all of it --- */

static bool needs_only_skipped(const struct check_body *b, const struct check_node *n)
{
    const struct dag_links *needs = &b->dag.needs[n->place];
    for (size_t i = 0; i < needs->len; i++)
        if (!b->nodes[needs->items[i]]->skipped)
            return false;
    return needs->len > 0;
}

static void skip_dependants(struct check_body *b, struct diags *ds)
{
    cleanup_free size_t *order = xcalloc(b->len + 1, sizeof *order);
    if (!dag_order(&b->dag, order))
        return;
    for (size_t i = 0; i < b->len; i++) {
        struct check_node *n = b->nodes[order[i]];
        if (n->skipped || (n->kind != CHECK_COMPONENT && n->kind != CHECK_FOREACH) || !needs_only_skipped(b, n))
            continue;
        n->skipped = true;
        diag_warn(ds, check_id_range(n->stmt, n->id), "%s needs nothing but what is left out, and is left out, too",
                  n->id);
    }
}

static void check_node(struct check_body *b, struct check_node *n, struct diags *ds)
{
    diags_move(ds, &n->own);
    if (n->schema)
        schema_check(n->schema, &n->body, n->stmt->range, ds);
    else if (n->declaration && n->declaration->inner)
        check_custom(n, ds);
    if (n->inner)
        check_all(n->inner, ds);
    ast_traversals(&n->body, check_reference, &(struct linking){b, n, ds});
}

void check_all(struct check_body *b, struct diags *ds)
{
    diags_move(ds, &b->own);
    for (size_t i = 0; i < b->len; i++)
        if (b->nodes[i]->kind == CHECK_COMPONENT)
            define(b, b->nodes[i]);
    for (size_t i = 0; i < b->len; i++)
        check_node(b, b->nodes[i], ds);
    check_cycles(b, ds);
    if (b->options->skip_unknown)
        skip_dependants(b, ds);
}
