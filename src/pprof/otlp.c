#include "pprof/otlp.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/wire.h"
#include "pprof/frame_category.h"

/* Field numbers. */
enum {
    DATA_RESOURCE_PROFILES = 1,
    DATA_DICTIONARY = 2,
    RESOURCE_SCOPE_PROFILES = 2,
    SCOPE_SCOPE = 1,
    SCOPE_PROFILES = 2,
    SCOPE_NAME = 1,
    SCOPE_VERSION = 2,
    OTLP_SAMPLE_TYPE = 1,
    OTLP_SAMPLES = 2,
    OTLP_TIME = 3,
    OTLP_DURATION = 4,
    OTLP_PERIOD_TYPE = 5,
    OTLP_PERIOD = 6,
    OTLP_PROFILE_ID = 7,
    OTLP_SAMPLE_STACK = 1,
    OTLP_SAMPLE_ATTRIBUTES = 2,
    OTLP_SAMPLE_VALUES = 4,
    TYPE_TYPE = 1,
    TYPE_UNIT = 2,
    TABLE_MAPPING = 1,
    TABLE_LOCATION = 2,
    TABLE_FUNCTION = 3,
    TABLE_LINK = 4,
    TABLE_STRING = 5,
    TABLE_ATTRIBUTE = 6,
    TABLE_STACK = 7,
    OTLP_MAPPING_FILENAME = 4,
    STACK_LOCATIONS = 1,
    OTLP_LOCATION_MAPPING = 1,
    OTLP_LOCATION_LINES = 3,
    OTLP_LOCATION_ATTRIBUTES = 4,
    OTLP_LINE_FUNCTION = 1,
    OTLP_LINE_LINE = 2,
    OTLP_FUNCTION_NAME = 1,
    OTLP_FUNCTION_SYSTEM_NAME = 2,
    OTLP_FUNCTION_FILENAME = 3,
    OTLP_FUNCTION_START_LINE = 4,
    ATTRIBUTE_KEY = 1,
    ATTRIBUTE_VALUE = 2,
    ATTRIBUTE_UNIT = 3,
    VALUE_STRING = 1,
    VALUE_INT = 3,
    PROFILE_ID_SIZE = 16,
};

/* A table of the dictionary: what was used, in that order, from 1. */
struct otlp_table {
    struct id_map ids;
    uint32_t *order; /* owned */
    size_t len, cap;
};

struct otlp_attributes {
    struct hash_index index;
    struct pprof_label *items; /* owned; strings are numbers of symbols */
    size_t len, cap;
};

struct otlp_encoder {
    struct symbols *s;
    struct otlp_table strings, functions, locations, mappings, stacks;
    struct otlp_attributes attributes;
    uint32_t thread, thread_name, frame_type; /* strings */
    bool failed;
    struct buf profile, message, packed, inner; /* scratch, from the outside in */
};

/* 0 for what is 0: the empty string, no mapping. */
static uint32_t otlp_number(struct otlp_encoder *e, struct otlp_table *t, uint32_t item)
{
    uint32_t *const id = item == SYMBOLS_FULL ? NULL : id_map_at(&t->ids, item);
    if (!id) {
        e->failed = true;
        return 0;
    }
    if (*id == 0) {
        xgrow(&t->order, &t->cap, t->len + 1, sizeof *t->order);
        t->order[t->len] = item;
        *id = (uint32_t)++t->len;
    }
    return *id;
}

static uint32_t otlp_string(struct otlp_encoder *e, uint32_t string)
{
    return string == 0 ? 0 : otlp_number(e, &e->strings, string);
}

