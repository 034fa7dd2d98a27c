#include "api/pyroscope/querier_call.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wire.h"
#include "store/frame_text.h"

enum { HOUR_MS = 3600 * 1000 };

/* So that what is computed with them stays a number. */
static int64_t querier_call_time(int64_t ms)
{
    return ms < 0 ? 0 : ms > INT64_MAX / 4 ? INT64_MAX / 4 : ms;
}

int querier_call_range(struct querier_call *q)
{
    const int64_t end = querier_call_time(q->request.end.value), start = querier_call_time(q->request.start.value);
    q->range.until_ms = end ? end : clock_wall_ns() / NS_PER_MS;
    q->range.from_ms = start ? start : q->range.until_ms > HOUR_MS ? q->range.until_ms - HOUR_MS : 0;
    return q->range.from_ms > q->range.until_ms ? err_set(&q->err, -EINVAL, "query start time is after end time") : 0;
}

void querier_put_label(struct buf *out, uint32_t field, struct str name, struct str value)
{
    const size_t size = 2 + wire_size(name.n) + name.n + wire_size(value.n) + value.n;
    wire_tag(out, field, WIRE_BYTES);
    wire_varint(out, size);
    wire_bytes(out, 1, name);
    wire_bytes(out, 2, value);
}

void querier_put_labels(struct str key, uint32_t field, struct buf *out)
{
    struct str name, value;
    while (key.n && str_split(&key, '\0', &name) && str_split(&key, '\0', &value))
        querier_put_label(out, field, name, value);
}

void querier_put_uuid(struct buf *out, const uint8_t id[static PROFILE_ID_SIZE])
{
    for (size_t i = 0; i < PROFILE_ID_SIZE; i++)
        buf_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}

void querier_call_done(struct querier_call *q)
{
    if (q->left)
        querier_call_done(q->left);
    if (q->right)
        querier_call_done(q->right);
    free(q->left);
    free(q->right);
    query_request_done(&q->request);
    label_selector_done(&q->selector);
    buf_done(&q->out);
}

/* ---- what all queries of one profile type have ---- */

static int querier_call_type(struct querier_call *q)
{
    const struct str text = q->request.profile_type;
    struct str rest = text, part = STR("");
    size_t n = 0;
    q->type = text;
    while (str_split(&rest, ':', &part))
        n++;
    if (n == TYPE_PARTS + 1 && str_is(part, "delta"))
        q->type.n -= strlen(":delta");
    else if (n != TYPE_PARTS)
        return err_set(&q->err, -EINVAL,
                       "profile-type selection must be of the form "
                       "<name>:<sample-type>:<sample-unit>:<period-type>:<period-unit>(:delta), got(%zu): \"%.*s\"",
                       n, (int)(text.n < 200 ? text.n : 200), text.p ? text.p : "");
    return 0;
}

int querier_call_select(struct querier_call *q)
{
    int code = querier_call_type(q);
    if (code == 0)
        code = querier_call_range(q);
    if (code == 0)
        code = label_selector_add(&q->selector, q->request.selector, &q->err);
    return code < 0 ? code : label_selector_add_equal(&q->selector, STR("__profile_type__"), q->type, &q->err);
}

/* ---- stacks ---- */

static int querier_call_nodes(struct querier_call *q)
{
    const int64_t n = q->request.max_nodes.value;
    if (n > QUERIER_NODES_MOST)
        return err_set(&q->err, -EINVAL, "max flamegraph nodes limit %lld is greater than allowed %d", (long long)n,
                       QUERIER_NODES_MOST);
    if (n < 0)
        return err_set(&q->err, -EINVAL, "max flamegraph nodes limit must be set (max allowed %d)", QUERIER_NODES_MOST);
    q->nodes = (size_t)n;
    return 0;
}

