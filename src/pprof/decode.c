#include "pprof/decode.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/wire.h"
#include "pprof/proto_fields.h"

/* Frames of all samples together, per byte of the profile: a location of many inlined lines costs one byte to name
 * again. */
enum { LABELS_MAX = 128, FRAMES_PER_BYTE = 32 };

/* A foreign id and our number for what it names. For a location: its frames, one per inlined line. */
struct id {
    uint64_t foreign;
    uint32_t first, count;
};
struct ids {
    struct id *items; /* owned */
    size_t count, cap;
    struct hash_index index;
};

struct u32_list {
    uint32_t *items; /* owned */
    size_t count, cap;
};

struct pprof_decoder {
    struct str bytes;
    struct symbols *symbols;
    struct profile *profile;
    struct u32_list strings; /* by foreign index */
    struct ids mappings, functions, locations;
    uint32_t mapping; /* of the location at hand: a string */
    struct kept_mapping {
        uint32_t number;
        uint64_t moved; /* what addresses there differ by from those of the mapping kept */
    } * kept;           /* where places are kept, by index in `mappings`; owned */
    size_t kept_cap;
    struct pprof_line *line_list; /* of the location at hand; owned */
    size_t line_count, line_cap;
    struct u32_list lines; /* locations' frames, one after the other */
    struct u32_list stack; /* of the sample at hand */
    size_t frames;         /* of all samples so far */
    struct err *err;
};

static int decode_damaged(struct pprof_decoder *d, const char *what)
{
    return err_set(d->err, -EBADMSG, "pprof: %s", what);
}

static int decode_full(struct pprof_decoder *d)
{
    return err_set(d->err, -E2BIG, "pprof: too large");
}

static void decode_push(struct u32_list *l, uint32_t v)
{
    xgrow(&l->items, &l->cap, l->count + 1, sizeof *l->items);
    l->items[l->count++] = v;
}

/* False where there is no memory. */
static bool decode_ids_add(struct ids *ids, struct id id)
{
    if (!hash_index_reserve(&ids->index))
        return false;
    uint32_t hash = hash_number(id.foreign);
    struct hash_index_slot *slot = hash_index_find(&ids->index, hash, ids->items[item].foreign == id.foreign);
    if (slot->item) /* twice: the first stays */
        return true;
    if (!mem_grow(&ids->items, &ids->cap, ids->count + 1, sizeof *ids->items))
        return false;
    ids->items[ids->count] = id;
    hash_index_add(&ids->index, slot, hash, (uint32_t)ids->count++);
    return true;
}

static const struct id *decode_ids_find(const struct ids *ids, uint64_t foreign)
{
    if (ids->index.cap == 0)
        return NULL;
    const struct hash_index_slot *slot =
        hash_index_find(&ids->index, hash_number(foreign), ids->items[item].foreign == foreign);
    return slot->item ? &ids->items[slot->item - 1] : NULL;
}

/* Calls `take` for every field `number` of the whole profile. */
static int decode_each(struct pprof_decoder *d, uint32_t number,
                       int (*take)(struct pprof_decoder *d, const struct wire_field *f))
{
    struct wire_reader r = wire_reader_of(d->bytes);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of != number)
            continue;
        int code = take(d, &f);
        if (code < 0)
            return code;
    }
    return r.bad ? decode_damaged(d, "truncated or malformed") : 0;
}

static int decode_take_string(struct pprof_decoder *d, const struct wire_field *f)
{
    if (f->type != WIRE_BYTES)
        return decode_damaged(d, "malformed string");
    uint32_t s = symbols_string(d->symbols, f->bytes);
    if (s == SYMBOLS_FULL)
        return decode_full(d);
    decode_push(&d->strings, s);
    return 0;
}

static bool decode_string_at(const struct pprof_decoder *d, uint64_t i, uint32_t *ret)
{
    if (i >= d->strings.count)
        return false;
    *ret = d->strings.items[i];
    return true;
}