static uint32_t otlp_attribute(struct otlp_encoder *e, struct pprof_label label)
{
    struct otlp_attributes *a = &e->attributes;
    _Static_assert(sizeof label == 24, "no padding: compared by its bytes");
    if (!hash_index_reserve(&a->index)) {
        e->failed = true;
        return 0;
    }
    const uint32_t hash = (uint32_t)hash_bytes(&label, sizeof label);
    struct hash_index_slot *slot = hash_index_find(&a->index, hash, memcmp(&a->items[item], &label, sizeof label) == 0);
    if (slot->item)
        return slot->item;
    xgrow(&a->items, &a->cap, a->len + 1, sizeof *a->items);
    a->items[a->len] = label;
    hash_index_add(&a->index, slot, hash, (uint32_t)a->len++);
    return (uint32_t)a->len;
}

static void otlp_message(struct buf *out, uint32_t field, const struct buf *message)
{
    if (!buf_ok(message))
        out->failed = true;
    else
        wire_bytes(out, field, buf_slice(message));
}

static void otlp_fixed64(struct buf *out, uint32_t field, uint64_t v)
{
    uint8_t bytes[sizeof v];
    for (size_t i = 0; i < sizeof v; i++, v >>= 8)
        bytes[i] = (uint8_t)v;
    wire_tag(out, field, WIRE_FIXED64);
    buf_append(out, bytes, sizeof bytes);
}

/* ---- profiles ---- */

static void otlp_put_type(struct otlp_encoder *e, uint32_t field, struct pprof_value_type t)
{
    buf_reset(&e->message);
    wire_number(&e->message, TYPE_TYPE, otlp_string(e, t.type));
    wire_number(&e->message, TYPE_UNIT, otlp_string(e, t.unit));
    otlp_message(&e->profile, field, &e->message);
}

static void otlp_put_attributes(struct otlp_encoder *e, uint32_t set)
{
    const struct pprof_labels *labels = &e->s->label_sets[set];
    buf_reset(&e->packed);
    for (uint32_t i = 0; i < labels->count; i++) {
        struct pprof_label label = labels->labels[i];
        label.key = label.key == e->thread ? e->thread_name : label.key;
        wire_varint(&e->packed, otlp_attribute(e, label));
    }
    if (labels->count)
        otlp_message(&e->message, OTLP_SAMPLE_ATTRIBUTES, &e->packed);
}

static void otlp_put_sample(struct otlp_encoder *e, struct pprof_sample sample, int64_t value)
{
    buf_reset(&e->message);
    wire_number(&e->message, OTLP_SAMPLE_STACK, otlp_number(e, &e->stacks, sample.stack));
    otlp_put_attributes(e, sample.labels);
    buf_reset(&e->packed);
    wire_varint(&e->packed, (uint64_t)value);
    otlp_message(&e->message, OTLP_SAMPLE_VALUES, &e->packed);
    otlp_message(&e->profile, OTLP_SAMPLES, &e->message);
}

static void otlp_put_profile(struct otlp_encoder *e, const struct profile *p, size_t column, struct buf *out)
{
    uint8_t id[SHA256_SIZE];
    buf_reset(&e->profile);
    otlp_put_type(e, OTLP_SAMPLE_TYPE, p->types[column]);
    for (size_t i = 0; i < p->sample_count; i++) {
        const int64_t value = profile_values(p, i)[column];
        if (value)
            otlp_put_sample(e, p->samples[i], value);
    }
    otlp_fixed64(&e->profile, OTLP_TIME, (uint64_t)p->time_nanos);
    wire_number(&e->profile, OTLP_DURATION, (uint64_t)p->duration_nanos);
    if (p->period_type.type)
        otlp_put_type(e, OTLP_PERIOD_TYPE, p->period_type);
    wire_number(&e->profile, OTLP_PERIOD, (uint64_t)p->period);
    /* Of the content, so that the same input gives the same file. */
    sha256(buf_slice(&e->profile), id);
    wire_bytes(&e->profile, OTLP_PROFILE_ID, (struct str){(const char *)id, PROFILE_ID_SIZE});
    otlp_message(out, SCOPE_PROFILES, &e->profile);
}

static void otlp_put_scope(struct buf *out)
{
    cleanup_buf struct buf scope = BUF_INIT(1 << 10);
    wire_bytes(&scope, SCOPE_NAME, STR("smolder"));
    wire_bytes(&scope, SCOPE_VERSION, STR(SMOLDER_VERSION));
    otlp_message(out, SCOPE_SCOPE, &scope);
}

