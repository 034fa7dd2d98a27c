#include "pyroscope/otlp_body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/wire.h"
#include "pprof/encode.h"
#include "pyroscope/ingest_body.h"
#include "pyroscope/otlp_messages.h"
#include "pyroscope/proto_json_read.h"
#include "pyroscope/push_message.h"

enum {
    OTLP_SYMBOLS_MAX = 64 << 20,
    OTLP_TABLE_MAX = 1 << 20,
    OTLP_STACK_MAX = 4096,
    OTLP_FRAMES_MAX = 4 << 20,   /* of all locations */
    OTLP_LABELS_MAX = 64,        /* of a series */
    OTLP_SAMPLE_LABELS_MAX = 32, /* of a sample */
    OTLP_TEXT_MAX = 4096,
    TRACE_ID_BYTES = 16,
    SPAN_ID_BYTES = 8,
};

/* A table of the dictionary: each entry as its bytes. */
struct otlp_entries {
    struct str *items; /* owned */
    size_t len, cap;
};

/* A request as it is read. Entries are looked up by number; one that is not there is as empty as entry 0. */
struct otlp_request {
    struct otlp_body how;
    struct otlp_entries tables[OTLP_TABLES];
    struct symbols symbols;
    uint32_t *known; /* by entry of the location table: where its frames begin in `frames`, + 1; 0 = not read yet */
    uint32_t *known_stacks; /* by entry of the stack table: number + 1 */
    uint32_t *frames;       /* their number, then locations, innermost first; owned */
    size_t frame_len, frame_cap;
    struct label labels[OTLP_LABELS_MAX];
    size_t label_count;
    bool full; /* of frames */
    struct buf *out;
};

/* ---- the dictionary ---- */

static struct str otlp_entry(const struct otlp_request *rq, enum otlp_dictionary_table table, uint64_t i)
{
    const struct otlp_entries *t = &rq->tables[table];
    return i < t->len ? t->items[i] : STR("");
}

static struct str otlp_name(const struct otlp_request *rq, uint64_t i)
{
    return otlp_entry(rq, OTLP_STRINGS, i);
}

static int otlp_read_dictionary(struct otlp_request *rq, struct str message, struct err *err)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.type != WIRE_BYTES || f.number_of == 0 || f.number_of >= OTLP_TABLES)
            continue;
        struct otlp_entries *t = &rq->tables[f.number_of];
        if (t->len == OTLP_TABLE_MAX)
            return err_set(err, -E2BIG, "a table of the dictionary has more than %d entries", OTLP_TABLE_MAX);
        xgrow(&t->items, &t->cap, t->len + 1, sizeof *t->items);
        t->items[t->len++] = f.bytes;
    }
    rq->known = xcalloc(rq->tables[OTLP_LOCATIONS].len + 1, sizeof *rq->known);
    rq->known_stacks = xcalloc(rq->tables[OTLP_STACKS].len + 1, sizeof *rq->known_stacks);
    return r.bad ? err_set(err, -EINVAL, "the dictionary is cut off") : 0;
}

/* Numbers come packed, or each in a field of its own. Calls `visit` for each; a fixed64 is 8 bytes. */
static void otlp_each_number(const struct wire_field *f, bool fixed, void (*visit)(void *arg, uint64_t n), void *arg)
{
    uint64_t n;
    if (f->type != WIRE_BYTES) {
        visit(arg, f->number);
        return;
    }
    if (fixed) {
        for (size_t i = 0; i + sizeof n <= f->bytes.n; i += sizeof n) {
            memcpy(&n, f->bytes.p + i, sizeof n);
            visit(arg, n);
        }
        return;
    }
    struct wire_reader r = wire_reader_of(f->bytes);
    while (wire_next_packed(&r, &n))
        visit(arg, n);
}

/* The number in the last field of that number; 0 = none. */
static uint64_t otlp_number_in(struct str message, uint32_t field)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    uint64_t n = 0;
    while (wire_next(&r, &f))
        if (f.number_of == field && f.type != WIRE_BYTES)
            n = f.number;
    return n;
}

static struct str otlp_bytes_in(struct str message, uint32_t field)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    struct str bytes = STR("");
    while (wire_next(&r, &f))
        if (f.number_of == field && f.type == WIRE_BYTES)
            bytes = f.bytes;
    return bytes;
}

/* ---- frames ---- */

