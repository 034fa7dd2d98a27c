#include <errno.h>

#include "base/cleanup.h"
#include "graph/module.h"
#include "lang/schema.h"

struct argument_args {
    bool optional, has_default;
    struct value *fallback;
    char *comment;
};
static const struct option argument_options[] = {
    {"optional", OPT_BOOL, offsetof(struct argument_args, optional), .default_text = "false",
     .help = "Whether the argument may be left out."},
    {"default", OPT_ANY, offsetof(struct argument_args, fallback), .help = "Its value then.",
     .set_offset = offsetof(struct argument_args, has_default)},
    {"comment", OPT_STRING, offsetof(struct argument_args, comment), .help = "What it is for."},
    {0},
};
const struct schema argument_schema = {.size = sizeof(struct argument_args), .options = argument_options};

struct export_args {
    struct value *value;
};
static const struct option export_options[] = {
    {"value", OPT_ANY, offsetof(struct export_args, value), .required = true, .help = "What is exported."},
    {0},
};
const struct schema export_schema = {.size = sizeof(struct export_args), .options = export_options};

static int argument_value(struct plan_node *n, struct value **ret, struct diags *ds)
{
    const struct scope scope = plan_scope(n->plan);
    struct argument_args a;
    if (schema_decode(&argument_schema, &n->stmt->body, n->stmt->range, &scope, &a, ds) < 0)
        return -EINVAL;
    int code = 0;
    if (!n->given && !a.optional)
        code = diag_error(ds, n->plan->made_for ? n->plan->made_for->range : n->stmt->range,
                          "missing required argument \"%.*s\" to module", STR_ARG(n->stmt->label));
    if (code == 0) {
        *ret = value_object();
        struct value *v = n->given ? value_ref(n->given) : a.fallback ? value_ref(a.fallback) : value_null();
        value_object_put(*ret, STR("value"), v);
    }
    schema_done(&argument_schema, &a);
    return code;
}

static int export_value(struct plan_node *n, struct value **ret, struct diags *ds)
{
    const struct scope scope = plan_scope(n->plan);
    struct export_args a;
    if (schema_decode(&export_schema, &n->stmt->body, n->stmt->range, &scope, &a, ds) < 0)
        return -EINVAL;
    *ret = value_ref(a.value);
    schema_done(&export_schema, &a);
    return 0;
}

int value_node_evaluate(struct plan_node *n, struct value **ret, struct diags *ds)
{
    return n->kind == NODE_ARGUMENT ? argument_value(n, ret, ds) : export_value(n, ret, ds);
}

struct value *module_exports(const struct plan *p)
{
    struct value *object = value_object();
    for (size_t i = 0; i < p->len; i++) {
        const struct plan_node *n = p->nodes[i];
        if (n->kind == NODE_EXPORT)
            value_object_put(object, n->stmt->label, n->value ? value_ref(n->value) : value_null());
    }
    return object;
}
