/* The older API, heat maps, and calls about the store itself. */
#include "api/pyroscope/querier.h"

#include "store_server.h"

static const struct made_sample ten = {"main;work", {10}, NULL}, thirty = {"main;work", {30}, NULL};

static void set_up(void)
{
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, &ten, 1);
    server_push("shop", "us", 101, &thirty, 1);
    server_push("till", NULL, 200, &ten, 1);
}

static void check_get(const char *target, int status, const char *want)
{
    cleanup_probe struct probe_reply r = probe(&server_loop, server_at, "GET", target, "", NULL, 0);
    CHECK_INT(r.status, status);
    CHECK_STR(r.body, want);
}

#define SHOP SERVER_CPU "%7Bservice_name%3D%22shop%22%7D"
#define GRAPH                                                                                                          \
    "\"names\":[\"total\",\"main\",\"work\"],\"levels\":[[0,40,0,0],[0,40,0,1],[0,40,40,2]],\"numTicks\":40,"          \
    "\"maxSelf\":40"
#define META "\"spyName\":\"\",\"sampleRate\":1000000000,\"units\":\"samples\",\"name\":\"cpu\""

static void render_is_a_graph_with_a_timeline(void)
{
    set_up();
    check_get(
        "/pyroscope/render?query=" SHOP "&from=100&until=131&groupBy=zone", 200,
        "{\"version\":1,\"flamebearer\":{" GRAPH "},\"metadata\":{\"format\":\"single\"," META "},\"timeline\":{"
        "\"startTime\":90,\"samples\":[0,40,0,0],\"durationDelta\":15,\"watermarks\":null},\"groups\":{\"eu\":{"
        "\"startTime\":90,\"samples\":[0,10,0,0],\"durationDelta\":15,\"watermarks\":null},\"us\":{\"startTime\":90,"
        "\"samples\":[0,30,0,0],\"durationDelta\":15,\"watermarks\":null}},\"heatmap\":null}");
    check_get(
        "/pyroscope/render?query=%7B__name__%3D%22" SERVER_CPU "%22%2Cservice_name%3D%22shop%22%7D&from=100&until="
        "101",
        200,
        "{\"version\":1,\"flamebearer\":{" GRAPH "},\"metadata\":{\"format\":\"single\"," META "},\"timeline\":{"
        "\"startTime\":90,\"samples\":[0,40],\"durationDelta\":15,\"watermarks\":null},\"groups\":null,\"heatmap\":"
        "null}");
    server_tear_down();
}

static void a_graph_is_drawn_for_graphviz(void)
{
    static const char graph[] = "digraph \"" SERVER_CPU "\" {\n  N1 [label=\"main\\n0 (0.00%)\\nof 40 (100.00%)\" "
                                "shape=box]\n  N2 [label=\"work\\n40 (100.00%)\\nof 40 (100.00%)\" shape=box]\n  N1 -> "
                                "N2 [label=\" 40\"]\n}\n";
    set_up();
    check_get("/pyroscope/render?query=" SHOP "&from=100&until=131&format=dot", 200, graph);
    cleanup_probe struct probe_reply r = server_call(
        "SelectMergeStacktraces", "", "{\"profileTypeID\":\"" SERVER_CPU "\",\"start\":1,\"end\":150000,\"format\":3}");
    CHECK_HAS(r.body, "{\"dot\":\"digraph ");
    server_tear_down();
}

static void render_says_what_is_missing(void)
{
    set_up();
    check_get("/pyroscope/render", 400, "{\"code\":\"invalid_argument\",\"message\":\"\\\"query\\\" is required\"}");
    check_get("/pyroscope/render?query=%7B%7D", 400,
              "{\"code\":\"invalid_argument\",\"message\":\"\\\"query\\\" must contain a profile-type selection\"}");
    check_get("/pyroscope/render-diff?leftQuery=" SHOP "&rightQuery=memory:alloc_space:bytes::%7B%7D", 400,
              "{\"code\":\"invalid_argument\",\"message\":\"profile types must match\"}");
    check_get("/pyroscope/label-values", 400,
              "{\"code\":\"invalid_argument\",\"message\":\"label parameter is required\"}");
    server_tear_down();
}