static uint32_t otlp_function(struct otlp_request *rq, uint64_t i, uint32_t mapping)
{
    struct wire_reader r = wire_reader_of(otlp_entry(rq, OTLP_FUNCTIONS, i));
    struct wire_field f;
    uint64_t name = 0, system_name = 0, file = 0, start = 0;
    while (wire_next(&r, &f)) {
        if (f.number_of == OTLP_OF_FUNCTION_NAME)
            name = f.number;
        else if (f.number_of == OTLP_OF_FUNCTION_SYSTEM_NAME)
            system_name = f.number;
        else if (f.number_of == OTLP_OF_FUNCTION_FILE)
            file = f.number;
        else if (f.number_of == OTLP_OF_FUNCTION_START)
            start = f.number;
    }
    const struct str shown = otlp_name(rq, name).n ? otlp_name(rq, name) : otlp_name(rq, system_name);
    const struct str linked = otlp_name(rq, system_name).n ? otlp_name(rq, system_name) : shown;
    return symbols_function(&rq->symbols,
                            (struct pprof_function){.name = symbols_string(&rq->symbols, shown.n ? shown : STR("?")),
                                                    .system_name = symbols_string(&rq->symbols, linked),
                                                    .filename = symbols_string(&rq->symbols, otlp_name(rq, file)),
                                                    .mapping = mapping,
                                                    .start_line = start <= INT32_MAX ? (int32_t)start : 0});
}

static void otlp_put_frame(struct otlp_request *rq, uint32_t function, uint64_t line)
{
    const struct pprof_location l = {.function = function, .line = line <= INT32_MAX ? (int32_t)line : 0};
    rq->full = rq->full || rq->frame_len == OTLP_FRAMES_MAX;
    if (rq->full)
        return;
    xgrow(&rq->frames, &rq->frame_cap, rq->frame_len + 1, sizeof *rq->frames);
    rq->frames[rq->frame_len++] = function == SYMBOLS_FULL ? SYMBOLS_FULL : symbols_location(&rq->symbols, l);
}

static struct str otlp_base_name(struct str path)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    return slash ? (struct str){slash + 1, path.n - (size_t)(slash + 1 - path.p)} : path;
}

/* Nobody has symbolised it: "libfoo.so+0x1234". */
static void otlp_put_address(struct otlp_request *rq, struct str file, uint64_t address, uint32_t mapping)
{
    char text[OTLP_TEXT_MAX];
    const struct str base = otlp_base_name(file);
    const int n = snprintf(text, sizeof text, "%.*s%s0x%llx", (int)(base.n < 1024 ? base.n : 1024), base.p,
                           base.n ? "+" : "", (unsigned long long)address);
    const uint32_t name = symbols_string(&rq->symbols, (struct str){text, (size_t)n});
    otlp_put_frame(
        rq,
        symbols_function(&rq->symbols, (struct pprof_function){.name = name, .system_name = name, .mapping = mapping}),
        0);
}

/* Its frames, read once; their number comes first. */
static const uint32_t no_frames = 0;

static const uint32_t *otlp_location(struct otlp_request *rq, uint64_t i)
{
    const size_t slot = i < rq->tables[OTLP_LOCATIONS].len ? (size_t)i : rq->tables[OTLP_LOCATIONS].len;
    if (rq->known[slot])
        return &rq->frames[rq->known[slot] - 1];
    if (rq->full)
        return &no_frames;
    const struct str message = otlp_entry(rq, OTLP_LOCATIONS, i);
    const struct str file =
        otlp_name(rq, otlp_number_in(otlp_entry(rq, OTLP_MAPPINGS, otlp_number_in(message, OTLP_OF_LOCATION_MAPPING)),
                                     OTLP_OF_MAPPING_FILE));
    const uint32_t mapping = symbols_string(&rq->symbols, otlp_base_name(file));
    const size_t first = rq->frame_len;
    xgrow(&rq->frames, &rq->frame_cap, rq->frame_len + 1, sizeof *rq->frames);
    rq->frames[rq->frame_len++] = 0;
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f) && rq->frame_len - first <= OTLP_STACK_MAX)
        if (f.number_of == OTLP_OF_LOCATION_LINES && f.type == WIRE_BYTES)
            otlp_put_frame(rq, otlp_function(rq, otlp_number_in(f.bytes, OTLP_OF_LINE_FUNCTION), mapping),
                           otlp_number_in(f.bytes, OTLP_OF_LINE_LINE));
    if (rq->frame_len == first + 1)
        otlp_put_address(rq, file, otlp_number_in(message, OTLP_OF_LOCATION_ADDRESS), mapping);
    rq->frames[first] = (uint32_t)(rq->frame_len - first - 1);
    rq->known[slot] = (uint32_t)first + 1;
    return &rq->frames[first];
}

