#include "graph/plan.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/registry.h"
#include "lang/parser.h"
#include "lang/stdlib.h"

/* Texts that go into messages and keys end somewhere; no definition's name comes near. */
enum { LABEL_MAX = 512, ID_MAX = 4096, CYCLE_TEXT_MAX = 4096, WHAT_MAX = 128 };

/* --- statements to nodes --- */

/* As in the reference: as many characters as the id has, from the name on, which is more than the name where there is a label. */
static struct range id_range(const struct ast_stmt *s, size_t id_len)
{
    struct range r = s->name_range;
    if (s->label.n > 0 && id_len > 0)
        r = source_range(r.first.source, r.first.offset, r.first.offset + id_len - 1);
    return r;
}

static void report_duplicate(const struct ast_stmt *s, const char *id, const struct ast_stmt *first, struct diags *ds)
{
    const struct pos *at = &first->range.first;
    diag_error(ds, id_range(s, strlen(id)), "block %s already declared at %s:%u:%u", id, at->source->name, at->line,
               at->column);
}

/* Blocks of the language's runtime that this program does not have. False: none of them. */
static bool refuse_runtime_block(const struct ast_stmt *s, struct diags *ds)
{
    static const char *const services[] = {"cluster", "labelstore", "otel", "ui"};
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        if (str_is(s->name, services[i])) {
            diag_error(ds, s->name_range, "service \"%s\" does not support being configured", services[i]);
            return true;
        }
    }
    static const char *const modules[] = {"declare",     "argument",   "export",        "foreach",  "import.file",
                                          "import.http", "import.git", "import.string", "remotecfg"};
    for (size_t i = 0; i < ARRAY_LEN(modules); i++) {
        if (str_is(s->name, modules[i])) {
            diag_error(ds, s->name_range, "\"%s\" blocks are not supported by this version", modules[i]);
            return true;
        }
    }
    return false;
}

static void add_setting(struct plan *p, const struct ast_stmt *s, size_t *cap, struct diags *ds)
{
    for (size_t i = 0; i < p->settings_len; i++) {
        if (str_eq(p->settings[i]->name, s->name)) {
            cleanup_free char *id = str_dup(s->name);
            report_duplicate(s, id, p->settings[i], ds);
            return;
        }
    }
    if (s->label.n > 0) {
        diag_error(ds, s->label_range, "block \"%.*s\" does not support specifying labels", STR_ARG(s->name));
        return;
    }
    xgrow(&p->settings, cap, p->settings_len + 1, sizeof *p->settings);
    p->settings[p->settings_len++] = s;
}

/* False: refused and reported. */
static bool check_component(const struct ast_stmt *s, const struct controller_options *o,
                            const struct component_def **ret, struct diags *ds)
{
    const struct component_def *def = registry_find(o->components, s->name);
    if (!def) {
        const char *close = registry_suggest(o->components, s->name);
        diag_error(ds, s->name_range, "cannot find the definition of component name \"%.*s\"%s%s%s", STR_ARG(s->name),
                   close ? ", did you mean \"" : "", close ? close : "", close ? "\"?" : "");
        return false;
    }
    if (s->label.n == 0) {
        diag_error(ds, s->name_range, "component \"%s\" must have a label", def->name);
        return false;
    }
    if (s->label.n > LABEL_MAX) {
        diag_error(ds, s->label_range, "label is longer than %d bytes", LABEL_MAX);
        return false;
    }
    char what[WHAT_MAX];
    struct err err = {0};
    snprintf(what, sizeof what, "component \"%s\"", def->name);
    if (stability_check(what, def->stability, o->stability, &err) < 0) {
        diag_error(ds, s->name_range, "%s", err.text);
        return false;
    }
    *ret = def;
    return true;
}

