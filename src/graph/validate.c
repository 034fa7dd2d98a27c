#include "graph/validate.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/plan.h"
#include "graph/registry.h"
#include "settings/settings.h"
#include "graph/validate_internal.h"
#include "lang/parser.h"
#include "lang/stability.h"

/* Statements of one body, in one or more files. */
struct parts {
    const struct ast_body *const *items;
    size_t len;
};

static struct check_body *collect(const struct validate_options *o, struct check_body *parent,
                                  const struct check_node *owner, struct parts parts);

struct range check_id_range(const struct ast_stmt *s, const char *id)
{
    const struct pos first = s->range.first;
    return source_range(first.source, first.offset, first.offset + strlen(id) - 1);
}

/* --- kinds of blocks --- */

/* In the order in which they are looked at. */
enum block_class { CLASS_DECLARE, CLASS_CONFIG, CLASS_COMPONENT, CLASS_SERVICE, CLASSES };

static bool is_one_of(struct str name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static bool is_import(struct str name)
{
    static const char *const names[] = {"import.file", "import.string", "import.http", "import.git"};
    return is_one_of(name, names, ARRAY_LEN(names));
}

/* Known by name, with nothing to configure. */
static bool is_fixed_service(struct str name)
{
    static const char *const names[] = {"cluster", "labelstore", "otel", "ui"};
    return is_one_of(name, names, ARRAY_LEN(names));
}

static enum block_class class_of(const struct ast_stmt *s)
{
    static const char *const configs[] = {"logging", "tracing", "argument", "export", "foreach"};
    if (str_is(s->name, "declare"))
        return CLASS_DECLARE;
    if (is_one_of(s->name, configs, ARRAY_LEN(configs)) || is_import(s->name))
        return CLASS_CONFIG;
    if (settings_has(s->name) || is_fixed_service(s->name) || str_is(s->name, "remotecfg"))
        return CLASS_SERVICE;
    return CLASS_COMPONENT;
}

/* --- blocks to nodes --- */

/* A node in the body; says so if there is one of that id already, and sets *repeated. */
static struct check_node *add_node(struct check_body *b, const struct ast_stmt *s, enum check_kind kind, bool *repeated)
{
    struct check_node *n = xcalloc(1, sizeof *n);
    *n = (struct check_node){.kind = kind, .stmt = s, .body = s->body, .place = b->len};
    n->id = s->label.n ? xasprintf("%.*s.%.*s", STR_ARG(s->name), STR_ARG(s->label)) : str_dup(s->name);
    xgrow(&b->nodes, &b->cap, b->len + 1, sizeof *b->nodes);
    b->nodes[b->len++] = n;
    const struct check_node *earlier = strmap_get(&b->ids, str_of(n->id));
    *repeated = earlier != NULL;
    if (!earlier) {
        strmap_put(&b->ids, str_of(n->id), n);
        return n;
    }
    const struct pos *at = &earlier->stmt->range.first;
    diag_error(&n->own, check_id_range(s, n->id), "block %s already declared at %s:%u:%u", n->id, at->source->name,
               at->line, at->column);
    return n;
}

static bool need_label(struct check_node *n)
{
    if (!n->stmt->label.n)
        diag_error(&n->own, n->stmt->name_range, "%.*s block must have a label", STR_ARG(n->stmt->name));
    return n->stmt->label.n > 0;
}

/* Settings belong to the program, so they stand at the root. */
static void need_root(const struct check_body *b, struct check_node *n)
{
    bool in_module = false;
    for (const struct check_body *around = b; around->owner; around = around->parent)
        in_module |= !around->is_template;
    if (b->owner)
        diag_error(&n->own, check_id_range(n->stmt, n->id), "%s not allowed in %s", n->id,
                   in_module ? "module" : "foreach");
}

static void need_no_label(struct check_node *n)
{
    if (n->stmt->label.n)
        diag_error(&n->own, n->stmt->label_range, "block \"%.*s\" does not support specifying labels",
                   STR_ARG(n->stmt->name));
}

static void add_declare(struct check_body *b, const struct ast_stmt *s)
{
    bool repeated;
    struct check_node *n = add_node(b, s, CHECK_DECLARE, &repeated);
    if (need_label(n) && str_is(s->label, "declare"))
        diag_error(&n->own, s->range, "'declare' is not a valid label for a declare block");
    n->body = (struct ast_body){0};
    const struct ast_body *part = &s->body;
    n->inner = collect(b->options, b, n, (struct parts){&part, 1});
    if (s->label.n && !repeated)
        strmap_put(&b->custom, s->label, n);
}

static void add_import(struct check_body *b, const struct ast_stmt *s)
{
    bool repeated;
    struct check_node *n = add_node(b, s, CHECK_IMPORT, &repeated);
    if (need_label(n) && !repeated)
        strmap_put(&b->custom, s->label, n);
    n->def = registry_find(b->options->components, s->name);
    n->schema = n->def ? n->def->args : NULL;
    n->skipped = !n->def && b->options->skip_unknown;
    if (n->skipped)
        diag_warn(&n->own, s->name_range, "import \"%.*s\" is unknown here and left out", STR_ARG(s->name));
    else if (!n->def)
        diag_error(&n->own, s->name_range, "\"%.*s\" blocks are not supported by this version", STR_ARG(s->name));
}

static void add_module_block(struct check_body *b, const struct ast_stmt *s)
{
    bool repeated;
    const bool argument = str_is(s->name, "argument");
    struct check_node *n = add_node(b, s, argument ? CHECK_ARGUMENT : CHECK_EXPORT, &repeated);
    n->schema = argument ? &argument_schema : &export_schema;
    if (!b->owner || b->is_template)
        diag_error(&n->own, s->range, "%.*s blocks only allowed inside a module", STR_ARG(s->name));
    need_label(n);
}

/* The block without its template, as a list of its own. */
static void drop_template(struct check_node *n, const struct ast_stmt *template)
{
    struct ast_stmt *rest = xcalloc(n->stmt->body.len + 1, sizeof *rest);
    size_t len = 0;
    for (size_t i = 0; i < n->stmt->body.len; i++) {
        const struct ast_stmt *s = &n->stmt->body.stmts[i];
        if (s->kind != AST_BLOCK || !str_is(s->name, "template"))
            rest[len++] = *s;
        else if (s != template)
            diag_error(&n->own, s->range, "block \"template\" may only be specified once");
    }
    n->body = (struct ast_body){rest, len};
}

static void add_foreach(struct check_body *b, const struct ast_stmt *s)
{
    bool repeated;
    struct err err = {0};
    struct check_node *n = add_node(b, s, CHECK_FOREACH, &repeated);
    n->schema = &foreach_schema;
    if (stability_check("foreach block \"foreach\"", STABILITY_EXPERIMENTAL, b->options->stability, &err) < 0)
        diag_error(&n->own, s->name_range, "%s", err.text);
    need_label(n);
    const struct ast_stmt *template = foreach_template(s);
    drop_template(n, template);
    if (!template) {
        diag_error(&n->own, s->range, "missing required block \"template\"");
        return;
    }
    const struct ast_body *part = &template->body;
    n->inner = collect(b->options, b, n, (struct parts){&part, 1});
    n->inner->var = foreach_var(s);
}

static void add_settings(struct check_body *b, const struct ast_stmt *s)
{
    bool repeated;
    struct check_node *n = add_node(b, s, CHECK_SETTINGS, &repeated);
    need_root(b, n);
    if (is_fixed_service(s->name)) {
        diag_error(&n->own, s->range, "service \"%.*s\" does not support being configured", STR_ARG(s->name));
    } else if (settings_has(s->name)) {
        need_no_label(n);
        n->schema = settings_schema(s->name);
    } else if (b->options->skip_unknown) {
        diag_warn(&n->own, s->name_range, "block \"%.*s\" is unknown here and left out", STR_ARG(s->name));
    } else {
        diag_error(&n->own, s->name_range, "\"%.*s\" blocks are not supported by this version", STR_ARG(s->name));
    }
}

static void add_config(struct check_body *b, const struct ast_stmt *s)
{
    if (is_import(s->name))
        add_import(b, s);
    else if (str_is(s->name, "foreach"))
        add_foreach(b, s);
    else if (settings_has(s->name))
        add_settings(b, s);
    else
        add_module_block(b, s);
}

static void add_component(struct check_body *b, const struct ast_stmt *s)
{
    bool repeated;
    struct check_node *n = add_node(b, s, CHECK_COMPONENT, &repeated);
    if (!s->label.n)
        diag_error(&n->own, s->name_range, "component \"%.*s\" must have a label", STR_ARG(s->name));
}

static void add_statement(struct check_body *b, const struct ast_stmt *s, enum block_class class)
{
    if (s->kind == AST_ATTR) {
        if (class == CLASS_DECLARE)
            diag_error(&b->own, s->range, "unrecognized attribute %.*s", STR_ARG(s->name));
    } else if (class_of(s) == class) {
        static void (*const add[CLASSES])(struct check_body *, const struct ast_stmt *) = {add_declare, add_config,
                                                                                           add_component, add_settings};
        add[class](b, s);
    }
}

static struct check_body *collect(const struct validate_options *o, struct check_body *parent,
                                  const struct check_node *owner, struct parts parts)
{
    struct check_body *b = xcalloc(1, sizeof *b);
    *b = (struct check_body){
        .options = o, .parent = parent, .owner = owner, .is_template = owner && owner->kind == CHECK_FOREACH};
    for (enum block_class class = 0; class < CLASSES; class ++)
        for (size_t p = 0; p < parts.len; p++)
            for (size_t i = 0; i < parts.items[p]->len; i++)
                add_statement(b, &parts.items[p]->stmts[i], class);
    dag_init(&b->dag, b->len);
    return b;
}

static void free_body(struct check_body *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->len; i++) {
        struct check_node *n = b->nodes[i];
        free_body(n->inner);
        diags_done(&n->own);
        if (n->kind == CHECK_FOREACH)
            free(n->body.stmts);
        free(n->id);
        free(n);
    }
    diags_done(&b->own);
    dag_done(&b->dag);
    strmap_done(&b->ids);
    strmap_done(&b->custom);
    free(b->nodes);
    free(b->var);
    free(b);
}

int validate(struct source *const *sources, size_t n, const struct validate_options *options, struct diags *ds)
{
    const size_t errors = ds->errors;
    cleanup_free struct ast_file **files = xcalloc(n + 1, sizeof *files);
    cleanup_free const struct ast_body **bodies = xcalloc(n + 1, sizeof *bodies);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (parse_file(sources[i], &files[len], ds) == 0) {
            bodies[len] = &files[len]->body;
            len++;
        }
    }
    if (ds->errors == errors) {
        struct check_body *root = collect(options, NULL, NULL, (struct parts){bodies, len});
        check_all(root, ds);
        free_body(root);
    }
    while (len > 0)
        ast_unref(files[--len]);
    return ds->errors > errors ? -EINVAL : 0;
}
