#include "graph/kind_value.h"

#include <errno.h>

#include "graph/block_options.h"
#include "graph/node.h"
#include "lang/diag.h"
#include "lang/diag_text.h"

typedef int read_value(struct node *n, struct value **ret, struct diags *ds);

static struct range value_user_of(const struct node *n)
{
    const struct graph *g = n->graph;
    const struct instance *host = g->module->host;
    return g->made_for          ? g->made_for->range
           : host && host->node ? host->node->block->stmt->range
                                : n->block->stmt->range;
}

static int read_argument(struct node *n, struct value **ret, struct diags *ds)
{
    const struct scope scope = graph_scope(n->graph);
    const struct ast_stmt *s = n->block->stmt;
    struct argument_options o;
    if (schema_decode(&argument_schema, &s->body, s->range, &scope, &o, ds) < 0)
        return -EINVAL;
    int code = 0;
    if (!n->given && !o.optional)
        code = diag_error(ds, value_user_of(n), "missing required argument \"%.*s\" to module", STR_ARG(s->label));
    if (code == 0) {
        *ret = value_object();
        struct value *v = n->given ? value_ref(n->given) : o.fallback ? value_ref(o.fallback) : value_null();
        value_object_put(*ret, STR("value"), v);
    }
    schema_done(&argument_schema, &o);
    return code;
}

static int read_export(struct node *n, struct value **ret, struct diags *ds)
{
    const struct scope scope = graph_scope(n->graph);
    const struct ast_stmt *s = n->block->stmt;
    struct export_options o;
    if (schema_decode(&export_schema, &s->body, s->range, &scope, &o, ds) < 0)
        return -EINVAL;
    *ret = value_ref(o.value);
    schema_done(&export_schema, &o);
    return 0;
}

static void value_prepare(struct node *n, read_value *read, struct diags *ds)
{
    struct staged *s = node_staged(n);
    node_check_needs(n);
    if (!n->is_waiting && !s->has_failed)
        s->has_failed = read(n, &n->value, ds) < 0;
}

/* Arguments and exports have no health of their own: the component they belong to says what is wrong. */
static int value_evaluate(struct node *n, read_value *read)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    struct instance *host = n->graph->module->host;
    const bool was_troubled = n->is_troubled;
    struct value *v;
    n->is_troubled = read(n, &v, &ds) < 0;
    if (!n->is_troubled)
        node_set_value(n, v);
    if (n->is_troubled) {
        struct err err = {0};
        diags_err(&ds, &err);
        instance_evaluated(host, err.text);
        engine_report(node_engine(n), host);
    } else if (was_troubled) {
        instance_evaluated(host, NULL);
    }
    return 0;
}

static void argument_prepare(struct node *n, struct diags *ds)
{
    value_prepare(n, read_argument, ds);
}

static int argument_evaluate(struct node *n, struct err *err)
{
    (void)err;
    return value_evaluate(n, read_argument);
}

static void export_prepare(struct node *n, struct diags *ds)
{
    value_prepare(n, read_export, ds);
}

static int export_evaluate(struct node *n, struct err *err)
{
    (void)err;
    return value_evaluate(n, read_export);
}

static void input_prepare(struct node *n, struct diags *ds)
{
    (void)ds;
    node_check_needs(n);
}

static const char failure[] = "Failed to evaluate node for config block";

const struct block_kind kind_argument = {
    .words = {.failure = failure}, .prepare = argument_prepare, .evaluate = argument_evaluate};
const struct block_kind kind_export = {
    .words = {.failure = failure}, .prepare = export_prepare, .evaluate = export_evaluate};
const struct block_kind kind_input = {.prepare = input_prepare};
const struct block_kind kind_none = {.words = {0}};
