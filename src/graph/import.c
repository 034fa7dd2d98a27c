/* Imports: what their source brings is a module of its own that holds nothing but a library, and further imports. */
#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/internal.h"
#include "lang/parser.h"

static struct value *member_of(const struct value *exports, const char *name)
{
    struct value *v = exports ? value_member(exports, str_of(name)) : NULL;
    return v && value_kind(v) != VALUE_NULL ? v : NULL;
}

const struct library *import_library(const struct plan_node *import)
{
    const struct module *m = import->component ? import->component->module : NULL;
    const struct plan *p = !m ? NULL : m->next ? m->next : m->plan;
    return p ? p->library : NULL;
}

static int parse_content(const struct value *file, struct ast_file **ret, struct diags *ds)
{
    const struct str name = value_as_str(value_member(file, STR("name")));
    const struct str text = value_as_str(value_member(file, STR("text")));
    cleanup_source struct source *source = NULL;
    struct err err = {0};
    if (source_new(name.p, text, &source, &err) < 0)
        return diag_error(ds, (struct range){0}, "%s: %s", name.p, err.text);
    const struct range whole_file = {.first = {.source = source}};
    if (source_check_encoding(text, &err) < 0)
        return diag_error(ds, whole_file, "%s", err.text);
    return parse_file(source, ret, ds);
}

static int plan_files(struct module *outer, const struct component *c, struct library *l, struct plan **ret,
                      struct diags *ds)
{
    cleanup_free const struct ast_body **parts = xcalloc(l->file_count + 1, sizeof *parts);
    for (size_t i = 0; i < l->file_count; i++)
        parts[i] = &l->files[i]->body;
    const struct library *around = c->plan->plan->library;
    if (c->def->remote || around->remote)
        l->remote = xstrdup(c->def->remote ? c->id : around->remote);
    const struct body body = {.kind = BODY_IMPORTED, .parts = parts, .len = l->file_count, .library = l};
    return plan_make(&body, &outer->owner->options, ret, ds);
}

static int plan_content(struct module *outer, const struct component *c, const struct value *files, struct value *path,
                        struct plan **ret, struct diags *ds)
{
    const size_t n = value_len(files);
    cleanup_free struct ast_file **asts = xcalloc(n + 1, sizeof *asts);
    size_t parsed = 0;
    for (size_t i = 0; i < n; i++) {
        if (parse_content(value_item(files, i), &asts[parsed], ds) == 0)
            parsed++;
    }
    int code = -EBADMSG;
    if (parsed == n) {
        /* A source that has no place of its own is where it is imported. */
        struct library *l = library_new(NULL, asts, n, path ? path : c->plan->plan->library->module_path);
        code = plan_files(outer, c, l, ret, ds);
        library_unref(l);
    }
    for (size_t i = 0; i < parsed; i++)
        ast_unref(asts[i]);
    return code;
}

static int prepare(struct module *outer, struct plan_node *n, const struct value *files, struct value *path,
                   struct diags *ds)
{
    struct component *c = n->component;
    struct plan *p;
    if (!c->module)
        c->module = module_new(outer, c, xstrdup(c->id));
    const int code = plan_content(outer, c, files, path, &p, ds);
    return code < 0 ? code : module_prepare(c->module, p, ds);
}

/* Builds the source, or looks at what a running one would bring by new arguments. */
static int prepare_source(struct plan_node *n, struct diags *ds)
{
    const struct scope scope = plan_scope(n->plan);
    struct err err = {0};
    if (node_decode(n, &scope, ds) < 0)
        return -EINVAL;
    if (n->failed || !n->args)
        return 0;
    const int code = n->is_new ? node_build(n, &err) : node_preview(n, &scope, &n->given, &err);
    return code < 0 ? diag_error(ds, n->stmt->range, "%s: %s", node_failure(n), err.text) : 0;
}

/* A load takes files as they are now, not what somebody noticed of them. If they are broken it goes on with what is in force, as it
 * does when they break while everything runs. */
