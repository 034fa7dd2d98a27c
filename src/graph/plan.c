#include "graph/plan.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/registry.h"
#include "lang/parser.h"
#include "lang/schema.h"
#include "lang/stdlib.h"

/* Texts that go into messages and keys end somewhere; no definition's name comes near. */
enum { LABEL_MAX = 512, WHAT_MAX = 128 };

struct collecting {
    struct plan *p;
    const struct body *body;
    const struct controller_options *options;
    struct diags *ds;
};

struct range plan_id_range(const struct ast_stmt *s, size_t id_len)
{
    struct range r = s->name_range;
    if (s->label.n > 0 && id_len > 0)
        r = source_range(r.first.source, r.first.offset, r.first.offset + id_len - 1);
    return r;
}

static int report_duplicate(const struct ast_stmt *s, const char *id, const struct ast_stmt *first, struct diags *ds)
{
    const struct pos *at = &first->range.first;
    return diag_error(ds, plan_id_range(s, strlen(id)), "block %s already declared at %s:%u:%u", id, at->source->name,
                      at->line, at->column);
}

struct plan_node *plan_add(struct plan *p, enum node_kind kind, const struct ast_stmt *stmt, char *id)
{
    struct plan_node *n = xcalloc(1, sizeof *n);
    *n = (struct plan_node){.kind = kind, .stmt = stmt, .plan = p, .place = p->len, .id = id};
    strmap_put(&p->ids, str_of(n->id), n);
    size_t parts = 1;
    for (const char *dot = id; (dot = strchr(dot, '.')); dot++)
        parts++;
    if (parts > p->id_parts)
        p->id_parts = parts;
    xgrow(&p->nodes, &p->cap, p->len + 1, sizeof *p->nodes);
    p->nodes[p->len++] = n;
    return n;
}

/* Adds a node unless its id is taken, which is reported; then NULL. */
static struct plan_node *add_node(struct collecting *c, enum node_kind kind, const struct ast_stmt *s)
{
    cleanup_free char *id =
        s->label.n > 0 ? xasprintf("%.*s.%.*s", STR_ARG(s->name), STR_ARG(s->label)) : str_dup(s->name);
    const struct plan_node *earlier = strmap_get(&c->p->ids, str_of(id));
    if (earlier) {
        report_duplicate(s, id, earlier->stmt, c->ds);
        return NULL;
    }
    return plan_add(c->p, kind, s, TAKE_PTR(id));
}

static int need_label(struct collecting *c, const struct ast_stmt *s)
{
    if (s->label.n == 0)
        return diag_error(c->ds, s->name_range, "%.*s block must have a label", STR_ARG(s->name));
    if (s->label.n > LABEL_MAX)
        return diag_error(c->ds, s->label_range, "label is longer than %d bytes", LABEL_MAX);
    return 0;
}

static int check_stability(struct collecting *c, const struct ast_stmt *s, const char *kind, const char *name,
                           enum stability has)
{
    char what[WHAT_MAX];
    struct err err = {0};
    snprintf(what, sizeof what, "%s \"%s\"", kind, name);
    const int code = stability_check(what, has, c->options->stability, &err);
    return code < 0 ? diag_error(c->ds, s->name_range, "%s", err.text) : 0;
}

/* --- definitions: declares and imports --- */

/* The body's own library, made when it has something to put in. */
static struct library *own_library(struct collecting *c)
{
    struct plan *p = c->p;
    if (p->library == c->body->library && (c->body->kind == BODY_MODULE || c->body->kind == BODY_TEMPLATE)) {
        struct library *outer = p->library;
        p->library = library_new(outer, NULL, 0, outer->module_path);
        library_unref(outer);
    }
    return p->library;
}

static void add_declare(struct collecting *c, const struct ast_stmt *s)
{
    if (need_label(c, s) < 0)
        return;
    if (str_is(s->label, "declare")) {
        diag_error(c->ds, s->range, "'declare' is not a valid label for a declare block");
        return;
    }
    struct library *l = own_library(c);
    const struct template *earlier = strmap_get(&l->declares, s->label);
    if (earlier) {
        cleanup_free char *id = xasprintf("declare.%.*s", STR_ARG(s->label));
        report_duplicate(s, id, earlier->stmt, c->ds);
        return;
    }
    struct template *t = xcalloc(1, sizeof *t);
    *t = (struct template){.stmt = s, .home = l, .number = l->declares.len};
    strmap_put(&l->declares, s->label, t);
}

