/* discovery.relabel: rewrites, keeps and drops targets by relabelling rules. A pure function of its arguments: exports
 * change only when they do, the order of targets is preserved, and labels with empty values are removed. Rules are
 * applied to new targets only: one that is the very label set of the update before has the result that it had.
 *
 * Exports `output` (the targets) and `rules` (for components that accept rules).
 * Source: the component's page in the documentation; spec components §3.3.
 */
#include <stdlib.h>

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

/* How far ahead a target is looked for among those before: as many may have gone in front of it. */
enum { AHEAD = 64 };

struct relabeller {
    struct component *self;
    struct relabel_rules *rules;
    const struct discovery_relabel_args *args; /* one reference */
    struct labels **results;                   /* of each target of args, one reference; NULL = dropped */
};

/* The number of that very target among those before, from `from` on; `len` if it is not there. */
static size_t discovery_relabel_find(const struct targets *before, size_t from, const struct labels *target)
{
    for (size_t i = from; i < before->len && i - from < AHEAD; i++) {
        if (before->items[i] == target)
            return i;
    }
    return before->len;
}

/* `before`: what the same rules were applied to, or nothing. To be freed, with its references. */
static struct labels **discovery_relabel_all(const struct relabeller *before, const struct targets *in,
                                             struct relabel_rules *rules)
{
    static const struct targets none = {0};
    const struct targets *known = before ? &before->args->targets : &none;
    struct labels **results = xcalloc(in->len + 1, sizeof *results);
    size_t next = 0;
    for (size_t i = 0; i < in->len; i++) {
        const size_t at = discovery_relabel_find(known, next, in->items[i]);
        results[i] = at < known->len ? labels_ref(before->results[at]) : relabel(rules, in->items[i]);
        next = at < known->len ? at + 1 : next;
    }
    return results;
}

static void discovery_relabel_forget(struct relabeller *r)
{
    for (size_t i = 0; r->args && i < r->args->targets.len; i++)
        labels_unref(r->results[i]);
    free(r->results);
    args_unref(r->args);
    relabel_rules_unref(r->rules);
}

static void discovery_relabel_publish(const struct relabeller *r)
{
    const size_t len = r->args->targets.len;
    cleanup_free struct labels **kept = xcalloc(len + 1, sizeof(struct labels *));
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (r->results[i])
            kept[n++] = r->results[i];
    }
    struct value *exports = value_object();
    value_object_put(exports, STR("output"), targets_value(kept, n));
    value_object_put(exports, STR("rules"), relabel_rules_value(r->rules));
    component_export(r->self, exports);
}

static int discovery_relabel_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    const struct discovery_relabel_args *a = args;
    struct relabeller *r = xcalloc(1, sizeof *r);
    *r = (struct relabeller){
        .self = self, .rules = relabel_rules_new(&a->rules, args_ref(a), args_unref), .args = args_ref(a)};
    r->results = discovery_relabel_all(NULL, &a->targets, r->rules);
    discovery_relabel_publish(r);
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
    struct labels **results = discovery_relabel_all(new_rules ? NULL : r, &a->targets, rules);
    discovery_relabel_forget(r);
    *r = (struct relabeller){.self = r->self, .rules = rules, .args = args_ref(a), .results = results};
    discovery_relabel_publish(r);
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
    discovery_relabel_forget(r);
    free(r);
}

static bool discovery_relabel_reads(const void *args, struct str name)
{
    const struct discovery_relabel_args *a = args;
    return relabel_reads(&a->rules, name);
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
    .reads_label = discovery_relabel_reads,
    .passes_on = "output",
};
