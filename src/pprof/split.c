#include "pprof/split.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/wire.h"
#include "pprof/proto_fields.h"

enum { PLAIN_MAX = 64 << 20, GZIP_LEVEL = 1, GZIP_SLACK = 4096 };

/* What is used of a numbered kind of thing. Numbers beyond, which no real profile has, always are. */
struct split_marks {
    uint8_t *used;
    size_t n;
};

struct split {
    struct str plain;
    struct str *samples; /* whole fields */
    size_t sample_count, sample_cap;
    size_t location_count, function_count, string_count;
    int64_t time_nanos;
    struct split_marks locations, functions, strings;
};

static void split_mark(struct split_marks *m, uint64_t id)
{
    if (id < m->n)
        m->used[id] = 1;
}

static bool split_is_used(const struct split_marks *m, uint64_t id)
{
    return id >= m->n || m->used[id];
}

static void split_done(struct split *s)
{
    free(s->samples);
    free(s->locations.used);
    free(s->functions.used);
    free(s->strings.used);
}

/* --- what is there --- */

/* A location of a profile with ids in sequence is below twice their number. */
static struct split_marks split_marks_new(size_t count)
{
    const size_t n = 2 * count + 1024;
    return (struct split_marks){xcalloc(n, 1), n};
}

static int split_index(struct split *s, struct err *err)
{
    struct wire_reader r = wire_reader_of(s->plain);
    struct wire_field f;
    const uint8_t *start = r.p;
    for (; wire_next(&r, &f); start = r.p) {
        if (f.number_of == PROFILE_SAMPLE && f.type == WIRE_BYTES) {
            xgrow(&s->samples, &s->sample_cap, s->sample_count + 1, sizeof *s->samples);
            s->samples[s->sample_count++] = (struct str){(const char *)start, (size_t)(r.p - start)};
        }
        s->location_count += f.number_of == PROFILE_LOCATION;
        s->function_count += f.number_of == PROFILE_FUNCTION;
        s->string_count += f.number_of == PROFILE_STRING_TABLE;
        if (f.number_of == PROFILE_TIME_NANOS && f.type == WIRE_VARINT)
            s->time_nanos = (int64_t)f.number;
    }
    if (r.bad)
        return err_set(err, -EBADMSG, "malformed profile");
    s->locations = split_marks_new(s->location_count);
    s->functions = split_marks_new(s->function_count);
    s->strings = split_marks_new(s->string_count);
    return 0;
}

/* --- what a part uses --- */

/* The numbers of one repeated field, packed or not. */
static void split_mark_numbers(struct split_marks *m, const struct wire_field *f)
{
    if (f->type == WIRE_VARINT) {
        split_mark(m, f->number);
        return;
    }
    struct wire_reader r = wire_reader_of(f->bytes);
    for (uint64_t id; wire_next_packed(&r, &id);)
        split_mark(m, id);
}

/* Every number in the message as a string: some are none, and then one string too many is kept. */
static void split_mark_strings(struct split *s, struct str message)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.type == WIRE_VARINT)
            split_mark(&s->strings, f.number);
    }
}

static void split_mark_sample(struct split *s, struct str field)
{
    struct wire_reader outer = wire_reader_of(field);
    struct wire_field f;
    if (!wire_next(&outer, &f))
        return;
    struct wire_reader r = wire_reader_of(f.bytes);
    while (wire_next(&r, &f)) {
        if (f.number_of == SAMPLE_LOCATION_ID)
            split_mark_numbers(&s->locations, &f);
        else if (f.number_of == SAMPLE_LABEL && f.type == WIRE_BYTES)
            split_mark_strings(s, f.bytes);
    }
}

static uint64_t split_id(struct str message)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of == PROFILE_ID && f.type == WIRE_VARINT)
            return f.number;
    }
    return 0;
}

static void split_mark_location(struct split *s, struct str message)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    while (wire_next(&r, &f)) {
        if (f.number_of == LOCATION_LINE && f.type == WIRE_BYTES)
            split_mark(&s->functions, split_id(f.bytes));
    }
}

static void split_mark_field(struct split *s, const struct wire_field *f)
{
    switch (f->number_of) {
    case PROFILE_SAMPLE_TYPE:
    case PROFILE_PERIOD_TYPE:
    case PROFILE_MAPPING:
        if (f->type == WIRE_BYTES)
            split_mark_strings(s, f->bytes);
        break;
    case PROFILE_DROP_FRAMES:
    case PROFILE_KEEP_FRAMES:
    case PROFILE_DEFAULT_TYPE:
    case PROFILE_COMMENT:
        split_mark_numbers(&s->strings, f);
        break;
    default:
        break;
    }
}

/* Functions may precede the locations that name them, so there is a pass for each. */
static void split_mark_used(struct split *s, size_t first, size_t count)
{
    struct wire_field f;
    memset(s->locations.used, 0, s->locations.n);
    memset(s->functions.used, 0, s->functions.n);
    memset(s->strings.used, 0, s->strings.n);
    for (size_t i = 0; i < count; i++)
        split_mark_sample(s, s->samples[first + i]);
    for (struct wire_reader r = wire_reader_of(s->plain); wire_next(&r, &f);) {
        if (f.number_of == PROFILE_LOCATION && f.type == WIRE_BYTES && split_is_used(&s->locations, split_id(f.bytes)))
            split_mark_location(s, f.bytes);
    }
    for (struct wire_reader r = wire_reader_of(s->plain); wire_next(&r, &f);) {
        if (f.number_of != PROFILE_FUNCTION)
            split_mark_field(s, &f);
        else if (f.type == WIRE_BYTES && split_is_used(&s->functions, split_id(f.bytes)))
            split_mark_strings(s, f.bytes);
    }
}

