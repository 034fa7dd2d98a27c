#include "cli/query_limits.h"

#include <errno.h>

#include "base/byte_size.h"
#include "base/clock.h"
#include "lang/duration.h"

enum { COUNT_MAX = 1 << 30 }; /* what still can be an answer */
enum { MEMORY_LEAST = 1 << 20, MEMORY_MOST = 1 << 30 };

static int query_limits_count(const char *name, const char *text, int64_t most, int64_t *ret, struct err *err)
{
    if (str_to_i64(str_of(text), ret) && *ret >= 1 && *ret <= most)
        return 0;
    return err_set(err, -EINVAL, "--store.query-%s=%s: expected a number from 1 to %lld", name, text, (long long)most);
}

static int query_limits_size(const char *text, int64_t *ret, struct err *err)
{
    uint64_t bytes;
    if (!byte_size_parse(text, &bytes) || bytes < MEMORY_LEAST || bytes > MEMORY_MOST)
        return err_set(err, -EINVAL, "--store.query-memory=%s: expected a size from 1MiB to 1GiB", text);
    *ret = (int64_t)bytes;
    return 0;
}

int query_limits_parse(const struct query_limit_flags *flags, struct store_limits *ret, struct err *err)
{
    struct store_limits l = {0};
    struct err why = {0};
    int64_t ns = 0;
    int code = query_limits_count("series", flags->series, COUNT_MAX, &l.series, err);
    if (code == 0)
        code = query_limits_count("profiles", flags->profiles, COUNT_MAX, &l.profiles, err);
    if (code == 0)
        code = query_limits_count("nodes", flags->nodes, QUERY_NODES_MOST, &l.nodes, err);
    if (code == 0)
        code = query_limits_size(flags->memory, &l.memory, err);
    if (code < 0)
        return code;
    if (duration_parse(str_of(flags->timeout), &ns, &why) < 0 || ns < NS_PER_MS)
        return err_set(err, -EINVAL, "--store.query-timeout=%s: expected a duration such as 20s", flags->timeout);
    l.ms = ns / NS_PER_MS;
    *ret = l;
    return 0;
}
