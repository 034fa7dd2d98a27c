/* Random profiles as plain protobuf, with what others write and our own encoder does not: inlined lines, mappings,
 * locations without a line, negative and zero values, labels of every kind, samples that come twice. Profiles of one
 * seed share their functions.
 */
#pragma once

#include <stdlib.h>

#include "base/wire.h"
#include "pprof/proto_fields.h"

struct random_pprof {
    uint64_t seed; /* goes on */
    unsigned function_count, types, samples_max, depth_max;
    bool ids, threads; /* labels of samples */
};

static inline unsigned random_below(struct random_pprof *r, unsigned n)
{
    r->seed = r->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(r->seed >> 33) % n;
}

enum { RANDOM_STRINGS = 14, RANDOM_FILES = 5, RANDOM_MAX = 8 << 20 };

/* Strings that all have; functions have two more each. */
static inline void random_put_strings(const struct random_pprof *r, struct buf *out)
{
    static const char *const fixed[RANDOM_STRINGS] = {"",     "cpu",    "nanoseconds", "alloc",     "bytes",
                                                      "lock", "count",  "thread",      "span_id",   "trace_id",
                                                      "line", "/lib/a", "/lib/b",      "profile_id"};
    for (size_t i = 0; i < RANDOM_STRINGS; i++)
        wire_bytes(out, PROFILE_STRING_TABLE, str_of(fixed[i]));
    for (unsigned i = 0; i < r->function_count; i++) {
        char text[64];
        snprintf(text, sizeof text, "Class%u.method", i % 7 == 0 ? i / 7 : i);
        wire_bytes(out, PROFILE_STRING_TABLE, i == 3 ? STR("") : str_of(text));
        snprintf(text, sizeof text, "File%u.java", i % RANDOM_FILES);
        wire_bytes(out, PROFILE_STRING_TABLE, str_of(text));
    }
}

/* A message made up by now, as a field of the profile; its buffer is empty again. */
static inline void random_put(struct buf *out, uint32_t field, struct buf *message)
{
    wire_bytes(out, field, buf_slice(message));
    buf_reset(message);
}

static inline void random_put_functions(const struct random_pprof *r, struct buf *out)
{
    cleanup_buf struct buf m = BUF_INIT(RANDOM_MAX);
    for (unsigned i = 0; i < 2; i++) {
        wire_number(&m, MAPPING_ID, i + 1);
        wire_number(&m, MAPPING_FILENAME, 11 + i);
        random_put(out, PROFILE_MAPPING, &m);
    }
    for (unsigned i = 0; i < r->function_count; i++) {
        wire_number(&m, FUNCTION_ID, i + 1);
        wire_number(&m, FUNCTION_NAME, RANDOM_STRINGS + 2 * i);
        wire_number(&m, FUNCTION_SYSTEM_NAME, i % 3 ? RANDOM_STRINGS + 2 * i : 0);
        wire_number(&m, FUNCTION_FILENAME, i % 4 ? RANDOM_STRINGS + 2 * i + 1 : 0);
        wire_number(&m, FUNCTION_START_LINE, i % 5 * 10);
        random_put(out, PROFILE_FUNCTION, &m);
    }
}

/* Locations: two per function, one of them with inlined lines; the last has no line. Returns how many. */
static inline unsigned random_put_locations(struct random_pprof *r, struct buf *out)
{
    cleanup_buf struct buf m = BUF_INIT(RANDOM_MAX), line = BUF_INIT(RANDOM_MAX);
    const unsigned n = 2 * r->function_count + 1;
    for (unsigned i = 0; i < n; i++) {
        wire_number(&m, LOCATION_ID, i + 1);
        wire_number(&m, LOCATION_MAPPING_ID, i % 6 < 2 ? i % 6 + 1 : 0);
        wire_number(&m, LOCATION_ADDRESS, i % 9 == 0 || i == n - 1 ? 0x1000 + i : 0);
        for (unsigned k = 0; i < n - 1 && k < (i % 8 == 7 ? 3u : 1u); k++) {
            wire_number(&line, LINE_FUNCTION_ID, (i / 2 + k * 5) % r->function_count + 1);
            wire_number(&line, LINE_LINE, i % 2 * (i + k));
            random_put(&m, LOCATION_LINE, &line);
        }
        random_put(out, PROFILE_LOCATION, &m);
    }
    return n;
}

