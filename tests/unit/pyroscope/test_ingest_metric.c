#include "pyroscope/ingest_metric.h"

#include <errno.h>

#include "test.h"

/* Of a profile with these sample types. */
static int ask(const char *first, const char *second, const char *config, struct buf *got, struct err *err)
{
    cleanup_symbols struct symbols symbols;
    struct profile p;
    symbols_init(&symbols, 1 << 20);
    profile_init(&p, &symbols);
    if (first)
        CHECK(profile_add_type(&p, str_of(first), STR("count")));
    if (second)
        CHECK(profile_add_type(&p, str_of(second), STR("count")));
    const int code = ingest_metric_of(&p, str_of(config), got, err);
    profile_done(&p);
    return code;
}

static void check(const char *first, const char *second, const char *config, const char *want)
{
    cleanup_buf struct buf got = BUF_INIT(4096);
    struct err err = {0};
    CHECK_INT(ask(first, second, config, &got, &err), 0);
    CHECK_STR(buf_cstr(&got), want);
}

static void types_decide(void)
{
    check("samples", "cpu", "", "process_cpu");
    check("samples", "wall", "", "wall");
    check("objects", "space", "", "memory");
    check("alloc_objects", "alloc_space", "", "memory");
    check("inuse_objects", "inuse_space", "", "memory");
    check("goroutine", NULL, "", "goroutines");
    check("contentions", "delay", "", "mutex");
    check("first", "last", "", "last");
    check(NULL, NULL, "", "");
}

static void the_client_says_what_a_type_is(void)
{
    check("contentions", "delay", "{\"contentions\":{\"display-name\":\"mutex_count\"}}", "mutex");
    check("contentions", "delay", "{\"delay\":{\"units\":\"x\",\"display-name\":\"block_duration\"}}", "block");
    check("contentions", "delay", "{}", "delay");
    check("own", NULL, "{\"own\":{\"display-name\":\"better\"}}", "better");
    check("own", NULL, "{\"own\":{\"display-name\":\"\"}}", "own");
    check("own", NULL, "{\"own\":{\"display-name\":5},\"other\":null}", "own");
    check("inuse_space", NULL, "[1]", "memory");
}

static void what_is_no_json_is_refused(void)
{
    cleanup_buf struct buf got = BUF_INIT(4096);
    struct err err = {0};
    CHECK_INT(ask(NULL, NULL, "{\"a\":", &got, &err), -EINVAL);
    CHECK_HAS(err.text, "sample_type_config: ");
    CHECK_INT(got.len, 0);
}

int main(void)
{
    RUN(types_decide);
    RUN(the_client_says_what_a_type_is);
    RUN(what_is_no_json_is_refused);
    return REPORT();
}