static void otlp_put_resource(struct otlp_encoder *e, const struct otlp_profile *profiles, size_t n, struct buf *out)
{
    cleanup_buf struct buf scope = BUF_INIT(out->max), resource = BUF_INIT(out->max);
    otlp_put_scope(&scope);
    for (size_t i = 0; i < n; i++) {
        const struct profile *p = profiles[i].p;
        for (size_t k = 0; k < p->type_count; k++) {
            if (profiles[i].column < 0 || (size_t)profiles[i].column == k)
                otlp_put_profile(e, p, k, &scope);
        }
    }
    otlp_message(&resource, RESOURCE_SCOPE_PROFILES, &scope);
    otlp_message(out, DATA_RESOURCE_PROFILES, &resource);
}

/* ---- the dictionary: tables are finished from the outside in, as each uses those below it ---- */

static void otlp_put_stacks(struct otlp_encoder *e, struct buf *out)
{
    for (size_t i = 0; i < e->stacks.len; i++) {
        const struct pprof_stack *stack = &e->s->stacks[e->stacks.order[i]];
        buf_reset(&e->packed);
        buf_reset(&e->message);
        for (uint32_t k = 0; k < stack->count; k++)
            wire_varint(&e->packed, otlp_number(e, &e->locations, stack->locations[k]));
        if (stack->count)
            otlp_message(&e->message, STACK_LOCATIONS, &e->packed);
        otlp_message(out, TABLE_STACK, &e->message);
    }
}

static uint32_t otlp_frame_attribute(struct otlp_encoder *e, struct pprof_function f)
{
    const char *kind = frame_kind(e->s->strings[f.name]);
    return otlp_attribute(e, (struct pprof_label){.key = e->frame_type, .str = symbols_string(e->s, str_of(kind))});
}

static void otlp_put_locations(struct otlp_encoder *e, struct buf *out)
{
    for (size_t i = 0; i < e->locations.len; i++) {
        const struct pprof_location l = e->s->locations[e->locations.order[i]];
        const struct pprof_function f = e->s->functions[l.function];
        buf_reset(&e->message);
        buf_reset(&e->inner);
        buf_reset(&e->packed);
        wire_number(&e->inner, OTLP_LINE_FUNCTION, otlp_number(e, &e->functions, l.function));
        wire_number(&e->inner, OTLP_LINE_LINE, l.line > 0 ? (uint64_t)l.line : 0);
        wire_varint(&e->packed, otlp_frame_attribute(e, f));
        wire_number(&e->message, OTLP_LOCATION_MAPPING, f.mapping ? otlp_number(e, &e->mappings, f.mapping) : 0);
        otlp_message(&e->message, OTLP_LOCATION_LINES, &e->inner);
        otlp_message(&e->message, OTLP_LOCATION_ATTRIBUTES, &e->packed);
        otlp_message(out, TABLE_LOCATION, &e->message);
    }
}

static void otlp_put_functions(struct otlp_encoder *e, struct buf *out)
{
    for (size_t i = 0; i < e->functions.len; i++) {
        const struct pprof_function f = e->s->functions[e->functions.order[i]];
        buf_reset(&e->message);
        wire_number(&e->message, OTLP_FUNCTION_NAME, otlp_string(e, f.name));
        wire_number(&e->message, OTLP_FUNCTION_SYSTEM_NAME, otlp_string(e, f.system_name));
        wire_number(&e->message, OTLP_FUNCTION_FILENAME, otlp_string(e, f.filename));
        wire_number(&e->message, OTLP_FUNCTION_START_LINE, f.start_line > 0 ? (uint64_t)f.start_line : 0);
        otlp_message(out, TABLE_FUNCTION, &e->message);
    }
}