static inline void random_put_label(struct buf *sample, unsigned key, uint64_t string, uint64_t number)
{
    cleanup_buf struct buf label = BUF_INIT(RANDOM_MAX);
    wire_number(&label, LABEL_KEY, key);
    wire_number(&label, LABEL_STR, string);
    wire_number(&label, LABEL_NUM, number);
    wire_bytes(sample, SAMPLE_LABEL, buf_slice(&label));
}

/* Ids: 16 spans and 4 traces; some in capitals, some that are none. */
static inline void random_put_id_strings(struct buf *out)
{
    char text[64];
    for (unsigned i = 0; i < 16; i++) {
        snprintf(text, sizeof text, i % 3 ? "00000000000000%02x" : "00000000000000%02X", 160 + i);
        wire_bytes(out, PROFILE_STRING_TABLE, i == 5 ? STR("no id of a span.") : str_of(text));
    }
    for (unsigned i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "000000000000000000000000000000%02x", 176 + i);
        wire_bytes(out, PROFILE_STRING_TABLE, str_of(text));
    }
    for (unsigned i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "pool-%u", i);
        wire_bytes(out, PROFILE_STRING_TABLE, str_of(text));
    }
}

static inline void random_put_labels(struct random_pprof *r, struct buf *sample)
{
    const unsigned first = RANDOM_STRINGS + 2 * r->function_count;
    if (r->threads && random_below(r, 2))
        random_put_label(sample, 7, first + 20 + random_below(r, 3), 0);
    for (unsigned n = r->ids ? random_below(r, 3) : 0; n; n--)
        random_put_label(sample, random_below(r, 2) ? 8 : 13, first + random_below(r, 16), 0);
    if (r->ids && random_below(r, 3) == 0)
        random_put_label(sample, 9, first + 16 + random_below(r, 4), 0);
    if (random_below(r, 8) == 0)
        random_put_label(sample, 10, 0, random_below(r, 3));
}

static inline int64_t random_value(struct random_pprof *r)
{
    switch (random_below(r, 12)) {
    case 0:
        return 0;
    case 1:
        return random_below(r, 40) ? 1 : -1;
    case 2:
        return random_below(r, 40) ? 65536 * (1 + (int64_t)random_below(r, 1000)) : INT64_MAX / 2;
    default:
        return 10000000 * (1 + (int64_t)random_below(r, 4));
    }
}

/* Stacks of a random walk that is mostly the same: as programs have them. */
static inline void random_put_sample(struct random_pprof *r, unsigned locations, struct buf *out)
{
    cleanup_buf struct buf m = BUF_INIT(RANDOM_MAX);
    const unsigned depth = random_below(r, r->depth_max + 1);
    unsigned at[256];
    for (unsigned i = 0; i < depth; i++) {
        const unsigned before = i ? at[i - 1] : 0;
        at[i] = random_below(r, 4) ? (before * 7 + 3 + i) % locations : random_below(r, locations);
    }
    for (unsigned i = depth; i-- > 0;)
        wire_number(&m, SAMPLE_LOCATION_ID, at[i] + 1);
    for (unsigned t = 0; t < r->types; t++) {
        const int64_t v = random_value(r);
        wire_tag(&m, SAMPLE_VALUE, WIRE_VARINT);
        wire_varint(&m, (uint64_t)v);
    }
    random_put_labels(r, &m);
    wire_bytes(out, PROFILE_SAMPLE, buf_slice(&m));
}

static inline struct buf random_profile(struct random_pprof *r)
{
    struct buf out = BUF_INIT(RANDOM_MAX);
    cleanup_buf struct buf m = BUF_INIT(RANDOM_MAX);
    random_put_strings(r, &out);
    random_put_id_strings(&out);
    for (unsigned t = 0; t < r->types; t++) {
        wire_number(&m, VALUE_TYPE_TYPE, 1 + 2 * t);
        wire_number(&m, VALUE_TYPE_UNIT, 2 + 2 * t);
        random_put(&out, PROFILE_SAMPLE_TYPE, &m);
    }
    wire_number(&out, PROFILE_PERIOD, random_below(r, 3) * 1000);
    random_put_functions(r, &out);
    const unsigned locations = random_put_locations(r, &out);
    for (unsigned n = random_below(r, r->samples_max + 1); n; n--)
        random_put_sample(r, locations, &out);
    return out;
}
