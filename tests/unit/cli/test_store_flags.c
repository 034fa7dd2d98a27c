/* Flags of the embedded store: what they set, and what they refuse. */
#include "cli/store_flags.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "test.h"

struct record {
    const char *other; /* the flags need not be the first */
    struct store_flags store;
};

static const struct flag table[] = {STORE_FLAGS(offsetof(struct record, store)), {NULL}};

static int parsed(const char *const *argv, size_t argc, struct agent_settings *ret, struct err *err)
{
    struct record r = {0};
    struct flags_rest rest = {0};
    int code = flags_parse(table, (int)argc, (char **)argv, &r, &rest, err);
    free(rest.items);
    return code < 0 ? code : store_flags_parse(&r.store, ret, err);
}

static void without_flags_it_has_the_documented_limits(void)
{
    struct agent_settings s = {0};
    struct err err = {0};
    CHECK_INT(parsed(NULL, 0, &s, &err), 0);
    CHECK(!s.store_token);
    CHECK_INT(s.store_keep_seconds, 7 * 86400);
    CHECK_INT(s.store_keep_bytes, 1 << 30);
    CHECK_INT(s.store_cache_bytes, 16 << 20);
    CHECK_INT(s.query_limits.series, QUERY_SERIES_MAX);
    CHECK_INT(s.query_limits.profiles, QUERY_PROFILES_MAX);
    CHECK_INT(s.query_limits.ms, QUERY_MS_MAX);
    CHECK_INT(s.query_limits.nodes, QUERY_NODES_MAX);
    CHECK_INT(s.query_limits.memory, QUERY_MEMORY_MAX);
}

static void every_flag_is_taken(void)
{
    static const char *const argv[] = {
        "--store.auth=token",       "--store.keep=36h",         "--store.max-size=2GiB",
        "--store.cache=1MiB",       "--store.query-timeout=3s", "--store.query-series=4",
        "--store.query-profiles=5", "--store.query-nodes=6",    "--store.query-memory=7MiB"};
    struct agent_settings s = {0};
    struct err err = {0};
    CHECK_INT(parsed(argv, ARRAY_LEN(argv), &s, &err), 0);
    CHECK(s.store_token);
    CHECK_INT(s.store_keep_seconds, 36 * 3600);
    CHECK_INT(s.store_keep_bytes, 2LL << 30);
    CHECK_INT(s.store_cache_bytes, 1 << 20);
    CHECK_INT(s.query_limits.ms, 3000);
    CHECK_INT(s.query_limits.series, 4);
    CHECK_INT(s.query_limits.profiles, 5);
    CHECK_INT(s.query_limits.nodes, 6);
    CHECK_INT(s.query_limits.memory, 7 << 20);
}

static void a_bad_value_names_its_flag_and_sets_nothing(void)
{
    static const char *const bad[] = {"--store.auth=password", "--store.keep=soon",     "--store.max-size=1KiB",
                                      "--store.cache=much",    "--store.query-nodes=0", "--store.query-memory=1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct agent_settings s = {0};
        struct err err = {0};
        CHECK_INT(parsed(&bad[i], 1, &s, &err), -EINVAL);
        CHECK_HAS(err.text, bad[i]);
        CHECK_INT(s.store_keep_seconds, 0);
    }
}

int main(void)
{
    RUN(without_flags_it_has_the_documented_limits);
    RUN(every_flag_is_taken);
    RUN(a_bad_value_names_its_flag_and_sets_nothing);
    return REPORT();
}
