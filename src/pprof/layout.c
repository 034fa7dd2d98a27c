#include "pprof/layout.h"

#include "base/cleanup.h"
#include "pprof/selection.h"

/* Whether what lies in this slot is looked at. */
static bool layout_wants(const struct conversion *c, const struct event_class *class, enum event_slot slot, bool spans)
{
    const struct conversion_options *o = &c->options;
    const bool labels = !o->compat || c->has_labels;
    switch (slot) {
    case SLOT_THREAD:
        return class->rule == RULE_SETTING || o->per_thread || spans || selection_has_threads(o->select);
    case SLOT_SUBJECT:
        if (class->rule == RULE_SIZED || class->rule == RULE_WEIGHTED)
            return o->allocated_class;
        return class->rule != RULE_DELAY || o->lock_class;
    case SLOT_TIME: /* for what one event says of others */
        return !o->compat && (spans || class->rule == RULE_FREE || class->rule == RULE_MALLOC ||
                              conversion_has_range(c) || selection_has_calls(o->select) || o->time_ns);
    case SLOT_WEIGHT:
        return class->rule == RULE_WEIGHTED;
    case SLOT_SPAN_ID:
    case SLOT_SPAN_NAME:
    case SLOT_CONTEXT:
        return labels && class->rule != RULE_SETTING;
    default:
        return true;
    }
}

int layout_compile(struct layout *l, size_t class, struct err *err)
{
    static const char *const common[EVENT_SLOTS] = {[SLOT_TIME] = "startTime",
                                                    [SLOT_SPAN_ID] = "spanId",
                                                    [SLOT_SPAN_NAME] = "spanName",
                                                    [SLOT_CONTEXT] = "contextId",
                                                    [SLOT_WEIGHT] = "weight"};
    const uint32_t ids = 1 << SLOT_SPAN_ID | 1 << SLOT_SPAN_NAME | 1 << SLOT_CONTEXT;
    const struct event_class *k = &event_classes[class];
    struct jfr_plan *plan = &l->of[class].plan;
    const char *fields[EVENT_SLOTS];
    for (size_t slot = 0; slot < EVENT_SLOTS; slot++) {
        const char *field = slot < ARRAY_LEN(k->fields) ? k->fields[slot] : common[slot];
        fields[slot] = layout_wants(l->conversion, k, (enum event_slot)slot, l->spans) ? field : NULL;
    }
    int code = jfr_plan_compile(l->metadata, l->of[class].type, fields, EVENT_SLOTS, false, l->arena, plan, err);
    if (code < 0)
        return code;
    l->labelled |= (plan->has & ids) != 0;
    if (l->of[class].id < LAYOUT_DIRECT)
        l->class_of[l->of[class].id] = (uint8_t) class;
    return 0;
}

void layout_init(struct layout *l, const struct conversion *c, const struct jfr_metadata *m, struct arena *arena,
                 bool has_strings)
{
    l->conversion = c;
    l->metadata = m;
    l->labelled = false;
    l->arena = arena;
    l->spans = !c->options.compat && has_strings && jfr_type_by_name(m, event_classes[CLASS_SPAN].type);
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        const bool left_out = c->options.compat && event_classes[i].beyond;
        const struct jfr_type *t = left_out ? NULL : jfr_type_by_name(m, event_classes[i].type);
        l->of[i].type = t;
        l->of[i].id = t ? t->id : JFR_EVENT_METADATA;
        l->of[i].plan.steps = NULL;
    }
    l->left_out = (struct left_out_chunk){0};
    if (!c->options.compat)
        left_out_find(&l->left_out, m);
}

static size_t layout_state(const struct layout *l, size_t class)
{
    return l->of[class].plan.steps ? class : UNREAD + class;
}

void layout_index(struct layout *l)
{
    memset(l->class_of, NO_CLASS, sizeof l->class_of);
    for (size_t i = 0; i < l->left_out.count; i++) {
        if (l->left_out.ids[i] < LAYOUT_DIRECT)
            l->class_of[l->left_out.ids[i]] = LEFT_OUT;
    }
    for (size_t i = CLASS_COUNT; i-- > 0;) {
        if (l->of[i].id < LAYOUT_DIRECT)
            l->class_of[l->of[i].id] = (uint8_t)layout_state(l, i);
    }
    l->class_of[JFR_EVENT_METADATA] = NO_CLASS;
}

size_t layout_class_far(const struct layout *l, uint64_t type)
{
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (l->of[i].id == type)
            return layout_state(l, i);
    }
    const bool maybe = l->left_out.mask >> type % 64 & 1;
    for (size_t i = 0; maybe && i < l->left_out.count; i++) {
        if (l->left_out.ids[i] == type)
            return LEFT_OUT;
    }
    return NO_CLASS;
}
