#include "api/pyroscope/querier.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "pprof/decode.h"
#include "pprof/text.h"
#include "store_server.h"

#define ALL                                                                                                            \
    "\"profileTypeID\":\"" SERVER_CPU                                                                                  \
    "\",\"labelSelector\":\"{service_name=\\\"shop\\\",}\",\"start\":1,\"end\":1000000"
#define SHAPE "\"names\":[\"total\",\"main\",\"d\",\"a\",\"c\",\"b\"],\"levels\":"
#define EXPECT                                                                                                         \
    SHAPE                                                                                                              \
    "[{\"values\":[\"0\",\"2000\",\"0\",\"0\"]},{\"values\":[\"0\",\"2000\",\"0\",\"1\"]},{\"values\":[\"0\","         \
    "\"1700\","                                                                                                        \
    "\"200\",\"3\",\"0\",\"300\",\"300\",\"2\"]},{\"values\":[\"200\",\"1000\",\"1000\",\"5\",\"0\",\"500\",\"500\","  \
    "\"4\"]}],\"total\":\"2000\",\"maxSelf\":\"1000\""

static void set_up(void)
{
    static const struct made_sample first[] = {{"main;a", {200}, NULL}, {"main;a;b", {400}, NULL}},
                                    second[] = {{"main;a;b", {600}, NULL},
                                                {"main;a;c", {500}, NULL},
                                                {"main;d", {300}, NULL}},
                                    other = {"main;x", {7}, NULL};
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, first, 2);
    server_push("shop", "us", 200, second, 3);
    server_push("till", NULL, 100, &other, 1);
}

static void profiles_are_merged_to_a_flame_graph(void)
{
    set_up();
    server_check("SelectMergeStacktraces", "{" ALL "}", 200, "{\"flamegraph\":{" EXPECT "}}");
    /* Newer clients ask for formats that are not known here, and look at what comes. */
    server_check("SelectMergeStacktraces", "{" ALL ",\"format\":\"PROFILE_FORMAT_FUNCTIONS\"}", 200,
                 "{\"flamegraph\":{" EXPECT "}}");
    server_check("SelectMergeStacktraces", "{\"profileTypeID\":\"memory:alloc_space:bytes::\",\"start\":1,\"end\":9}",
                 200, "{\"flamegraph\":{\"names\":[\"total\"],\"levels\":[{\"values\":[\"0\",\"0\",\"0\",\"0\"]}]}}");
    server_tear_down();
}

static void the_tree_has_its_own_format(void)
{
    set_up();
    /* "" 0 1; main 0 2; d 300 0; a 200 2; c 500 0; b 1000 0 */
    server_check("SelectMergeStacktraces", "{" ALL ",\"format\":\"PROFILE_FORMAT_TREE\"}", 200,
                 "{\"tree\":\"AAABBG1haW4AAgFkrAIAAWHIAQIBY/QDAAFi6AcA\"}");
    server_check("SelectMergeStacktraces",
                 "{\"profileTypeID\":\"memory:alloc_space:bytes::\",\"start\":1,\"end\":9,\"format\":2}", 200, "{}");
    server_tear_down();
}

static void a_call_site_keeps_the_stacks_that_begin_with_it(void)
{
    set_up();
    server_check("SelectMergeStacktraces",
                 "{" ALL ",\"stackTraceSelector\":{\"callSite\":[{\"name\":\"main\"},{\"name\":\"d\"}]}}", 200,
                 "{\"flamegraph\":{\"names\":[\"total\",\"main\",\"d\"],\"levels\":[{\"values\":[\"0\",\"300\",\"0\","
                 "\"0\"]},{\"values\":[\"0\",\"300\",\"0\",\"1\"]},{\"values\":[\"0\",\"300\",\"300\",\"2\"]}],"
                 "\"total\":\"300\",\"maxSelf\":\"300\"}}");
    server_check("SelectMergeStacktraces", "{" ALL ",\"stackTraceSelector\":{\"goPgo\":{\"keepLocations\":5}}}", 501,
                 "{\"code\":\"unimplemented\",\"message\":\"stack trace selectors other than call_site are not "
                 "supported\"}");
    server_tear_down();
}

