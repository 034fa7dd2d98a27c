#include "store/reader.h"

#include <errno.h>

#include "base/clock.h"

int reader_in_time(const struct store_reader *r, struct err *err)
{
    if (r->deadline_ms == 0 || clock_ms() <= r->deadline_ms)
        return 0;
    return err_set(err, -ETIMEDOUT,
                   "the query took too long: choose a shorter time range or add label matchers, or raise "
                   "--store.query-timeout (%lld s)",
                   (long long)reader_limit(r->limits.ms, QUERY_MS_MAX) / 1000);
}

int reader_noted(struct store_reader *r, int code, const struct err *err)
{
    if (code == -EBADMSG)
        r->damaged = *err;
    return code;
}

static int64_t reader_ms_to_ns(int64_t ms)
{
    return ms > INT64_MAX / NS_PER_MS ? INT64_MAX : ms < 0 ? 0 : ms * NS_PER_MS;
}

void reader_bind_range(sqlite3_stmt *st, int first, int64_t from_ms, int64_t until_ms)
{
    const int64_t until = reader_ms_to_ns(until_ms);
    db_bind(st, first, reader_ms_to_ns(from_ms));
    db_bind(st, first + 1, until > INT64_MAX - (NS_PER_MS - 1) ? INT64_MAX : until + NS_PER_MS - 1);
}
