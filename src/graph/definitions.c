#include "graph/definitions.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/dag.h"

/* Further off than this is another word, not a slip. */
enum { SLIPS_MAX = 2 };

struct definitions *definitions_new(struct definitions *parent, struct ast_file *const *files, size_t n,
                                    struct value *module_path)
{
    struct definitions *d = xcalloc(1, sizeof *d);
    *d = (struct definitions){.refs = 1,
                              .parent = parent ? definitions_ref(parent) : NULL,
                              .files = xcalloc(n + 1, sizeof(struct ast_file *)),
                              .file_count = n,
                              .module_path = value_ref(module_path),
                              .remote = parent && parent->remote ? xstrdup(parent->remote) : NULL};
    for (size_t i = 0; i < n; i++)
        d->files[i] = ast_ref(files[i]);
    return d;
}

struct definitions *definitions_ref(struct definitions *d)
{
    d->refs++;
    return d;
}

static void free_entries(struct definitions *d)
{
    strmap_each(&d->declares, e)
    {
        struct declare *declare = e->value;
        free(declare->uses);
        free(declare);
    }
    strmap_each(&d->imports, e)
    {
        struct definitions_import *import = e->value;
        definitions_unref(import->brought);
        free(import);
    }
    strmap_done(&d->declares);
    strmap_done(&d->imports);
}

void definitions_unref(struct definitions *d)
{
    if (!d || --d->refs)
        return;
    free_entries(d);
    for (size_t i = 0; i < d->file_count; i++)
        ast_unref(d->files[i]);
    value_unref(d->module_path);
    free(d->remote);
    definitions_unref(d->parent);
    free(d->files);
    free(d);
}

void definitions_add_declare(struct definitions *d, const struct ast_stmt *declare)
{
    struct declare *new = xcalloc(1, sizeof *new);
    *new = (struct declare){.stmt = declare, .home = d, .number = d->declares.len};
    strmap_put(&d->declares, declare->label, new);
}

struct definitions_import *definitions_add_import(struct definitions *d, const struct ast_stmt *import)
{
    struct definitions_import *new = xcalloc(1, sizeof *new);
    new->stmt = import;
    strmap_put(&d->imports, import->label, new);
    return new;
}

void definitions_bring(struct definitions_import *import, struct definitions *brought)
{
    struct definitions *before = import->brought;
    import->brought = brought ? definitions_ref(brought) : NULL;
    definitions_unref(before);
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
static const struct definitions *holder_of(const struct definitions *d, struct str label)
{
    while (d && !strmap_has(&d->declares, label) && !strmap_has(&d->imports, label))
        d = d->parent;
    return d;
}

/* What a name looks for: a declare of `holder`, or one of its import. */
struct lookup {
    struct str first, rest;
    const struct definitions *holder;        /* NULL: nothing is called so */
    const struct definitions_import *import; /* NULL: it is of no namespace */
};

static struct lookup definitions_look_up(const struct definitions *d, struct str name)
{
    struct lookup l = {0};
    l.first = first_part(name, &l.rest);
    l.holder = holder_of(d, l.first);
    l.import = l.holder && l.rest.n > 0 ? strmap_get(&l.holder->imports, l.first) : NULL;
    return l;
}

enum definitions_answer definitions_find(const struct definitions *d, struct str name, const struct declare **ret)
{
    const struct lookup l = definitions_look_up(d, name);
    if (!l.holder)
        return DEFINITIONS_NONE;
    if (l.rest.n > 0 && !l.import)
        return DEFINITIONS_NONE;
    if (l.import && !l.import->brought)
        return DEFINITIONS_PENDING;
    *ret = l.import ? strmap_get(&l.import->brought->declares, l.rest) : strmap_get(&l.holder->declares, l.first);
    return *ret ? DEFINITIONS_FOUND : DEFINITIONS_NONE;
}

bool definitions_claim(const struct definitions *d, struct str name, const struct definitions_import **on)
{
    const struct lookup l = definitions_look_up(d, name);
    *on = l.import;
    return l.holder != NULL;
}

const char *definitions_suggest(const struct definitions *d, struct str name, char *out, size_t size)
{
    const struct lookup l = definitions_look_up(d, name);
    struct str best = {0};
    unsigned least = SLIPS_MAX + 1;
    if (!l.import || !l.import->brought)
        return NULL;
    strmap_each(&l.import->brought->declares, e)
    {
        const unsigned slips = str_distance(l.rest, e->key, SLIPS_MAX);
        if (slips < least) {
            least = slips;
            best = e->key;
        }
    }
    if (best.n == 0)
        return NULL;
    snprintf(out, size, "%.*s.%.*s", STR_ARG(l.first), STR_ARG(best));
    return out;
}

/* --- what a body needs --- */

struct uses {
    struct definitions *of; /* whose imports are wanted */
    definitions_visit *visit;
    void *arg;
};

static void body_uses(const struct uses *u, const struct definitions *home, const struct ast_body *body);

static void note_use(void *arg, const struct definitions_import *import)
{
    struct declare *d = arg;
    for (size_t i = 0; i < d->uses_len; i++) {
        if (d->uses[i] == import)
            return;
    }
    xgrow(&d->uses, &d->uses_cap, d->uses_len + 1, sizeof *d->uses);
    d->uses[d->uses_len++] = import;
}

/* Remembered, as a declare may have many instances. One that is being scanned needs itself, which is reported
 * elsewhere. */
static void declare_uses(const struct uses *u, struct declare *d)
{
    if (!d->is_scanned) {
        d->is_scanned = true;
        const struct uses own = {.of = d->home, .visit = note_use, .arg = d};
        body_uses(&own, d->home, &d->stmt->body);
    }
    for (size_t i = 0; i < d->uses_len; i++)
        u->visit(u->arg, d->uses[i]);
}

static void block_uses(const struct uses *u, const struct definitions *home, const struct ast_stmt *s)
{
    const struct lookup l = definitions_look_up(home, s->name);
    if (!l.holder)
        return;
    if (l.import && l.holder == u->of)
        u->visit(u->arg, l.import);
    struct declare *d = l.rest.n == 0 ? strmap_get(&l.holder->declares, l.first) : NULL;
    /* One from further out is looked up there, and cannot name an import of these definitions. */
    if (d && d->home == u->of)
        declare_uses(u, d);
}

static bool holds_blocks(const struct ast_stmt *s)
{
    return str_is(s->name, "declare") || str_is(s->name, "foreach") || str_is(s->name, "template");
}

/* A declare inside the body may hide an outer one of the same name: then this says too much, which does no harm. */
static void body_uses(const struct uses *u, const struct definitions *home, const struct ast_body *body)
{
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (s->kind != AST_BLOCK)
            continue;
        if (holds_blocks(s))
            body_uses(u, home, &s->body);
        else
            block_uses(u, home, s);
    }
}

