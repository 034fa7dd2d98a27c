#include "graph/validate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/analysis.h"
#include "graph/block_text.h"
#include "graph/collect.h"
#include "graph/link.h"
#include "lang/schema.h"
#include "lang/suggest.h"

enum { CYCLE_TEXT_MAX = 4096 };

struct validation {
    const struct plan_options *options;
    struct diags *ds;
};

static struct plan *validate_body(const struct validation *v, const struct body *body);

/* --- arguments of custom components --- */

/* What a declare lets its user say: labels of its argument blocks. */
struct arguments {
    const struct ast_body *declare;
    struct strmap blocks; /* label -> the first of that label */
};

static bool is_argument(const struct ast_stmt *s)
{
    return s->kind == AST_BLOCK && str_is(s->name, "argument") && s->label.n > 0;
}

static struct arguments arguments_of(const struct declare *declare)
{
    struct arguments a = {.declare = &declare->stmt->body};
    for (size_t i = 0; i < a.declare->len; i++) {
        struct ast_stmt *s = &a.declare->stmts[i];
        if (is_argument(s) && !strmap_has(&a.blocks, s->label))
            strmap_put(&a.blocks, s->label, s);
    }
    return a;
}

static void validate_given(const struct ast_body *body, const struct ast_stmt *s, const struct arguments *a,
                           struct diags *ds)
{
    if (s->kind == AST_BLOCK) {
        diag_error(ds, s->range, "unrecognized block name \"%.*s\"", STR_ARG(s->name));
        return;
    }
    if (block_text_attribute(body, s->name) != s)
        diag_error(ds, s->range, "attribute \"%.*s\" may only be provided once", STR_ARG(s->name));
    if (strmap_has(&a->blocks, s->name))
        return;
    struct suggest close = suggest_for(s->name);
    strmap_each(&a->blocks, e) suggest_try(&close, e->key);
    diag_error(ds, s->range, "unrecognized attribute name \"%.*s\"" SUGGEST_FMT, STR_ARG(s->name), SUGGEST_ARG(close));
}

static bool is_optional(const struct ast_stmt *argument)
{
    const struct ast_stmt *s = block_text_attribute(&argument->body, STR("optional"));
    return s && s->value->kind == AST_LITERAL && str_is(s->value->name, "true");
}

static void validate_custom(const struct block *b, struct diags *ds)
{
    const struct declare *declare;
    const struct ast_body *body = &b->stmt->body;
    if (definitions_find(b->plan->definitions, b->stmt->name, &declare) != DEFINITIONS_FOUND)
        return;
    struct arguments a = arguments_of(declare);
    for (size_t i = 0; i < body->len; i++)
        validate_given(body, &body->stmts[i], &a, ds);
    for (size_t i = 0; i < a.declare->len; i++) {
        const struct ast_stmt *s = &a.declare->stmts[i];
        if (is_argument(s) && !is_optional(s) && !block_text_attribute(body, s->label))
            diag_error(ds, b->stmt->range, "missing required attribute \"%.*s\"", STR_ARG(s->label));
    }
    strmap_done(&a.blocks);
}

/* --- cycles --- */

struct cycle {
    const struct block **members; /* in the order of their places */
    size_t len;
};
struct cycle_list {
    const struct plan *plan;
    struct cycle *items;
    size_t len, cap;
};

static struct cycle *add_cycle(struct cycle_list *c, size_t n)
{
    xgrow(&c->items, &c->cap, c->len + 1, sizeof *c->items);
    struct cycle *new = &c->items[c->len++];
    *new = (struct cycle){xcalloc(n, sizeof *new->members), n};
    return new;
}

static void keep_cycle(void *arg, const size_t *places, size_t n)
{
    struct cycle_list *c = arg;
    const struct cycle *new = add_cycle(c, n);
    for (size_t i = 0; i < n; i++)
        new->members[i] = c->plan->blocks[places[i]];
}

static void keep_circle(void *arg, const struct declare *const *declares, size_t n)
{
    struct cycle_list *c = arg;
    const struct cycle *new = add_cycle(c, n);
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *id = block_text_id(declares[i]->stmt);
        new->members[i] = plan_block(c->plan, str_of(id));
    }
}

/* Circles first, then what needs itself; in the order of the text. */
static int by_size_and_place(const void *a, const void *b)
{
    const struct cycle *x = a, *y = b;
    if ((x->len == 1) != (y->len == 1))
        return x->len == 1 ? 1 : -1;
    return x->members[0]->place < y->members[0]->place ? -1 : x->members[0]->place > y->members[0]->place;
}

static struct range head_of(const struct block *b)
{
    return (struct range){b->stmt->range.first, b->stmt->open.first};
}