struct otlp_stack {
    struct otlp_request *rq;
    uint32_t locations[OTLP_STACK_MAX];
    size_t len;
};

static void otlp_stack_add(void *arg, uint64_t i)
{
    struct otlp_stack *s = arg;
    const uint32_t *frames = otlp_location(s->rq, i);
    for (uint32_t k = 0; k < frames[0] && s->len < OTLP_STACK_MAX; k++)
        s->locations[s->len++] = frames[1 + k];
}

/* Leaf first there, too. A sample without frames has one that says so. */
static uint32_t otlp_stack(struct otlp_request *rq, uint64_t i)
{
    const size_t slot = i < rq->tables[OTLP_STACKS].len ? (size_t)i : rq->tables[OTLP_STACKS].len;
    if (rq->known_stacks[slot])
        return rq->known_stacks[slot] - 1;
    struct otlp_stack s = {.rq = rq};
    struct wire_reader r = wire_reader_of(otlp_entry(rq, OTLP_STACKS, i));
    struct wire_field f;
    while (wire_next(&r, &f))
        if (f.number_of == OTLP_STACK_LOCATIONS)
            otlp_each_number(&f, false, otlp_stack_add, &s);
    if (s.len == 0)
        s.locations[s.len++] =
            symbols_location(&rq->symbols, (struct pprof_location){.function = otlp_function(rq, 0, 0)});
    const uint32_t stack = symbols_stack(&rq->symbols, s.locations, s.len);
    rq->known_stacks[slot] = stack == SYMBOLS_FULL ? 0 : stack + 1;
    return stack;
}

/* ---- labels ---- */

/* As Prometheus has them: "k8s.pod.name" is k8s_pod_name. */
static size_t otlp_label_name(struct str key, char ret[OTLP_TEXT_MAX])
{
    size_t n = 0;
    if (key.n && key.p[0] >= '0' && key.p[0] <= '9')
        ret[n++] = '_';
    for (size_t i = 0; i < key.n && n + 1 < OTLP_TEXT_MAX; i++) {
        const char c = key.p[i];
        const bool fit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        ret[n++] = fit ? c : '_';
    }
    return n;
}

/* Text, and integers as their digits; "" = neither. */
static struct str otlp_value_text(const struct otlp_request *rq, struct str any, bool numbers, char room[32])
{
    struct wire_reader r = wire_reader_of(any);
    struct wire_field f;
    struct str text = STR("");
    while (wire_next(&r, &f)) {
        if (f.number_of == OTLP_ANY_TEXT && f.type == WIRE_BYTES)
            text = f.bytes;
        else if (f.number_of == OTLP_ANY_TEXT_INDEX && f.type == WIRE_VARINT)
            text = otlp_name(rq, f.number);
        else if (numbers && f.number_of == OTLP_ANY_INT && f.type == WIRE_VARINT)
            text = (struct str){room, (size_t)snprintf(room, 32, "%lld", (long long)f.number)};
    }
    return text;
}

static struct str otlp_keep_text(struct otlp_request *rq, const char *p, size_t n)
{
    const uint32_t string = symbols_string(&rq->symbols, (struct str){p, n});
    return string == SYMBOLS_FULL ? STR("") : rq->symbols.strings[string];
}

static void otlp_put_label(struct otlp_request *rq, struct str name, struct str value)
{
    for (size_t i = 0; i < rq->label_count; i++) {
        if (str_eq(rq->labels[i].name, name)) {
            rq->labels[i].value = value;
            return;
        }
    }
    if (rq->label_count < OTLP_LABELS_MAX && name.n && value.n)
        rq->labels[rq->label_count++] = (struct label){name, value};
}

/* Attributes in field `field` of a resource or a scope. */
static void otlp_take_attributes(struct otlp_request *rq, struct str message, uint32_t field)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    char name[OTLP_TEXT_MAX], digits[32];
    while (wire_next(&r, &f)) {
        if (f.number_of != field || f.type != WIRE_BYTES)
            continue;
        const struct str value = otlp_value_text(rq, otlp_bytes_in(f.bytes, OTLP_KEY_VALUE_VALUE), true, digits);
        const struct str key = otlp_bytes_in(f.bytes, OTLP_KEY_VALUE_KEY);
        const size_t n =
            otlp_label_name(key.n ? key : otlp_name(rq, otlp_number_in(f.bytes, OTLP_KEY_VALUE_KEY_INDEX)), name);
        otlp_put_label(rq, otlp_keep_text(rq, name, n),
                       value.p == digits ? otlp_keep_text(rq, digits, value.n) : value);
    }
}

