#include "graph/library.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/dag.h"
#include "graph/module.h"
#include "graph/plan.h"
#include "lang/diag.h"

/* Further off than this is another word, not a slip. */
enum { SLIPS_MAX = 2, CYCLE_TEXT_MAX = 4096 };

struct library *library_new(struct library *parent, struct ast_file *const *files, size_t n, struct value *module_path)
{
    struct library *l = xcalloc(1, sizeof *l);
    *l = (struct library){.refs = 1,
                          .parent = parent ? library_ref(parent) : NULL,
                          .files = xcalloc(n + 1, sizeof(struct ast_file *)),
                          .file_count = n,
                          .module_path = value_ref(module_path),
                          .remote = parent && parent->remote ? xstrdup(parent->remote) : NULL};
    for (size_t i = 0; i < n; i++)
        l->files[i] = ast_ref(files[i]);
    return l;
}

struct library *library_ref(struct library *l)
{
    l->refs++;
    return l;
}

void library_unref(struct library *l)
{
    if (!l || --l->refs)
        return;
    strmap_each(&l->declares, e)
    {
        struct template *t = e->value;
        free(t->uses);
        free(t);
    }
    for (size_t i = 0; i < l->file_count; i++)
        ast_unref(l->files[i]);
    strmap_done(&l->declares);
    strmap_done(&l->imports);
    value_unref(l->module_path);
    free(l->remote);
    library_unref(l->parent);
    free(l->files);
    free(l);
}

/* --- looking up --- */

static struct str first_part(struct str name, struct str *rest)
{
    const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
    if (!dot) {
        *rest = (struct str){0};
        return name;
    }
    const size_t n = (size_t)(dot - name.p);
    *rest = (struct str){dot + 1, name.n - n - 1};
    return (struct str){name.p, n};
}

/* Inner definitions hide outer ones, and a declare hides an import of the same name. */
static const struct library *holder_of(const struct library *l, struct str label)
{
    while (l && !strmap_has(&l->declares, label) && !strmap_has(&l->imports, label))
        l = l->parent;
    return l;
}

enum library_answer library_find(const struct library *l, struct str name, struct template **ret)
{
    struct str rest;
    const struct str first = first_part(name, &rest);
    const struct library *holder = holder_of(l, first);
    if (!holder)
        return LIBRARY_NONE;
    if (rest.n == 0) {
        *ret = strmap_get(&holder->declares, first);
        return *ret ? LIBRARY_FOUND : LIBRARY_NONE;
    }
    const struct plan_node *import = strmap_get(&holder->imports, first);
    if (!import)
        return LIBRARY_NONE;
    const struct library *brought = import_library(import);
    if (!brought)
        return LIBRARY_PENDING;
    *ret = strmap_get(&brought->declares, rest);
    return *ret ? LIBRARY_FOUND : LIBRARY_NONE;
}

bool library_claims(const struct library *l, struct str name, const struct plan_node **on)
{
    struct str rest;
    const struct str first = first_part(name, &rest);
    const struct library *holder = holder_of(l, first);
    *on = holder && rest.n > 0 ? strmap_get(&holder->imports, first) : NULL;
    return holder != NULL;
}

const char *library_suggest(const struct library *l, struct str name, char *out, size_t size)
{
    struct str rest;
    const struct str first = first_part(name, &rest);
    const struct library *holder = holder_of(l, first);
    const struct plan_node *import = holder ? strmap_get(&holder->imports, first) : NULL;
    const struct library *brought = import ? import_library(import) : NULL;
    struct str best = {0};
    unsigned least = SLIPS_MAX + 1;
    if (!brought)
        return NULL;
    strmap_each(&brought->declares, e)
    {
        const unsigned slips = str_distance(rest, e->key, SLIPS_MAX);
        if (slips < least) {
            least = slips;
            best = e->key;
        }
    }
    if (best.n == 0)
        return NULL;
    snprintf(out, size, "%.*s.%.*s", STR_ARG(first), STR_ARG(best));
    return out;
}

/* --- what a body needs --- */

struct uses {
    struct library *of; /* whose imports are wanted */
    library_visit *visit;
    void *arg;
};

static void body_uses(const struct uses *u, const struct library *home, const struct ast_body *body);

static void note_use(void *arg, const struct plan_node *import)
{
    struct template *t = arg;
    for (size_t i = 0; i < t->uses_len; i++) {
        if (t->uses[i] == import)
            return;
    }
    xgrow(&t->uses, &t->uses_cap, t->uses_len + 1, sizeof *t->uses);
    t->uses[t->uses_len++] = import;
}

