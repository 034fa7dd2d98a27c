#include "store/select.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ingest_fixture.h"
#include "store/reader.h"
#include "test.h"

static struct store_reader reader;

static void push(const char *service, const char *zone, int64_t at_s)
{
    const struct made_sample sample = {"main;work", {10}, NULL};
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .samples = &sample,
                                                                       .n = 1,
                                                                       .time_ns = at_s * NS_PER_SEC});
    struct err err = {0};
    CHECK_INT(fixture_push(service, zone, buf_slice(&pprof), &err), 0);
}

static void set_up(void)
{
    fixture_open();
    reader = (struct store_reader){.db = &fixture_db};
    push("shop", "eu", 100);
    push("shop", "us", 200);
    push("till", NULL, 100);
}

static void put_series(void *arg, const struct store_series *s)
{
    buf_printf(arg, "%.*s/%.*s ", STR_ARG(label_list_get(s->labels, STR("service_name"))),
               STR_ARG(label_list_get(s->labels, STR("zone"))));
}

static int select_series(const char *selector, int64_t from_s, int64_t until_s, struct buf *out, struct err *err)
{
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    CHECK_INT(label_selector_add(&s, str_of(selector), err), 0);
    const struct store_filter filter = {&s, {from_s * 1000, until_s * 1000}};
    return store_each_series(&reader, &filter, put_series, out, err);
}

static void check_series(const char *selector, int64_t from_s, int64_t until_s, const char *want)
{
    struct err err = {0};
    cleanup_buf struct buf got = BUF_INIT(4096);
    CHECK_INT(select_series(selector, from_s, until_s, &got, &err), 0);
    CHECK_STR(buf_cstr(&got), want);
}

static void series_are_those_of_the_selector_and_the_range(void)
{
    set_up();
    check_series("{}", 0, 1000, "shop/eu shop/us till/ ");
    check_series("{service_name=\"shop\"}", 0, 1000, "shop/eu shop/us ");
    check_series("{zone!=\"\"}", 150, 1000, "shop/us ");
    check_series("{service_name=~\"t.*\"}", 0, 99, "");
    check_series("{service_name=~\"t.*\"}", 100, 100, "till/ ");
    check_series("process_cpu:cpu:nanoseconds:cpu:nanoseconds{zone=\"eu\"}", 0, 1000, "shop/eu ");
    check_series("memory:alloc_space:bytes::{}", 0, 1000, "");
    check_series("{__type__=\"cpu\",__period_unit__=\"nanoseconds\",__service_name__=\"till\"}", 0, 1000, "till/ ");
    fixture_close();
}

static void more_series_than_the_limit_are_an_error(void)
{
    struct err err = {0};
    cleanup_buf struct buf got = BUF_INIT(4096);
    set_up();
    reader.limits.series = 2;
    CHECK_INT(select_series("{}", 0, 1000, &got, &err), -EMSGSIZE);
    CHECK_STR(err.text, "more than 2 series: add label matchers, or raise --store.query-series");
    CHECK_INT(select_series("{service_name=\"shop\"}", 0, 1000, &got, &err), 0);
    fixture_close();
}

static void put_point(void *arg, const struct store_point *p)
{
    buf_printf(arg, "%.*s %lld %lld;", STR_ARG(label_list_get(p->series->labels, STR("zone"))),
               (long long)(p->time_ns / NS_PER_SEC), (long long)p->total);
}

static void points_are_the_profiles_of_the_range(void)
{
    struct err err = {0};
    cleanup_label_selector struct label_selector s = LABEL_SELECTOR_INIT;
    cleanup_buf struct buf got = BUF_INIT(4096);
    set_up();
    push("shop", "eu", 150);
    CHECK_INT(label_selector_add(&s, STR("{service_name=\"shop\"}"), &err), 0);
    const struct store_filter filter = {&s, {100001, 1000000}};
    CHECK_INT(store_each_point(&reader, &filter, put_point, &got, &err), 0);
    CHECK_STR(buf_cstr(&got), "eu 150 10;us 200 10;");
    fixture_close();
}

static void a_deadline_is_kept(void)
{
    struct err err = {0};
    cleanup_buf struct buf got = BUF_INIT(4096);
    set_up();
    reader.deadline_ms = clock_ms() - 1;
    CHECK_INT(select_series("{}", 0, 1000, &got, &err), -ETIMEDOUT);
    CHECK_HAS(err.text, "raise --store.query-timeout (20 s)");
    fixture_close();
}

int main(void)
{
    RUN(series_are_those_of_the_selector_and_the_range);
    RUN(more_series_than_the_limit_are_an_error);
    RUN(points_are_the_profiles_of_the_range);
    RUN(a_deadline_is_kept);
    return REPORT();
}
