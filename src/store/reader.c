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

size_t reader_memory(const struct store_reader *r)
{
    return (size_t)reader_limit(r->limits.memory, QUERY_MEMORY_MAX);
}

int reader_too_large(const struct store_reader *r, struct err *err)
{
    return err_set(err, -EMSGSIZE,
                   "the query needs too much memory: choose a shorter time range or add label matchers, or raise "
                   "--store.query-memory (%zu KiB)",
                   reader_memory(r) >> 10);
}

int reader_in_memory(const struct store_reader *r, size_t bytes, struct err *err)
{
    const size_t max = reader_memory(r);
    return bytes <= max && r->held <= max - bytes ? 0 : reader_too_large(r, err);
}

int reader_count_profiles(const struct store_reader *r, size_t n, struct err *err)
{
    const int64_t max = reader_limit(r->limits.profiles, QUERY_PROFILES_MAX);
    if (n <= (size_t)max)
        return 0;
    return err_set(err, -EMSGSIZE,
                   "more than %lld profiles: choose a shorter time range, or raise --store.query-profiles",
                   (long long)max);
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

void reader_range_ns(int64_t from_ms, int64_t until_ms, int64_t *from_ns, int64_t *until_ns)
{
    const int64_t until = reader_ms_to_ns(until_ms);
    *from_ns = reader_ms_to_ns(from_ms);
    *until_ns = until > INT64_MAX - (NS_PER_MS - 1) ? INT64_MAX : until + NS_PER_MS - 1;
}

void reader_bind_range(sqlite3_stmt *st, int first, int64_t from_ms, int64_t until_ms)
{
    int64_t from_ns, until_ns;
    reader_range_ns(from_ms, until_ms, &from_ns, &until_ns);
    db_bind(st, first, from_ns);
    db_bind(st, first + 1, until_ns);
}

void reader_leave_out(struct store_reader *r, enum reader_part what, int64_t id)
{
    static const char *const names[] = {[READER_BODY] = "profile", [READER_SLICE] = "slice", [READER_BLOCK] = "block"};
    bool added = true;
    if (r->known)
        (void)u64map_add(r->known, (uint64_t)id << 2 | what, 1, &added);
    if (!added)
        return;
    if (r->left_out++ == 0)
        (void)err_set(&r->left_which, -EBADMSG, "%s %lld", names[what], (long long)id);
}

void reader_count_endings(struct store_reader *r, const unsigned endings[static PARSER_ENDINGS], unsigned set_aside)
{
    for (size_t i = 0; i < PARSER_ENDINGS; i++)
        r->endings[i] += endings[i];
    r->set_aside += set_aside;
}
