#include "pprof/encode.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/wire.h"
#include "pprof/proto_fields.h"

/* Tag and length, and ten fields of at most 1 + 10 bytes: still less than 128. */
enum { SMALL_MESSAGE = 120 };

/* Numbers in this profile, by order of first use, for things numbered across all profiles. */
struct numbering {
    uint32_t *ids;   /* by symbols' number; 0 = not used yet */
    uint32_t *order; /* the reverse: used ones in order */
    uint32_t count;
};

struct encoder {
    const struct profile *p;
    struct buf *out;
    struct numbering strings, functions;
    struct numbering locations; /* places come behind symbols' locations */
    struct numbering mappings;  /* strings: of libraries; mappings that are kept come behind them */
    bool placed;                /* there are locations at places */
};

static bool encode_numbering_init(struct numbering *n, size_t count)
{
    *n = (struct numbering){.ids = calloc(count + 1, sizeof *n->ids), .order = malloc((count + 1) * sizeof *n->order)};
    return n->ids && n->order;
}

static void numbering_done(struct numbering *n)
{
    free(n->ids);
    free(n->order);
}

/* From 1. */
static uint32_t encode_numbered(struct numbering *n, uint32_t item)
{
    if (n->ids[item] == 0) {
        n->order[n->count++] = item;
        n->ids[item] = n->count;
    }
    return n->ids[item];
}

/* Strings count from 0, and "" is 0 from the start. */
static uint32_t encode_string_id(struct encoder *e, uint32_t string)
{
    return encode_numbered(&e->strings, string) - 1;
}

/* A message of less than 128 bytes, all but samples are: its length is one byte, known at the end. Where to write its
 * fields; SMALL_MESSAGE bytes of room were made sure of. */
static inline uint8_t *encode_small_begin(uint8_t *to, uint32_t field)
{
    to[0] = (uint8_t)(field << 3 | WIRE_BYTES);
    return to + 2;
}

/* Position behind it. */
static inline uint8_t *encode_small_end(uint8_t *from, uint8_t *to)
{
    from[-1] = (uint8_t)(to - from);
    return to;
}

/* `count` small messages, room for some at a time. */
static void encode_put_small(struct encoder *e, uint32_t count,
                             uint8_t *(*put)(struct encoder *e, uint32_t i, uint8_t *to))
{
    enum { AT_A_TIME = 64 };
    for (uint32_t i = 0; i < count;) {
        const uint32_t until = count - i < AT_A_TIME ? count : i + AT_A_TIME;
        uint8_t *const from = buf_reserve(e->out, (size_t)(until - i) * SMALL_MESSAGE), *to = from;
        if (!from)
            return;
        for (; i < until; i++)
            to = put(e, i, to);
        e->out->len += (size_t)(to - from);
    }
}

static void encode_put_value_type(struct encoder *e, uint32_t field, struct pprof_value_type t)
{
    uint8_t *const from = buf_reserve(e->out, SMALL_MESSAGE);
    if (!from)
        return;
    uint8_t *m = encode_small_begin(from, field),
            *to = wire_put_number(m, VALUE_TYPE_TYPE, encode_string_id(e, t.type));
    e->out->len +=
        (size_t)(encode_small_end(m, wire_put_number(to, VALUE_TYPE_UNIT, encode_string_id(e, t.unit))) - from);
}

static bool encode_all_zero(const int64_t *values, size_t n)
{
    int64_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= values[i];
    return any == 0;
}

static size_t encode_label_size(struct encoder *e, const struct pprof_label *l)
{
    size_t n = 1 + wire_size(encode_string_id(e, l->key));
    if (l->str)
        n += 1 + wire_size(encode_string_id(e, l->str));
    if (l->num)
        n += 1 + wire_size((uint64_t)l->num);
    if (l->unit)
        n += 1 + wire_size(encode_string_id(e, l->unit));
    return n;
}

static void encode_put_label(struct encoder *e, const struct pprof_label *l)
{
    wire_tag(e->out, SAMPLE_LABEL, WIRE_BYTES);
    wire_varint(e->out, encode_label_size(e, l));
    wire_tag(e->out, LABEL_KEY, WIRE_VARINT);
    wire_varint(e->out, encode_string_id(e, l->key));
    if (l->str)
        wire_number(e->out, LABEL_STR, encode_string_id(e, l->str));
    wire_number(e->out, LABEL_NUM, (uint64_t)l->num);
    if (l->unit)
        wire_number(e->out, LABEL_NUM_UNIT, encode_string_id(e, l->unit));
}

static size_t encode_labels_size(struct encoder *e, const struct pprof_labels *labels)
{
    size_t n = 0;
    for (uint32_t k = 0; k < labels->count; k++) {
        size_t label = encode_label_size(e, &labels->labels[k]);
        n += 1 + wire_size(label) + label;
    }
    return n;
}

