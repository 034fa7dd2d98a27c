#include "graph/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "flow/receiver.h"
#include "flow/targets.h"
#include "graph/block_text.h"
#include "graph/missing.h"
#include "graph/reference.h"

struct linker {
    struct plan *plan;
    const struct plan_options *options;
    const struct block *from;
    struct diags *ds;
};

/* --- inputs of a template --- */

static void add_input(void *arg, const struct ast_traversal *t)
{
    struct plan *p = arg;
    size_t used;
    if (plan_find(p, t->path, t->len, false, &used))
        return;
    const struct block *outer = plan_find(p->around, t->path, t->len, false, &used);
    if (outer && !plan_block(p, str_of(outer->id)))
        plan_add(p, outer->type == BLOCK_SKIPPED ? BLOCK_SKIPPED : BLOCK_INPUT, NULL, xstrdup(outer->id));
}

void link_begin(struct plan *p, const struct body *body)
{
    for (size_t i = 0; i < body->len && p->around; i++)
        ast_traversals(body->parts[i], add_input, p);
    dag_init(&p->dag, p->len);
}

/* --- references --- */

/* What is unknown itself had better be written like the reference. */
static bool may_be_meant(const struct linker *l, const struct block *b)
{
    const bool is_known = b->type != BLOCK_SKIPPED && (b->type != BLOCK_COMPONENT || b->def) &&
                          (b->type != BLOCK_CUSTOM || !b->is_rejected);
    return b != l->from && b->stmt && is_known && (l->options->is_thorough || block_has_value(b));
}

static void report_missing(const struct linker *l, const struct ast_traversal *t)
{
    struct missing m = missing_of(t);
    for (const struct plan *p = l->plan; p && l->ds->errors < MISSING_TRIES_MAX; p = p->around) {
        for (size_t i = 0; i < p->len; i++) {
            const struct block *b = p->blocks[i];
            if (may_be_meant(l, b))
                missing_try(&m, b->stmt->fragment_count + (b->stmt->label.n > 0), b->id);
        }
    }
    missing_report(&m, l->ds);
}

static void link_reference(void *arg, const struct ast_traversal *t)
{
    struct linker *l = arg;
    size_t used;
    const bool is_thorough = l->options->is_thorough;
    const struct block *on = plan_find(l->plan, t->path, t->len, is_thorough, &used);
    if (on) {
        if (is_thorough)
            reference_check(on, t, used, l->ds);
        dag_need(&l->plan->dag, l->from->place, on->place);
    } else if (!str_is(t->path[0], "module_path") && !reference_is_of_library(t, l->options, l->ds)) {
        report_missing(l, t);
    }
}

static void link_import(void *arg, const struct definitions_import *import)
{
    const struct linker *l = arg;
    if (import->block && import->block->plan == l->plan && import->block != l->from)
        dag_need(&l->plan->dag, l->from->place, import->block->place);
}

static void link_foreach(struct linker *l)
{
    const struct ast_body *body = &l->from->stmt->body;
    for (size_t i = 0; i < body->len; i++) {
        struct ast_stmt *s = &body->stmts[i];
        if (s->kind == AST_ATTR)
            ast_traversals(&(struct ast_body){.stmts = s, .len = 1}, link_reference, l);
    }
    definitions_body_uses(l->plan->definitions, body, link_import, l);
}

void link_block(struct plan *p, const struct plan_options *options, const struct block *b, struct diags *ds)
{
    struct linker l = {p, options, b, ds};
    if (!b->stmt || b->type == BLOCK_DECLARE || (b->type == BLOCK_SKIPPED && !options->is_thorough))
        return;
    if (b->type == BLOCK_FOREACH) {
        link_foreach(&l);
        return;
    }
    ast_traversals(&b->stmt->body, link_reference, &l);
    if (b->type == BLOCK_CUSTOM)
        definitions_block_uses(p->definitions, b->stmt, link_import, &l);
}

void link_template(struct plan *p, const struct block *foreach, const struct plan *template)
{
    for (size_t i = 0; i < template->len; i++) {
        const struct block *input = template->blocks[i];
        const struct block *on = input->stmt || input == template->variable ? NULL : plan_block(p, str_of(input->id));
        if (on)
            dag_need(&p->dag, foreach->place, on->place);
    }
}

/* --- the order, and what is left out --- */