static bool skip(struct collecting *c, const struct ast_stmt *s, const char *what)
{
    if (c->options->skip_unknown)
        diag_warn(c->ds, s->name_range, "%s \"%.*s\" is unknown here and left out", what, STR_ARG(s->name));
    return c->options->skip_unknown;
}

static void add_import(struct collecting *c, const struct ast_stmt *s)
{
    const struct component_def *def = registry_find(c->options->components, s->name);
    const bool known = def && def->imports;
    if (need_label(c, s) < 0)
        return;
    if (!known && !skip(c, s, "import")) {
        diag_error(c->ds, s->name_range, "\"%.*s\" blocks are not supported by this version", STR_ARG(s->name));
        return;
    }
    struct library *l = own_library(c);
    if (known && def->local && l->remote) {
        diag_error(c->ds, s->range,
                   "importing a module via import.http (nodeID: %s) that contains an %s block is not supported",
                   l->remote, def->name);
        return;
    }
    const struct plan_node *earlier = strmap_get(&l->imports, s->label);
    if (earlier && str_eq(earlier->stmt->name, s->name)) {
        report_duplicate(s, earlier->id, earlier->stmt, c->ds);
        return;
    }
    if (earlier) {
        const struct pos *at = &earlier->stmt->range.first;
        diag_error(c->ds, s->label_range, "namespace \"%.*s\" is already that of %s at %s:%u:%u", STR_ARG(s->label),
                   earlier->id, at->source->name, at->line, at->column);
        return;
    }
    struct plan_node *n = add_node(c, known ? NODE_IMPORT : NODE_SKIPPED, s);
    if (!n)
        return;
    n->def = known ? def : NULL;
    strmap_put(&l->imports, s->label, n);
}

static bool is_import(const struct ast_stmt *s)
{
    return s->kind == AST_BLOCK && str_has_prefix(s->name, STR("import."));
}

static void collect_definition(struct collecting *c, const struct ast_stmt *s)
{
    if (s->kind == AST_BLOCK && str_is(s->name, "declare"))
        add_declare(c, s);
    else if (is_import(s))
        add_import(c, s);
    else if (c->body->kind == BODY_IMPORTED && s->kind == AST_BLOCK)
        diag_error(c->ds, s->name_range, "only declare and import blocks are allowed in a module, got %.*s",
                   STR_ARG(s->name));
    else if (c->body->kind == BODY_IMPORTED)
        diag_error(c->ds, s->name_range, "only declare and import blocks are allowed in a module");
}

/* --- blocks of the runtime --- */

static void add_setting(struct collecting *c, const struct ast_stmt *s)
{
    struct plan *p = c->p;
    const bool is_service = !str_is(s->name, "logging") && !str_is(s->name, "tracing");
    if (c->body->kind != BODY_ROOT) {
        diag_error(c->ds, s->range,
                   is_service ? "service blocks not allowed inside a module: \"%.*s\""
                              : "%.*s block not allowed inside a module",
                   STR_ARG(s->name));
        return;
    }
    for (size_t i = 0; i < p->settings_len; i++) {
        if (str_eq(p->settings[i]->name, s->name)) {
            cleanup_free char *id = str_dup(s->name);
            report_duplicate(s, id, p->settings[i], c->ds);
            return;
        }
    }
    if (s->label.n > 0) {
        diag_error(c->ds, s->label_range, "block \"%.*s\" does not support specifying labels", STR_ARG(s->name));
        return;
    }
    xgrow(&p->settings, &p->settings_cap, p->settings_len + 1, sizeof *p->settings);
    p->settings[p->settings_len++] = s;
}

/* Blocks of the language's runtime that this program does not have. False: none of them. */
static bool refuse_runtime_block(struct collecting *c, const struct ast_stmt *s)
{
    static const char *const services[] = {"cluster", "labelstore", "otel", "ui"};
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if (str_is(s->name, services[i])) {
            diag_error(c->ds, s->name_range, "service \"%s\" does not support being configured", services[i]);
            return true;
        }
    }
    if (!str_is(s->name, "remotecfg"))
        return false;
    if (!skip(c, s, "block"))
        diag_error(c->ds, s->name_range, "\"remotecfg\" blocks are not supported by this version");
    return true;
}