/* Ids in hex of a fixed length become lower case, in the arena. */
static int querier_call_ids(struct querier_call *q, const struct query_texts *texts, size_t digits, const char *what,
                            const struct str **ret)
{
    struct str *ids = arena_calloc(&q->request.arena, texts->len + 1, sizeof *ids);
    for (size_t i = 0; i < texts->len; i++) {
        const struct str text = texts->items[i];
        char *copy = arena_alloc(&q->request.arena, digits);
        if (!ids || !copy)
            return err_set(&q->err, -EINVAL, "the query is too large");
        bool good = text.n == digits;
        for (size_t k = 0; good && k < digits; k++) {
            good = isxdigit((unsigned char)text.p[k]);
            copy[k] = (char)tolower((unsigned char)text.p[k]);
        }
        if (!good)
            return err_set(&q->err, -EINVAL, "invalid %s id length: \"%.*s\"; expected %zu hexadecimal digits", what,
                           (int)(text.n < 64 ? text.n : 64), text.p, digits);
        ids[i] = (struct str){copy, digits};
    }
    *ret = ids;
    return 0;
}

/* With hyphens or without. */
static bool querier_call_uuid(struct str text, uint8_t id[static PROFILE_ID_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        if (c == '-')
            continue;
        if (!isxdigit((unsigned char)c) || n == (size_t)2 * PROFILE_ID_SIZE)
            return false;
        const uint8_t digit = (uint8_t)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
        id[n / 2] = (uint8_t)(n % 2 ? id[n / 2] << 4 | digit : digit);
        n++;
    }
    return n == (size_t)2 * PROFILE_ID_SIZE;
}

static int querier_call_profiles(struct querier_call *q)
{
    const struct query_texts *texts = &q->request.profile_ids;
    uint8_t(*ids)[PROFILE_ID_SIZE] = arena_calloc(&q->request.arena, texts->len + 1, sizeof *ids);
    if (!ids)
        return err_set(&q->err, -EINVAL, "the query is too large");
    for (size_t i = 0; i < texts->len; i++)
        if (!querier_call_uuid(texts->items[i], ids[i]))
            return err_set(&q->err, -EINVAL, "invalid UUID: \"%.*s\" (length %zu)",
                           (int)(texts->items[i].n < 64 ? texts->items[i].n : 64), texts->items[i].p,
                           texts->items[i].n);
    q->merge.profiles = (const uint8_t(*)[PROFILE_ID_SIZE])ids;
    q->merge.profile_count = texts->len;
    return 0;
}

int querier_call_site(struct querier_call *q)
{
    const struct query_request *r = &q->request;
    if (r->go_pgo.n || r->frame_filter.n)
        return err_set(&q->err, -ENOTSUP, "stack trace selectors other than call_site are not supported");
    if (r->call_site.len > CALL_SITE_FRAMES_MAX)
        return err_set(&q->err, -EINVAL, "call_site has more than %d frames", CALL_SITE_FRAMES_MAX);
    return 0;
}

int querier_call_stacks(struct querier_call *q)
{
    struct query_request *r = &q->request;
    if (r->spans.len && r->trace_ids.len)
        return err_set(&q->err, -EINVAL, "span_selector and trace_id_selector cannot be combined");
    int code = querier_call_site(q);
    if (code == 0)
        code = querier_call_nodes(q);
    if (code == 0)
        code = querier_call_ids(q, &r->spans, SPAN_ID_HEX, "span", &q->merge.spans);
    if (code == 0)
        code = querier_call_ids(q, &r->trace_ids, TRACE_ID_HEX, "trace", &q->merge.traces);
    q->merge.span_count = r->spans.len;
    q->merge.trace_count = r->trace_ids.len;
    return code < 0 ? code : querier_call_profiles(q);
}

/* ---- points ---- */

int querier_call_step(struct querier_call *q)
{
    const double step = q->request.step;
    if (!(step >= 0.001))
        return err_set(&q->err, -EINVAL, "step must be >= 1ms, got %f", step);
    q->step_ms = step < (double)(INT64_MAX / 4000) ? (int64_t)(step * 1000) : INT64_MAX / 4;
    return 0;
}