/* Most of a profile. The byte behind the last is written as well. */
static uint8_t *encode_put_location_ids(struct encoder *e, const struct pprof_stack *stack, uint8_t *to)
{
    enum { TWO_BYTES = 1 << 14 };
    const uint32_t *l = stack->locations, *const end = l + stack->count;
    uint32_t *const ids =
        e->locations.ids; /* bytes written may be anything to the compiler, so nothing is asked twice */
    for (; l < end; l++) {
        uint32_t id = ids[*l];
        if (id == 0)
            id = encode_numbered(&e->locations, *l);
        if (id >= TWO_BYTES) {
            to = wire_put(to, id);
            continue;
        }
        const unsigned more = id > 0x7f; /* which it is cannot be foreseen, so better not asked */
        to[0] = (uint8_t)((id & 0x7f) | more << 7);
        to[1] = (uint8_t)(id >> 7);
        to += 1 + more;
    }
    return to;
}

/* How many frames from there on are all of their place, in order; 0 = they are not. */
static uint32_t encode_place_length(const struct symbols *s, const uint32_t *l, const uint32_t *end)
{
    const uint32_t number = s->locations[*l].place;
    if (number == 0)
        return 0;
    const struct pprof_place *place = &s->places[number - 1];
    if (place->count > (size_t)(end - l))
        return 0;
    for (uint32_t i = 0; i < place->count; i++) {
        const struct pprof_location here = s->locations[l[i]];
        if (here.place != number || here.function != place->lines[i].function || here.line != place->lines[i].line)
            return 0;
    }
    return place->count ? place->count : 1;
}

/* The same where locations may be at places: each becomes one again, unless somebody changed its frames. */
static uint8_t *encode_put_placed_ids(struct encoder *e, const struct pprof_stack *stack, uint8_t *to)
{
    const struct symbols *s = e->p->symbols;
    const uint32_t *const end = stack->locations + stack->count;
    for (const uint32_t *l = stack->locations; l < end;) {
        const uint32_t length = encode_place_length(s, l, end);
        const uint32_t item = length ? (uint32_t)s->location_count + s->locations[*l].place - 1 : *l;
        e->placed |= s->locations[*l].place != 0;
        to = wire_put(to, encode_numbered(&e->locations, item));
        l += length ? length : 1;
    }
    return to;
}

static uint8_t *encode_put_values(const struct profile *p, size_t i, uint8_t *to)
{
    const int64_t *values = profile_values(p, i);
    for (size_t k = 0; k < p->type_count; k++)
        to = wire_put(to, (uint64_t)values[k]);
    return to;
}

/* Written into the output with a gap in front for the lengths, then moved up to them. */
static void encode_put_sample(struct encoder *e, size_t i)
{
    enum { GAP = 16, ID_MAX = 5, VALUE_MAX = 10 };
    const struct profile *p = e->p;
    const struct pprof_stack *stack = &p->symbols->stacks[p->samples[i].stack];
    const struct pprof_labels *labels = &p->symbols->label_sets[p->samples[i].labels];
    uint8_t values[PROFILE_TYPES_MAX * VALUE_MAX];
    const size_t n_values = (size_t)(encode_put_values(p, i, values) - values);
    uint8_t *const from = buf_reserve(e->out, 2 * GAP + (size_t)stack->count * ID_MAX + n_values);
    if (!from)
        return;
    uint8_t *const ids = from + GAP;
    const bool places = p->symbols->place_count != 0;
    const size_t n_ids =
        (size_t)((places ? encode_put_placed_ids(e, stack, ids) : encode_put_location_ids(e, stack, ids)) - ids);
    const size_t ids_field = n_ids ? 1 + wire_size(n_ids) + n_ids : 0;
    const size_t message = ids_field + 1 + wire_size(n_values) + n_values + encode_labels_size(e, labels);
    uint8_t *to = wire_put(wire_put(from, PROFILE_SAMPLE << 3 | WIRE_BYTES), message);
    if (n_ids)
        to = wire_put(wire_put(to, SAMPLE_LOCATION_ID << 3 | WIRE_BYTES), n_ids);
    memmove(to, ids, n_ids);
    to = wire_put(wire_put(to + n_ids, SAMPLE_VALUE << 3 | WIRE_BYTES), n_values);
    memcpy(to, values, n_values);
    e->out->len += (size_t)(to - from) + n_values;
    for (uint32_t k = 0; k < labels->count; k++)
        encode_put_label(e, &labels->labels[k]);
}

static uint32_t encode_kept_mapping(const struct encoder *e, uint32_t number)
{
    return (uint32_t)e->p->symbols->string_count + number;
}