static void validate_report_cycle(const struct cycle *c, struct diags *ds)
{
    if (c->len == 1) {
        diag_error(ds, head_of(c->members[0]), "cannot reference self");
        return;
    }
    cleanup_buf struct buf text = BUF_INIT(CYCLE_TEXT_MAX);
    link_print_ids(c->members, c->len, &text);
    for (size_t i = 0; i < c->len; i++)
        diag_error(ds, head_of(c->members[i]), "cycle detected: %s%s", buf_cstr(&text), buf_ok(&text) ? "" : ", …");
}

static void validate_cycles(const struct plan *p, struct diags *ds)
{
    struct cycle_list found = {.plan = p};
    if (p->has_own_definitions)
        definitions_circles(p->definitions, keep_circle, &found);
    dag_cycles(&p->dag, keep_cycle, &found);
    if (found.len)
        qsort(found.items, found.len, sizeof *found.items, by_size_and_place);
    for (size_t i = 0; i < found.len; i++) {
        validate_report_cycle(&found.items[i], ds);
        free(found.items[i].members);
    }
    free(found.items);
}

/* --- blocks --- */

/* What was found while blocks were collected, by their places. */
struct findings {
    struct diags *items;
    size_t len, cap;
};

static void validate_collect_statement(const struct collector *c, const struct ast_stmt *s, struct findings *f)
{
    struct diags found = DIAGS_INIT;
    const struct block *b = collect_block(c, s, &found);
    xgrow(&f->items, &f->cap, b->place + 1, sizeof *f->items);
    while (f->len < b->place)
        f->items[f->len++] = DIAGS_INIT; /* a template's variable, which is no statement */
    f->items[f->len++] = found;
}

static void validate_collect(const struct validation *v, const struct collector *c, struct findings *f)
{
    for (enum collect_class class = 0; class < COLLECT_CLASSES; class ++) {
        for (size_t p = 0; p < c->body->len; p++) {
            for (size_t i = 0; i < c->body->parts[p]->len; i++) {
                const struct ast_stmt *s = &c->body->parts[p]->stmts[i];
                if (s->kind == AST_ATTR && class == COLLECT_DECLARE)
                    collect_attribute(c, s, v->ds);
                else if (s->kind == AST_BLOCK && collect_class_of(s, c->options) == class)
                    validate_collect_statement(c, s, f);
            }
        }
    }
}

static void validate_declare(const struct validation *v, const struct block *b)
{
    const struct ast_body *part = &b->stmt->body;
    const struct body body = {.kind = BODY_MODULE, .parts = &part, .len = 1, .definitions = b->plan->definitions};
    plan_free(validate_body(v, &body));
}

static void validate_template(const struct validation *v, struct plan *p, const struct block *b)
{
    const struct ast_stmt *template = block_text_template(b->stmt);
    if (!template)
        return;
    cleanup_free char *var = block_text_var(b->stmt);
    const struct ast_body *part = &template->body;
    const struct body body = body_of_template(p, &part, var ? str_of(var) : (struct str){0});
    cleanup_plan struct plan *inner = validate_body(v, &body);
    link_template(p, b, inner);
}

static void validate_block(const struct validation *v, struct plan *p, const struct block *b)
{
    block_check_options(b, v->ds);
    if (b->type == BLOCK_CUSTOM)
        validate_custom(b, v->ds);
    else if (b->type == BLOCK_DECLARE)
        validate_declare(v, b);
    else if (b->type == BLOCK_FOREACH)
        validate_template(v, p, b);
    link_block(p, v->options, b, v->ds);
}

static struct plan *validate_body(const struct validation *v, const struct body *body)
{
    struct plan *p = plan_new(body);
    struct findings findings = {0};
    validate_collect(v, &(struct collector){p, body, v->options}, &findings);
    link_begin(p, body);
    for (size_t i = 0; i < p->len; i++) {
        if (i < findings.len)
            diags_move(v->ds, &findings.items[i]);
        if (p->blocks[i]->stmt)
            validate_block(v, p, p->blocks[i]);
    }
    free(findings.items);
    validate_cycles(p, v->ds);
    if (link_order(p) && v->options->skip_unknown)
        link_skip_dependants(p, v->ds);
    return p;
}

static void validate_root(void *arg, const struct body *root)
{
    plan_free(validate_body(arg, root));
}

int validate(struct source *const *sources, size_t n, const struct validate_options *options, struct diags *ds)
{
    const size_t errors = ds->errors;
    const struct plan_options thorough = {.components = options->components,
                                          .stability = options->stability,
                                          .skip_unknown = options->skip_unknown,
                                          .is_thorough = true};
    struct validation v = {&thorough, ds};
    analysis_read_files(sources, n, validate_root, &v, ds);
    return ds->errors > errors ? -EINVAL : 0;
}
