#include "page_ask.h"

#include "pprof/decode.h"

#define SHOP "service=shop&" PAGE_CPU

static void push_some(void)
{
    static const struct made_sample before[] = {{"main;work;work;get", {30, 0}, "t1"}, {"main;idle", {10, 0}, "t2"}},
                                    after[] = {{"main;work;get", {5, 0}, "t1"}, {"main;work", {15, 0}, "t2"}};
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, before, 2);
    server_push("shop", "us", 600, after, 2);
}

#define GRAPH_BEGIN                                                                                                    \
    "{\"unit\":\"nanoseconds\",\"profiles\":2,\"first_ms\":100000,\"last_ms\":601000,\"period\":10000000,\"total\":"   \
    "60,"

static void a_flame_graph_is_of_all_that_is_selected(void)
{
    push_some();
    PAGE_CHECK("flamegraph?" SHOP,
               GRAPH_BEGIN "\"node_count\":7,\"nodes_max\":1048576,\"truncated\":false,"
                           "\"nodes\":[0,0,0,60,1,1,0,60,2,2,15,50,3,2,0,30,4,3,30,30,3,3,5,5,2,4,10,10],"
                           "\"top\":[3,35,2,15,4,10],\"names\":[\"total\",\"main\",\"work\",\"get\",\"idle\"]}");
    PAGE_CHECK_HAS("flamegraph?query=%7Bservice_name%3D%22shop%22%2Czone%21~%22u.%22%7D&" PAGE_CPU, "\"total\":40,");
    PAGE_CHECK_HAS("flamegraph?search=get&" SHOP, "\"matched\":35,");
    server_tear_down();
}

static void stacks_are_shown_as_they_are_wanted(void)
{
    push_some();
    PAGE_CHECK_HAS("flamegraph?recursion=1&" SHOP, "\"nodes\":[0,0,0,60,1,1,0,60,2,2,15,50,3,3,35,35,2,4,10,10],");
    PAGE_CHECK_HAS("flamegraph?only=get&recursion=1&" SHOP, "\"nodes\":[0,0,0,35,1,1,0,35,2,2,0,35,3,3,35,35],");
    PAGE_CHECK_HAS("flamegraph?without=get&" SHOP, "\"nodes\":[0,0,0,25,1,1,0,25,2,2,15,15,2,3,10,10],");
    PAGE_CHECK_HAS("flamegraph?hide=work&hide=main&" SHOP, "\"nodes\":[0,0,15,60,1,1,35,35,1,2,10,10],");
    PAGE_CHECK_HAS("flamegraph?fold=/work|get/&" SHOP, "\"nodes\":[0,0,0,60,1,1,0,60,2,2,50,50,2,3,10,10],");
    PAGE_CHECK_HAS("flamegraph?callers=1&recursion=1&" SHOP,
                   "\"nodes\":[0,0,0,60,1,1,0,35,2,2,0,35,3,3,35,35,1,2,0,15,2,3,15,15,1,4,0,10,2,3,10,10],"
                   "\"top\":[1,35,2,15,4,10],");
    PAGE_CHECK_HAS("flamegraph?callers=1&by=thread&" SHOP, "\"top\":[2,35,3,15,6,10]");
    PAGE_CHECK_HAS("functions?callers=1&" SHOP, "\"functions\":[[\"get\",35,35],[\"work\",15,50]");
    PAGE_CHECK_HAS("sandwich?callers=1&function=get&" SHOP, "\"self\":35,\"function_total\":35}");
    PAGE_CHECK_HAS("flamegraph?lines=1&recursion=1&without=idle&" SHOP,
                   "\"names\":[\"total\",\"main:1\",\"work:1\",\"get:1\"]");
    PAGE_CHECK_ERROR("flamegraph?hide=/(/&" SHOP, 400, "error parsing regexp: missing ): ^(?s:(?i).*(?:().*)$");
    server_tear_down();
}

