#include "graph/collect.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "graph/block_text.h"
#include "graph/registry.h"
#include "lang/stdlib.h"
#include "lang/suggest.h"
#include "settings/settings.h"

/* Texts that go into messages and keys end somewhere; no definition's name comes near. */
enum { LABEL_MAX = 512, WHAT_MAX = 128 };

/* --- what kind of block it is --- */

static bool is_one_of(struct str name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_is(name, names[i]))
            return true;
    }
    return false;
}

/* Those of the reference, whether this program has them or not, and those of this program. */
static bool is_import(struct str name, const struct plan_options *options)
{
    static const char *const names[] = {"import.file", "import.string", "import.http", "import.git"};
    if (!str_has_prefix(name, STR("import.")))
        return false;
    const struct component_def *def = registry_find(options->components, name);
    return is_one_of(name, names, ARRAY_LEN(names)) || (def && def->imports);
}

/* Known by name, with nothing to configure. */
static bool is_fixed_service(struct str name)
{
    static const char *const names[] = {"cluster", "labelstore", "otel", "ui"};
    return is_one_of(name, names, ARRAY_LEN(names));
}

enum collect_class collect_class_of(const struct ast_stmt *s, const struct plan_options *options)
{
    static const char *const configs[] = {"logging", "tracing", "argument", "export", "foreach"};
    if (str_is(s->name, "declare"))
        return COLLECT_DECLARE;
    if (is_one_of(s->name, configs, ARRAY_LEN(configs)) || is_import(s->name, options))
        return COLLECT_CONFIG;
    if (settings_has(s->name) || is_fixed_service(s->name) || str_is(s->name, "remotecfg"))
        return COLLECT_SERVICE;
    return COLLECT_COMPONENT;
}

static bool is_definition(const struct collector *c, const struct ast_stmt *s)
{
    return s->kind == AST_BLOCK && (str_is(s->name, "declare") || is_import(s->name, c->options));
}

/* --- blocks, accepted or rejected --- */

#define reject(b, ds, range, ...) ((b)->is_rejected = true, diag_error(ds, range, __VA_ARGS__))

/* Whether anything else that is wrong with it is to be told. */
static bool collect_goes_on(const struct collector *c, const struct block *b)
{
    return !b->is_rejected || c->options->is_thorough;
}

static struct block *collect_add_block(const struct collector *c, enum block_type type, const struct ast_stmt *s,
                                       struct diags *ds)
{
    char *id = block_text_id(s);
    const struct block *earlier = plan_block(c->plan, str_of(id));
    struct block *b = plan_add(c->plan, type, s, id);
    const struct range at = block_text_id_range(s, strlen(id));
    if (earlier && !earlier->stmt)
        reject(b, ds, at, "block %s has the name of the template's variable", id);
    if (!earlier || !earlier->stmt)
        return b;
    const struct pos *first = &earlier->stmt->range.first;
    reject(b, ds, at, "block %s already declared at %s:%u:%u", id, first->source->name, first->line, first->column);
    return b;
}

static bool is_first_of_its_id(const struct collector *c, const struct block *b)
{
    return plan_block(c->plan, str_of(b->id)) == b;
}

static void collect_check_label_length(struct block *b, struct diags *ds)
{
    if (b->stmt->label.n > LABEL_MAX)
        reject(b, ds, b->stmt->label_range, "label is longer than %d bytes", LABEL_MAX);
}

static void need_label(struct block *b, struct diags *ds)
{
    if (b->stmt->label.n == 0)
        reject(b, ds, b->stmt->name_range, "%.*s block must have a label", STR_ARG(b->stmt->name));
    collect_check_label_length(b, ds);
}

static void collect_check_stability(const struct collector *c, struct block *b, const char *kind, const char *name,
                                    enum stability has, struct diags *ds)
{
    char what[WHAT_MAX];
    struct err err = {0};
    snprintf(what, sizeof what, "%s \"%s\"", kind, name);
    if (stability_check(what, has, c->options->stability, &err) < 0)
        reject(b, ds, b->stmt->name_range, "%s", err.text);
}

/* Unknown: left out if that is allowed. False: it is not. */
static bool collect_skip(const struct collector *c, struct block *b, const char *what, struct diags *ds)
{
    if (!c->options->skip_unknown)
        return false;
    b->type = BLOCK_SKIPPED;
    diag_warn(ds, b->stmt->name_range, "%s \"%.*s\" is unknown and skipped", what, STR_ARG(b->stmt->name));
    return true;
}

