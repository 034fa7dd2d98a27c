#include "api/pyroscope/ingest_server.h"

#include "store_server.h"

static void check_post(const char *target, const char *headers, const char *body, int status, const char *want)
{
    cleanup_probe struct probe_reply r = probe(&server_loop, server_at, "POST", target, headers, body, strlen(body));
    CHECK_INT(r.status, status);
    CHECK_STR(r.body, want);
}

#define CPU "\"profileTypeID\":\"" SERVER_CPU "\",\"start\":1"

static void stacks_are_stored_with_the_labels_of_the_name(void)
{
    server_set_up((struct store_limits){0});
    check_post("/ingest?name=shop.cpu%7Bzone=eu,__x__=y%7D&from=1700000000&until=1700000010&sampleRate=1000"
               "&spyName=asprof",
               "", "main;work 3\n", 200, "");
    server_check("SelectMergeStacktraces", "{" CPU "}", 200,
                 "{\"flamegraph\":{\"names\":[\"total\",\"main\",\"work\"],\"levels\":[{\"values\":[\"0\",\"3000000\","
                 "\"0\",\"0\"]},{\"values\":[\"0\",\"3000000\",\"0\",\"1\"]},{\"values\":[\"0\",\"3000000\","
                 "\"3000000\",\"2\"]}],\"total\":\"3000000\",\"maxSelf\":\"3000000\"}}");
    server_check("Series", "{\"start\":1,\"labelNames\":[\"service_name\",\"zone\",\"pyroscope_spy\",\"__x__\"]}", 200,
                 "{\"labelsSet\":[{\"labels\":[{\"name\":\"pyroscope_spy\",\"value\":\"asprof\"},{\"name\":"
                 "\"service_name\",\"value\":\"shop\"},{\"name\":\"zone\",\"value\":\"eu\"}]}]}");
    server_tear_down();
}

static void a_service_label_moves_the_application(void)
{
    server_set_up((struct store_limits){0});
    check_post("/pyroscope/ingest?name=app%7Bservice_name=shop%7D", "", "main 1", 200, "");
    server_check("LabelValues", "{\"name\":\"app_name\",\"start\":1}", 200, "{\"names\":[\"app\"]}");
    server_check("LabelValues", "{\"name\":\"service_name\",\"start\":1}", 200, "{\"names\":[\"shop\"]}");
    server_tear_down();
}

static void an_empty_body_is_fine(void)
{
    server_set_up((struct store_limits){0});
    check_post("/ingest?name=shop", "", "", 200, "");
    server_check("GetProfileStats", "{}", 200, "{}");
    server_tear_down();
}

static void what_is_wrong_is_said(void)
{
    server_set_up((struct store_limits){0});
    check_post("/ingest", "", "a 1", 400,
               "{\"code\":\"invalid_argument\",\"message\":\"name: service name is required\"}\n");
    check_post("/ingest?name=shop.foo", "", "a 1", 400,
               "{\"code\":\"invalid_argument\",\"message\":\"unknown profile type: foo\"}\n");
    check_post("/ingest?name=shop&format=speedscope", "", "{}", 400,
               "{\"code\":\"invalid_argument\",\"message\":\"format speedscope is not supported: send folded, lines, "
               "pprof or jfr\"}\n");
    check_post("/ingest?name=shop", "Content-Encoding: br\r\n", "a 1", 400,
               "{\"code\":\"invalid_argument\",\"message\":\"Content-Encoding br is not supported\"}\n");
    check_post("/ingest?name=shop", "", "a b", 422,
               "{\"code\":\"unknown\",\"message\":\"strconv.Atoi: parsing \\\"b\\\": invalid syntax\"}\n");
    cleanup_probe struct probe_reply jfr =
        probe(&server_loop, server_at, "POST", "/ingest?name=shop&format=jfr", "", "garbage", 7);
    CHECK_INT(jfr.status, 422);
    CHECK_HAS(jfr.body, "no JFR chunk can be read");
    cleanup_probe struct probe_reply get = probe(&server_loop, server_at, "GET", "/ingest?name=shop", "", NULL, 0);
    CHECK_INT(get.status, 405);
    server_tear_down();
}

#define OTLP_PROFILE                                                                                                   \
    "{\"resourceProfiles\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"      \
    "\"shop\"}}]},\"scopeProfiles\":[{\"profiles\":[{\"sampleType\":{\"typeStrindex\":1,\"unitStrindex\":2},"          \
    "\"periodType\":{\"typeStrindex\":3,\"unitStrindex\":4},\"period\":\"10\",\"timeUnixNano\":"                       \
    "\"1700000001000000000\",\"samples\":[{\"stackIndex\":1,\"values\":[\"3\"]}]}]}]}],\"dictionary\":{"               \
    "\"stringTable\":[\"\",\"samples\",\"count\",\"cpu\",\"nanoseconds\",\"main\"],\"functionTable\":[{},"             \
    "{\"nameStrindex\":5}],\"locationTable\":[{},{\"lines\":[{\"functionIndex\":1}]}],\"stackTable\":[{},"             \
    "{\"locationIndices\":[1]}]}}"
#define OTLP_JSON "Content-Type: application/json; charset=utf-8\r\n"

static void profiles_of_opentelemetry_are_stored(void)
{
    server_set_up((struct store_limits){0});
    check_post(OTLP_PATH, OTLP_JSON, OTLP_PROFILE, 200, "{}");
    check_post(OTLP_EXPORT_PATH, OTLP_JSON "otlp-profiles-development-version: 1\r\n", OTLP_PROFILE, 200, "{}");
    server_check("SelectMergeStacktraces", "{" CPU "}", 200,
                 "{\"flamegraph\":{\"names\":[\"total\",\"main\"],\"levels\":[{\"values\":[\"0\",\"30\",\"0\",\"0\"]},"
                 "{\"values\":[\"0\",\"30\",\"30\",\"1\"]}],\"total\":\"30\",\"maxSelf\":\"30\"}}");
    check_post(OTLP_PATH, OTLP_JSON, "{}", 400,
               "{\"code\":\"invalid_argument\",\"message\":\"missing profile metadata dictionary\"}\n");
    check_post(OTLP_PATH, OTLP_JSON, "{\"dictionary\":{},\"resourceProfiles\":[]}", 400,
               "{\"code\":\"invalid_argument\",\"message\":\"missing resource profiles\"}\n");
    check_post(OTLP_PATH, OTLP_JSON, "{\"dictionary\":{},\"resourceProfiles\":[{}]}", 200, "{}");
    check_post(OTLP_PATH, "Content-Type: text/plain\r\n", "{}", 415, "Unsupported Content-Type: text/plain\n");
    check_post(OTLP_PATH, OTLP_JSON "Content-Encoding: zstd\r\n", "{}", 415,
               "Content-Encoding zstd is not supported\n");
    check_post(OTLP_PATH, OTLP_JSON "otlp-profiles-development-version: 2\r\n", OTLP_PROFILE, 400,
               "unsupported otlp-profiles-development-version: it must be 1\n");
    server_tear_down();
}

int main(void)
{
    uv_loop_init(&server_loop);
    RUN(stacks_are_stored_with_the_labels_of_the_name);
    RUN(a_service_label_moves_the_application);
    RUN(an_empty_body_is_fine);
    RUN(what_is_wrong_is_said);
    RUN(profiles_of_opentelemetry_are_stored);
    uv_run(&server_loop, UV_RUN_DEFAULT);
    uv_loop_close(&server_loop);
    return REPORT();
}