static void stacks_are_broken_down_by_a_label(void)
{
    push_some();
    PAGE_CHECK_HAS("flamegraph?by=thread&recursion=1&" SHOP,
                   "\"nodes\":[0,0,0,60,1,1,0,35,2,2,0,35,3,3,0,35,4,4,35,35,1,5,0,25,2,2,0,25,3,3,15,15,3,6,10,10],"
                   "\"top\":[4,35,3,15,6,10],"
                   "\"names\":[\"total\",\"thread: t1\",\"main\",\"work\",\"get\",\"thread: t2\",\"idle\"]");
    PAGE_CHECK_HAS("flamegraph?by=thread&limit=1&recursion=1&" SHOP,
                   "\"names\":[\"total\",\"thread: t1\",\"main\",\"work\",\"get\",\"thread: (others)\",\"idle\"]");
    PAGE_CHECK_HAS("flamegraph?by=pod&recursion=1&" SHOP, "\"names\":[\"total\",\"pod: (none)\",\"main\",");
    server_tear_down();
}

static void functions_are_those_of_the_whole_graph(void)
{
    push_some();
    PAGE_CHECK("functions?limit=2&max_nodes=1&" SHOP,
               GRAPH_BEGIN "\"node_count\":7,\"nodes_max\":1048576,\"truncated\":false,\"count\":4,\"found\":4,"
                           "\"functions\":[[\"get\",35,35],[\"work\",15,50]]}");
    PAGE_CHECK_HAS("functions?sort=total&search=/work|main/&" SHOP,
                   "\"matched\":60,\"count\":4,\"found\":2,\"functions\":[[\"main\",0,60],[\"work\",15,50]]}");
    PAGE_CHECK_HAS("functions?at=main&at=idle&" SHOP, "\"functions\":[[\"idle\",10,10]]}");
    PAGE_CHECK_ERROR("functions?sort=luck&" SHOP, 400, "sort must be self, total or name");
    server_tear_down();
}

static void a_function_is_shown_with_callers_and_callees(void)
{
    push_some();
    PAGE_CHECK("sandwich?function=work&" SHOP,
               GRAPH_BEGIN "\"node_count\":7,\"nodes_max\":1048576,\"truncated\":false,\"function\":\"work\","
                           "\"callers\":{\"nodes\":[0,0,0,50,1,1,50,50],\"names\":[\"work\",\"main\"]},"
                           "\"callees\":{\"nodes\":[0,0,15,50,1,0,0,30,2,1,30,30,1,1,5,5],"
                           "\"names\":[\"work\",\"get\"]},\"self\":15,\"function_total\":50}");
    PAGE_CHECK_HAS("sandwich?function=nobody&" SHOP, "\"callers\":{\"nodes\":[0,0,0,0],\"names\":[\"total\"]}");
    PAGE_CHECK_ERROR("sandwich?" SHOP, 400, "function is required");
    server_tear_down();
}

static void two_times_and_two_selections_are_compared(void)
{
    static const char want[] =
        "{\"unit\":\"nanoseconds\",\"before\":{\"profiles\":1,\"first_ms\":100000,\"last_ms\":101000,\"total\":40},"
        "\"after\":{\"profiles\":1,\"first_ms\":600000,\"last_ms\":601000,\"total\":20},"
        "\"count\":4,\"found\":4,\"functions\":["
        "[\"work\",0,30,15,20],[\"get\",30,30,5,5],[\"idle\",10,10,0,0],[\"main\",0,40,0,20]],"
        "\"node_count\":7,\"nodes_max\":1048576,\"truncated\":false,"
        "\"nodes\":[0,0,0,40,0,20,1,1,0,40,0,20,2,2,0,30,15,20,3,2,0,30,0,0,4,3,30,30,0,0,3,3,0,0,5,5,2,4,10,10,0,0],"
        "\"names\":[\"total\",\"main\",\"work\",\"get\",\"idle\"]}";
    push_some();
    PAGE_CHECK("diff?query=%7Bservice_name%3D%22shop%22%2Czone%3D%22us%22%7D&"
               "base_query=%7Bservice_name%3D%22shop%22%2Czone%3D%22eu%22%7D&" PAGE_CPU,
               want);
    cleanup_probe struct probe_reply r =
        probe(&server_loop, server_at, "GET", "/api/diff?" SHOP "&from=500000&until=1000000", "", NULL, 0);
    CHECK_STR(r.body, want);
    cleanup_probe struct probe_reply given =
        probe(&server_loop, server_at, "GET",
              "/api/diff?" SHOP "&from=500000&until=1000000&base_from=90000&base_until=200000", "", NULL, 0);
    CHECK_STR(given.body, want);
    cleanup_probe struct probe_reply turned =
        probe(&server_loop, server_at, "GET", "/api/diff?callers=1&recursion=1&" SHOP "&from=500000&until=1000000", "",
              NULL, 0);
    CHECK_HAS(turned.body, "\"functions\":[[\"work\",0,30,15,20],[\"get\",30,30,5,5],");
    CHECK_HAS(turned.body, "\"nodes\":[0,0,0,40,0,20,1,1,0,30,0,5,2,2,0,30,0,5,3,3,30,30,5,5,");
    server_tear_down();
}