static uint8_t *encode_put_kept_mapping(struct encoder *e, uint32_t i, uint8_t *to)
{
    const struct pprof_mapping *k = &e->p->symbols->mappings[e->mappings.order[i] - e->p->symbols->string_count];
    uint8_t *m = encode_small_begin(to, PROFILE_MAPPING);
    to = wire_put_number(m, MAPPING_ID, i + 1);
    to = wire_put_number(to, MAPPING_START, k->start);
    to = wire_put_number(to, MAPPING_LIMIT, k->limit);
    to = wire_put_number(to, MAPPING_OFFSET, k->offset);
    to = wire_put_number(to, MAPPING_FILENAME, encode_string_id(e, k->filename));
    to = wire_put_number(to, MAPPING_BUILD_ID, encode_string_id(e, k->build_id));
    for (uint32_t flag = MAPPING_HAS_FUNCTIONS; flag <= MAPPING_HAS_INLINED; flag++)
        to = wire_put_number(to, flag, k->flags >> (flag - MAPPING_HAS_FUNCTIONS) & 1);
    return encode_small_end(m, to);
}

/* The program itself is the first, and the only one without a name. */
static uint8_t *encode_put_mapping(struct encoder *e, uint32_t i, uint8_t *to)
{
    if (e->mappings.order[i] >= e->p->symbols->string_count)
        return encode_put_kept_mapping(e, i, to);
    uint8_t *m = encode_small_begin(to, PROFILE_MAPPING);
    to = wire_put_number(m, MAPPING_ID, i + 1);
    to = wire_put_number(to, MAPPING_FILENAME, encode_string_id(e, e->mappings.order[i]));
    return encode_small_end(m, wire_put_number(to, MAPPING_HAS_FUNCTIONS, 1));
}

/* 0 where a place has none. */
static uint64_t encode_place_mapping(struct encoder *e, const struct pprof_place *place)
{
    return place->mapping ? encode_numbered(&e->mappings, encode_kept_mapping(e, place->mapping - 1)) : 0;
}

static inline uint8_t *encode_put_location(struct encoder *e, uint32_t i, uint8_t *to)
{
    const struct pprof_location l = e->p->symbols->locations[e->locations.order[i]];
    uint8_t *m = encode_small_begin(to, PROFILE_LOCATION);
    to = wire_put_number(m, LOCATION_ID, i + 1);
    to = wire_put_number(to, LOCATION_MAPPING_ID,
                         l.place ? encode_place_mapping(e, &e->p->symbols->places[l.place - 1])
                                 : encode_numbered(&e->mappings, e->p->symbols->functions[l.function].mapping));
    *to++ = LOCATION_LINE << 3 | WIRE_BYTES;
    uint8_t *line = to + 1, *end = wire_put_number(line, LINE_FUNCTION_ID, encode_numbered(&e->functions, l.function));
    end = wire_put_number(end, LINE_LINE, e->p->symbols->unsigned_lines ? (uint32_t)l.line : (uint64_t)(int64_t)l.line);
    *to = (uint8_t)(end - line);
    return encode_small_end(m, end);
}

static void encode_put_place_line(struct encoder *e, const struct pprof_line *l, struct buf *out)
{
    uint8_t line[SMALL_MESSAGE], *to = line;
    to = wire_put_number(to, LINE_FUNCTION_ID, encode_numbered(&e->functions, l->function));
    to = wire_put_number(to, LINE_LINE, (uint64_t)(int64_t)l->line);
    to = wire_put_number(to, LINE_COLUMN, (uint64_t)(int64_t)l->column);
    wire_bytes(out, LOCATION_LINE, (struct str){(const char *)line, (size_t)(to - line)});
}

static void encode_put_place(struct encoder *e, uint32_t i, const struct pprof_place *place)
{
    cleanup_buf struct buf message = BUF_INIT(e->out->max);
    wire_number(&message, LOCATION_ID, i + 1);
    wire_number(&message, LOCATION_MAPPING_ID, encode_place_mapping(e, place));
    wire_number(&message, LOCATION_ADDRESS, place->address);
    for (uint32_t k = 0; k < place->count; k++)
        encode_put_place_line(e, &place->lines[k], &message);
    wire_number(&message, LOCATION_IS_FOLDED, place->folded);
    e->out->failed |= message.failed;
    wire_bytes(e->out, PROFILE_LOCATION, buf_slice(&message));
}

static void encode_put_placed_locations(struct encoder *e)
{
    const struct symbols *s = e->p->symbols;
    for (uint32_t i = 0; i < e->locations.count; i++) {
        const uint32_t item = e->locations.order[i];
        uint8_t *const from = buf_reserve(e->out, SMALL_MESSAGE);
        if (!from)
            return;
        if (item >= s->location_count)
            encode_put_place(e, i, &s->places[item - s->location_count]);
        else
            e->out->len += (size_t)(encode_put_location(e, i, from) - from);
    }
}

