/* discovery.relabel: rewrites, keeps and drops targets by relabelling rules. A pure function of its arguments: exports
 * change only when they do, the order of targets is preserved, and labels with empty values are removed.
 *
 * Exports `output` (the targets) and `rules` (for components that accept rules).
 * Source: the component's page in the documentation; spec components §3.3.
 */
#include "base/cleanup.h"
#include "base/mem.h"
#include "components/relabelling.h"
#include "flow/relabel.h"
#include "flow/targets.h"
#include "graph/component.h"

struct discovery_relabel_args {
    struct targets targets;
    struct block_list rules;
};

static const struct option options[] = {
    {"targets", OPT_CUSTOM, offsetof(struct discovery_relabel_args, targets), .required = true,
     .custom = &targets_option, .help = "Targets to relabel."},
    {"rule", OPT_BLOCKS, offsetof(struct discovery_relabel_args, rules), .block = &relabel_rule_schema,
     .help = "Relabelling rules, applied to every target in order."},
    {0},
};
static const struct schema schema = {.size = sizeof(struct discovery_relabel_args), .options = options};

struct relabeller {
    struct component *self;
    struct relabel_rules *rules;
};

static void discovery_relabel_publish(struct component *self, const struct targets *in, struct relabel_rules *rules)
{
    __attribute__((cleanup(targets_done))) struct targets out = {0};
    out.items = xcalloc(in->len + 1, sizeof(struct labels *));
    for (size_t i = 0; i < in->len; i++) {
        struct labels *kept = relabel(rules, in->items[i]);
        if (kept)
            out.items[out.len++] = kept;
    }
    struct value *exports = value_object();
    value_object_put(exports, STR("output"), targets_value(out.items, out.len));
    value_object_put(exports, STR("rules"), relabel_rules_value(rules));
    component_export(self, exports);
}

static int discovery_relabel_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    const struct discovery_relabel_args *a = args;
    struct relabeller *r = xcalloc(1, sizeof *r);
    *r = (struct relabeller){.self = self, .rules = relabel_rules_new(&a->rules, args_ref(a), args_unref)};
    discovery_relabel_publish(self, &a->targets, r->rules);
    *ret_state = r;
    return 0;
}

static int discovery_relabel_update(void *state, const void *args, struct err *err)
{
    (void)err;
    struct relabeller *r = state;
    const struct discovery_relabel_args *a = args;
    struct relabel_rules *rules = relabel_rules_new(&a->rules, args_ref(a), args_unref);
    const bool new_rules = !relabel_rules_equal(rules, r->rules);
    relabel_rules_unref(r->rules);
    r->rules = rules;
    discovery_relabel_publish(r->self, &a->targets, rules);
    if (new_rules)
        relabelling_warn(r->self, rules);
    return 0;
}

static void discovery_relabel_start(void *state)
{
    const struct relabeller *r = state;
    relabelling_warn(r->self, r->rules);
}

static void discovery_relabel_free(void *state)
{
    struct relabeller *r = state;
    relabel_rules_unref(r->rules);
    free(r);
}

static const char *const exports[] = {"output", "rules", NULL};

const struct component_def discovery_relabel = {
    .name = "discovery.relabel",
    .help = "Rewrites, keeps and drops targets by relabelling rules.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .build = discovery_relabel_build,
    .update = discovery_relabel_update,
    .start = discovery_relabel_start,
    .free = discovery_relabel_free,
};