static void two_selections_are_compared(void)
{
    set_up();
    server_check("Diff",
                 "{\"left\":{" ALL "},\"right\":{\"profile_typeID\":\"" SERVER_CPU
                 "\",\"label_selector\":\"{zone=\\\"us\\\"}\",\"start\":1,\"end\":1000000}}",
                 200,
                 "{\"flamegraph\":{" SHAPE
                 "[{\"values\":[\"0\",\"2000\",\"0\",\"0\",\"1400\",\"0\",\"0\"]},{\"values\":[\"0\",\"2000\",\"0\","
                 "\"0\",\"1400\",\"0\",\"1\"]},{\"values\":[\"0\",\"1700\",\"200\",\"0\",\"1100\",\"0\",\"3\",\"0\","
                 "\"300\",\"300\",\"0\",\"300\",\"300\",\"2\"]},{\"values\":[\"200\",\"1000\",\"1000\",\"0\",\"600\","
                 "\"600\",\"5\",\"0\",\"500\",\"500\",\"0\",\"500\",\"500\",\"4\"]}],\"total\":\"3400\",\"maxSelf\":"
                 "\"1000\",\"leftTicks\":\"2000\",\"rightTicks\":\"1400\"}}");
    server_check("Diff", "{\"left\":{" ALL "}}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"both left and right are required\"}");
    server_check("Diff", "{\"left\":{" ALL "},\"right\":{\"profileTypeID\":\"x\"}}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"profile-type selection must be of the form "
                 "<name>:<sample-type>:<sample-unit>:<period-type>:<period-unit>(:delta), got(1): \\\"x\\\"\"}");
    server_tear_down();
}

static void what_cannot_be_asked_is_refused(void)
{
    static const struct {
        const char *more, *why;
    } bad[] = {
        {"\"maxNodes\":1048577", "max flamegraph nodes limit 1048577 is greater than allowed 1048576"},
        {"\"maxNodes\":-1", "max flamegraph nodes limit must be set (max allowed 1048576)"},
        {"\"profileIdSelector\":[\"xx\"]", "invalid UUID: \\\"xx\\\" (length 2)"},
        {"\"spanSelector\":[\"zz\"]", "invalid span id length: \\\"zz\\\"; expected 16 hexadecimal digits"},
        {"\"spanSelector\":[\"0123456789abcdef\"],\"traceIdSelector\":[\"0123456789abcdef0123456789abcdef\"]",
         "span_selector and trace_id_selector cannot be combined"},
    };
    set_up();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char json[1024], want[512];
        snprintf(json, sizeof json, "{%s,%s}", ALL, bad[i].more);
        snprintf(want, sizeof want, "{\"code\":\"invalid_argument\",\"message\":\"%s\"}", bad[i].why);
        server_check("SelectMergeStacktraces", json, 400, want);
    }
    server_tear_down();
}

/* A flame graph of one stack. */
static void check_limit(struct store_limits limits, const char *stack, const char *why, const char *flag)
{
    const struct made_sample sample = {stack, {1}, NULL};
    server_set_up(limits);
    server_push("shop", NULL, 100, &sample, 1);
    cleanup_probe struct probe_reply r = server_call("SelectMergeStacktraces", "", "{" ALL "}");
    CHECK_INT(r.status, 429);
    CHECK_HAS(r.body, why);
    CHECK_HAS(r.body, flag);
    server_tear_down();
}

static void more_nodes_than_the_limit_are_an_error(void)
{
    check_limit((struct store_limits){.nodes = 3}, "a;b;c;d", "more than 3 nodes", "--store.query-nodes");
}

static void more_memory_than_the_limit_is_an_error(void)
{
    check_limit((struct store_limits){.memory = 256}, "a;b;c;d;e;f", "the query needs too much memory",
                "--store.query-memory");
}

/* The profile of a call in protobuf; borrows `r`. `selector`: a typesv1.StackTraceSelector. */
static struct str profile_selected(struct probe_reply *r, uint64_t nodes, struct str selector)
{
    cleanup_buf struct buf rq = BUF_INIT(1 << 10);
    wire_bytes(&rq, 1, STR(SERVER_CPU));
    wire_bytes(&rq, 2, STR("{service_name=\"shop\"}"));
    wire_number(&rq, 3, 1);
    wire_number(&rq, 4, 1000000);
    wire_number(&rq, 5, nodes);
    if (selector.n)
        wire_bytes(&rq, 6, selector);
    *r = probe(&server_loop, server_at, "POST", "/querier.v1.QuerierService/SelectMergeProfile",
               "Content-Type: application/proto\r\n", (const char *)rq.p, rq.len);
    CHECK_INT(r->status, 200);
    return (struct str){r->body, r->body_len};
}