static bool decode_read_mapping(const struct pprof_decoder *d, struct str bytes, struct pprof_mapping *ret,
                                uint64_t *foreign)
{
    struct wire_reader r = wire_reader_of(bytes);
    struct wire_field part;
    bool fine = true;
    *foreign = 0;
    *ret = (struct pprof_mapping){0};
    while (fine && wire_next(&r, &part)) {
        if (part.number_of == MAPPING_ID)
            *foreign = part.number;
        else if (part.number_of == MAPPING_START)
            ret->start = part.number;
        else if (part.number_of == MAPPING_LIMIT)
            ret->limit = part.number;
        else if (part.number_of == MAPPING_OFFSET)
            ret->offset = part.number;
        else if (part.number_of == MAPPING_FILENAME)
            fine = decode_string_at(d, part.number, &ret->filename);
        else if (part.number_of == MAPPING_BUILD_ID)
            (void)decode_string_at(d, part.number, &ret->build_id);
        else if (part.number_of >= MAPPING_HAS_FUNCTIONS && part.number_of <= MAPPING_HAS_INLINED && part.number)
            ret->flags |= 1u << (part.number_of - MAPPING_HAS_FUNCTIONS);
    }
    return fine && !r.bad && *foreign;
}

/* Where places are kept, of the mapping added last. */
static bool decode_keep_mapping(struct pprof_decoder *d, struct pprof_mapping m)
{
    if (!mem_grow(&d->kept, &d->kept_cap, d->mappings.count, sizeof *d->kept))
        return false;
    const bool nameless = m.filename == 0 && m.build_id == 0 && m.limit == 0; /* as our own profiles have it */
    struct kept_mapping kept = {.number = nameless ? 0 : symbols_mapping(d->symbols, m)};
    if (kept.number == SYMBOLS_FULL)
        return false;
    if (!nameless) {
        kept.moved = d->symbols->mappings[kept.number].start - m.start;
        kept.number++;
    }
    d->kept[d->mappings.count - 1] = kept;
    return true;
}

/* The first mapping is the program itself, which symbols give no name. */
static int decode_take_mapping(struct pprof_decoder *d, const struct wire_field *f)
{
    struct pprof_mapping m;
    struct id id = {.count = 1};
    if (f->type != WIRE_BYTES || !decode_read_mapping(d, f->bytes, &m, &id.foreign))
        return decode_damaged(d, "invalid mapping");
    id.first = d->mappings.count ? m.filename : 0;
    const size_t before = d->mappings.count;
    if (!decode_ids_add(&d->mappings, id))
        return decode_full(d);
    if (d->symbols->keeps_places && d->mappings.count > before && !decode_keep_mapping(d, m))
        return decode_full(d);
    return 0;
}

static int32_t decode_clamp_line(uint64_t v)
{
    int64_t line = v == UINT32_MAX ? -1 : (int64_t)v; /* there are those who know numbers without a sign only */
    return line > INT32_MAX ? INT32_MAX : line < INT32_MIN ? INT32_MIN : (int32_t)line;
}

static int decode_take_function(struct pprof_decoder *d, const struct wire_field *f)
{
    struct wire_reader r = wire_reader_of(f->bytes);
    struct wire_field part;
    struct pprof_function function = {0};
    struct id id = {.count = 1};
    bool fine = f->type == WIRE_BYTES;
    while (fine && wire_next(&r, &part)) {
        switch (part.number_of) {
        case FUNCTION_ID:
            id.foreign = part.number;
            break;
        case FUNCTION_NAME:
            fine = decode_string_at(d, part.number, &function.name);
            break;
        case FUNCTION_SYSTEM_NAME:
            fine = decode_string_at(d, part.number, &function.system_name);
            break;
        case FUNCTION_FILENAME:
            fine = decode_string_at(d, part.number, &function.filename);
            break;
        case FUNCTION_START_LINE:
            function.start_line = decode_clamp_line(part.number);
            break;
        }
    }
    if (!fine || r.bad || id.foreign == 0)
        return decode_damaged(d, "invalid function");
    id.first = symbols_function(d->symbols, function);
    if (id.first == SYMBOLS_FULL)
        return decode_full(d);
    return decode_ids_add(&d->functions, id) ? 0 : decode_full(d);
}

