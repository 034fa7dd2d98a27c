#include "store/ingest.h"

#include <errno.h>
#include <time.h>

#include "base/gzip.h"
#include "ingest_fixture.h"
#include "parser/parser_main.h"
#include "store/digest.h"
#include "test.h"

#define SECOND 1000000000LL

static const struct made_sample stacks[] = {
    {"main;work", {5, 50}, NULL}, {"main;wait", {0, 0}, NULL}, {"main;bad", {-1, 3}, NULL}, {"main", {2, 0}, "pool-1"}};

static struct buf profile_at(int64_t time_ns, size_t samples)
{
    return make_profile(&(struct made_profile){.types = {{"samples", "count"}, {"cpu", "nanoseconds"}},
                                               .period = {"cpu", "nanoseconds"},
                                               .samples = stacks,
                                               .n = samples,
                                               .time_ns = time_ns,
                                               .duration_ns = 7});
}

static int push(struct str pprof, struct err *err)
{
    *err = (struct err){0};
    return fixture_push("shop", NULL, pprof, err);
}

static void each_sample_type_and_label_set_is_a_series(void)
{
    struct err err;
    fixture_open();
    cleanup_buf struct buf pprof = profile_at(10 * SECOND, 4);
    CHECK_INT(push(buf_slice(&pprof), &err), 0);
    /* Without labels both types; of the thread only the type that has a value. */
    CHECK_INT(fixture_count("SELECT count(*) FROM series"), 3);
    CHECK_INT(fixture_count("SELECT count(*) FROM series WHERE service = 'shop'"), 3);
    CHECK_INT(fixture_count("SELECT count(*) FROM series WHERE type = 'process_cpu:samples:count:cpu:nanoseconds'"), 2);
    CHECK_INT(fixture_count("SELECT count(*) FROM profile"), 3);
    CHECK_INT(fixture_count("SELECT count(*) FROM body"), 1);
    /* Samples with a negative value or without any do not count. */
    CHECK_INT(fixture_count("SELECT sum(total) FROM profile WHERE type_index = 0"), 7);
    CHECK_INT(fixture_count("SELECT sum(total) FROM profile WHERE type_index = 1"), 50);
    CHECK_INT(fixture_count("SELECT min(time_ns) FROM profile"), 10 * SECOND);
    CHECK_INT(fixture_count("SELECT max(duration_ns) FROM profile"), 7);
    fixture_close();
}

static void the_same_body_is_kept_once(void)
{
    struct err err;
    fixture_open();
    cleanup_buf struct buf pprof = profile_at(10 * SECOND, 1), packed = BUF_INIT(1 << 20);
    CHECK_INT(gzip_deflate(buf_slice(&pprof), 1, &packed), 0);
    CHECK_INT(push(buf_slice(&pprof), &err), 0);
    /* Packed is the same content; another service has rows of its own that point to it. */
    CHECK_INT(push(buf_slice(&packed), &err), 0);
    CHECK_INT(fixture_count("SELECT count(*) FROM profile"), 2);
    CHECK_INT(fixture_push("other", NULL, buf_slice(&pprof), &err), 0);
    CHECK_INT(fixture_count("SELECT count(*) FROM profile"), 4);
    CHECK_INT(fixture_count("SELECT count(*) FROM body"), 1);
    fixture_close();
}

static void a_profile_without_time_has_that_of_its_first_push(void)
{
    struct err err;
    fixture_open();
    const int64_t before = (int64_t)time(NULL) * SECOND;
    cleanup_buf struct buf pprof = profile_at(0, 1);
    CHECK_INT(push(buf_slice(&pprof), &err), 0);
    const int64_t at = fixture_count("SELECT max(time_ns) FROM profile");
    CHECK(at >= before && at < before + 60 * SECOND);
    CHECK_INT(push(buf_slice(&pprof), &err), 0);
    CHECK_INT(fixture_count("SELECT count(*) FROM profile"), 2);
    CHECK_INT(fixture_count("SELECT max(time_ns) FROM profile"), at);
    fixture_close();
}

static void a_profile_that_says_nothing_leaves_nothing(void)
{
    struct err err;
    fixture_open();
    cleanup_buf struct buf pprof = profile_at(10 * SECOND, 0);
    CHECK_INT(push(buf_slice(&pprof), &err), 0);
    CHECK_INT(fixture_count("SELECT (SELECT count(*) FROM series) + (SELECT count(*) FROM body)"), 0);
    fixture_close();
}