static void render_diff_has_both_sides(void)
{
    set_up();
    check_get("/pyroscope/render-diff?leftQuery=" SHOP "&leftFrom=100&leftUntil=100&rightQuery=" SHOP
              "&rightFrom=101&rightUntil=101",
              200,
              "{\"version\":1,\"flamebearer\":{\"names\":[\"total\",\"main\",\"work\"],\"levels\":[[0,10,0,0,30,0,0],"
              "[0,10,0,0,30,0,1],[0,10,10,0,30,30,2]],\"numTicks\":40,\"maxSelf\":30},\"metadata\":{\"format\":"
              "\"double\"," META
              "},\"leftTicks\":10,\"rightTicks\":30,\"timeline\":null,\"groups\":null,\"heatmap\":null}");
    server_tear_down();
}

static void label_values_are_a_list(void)
{
    set_up();
    check_get("/pyroscope/label-values?label=__name__", 200, "[\"" SERVER_CPU "\"]");
    check_get("/pyroscope/label-values?label=zone", 200, "[\"eu\",\"us\"]");
    check_get("/pyroscope/label-values?label=nothing", 200, "[]");
    server_tear_down();
}

#define HEATMAP "\"profileTypeID\":\"" SERVER_CPU "\",\"start\":100000,\"end\":200000,\"step\":100,\"queryType\":1"

static void a_heatmap_counts_profiles_by_total(void)
{
    set_up();
    cleanup_probe struct probe_reply r =
        server_call("SelectHeatmap", "", "{" HEATMAP ",\"groupBy\":[\"service_name\"],\"limit\":1,\"exemplarType\":2}");
    CHECK_INT(r.status, 200);
    json_t *answer = json_loadb(r.body, r.body_len, 0, NULL);
    const json_t *list = json_object_get(answer, "series"), *series = json_array_get(list, 0),
                 *slots = json_object_get(series, "slots"), *second = json_array_get(slots, 1);
    CHECK_INT(json_array_size(list), 1); /* of the service with more profiles */
    CHECK_INT(json_array_size(slots), 2);
    CHECK_STR(json_string_value(json_object_get(json_array_get(slots, 0), "timestamp")), "100000");
    CHECK_STR(json_string_value(json_object_get(second, "timestamp")), "200000");
    const json_t *counts = json_object_get(second, "counts"), *edges = json_object_get(second, "yMin");
    CHECK_INT(json_array_size(counts), 20);
    CHECK_INT(json_integer_value(json_array_get(counts, 19)), 1);
    CHECK_INT(json_integer_value(json_array_get(counts, 0)), 0);
    CHECK_INT(json_array_size(edges), 20);
    CHECK_INT(json_number_value(json_array_get(edges, 1)), 11); /* from 10 to 30 */
    CHECK_INT(json_array_size(json_object_get(second, "exemplars")), 1);
    json_decref(answer);
    server_check("SelectHeatmap",
                 "{\"profileTypeID\":\"" SERVER_CPU "\",\"start\":1,\"end\":2,\"step\":1,\"queryType\":1}", 200, "{}");
    server_check("SelectHeatmap", "{\"profileTypeID\":\"" SERVER_CPU "\",\"start\":1,\"end\":2,\"step\":1}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"valid heatmap query type must be specified\"}");
    server_check("SelectHeatmap", "{" HEATMAP ",\"limit\":-1}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"limit must be non-negative, got -1\"}");
    server_check("SelectHeatmap", "{" HEATMAP ",\"exemplarType\":3}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"exemplars of spans require a heat map of spans\"}");
    server_tear_down();
}

/* One profile with samples of two threads, and a smaller one of another zone. */
static void push_threads(void)
{
    static const struct made_sample both[] = {{"main;work", {10}, "t1"}, {"main;work", {50}, "t2"}};
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, both, 2);
    server_push("shop", "us", 100, &thirty, 1);
}

