#include "api/pyroscope/querier.h"

#include <stdlib.h>

#include "store_server.h"

static const struct made_sample work = {"main;work", {10}, NULL};

static void set_up(void)
{
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, &work, 1);
    server_push("shop", "us", 200, &work, 1);
    server_push("till", NULL, 100, &work, 1);
}

#define ALL "\"start\":1,\"end\":1000000"

static void profile_types_are_those_with_data(void)
{
    set_up();
    server_check("ProfileTypes", "{" ALL "}", 200,
                 "{\"profileTypes\":[{\"ID\":\"" SERVER_CPU "\",\"name\":\"process_cpu\",\"sampleType\":\"cpu\","
                 "\"sampleUnit\":\"nanoseconds\",\"periodType\":\"cpu\",\"periodUnit\":\"nanoseconds\"}]}");
    /* How Grafana tests a data source. */
    server_check("ProfileTypes", "{\"start\":1000,\"end\":4000}", 200, "{}");
    /* The last hour where nothing is said. */
    server_check("ProfileTypes", "{}", 200, "{}");
    server_tear_down();
}

static void names_and_values_are_sorted_and_distinct(void)
{
    set_up();
    server_check("LabelNames", "{" ALL "}", 200,
                 "{\"names\":[\"__name__\",\"__period_type__\",\"__period_unit__\",\"__profile_type__\","
                 "\"__service_name__\",\"__type__\",\"__unit__\",\"service_name\",\"zone\"]}");
    server_check("LabelValues", "{\"name\":\"zone\"," ALL "}", 200, "{\"names\":[\"eu\",\"us\"]}");
    server_check("LabelValues",
                 "{\"name\":\"zone\",\"matchers\":[\"{service_name=\\\"shop\\\"}\",\"{zone=~\\\"u.\\\"}\"]," ALL "}",
                 200, "{\"names\":[\"us\"]}");
    /* How Grafana's query editor asks. */
    server_check("LabelValues", "{\"name\":\"service_name\",\"matchers\":[\"" SERVER_CPU "{}\"]," ALL "}", 200,
                 "{\"names\":[\"shop\",\"till\"]}");
    server_check("LabelValues", "{\"name\":\"nothing\"," ALL "}", 200, "{}");
    server_check("LabelValues", "{}", 400, "{\"code\":\"invalid_argument\",\"message\":\"name is required\"}");
    server_tear_down();
}

static void series_are_cut_down_to_the_names_asked_for(void)
{
    set_up();
    server_check("Series", "{\"labelNames\":[\"service_name\",\"zone\"]," ALL "}", 200,
                 "{\"labelsSet\":[{\"labels\":[{\"name\":\"service_name\",\"value\":\"shop\"},{\"name\":\"zone\","
                 "\"value\":\"eu\"}]},{\"labels\":[{\"name\":\"service_name\",\"value\":\"shop\"},{\"name\":\"zone\","
                 "\"value\":\"us\"}]},{\"labels\":[{\"name\":\"service_name\",\"value\":\"till\"}]}]}");
    server_check("Series", "{\"label_names\":[\"zone\"],\"matchers\":[\"{service_name=\\\"till\\\"}\"]," ALL "}", 200,
                 "{}");
    server_tear_down();
}

static void errors_are_those_of_the_protocol(void)
{
    set_up();
    server_check("LabelNames", "{\"matchers\":[\"{a=b}\"]}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"parsing label selector \\\"{a=b}\\\": 1:4: parse error: "
                 "unexpected identifier \\\"b\\\" in label matching, expected string\"}");
    server_check("LabelNames", "{\"start\":2,\"end\":1}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"query start time is after end time\"}");
    server_check("LabelNames", "", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"unmarshal message: zero-length payload is not a valid "
                 "JSON object\"}");
    server_check("Nonsense", "{}", 404, "404 page not found\n");
    cleanup_probe struct probe_reply late = server_call("LabelNames", "Connect-Timeout-Ms: 0\r\n", "{}");
    CHECK_INT(late.status, 504);
    CHECK_HAS(late.body, "\"code\":\"deadline_exceeded\"");
    cleanup_probe struct probe_reply zstd = server_call("LabelNames", "Content-Encoding: zstd\r\n", "{}");
    CHECK_INT(zstd.status, 501);
    cleanup_probe struct probe_reply get =
        probe(&server_loop, server_at, "GET", "/querier.v1.QuerierService/LabelNames", "", NULL, 0);
    CHECK_INT(get.status, 405);
    cleanup_probe struct probe_reply text =
        probe(&server_loop, server_at, "POST", "/querier.v1.QuerierService/LabelNames", "", "{}", 2);
    CHECK_INT(text.status, 415);
    server_tear_down();
}

static void more_series_than_the_limit_are_an_error(void)
{
    server_set_up((struct store_limits){.series = 1});
    server_push("shop", "eu", 100, &work, 1);
    server_push("shop", "us", 100, &work, 1);
    server_check("Series", "{" ALL "}", 429,
                 "{\"code\":\"resource_exhausted\",\"message\":\"more than 1 series: add label matchers, or raise "
                 "--store.query-series\"}");
    server_tear_down();
}

static void protobuf_and_gzip_are_spoken(void)
{
    cleanup_buf struct buf rq = BUF_INIT(1 << 10), packed = BUF_INIT(1 << 10), plain = BUF_INIT(1 << 20);
    struct err err = {0};
    set_up();
    for (int i = 0; i < 60; i++) {
        char zone[64];
        snprintf(zone, sizeof zone, "a zone with a name of some length, number %d", i);
        server_push("shop", zone, 100, &work, 1);
    }
    wire_bytes(&rq, 1, STR("zone"));
    wire_number(&rq, 3, 1);
    wire_number(&rq, 4, 1000000);
    CHECK_INT(gzip_deflate(buf_slice(&rq), 6, &packed), 0);
    cleanup_probe struct probe_reply r =
        probe(&server_loop, server_at, "POST", "/querier.v1.QuerierService/LabelValues",
              "Content-Type: application/proto\r\nContent-Encoding: gzip\r\n", (const char *)packed.p, packed.len);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Type"), "application/proto");
    CHECK_STR(probe_header(&r, "Content-Encoding"), "gzip");
    CHECK_INT(gzip_inflate((struct str){r.body, r.body_len}, &plain, &err), 0);
    struct wire_reader reader = wire_reader_of(buf_slice(&plain));
    struct wire_field f;
    unsigned n = 0;
    while (wire_next(&reader, &f))
        n += f.number_of == 1;
    CHECK_INT(n, 62);
    server_tear_down();
}

int main(void)
{
    uv_loop_init(&server_loop);
    RUN(profile_types_are_those_with_data);
    RUN(names_and_values_are_sorted_and_distinct);
    RUN(series_are_cut_down_to_the_names_asked_for);
    RUN(errors_are_those_of_the_protocol);
    RUN(more_series_than_the_limit_are_an_error);
    RUN(protobuf_and_gzip_are_spoken);
    uv_run(&server_loop, UV_RUN_DEFAULT);
    uv_loop_close(&server_loop);
    return REPORT();
}
