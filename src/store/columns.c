#define XXH_INLINE_ALL
#include "store/columns.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/wire.h"

enum { COLUMNS_VERSION = 1, COLUMNS_HEAD = 1 + 8, COLUMN_COUNT = 3 };

void columns_new(struct columns *c, size_t n)
{
    int64_t *p = xcalloc(n + 1, COLUMN_COUNT * sizeof *p);
    *c = (struct columns){p, p + n, p + 2 * n, n};
}

void columns_done(struct columns *c)
{
    free(c->times);
    *c = COLUMNS_INIT;
}

/* Differences wrap around, so that there is one of any two numbers. */
static uint64_t column_step(const int64_t *v, size_t i)
{
    return (uint64_t)v[i] - (i ? (uint64_t)v[i - 1] : 0);
}

static uint64_t column_magnitude(uint64_t step)
{
    return (int64_t)step < 0 ? -step : step;
}

/* Of all steps but the first, which is the first value. */
static uint64_t column_divisor(const int64_t *v, size_t n)
{
    uint64_t a = 0;
    for (size_t i = 1; i < n && a != 1; i++) {
        for (uint64_t b = column_magnitude(column_step(v, i)); b;) {
            const uint64_t rest = a % b;
            a = b;
            b = rest;
        }
    }
    return a ? a : 1;
}

static uint64_t column_zigzag(uint64_t step)
{
    return step << 1 ^ (uint64_t)((int64_t)step >> 63);
}

static void column_put(const int64_t *v, size_t n, struct buf *out)
{
    const uint64_t divisor = column_divisor(v, n);
    wire_varint(out, divisor);
    for (size_t i = 0; i < n; i++) {
        const int64_t step = (int64_t)column_step(v, i);
        wire_varint(out, column_zigzag(i ? (uint64_t)(step / (int64_t)divisor) : (uint64_t)step));
    }
}

void columns_put(const struct columns *c, struct buf *out)
{
    cleanup_buf struct buf body = BUF_INIT(out->max);
    column_put(c->times, c->n, &body);
    column_put(c->durations, c->n, &body);
    column_put(c->totals, c->n, &body);
    const uint64_t sum = XXH3_64bits(body.p, body.len);
    buf_byte(out, COLUMNS_VERSION);
    buf_append(out, &sum, sizeof sum);
    buf_str(out, buf_slice(&body));
    out->failed |= body.failed;
}

static bool column_next(struct wire_reader *r, uint64_t *ret)
{
    return wire_next_packed(r, ret) && !r->bad;
}

static bool column_read(struct wire_reader *r, int64_t *v, size_t n)
{
    uint64_t divisor, z, at = 0;
    if (!column_next(r, &divisor))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!column_next(r, &z))
            return false;
        const uint64_t step = z >> 1 ^ (0 - (z & 1));
        at += i ? step * divisor : step;
        v[i] = (int64_t)at;
    }
    return true;
}

static bool columns_intact(struct str bytes)
{
    uint64_t sum;
    if (bytes.n < COLUMNS_HEAD || bytes.p[0] != COLUMNS_VERSION)
        return false;
    memcpy(&sum, bytes.p + 1, sizeof sum);
    return XXH3_64bits(bytes.p + COLUMNS_HEAD, bytes.n - COLUMNS_HEAD) == sum;
}

int columns_read(struct str bytes, size_t n, struct columns *ret, struct err *err)
{
    /* A number has a byte at least: what is damaged asks for no more memory than that. */
    if (!columns_intact(bytes) || n > bytes.n)
        return err_set(err, -EBADMSG, "columns are damaged");
    cleanup_columns struct columns c;
    struct wire_reader r = wire_reader_of((struct str){bytes.p + COLUMNS_HEAD, bytes.n - COLUMNS_HEAD});
    columns_new(&c, n);
    if (!column_read(&r, c.times, n) || !column_read(&r, c.durations, n) || !column_read(&r, c.totals, n) ||
        r.p != r.end)
        return err_set(err, -EBADMSG, "columns are damaged");
    *ret = c;
    c = COLUMNS_INIT;
    return 0;
}
