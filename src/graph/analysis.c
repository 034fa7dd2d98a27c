#include "graph/analysis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "graph/block_text.h"
#include "graph/collect.h"
#include "graph/link.h"
#include "lang/parser.h"

enum { CYCLE_TEXT_MAX = 4096 };

/* --- what needs itself --- */

static void analysis_report_circle(void *arg, const struct declare *const *members, size_t n)
{
    struct diags *ds = arg;
    const struct ast_stmt *first = members[0]->stmt;
    cleanup_buf struct buf text = BUF_INIT(CYCLE_TEXT_MAX);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%sdeclare.%.*s", i > 0 ? ", " : "", STR_ARG(members[i]->stmt->label));
    const struct range at = block_text_id_range(first, first->name.n + 1 + first->label.n);
    diag_error(ds, at, "%s: %s%s", n == 1 ? "self reference" : "cycle", buf_cstr(&text), buf_ok(&text) ? "" : ", …");
}

struct cycle_report {
    const struct plan *plan;
    struct diags *ds;
};

static void analysis_report_cycle(void *arg, const size_t *members, size_t n)
{
    const struct cycle_report *c = arg;
    const struct block *first = c->plan->blocks[members[0]];
    const struct range at = block_text_id_range(first->stmt, strlen(first->id));
    if (n == 1) {
        diag_error(c->ds, at, "self reference: %s", first->id);
        return;
    }
    cleanup_free const struct block **blocks = xcalloc(n, sizeof *blocks);
    for (size_t i = 0; i < n; i++)
        blocks[i] = c->plan->blocks[members[i]];
    cleanup_buf struct buf text = BUF_INIT(CYCLE_TEXT_MAX);
    link_print_ids(blocks, n, &text);
    diag_error(c->ds, at, "cycle: %s%s", buf_cstr(&text), buf_ok(&text) ? "" : ", …");
}

/* --- a plan --- */

/* A plan of the template says what the foreach block needs, and what is wrong with it, before there is an item. */
static void look_into_template(struct plan *p, const struct block *foreach, const struct plan_options *options,
                               struct diags *ds)
{
    cleanup_free char *var = block_text_var(foreach->stmt);
    const struct ast_stmt *named = block_text_attribute(&foreach->stmt->body, STR("var"));
    if (!var && named)
        diag_error(ds, ast_range(named->value), "var must be a constant string");
    if (!var)
        return; /* that it is missing comes up when the block is evaluated */
    const struct ast_body *part = &block_text_template(foreach->stmt)->body;
    const struct body body = body_of_template(p, &part, str_of(var));
    cleanup_plan struct plan *template = NULL;
    if (analysis_of_body(&body, options, &template, ds) == 0)
        link_template(p, foreach, template);
}

/* The load is refused as it is. What is wrong with arguments as they are written is said as well, lest it waits for the
 * next load. */
static void check_arguments(const struct plan *p, struct diags *ds)
{
    for (size_t i = 0; i < p->len; i++) {
        if (!p->blocks[i]->is_rejected)
            block_check_options(p->blocks[i], ds);
    }
}

static void link_blocks(struct plan *p, const struct body *body, const struct plan_options *options, struct diags *ds)
{
    link_begin(p, body);
    for (size_t i = 0; i < p->len; i++) {
        const struct block *b = p->blocks[i];
        if (b->is_rejected)
            continue;
        link_block(p, options, b, ds);
        if (b->type == BLOCK_FOREACH)
            look_into_template(p, b, options, ds);
    }
}

static int analysis_make(struct plan *p, const struct body *body, const struct plan_options *options, struct diags *ds)
{
    const size_t errors_before = ds->errors;
    collect_body(&(struct collector){p, body, options}, ds);
    if (p->has_own_definitions)
        definitions_circles(p->definitions, analysis_report_circle, ds);
    link_blocks(p, body, options, ds);
    if (!link_order(p))
        dag_cycles(&p->dag, analysis_report_cycle, &(struct cycle_report){p, ds});
    else if (options->skip_unknown)
        link_skip_dependants(p, ds);
    if (ds->errors == errors_before) {
        link_index(p);
        return 0;
    }
    if (body->kind == BODY_ROOT)
        check_arguments(p, ds);
    return -EINVAL;
}

int analysis_of_body(const struct body *body, const struct plan_options *options, struct plan **ret, struct diags *ds)
{
    cleanup_plan struct plan *p = plan_new(body);
    const int code = analysis_make(p, body, options, ds);
    if (code == 0)
        *ret = TAKE_PTR(p);
    return code;
}

/* --- the root --- */

static struct value *directory_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    if (!slash)
        return value_string(STR("."));
    return value_string(slash == name ? STR("/") : (struct str){name, (size_t)(slash - name)});
}

static void hand_on(struct ast_file **files, size_t n, const char *name, analysis_take_root *take, void *arg)
{
    cleanup_free const struct ast_body **parts = xcalloc(n + 1, sizeof *parts);
    for (size_t i = 0; i < n; i++)
        parts[i] = &files[i]->body;
    cleanup_value struct value *path = directory_of(name);
    struct definitions *definitions = definitions_new(NULL, files, n, path);
    const struct body body = {.kind = BODY_ROOT, .parts = parts, .len = n, .definitions = definitions};
    take(arg, &body);
    definitions_unref(definitions);
}

void analysis_read_files(struct source *const *sources, size_t n, analysis_take_root *take, void *arg, struct diags *ds)
{
    cleanup_free struct ast_file **files = xcalloc(n + 1, sizeof *files);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (parse_file(sources[i], &files[len], ds) == 0)
            len++;
    }
    if (len == n)
        hand_on(files, n, n > 0 ? sources[0]->name : "", take, arg);
    while (len > 0)
        ast_unref(files[--len]);
}

struct root {
    const struct plan_options *options;
    struct plan *plan;
    struct diags *ds;
};

static void analyse_root(void *arg, const struct body *body)
{
    struct root *r = arg;
    if (analysis_of_body(body, r->options, &r->plan, r->ds) < 0)
        r->plan = NULL;
}

int analysis_of_files(struct source *const *sources, size_t n, const struct plan_options *options, struct plan **ret,
                      struct diags *ds)
{
    struct root r = {.options = options, .ds = ds};
    analysis_read_files(sources, n, analyse_root, &r, ds);
    if (!r.plan)
        return -EINVAL;
    *ret = r.plan;
    return 0;
}