static void refuses_what_the_sender_has_to_put_right(void)
{
    struct err err;
    fixture_open();
    cleanup_buf struct buf late = profile_at(((int64_t)time(NULL) + 3600) * SECOND, 1), fine = profile_at(SECOND, 1);
    CHECK_INT(push(buf_slice(&late), &err), -EINVAL);
    CHECK_HAS(err.text, "ahead of this host's clock");
    CHECK_INT(push(STR("\x1f\x8b by no means gzip"), &err), -EINVAL);
    CHECK_HAS(err.text, "profile of shop: gzip: ");
    CHECK_INT(push(STR("\x0a\x7f by no means pprof"), &err), -EINVAL);
    CHECK_HAS(err.text, "profile of shop: ");
    const struct str profile = buf_slice(&fine);
    const struct label no_name = {STR("service_name"), STR("shop")}, name = {STR("__name__"), STR("cpu")};
    CHECK_INT(fixture_push_series(&(struct series){&no_name, 1, &profile, 1}, &err), -EINVAL);
    CHECK_HAS(err.text, "invalid metric name");
    CHECK_INT(fixture_push_series(&(struct series){&name, 1, NULL, 0}, &err), -EINVAL);
    CHECK_STR(err.text, "no profiles received");
    CHECK_INT(fixture_count("SELECT count(*) FROM profile"), 0);
    fixture_close();
}

static void the_profiles_of_a_push_may_be_many(void)
{
    enum { MANY = 2 * PARSER_BATCH_ITEMS + 3 };
    struct err err = {0};
    struct buf made[MANY];
    struct str profiles[MANY];
    fixture_open();
    for (size_t i = 0; i < MANY; i++) {
        made[i] = profile_at((int64_t)(i + 1) * SECOND, 1);
        profiles[i] = buf_slice(&made[i]);
    }
    const struct label name = {STR("__name__"), STR("cpu")}, other = {STR("__name__"), STR("wall")};
    const struct series series[] = {{&name, 1, profiles, PARSER_BATCH_ITEMS - 1},
                                    {&other, 1, profiles + PARSER_BATCH_ITEMS - 1, MANY - PARSER_BATCH_ITEMS + 1}};
    fixture_context = (struct ingest_context){.db = &fixture_db, .parsers = fixture_context.parsers};
    CHECK_INT(ingest_push(&fixture_context, series, 2, &err), 0);
    CHECK_INT(fixture_count("SELECT count(*) FROM body"), MANY);
    CHECK_INT(fixture_count("SELECT count(*) FROM profile"), 2 * MANY);
    CHECK_INT(fixture_count("SELECT count(*) FROM profile JOIN series ON series.id = profile.series "
                            "WHERE series.type LIKE 'wall:%'"),
              2 * (MANY - PARSER_BATCH_ITEMS + 1));
    for (size_t i = 0; i < MANY; i++)
        buf_done(&made[i]);
    fixture_close();
}

/* ---- in a real parser process, which one of the profiles takes over ---- */

static void intrude(int sock, const uint8_t *bytes, size_t n)
{
    volatile int *volatile nowhere = (int *)16;
    (void)sock;
    if (memmem(bytes, n, "EVIL", 4))
        *nowhere = 1;
}

static struct buf profile_of(const char *stack)
{
    const struct made_sample sample = {stack, {5, 50}, NULL};
    return make_profile(&(struct made_profile){.types = {{"samples", "count"}, {"cpu", "nanoseconds"}},
                                               .period = {"cpu", "nanoseconds"},
                                               .samples = &sample,
                                               .n = 1,
                                               .time_ns = 10 * SECOND});
}

static void a_profile_that_ends_the_parser_is_refused_and_named(void)
{
    struct err err = {0};
    fixture_open();
    cleanup_buf struct buf fine = profile_of("main"), evil = profile_of("EVIL"), after = profile_of("after");
    const struct str profiles[] = {buf_slice(&fine), buf_slice(&evil), buf_slice(&after)};
    const struct label labels[] = {{STR("__name__"), STR("cpu")}, {STR("service_name"), STR("shop")}};
    CHECK_INT(fixture_push_series(&(struct series){labels, 2, profiles, 3}, &err), -ECANCELED);
    CHECK_HAS(err.text, "profile of shop: ended the parser twice and was set aside: it ");
    CHECK_INT(fixture_context.set_aside, 1);
    CHECK(fixture_context.endings[PARSER_CRASHED] >= 2);
    CHECK_INT(push(buf_slice(&after), &err), 0);
    CHECK_INT(fixture_context.endings[PARSER_CRASHED], 0);
    fixture_close();
}

static void in_a_parser_process(struct parser_pool *pool)
{
    fixture_context.parsers = pool;
    RUN(each_sample_type_and_label_set_is_a_series);
    RUN(the_same_body_is_kept_once);
    RUN(a_profile_that_says_nothing_leaves_nothing);
    RUN(refuses_what_the_sender_has_to_put_right);
    RUN(the_profiles_of_a_push_may_be_many);
    RUN(a_profile_that_ends_the_parser_is_refused_and_named);
    parser_pool_free(pool);
}

int main(int argc, char **argv)
{
    static const struct parser_service *const services[] = {&digest_service, NULL};
    parser_main(argc, argv, services, intrude);
    RUN(each_sample_type_and_label_set_is_a_series);
    RUN(the_same_body_is_kept_once);
    RUN(a_profile_without_time_has_that_of_its_first_push);
    RUN(a_profile_that_says_nothing_leaves_nothing);
    RUN(refuses_what_the_sender_has_to_put_right);
    RUN(the_profiles_of_a_push_may_be_many);
    in_a_parser_process(parser_pool_new(argv[0], NULL));
    return REPORT();
}
