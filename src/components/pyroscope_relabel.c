/* pyroscope.relabel: rewrites labels of profiles, `__name__` included, and keeps or drops profiles by their labels.
 *
 * Exports `receiver`, the same object for the component's whole life, and `rules`. Results are cached per label set
 * (pyroscope_relabel_cache.h). A profile that has labels and is left without any is dropped; in the reference this
 * depends on whether the label set is in the cache. Metrics have the reference's names.
 *
 * Source: spec components §3.4.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/metric.h"
#include "components/fanout.h"
#include "components/pyroscope_relabel_cache.h"
#include "components/relabelling.h"
#include "flow/receiver.h"
#include "flow/relabel.h"
#include "graph/component.h"

struct pyroscope_relabel_args {
    struct receivers forward_to;
    struct block_list rules;
    int64_t max_cache_size;
};

static const struct option options[] = {
    {"forward_to", OPT_CUSTOM, offsetof(struct pyroscope_relabel_args, forward_to), .required = true,
     .custom = &receivers_option, .help = "Receivers of the relabelled profiles."},
    {"max_cache_size", OPT_INT, offsetof(struct pyroscope_relabel_args, max_cache_size), .default_text = "10000",
     .help = "Number of label sets whose results are cached."},
    {"rule", OPT_BLOCKS, offsetof(struct pyroscope_relabel_args, rules), .block = &relabel_rule_schema,
     .help = "Relabelling rules, applied to the labels of every profile in order."},
    {0},
};

static int pyroscope_relabel_check_args(const void *record, struct err *err)
{
    const struct pyroscope_relabel_args *a = record;
    return a->max_cache_size > 0 ? 0 : err_set(err, -EINVAL, "max_cache_size: must provide a positive size");
}
static const struct schema schema = {
    .size = sizeof(struct pyroscope_relabel_args), .options = options, .validate = pyroscope_relabel_check_args};

/* --- metrics: the names dashboards know from the reference --- */

enum count { PROCESSED, WRITTEN, DROPPED, HITS, MISSES, COUNTS };

#define COMPAT(var, text, what)                                                                                        \
    static struct metric_family var = {.name = "pyroscope_relabel_" text,                                              \
                                       .help = what,                                                                   \
                                       .kind = METRIC_COUNTER,                                                         \
                                       .labels = {"component_id", "component_path"}}
COMPAT(processed, "profiles_processed", "Profiles received.");
COMPAT(written, "profiles_written", "Profiles passed on.");
COMPAT(dropped, "profiles_dropped", "Profiles dropped by a rule, or because no labels were left.");
COMPAT(hits, "cache_hits", "Label sets with a cached result.");
COMPAT(misses, "cache_misses", "Label sets the rules were applied to.");
static struct metric_family *const counters[COUNTS] = {&processed, &written, &dropped, &hits, &misses};
static struct metric_family cache_size = {.name = "pyroscope_relabel_cache_size",
                                          .help = "Results in the cache.",
                                          .kind = METRIC_GAUGE,
                                          .labels = {"component_id", "component_path"}};

/* --- the component --- */

struct profile_relabeller {
    struct component *self;
    const struct pyroscope_relabel_args *args; /* a reference */
    struct receiver *receiver;
    struct fanout fanout;
    struct relabel_rules *rules;
    struct relabel_cache cache;
    uint64_t counts[COUNTS];
};

static void profile_relabel_count(struct profile_relabeller *r, enum count what)
{
    r->counts[what]++;
    metric_add(counters[what], 1, r->fanout.component_id, r->fanout.component_path);
}

static void profile_relabel_show_cache(const struct profile_relabeller *r)
{
    metric_set(&cache_size, (double)r->cache.len, r->fanout.component_id, r->fanout.component_path);
}

/* Borrowed; NULL: dropped. */
static const struct labels *profile_relabel_result(struct profile_relabeller *r, const struct labels *in)
{
    const struct labels *out;
    if (relabel_cache_find(&r->cache, in, &out)) {
        profile_relabel_count(r, HITS);
        return out;
    }
    profile_relabel_count(r, MISSES);
    struct labels *made = relabel(r->rules, in);
    out = labels_len(made) > 0 ? made : NULL;
    relabel_cache_add(&r->cache, in, out);
    labels_unref(made);
    profile_relabel_show_cache(r);
    return out; /* the cache holds it */
}

/* New reference to the labels a profile is passed on with; NULL: dropped. What a receiver does may come back as another
 * profile, and the cache may give the result away meanwhile. */
static struct labels *profile_relabel_admit(struct profile_relabeller *r, const struct labels *labels)
{
    profile_relabel_count(r, PROCESSED);
    const bool bare = labels_len(labels) == 0;
    const struct labels *out = bare ? labels : profile_relabel_result(r, labels);
    if (!out && !bare) {
        profile_relabel_count(r, DROPPED);
        return NULL;
    }
    profile_relabel_count(r, WRITTEN);
    component_sent(r->self, 1);
    return labels_ref(out);
}