/* Blocks of the reference that this program does not have, and what serves instead. */
static const char *collect_instead_of(struct str name)
{
    if (str_is(name, "import.git"))
        return "; keep a clone on this host up to date (git-sync, or git pull in a timer) and use import.file, or "
               "import.http with the URL of the raw file";
    if (str_is(name, "remotecfg"))
        return "; write the configuration to a file and run with --config.file-watch, or use import.http for what "
               "a server provides";
    return "";
}

static void collect_reject_version(struct block *b, struct diags *ds)
{
    reject(b, ds, b->stmt->name_range, "\"%.*s\" blocks are not supported by this version%s", STR_ARG(b->stmt->name),
           collect_instead_of(b->stmt->name));
}

/* --- definitions: declares and imports --- */

static struct block *collect_declare(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    struct block *b = collect_add_block(c, BLOCK_DECLARE, s, ds);
    if (collect_goes_on(c, b))
        need_label(b, ds);
    if (collect_goes_on(c, b) && str_is(s->label, "declare"))
        reject(b, ds, s->range, "'declare' is not a valid label for a declare block");
    if (collect_goes_on(c, b) && s->label.n > 0 && is_first_of_its_id(c, b))
        definitions_add_declare(plan_own_definitions(c->plan), s);
    return b;
}

/* What another machine wrote may not name files of this one. */
static void collect_check_origin(const struct collector *c, struct block *b, struct diags *ds)
{
    const char *remote = c->plan->definitions->remote;
    if (remote && b->def && b->def->local)
        reject(b, ds, b->stmt->range,
               "importing a module via import.http (nodeID: %s) that contains an %s block is not supported", remote,
               b->def->name);
}

/* Imports of one label are of different kinds, else it is their id that is taken. */
static void collect_check_namespace(const struct collector *c, struct block *b, struct diags *ds)
{
    const struct definitions_import *earlier = strmap_get(&plan_own_definitions(c->plan)->imports, b->stmt->label);
    if (!earlier || !is_first_of_its_id(c, b))
        return;
    const struct ast_stmt *s = earlier->stmt;
    const struct pos *at = &s->range.first;
    reject(b, ds, b->stmt->label_range, "namespace \"%.*s\" is already used by %.*s.%.*s at %s:%u:%u",
           STR_ARG(b->stmt->label), STR_ARG(s->name), STR_ARG(s->label), at->source->name, at->line, at->column);
}

static void define_import(const struct collector *c, struct block *b)
{
    struct definitions *own = plan_own_definitions(c->plan);
    if (b->stmt->label.n == 0 || strmap_has(&own->imports, b->stmt->label))
        return;
    b->import = definitions_add_import(own, b->stmt);
    b->import->block = b;
    b->import->is_skipped = b->type == BLOCK_SKIPPED;
}

static struct block *collect_import(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    struct block *b = collect_add_block(c, BLOCK_IMPORT, s, ds);
    b->def = registry_find(c->options->components, s->name);
    if (collect_goes_on(c, b))
        need_label(b, ds);
    if (collect_goes_on(c, b) && !b->def && !collect_skip(c, b, "import", ds))
        collect_reject_version(b, ds);
    if (collect_goes_on(c, b))
        collect_check_origin(c, b, ds);
    if (collect_goes_on(c, b))
        collect_check_namespace(c, b, ds);
    if (collect_goes_on(c, b))
        define_import(c, b);
    return b;
}

/* --- blocks of the runtime --- */

static void collect_reject_inside(const struct collector *c, struct block *b, struct diags *ds)
{
    const struct ast_stmt *s = b->stmt;
    bool in_module = c->body->kind == BODY_MODULE;
    for (const struct plan *p = c->body->around; p; p = p->around)
        in_module |= p->is_module;
    if (c->options->is_thorough)
        reject(b, ds, block_text_id_range(s, strlen(b->id)), "%s not allowed in %s", b->id,
               in_module ? "module" : "foreach");
    else if (collect_class_of(s, c->options) == COLLECT_SERVICE)
        reject(b, ds, s->range, "service blocks not allowed inside a module: \"%.*s\"", STR_ARG(s->name));
    else
        reject(b, ds, s->range, "%.*s block not allowed inside a module", STR_ARG(s->name));
}

