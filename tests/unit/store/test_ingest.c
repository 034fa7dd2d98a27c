#include "store/ingest.h"

#include <errno.h>
#include <time.h>

#include "base/gzip.h"
#include "ingest_fixture.h"
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
    CHECK_INT(ingest_series(&fixture_db, &(struct series){&no_name, 1, &profile, 1}, &err), -EINVAL);
    CHECK_HAS(err.text, "invalid metric name");
    CHECK_INT(ingest_series(&fixture_db, &(struct series){&name, 1, NULL, 0}, &err), -EINVAL);
    CHECK_STR(err.text, "no profiles received");
    CHECK_INT(fixture_count("SELECT count(*) FROM profile"), 0);
    fixture_close();
}

int main(void)
{
    RUN(each_sample_type_and_label_set_is_a_series);
    RUN(the_same_body_is_kept_once);
    RUN(a_profile_without_time_has_that_of_its_first_push);
    RUN(a_profile_that_says_nothing_leaves_nothing);
    RUN(refuses_what_the_sender_has_to_put_right);
    return REPORT();
}