/* Remembered, as a template may have many instances. One that is being scanned needs itself, which is reported elsewhere. */
static void template_uses(const struct uses *u, struct template *t)
{
    if (!t->scanned) {
        t->scanned = true;
        const struct uses own = {.of = t->home, .visit = note_use, .arg = t};
        body_uses(&own, t->home, &t->stmt->body);
    }
    for (size_t i = 0; i < t->uses_len; i++)
        u->visit(u->arg, t->uses[i]);
}

static void block_uses(const struct uses *u, const struct library *home, const struct ast_stmt *s)
{
    struct str rest;
    const struct str first = first_part(s->name, &rest);
    const struct library *holder = holder_of(home, first);
    if (!holder)
        return;
    struct template *t = rest.n == 0 ? strmap_get(&holder->declares, first) : NULL;
    const struct plan_node *import = rest.n > 0 ? strmap_get(&holder->imports, first) : NULL;
    if (import && holder == u->of)
        u->visit(u->arg, import);
    /* One from further out is looked up there, and cannot name an import of this library. */
    if (t && t->home == u->of)
        template_uses(u, t);
}

/* A declare inside the body may hide an outer one of the same name: then this says too much, which does no harm. */
static void body_uses(const struct uses *u, const struct library *home, const struct ast_body *body)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (s->kind != AST_BLOCK)
            continue;
        if (str_is(s->name, "declare") || str_is(s->name, "foreach") || str_is(s->name, "template"))
            body_uses(u, home, &s->body);
        else
            block_uses(u, home, s);
    }
}

void library_uses(struct library *l, const struct ast_body *body, library_visit *visit, void *arg)
{
    if (l->imports.len > 0)
        body_uses(&(struct uses){.of = l, .visit = visit, .arg = arg}, l, body);
}

void library_block_uses(struct library *l, const struct ast_stmt *block, library_visit *visit, void *arg)
{
    if (l->imports.len > 0)
        block_uses(&(struct uses){.of = l, .visit = visit, .arg = arg}, l, block);
}

void library_forget(struct library *l, const struct plan *p)
{
    strmap_each(&l->imports, e)
    {
        if (((const struct plan_node *)e->value)->plan == p) {
            strmap_done(&l->imports);
            l->imports = STRMAP_INIT;
            return;
        }
    }
}

/* --- declares that need themselves --- */

struct recursion {
    const struct library *l;
    const struct template **templates; /* by number */
    struct dag dag;
    struct diags *ds;
};

static void declares_in(struct recursion *r, size_t from, const struct ast_body *body)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (s->kind != AST_BLOCK)
            continue;
        const struct template *t = strmap_get(&r->l->declares, s->name);
        if (t)
            dag_need(&r->dag, from, t->number);
        else if (str_is(s->name, "declare") || str_is(s->name, "foreach") || str_is(s->name, "template"))
            declares_in(r, from, &s->body);
    }
}

static void report_recursion(void *arg, const size_t *members, size_t n)
{
    const struct recursion *r = arg;
    const struct ast_stmt *first = r->templates[members[0]]->stmt;
    cleanup_buf struct buf text = BUF_INIT(CYCLE_TEXT_MAX);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%sdeclare.%.*s", i > 0 ? ", " : "", STR_ARG(r->templates[members[i]]->stmt->label));
    const struct range at = plan_id_range(first, first->name.n + 1 + first->label.n);
    diag_error(r->ds, at, "%s: %s%s", n == 1 ? "self reference" : "cycle", buf_cstr(&text), buf_ok(&text) ? "" : ", …");
}

void library_check(const struct library *l, struct diags *ds)
{
    if (l->declares.len == 0)
        return;
    struct recursion r = {.l = l, .templates = xcalloc(l->declares.len, sizeof *r.templates), .ds = ds};
    const size_t n = l->declares.len;
    strmap_each(&l->declares, e)
    {
        const struct template *t = e->value;
        r.templates[t->number] = t;
    }
    dag_init(&r.dag, n);
    for (size_t i = 0; i < n; i++)
        declares_in(&r, i, &r.templates[i]->stmt->body);
    cleanup_free size_t *order = xcalloc(n + 1, sizeof *order);
    if (!dag_order(&r.dag, order))
        dag_cycles(&r.dag, report_recursion, &r);
    dag_done(&r.dag);
    free(r.templates);
}
