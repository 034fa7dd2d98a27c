#include "api/pyroscope/querier_call.h"

#include <errno.h>

#include "base/clock.h"
#include "base/wire.h"

enum { HOUR_MS = 3600 * 1000 };

int querier_call_range(struct querier_call *q)
{
    const int64_t end = q->request.end.value, start = q->request.start.value;
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