static bool prepare_files(struct module *m, struct plan_node *n, struct diags *ds)
{
    const struct scope scope = plan_scope(n->plan);
    cleanup_diags struct diags found = DIAGS_INIT;
    struct err err = {0};
    int code = node_preview(n, &scope, &n->given, &err);
    if (code == 0) {
        code = prepare(m, n, member_of(n->given, "files"), member_of(n->given, "module_path"), &found);
        if (code < 0)
            module_problem(&found, &err);
    }
    if (code == 0) {
        diags_merge(ds, &found);
        return true;
    }
    module_discard(n->component->module);
    value_unref(TAKE_PTR(n->given));
    diag_warn(ds, n->stmt->name_range, "what was imported before stays: %s", err.text);
    return false;
}

void import_prepare(struct module *m, struct plan_node *n, struct diags *ds)
{
    struct component *c = n->component;
    module_check_needs(n);
    if (n->waits || n->failed)
        return;
    n->failed = prepare_source(n, ds) < 0;
    if (n->failed || (n->def->local && c->content && !n->args && prepare_files(m, n, ds)))
        return;
    const struct value *exports = n->given ? n->given : c->exports;
    /* A running one may have brought something since that was refused; what is in force counts. */
    const struct value *files = n->is_new || n->given ? member_of(exports, "files") : c->content;
    if (files)
        n->failed = prepare(m, n, files, member_of(exports, "module_path"), ds) < 0;
    n->waits = !n->failed && !import_library(n);
}

static void take_content(struct component *c)
{
    value_unref(c->content);
    c->content = value_ref(member_of(c->exports, "files"));
    health_set(&c->content_health, HEALTH_HEALTHY, xstrdup("content updated"));
}

/* What was looked at aside; its dependants have looked at it, too. */
static void take_fresh(struct plan_node *n)
{
    struct component *c = n->component;
    cleanup_value struct value *given = TAKE_PTR(n->given);
    if (!member_of(given ? given : n->is_new ? c->exports : NULL, "files"))
        return;
    if (given) {
        value_unref(c->exports);
        c->exports = TAKE_PTR(given);
    }
    take_content(c);
}

int import_commit(struct plan_node *n, struct diags *ds)
{
    struct component *c = n->component;
    struct err err = {0};
    int code = 0;
    if (c->module && c->module->next)
        code = module_commit(c->module, ds);
    take_fresh(n);
    if (!c->is_built)
        return code; /* it waits itself */
    if (n->args && node_update(n, &err) < 0)
        code = diag_error(ds, n->stmt->range, "%s: %s", node_failure(n), err.text);
    node_evaluated(c, err.code ? err.text : NULL);
    return code;
}

/* Whoever uses its definitions, here or through imports around it, has to look again. */
static void mark_users(struct plan_node *n)
{
    for (;;) {
        const struct dag_links *by = &n->plan->dag.needed_by[n->place];
        for (size_t i = 0; i < by->len; i++)
            n->plan->nodes[by->items[i]]->redefined = true;
        module_mark_dependants(n);
        struct component *host = n->plan->live->host;
        if (!host || host->kind != NODE_IMPORT || !host->plan)
            return;
        n = host->plan;
    }
}

/* What was there before stays in force. */
static int refuse_content(struct component *c, int code, const struct diags *ds, struct err *err)
{
    const struct source *file = ds->items[0].range.first.source;
    const char *what = code == -EBADMSG ? "cannot be parsed" : "is invalid";
    code = module_problem(ds, err);
    code = err_wrap(err, code, "imported content from \"%s\" %s", file ? file->name : c->id, what);
    health_set(&c->content_health, HEALTH_UNHEALTHY, xstrdup(err->text));
    module_discard(c->module);
    return code;
}

int import_evaluate(struct plan_node *n, struct err *err)
{
    struct component *c = n->component;
    const struct value *files = member_of(c->exports, "files");
    cleanup_diags struct diags ds = DIAGS_INIT;
    if (!files)
        return 0;
    if (c->content && value_equal(c->content, files)) {
        health_set(&c->content_health, HEALTH_HEALTHY, xstrdup("content updated"));
        return 0;
    }
    int code = prepare(n->plan->live, n, files, member_of(c->exports, "module_path"), &ds);
    if (code < 0)
        return refuse_content(c, code, &ds, err);
    code = module_commit(c->module, &ds);
    take_content(c);
    n->waits = false;
    mark_users(n);
    module_note_unstarted(n->plan->live);
    return code < 0 ? module_problem(&ds, err) : 0;
}