static struct str otlp_label(const struct otlp_request *rq, struct str name)
{
    for (size_t i = 0; i < rq->label_count; i++)
        if (str_eq(rq->labels[i].name, name))
            return rq->labels[i].value;
    return STR("");
}

static void otlp_put_service(struct otlp_request *rq)
{
    const struct str program = otlp_base_name(otlp_label(rq, STR("process_executable_name")));
    char text[OTLP_TEXT_MAX];
    if (otlp_label(rq, STR("service_name")).n)
        return;
    const int n = snprintf(text, sizeof text, "unknown_service%s%.*s", program.n ? ":" : "",
                           (int)(program.n < 1024 ? program.n : 1024), program.p);
    otlp_put_label(rq, STR("service_name"), otlp_keep_text(rq, text, (size_t)n));
}

/* ---- samples ---- */

struct otlp_sample {
    struct otlp_request *rq;
    struct pprof_label labels[OTLP_SAMPLE_LABELS_MAX + 2];
    size_t label_count;
    uint64_t value; /* wraps: only made-up values get there */
    bool valued;
    uint64_t times;
};

static void otlp_sample_put(struct otlp_sample *s, const char *name, size_t n, struct str value)
{
    if (n == 0 || value.n == 0 || s->label_count == ARRAY_LEN(s->labels))
        return;
    s->labels[s->label_count++] = (struct pprof_label){.key = symbols_string(&s->rq->symbols, (struct str){name, n}),
                                                       .str = symbols_string(&s->rq->symbols, value)};
}

static void otlp_sample_attribute(void *arg, uint64_t i)
{
    struct otlp_sample *s = arg;
    const struct str message = otlp_entry(s->rq, OTLP_ATTRIBUTES, i);
    char name[OTLP_TEXT_MAX], digits[32];
    const size_t n = otlp_label_name(otlp_name(s->rq, otlp_number_in(message, OTLP_ATTRIBUTE_KEY)), name);
    if (s->label_count < OTLP_SAMPLE_LABELS_MAX)
        otlp_sample_put(s, name, n,
                        otlp_value_text(s->rq, otlp_bytes_in(message, OTLP_ATTRIBUTE_VALUE), false, digits));
}

/* Bytes, or in JSON hexadecimal digits; others, and only zeros, are no ID. */
static void otlp_sample_id(struct otlp_sample *s, struct str id, size_t bytes, const char *name)
{
    char text[2 * TRACE_ID_BYTES + 1] = "";
    for (size_t i = 0; id.n == bytes && i < bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)id.p[i]);
    for (size_t i = 0; id.n == 2 * bytes && i < id.n; i++)
        text[i] = (char)(id.p[i] >= 'A' && id.p[i] <= 'F' ? id.p[i] - 'A' + 'a' : id.p[i]);
    if (strspn(text, "0123456789abcdef") == 2 * bytes && strspn(text, "0") != 2 * bytes)
        otlp_sample_put(s, name, strlen(name), (struct str){text, 2 * bytes});
}

static void otlp_sample_link(struct otlp_sample *s, uint64_t i)
{
    const struct str link = otlp_entry(s->rq, OTLP_LINKS, i);
    otlp_sample_id(s, otlp_bytes_in(link, OTLP_LINK_SPAN), SPAN_ID_BYTES, "span_id");
    otlp_sample_id(s, otlp_bytes_in(link, OTLP_LINK_TRACE), TRACE_ID_BYTES, "trace_id");
}

static void otlp_sample_value(void *arg, uint64_t n)
{
    struct otlp_sample *s = arg;
    s->value += n;
    s->valued = true;
}

static void otlp_sample_time(void *arg, uint64_t n)
{
    struct otlp_sample *s = arg;
    (void)n;
    s->times++;
}