static json_t *ask_series(const char *method, const char *more, size_t *n)
{
    char ask[512];
    snprintf(ask, sizeof ask, "{\"profileTypeID\":\"" SERVER_CPU "\",\"start\":100000,\"end\":200000,\"step\":100,%s}",
             more);
    cleanup_probe struct probe_reply r = server_call(method, "", ask);
    CHECK_INT(r.status, 200);
    json_t *answer = json_loadb(r.body, r.body_len, 0, NULL);
    *n = json_array_size(json_object_get(answer, "series"));
    return answer;
}

/* Of the first series. */
static const json_t *first_of(const json_t *answer, const char *list)
{
    return json_array_get(json_object_get(json_array_get(json_object_get(answer, "series"), 0), list), 0);
}

static bool exemplar_has_label(const json_t *exemplar, const char *name)
{
    size_t i;
    json_t *label;
    json_array_foreach(json_object_get(exemplar, "labels"), i, label)
    {
        if (strcmp(json_string_value(json_object_get(label, "name")), name) == 0)
            return true;
    }
    return false;
}

static void a_heatmap_counts_a_profile_of_several_threads_once(void)
{
    size_t n;
    push_threads();
    json_t *answer = ask_series("SelectHeatmap", "\"queryType\":1,\"exemplarType\":2", &n);
    CHECK_INT(n, 1);
    const json_t *slot = first_of(answer, "slots"), *counts = json_object_get(slot, "counts"),
                 *edges = json_object_get(slot, "yMin"), *exemplars = json_object_get(slot, "exemplars");
    CHECK_INT(json_integer_value(json_array_get(counts, 0)), 1);
    CHECK_INT(json_integer_value(json_array_get(counts, 19)), 1);
    CHECK_INT(json_number_value(json_array_get(edges, 0)), 30);
    CHECK_INT(json_number_value(json_array_get(edges, 1)), 31); /* whole numbers of 1.5 */
    CHECK_INT(json_array_size(exemplars), 2);
    CHECK_STR(json_string_value(json_object_get(json_array_get(exemplars, 1), "value")), "60");
    CHECK(exemplar_has_label(json_array_get(exemplars, 0), "zone"));
    CHECK(exemplar_has_label(json_array_get(exemplars, 1), "zone"));
    CHECK(!exemplar_has_label(json_array_get(exemplars, 1), "thread")); /* it has no single one */
    json_decref(answer);
    /* By thread, they are two. */
    answer = ask_series("SelectHeatmap", "\"queryType\":1,\"exemplarType\":2,\"groupBy\":[\"thread\"]", &n);
    CHECK_INT(n, 3);
    json_decref(answer);
    server_tear_down();
}

static void a_point_has_the_whole_of_its_largest_profile(void)
{
    size_t n;
    push_threads();
    json_t *answer = ask_series("SelectSeries", "\"exemplarType\":2", &n);
    CHECK_INT(n, 1);
    const json_t *point = first_of(answer, "points"), *one = json_array_get(json_object_get(point, "exemplars"), 0);
    CHECK_INT(json_number_value(json_object_get(point, "value")), 90);
    CHECK_STR(json_string_value(json_object_get(one, "value")), "60");
    CHECK(!exemplar_has_label(one, "thread"));
    json_decref(answer);
    answer = ask_series("SelectSeries", "\"aggregation\":1", &n);
    CHECK_INT(json_number_value(json_object_get(first_of(answer, "points"), "value")), 45);
    json_decref(answer);
    server_tear_down();
}