static void otlp_put_attribute_table(struct otlp_encoder *e, struct buf *out)
{
    for (size_t i = 0; i < e->attributes.len; i++) {
        const struct pprof_label a = e->attributes.items[i];
        buf_reset(&e->message);
        buf_reset(&e->inner);
        if (a.str) {
            wire_bytes(&e->inner, VALUE_STRING, e->s->strings[a.str]);
        } else {
            wire_tag(&e->inner, VALUE_INT, WIRE_VARINT);
            wire_varint(&e->inner, (uint64_t)a.num);
        }
        wire_number(&e->message, ATTRIBUTE_KEY, otlp_string(e, a.key));
        otlp_message(&e->message, ATTRIBUTE_VALUE, &e->inner);
        wire_number(&e->message, ATTRIBUTE_UNIT, otlp_string(e, a.unit));
        otlp_message(out, TABLE_ATTRIBUTE, &e->message);
    }
}

static void otlp_put_mappings(struct otlp_encoder *e, struct buf *out)
{
    for (size_t i = 0; i < e->mappings.len; i++) {
        buf_reset(&e->message);
        wire_number(&e->message, OTLP_MAPPING_FILENAME, otlp_string(e, e->mappings.order[i]));
        otlp_message(out, TABLE_MAPPING, &e->message);
    }
}

static void otlp_put_dictionary(struct otlp_encoder *e, struct buf *out)
{
    static const uint32_t tables[] = {TABLE_MAPPING, TABLE_LOCATION,  TABLE_FUNCTION, TABLE_LINK,
                                      TABLE_STRING,  TABLE_ATTRIBUTE, TABLE_STACK};
    cleanup_buf struct buf dictionary = BUF_INIT(out->max);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) /* entry 0 of each */
        wire_bytes(&dictionary, tables[i], STR(""));
    otlp_put_stacks(e, &dictionary);
    otlp_put_locations(e, &dictionary);
    otlp_put_functions(e, &dictionary);
    otlp_put_attribute_table(e, &dictionary);
    otlp_put_mappings(e, &dictionary);
    for (size_t i = 0; i < e->strings.len; i++)
        wire_bytes(&dictionary, TABLE_STRING, e->s->strings[e->strings.order[i]]);
    otlp_message(out, DATA_DICTIONARY, &dictionary);
}

static void otlp_table_done(struct otlp_table *t)
{
    id_map_done(&t->ids);
    free(t->order);
}

static void otlp_encoder_done(struct otlp_encoder *e)
{
    otlp_table_done(&e->strings);
    otlp_table_done(&e->functions);
    otlp_table_done(&e->locations);
    otlp_table_done(&e->mappings);
    otlp_table_done(&e->stacks);
    hash_index_done(&e->attributes.index);
    free(e->attributes.items);
    buf_done(&e->profile);
    buf_done(&e->message);
    buf_done(&e->packed);
    buf_done(&e->inner);
}

void otlp_encode(const struct otlp_profile *profiles, size_t n, struct buf *out)
{
    if (n == 0)
        return;
    struct symbols *s = profiles[0].p->symbols;
    struct otlp_encoder e = {
        .s = s,
        .thread = symbols_string(s, STR("thread")),
        .thread_name = symbols_string(s, STR("thread.name")),
        .frame_type = symbols_string(s, STR("profile.frame.type")),
        .profile = BUF_INIT(out->max),
        .message = BUF_INIT(out->max),
        .packed = BUF_INIT(out->max),
        .inner = BUF_INIT(out->max),
    };
    e.failed = e.thread_name == SYMBOLS_FULL || e.frame_type == SYMBOLS_FULL ||
               symbols_string(s, STR("native")) == SYMBOLS_FULL || symbols_string(s, STR("kernel")) == SYMBOLS_FULL ||
               symbols_string(s, STR("jvm")) == SYMBOLS_FULL;
    if (!e.failed) {
        otlp_put_resource(&e, profiles, n, out);
        otlp_put_dictionary(&e, out);
    }
    out->failed |= e.failed;
    otlp_encoder_done(&e);
}