/* A sample without values counts its times. */
static int otlp_add_sample(struct otlp_request *rq, struct profile *p, struct str message, int64_t factor,
                           struct err *err)
{
    struct otlp_sample s = {.rq = rq};
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    uint64_t stack = 0;
    while (wire_next(&r, &f)) {
        if (f.number_of == OTLP_OF_SAMPLE_STACK)
            stack = f.number;
        else if (f.number_of == OTLP_OF_SAMPLE_ATTRIBUTES)
            otlp_each_number(&f, false, otlp_sample_attribute, &s);
        else if (f.number_of == OTLP_OF_SAMPLE_LINK)
            otlp_sample_link(&s, f.number);
        else if (f.number_of == OTLP_OF_SAMPLE_VALUES)
            otlp_each_number(&f, false, otlp_sample_value, &s);
        else if (f.number_of == OTLP_OF_SAMPLE_TIMES)
            otlp_each_number(&f, true, otlp_sample_time, &s);
    }
    if (r.bad)
        return err_set(err, -EINVAL, "a sample is cut off");
    int64_t value = (int64_t)(s.valued ? s.value : s.times);
    if (value <= 0)
        return 0;
    if (__builtin_mul_overflow(value, factor, &value))
        return err_set(err, -EINVAL, "a value is too large");
    const uint32_t frames = otlp_stack(rq, stack);
    const uint32_t labels = symbols_labels(&rq->symbols, s.labels, s.label_count);
    return profile_add(p, frames, labels, &value) ? 0 : err_set(err, -E2BIG, "too many different stacks");
}

/* ---- profiles ---- */

struct otlp_type {
    struct str type, unit;
};

static struct otlp_type otlp_type_of(const struct otlp_request *rq, struct str message)
{
    return (struct otlp_type){otlp_name(rq, otlp_number_in(message, OTLP_VALUE_TYPE)),
                              otlp_name(rq, otlp_number_in(message, OTLP_VALUE_UNIT))};
}

/* Times that come as fixed64 in protobuf, and as integers from JSON. */
static int otlp_read_profile(struct otlp_request *rq, struct str message, struct profile *p, struct str *name,
                             struct err *err)
{
    struct otlp_type type = otlp_type_of(rq, otlp_bytes_in(message, OTLP_PROFILE_TYPE));
    const struct otlp_type period = otlp_type_of(rq, otlp_bytes_in(message, OTLP_PROFILE_PERIOD_TYPE));
    const uint64_t duration = otlp_number_in(message, OTLP_PROFILE_DURATION);
    const int64_t time = (int64_t)otlp_number_in(message, OTLP_PROFILE_TIME);
    int64_t every = (int64_t)otlp_number_in(message, OTLP_PROFILE_PERIOD), factor = 1;
    *name = period.type.n ? period.type : type.type;
    if (str_is(type.type, "samples") && str_is(type.unit, "count") && str_is(period.type, "cpu") &&
        str_is(period.unit, "nanoseconds")) {
        factor = every > 0 ? every : 1;
        type = period;
        *name = STR("process_cpu");
    } else if (str_is(type.type, "off_cpu")) {
        *name = type.type;
    }
    if (type.type.n == 0)
        return err_set(err, -EINVAL, "a profile without sample type");
    if (!profile_add_type(p, type.type, type.unit))
        return err_set(err, -E2BIG, "too many names");
    p->period_type.type = symbols_string(&rq->symbols, period.type);
    p->period_type.unit = symbols_string(&rq->symbols, period.unit);
    p->period = every > 0 ? every : 0;
    p->time_nanos = time > 0 ? time : rq->how.now_ns;
    p->duration_nanos = duration <= INT64_MAX ? (int64_t)duration : 0;
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    int code = 0;
    while (code == 0 && wire_next(&r, &f))
        if (f.number_of == OTLP_PROFILE_SAMPLES && f.type == WIRE_BYTES)
            code = otlp_add_sample(rq, p, f.bytes, factor, err);
    return code == 0 && r.bad ? err_set(err, -EINVAL, "a profile is cut off") : code;
}

static int otlp_take_profile(struct otlp_request *rq, struct str message, struct err *err)
{
    struct profile p;
    struct str name;
    cleanup_buf struct buf pprof = BUF_INIT(rq->out->max);
    profile_init(&p, &rq->symbols);
    int code = otlp_read_profile(rq, message, &p, &name, err);
    if (code == 0 && p.sample_count) {
        pprof_encode(&p, &pprof);
        if (!buf_ok(&pprof))
            code = err_set(err, -E2BIG, "too many different stacks");
    }
    if (code == 0 && pprof.len) {
        struct label labels[OTLP_LABELS_MAX + 3];
        memcpy(labels, rq->labels, rq->label_count * sizeof *labels);
        size_t n = rq->label_count;
        labels[n++] = (struct label){STR("__name__"), name};
        labels[n++] = (struct label){STR("__otel__"), STR("true")};
        labels[n++] = (struct label){STR("__delta__"), STR("false")};
        const struct str bytes = buf_slice(&pprof);
        push_message_head(rq->out, &(struct series){labels, n, &bytes, 1, NULL}, 0);
        buf_str(rq->out, bytes);
    }
    profile_done(&p);
    return code;
}