/* A span is one of its trace, whatever threads it had. */
static void a_heatmap_counts_spans_of_traces(void)
{
    static const char span[] = "00000000000000b1", a[] = "000000000000000000000000000000a1",
                      b[] = "000000000000000000000000000000a2";
    static const struct made_sample spent[] = {{"main;work", {10}, "t1", span, a},
                                               {"main;work", {50}, "t2", span, a},
                                               {"main;work", {6}, "t1", span, b},
                                               {"main;work", {5}, NULL, span, NULL},
                                               {"main;idle", {900}, NULL, NULL, NULL}};
    size_t n;
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, spent, 5);
    json_t *answer = ask_series("SelectHeatmap", "\"queryType\":2,\"exemplarType\":3", &n);
    CHECK_INT(n, 1);
    const json_t *slot = first_of(answer, "slots"), *counts = json_object_get(slot, "counts"),
                 *exemplars = json_object_get(slot, "exemplars"), *most = json_array_get(exemplars, 1);
    CHECK_INT(json_integer_value(json_array_get(counts, 0)), 2); /* 5 and 6, from 5 to 60 */
    CHECK_INT(json_integer_value(json_array_get(counts, 19)), 1);
    CHECK_STR(json_string_value(json_object_get(json_array_get(exemplars, 0), "traceId")), b);
    CHECK_STR(json_string_value(json_object_get(most, "value")), "60");
    CHECK_STR(json_string_value(json_object_get(most, "spanId")), span);
    CHECK_STR(json_string_value(json_object_get(most, "traceId")), a);
    CHECK(!exemplar_has_label(most, "thread"));
    json_decref(answer);
    server_tear_down();
}

/* What came within a step before the start belongs to the first slot, as to the first point of SelectSeries. */
static void a_heatmap_begins_a_step_before_its_start(void)
{
    size_t n;
    set_up();
    json_t *answer = ask_series("SelectHeatmap", "\"queryType\":1,\"start\":150000", &n);
    CHECK_STR(json_string_value(json_object_get(first_of(answer, "slots"), "timestamp")), "150000");
    json_decref(answer);
    server_tear_down();
}

static void the_store_is_described(void)
{
    server_set_up((struct store_limits){0});
    server_check("GetProfileStats", "{}", 200, "{}");
    server_tear_down();
    set_up();
    server_check("GetProfileStats", "{}", 200,
                 "{\"dataIngested\":true,\"oldestProfileTime\":\"100000\",\"newestProfileTime\":\"200000\"}");
    cleanup_probe struct probe_reply r = server_call(
        "AnalyzeQuery", "", "{\"start\":1,\"end\":1000000,\"query\":\"" SERVER_CPU "{service_name=\\\"shop\\\"}\"}");
    CHECK_HAS(r.body, "\"seriesCount\":\"2\",\"profileCount\":\"2\",\"profileBytes\":\"");
    CHECK_HAS(r.body, "\"totalQueriedSeries\":\"2\"");
    server_check("version.v1.Version/Version", "{}", 200, "{\"QuerierAPI\":\"1\"}");
    server_tear_down();
}

static void settings_are_kept(void)
{
    static const char set[] = "{\"setting\":{\"name\":\"pluginSettings\",\"value\":\"{}\",\"modifiedAt\":\"7\"}}";
    set_up();
    server_check("settings.v1.SettingsService/Get", "{}", 200, "{}");
    server_check("settings.v1.SettingsService/Set", set, 200, set);
    server_check("settings.v1.SettingsService/Get", "{}", 200,
                 "{\"settings\":[{\"name\":\"pluginSettings\",\"value\":\"{}\",\"modifiedAt\":\"7\"}]}");
    server_check("settings.v1.SettingsService/Delete", "{\"name\":\"pluginSettings\"}", 200, "{}");
    server_check("settings.v1.SettingsService/Get", "{}", 200, "{}");
    server_check("settings.v1.SettingsService/Set", "{}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"a setting has no name\"}");
    server_tear_down();
}

int main(void)
{
    uv_loop_init(&server_loop);
    RUN(render_is_a_graph_with_a_timeline);
    RUN(a_graph_is_drawn_for_graphviz);
    RUN(render_says_what_is_missing);
    RUN(render_diff_has_both_sides);
    RUN(label_values_are_a_list);
    RUN(a_heatmap_counts_profiles_by_total);
    RUN(a_heatmap_counts_a_profile_of_several_threads_once);
    RUN(a_point_has_the_whole_of_its_largest_profile);
    RUN(a_heatmap_counts_spans_of_traces);
    RUN(a_heatmap_begins_a_step_before_its_start);
    RUN(the_store_is_described);
    RUN(settings_are_kept);
    uv_run(&server_loop, UV_RUN_DEFAULT);
    uv_loop_close(&server_loop);
    return REPORT();
}
