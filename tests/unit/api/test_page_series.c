#include "page_ask.h"

static void push_some(void)
{
    static const struct made_sample ten[] = {{"main;a", {10, 0}, "t1"}}, five[] = {{"main;b", {5, 0}, "t2"}},
                                    two[] = {{"main;b", {2, 0}, NULL}};
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, ten, 1);
    server_push("shop", "us", 200, five, 1);
    server_push("yard", "us", 990, two, 1);
}

static void services_come_with_types_and_values(void)
{
    push_some();
    PAGE_CHECK("services", "{\"services\":[{\"name\":\"shop\",\"profiles\":2,\"last_ms\":200000},"
                           "{\"name\":\"yard\",\"profiles\":1,\"last_ms\":990000}]}");
    PAGE_CHECK("services?buckets=4",
               "{\"from_ms\":0,\"step_ms\":250001,\"services\":["
               "{\"name\":\"shop\",\"profiles\":2,\"last_ms\":200000,\"types\":[{\"id\":\"" SERVER_CPU
               "\",\"profiles\":2,\"total\":15,\"values\":[15,0,0,0]}]},"
               "{\"name\":\"yard\",\"profiles\":1,\"last_ms\":990000,\"types\":[{\"id\":\"" SERVER_CPU
               "\",\"profiles\":1,\"total\":2,\"values\":[0,0,0,2]}]}]}");
    PAGE_CHECK("services?query=%7Bzone%21%3D%22us%22%7D",
               "{\"services\":[{\"name\":\"shop\",\"profiles\":1,\"last_ms\":100000,\"types\":[{\"id\":\"" SERVER_CPU
               "\",\"profiles\":1,\"total\":10}]}]}");
    server_tear_down();
}

static void types_are_those_of_what_is_selected(void)
{
    push_some();
    PAGE_CHECK("types?service=shop", "{\"types\":[{\"id\":\"" SERVER_CPU "\",\"profiles\":2,\"total\":15}]}");
    PAGE_CHECK("types?service=shop&label=zone%3Dus",
               "{\"types\":[{\"id\":\"" SERVER_CPU "\",\"profiles\":1,\"total\":5}]}");
    PAGE_CHECK("types?query=%7Bzone%3D~%22u.%22%7D",
               "{\"types\":[{\"id\":\"" SERVER_CPU "\",\"profiles\":2,\"total\":7}]}");
    PAGE_CHECK_ERROR("types", 400, "service is required: a query may name it");
    server_tear_down();
}

static void labels_and_their_values_are_told(void)
{
    push_some();
    PAGE_CHECK("labels", "{\"labels\":[{\"name\":\"service_name\",\"values\":2},{\"name\":\"thread\",\"values\":2},"
                         "{\"name\":\"zone\",\"values\":2}]}");
    PAGE_CHECK("labels?service=yard",
               "{\"labels\":[{\"name\":\"service_name\",\"values\":1},{\"name\":\"zone\",\"values\":1}]}");
    PAGE_CHECK("values?name=zone", "{\"name\":\"zone\",\"count\":2,\"values\":[\"eu\",\"us\"]}");
    PAGE_CHECK("values?name=zone&limit=1", "{\"name\":\"zone\",\"count\":2,\"values\":[\"eu\"]}");
    PAGE_CHECK("values?name=zone&search=U&service=yard", "{\"name\":\"zone\",\"count\":1,\"values\":[\"us\"]}");
    PAGE_CHECK_ERROR("values", 400, "name is required");
    server_tear_down();
}