static int otlp_take_scope(struct otlp_request *rq, struct str message, struct err *err)
{
    const size_t outer = rq->label_count;
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    int code = 0;
    otlp_take_attributes(rq, otlp_bytes_in(message, OTLP_SCOPES_SCOPE), OTLP_OF_SCOPE_ATTRIBUTES);
    otlp_put_service(rq);
    while (code == 0 && wire_next(&r, &f))
        if (f.number_of == OTLP_SCOPES_PROFILES && f.type == WIRE_BYTES)
            code = otlp_take_profile(rq, f.bytes, err);
    rq->label_count = outer;
    return code;
}

static int otlp_take_resource(struct otlp_request *rq, struct str message, struct err *err)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    int code = 0;
    while (code == 0 && wire_next(&r, &f)) {
        if (f.number_of != OTLP_RESOURCES_SCOPES || f.type != WIRE_BYTES)
            continue;
        rq->label_count = 0; /* a scope may have replaced some */
        otlp_take_attributes(rq, otlp_bytes_in(message, OTLP_RESOURCES_RESOURCE), OTLP_OF_RESOURCE_ATTRIBUTES);
        code = otlp_take_scope(rq, f.bytes, err);
    }
    return code;
}

static int otlp_convert(struct otlp_request *rq, struct str message, struct err *err)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    bool dictionary = false, resources = false;
    int code = 0;
    while (code == 0 && wire_next(&r, &f)) {
        resources = resources || f.number_of == OTLP_REQUEST_RESOURCES;
        if (f.number_of != OTLP_REQUEST_DICTIONARY || f.type != WIRE_BYTES || dictionary)
            continue;
        dictionary = true;
        code = otlp_read_dictionary(rq, f.bytes, err);
    }
    if (code == 0 && r.bad)
        return err_set(err, -EINVAL, "the request is cut off");
    if (code == 0 && !dictionary)
        return err_set(err, -EINVAL, "missing profile metadata dictionary");
    if (code == 0 && !resources)
        return err_set(err, -EINVAL, "missing resource profiles");
    r = wire_reader_of(message);
    while (code == 0 && wire_next(&r, &f))
        if (f.number_of == OTLP_REQUEST_RESOURCES && f.type == WIRE_BYTES)
            code = otlp_take_resource(rq, f.bytes, err);
    if (code == 0 && (rq->full || !buf_ok(rq->out)))
        return err_set(err, -E2BIG, "the profiles are too large");
    return code;
}

/* ---- the service ---- */

static void otlp_request_free(struct otlp_request *rq)
{
    for (size_t i = 0; i < OTLP_TABLES; i++)
        free(rq->tables[i].items);
    symbols_done(&rq->symbols);
    free(rq->known_stacks);
    free(rq->known);
    free(rq->frames);
    free(rq);
}

static int otlp_body_serve(const struct parser_item *items, size_t n, struct buf *out, struct err *err)
{
    struct otlp_body how;
    cleanup_buf struct buf plain = BUF_INIT(INGEST_INFLATED_MAX), message = BUF_INIT(INGEST_INFLATED_MAX);
    if (n != 1 || items->head.n != sizeof how)
        return err_set(err, -EINVAL, "invalid request");
    memcpy(&how, items->head.p, sizeof how);
    struct str body = items->bytes;
    int code = how.gzip ? gzip_inflate(body, &plain, err) : 0;
    if (code == 0 && how.gzip)
        body = buf_slice(&plain);
    if (code == 0 && how.json) {
        code = proto_json_read(&otlp_request_message, body, &message, err);
        body = buf_slice(&message);
    }
    if (code < 0)
        return code;
    struct otlp_request *rq = xcalloc(1, sizeof *rq);
    rq->how = how;
    rq->out = out;
    symbols_init(&rq->symbols, OTLP_SYMBOLS_MAX);
    code = otlp_convert(rq, body, err);
    otlp_request_free(rq);
    return code;
}

const struct parser_service otlp_body_service = {"otlp.body", otlp_body_serve};