static inline uint8_t *encode_put_function(struct encoder *e, uint32_t i, uint8_t *to)
{
    const struct pprof_function f = e->p->symbols->functions[e->functions.order[i]];
    uint8_t *m = encode_small_begin(to, PROFILE_FUNCTION);
    to = wire_put_number(m, FUNCTION_ID, i + 1);
    to = wire_put_number(to, FUNCTION_NAME, encode_string_id(e, f.name));
    to = wire_put_number(to, FUNCTION_SYSTEM_NAME, encode_string_id(e, f.system_name));
    to = wire_put_number(to, FUNCTION_FILENAME, encode_string_id(e, f.filename));
    return encode_small_end(m, wire_put_number(to, FUNCTION_START_LINE, (uint64_t)(int64_t)f.start_line));
}

static void encode_put_strings(struct encoder *e)
{
    enum { TAG_AND_LENGTH = 1 + 10 };
    const struct str *const strings = e->p->symbols->strings;
    size_t bytes = 0;
    for (uint32_t i = 0; i < e->strings.count; i++)
        bytes += TAG_AND_LENGTH + strings[e->strings.order[i]].n;
    uint8_t *const from = buf_reserve(e->out, bytes), *to = from;
    for (uint32_t i = 0; from && i < e->strings.count; i++) {
        const struct str s = strings[e->strings.order[i]];
        *to++ = PROFILE_STRING_TABLE << 3 | WIRE_BYTES;
        to = wire_put(to, s.n);
        if (s.n)
            memcpy(to, s.p, s.n);
        to += s.n;
    }
    if (from)
        e->out->len += (size_t)(to - from);
}

/* What others wrote; strings that are unset are left out. */
static void encode_put_texts(struct encoder *e)
{
    const struct profile *p = e->p;
    const struct {
        uint32_t field, string;
    } texts[] = {{PROFILE_DROP_FRAMES, p->drop_frames},
                 {PROFILE_KEEP_FRAMES, p->keep_frames},
                 {PROFILE_DEFAULT_TYPE, p->default_type},
                 {PROFILE_DOC_URL, p->doc_url}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        wire_number(e->out, texts[i].field, encode_string_id(e, texts[i].string));
    for (size_t i = 0; i < p->comment_count; i++)
        wire_number(e->out, PROFILE_COMMENT, encode_string_id(e, p->comments[i]));
}

static void encode_put_profile(struct encoder *e)
{
    const struct profile *p = e->p;
    (void)encode_string_id(e, 0);
    for (size_t i = 0; i < p->type_count; i++)
        encode_put_value_type(e, PROFILE_SAMPLE_TYPE, p->types[i]);
    for (size_t i = 0; i < p->sample_count; i++) {
        if (!encode_all_zero(profile_values(p, i), p->type_count))
            encode_put_sample(e, i);
    }
    /* All that are kept, in their order: the first is the program. */
    for (uint32_t i = 0; e->placed && i < p->symbols->mapping_count; i++)
        (void)encode_numbered(&e->mappings, encode_kept_mapping(e, i));
    if (e->mappings.count == 0)
        (void)encode_numbered(&e->mappings, 0);
    if (e->placed)
        encode_put_placed_locations(e);
    else
        encode_put_small(e, e->locations.count, encode_put_location);
    encode_put_small(e, e->mappings.count, encode_put_mapping);
    encode_put_small(e, e->functions.count, encode_put_function);
    wire_number(e->out, PROFILE_TIME_NANOS, (uint64_t)p->time_nanos);
    wire_number(e->out, PROFILE_DURATION_NANOS, (uint64_t)p->duration_nanos);
    if (p->period_type.type || p->period_type.unit)
        encode_put_value_type(e, PROFILE_PERIOD_TYPE, p->period_type);
    wire_number(e->out, PROFILE_PERIOD, (uint64_t)p->period);
    encode_put_texts(e);
    encode_put_strings(e);
}

void pprof_encode(const struct profile *p, struct buf *out)
{
    struct encoder e = {.p = p, .out = out};
    const bool strings = encode_numbering_init(&e.strings, p->symbols->string_count),
               functions = encode_numbering_init(&e.functions, p->symbols->function_count),
               locations = encode_numbering_init(&e.locations, p->symbols->location_count + p->symbols->place_count),
               mappings = encode_numbering_init(&e.mappings, p->symbols->string_count + p->symbols->mapping_count);
    if (strings && functions && locations && mappings)
        encode_put_profile(&e);
    else
        out->failed = true; /* no memory */
    numbering_done(&e.strings);
    numbering_done(&e.functions);
    numbering_done(&e.locations);
    numbering_done(&e.mappings);
}