static struct str profile_of(struct probe_reply *r, uint64_t nodes)
{
    return profile_selected(r, nodes, STR(""));
}

/* main;a 200, main;a;b 1000, main;a;c 500, main;d 300: the two frames at the leaf, and there no lines. */
static void a_profile_for_the_go_compiler_has_the_ends_of_stacks(void)
{
    struct err err = {0};
    cleanup_probe struct probe_reply r = {0}, one = {0};
    cleanup_symbols struct symbols symbols;
    struct profile p;
    cleanup_buf struct buf text = BUF_INIT(1 << 10);
    set_up();
    symbols_init(&symbols, 1 << 20);
    const struct str two = profile_selected(&r, 0, STR("\022\004\010\002\020\001"));
    CHECK_INT(pprof_decode(two.p, two.n, 1 << 20, &symbols, &p, &err), 0);
    pprof_text(&p, PPROF_TEXT_COLLAPSED, &text);
    CHECK_STR(buf_cstr(&text), "a;b 1000\na;c 500\nmain;a 200\nmain;d 300\n");
    for (size_t i = 0; i < p.sample_count; i++) {
        const struct pprof_stack *stack = &symbols.stacks[p.samples[i].stack];
        CHECK_INT(symbols.locations[stack->locations[0]].line, 0);
        CHECK_INT(symbols.locations[stack->locations[1]].line, 1);
    }
    profile_done(&p);
    const struct str leaf = profile_selected(&one, 0, STR("\022\002\010\001"));
    CHECK_INT(pprof_decode(leaf.p, leaf.n, 1 << 20, &symbols, &p, &err), 0);
    buf_reset(&text);
    pprof_text(&p, PPROF_TEXT_COLLAPSED, &text);
    CHECK_STR(buf_cstr(&text), "a 200\nb 1000\nc 500\nd 300\n");
    profile_done(&p);
    server_tear_down();
}

static void a_merged_profile_is_a_pprof(void)
{
    struct err err = {0};
    cleanup_probe struct probe_reply r = {0}, cut = {0};
    cleanup_symbols struct symbols symbols;
    struct profile p;
    set_up();
    symbols_init(&symbols, 1 << 20);
    const struct str bytes = profile_of(&r, 0);
    CHECK_INT(pprof_decode(bytes.p, bytes.n, 1 << 20, &symbols, &p, &err), 0);
    CHECK_INT(p.sample_count, 4);
    int64_t sum = 0;
    for (size_t i = 0; i < p.sample_count; i++)
        sum += *profile_values(&p, i);
    CHECK_INT(sum, 2000);
    CHECK(str_is(symbols.strings[p.types[0].type], "cpu"));
    CHECK(str_is(symbols.strings[p.period_type.unit], "nanoseconds"));
    CHECK_INT(p.period, 10000000);
    CHECK_INT(p.time_nanos, 100000000000);
    CHECK_INT(p.duration_nanos, 2000000000);
    CHECK_INT(symbols.locations[symbols.stacks[p.samples[0].stack].locations[0]].line, 1);
    profile_done(&p);
    /* Two nodes stay: main and a. */
    const struct str less = profile_of(&cut, 2);
    CHECK_INT(pprof_decode(less.p, less.n, 1 << 20, &symbols, &p, &err), 0);
    CHECK_INT(p.sample_count, 3); /* a, other below a, other below main */
    profile_done(&p);
    server_tear_down();
}

static void an_empty_profile_is_an_empty_message(void)
{
#define NOTHING "\"profileTypeID\":\"" SERVER_CPU "\",\"start\":1,\"end\":2"
    set_up();
    server_check("SelectMergeProfile", "{" NOTHING "}", 200, "{}");
    server_check("SelectMergeStacktraces", "{" NOTHING ",\"format\":4}", 200, "{\"pprof\":{\"profile\":{}}}");
    server_tear_down();
}