static int decode_take_line(struct pprof_decoder *d, const struct wire_field *f)
{
    struct wire_reader r = wire_reader_of(f->bytes);
    struct wire_field part;
    uint64_t function = 0;
    struct pprof_line line = {0};
    while (f->type == WIRE_BYTES && wire_next(&r, &part)) {
        if (part.number_of == LINE_FUNCTION_ID)
            function = part.number;
        else if (part.number_of == LINE_LINE)
            line.line = decode_clamp_line(part.number);
        else if (part.number_of == LINE_COLUMN)
            line.column = decode_clamp_line(part.number);
    }
    const struct id *known = decode_ids_find(&d->functions, function);
    if (!known || r.bad)
        return decode_damaged(d, "line with an unknown function");
    line.function = known->first;
    if (d->mapping) {
        struct pprof_function in_library = d->symbols->functions[line.function];
        in_library.mapping = d->mapping;
        line.function = symbols_function(d->symbols, in_library);
    }
    if (line.function == SYMBOLS_FULL || !mem_grow(&d->line_list, &d->line_cap, d->line_count + 1, sizeof line))
        return decode_full(d);
    d->line_list[d->line_count++] = line;
    return 0;
}

static const struct id *decode_mapping_of(const struct pprof_decoder *d, struct str location)
{
    struct wire_reader r = wire_reader_of(location);
    struct wire_field part;
    const struct id *id = NULL;
    while (d->mappings.count && wire_next(&r, &part)) {
        if (part.number_of == LOCATION_MAPPING_ID)
            id = decode_ids_find(&d->mappings, part.number);
    }
    return id;
}

/* Number + 1 of the place with the lines at hand; 0 where there is nothing to keep. SYMBOLS_FULL. */
static uint32_t decode_place(struct pprof_decoder *d, const struct id *mapping, uint64_t address, bool folded)
{
    const struct kept_mapping none = {0};
    const struct kept_mapping *kept = mapping ? &d->kept[mapping - d->mappings.items] : &none;
    const bool plain = d->line_count == 1 && d->line_list[0].column == 0;
    if (plain && address == 0 && kept->number == 0 && !folded)
        return 0;
    const struct pprof_place place = {.address = address,
                                      .mapping = kept->number,
                                      .folded = folded,
                                      .count = (uint32_t)d->line_count,
                                      .lines = d->line_list};
    const uint32_t n = symbols_place(d->symbols, place);
    return n == SYMBOLS_FULL ? n : n + 1;
}

/* A frame for each of the lines at hand. */
static int decode_push_frames(struct pprof_decoder *d, uint64_t address, uint32_t place)
{
    for (size_t i = 0; i < d->line_count || i == 0; i++) {
        const struct pprof_line nowhere = {.function = d->line_count ? 0 : symbols_address(d->symbols, address)};
        const struct pprof_line *line = d->line_count ? &d->line_list[i] : &nowhere;
        const uint32_t l = symbols_location(
            d->symbols, (struct pprof_location){.function = line->function, .line = line->line, .place = place});
        if (l == SYMBOLS_FULL)
            return decode_full(d);
        decode_push(&d->lines, l);
    }
    return 0;
}

static int decode_take_location(struct pprof_decoder *d, const struct wire_field *f)
{
    struct wire_reader r = wire_reader_of(f->bytes);
    struct wire_field part;
    struct id id = {.first = (uint32_t)d->lines.count};
    uint64_t address = 0;
    bool folded = false;
    const struct id *mapping = decode_mapping_of(d, f->bytes);
    d->mapping = mapping && !d->symbols->keeps_places ? mapping->first : 0;
    d->line_count = 0;
    while (f->type == WIRE_BYTES && wire_next(&r, &part)) {
        int code = 0;
        if (part.number_of == LOCATION_ID)
            id.foreign = part.number;
        else if (part.number_of == LOCATION_ADDRESS)
            address = part.number;
        else if (part.number_of == LOCATION_IS_FOLDED)
            folded = part.number;
        else if (part.number_of == LOCATION_LINE)
            code = decode_take_line(d, &part);
        if (code < 0)
            return code;
    }
    if (r.bad || id.foreign == 0)
        return decode_damaged(d, "invalid location");
    uint32_t place = 0;
    if (d->symbols->keeps_places) {
        address += mapping && address ? d->kept[mapping - d->mappings.items].moved : 0;
        place = decode_place(d, mapping, address, folded);
    }
    int code = decode_push_frames(d, address, place);
    if (code < 0)
        return code;
    id.count = (uint32_t)d->lines.count - id.first;
    return decode_ids_add(&d->locations, id) ? 0 : decode_full(d);
}