static void add_module_block(struct collecting *c, const struct ast_stmt *s)
{
    if (c->body->kind != BODY_MODULE) {
        diag_error(c->ds, s->range, "%.*s blocks only allowed inside a module", STR_ARG(s->name));
        return;
    }
    if (need_label(c, s) == 0)
        add_node(c, str_is(s->name, "argument") ? NODE_ARGUMENT : NODE_EXPORT, s);
}

static void add_foreach(struct collecting *c, const struct ast_stmt *s)
{
    if (need_label(c, s) < 0 || check_stability(c, s, "config block", "foreach", STABILITY_EXPERIMENTAL) < 0)
        return;
    if (foreach_template(s))
        add_node(c, NODE_FOREACH, s);
    else
        diag_error(c->ds, s->range,
                   "Failed to evaluate node for config block: the block template is missing in the foreach block");
}

/* --- components --- */

static void add_custom(struct collecting *c, const struct ast_stmt *s, const struct plan_node *import)
{
    struct template *t;
    if (s->label.n > LABEL_MAX) {
        diag_error(c->ds, s->label_range, "label is longer than %d bytes", LABEL_MAX);
        return;
    }
    if (import && import->kind == NODE_SKIPPED) {
        diag_warn(c->ds, s->name_range, "component \"%.*s\" is unknown here and left out", STR_ARG(s->name));
        add_node(c, NODE_SKIPPED, s);
        return;
    }
    /* What is imported is known when the import is evaluated. */
    if (!import && library_find(c->p->library, s->name, &t) != LIBRARY_FOUND) {
        diag_error(c->ds, s->name_range, "cannot find the definition of component name \"%.*s\"", STR_ARG(s->name));
        return;
    }
    cleanup_value struct value *hidden = stdlib_resolve(s->fragments, 1, &(size_t){0});
    if (hidden)
        diag_warn(c->ds, s->name_range, "a component is shadowing an existing stdlib name");
    add_node(c, NODE_CUSTOM, s);
}

static void refuse_unknown(struct collecting *c, const struct ast_stmt *s)
{
    const char *close = registry_suggest(c->options->components, s->name);
    diag_error(c->ds, s->name_range, "cannot find the definition of component name \"%.*s\"%s%s%s", STR_ARG(s->name),
               close ? ", did you mean \"" : "", close ? close : "", close ? "\"?" : "");
}

static void add_component(struct collecting *c, const struct ast_stmt *s)
{
    const struct plan_node *import;
    if (library_claims(c->p->library, s->name, &import)) {
        add_custom(c, s, import);
        return;
    }
    const struct component_def *def = registry_find(c->options->components, s->name);
    if (!def && !skip(c, s, "component")) {
        refuse_unknown(c, s);
        return;
    }
    if (!def) {
        add_node(c, NODE_SKIPPED, s);
        return;
    }
    if (s->label.n == 0) {
        diag_error(c->ds, s->name_range, "component \"%s\" must have a label", def->name);
        return;
    }
    if (need_label(c, s) < 0 || check_stability(c, s, "component", def->name, def->stability) < 0)
        return;
    struct plan_node *n = add_node(c, NODE_COMPONENT, s);
    if (n)
        n->def = def;
}

static void collect_node(struct collecting *c, const struct ast_stmt *s)
{
    if (s->kind == AST_ATTR)
        diag_error(c->ds, s->name_range, "unrecognized attribute %.*s", STR_ARG(s->name));
    else if (str_is(s->name, "declare") || is_import(s))
        return;
    else if (str_is(s->name, "argument") || str_is(s->name, "export"))
        add_module_block(c, s);
    else if (str_is(s->name, "foreach"))
        add_foreach(c, s);
    else if (settings_has(s->name))
        add_setting(c, s);
    else if (!refuse_runtime_block(c, s))
        add_component(c, s);
}

/* Of `m` and `m "x"` a reference m.x.y could mean either. */
static void check_unlabelled(struct collecting *c)
{
    for (size_t i = 0; i < c->p->len; i++) {
        const struct plan_node *n = c->p->nodes[i];
        if (n->kind != NODE_CUSTOM || n->stmt->label.n == 0)
            continue;
        const struct plan_node *bare = strmap_get(&c->p->ids, n->stmt->name);
        if (bare)
            diag_error(c->ds, bare->stmt->name_range,
                       "component \"%s\" must have a label, because there are others of its kind that have", bare->id);
    }
}