static struct block *collect_setting(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    struct block *b = collect_add_block(c, BLOCK_SETTING, s, ds);
    const bool is_known = settings_has(s->name);
    if (collect_goes_on(c, b) && c->body->kind != BODY_ROOT)
        collect_reject_inside(c, b, ds);
    if (!collect_goes_on(c, b))
        return b;
    if (is_fixed_service(s->name))
        reject(b, ds, s->range, "service \"%.*s\" does not support being configured", STR_ARG(s->name));
    else if (is_known && s->label.n > 0)
        reject(b, ds, s->label_range, "block \"%.*s\" does not support specifying labels", STR_ARG(s->name));
    else if (!is_known && !collect_skip(c, b, "block", ds))
        collect_reject_version(b, ds);
    return b;
}

static struct block *collect_argument(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    struct block *b = collect_add_block(c, str_is(s->name, "argument") ? BLOCK_ARGUMENT : BLOCK_EXPORT, s, ds);
    if (collect_goes_on(c, b) && c->body->kind != BODY_MODULE)
        reject(b, ds, s->range, "%.*s blocks only allowed inside a module", STR_ARG(s->name));
    if (collect_goes_on(c, b))
        need_label(b, ds);
    return b;
}

static void collect_check_template(const struct collector *c, struct block *b, struct diags *ds)
{
    const struct ast_stmt *template = block_text_template(b->stmt);
    for (size_t i = 0; i < b->stmt->body.len; i++) {
        const struct ast_stmt *s = &b->stmt->body.stmts[i];
        if (s->kind == AST_BLOCK && str_is(s->name, "template") && s != template && collect_goes_on(c, b))
            reject(b, ds, s->range, "block \"template\" may only be specified once");
    }
    if (!template)
        reject(b, ds, b->stmt->range, "%s",
               c->options->is_thorough
                   ? "missing required block \"template\""
                   : "Failed to evaluate node for config block: the block template is missing in the foreach block");
}

static struct block *collect_foreach(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    struct block *b = collect_add_block(c, BLOCK_FOREACH, s, ds);
    const char *kind = c->options->is_thorough ? "foreach block" : "config block";
    if (collect_goes_on(c, b))
        collect_check_stability(c, b, kind, "foreach", STABILITY_EXPERIMENTAL, ds);
    if (collect_goes_on(c, b))
        need_label(b, ds);
    if (collect_goes_on(c, b))
        collect_check_template(c, b, ds);
    return b;
}

/* --- components --- */

static void need_component_label(struct block *b, struct diags *ds)
{
    if (b->stmt->label.n == 0)
        reject(b, ds, b->stmt->name_range, "component \"%.*s\" must have a label", STR_ARG(b->stmt->name));
}

static struct suggest closest_definition(const struct collector *c, struct str name)
{
    struct suggest close = suggest_for(name);
    for (const struct definitions *d = c->plan->definitions; d; d = d->parent) {
        strmap_each(&d->declares, e) suggest_try(&close, e->key);
        strmap_each(&d->imports, e) suggest_try(&close, e->key);
    }
    return close;
}

static void collect_reject_unknown(const struct collector *c, struct block *b, struct diags *ds)
{
    const struct ast_stmt *s = b->stmt;
    if (!c->options->components[0]) {
        reject(
            b, ds, s->name_range,
            "component name \"%.*s\": no components run here, only blocks of configuration, such as http and logging",
            STR_ARG(s->name));
        return;
    }
    const char *known = registry_suggest(c->options->components, s->name);
    const bool is_hidden = known && str_is(s->name, known); /* by a definition of its first part */
    const struct suggest close =
        known && !is_hidden ? (struct suggest){.best = str_of(known)} : closest_definition(c, s->name);
    reject(b, ds, s->name_range, "cannot find the definition of component name \"%.*s\"" SUGGEST_FMT, STR_ARG(s->name),
           SUGGEST_ARG(close));
}