static void points_are_sums_of_their_step(void)
{
    set_up();
    /* (0, 100] and (100, 200]; what is behind the last whole step is not asked for. */
    server_check("SelectSeries",
                 "{\"profileTypeID\":\"" SERVER_CPU
                 "\",\"labelSelector\":\"{}\",\"start\":100000,\"end\":299999,\"step\":100}",
                 200,
                 "{\"series\":[{\"points\":[{\"value\":607,\"timestamp\":\"100000\"},{\"value\":1400,\"timestamp\":"
                 "\"200000\"}]}]}");
    server_check("SelectSeries", "{\"profileTypeID\":\"" SERVER_CPU "\",\"start\":150000,\"end\":190000,\"step\":50}",
                 200, "{}");
    server_check("SelectSeries", "{" ALL ",\"step\":999.999,\"aggregation\":\"TIME_SERIES_AGGREGATION_TYPE_AVERAGE\"}",
                 200, "{\"series\":[{\"points\":[{\"value\":1000,\"timestamp\":\"1000000\"}]}]}");
    server_check("SelectSeries", "{" ALL ",\"step\":0.0005}", 400,
                 "{\"code\":\"invalid_argument\",\"message\":\"step must be >= 1ms, got 0.000500\"}");
    server_tear_down();
}

static void series_are_grouped_by_labels(void)
{
#define GROUPED                                                                                                        \
    "\"profileTypeID\":\"" SERVER_CPU "\",\"start\":200000,\"end\":200000,\"step\":1000,\"groupBy\":[\"zone\"]"
    set_up();
    server_check(
        "SelectSeries", "{" GROUPED "}", 200,
        "{\"series\":[{\"labels\":[{\"name\":\"zone\",\"value\":\"us\"}],\"points\":[{\"value\":1400,"
        "\"timestamp\":\"200000\"}]},{\"labels\":[{\"name\":\"zone\",\"value\":\"eu\"}],\"points\":[{\"value\":"
        "600,\"timestamp\":\"200000\"}]},{\"points\":[{\"value\":7,\"timestamp\":\"200000\"}]}]}");
    server_check("SelectSeries", "{" GROUPED ",\"limit\":1}", 200,
                 "{\"series\":[{\"labels\":[{\"name\":\"zone\",\"value\":\"us\"}],\"points\":[{\"value\":1400,"
                 "\"timestamp\":\"200000\"}]}]}");
    server_tear_down();
}

/* The exemplar's profile, asked for by its id, is that profile and no other. */
static void an_exemplar_leads_to_its_profile(void)
{
    set_up();
    cleanup_probe struct probe_reply r =
        server_call("SelectSeries", "", "{" GROUPED ",\"exemplarType\":\"EXEMPLAR_TYPE_INDIVIDUAL\"}");
    json_t *answer = json_loadb(r.body, r.body_len, 0, NULL);
    const json_t *series = json_array_get(json_object_get(answer, "series"), 1),
                 *point = json_array_get(json_object_get(series, "points"), 0),
                 *exemplar = json_array_get(json_object_get(point, "exemplars"), 0);
    CHECK_STR(json_string_value(json_object_get(exemplar, "value")), "600");
    CHECK_STR(json_string_value(json_object_get(exemplar, "timestamp")), "100000");
    CHECK(json_array_size(json_object_get(exemplar, "labels")) > 5);
    const char *id = json_string_value(json_object_get(exemplar, "profileId"));
    char json[1024];
    snprintf(json, sizeof json, "{%s,\"profileIdSelector\":[\"%s\"]}", ALL, id ? id : "");
    cleanup_probe struct probe_reply one = server_call("SelectMergeStacktraces", "", json);
    CHECK_INT(one.status, 200);
    CHECK_HAS(one.body, "\"total\":\"600\"");
    json_decref(answer);
    server_tear_down();
}

int main(void)
{
    uv_loop_init(&server_loop);
    RUN(profiles_are_merged_to_a_flame_graph);
    RUN(the_tree_has_its_own_format);
    RUN(a_call_site_keeps_the_stacks_that_begin_with_it);
    RUN(two_selections_are_compared);
    RUN(what_cannot_be_asked_is_refused);
    RUN(more_nodes_than_the_limit_are_an_error);
    RUN(more_memory_than_the_limit_is_an_error);
    RUN(a_profile_for_the_go_compiler_has_the_ends_of_stacks);
    RUN(a_merged_profile_is_a_pprof);
    RUN(an_empty_profile_is_an_empty_message);
    RUN(points_are_sums_of_their_step);
    RUN(series_are_grouped_by_labels);
    RUN(an_exemplar_leads_to_its_profile);
    uv_run(&server_loop, UV_RUN_DEFAULT);
    uv_loop_close(&server_loop);
    return REPORT();
}
