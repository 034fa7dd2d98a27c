/* A store with its server, and profiles in it. Header only; one test program includes it once. */
#pragma once

#include <jansson.h>

#include "api/store_http.h"
#include "base/cleanup.h"
#include "base/gzip.h"
#include "base/wire.h"
#include "http_probe.h"
#include "pprof_maker.h"
#include "test.h"

#define SERVER_CPU "process_cpu:cpu:nanoseconds:cpu:nanoseconds"

static uv_loop_t server_loop;
static struct store *server_store;
static struct store_http *server_http;
static uint16_t server_at;

static inline void server_flag(void *arg)
{
    *(bool *)arg = true;
}

static inline void server_wait(const bool *flag)
{
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !*flag && probe_now_ms() < deadline;)
        uv_run(&server_loop, UV_RUN_NOWAIT);
    CHECK(*flag);
}

static inline void server_set_up(struct store_limits limits)
{
    struct err err = {0};
    const struct store_options store = {.loop = &server_loop, .limits = limits, .keep_seconds = 4000000000};
    CHECK_INT(store_open(&store, &server_store, NULL, &err), 0);
    const struct store_http_options http = {.loop = &server_loop, .listen = "127.0.0.1:0", .store = server_store};
    CHECK_INT(store_http_open(&http, &server_http, &err), 0);
    server_at = (uint16_t)strtoul(strrchr(store_http_address(server_http), ':') + 1, NULL, 10);
}

static inline void server_tear_down(void)
{
    bool closed = false;
    store_http_close(server_http, server_flag, &closed);
    server_wait(&closed);
    closed = false;
    store_close(server_store, server_flag, &closed);
    server_wait(&closed);
}

static inline void server_put_label(struct buf *series, const char *name, const char *value)
{
    cleanup_buf struct buf label = BUF_INIT(4096);
    wire_bytes(&label, 1, str_of(name));
    wire_bytes(&label, 2, str_of(value));
    wire_bytes(series, 1, buf_slice(&label));
}

/* Pushes a CPU profile of these samples, `at_s` after 1970. `zone` may be NULL. */
static inline void server_push(const char *service, const char *zone, int64_t at_s, const struct made_sample *samples,
                               size_t n)
{
    cleanup_buf struct buf pprof = make_profile(&(struct made_profile){.types = {{"cpu", "nanoseconds"}},
                                                                       .period = {"cpu", "nanoseconds"},
                                                                       .samples = samples,
                                                                       .n = n,
                                                                       .time_ns = at_s * 1000000000,
                                                                       .duration_ns = 1000000000});
    cleanup_buf struct buf rq = BUF_INIT(16 << 20), series = BUF_INIT(16 << 20), sample = BUF_INIT(16 << 20);
    server_put_label(&series, "__name__", "process_cpu");
    server_put_label(&series, "service_name", service);
    if (zone)
        server_put_label(&series, "zone", zone);
    wire_bytes(&sample, 1, buf_slice(&pprof));
    wire_bytes(&series, 2, buf_slice(&sample));
    wire_bytes(&rq, 1, buf_slice(&series));
    cleanup_probe struct probe_reply r = probe(&server_loop, server_at, "POST", "/push.v1.PusherService/Push",
                                               "Content-Type: application/proto\r\n", (const char *)rq.p, rq.len);
    CHECK_INT(r.status, 200);
}

/* Calls a method in JSON. */
static inline struct probe_reply server_call(const char *method, const char *headers, const char *json)
{
    char path[128], all[512];
    snprintf(path, sizeof path, "/%s%s", strchr(method, '/') ? "" : "querier.v1.QuerierService/", method);
    snprintf(all, sizeof all, "Content-Type: application/json\r\n%s", headers);
    return probe(&server_loop, server_at, "POST", path, all, json, strlen(json));
}

static inline void server_check(const char *method, const char *json, int status, const char *want)
{
    cleanup_probe struct probe_reply r = server_call(method, "", json);
    CHECK_INT(r.status, status);
    CHECK_STR(r.body, want);
}