/* Calls `take` for every number of a repeated field, packed or not. */
static int decode_each_number(struct pprof_decoder *d, const struct wire_field *f,
                              int (*take)(struct pprof_decoder *d, uint64_t v, void *arg), void *arg)
{
    if (f->type == WIRE_VARINT)
        return take(d, f->number, arg);
    if (f->type != WIRE_BYTES)
        return decode_damaged(d, "malformed number");
    struct wire_reader r = wire_reader_of(f->bytes);
    uint64_t v;
    while (wire_next_packed(&r, &v)) {
        int code = take(d, v, arg);
        if (code < 0)
            return code;
    }
    return r.bad ? decode_damaged(d, "truncated packed field") : 0;
}

static int decode_take_frame(struct pprof_decoder *d, uint64_t location, void *arg)
{
    (void)arg;
    const struct id *id = decode_ids_find(&d->locations, location);
    if (!id)
        return decode_damaged(d, "sample with an unknown location");
    d->frames += id->count;
    if (d->frames / FRAMES_PER_BYTE > d->bytes.n)
        return decode_damaged(d, "too many frames");
    for (uint32_t i = 0; i < id->count; i++)
        decode_push(&d->stack, d->lines.items[id->first + i]);
    return 0;
}

struct values {
    int64_t v[PROFILE_TYPES_MAX];
    size_t count;
};

static int decode_take_value(struct pprof_decoder *d, uint64_t v, void *arg)
{
    struct values *values = arg;
    if (values->count == d->profile->type_count)
        return decode_damaged(d, "sample with more values than types");
    values->v[values->count++] = (int64_t)v;
    return 0;
}

static int decode_read_label(struct pprof_decoder *d, const struct wire_field *f, struct pprof_label *ret)
{
    struct wire_reader r = wire_reader_of(f->bytes);
    struct wire_field part;
    bool fine = f->type == WIRE_BYTES;
    *ret = (struct pprof_label){0};
    while (fine && wire_next(&r, &part)) {
        switch (part.number_of) {
        case LABEL_KEY:
            fine = decode_string_at(d, part.number, &ret->key);
            break;
        case LABEL_STR:
            fine = decode_string_at(d, part.number, &ret->str);
            break;
        case LABEL_NUM:
            ret->num = (int64_t)part.number;
            break;
        case LABEL_NUM_UNIT:
            fine = decode_string_at(d, part.number, &ret->unit);
            break;
        }
    }
    return fine && !r.bad ? 0 : decode_damaged(d, "invalid label");
}

static int decode_take_sample(struct pprof_decoder *d, const struct wire_field *f)
{
    struct wire_reader r = wire_reader_of(f->bytes);
    struct wire_field part;
    struct values values = {0};
    struct pprof_label labels[LABELS_MAX];
    size_t label_count = 0;
    int code = f->type == WIRE_BYTES ? 0 : decode_damaged(d, "malformed sample");
    d->stack.count = 0;
    while (code == 0 && wire_next(&r, &part)) {
        if (part.number_of == SAMPLE_LOCATION_ID)
            code = decode_each_number(d, &part, decode_take_frame, NULL);
        else if (part.number_of == SAMPLE_VALUE)
            code = decode_each_number(d, &part, decode_take_value, &values);
        else if (part.number_of == SAMPLE_LABEL && label_count < LABELS_MAX)
            code = decode_read_label(d, &part, &labels[label_count++]);
    }
    if (code < 0)
        return code;
    if (r.bad || values.count != d->profile->type_count)
        return decode_damaged(d, "invalid sample");
    uint32_t stack = symbols_stack(d->symbols, d->stack.items, d->stack.count);
    uint32_t set = symbols_labels(d->symbols, labels, label_count);
    return profile_add(d->profile, stack, set, values.v) ? 0 : decode_full(d);
}

static int decode_read_value_type(struct pprof_decoder *d, const struct wire_field *f, struct pprof_value_type *ret)
{
    struct wire_reader r = wire_reader_of(f->bytes);
    struct wire_field part;
    bool fine = f->type == WIRE_BYTES;
    *ret = (struct pprof_value_type){0};
    while (fine && wire_next(&r, &part)) {
        if (part.number_of == VALUE_TYPE_TYPE)
            fine = decode_string_at(d, part.number, &ret->type);
        else if (part.number_of == VALUE_TYPE_UNIT)
            fine = decode_string_at(d, part.number, &ret->unit);
    }
    return fine && !r.bad ? 0 : decode_damaged(d, "invalid value type");
}