/* What is imported is known when the import is evaluated. */
static void collect_check_custom(const struct collector *c, struct block *b, const struct definitions_import *import,
                                 struct diags *ds)
{
    const struct ast_stmt *s = b->stmt;
    const struct declare *declare;
    if (import && import->is_skipped) {
        collect_skip(c, b, "component", ds);
        return;
    }
    if (!import && definitions_find(c->plan->definitions, s->name, &declare) != DEFINITIONS_FOUND) {
        collect_reject_unknown(c, b, ds);
        return;
    }
    cleanup_value struct value *hidden = stdlib_resolve(s->fragments, 1, &(size_t){0});
    if (hidden && !c->options->is_thorough)
        diag_warn(ds, s->name_range, "a component is shadowing an existing stdlib name");
}

static void collect_check_component(const struct collector *c, struct block *b, struct diags *ds)
{
    if (!b->def) {
        if (!collect_skip(c, b, "component", ds))
            collect_reject_unknown(c, b, ds);
        return;
    }
    if (!c->options->is_thorough)
        need_component_label(b, ds); /* there it was told before */
    if (collect_goes_on(c, b))
        collect_check_stability(c, b, "component", b->def->name, b->def->stability, ds);
}

static struct block *collect_component(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    const struct definitions_import *import;
    const bool is_custom = definitions_claim(c->plan->definitions, s->name, &import);
    struct block *b = collect_add_block(c, is_custom ? BLOCK_CUSTOM : BLOCK_COMPONENT, s, ds);
    if (!is_custom)
        b->def = registry_find(c->options->components, s->name);
    if (c->options->is_thorough)
        need_component_label(b, ds);
    if (collect_goes_on(c, b))
        collect_check_label_length(b, ds);
    if (!collect_goes_on(c, b))
        return b;
    if (is_custom)
        collect_check_custom(c, b, import, ds);
    else
        collect_check_component(c, b, ds);
    return b;
}

/* --- all of them --- */

struct block *collect_block(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    if (str_is(s->name, "declare"))
        return collect_declare(c, s, ds);
    if (is_import(s->name, c->options))
        return collect_import(c, s, ds);
    if (str_is(s->name, "argument") || str_is(s->name, "export"))
        return collect_argument(c, s, ds);
    if (str_is(s->name, "foreach"))
        return collect_foreach(c, s, ds);
    if (collect_class_of(s, c->options) == COLLECT_COMPONENT)
        return collect_component(c, s, ds);
    return collect_setting(c, s, ds);
}

void collect_attribute(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    diag_error(ds, c->options->is_thorough ? s->range : s->name_range, "unrecognized attribute %.*s", STR_ARG(s->name));
}

/* Of `m` and `m "x"` a reference m.x.y could mean either. */
static void collect_check_unlabelled(const struct collector *c, struct diags *ds)
{
    for (size_t i = 0; i < c->plan->len; i++) {
        const struct block *b = c->plan->blocks[i];
        if (b->type != BLOCK_CUSTOM || b->is_rejected || b->stmt->label.n == 0)
            continue;
        struct block *bare = plan_block(c->plan, b->stmt->name);
        if (bare && bare->stmt && !bare->is_rejected)
            reject(bare, ds, bare->stmt->name_range,
                   "component \"%s\" must have a label, because others of its type have one", bare->id);
    }
}

static void collect_first(const struct collector *c, const struct ast_stmt *s, struct diags *ds)
{
    if (is_definition(c, s))
        (void)collect_block(c, s, ds);
    else if (c->body->kind == BODY_IMPORTED && s->kind == AST_BLOCK)
        diag_error(ds, s->name_range, "only declare and import blocks are allowed in a module, got %.*s",
                   STR_ARG(s->name));
    else if (c->body->kind == BODY_IMPORTED)
        diag_error(ds, s->name_range, "only declare and import blocks are allowed in a module");
}

void collect_body(const struct collector *c, struct diags *ds)
{
    for (size_t f = 0; f < c->body->len; f++) {
        for (size_t i = 0; i < c->body->parts[f]->len; i++)
            collect_first(c, &c->body->parts[f]->stmts[i], ds);
    }
    for (size_t f = 0; f < c->body->len && c->body->kind != BODY_IMPORTED; f++) {
        for (size_t i = 0; i < c->body->parts[f]->len; i++) {
            const struct ast_stmt *s = &c->body->parts[f]->stmts[i];
            if (s->kind == AST_ATTR)
                collect_attribute(c, s, ds);
            else if (!is_definition(c, s))
                (void)collect_block(c, s, ds);
        }
    }
    collect_check_unlabelled(c, ds);
}