static void profile_relabel_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    struct profile_relabeller *r = ctx;
    struct labels *out = profile_relabel_admit(r, labels);
    if (!out && labels_len(labels) > 0)
        return;
    fanout_send(&r->fanout, &r->args->forward_to, out, p);
    labels_unref(out);
}

static void profile_relabel_ingest(void *ctx, const struct labels *labels, struct ingest_body *body)
{
    struct profile_relabeller *r = ctx;
    struct labels *out = profile_relabel_admit(r, labels);
    if (!out && labels_len(labels) > 0)
        return;
    fanout_ingest(&r->args->forward_to, out, body);
    labels_unref(out);
}

/* Recordings are no profiles: the counters leave them out. */
static void profile_relabel_recording(void *ctx, const struct labels *labels, struct jfr_chunk *chunk)
{
    struct profile_relabeller *r = ctx;
    if (!receivers_take_recordings(&r->args->forward_to))
        return;
    struct labels *out = relabel(r->rules, labels);
    if (labels_len(out) > 0)
        fanout_recording(&r->args->forward_to, out, chunk);
    labels_unref(out);
}

static bool profile_relabel_discards(void *ctx)
{
    const struct profile_relabeller *r = ctx;
    return receivers_discard(&r->args->forward_to);
}

static void profile_relabel_export(struct profile_relabeller *r)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("receiver"), receiver_value(r->receiver));
    value_object_put(exports, STR("rules"), relabel_rules_value(r->rules));
    component_export(r->self, exports);
}

static int profile_relabel_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    const struct pyroscope_relabel_args *a = args;
    struct profile_relabeller *r = xcalloc(1, sizeof *r);
    *r = (struct profile_relabeller){
        .self = self, .args = args_ref(a), .rules = relabel_rules_new(&a->rules, args_ref(a), args_unref)};
    fanout_init(&r->fanout, component_id(self));
    relabel_cache_init(&r->cache, (size_t)a->max_cache_size);
    r->receiver = receiver_new(component_id(self), r, profile_relabel_append);
    r->receiver->recording = profile_relabel_recording;
    r->receiver->ingest = profile_relabel_ingest;
    r->receiver->discards = profile_relabel_discards;
    profile_relabel_export(r);
    *ret_state = r;
    return 0;
}

static int profile_relabel_update(void *state, const void *args, struct err *err)
{
    (void)err;
    struct profile_relabeller *r = state;
    const struct pyroscope_relabel_args *a = args;
    struct relabel_rules *rules = relabel_rules_new(&a->rules, args_ref(a), args_unref);
    const bool new_rules = !relabel_rules_equal(rules, r->rules);
    relabel_rules_unref(r->rules);
    r->rules = rules;
    args_unref(r->args);
    r->args = args_ref(a);
    if (new_rules)
        relabel_cache_purge(&r->cache);
    relabel_cache_resize(&r->cache, (size_t)a->max_cache_size);
    profile_relabel_show_cache(r);
    profile_relabel_export(r);
    if (new_rules)
        relabelling_warn(r->self, rules);
    return 0;
}

static void profile_relabel_start(void *state)
{
    struct profile_relabeller *r = state;
    for (size_t i = 0; i < COUNTS; i++)
        metric_add(counters[i], 0, r->fanout.component_id, r->fanout.component_path);
    profile_relabel_show_cache(r);
    relabelling_warn(r->self, r->rules);
}

static void profile_relabel_free(void *state)
{
    struct profile_relabeller *r = state;
    for (size_t i = 0; i < COUNTS; i++)
        metric_forget(counters[i], r->fanout.component_id, r->fanout.component_path);
    metric_forget(&cache_size, r->fanout.component_id, r->fanout.component_path);
    r->receiver->ctx = NULL;
    receiver_unref(r->receiver);
    fanout_done(&r->fanout);
    relabel_cache_done(&r->cache);
    relabel_rules_unref(r->rules);
    args_unref(r->args);
    free(r);
}

static struct value *profile_relabel_debug_info(void *state)
{
    static const char *const names[COUNTS] = {"profiles_processed", "profiles_written", "profiles_dropped",
                                              "cache_hits", "cache_misses"};
    const struct profile_relabeller *r = state;
    struct value *o = value_object();
    for (size_t i = 0; i < COUNTS; i++)
        value_object_put(o, str_of(names[i]), value_int((int64_t)r->counts[i]));
    value_object_put(o, STR("cache_size"), value_int((int64_t)r->cache.len));
    value_object_put(o, STR("receivers"), value_int((int64_t)r->args->forward_to.len));
    return o;
}

static const char *const exports[] = {"receiver", "rules", NULL};

const struct component_def pyroscope_relabel = {
    .name = "pyroscope.relabel",
    .help = "Rewrites labels of profiles, and keeps and drops profiles, by relabelling rules.",
    .stability = STABILITY_GA,
    .args = &schema,
    .exports = exports,
    .build = profile_relabel_build,
    .update = profile_relabel_update,
    .start = profile_relabel_start,
    .free = profile_relabel_free,
    .debug_info = profile_relabel_debug_info,
};
