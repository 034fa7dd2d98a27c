#include "cli/store_flags.h"

#include <string.h>

#include "cli/store_limits.h"

int store_flags_parse(const struct store_flags *flags, struct agent_settings *ret, struct err *err)
{
    struct store_limits limits;
    int64_t seconds, bytes, cache;
    int code = query_limits_parse(&flags->query, &limits, err);
    if (code == 0)
        code = store_keep_parse(flags->keep, &seconds, err);
    if (code == 0)
        code = store_size_parse(flags->size, &bytes, err);
    if (code == 0)
        code = store_cache_parse(flags->cache, &cache, err);
    if (code < 0)
        return code;
    ret->store_token = strcmp(flags->auth, "token") == 0;
    ret->store_keep_seconds = seconds;
    ret->store_keep_bytes = bytes;
    ret->store_cache_bytes = cache;
    ret->query_limits = limits;
    return 0;
}