static int decode_take_type(struct pprof_decoder *d, const struct wire_field *f)
{
    struct profile *p = d->profile;
    if (p->type_count == PROFILE_TYPES_MAX)
        return decode_damaged(d, "too many sample types");
    int code = decode_read_value_type(d, f, &p->types[p->type_count]);
    p->type_count += code == 0;
    return code;
}

/* Strings of the head, by number; one that names nothing is none. */
static void decode_take_text(struct pprof_decoder *d, const struct wire_field *f)
{
    struct profile *p = d->profile;
    uint32_t *const fields[] = {[PROFILE_DROP_FRAMES] = &p->drop_frames,
                                [PROFILE_KEEP_FRAMES] = &p->keep_frames,
                                [PROFILE_DEFAULT_TYPE] = &p->default_type,
                                [PROFILE_DOC_URL] = &p->doc_url};
    if (f->number_of < ARRAY_LEN(fields) && fields[f->number_of])
        (void)decode_string_at(d, f->number, fields[f->number_of]);
}

static int decode_take_comment(struct pprof_decoder *d, uint64_t v, void *arg)
{
    uint32_t string;
    (void)arg;
    if (!decode_string_at(d, v, &string))
        return 0;
    return profile_add_comment(d->profile, string) ? 0 : decode_full(d);
}

static int decode_read_scalars(struct pprof_decoder *d)
{
    struct wire_reader r = wire_reader_of(d->bytes);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of == PROFILE_TIME_NANOS)
            d->profile->time_nanos = (int64_t)f.number;
        else if (f.number_of == PROFILE_DURATION_NANOS)
            d->profile->duration_nanos = (int64_t)f.number;
        else if (f.number_of == PROFILE_PERIOD)
            d->profile->period = (int64_t)f.number;
        else if (f.number_of == PROFILE_PERIOD_TYPE && decode_read_value_type(d, &f, &d->profile->period_type) < 0)
            return -EBADMSG;
        decode_take_text(d, &f);
        const int code = f.number_of == PROFILE_COMMENT ? decode_each_number(d, &f, decode_take_comment, NULL) : 0;
        if (code < 0)
            return code;
    }
    return r.bad ? decode_damaged(d, "truncated or malformed") : 0;
}

/* Definitions may come in any order, so that each kind takes a walk of its own. */
static int decode_plain(struct pprof_decoder *d)
{
    int code = decode_each(d, PROFILE_STRING_TABLE, decode_take_string);
    if (code == 0)
        code = decode_each(d, PROFILE_MAPPING, decode_take_mapping);
    if (code == 0)
        code = decode_each(d, PROFILE_FUNCTION, decode_take_function);
    if (code == 0)
        code = decode_each(d, PROFILE_LOCATION, decode_take_location);
    if (code == 0)
        code = decode_each(d, PROFILE_SAMPLE_TYPE, decode_take_type);
    if (code == 0)
        code = decode_read_scalars(d);
    if (code == 0 && d->profile->type_count == 0)
        code = decode_damaged(d, "no sample type");
    if (code == 0)
        code = decode_each(d, PROFILE_SAMPLE, decode_take_sample);
    return code;
}

int pprof_decode(const void *bytes, size_t len, size_t max, struct symbols *symbols, struct profile *ret,
                 struct err *err)
{
    cleanup_buf struct buf plain = BUF_INIT(max);
    struct str in = {bytes, len};
    if (gzip_is(in)) {
        int code = gzip_inflate(in, &plain, err);
        if (code < 0)
            return err_wrap(err, code, "pprof");
        in = buf_slice(&plain);
    }
    if (in.n > max)
        return err_set(err, -EMSGSIZE, "pprof: more than %zu bytes", max);
    cleanup_profile struct profile p;
    profile_init(&p, symbols);
    struct pprof_decoder d = {.bytes = in, .symbols = symbols, .profile = &p, .err = err};
    int code = decode_plain(&d);
    free(d.strings.items);
    free(d.mappings.items);
    hash_index_done(&d.mappings.index);
    free(d.functions.items);
    hash_index_done(&d.functions.index);
    free(d.locations.items);
    hash_index_done(&d.locations.index);
    free(d.lines.items);
    free(d.kept);
    free(d.line_list);
    free(d.stack.items);
    if (code < 0)
        return code;
    *ret = p;
    p = (struct profile){0};
    return 0;
}