bool link_order(struct plan *p)
{
    size_t *order = xcalloc(p->len + 1, sizeof *order);
    if (!dag_order(&p->dag, order)) {
        free(order);
        return false;
    }
    p->order = order;
    for (size_t i = 0; i < p->len; i++)
        p->blocks[order[i]]->rank = i;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void link_print_ids(const struct block *const *blocks, size_t n, struct buf *out)
{
    cleanup_free const char **ids = xcalloc(n + 1, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = blocks[i]->id;
    if (n > 0)
        qsort(ids, n, sizeof *ids, by_text);
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        buf_puts(out, ids[i]);
    }
}

static bool needs_only_skipped(const struct plan *p, const struct block *b)
{
    const struct dag_links *needs = &p->dag.needs[b->place];
    size_t imports = 0; /* they define it and give it nothing */
    for (size_t i = 0; i < needs->len; i++) {
        const enum block_type type = p->blocks[needs->items[i]]->type;
        if (type != BLOCK_SKIPPED && type != BLOCK_IMPORT)
            return false;
        imports += type == BLOCK_IMPORT;
    }
    return needs->len > imports;
}

/* --- what must not be lost with it --- */

struct loss {
    const struct plan *plan;
    const struct block *skipped; /* the first one found, and where */
    struct range range;
};

static void link_find_skipped(void *arg, const struct ast_traversal *t)
{
    struct loss *l = arg;
    size_t used;
    const struct block *on = plan_find(l->plan, t->path, t->len, false, &used);
    if (l->skipped || !on || on->type != BLOCK_SKIPPED)
        return;
    l->skipped = on;
    l->range = t->range;
}

static const struct option *link_option(const struct schema *schema, struct str name)
{
    for (const struct option *o = schema->options; o && o->name; o++) {
        if (str_is(name, o->name))
            return o;
    }
    return NULL;
}

/* What null in place of this argument would do without anybody noticing; NULL: what is lost is a source of targets, or
 * nothing that decides where profiles go, which ones, and with what credentials. Arguments of inner blocks do: those of
 * endpoints, rules and authentication. */
static const char *link_loss(const struct option *o, bool is_inside)
{
    if (o->custom == &receivers_option)
        return "profiles would not arrive there";
    if (o->kind == OPT_SECRET)
        return "credentials would be missing";
    return is_inside ? "it would have no effect" : NULL;
}

static void link_check_losses(const struct plan *p, const struct schema *schema, const struct ast_body *body,
                              bool is_inside, struct diags *ds)
{
    for (size_t i = 0; schema && i < body->len; i++) {
        struct ast_stmt *s = &body->stmts[i];
        const struct option *o = link_option(schema, s->name);
        if (!o)
            continue;
        if (s->kind == AST_BLOCK) {
            link_check_losses(p, o->block, &s->body, true, ds);
            continue;
        }
        struct loss loss = {.plan = p};
        const char *effect = link_loss(o, is_inside);
        if (effect)
            ast_traversals(&(struct ast_body){.stmts = s, .len = 1}, link_find_skipped, &loss);
        if (loss.skipped)
            diag_error(ds, loss.range, "%s needs %s, which is skipped: %s", o->name, loss.skipped->id, effect);
    }
}

void link_skip_dependants(struct plan *p, struct diags *ds)
{
    for (size_t i = 0; i < p->len; i++) {
        struct block *b = p->blocks[p->order[i]];
        if (!block_is_shown(b) || !needs_only_skipped(p, b))
            continue;
        b->type = BLOCK_SKIPPED;
        diag_warn(ds, block_text_id_range(b->stmt, strlen(b->id)),
                  "%s depends only on skipped components and is skipped", b->id);
    }
    for (size_t i = 0; i < p->len; i++) {
        const struct block *b = p->blocks[i];
        if (b->type == BLOCK_COMPONENT && b->def && b->stmt)
            link_check_losses(p, b->def->args, &b->stmt->body, false, ds);
    }
}

/* --- what people ask for --- */

static const char **ids_of(const struct plan *p, const struct dag_links *l)
{
    const char **ids = xcalloc(l->len + 1, sizeof *ids);
    size_t len = 0;
    for (size_t i = 0; i < l->len; i++) {
        if (block_is_shown(p->blocks[l->items[i]]))
            ids[len++] = p->blocks[l->items[i]]->id;
    }
    if (len > 0)
        qsort(ids, len, sizeof *ids, by_text);
    return ids;
}

static int by_block_id(const void *a, const void *b)
{
    return strcmp((*(struct block *const *)a)->id, (*(struct block *const *)b)->id);
}

void link_index(struct plan *p)
{
    p->by_id = xcalloc(p->len + 1, sizeof *p->by_id);
    for (size_t i = 0; i < p->len; i++) {
        struct block *b = p->blocks[i];
        b->references_to = ids_of(p, &p->dag.needs[i]);
        b->referenced_by = ids_of(p, &p->dag.needed_by[i]);
        if (block_is_shown(b))
            p->by_id[p->by_id_len++] = b;
    }
    if (p->by_id_len > 0)
        qsort(p->by_id, p->by_id_len, sizeof *p->by_id, by_block_id);
}
