#include "pyroscope/connect.h"

#include "base/cleanup.h"
#include "http_probe.h"
#include "test.h"

static uv_loop_t loop;
static enum connect_code raised;

static void call(void *ctx, struct request *rq)
{
    (void)ctx;
    struct connect_call c;
    if (connect_accept(rq, &c))
        connect_reply(rq, &c, c.codec == CONNECT_JSON ? STR("{}") : STR(""));
}

static void fail(void *ctx, struct request *rq)
{
    (void)ctx;
    connect_error(rq, raised, "it is \"so\"\n\xff");
}

static const struct server_route routes[] = {{"POST", "/s/M", call}, {"POST", "/s/Fail", fail}, {0}};
static struct server *server;

static void says_every_error_with_its_status(void)
{
    static const struct {
        enum connect_code code;
        const char *name;
        int status;
    } table[] = {{CONNECT_CANCELED, "canceled", 499},
                 {CONNECT_INVALID_ARGUMENT, "invalid_argument", 400},
                 {CONNECT_FAILED_PRECONDITION, "failed_precondition", 400},
                 {CONNECT_OUT_OF_RANGE, "out_of_range", 400},
                 {CONNECT_UNAUTHENTICATED, "unauthenticated", 401},
                 {CONNECT_PERMISSION_DENIED, "permission_denied", 403},
                 {CONNECT_NOT_FOUND, "not_found", 404},
                 {CONNECT_ALREADY_EXISTS, "already_exists", 409},
                 {CONNECT_ABORTED, "aborted", 409},
                 {CONNECT_RESOURCE_EXHAUSTED, "resource_exhausted", 429},
                 {CONNECT_UNKNOWN, "unknown", 500},
                 {CONNECT_INTERNAL, "internal", 500},
                 {CONNECT_DATA_LOSS, "data_loss", 500},
                 {CONNECT_UNIMPLEMENTED, "unimplemented", 501},
                 {CONNECT_UNAVAILABLE, "unavailable", 503},
                 {CONNECT_DEADLINE_EXCEEDED, "deadline_exceeded", 504}};
    CHECK_INT(ARRAY_LEN(table), CONNECT_CODES);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        raised = table[i].code;
        cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "POST", "/s/Fail", "", "", 0);
        CHECK_INT(r.status, table[i].status);
        CHECK_STR(probe_header(&r, "Content-Type"), "application/json");
        char want[128];
        snprintf(want, sizeof want, "{\"code\":\"%s\",\"message\":\"it is \\\"so\\\"\\u000a\xef\xbf\xbd\"}",
                 table[i].name);
        CHECK_STR(r.body, want);
    }
}

static void takes_a_call_by_its_headers(void)
{
    static const struct {
        const char *headers;
        int status;
        const char *type, *has;
    } table[] = {
        {"Content-Type: application/proto\r\n", 200, "application/proto", ""},
        {"Content-Type: application/json\r\n", 200, "application/json", "{}"},
        {"Content-Type: application/json;charset=UTF-8\r\n", 200, "application/json; charset=utf-8", "{}"},
        {"Content-Type: application/json; charset=latin1\r\n", 415, "", ""},
        {"Content-Type: application/connect+proto\r\n", 415, "", ""},
        {"", 415, "", ""},
        {"Content-Type: application/proto\r\nConnect-Protocol-Version: 1\r\n", 200, "application/proto", ""},
        {"Content-Type: application/proto\r\nConnect-Protocol-Version: 2\r\n", 400, "application/json",
         "Connect-Protocol-Version must be \\\"1\\\": got \\\"2\\\""},
        {"Content-Type: application/proto\r\nConnect-Timeout-Ms: 10000\r\n", 200, "application/proto", ""},
        {"Content-Type: application/proto\r\nConnect-Timeout-Ms: soon\r\n", 400, "application/json", "parse timeout"},
        {"Content-Type: application/proto\r\nConnect-Timeout-Ms: 12345678901\r\n", 400, "application/json",
         "parse timeout"},
        {"Content-Type: application/proto\r\nContent-Encoding: identity\r\n", 200, "application/proto", ""},
        {"Content-Type: application/proto\r\nContent-Encoding: zstd\r\n", 501, "application/json",
         "unknown compression \\\"zstd\\\": supported encodings are gzip"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "POST", "/s/M", table[i].headers, "", 0);
        CHECK_INT(r.status, table[i].status);
        CHECK_STR(probe_header(&r, "Content-Type"), table[i].type);
        CHECK_HAS(r.body, table[i].has);
        if (r.status == 415) {
            CHECK_INT(r.body_len, 0);
            CHECK_HAS(probe_header(&r, "Accept-Post"), "application/proto");
        }
    }
    cleanup_probe struct probe_reply get = probe(&loop, server_port(server), "GET", "/s/M", "", NULL, 0);
    CHECK_INT(get.status, 405);
    CHECK_STR(probe_header(&get, "Allow"), "POST");
    CHECK_INT(get.body_len, 0);
}

int main(void)
{
    struct err err = {0};
    uv_loop_init(&loop);
    if (server_open(&(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes}, &server, &err) <
        0)
        return 1;
    RUN(says_every_error_with_its_status);
    RUN(takes_a_call_by_its_headers);
    server_close(server, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
