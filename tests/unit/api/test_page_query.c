#include "api/page/page_query.h"

#include <jansson.h>

#include "base/cleanup.h"
#include "http_probe.h"
#include "test.h"

static uv_loop_t loop;
static struct store *store;
static struct server *server;
static struct page_queries *queries;

static void page(void *ctx, struct request *rq)
{
    (void)ctx;
    page_queries_handle(queries, rq);
}

static const struct server_route routes[] = {{"GET", PAGE_PATHS, page}, {"POST", PAGE_PATHS, page}, {0}};

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static void wait_for(const bool *flag)
{
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !*flag && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(*flag);
}

static void set_up(void)
{
    struct err err = {0};
    CHECK_INT(store_open(&(struct store_options){.loop = &loop}, &store, NULL, &err), 0);
    queries = page_queries_new(store);
    CHECK_INT(
        server_open(&(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes}, &server, &err),
        0);
}

static void close_queries(void)
{
    bool closed = false;
    server_close(server, flag_up, &closed);
    wait_for(&closed);
    closed = false;
    page_queries_close(queries, flag_up, &closed);
    wait_for(&closed);
}

static void tear_down(void)
{
    bool closed = false;
    close_queries();
    store_close(store, flag_up, &closed);
    wait_for(&closed);
}

static json_t *ask(const char *target)
{
    cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "GET", target, "", NULL, 0);
    CHECK_INT(r.status, 200);
    CHECK_STR(probe_header(&r, "Content-Type"), "application/json");
    CHECK_STR(probe_header(&r, "Cache-Control"), "no-store");
    json_t *answer = json_loadb(r.body, r.body_len, 0, NULL);
    CHECK(answer);
    return answer;
}

static void an_empty_store_has_an_answer_to_everything(void)
{
    static const struct {
        const char *target, *list;
    } table[] = {
        {"/api/services", "services"}, {"/api/types?service=a", "types"}, {"/api/flamegraph?service=a&type=b", "top"}};
    set_up();
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        json_t *answer = ask(table[i].target);
        CHECK(json_is_array(json_object_get(answer, table[i].list)));
        CHECK_INT(json_array_size(json_object_get(answer, table[i].list)), 0);
        json_decref(answer);
    }
    tear_down();
}

static void the_unit_is_that_of_the_type(void)
{
    set_up();
    json_t *answer = ask("/api/flamegraph?service=a&type=memory:alloc_space:bytes:space:bytes");
    CHECK_STR(json_string_value(json_object_get(answer, "unit")), "bytes");
    json_decref(answer);
    answer = ask("/api/timeline?service=a&type=odd");
    CHECK_STR(json_string_value(json_object_get(answer, "unit")), "");
    json_decref(answer);
    tear_down();
}

static void buckets_and_steps_stay_within_bounds(void)
{
    static const struct {
        const char *parameters;
        size_t count;
        int64_t step_ms;
    } table[] = {{"from=0&until=999&buckets=10", 10, 100},
                 {"from=0&until=999&buckets=0", 1, 1000},
                 {"from=0&until=1999&buckets=99999", 2000, 1},
                 {"from=5&until=5&buckets=3", 3, 1}};
    set_up();
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char target[128];
        snprintf(target, sizeof target, "/api/timeline?service=a&type=b&%s", table[i].parameters);
        json_t *answer = ask(target);
        CHECK_INT(json_array_size(json_object_get(answer, "values")), table[i].count);
        CHECK_INT(json_integer_value(json_object_get(answer, "step_ms")), table[i].step_ms);
        json_decref(answer);
    }
    tear_down();
}

static void invalid_parameters_are_rejected_with_a_reason(void)
{
    static const struct {
        const char *target, *has;
    } table[] = {
        {"/api/types", "service is required"},
        {"/api/flamegraph?type=b", "service and type are required"},
        {"/api/timeline?service=a", "service and type are required"},
        {"/api/services?from=now", "must be integers"},
        {"/api/services?from=-1", "must be integers"},
        {"/api/services?from=10&until=9", "from is later than until"},
        {"/api/flamegraph?service=a&type=b&max_nodes=many", "must be integers"},
        {"/api/flamegraph?service=a&type=b&label=zone", "expected name=value"},
        {"/api/flamegraph?service=a&type=b&label==eu", "expected name=value"},
    };
    set_up();
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "GET", table[i].target, "", NULL, 0);
        CHECK_INT(r.status, 400);
        CHECK_HAS(r.body, "{\"error\":\"");
        CHECK_HAS(r.body, table[i].has);
    }
    tear_down();
}

static void labels_are_limited_to_sixteen(void)
{
    cleanup_buf struct buf target = BUF_INIT(4096);
    set_up();
    buf_puts(&target, "/api/flamegraph?service=a&type=b");
    for (int i = 0; i < 16; i++)
        buf_printf(&target, "&label=l%d%%3Dv", i);
    json_decref(ask(buf_cstr(&target)));
    buf_puts(&target, "&label=more%3Dv");
    cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "GET", buf_cstr(&target), "", NULL, 0);
    CHECK_INT(r.status, 400);
    CHECK_HAS(r.body, "at most 16 times");
    tear_down();
}

static uv_sem_t gate;
static unsigned reads_done;

static void wait_at_the_gate(void *arg, struct store_reader *r)
{
    (void)arg;
    (void)r;
    uv_sem_wait(&gate);
}

static void count_read(void *arg)
{
    (void)arg;
    reads_done++;
}

static void a_query_that_the_store_cannot_take_is_to_be_sent_again(void)
{
    set_up();
    uv_sem_init(&gate, 0);
    reads_done = 0;
    unsigned n = 0;
    while (store_read(store, wait_at_the_gate, count_read, NULL) == 0)
        n++;
    cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "GET", "/api/services", "", NULL, 0);
    CHECK_INT(r.status, 503);
    CHECK_STR(probe_header(&r, "Retry-After"), "1");
    CHECK_HAS(r.body, "{\"error\":\"");
    for (unsigned i = 0; i < n; i++)
        uv_sem_post(&gate);
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; reads_done < n && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_INT(reads_done, n);
    tear_down();
    uv_sem_destroy(&gate);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(an_empty_store_has_an_answer_to_everything);
    RUN(the_unit_is_that_of_the_type);
    RUN(buckets_and_steps_stay_within_bounds);
    RUN(invalid_parameters_are_rejected_with_a_reason);
    RUN(labels_are_limited_to_sixteen);
    RUN(a_query_that_the_store_cannot_take_is_to_be_sent_again);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
