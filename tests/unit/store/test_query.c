#include "store/query.h"
#include "store/reader.h"

#include <errno.h>
#include <stdlib.h>

#include "base/gzip.h"
#include "ingest_fixture.h"
#include "parser/parser_main.h"
#include "selection.h"
#include "store/flame_merge.h"
#include "test.h"

#define SECOND 1000000000LL

static const char cpu[] = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
static struct store_reader reader;

/* One second of `value` in main;work, `at_s` seconds after 1970; two threads where `thread` is given. */
static void push(const char *service, const char *zone, int64_t at_s, int64_t value, const char *thread)
{
    const struct made_sample samples[] = {{"main;work", {value}, NULL},
                                          {"main;sleep", {thread ? value * 2 : 0}, thread}};
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .samples = samples,
                                                                       .n = thread ? 2 : 1,
                                                                       .time_ns = at_s * SECOND,
                                                                       .duration_ns = SECOND});
    struct err err = {0};
    if (fixture_push(service, zone, buf_slice(&pprof), &err) < 0)
        FAIL_("%s", err.text);
}

static void set_up(void)
{
    fixture_open();
    reader = (struct store_reader){.db = &fixture_db};
    push("shop", "eu", 100, 10, NULL);
    push("shop", "us", 110, 5, NULL);
    push("shop", "eu", 120, 1, "pool");
    push("till", NULL, 115, 7, NULL);
}

static struct selection selection(int64_t from_s, int64_t until_s)
{
    return (struct selection){.service = STR("shop"), .type = str_of(cpu), .range = {from_s * 1000, until_s * 1000}};
}

static void put_service(void *arg, const struct store_service *s)
{
    buf_printf(arg, "%.*s %llu %lld;", STR_ARG(s->name), (unsigned long long)s->profiles, (long long)s->last_ms);
}

static void put_type(void *arg, const struct store_type *t)
{
    buf_printf(arg, "%.*s %llu %lld;", STR_ARG(t->id), (unsigned long long)t->profiles, (long long)t->total);
}

static void lists_services_and_types_of_a_time_range(void)
{
    struct err err = {0};
    cleanup_buf struct buf all = BUF_INIT(4096), some = BUF_INIT(4096), types = BUF_INIT(4096);
    set_up();
    CHECK_INT(store_services(&reader, (struct store_range){0, 1000000}, put_service, &all, &err), 0);
    CHECK_STR(buf_cstr(&all), "shop 4 120000;till 1 115000;");
    /* Both ends belong to the range. */
    CHECK_INT(store_services(&reader, (struct store_range){100000, 110000}, put_service, &some, &err), 0);
    CHECK_STR(buf_cstr(&some), "shop 2 110000;");
    CHECK_INT(store_types(&reader, STR("shop"), (struct store_range){0, 1000000}, put_type, &types, &err), 0);
    char want[128];
    snprintf(want, sizeof want, "%s 4 18;", cpu);
    CHECK_STR(buf_cstr(&types), want);
    fixture_close();
}

static int64_t total_of(const struct selection *what, struct store_span *span)
{
    struct err err = {0};
    cleanup_flame struct flame f;
    *span = (struct store_span){0};
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    CHECK_INT(selection_flame(&reader, what, &f, span, &err), 0);
    flame_finish(&f);
    return f.nodes[0].total;
}

static void merges_what_is_selected(void)
{
    struct store_span span;
    set_up();
    struct selection what = selection(0, 1000);
    CHECK_INT(total_of(&what, &span), 18);
    CHECK_INT(span.profiles, 3); /* the one with a thread is two series, and still one profile */
    CHECK_INT(span.first_ns, 100 * SECOND);
    CHECK_INT(span.last_ns, 121 * SECOND);
    what = selection(105, 115);
    CHECK_INT(total_of(&what, &span), 5);
    what = selection(0, 1000);
    const struct label zone = {STR("zone"), STR("eu")}, thread[] = {zone, {STR("thread"), STR("pool")}};
    what.labels = &zone;
    what.label_count = 1;
    CHECK_INT(total_of(&what, &span), 13);
    /* A label of samples selects them, and not the rest of their profile. */
    what.labels = thread;
    what.label_count = 2;
    CHECK_INT(total_of(&what, &span), 2);
    what.service = STR("nobody");
    CHECK_INT(total_of(&what, &span), 0);
    CHECK_INT(span.profiles, 0);
    fixture_close();
}