/* --- writing a part --- */

static bool split_keeps(const struct split *s, const struct wire_field *f, size_t *string)
{
    switch (f->number_of) {
    case PROFILE_SAMPLE: /* written at their end */
    case PROFILE_TIME_NANOS:
        return false;
    case PROFILE_LOCATION:
        return split_is_used(&s->locations, split_id(f->bytes));
    case PROFILE_FUNCTION:
        return split_is_used(&s->functions, split_id(f->bytes));
    case PROFILE_STRING_TABLE:
        return split_is_used(&s->strings, (*string)++);
    default:
        return true;
    }
}

static void split_write(struct split *s, size_t first, size_t count, int64_t time_nanos, struct buf *out)
{
    struct wire_reader r = wire_reader_of(s->plain);
    struct wire_field f;
    const uint8_t *start = r.p;
    size_t string = 0;
    split_mark_used(s, first, count);
    for (; wire_next(&r, &f); start = r.p) {
        if (split_keeps(s, &f, &string))
            buf_append(out, start, (size_t)(r.p - start));
        else if (f.number_of == PROFILE_STRING_TABLE)
            wire_bytes(out, PROFILE_STRING_TABLE, STR(""));
    }
    for (size_t i = 0; i < count; i++)
        buf_str(out, s->samples[first + i]);
    wire_number(out, PROFILE_TIME_NANOS, (uint64_t)time_nanos);
}

/* --- parts --- */

static int split_add_part(struct pprof_parts *parts, struct gzip_packer *packer, struct str plain, size_t samples,
                          int64_t time_nanos)
{
    struct buf packed = BUF_INIT(plain.n + GZIP_SLACK);
    const int code = gzip_pack(packer, plain, &packed);
    if (code < 0) {
        buf_done(&packed);
        return code;
    }
    parts->items = xrealloc(parts->items, (parts->len + 1) * sizeof *parts->items);
    parts->items[parts->len++] =
        (struct pprof_part){.pprof = packed.p, .len = packed.len, .samples = samples, .time_nanos = time_nanos};
    return 0;
}

/* How many samples to begin a part with. */
static size_t split_step(const struct split *s, const struct pprof_split_limits *limits)
{
    size_t parts = limits->parts > 1 ? limits->parts : 1;
    if (limits->bytes && s->plain.n / limits->bytes + 1 > parts)
        parts = s->plain.n / limits->bytes + 1;
    size_t step = (s->sample_count + parts - 1) / parts;
    if (limits->samples && step > limits->samples) {
        parts = (s->sample_count + limits->samples - 1) / limits->samples;
        step = (s->sample_count + parts - 1) / parts;
    }
    return step ? step : 1;
}

static int split_all(struct split *s, const struct pprof_split_limits *limits, struct pprof_parts *parts,
                     struct err *err)
{
    const size_t step = split_step(s, limits);
    cleanup_gzip_packer struct gzip_packer packer = GZIP_PACKER_INIT(GZIP_LEVEL);
    cleanup_buf struct buf out = BUF_INIT(PLAIN_MAX);
    for (size_t at = 0, n; at < s->sample_count; at += n) {
        const int64_t time_nanos = s->time_nanos + (int64_t)parts->len * NS_PER_MS;
        n = s->sample_count - at < step ? s->sample_count - at : step;
        for (;; n /= 2) {
            buf_reset(&out);
            split_write(s, at, n, time_nanos, &out);
            if (!limits->bytes || out.len <= limits->bytes || n == 1)
                break;
        }
        if (limits->bytes && out.len > limits->bytes) {
            parts->samples_lost++;
            continue;
        }
        if (parts->len == PPROF_PARTS_MAX)
            return err_set(err, -E2BIG, "more than %d parts", PPROF_PARTS_MAX);
        const int code = split_add_part(parts, &packer, buf_slice(&out), n, time_nanos);
        if (code < 0)
            return err_set(err, code, "compress a part of a profile");
    }
    return 0;
}

int pprof_split(struct str profile, const struct pprof_split_limits *limits, struct pprof_parts *ret, struct err *err)
{
    cleanup_buf struct buf inflated = BUF_INIT(PLAIN_MAX);
    __attribute__((cleanup(split_done))) struct split s = {.plain = profile};
    struct pprof_parts parts = {0};
    int code = 0;
    if (profile.n >= 2 && (uint8_t)profile.p[0] == 0x1f && (uint8_t)profile.p[1] == 0x8b) {
        code = gzip_inflate(profile, &inflated, err);
        s.plain = buf_slice(&inflated);
    }
    if (code == 0)
        code = split_index(&s, err);
    if (code == 0)
        code = split_all(&s, limits, &parts, err);
    if (code < 0) {
        pprof_parts_done(&parts);
        return code;
    }
    *ret = parts;
    return 0;
}

void pprof_parts_done(struct pprof_parts *p)
{
    for (size_t i = 0; i < p->len; i++)
        free(p->items[i].pprof);
    free(p->items);
    *p = (struct pprof_parts){0};
}
