#include "pyroscope/push_message.h"

#include <errno.h>

#include "base/wire.h"

/* Field numbers of push.v1.PushRequest, RawProfileSeries, RawSample and types.v1.LabelPair, in this order. All are of
 * wire type 2. */
enum {
    REQUEST_SERIES = 1,
    SERIES_LABELS = 1,
    SERIES_SAMPLES = 2,
    SAMPLE_RAW_PROFILE = 1,
    SAMPLE_ID = 2,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
};

/* ---- encoding ---- */

/* A one-byte tag, the length, the bytes. */
static size_t push_message_field_size(size_t n)
{
    return 1 + wire_size(n) + n;
}

static void push_message_put_tag(struct buf *out, uint32_t field, size_t len)
{
    wire_tag(out, field, WIRE_BYTES);
    wire_varint(out, len);
}

static size_t push_message_label_size(const struct label *l)
{
    return push_message_field_size(l->name.n) + push_message_field_size(l->value.n);
}

static struct str push_message_id(const struct series *series, size_t at)
{
    return series->ids ? series->ids[at] : STR("");
}

static size_t push_message_sample_size(const struct series *series, size_t at)
{
    const struct str id = push_message_id(series, at);
    return push_message_field_size(series->profiles[at].n) + (id.n ? push_message_field_size(id.n) : 0);
}

static void push_message_put_series(struct buf *out, const struct series *series)
{
    size_t size = 0;
    for (size_t i = 0; i < series->profile_count; i++)
        size += push_message_field_size(push_message_sample_size(series, i));
    for (size_t i = 0; i < series->label_count; i++)
        size += push_message_field_size(push_message_label_size(&series->labels[i]));
    push_message_put_tag(out, REQUEST_SERIES, size);
    for (size_t i = 0; i < series->label_count; i++) {
        const struct label *l = &series->labels[i];
        push_message_put_tag(out, SERIES_LABELS, push_message_label_size(l));
        wire_bytes(out, LABEL_NAME, l->name);
        wire_bytes(out, LABEL_VALUE, l->value);
    }
}

void push_message_head(struct buf *out, const struct series *series, size_t at)
{
    if (at == 0)
        push_message_put_series(out, series);
    push_message_put_tag(out, SERIES_SAMPLES, push_message_sample_size(series, at));
    /* In front of the profile, whose bytes follow from elsewhere. */
    if (push_message_id(series, at).n)
        wire_bytes(out, SAMPLE_ID, push_message_id(series, at));
    push_message_put_tag(out, SAMPLE_RAW_PROFILE, series->profiles[at].n);
}

/* ---- decoding ---- */

static int push_message_bad(struct err *err)
{
    return err_set(err, -EINVAL, "unmarshal message: unexpected EOF");
}

/* How often a length-delimited field occurs. */
static size_t push_message_count(struct str message, uint32_t field, bool *bad)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    size_t n = 0;
    while (wire_next(&r, &f))
        n += f.number_of == field && f.type == WIRE_BYTES;
    *bad = *bad || r.bad;
    return n;
}

static bool push_message_decode_label(struct str message, struct label *ret)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    struct label l = {STR(""), STR("")};
    while (wire_next(&r, &f)) {
        if (f.type == WIRE_BYTES && f.number_of == LABEL_NAME)
            l.name = f.bytes;
        else if (f.type == WIRE_BYTES && f.number_of == LABEL_VALUE)
            l.value = f.bytes;
    }
    *ret = l;
    return !r.bad;
}

static bool push_message_decode_sample(struct str message, struct str *ret, struct str *ret_id)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    *ret = *ret_id = STR("");
    while (wire_next(&r, &f)) {
        if (f.type == WIRE_BYTES && f.number_of == SAMPLE_RAW_PROFILE)
            *ret = f.bytes;
        else if (f.type == WIRE_BYTES && f.number_of == SAMPLE_ID)
            *ret_id = f.bytes;
    }
    return !r.bad;
}

/* `labels`, `profiles` and `ids` have as much room as push_message_count() said. */
static bool push_message_decode_fields(struct str message, struct label *labels, struct str *profiles, struct str *ids)
{
    struct wire_reader r = wire_reader_of(message);
    struct wire_field f;
    bool good = true;
    while (wire_next(&r, &f)) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number_of == SERIES_LABELS)
            good = push_message_decode_label(f.bytes, labels++) && good;
        else if (f.number_of == SERIES_SAMPLES)
            good = push_message_decode_sample(f.bytes, profiles++, ids++) && good;
    }
    return good && !r.bad;
}

static int push_message_decode_series(struct push_message *m, struct str message, struct series *ret, struct err *err)
{
    bool bad = false;
    const size_t label_count = push_message_count(message, SERIES_LABELS, &bad);
    const size_t profile_count = push_message_count(message, SERIES_SAMPLES, &bad);
    if (bad)
        return push_message_bad(err);
    struct label *labels = arena_calloc(&m->arena, label_count, sizeof *labels);
    struct str *profiles = arena_calloc(&m->arena, profile_count, sizeof *profiles);
    struct str *ids = arena_calloc(&m->arena, profile_count, sizeof *ids);
    if ((!labels && label_count) || ((!profiles || !ids) && profile_count))
        return err_set(err, -EINVAL, "too many labels or samples in one push");
    if (!push_message_decode_fields(message, labels, profiles, ids))
        return push_message_bad(err);
    *ret = (struct series){labels, label_count, profiles, profile_count, ids};
    return 0;
}

int push_message_check_count(size_t series, struct err *err)
{
    if (series > PUSH_SERIES_MAX)
        return err_set(err, -EINVAL, "%zu series in one push; limit %d", series, PUSH_SERIES_MAX);
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
    size_t n = push_message_count(body, REQUEST_SERIES, &bad);
    if (bad)
        return push_message_bad(err);
    int code = push_message_check_count(n, err);
    if (code < 0)
        return code;
    m->series = arena_calloc(&m->arena, n, sizeof *m->series);
    struct wire_reader r = wire_reader_of(body);
    struct wire_field f;
    while (m->series && wire_next(&r, &f)) {
        if (f.type != WIRE_BYTES || f.number_of != REQUEST_SERIES)
            continue;
        code = push_message_decode_series(m, f.bytes, &m->series[m->series_count], err);
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