static void sums_values_over_time(void)
{
    struct err err = {0};
    int64_t buckets[3] = {0};
    set_up();
    const struct selection what = selection(100, 129);
    CHECK_INT(selection_timeline(&reader, &what, 10000, buckets, 3, &err), 0);
    CHECK_INT(buckets[0], 10);
    CHECK_INT(buckets[1], 5);
    CHECK_INT(buckets[2], 3);
    /* What lies behind the last bucket is left out. */
    memset(buckets, 0, sizeof buckets);
    CHECK_INT(selection_timeline(&reader, &what, 10000, buckets, 2, &err), 0);
    CHECK_INT(buckets[0] + buckets[1], 15);
    CHECK_INT(buckets[2], 0);
    fixture_close();
}

static void a_sum_stops_at_the_largest_number(void)
{
    struct err err = {0};
    int64_t bucket = 0;
    fixture_open();
    reader = (struct store_reader){.db = &fixture_db};
    push("shop", NULL, 100, INT64_MAX - 5, NULL);
    push("shop", NULL, 101, 100, NULL);
    const struct selection what = selection(0, 1000);
    CHECK_INT(selection_timeline(&reader, &what, 1000000, &bucket, 1, &err), 0);
    CHECK_INT(bucket, INT64_MAX);
    struct store_span span;
    CHECK_INT(total_of(&what, &span), INT64_MAX);
    fixture_close();
}

static void a_body_that_cannot_be_read_any_more_hides_no_other(void)
{
    struct err err = {0};
    struct store_span span;
    set_up();
    CHECK_INT(db_exec(&fixture_db,
                      "UPDATE body SET pprof = x'00112233' WHERE id = (SELECT body FROM profile WHERE total = 10)",
                      &err),
              0);
    const struct selection what = selection(0, 1000);
    CHECK_INT(total_of(&what, &span), 8);
    CHECK_INT(reader.damaged.code, 0);
    fixture_close();
}

static void a_failing_database_is_an_error(void)
{
    struct err err = {0};
    cleanup_buf struct buf out = BUF_INIT(4096);
    set_up();
    CHECK_INT(db_exec(&fixture_db, "DROP TABLE profile", &err), 0);
    CHECK(store_services(&reader, (struct store_range){0, 1000000}, put_service, &out, &err) < 0);
    CHECK_HAS(err.text, "no such table");
    CHECK_INT(out.len, 0);
    fixture_close();
}

/* ---- in a real parser process, which one of the bodies takes over ---- */

static void intrude(int sock, const uint8_t *bytes, size_t n)
{
    volatile int *volatile nowhere = (int *)16;
    (void)sock;
    if (memmem(bytes, n, "EVIL", 4))
        *nowhere = 1;
}

/* The same gzip with a file name in its header (RFC 1952 §2.3). */
static void named_gzip(struct str plain, const char *name, struct buf *out)
{
    enum { HEADER = 10, FLAGS_AT = 3, FNAME = 8 };
    cleanup_buf struct buf packed = BUF_INIT(1 << 20);
    CHECK_INT(gzip_deflate(plain, 6, &packed), 0);
    packed.p[FLAGS_AT] |= FNAME;
    buf_append(out, packed.p, HEADER);
    buf_append(out, name, strlen(name) + 1);
    buf_append(out, packed.p + HEADER, packed.len - HEADER);
}

static void a_stored_profile_that_ends_the_parser_is_left_out(void)
{
    const struct made_sample sample = {"main;work", {1000}, NULL};
    struct store_span span;
    struct err err = {0};
    struct parser_pool *pool = reader.parsers;
    cleanup_buf struct buf evil = BUF_INIT(1 << 20),
                           pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .samples = &sample,
                                                                       .n = 1,
                                                                       .time_ns = 112 * SECOND});
    named_gzip(buf_slice(&pprof), "EVIL", &evil);
    set_up();
    reader.parsers = pool;
    CHECK_INT(fixture_push("shop", "eu", buf_slice(&evil), &err), 0);
    const struct selection what = selection(0, 1000);
    CHECK_INT(total_of(&what, &span), 18);
    CHECK_INT(reader.set_aside, 1);
    CHECK(reader.endings[PARSER_CRASHED] >= 2);
    reader.parsers = NULL; /* without the intruder it is there */
    CHECK_INT(total_of(&what, &span), 1018);
    reader.parsers = pool;
    fixture_close();
}

int main(int argc, char **argv)
{
    static const struct parser_service *const services[] = {&flame_merge_service, NULL};
    parser_main(argc, argv, services, intrude);
    RUN(lists_services_and_types_of_a_time_range);
    RUN(merges_what_is_selected);
    RUN(sums_values_over_time);
    RUN(a_sum_stops_at_the_largest_number);
    RUN(a_body_that_cannot_be_read_any_more_hides_no_other);
    RUN(a_failing_database_is_an_error);
    reader.parsers = parser_pool_new(argv[0], NULL);
    RUN(a_stored_profile_that_ends_the_parser_is_left_out);
    parser_pool_free(reader.parsers);
    return REPORT();
}