/* What one side has a hundred times more of does not hide the other. */
static void the_smaller_side_is_shown_as_well(void)
{
    static const struct made_sample before[] = {{"main;old", {3, 0}, NULL}};
    struct made_sample after[40] = {0};
    char names[ARRAY_LEN(after)][16];
    for (size_t i = 0; i < ARRAY_LEN(after); i++) {
        snprintf(names[i], sizeof names[i], "main;new%zu", i);
        after[i] = (struct made_sample){names[i], {1000, 0}, NULL};
    }
    server_set_up((struct store_limits){0});
    server_push("shop", "eu", 100, before, 1);
    server_push("shop", "us", 600, after, ARRAY_LEN(after));
    cleanup_probe struct probe_reply r =
        probe(&server_loop, server_at, "GET", "/api/diff?" SHOP "&from=500000&until=1000000&max_nodes=5", "", NULL, 0);
    CHECK_HAS(r.body, "\"old\"");
    server_tear_down();
}

static void check_download(const char *format, const char *type, const char *file)
{
    char path[512], disposition[256];
    snprintf(path, sizeof path, "download?format=%s&recursion=1&" SHOP, format);
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", file);
    cleanup_probe struct probe_reply r = page_get(path);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Type"), type);
    CHECK_STR(probe_header(&r, "Content-Disposition"), disposition);
}

static void what_is_shown_can_be_downloaded(void)
{
    push_some();
    PAGE_CHECK("download?format=collapsed&recursion=1&" SHOP, "main;idle 10\nmain;work 15\nmain;work;get 35\n");
    check_download("collapsed", "text/plain; charset=utf-8", "shop-cpu-19700101T000000Z.collapsed.txt");
    check_download("html", "text/html; charset=utf-8", "shop-cpu-19700101T000000Z.html");
    check_download("pprof", "application/octet-stream", "shop-cpu-19700101T000000Z.pb.gz");
    cleanup_probe struct probe_reply r = page_get("download?format=pprof&recursion=1&" SHOP);
    cleanup_symbols struct symbols symbols;
    struct profile p;
    struct err err = {0};
    symbols_init(&symbols, 1 << 24);
    CHECK_INT(pprof_decode(r.body, r.body_len, 1 << 20, &symbols, &p, &err), 0);
    CHECK_INT(p.sample_count, 3);
    CHECK_INT(p.period, 10000000);
    profile_done(&p);
    PAGE_CHECK_ERROR("download?format=png&" SHOP, 400, "format must be pprof, collapsed or html");
    PAGE_CHECK_ERROR("download?format=pprof&service=nobody&" PAGE_CPU, 404, "no profile is selected");
    server_tear_down();
}

static void a_graph_that_is_cut_names_the_flag(void)
{
    static const struct made_sample deep[] = {{"a;b;c;d;e;f;g", {30, 0}, NULL}};
    server_set_up((struct store_limits){.nodes = 4});
    server_push("shop", "eu", 100, deep, 1);
    PAGE_CHECK_HAS("flamegraph?" SHOP, "\"nodes_max\":4,\"truncated\":true");
    PAGE_CHECK_ERROR("download?format=pprof&" SHOP, 400,
                     "the stacks have more than 4 nodes: choose a shorter time range or add label matchers, or raise "
                     "--store.query-nodes");
    server_tear_down();
}

int main(void)
{
    uv_loop_init(&server_loop);
    RUN(a_flame_graph_is_of_all_that_is_selected);
    RUN(stacks_are_shown_as_they_are_wanted);
    RUN(stacks_are_broken_down_by_a_label);
    RUN(functions_are_those_of_the_whole_graph);
    RUN(a_function_is_shown_with_callers_and_callees);
    RUN(two_times_and_two_selections_are_compared);
    RUN(the_smaller_side_is_shown_as_well);
    RUN(what_is_shown_can_be_downloaded);
    RUN(a_graph_that_is_cut_names_the_flag);
    uv_run(&server_loop, UV_RUN_DEFAULT);
    uv_loop_close(&server_loop);
    return REPORT();
}
