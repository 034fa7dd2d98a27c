#include "store/push_message.h"

#include <errno.h>

#include "pprof/wire.h"

enum {
    REQUEST_SERIES = 1,
    SERIES_LABELS = 1,
    SERIES_SAMPLES = 2,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
    SAMPLE_RAW_PROFILE = 1
};

static int bad_message(struct err *err)
{
    return err_set(err, -EINVAL, "unmarshal message: unexpected EOF");
}

/* How often a length-delimited field occurs. */
static size_t count_fields(struct str message, uint32_t field, bool *bad)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    size_t n = 0;
    while (wire_next(&r, &f))
        n += f.number_of == field && f.type == WIRE_BYTES;
    *bad = *bad || r.bad;
    return n;
}

static bool decode_label(struct str message, struct store_label *ret)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    struct store_label l = {STR(""), STR("")};
    while (wire_next(&r, &f)) {
        if (f.type == WIRE_BYTES && f.number_of == LABEL_NAME)
            l.name = f.bytes;
        else if (f.type == WIRE_BYTES && f.number_of == LABEL_VALUE)
            l.value = f.bytes;
    }
    *ret = l;
    return !r.bad;
}

static bool decode_sample(struct str message, struct str *ret)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    *ret = STR("");
    while (wire_next(&r, &f))
        if (f.type == WIRE_BYTES && f.number_of == SAMPLE_RAW_PROFILE)
            *ret = f.bytes;
    return !r.bad;
}

static int decode_series(struct push_message *m, struct str message, struct store_series *ret, struct err *err)
{
    bool bad = false;
    struct store_series s = {.label_count = count_fields(message, SERIES_LABELS, &bad),
                             .profile_count = count_fields(message, SERIES_SAMPLES, &bad)};
    if (bad)
        return bad_message(err);
    s.labels = arena_calloc(&m->arena, s.label_count, sizeof *s.labels);
    s.profiles = arena_calloc(&m->arena, s.profile_count, sizeof *s.profiles);
    if ((!s.labels && s.label_count) || (!s.profiles && s.profile_count))
        return err_set(err, -EINVAL, "too many labels or samples in one push");
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    size_t label = 0, sample = 0;
    while (wire_next(&r, &f)) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number_of == SERIES_LABELS)
            bad = !decode_label(f.bytes, &s.labels[label++]) || bad;
        else if (f.number_of == SERIES_SAMPLES)
            bad = !decode_sample(f.bytes, &s.profiles[sample++]) || bad;
    }
    if (bad || r.bad)
        return bad_message(err);
    *ret = s;
    return 0;
}

int push_message_check(const struct push_message *m, struct err *err)
{
    bool empty = m->series_count == 0;
    for (size_t i = 0; i < m->series_count; i++)
        empty = empty || m->series[i].profile_count == 0;
    return empty ? err_set(err, -EINVAL, "no profiles received") : 0;
}

int push_message_decode(struct push_message *m, struct str body, struct err *err)
{
    bool bad = false;
    size_t n = count_fields(body, REQUEST_SERIES, &bad);
    if (bad)
        return bad_message(err);
    if (n > PUSH_SERIES_MAX)
        return err_set(err, -EINVAL, "%zu series in one push; limit %d", n, PUSH_SERIES_MAX);
    m->series = arena_calloc(&m->arena, n, sizeof *m->series);
    struct wire_reader r = wire_reader_of(body);
    struct wire_field f;
    while (m->series && wire_next(&r, &f)) {
        if (f.type != WIRE_BYTES || f.number_of != REQUEST_SERIES)
            continue;
        int code = decode_series(m, f.bytes, &m->series[m->series_count], err);
        if (code < 0)
            return code;
        m->series_count++;
    }
    return push_message_check(m, err);
}

void push_message_done(struct push_message *m)
{
    arena_done(&m->arena);
    *m = PUSH_MESSAGE_INIT;
}