static void add_component(struct plan *p, const struct ast_stmt *s, size_t *cap, const struct controller_options *o,
                          struct diags *ds)
{
    const struct component_def *def;
    if (!check_component(s, o, &def, ds))
        return;
    cleanup_free char *id = xasprintf("%s.%.*s", def->name, STR_ARG(s->label));
    const struct plan_node *earlier = strmap_get(&p->ids, str_of(id));
    if (earlier) {
        report_duplicate(s, id, earlier->stmt, ds);
        return;
    }
    struct plan_node *n = xcalloc(1, sizeof *n);
    *n = (struct plan_node){.def = def, .stmt = s, .place = p->len, .id = TAKE_PTR(id)};
    strmap_put(&p->ids, str_of(n->id), n);
    if (s->fragment_count + 1 > p->id_parts)
        p->id_parts = s->fragment_count + 1;
    xgrow(&p->nodes, cap, p->len + 1, sizeof *p->nodes);
    p->nodes[p->len++] = n;
}

static void collect(struct plan *p, const struct controller_options *o, struct diags *ds)
{
    size_t node_cap = 0, setting_cap = 0;
    for (size_t f = 0; f < p->file_count; f++) {
        const struct ast_body *body = &p->files[f]->body;
        for (size_t i = 0; i < body->len; i++) {
            const struct ast_stmt *s = &body->stmts[i];
            if (s->kind == AST_ATTR)
                diag_error(ds, s->name_range, "unrecognized attribute %.*s", STR_ARG(s->name));
            else if (settings_has(s->name))
                add_setting(p, s, &setting_cap, ds);
            else if (!refuse_runtime_block(s, ds))
                add_component(p, s, &node_cap, o, ds);
        }
    }
}

/* --- references to edges --- */

struct plan_node *plan_find(const struct plan *p, const struct str *path, size_t n, size_t *used)
{
    cleanup_buf struct buf id = BUF_INIT(ID_MAX);
    for (size_t i = 0; i < n && i < p->id_parts; i++) {
        if (i > 0)
            buf_byte(&id, '.');
        buf_str(&id, path[i]);
        struct plan_node *node = buf_ok(&id) ? strmap_get(&p->ids, buf_slice(&id)) : NULL;
        if (node) {
            *used = i + 1;
            return node;
        }
    }
    return NULL;
}

/* Whether a path begins with the name of a block that was refused: then that refusal says it all. */
static bool names_refused_block(const struct plan *p, const struct str *path, size_t n)
{
    for (size_t f = 0; f < p->file_count; f++) {
        for (size_t i = 0; i < p->files[f]->body.len; i++) {
            const struct ast_stmt *s = &p->files[f]->body.stmts[i];
            const size_t parts = s->kind == AST_BLOCK ? s->fragment_count + (s->label.n > 0) : n + 1;
            size_t same = 0;
            while (same < parts && same < n &&
                   str_eq(path[same], same < s->fragment_count ? s->fragments[same] : s->label))
                same++;
            if (same == parts)
                return true;
        }
    }
    return false;
}

struct linking {
    struct plan *p;
    const struct plan_node *from; /* NULL: a settings block, which waits for nobody */
    enum stability stability;
    struct diags *ds;
};

static void link_reference(void *arg, const struct ast_traversal *t)
{
    const struct linking *l = arg;
    size_t used;
    const struct plan_node *on = plan_find(l->p, t->path, t->len, &used);
    if (on) {
        if (l->from)
            dag_need(&l->p->dag, l->from->place, on->place);
        return;
    }
    if (stdlib_reference(t, l->stability, l->ds) || names_refused_block(l->p, t->path, t->len))
        return;
    cleanup_buf struct buf name = BUF_INIT(ID_MAX);
    for (size_t i = 0; i < t->len; i++) {
        if (i > 0)
            buf_byte(&name, '.');
        buf_str(&name, t->path[i]);
    }
    diag_error(l->ds, t->range, "component \"%s\" does not exist or is out of scope", buf_cstr(&name));
}