static void series_are_grouped_by_labels(void)
{
    push_some();
    PAGE_CHECK("series?by=zone&buckets=2&query=%7B%7D&" PAGE_CPU,
               "{\"unit\":\"nanoseconds\",\"from_ms\":0,\"step_ms\":500001,\"total\":17,\"count\":2,\"series\":["
               "{\"labels\":{\"zone\":\"eu\"},\"profiles\":1,\"total\":10,\"values\":[10,0]},"
               "{\"labels\":{\"zone\":\"us\"},\"profiles\":2,\"total\":7,\"values\":[5,2]}]}");
    PAGE_CHECK("series?by=zone&by=thread&buckets=1&limit=1&query=%7B%7D&" PAGE_CPU,
               "{\"unit\":\"nanoseconds\",\"from_ms\":0,\"step_ms\":1000001,\"total\":17,\"count\":3,\"series\":["
               "{\"labels\":{\"zone\":\"eu\",\"thread\":\"t1\"},\"profiles\":1,\"total\":10,\"values\":[10]}]}");
    PAGE_CHECK("series?by=thread&buckets=1&service=yard&" PAGE_CPU,
               "{\"unit\":\"nanoseconds\",\"from_ms\":0,\"step_ms\":1000001,\"total\":2,\"count\":1,\"series\":["
               "{\"labels\":{},\"profiles\":1,\"total\":2,\"values\":[2]}]}");
    PAGE_CHECK("timeline?buckets=2&query=%7Bservice_name%3D~%22.%2B%22%7D&" PAGE_CPU,
               "{\"unit\":\"nanoseconds\",\"from_ms\":0,\"step_ms\":500001,\"values\":[15,2]}");
    server_tear_down();
}

static void a_heat_map_counts_profiles_by_their_totals(void)
{
    push_some();
    PAGE_CHECK("heatmap?buckets=2&rows=4&query=%7B%7D&" PAGE_CPU,
               "{\"unit\":\"nanoseconds\",\"from_ms\":0,\"step_ms\":500001,\"least\":2,\"most\":10,\"rows\":4,"
               "\"columns\":2,\"profiles\":3,\"cells\":[0,1,1,0,3,1,1,0,1]}");
    PAGE_CHECK("heatmap?buckets=2&rows=4&service=none&" PAGE_CPU,
               "{\"unit\":\"nanoseconds\",\"from_ms\":0,\"step_ms\":500001,\"least\":0,\"most\":0,\"rows\":4,"
               "\"columns\":2,\"profiles\":0,\"cells\":[]}");
    server_tear_down();
}

/* A week and a day, of which one profile has samples of two threads: it is one profile. */
static void a_profile_of_several_threads_counts_once(void)
{
    static const struct made_sample both[] = {{"main;a", {10, 0}, "t1"}, {"main;b", {5, 0}, "t2"}},
                                    four[] = {{"main;b", {4, 0}, NULL}};
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, both, 2);
    server_push("shop", "eu", 8 * 86400, four, 1);
    cleanup_probe struct probe_reply r =
        page_get("heatmap?buckets=2&rows=11&from=0&until=691200000&service=shop&type=" SERVER_CPU);
    CHECK_HAS(r.body, "\"least\":4,\"most\":15,\"rows\":11,\"columns\":2,\"profiles\":2,"
                      "\"cells\":[0,10,1,1,0,1]}");
    server_tear_down();
}

static void a_selector_that_is_none_is_an_error(void)
{
    push_some();
    cleanup_probe struct probe_reply r = page_get("services?query=%7Bzone%7D");
    CHECK_INT(r.status, 400);
    CHECK_HAS(r.body, "parsing label selector");
    cleanup_probe struct probe_reply unknown = page_get("nothing");
    CHECK_INT(unknown.status, 404);
    server_tear_down();
}

static void a_limit_is_named_with_its_flag(void)
{
    static const struct made_sample ten[] = {{"main;a", {10, 0}, "t1"}};
    server_set_up((struct store_limits){.series = 1});
    server_push("shop", "eu", 100, ten, 1);
    server_push("shop", "us", 100, ten, 1);
    PAGE_CHECK_ERROR("series?by=zone&service=shop&" PAGE_CPU, 400,
                     "more than 1 series: add label matchers, or raise --store.query-series");
    server_tear_down();
}

int main(void)
{
    uv_loop_init(&server_loop);
    RUN(services_come_with_types_and_values);
    RUN(types_are_those_of_what_is_selected);
    RUN(labels_and_their_values_are_told);
    RUN(series_are_grouped_by_labels);
    RUN(a_heat_map_counts_profiles_by_their_totals);
    RUN(a_profile_of_several_threads_counts_once);
    RUN(a_selector_that_is_none_is_an_error);
    RUN(a_limit_is_named_with_its_flag);
    uv_run(&server_loop, UV_RUN_DEFAULT);
    uv_loop_close(&server_loop);
    return REPORT();
}
