/* pyroscope.enrich: copies labels of targets to the profiles that have the same value in a label.
 *
 * Exports `receiver`, the same object for the component's whole life. Targets are indexed by the value of
 * target_match_label whenever they change; of several with the same value the last one counts. A profile costs one
 * look-up. Without a match it is passed on unchanged. Unlike Alloy, a changed forward_to is used.
 *
 * Source: spec components §6.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "components/fanout.h"
#include "flow/receiver.h"
#include "flow/targets.h"
#include "graph/component.h"

struct enrich_args {
    struct targets targets;
    struct receivers forward_to;
    char *target_match_label, *profiles_match_label;
    struct string_list labels_to_copy;
};

static const struct option options[] = {
    {"targets", OPT_CUSTOM, offsetof(struct enrich_args, targets), .required = true, .custom = &targets_option,
     .help = "Targets whose labels are copied."},
    {"target_match_label", OPT_STRING, offsetof(struct enrich_args, target_match_label), .required = true,
     .help = "Label of the targets that is compared."},
    {"profiles_match_label", OPT_STRING, offsetof(struct enrich_args, profiles_match_label),
     .help = "Label of the profiles that is compared; `target_match_label` if empty."},
    {"labels_to_copy", OPT_STRING_LIST, offsetof(struct enrich_args, labels_to_copy),
     .help = "Labels to copy; all if empty."},
    {"forward_to", OPT_CUSTOM, offsetof(struct enrich_args, forward_to), .required = true, .custom = &receivers_option,
     .help = "Receivers of the profiles."},
    {0},
};

static int enrich_check_args(const void *record, struct err *err)
{
    const struct enrich_args *a = record;
    return *a->target_match_label ? 0 : err_set(err, -EINVAL, "target_match_label must not be empty");
}
static const struct schema schema = {
    .size = sizeof(struct enrich_args), .options = options, .validate = enrich_check_args};

struct enricher {
    struct component *self;
    const struct enrich_args *args; /* one reference */
    struct receiver *receiver;
    struct fanout fanout;
    struct strmap by_value; /* of target_match_label: struct labels, of the arguments */
    uint64_t matched, unmatched;
};

/* --- labels --- */

static void enrich_copy(struct labels_builder *b, const struct labels *target, struct str name)
{
    const struct str value = labels_get(target, name);
    if (value.n)
        labels_set(b, name, value);
}

/* New reference. */
static struct labels *enrich_labels(struct enricher *e, const struct labels *in)
{
    const struct enrich_args *a = e->args;
    const struct str value =
        labels_get(in, str_of(*a->profiles_match_label ? a->profiles_match_label : a->target_match_label));
    const struct labels *target = value.n ? strmap_get(&e->by_value, value) : NULL;
    *(target ? &e->matched : &e->unmatched) += 1;
    if (!target)
        return labels_ref(in);
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, in);
    for (size_t i = 0; i < a->labels_to_copy.len; i++)
        enrich_copy(&b, target, str_of(a->labels_to_copy.items[i]));
    for (size_t i = 0; a->labels_to_copy.len == 0 && i < labels_len(target); i++)
        enrich_copy(&b, target, labels_at(target, i)->name);
    return labels_build(&b, false);
}

static void enrich_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    struct enricher *e = ctx;
    struct labels *out = enrich_labels(e, labels);
    fanout_send(&e->fanout, &e->args->forward_to, out, p);
    labels_unref(out);
    component_sent(e->self, 1);
}

static void enrich_ingest(void *ctx, const struct labels *labels, struct ingest_body *body)
{
    struct enricher *e = ctx;
    struct labels *out = enrich_labels(e, labels);
    fanout_ingest(&e->args->forward_to, out, body);
    labels_unref(out);
    component_sent(e->self, 1);
}

/* Recordings are no profiles: the counters leave them out. */
static void enrich_recording(void *ctx, const struct labels *labels, struct jfr_chunk *chunk)
{
    struct enricher *e = ctx;
    if (!receivers_take_recordings(&e->args->forward_to))
        return;
    const uint64_t matched = e->matched, unmatched = e->unmatched;
    struct labels *out = enrich_labels(e, labels);
    e->matched = matched;
    e->unmatched = unmatched;
    fanout_recording(&e->args->forward_to, out, chunk);
    labels_unref(out);
}

/* --- life --- */

static void enrich_take_args(struct enricher *e, const struct enrich_args *args)
{
    strmap_done(&e->by_value);
    e->by_value = STRMAP_INIT;
    const struct enrich_args *old = e->args;
    e->args = args_ref(args);
    args_unref(old);
    for (size_t i = 0; i < args->targets.len; i++) {
        struct labels *target = args->targets.items[i];
        const struct str value = labels_get(target, str_of(args->target_match_label));
        if (value.n)
            (void)strmap_put(&e->by_value, value, target);
    }
}

static int enrich_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    struct enricher *e = xcalloc(1, sizeof *e);
    e->self = self;
    fanout_init(&e->fanout, component_id(self));
    enrich_take_args(e, args);
    e->receiver = receiver_new(component_id(self), e, enrich_append);
    e->receiver->recording = enrich_recording;
    e->receiver->ingest = enrich_ingest;
    struct value *exported = value_object();
    value_object_put(exported, STR("receiver"), receiver_value(e->receiver));
    component_export(self, exported);
    *ret_state = e;
    return 0;
}

static int enrich_update(void *state, const void *args, struct err *err)
{
    (void)err;
    enrich_take_args(state, args);
    return 0;
}

static void enrich_free(void *state)
{
    struct enricher *e = state;
    e->receiver->ctx = NULL;
    receiver_unref(e->receiver);
    fanout_done(&e->fanout);
    strmap_done(&e->by_value);
    args_unref(e->args);
    free(e);
}

static struct value *enrich_debug_info(void *state)
{
    const struct enricher *e = state;
    struct value *o = value_object();
    value_object_put(o, STR("targets"), value_int((int64_t)e->by_value.len));
    value_object_put(o, STR("profiles_matched"), value_int((int64_t)e->matched));
    value_object_put(o, STR("profiles_unmatched"), value_int((int64_t)e->unmatched));
    return o;
}

static const char *const exports[] = {"receiver", NULL};

const struct component_def pyroscope_enrich = {
    .name = "pyroscope.enrich",
    .help = "Copies labels of targets to profiles that have the same value in a label.",
    .stability = STABILITY_EXPERIMENTAL,
    .args = &schema,
    .exports = exports,
    .build = enrich_build,
    .update = enrich_update,
    .free = enrich_free,
    .debug_info = enrich_debug_info,
};