struct cycles {
    const struct plan *p;
    struct diags *ds;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void report_cycle(void *arg, const size_t *members, size_t n)
{
    const struct cycles *c = arg;
    const struct plan_node *first = c->p->nodes[members[0]];
    const struct range at = id_range(first->stmt, strlen(first->id));
    if (n == 1) {
        diag_error(c->ds, at, "self reference: %s", first->id);
        return;
    }
    cleanup_free const char **ids = xcalloc(n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = c->p->nodes[members[i]]->id;
    qsort(ids, n, sizeof *ids, by_text);
    cleanup_buf struct buf text = BUF_INIT(CYCLE_TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_puts(&text, i > 0 ? ", " : "cycle: ");
        buf_puts(&text, ids[i]);
    }
    diag_error(c->ds, at, "%s%s", buf_cstr(&text), buf_ok(&text) ? "" : ", …");
}

static void link_all(struct plan *p, enum stability stability, struct diags *ds)
{
    dag_init(&p->dag, p->len);
    struct linking l = {.p = p, .stability = stability, .ds = ds};
    for (size_t i = 0; i < p->len; i++) {
        l.from = p->nodes[i];
        ast_traversals(&p->nodes[i]->stmt->body, link_reference, &l);
    }
    l.from = NULL;
    for (size_t i = 0; i < p->settings_len; i++)
        ast_traversals(&p->settings[i]->body, link_reference, &l);
    p->order = xcalloc(p->len + 1, sizeof *p->order);
    if (!dag_order(&p->dag, p->order))
        dag_cycles(&p->dag, report_cycle, &(struct cycles){p, ds});
}

/* --- what people ask for --- */

static const char **ids_of(const struct plan *p, const struct dag_links *l)
{
    const char **ids = xcalloc(l->len + 1, sizeof *ids);
    for (size_t i = 0; i < l->len; i++)
        ids[i] = p->nodes[l->items[i]]->id;
    qsort(ids, l->len, sizeof *ids, by_text);
    return ids;
}

static int by_node_id(const void *a, const void *b)
{
    return strcmp((*(struct plan_node *const *)a)->id, (*(struct plan_node *const *)b)->id);
}

static void index_nodes(struct plan *p)
{
    p->by_id = xcalloc(p->len + 1, sizeof *p->by_id);
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *n = p->by_id[i] = p->nodes[i];
        n->references_to = ids_of(p, &p->dag.needs[i]);
        n->referenced_by = ids_of(p, &p->dag.needed_by[i]);
    }
    qsort(p->by_id, p->len, sizeof *p->by_id, by_node_id);
}

/* --- the whole --- */

static void parse_all(struct plan *p, struct source *const *sources, size_t n, struct diags *ds)
{
    p->files = xcalloc(n + 1, sizeof *p->files);
    for (size_t i = 0; i < n; i++) {
        if (parse_file(sources[i], &p->files[p->file_count], ds) == 0)
            p->file_count++;
    }
}

static void plan_freep(struct plan **p)
{
    plan_free(*p);
}

int plan_new(struct source *const *sources, size_t n, const struct controller_options *options, struct plan **ret,
             struct diags *ds)
{
    const size_t errors_before = ds->errors;
    __attribute__((cleanup(plan_freep))) struct plan *p = xcalloc(1, sizeof *p);
    parse_all(p, sources, n, ds);
    if (ds->errors > errors_before)
        return -EINVAL;
    collect(p, options, ds);
    link_all(p, options->stability, ds);
    if (ds->errors > errors_before)
        return -EINVAL;
    index_nodes(p);
    *ret = TAKE_PTR(p);
    return 0;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->len; i++) {
        struct plan_node *n = p->nodes[i];
        free(n->id);
        free(n->references_to);
        free(n->referenced_by);
        free(n);
    }
    for (size_t i = 0; i < p->file_count; i++)
        ast_unref(p->files[i]);
    dag_done(&p->dag);
    strmap_done(&p->ids);
    free(p->files);
    free(p->nodes);
    free(p->order);
    free(p->by_id);
    free(p->settings);
    free(p);
}