void plan_collect(struct plan *p, const struct body *body, const struct controller_options *options, struct diags *ds)
{
    struct collecting c = {p, body, options, ds};
    for (size_t f = 0; f < body->len; f++) {
        for (size_t i = 0; i < body->parts[f]->len; i++)
            collect_definition(&c, &body->parts[f]->stmts[i]);
    }
    for (size_t f = 0; f < body->len && body->kind != BODY_IMPORTED; f++) {
        for (size_t i = 0; i < body->parts[f]->len; i++)
            collect_node(&c, &body->parts[f]->stmts[i]);
    }
    check_unlabelled(&c);
}

/* --- the whole --- */

static void plan_freep(struct plan **p)
{
    plan_free(*p);
}

/* The load is refused as it is. What is wrong with arguments as they are written is said as well, lest it waits for the next load. */
static void check_arguments(const struct plan *p, struct diags *ds)
{
    for (size_t i = 0; i < p->settings_len; i++) {
        const struct ast_stmt *s = p->settings[i];
        schema_check(settings_schema(s->name), &s->body, s->range, ds);
    }
    for (size_t i = 0; i < p->len; i++) {
        const struct plan_node *n = p->nodes[i];
        if (n->def && n->kind != NODE_SKIPPED)
            schema_check(n->def->args, &n->stmt->body, n->stmt->range, ds);
    }
}

static int make(struct plan *p, const struct body *body, const struct controller_options *options, struct diags *ds)
{
    const size_t errors_before = ds->errors;
    p->library = library_ref(body->library);
    p->around = body->around;
    if (body->kind == BODY_TEMPLATE && body->var.n > 0)
        plan_add(p, NODE_INPUT, NULL, str_dup(body->var));
    plan_collect(p, body, options, ds);
    library_check(p->library, ds);
    plan_link(p, body, options, ds);
    if (ds->errors == errors_before)
        return 0;
    if (body->kind == BODY_ROOT)
        check_arguments(p, ds);
    return -EINVAL;
}

int plan_make(const struct body *body, const struct controller_options *options, struct plan **ret, struct diags *ds)
{
    __attribute__((cleanup(plan_freep))) struct plan *p = xcalloc(1, sizeof *p);
    const int code = make(p, body, options, ds);
    if (code == 0)
        *ret = TAKE_PTR(p);
    return code;
}

static struct value *directory_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    if (!slash)
        return value_string(STR("."));
    return value_string(slash == name ? STR("/") : (struct str){name, (size_t)(slash - name)});
}

int plan_new(struct source *const *sources, size_t n, const struct controller_options *options, struct plan **ret,
             struct diags *ds)
{
    const size_t errors_before = ds->errors;
    __attribute__((cleanup(plan_freep))) struct plan *p = xcalloc(1, sizeof *p);
    cleanup_free const struct ast_body **parts = xcalloc(n + 1, sizeof *parts);
    p->files = xcalloc(n + 1, sizeof *p->files);
    for (size_t i = 0; i < n; i++) {
        if (parse_file(sources[i], &p->files[p->file_count], ds) == 0)
            p->file_count++;
    }
    if (ds->errors > errors_before)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        parts[i] = &p->files[i]->body;
    cleanup_value struct value *path = directory_of(n > 0 ? sources[0]->name : "");
    struct library *library = library_new(NULL, p->files, p->file_count, path);
    const struct body body = {.kind = BODY_ROOT, .parts = parts, .len = n, .library = library};
    const int code = make(p, &body, options, ds);
    library_unref(library);
    if (code == 0)
        *ret = TAKE_PTR(p);
    return code;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    /* Whoever still holds the library finds no imports of this plan in it. */
    if (p->library)
        library_forget(p->library, p);
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *n = p->nodes[i];
        value_unref(n->value);
        value_unref(n->given);
        free(n->id);
        free(n->references_to);
        free(n->referenced_by);
        free(n);
    }
    for (size_t i = 0; i < p->file_count; i++)
        ast_unref(p->files[i]);
    library_unref(p->library);
    dag_done(&p->dag);
    strmap_done(&p->ids);
    free(p->queue.heap);
    free(p->files);
    free(p->nodes);
    free(p->order);
    free(p->by_id);
    free(p->settings);
    free(p);
}