void definitions_body_uses(struct definitions *d, const struct ast_body *body, definitions_visit *visit, void *arg)
{
    if (d->imports.len > 0)
        body_uses(&(struct uses){.of = d, .visit = visit, .arg = arg}, d, body);
}

void definitions_block_uses(struct definitions *d, const struct ast_stmt *block, definitions_visit *visit, void *arg)
{
    if (d->imports.len > 0)
        block_uses(&(struct uses){.of = d, .visit = visit, .arg = arg}, d, block);
}

/* --- declares that need themselves --- */

/* The bodies around a block, from the inside out, with the labels of what each declares and imports itself. */
struct enclosing {
    struct strmap labels;
    const struct enclosing *outer;
};

struct recursion {
    const struct definitions *definitions;
    const struct declare **declares; /* by number */
    struct dag dag;
    definitions_circle *visit;
    void *arg;
};

static bool is_hidden(const struct enclosing *at, struct str name)
{
    while (at && !strmap_has(&at->labels, name))
        at = at->outer;
    return at != NULL;
}

static void find_needs(struct recursion *r, size_t from, const struct ast_body *body, const struct enclosing *outer)
{
    struct enclosing here = {.outer = outer};
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (s->kind == AST_BLOCK && (str_is(s->name, "declare") || str_has_prefix(s->name, STR("import."))))
            strmap_put(&here.labels, s->label, body->stmts);
    }
    for (size_t i = 0; i < body->len; i++) {
        const struct ast_stmt *s = &body->stmts[i];
        if (s->kind != AST_BLOCK)
            continue;
        const struct declare *d = strmap_get(&r->definitions->declares, s->name);
        if (d && !is_hidden(&here, s->name))
            dag_need(&r->dag, from, d->number);
        else if (holds_blocks(s))
            find_needs(r, from, &s->body, &here);
    }
    strmap_done(&here.labels);
}

static void visit_circle(void *arg, const size_t *numbers, size_t n)
{
    const struct recursion *r = arg;
    cleanup_free const struct declare **members = xcalloc(n, sizeof *members);
    for (size_t i = 0; i < n; i++)
        members[i] = r->declares[numbers[i]];
    r->visit(r->arg, members, n);
}

void definitions_circles(const struct definitions *d, definitions_circle *visit, void *arg)
{
    const size_t n = d->declares.len;
    if (n == 0)
        return;
    struct recursion r = {.definitions = d, .declares = xcalloc(n, sizeof *r.declares), .visit = visit, .arg = arg};
    strmap_each(&d->declares, e)
    {
        const struct declare *declare = e->value;
        r.declares[declare->number] = declare;
    }
    dag_init(&r.dag, n);
    for (size_t i = 0; i < n; i++)
        find_needs(&r, i, &r.declares[i]->stmt->body, NULL);
    cleanup_free size_t *order = xcalloc(n + 1, sizeof *order);
    if (!dag_order(&r.dag, order))
        dag_cycles(&r.dag, visit_circle, &r);
    dag_done(&r.dag);
    free(r.declares);
}
