/* discovery.http against a server that answers what the test says. */
#include <signal.h>

#include "discovery_fixture.h"
#include "net/fault_server.h"

extern const struct component_def discovery_http;

#define JSON_TYPE "Content-Type: application/json\r\n"
#define FAILURES  "prometheus_sd_http_failures_total{component_id=\"discovery.http.h\",component_path=\"/\"}"

static struct fault_server server;

static void begin(struct discovery_test *t, const char *body)
{
    discovery_begin(t, &discovery_http);
    fault_server_open(&server, &t->loop);
    server.answer = (struct fault_answer){.headers = JSON_TYPE, .body = body};
}

static void end(struct discovery_test *t)
{
    LOAD(t, "", ""); /* or it would connect again while the server closes */
    fault_server_close(&server);
    discovery_end(t);
}

static char *config(const char *more)
{
    return xasprintf(
        "discovery.http \"h\" {\n  url = \"http://u:p@127.0.0.1:%d/t?a=b\"\n  refresh_interval = \"200ms\"\n%s}\n",
        server.port, more);
}

/* A target as it is printed. */
static char *target(const char *address, const char *more)
{
    return xasprintf("{__address__=\"%s\", __meta_url=\"http://127.0.0.1:%d/t?a=b\"%s}\n", address, server.port, more);
}

static void targets_come_from_the_answer_and_follow_it(void)
{
    struct discovery_test t;
    begin(&t, "[{\"targets\":[\"a:1\"],\"labels\":{\"env\":\"prod\"}}]");
    cleanup_free char *text = config(""), *one = target("a:1", ", env=\"prod\""), *two = target("b:2", "");
    LOAD(&t, text, "");
    WAIT_BOTH(&t, one, "1 targets");
    server.answer = (struct fault_answer){.headers = "Content-Type: application/json; charset=UTF-8\r\n",
                                          .body = "[{\"targets\":[\"b:2\"]}]"};
    WAIT_TARGETS(&t, two);
    CHECK_INT(discovery_metric(FAILURES), 0);
    end(&t);
    CHECK_INT(discovery_metric(FAILURES), -1);
}

static void the_request_says_who_asks_and_how_often(void)
{
    struct discovery_test t;
    begin(&t, "[]");
    cleanup_free char *text = config("http_headers = { \"X-Team\" = [\"jvm\"] }\n");
    LOAD(&t, text, "");
    WAIT_TARGETS(&t, "");
    const char *head = server.requests[0].head;
    CHECK_HAS(head, "GET /t?a=b HTTP/1.1");
    CHECK_HAS(head, "Accept: application/json\r\n");
    CHECK_HAS(head, "X-Prometheus-Refresh-Interval-Seconds: 0.2\r\n");
    CHECK_HAS(head, "User-Agent: smolder/test\r\n");
    CHECK_HAS(head, "X-Team: jvm\r\n");
    CHECK_HAS(head, "Authorization: Basic dTpw\r\n");
    end(&t);
}

static void an_answer_that_is_wrong_keeps_the_targets(void)
{
    static const struct {
        struct fault_answer answer;
        const char *health;
    } cases[] = {
        {{.status = 500, .headers = JSON_TYPE, .body = "[]"}, "/t?a=b: HTTP status 500"},
        {{.headers = "Content-Type: text/plain\r\n", .body = "[]"}, "unsupported content type \"text/plain\""},
        {{.headers = "Content-Type: application/jsonx\r\n", .body = "[]"}, "unsupported content type"},
        {{.headers = JSON_TYPE, .body = "[{\"targets\":[1]}]"}, "group 0: targets[0]: should be string, got number"},
        {{.headers = JSON_TYPE, .body = "[{\"more\":[]}]"}, "unknown field \"more\""},
        {{.headers = JSON_TYPE, .body = "nonsense"}, "http://127.0.0.1"},
        {{.fault = FAULT_CLOSE}, "http://127.0.0.1"},
        {{.fault = FAULT_HANG}, "http://127.0.0.1"},
    };
    struct discovery_test t;
    begin(&t, "[{\"targets\":[\"a:1\"]}]");
    cleanup_free char *text = config(""), *one = target("a:1", "");
    LOAD(&t, text, "");
    WAIT_TARGETS(&t, one);
    const struct fault_answer good = server.answer;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        server.answer = cases[i].answer;
        WAIT_BOTH(&t, one, cases[i].health);
        server.answer = good;
        WAIT_BOTH(&t, one, "1 targets");
    }
    CHECK(discovery_metric(FAILURES) >= (double)ARRAY_LEN(cases));
    end(&t);
}

static void a_server_that_is_not_there_yet_is_asked_again_soon(void)
{
    struct discovery_test t;
    begin(&t, "[{\"targets\":[\"a:1\"]}]");
    const struct fault_answer good = server.answer;
    server.answer = (struct fault_answer){.status = 503};
    cleanup_free char *text = xasprintf(
        "discovery.http \"h\" {\n  url = \"http://127.0.0.1:%d/t?a=b\"\n  refresh_interval = \"1h\"\n}\n", server.port);
    cleanup_free char *one = target("a:1", "");
    LOAD(&t, text, "");
    WAIT_HEALTH(&t, "HTTP status 503");
    server.answer = good;
    WAIT_TARGETS(&t, one);
    end(&t);
}

static void an_update_keeps_the_targets_until_the_next_answer(void)
{
    struct discovery_test t;
    begin(&t, "[{\"targets\":[\"a:1\"]}]");
    cleanup_free char *text = config(""), *other = config("follow_redirects = false\n"), *one = target("a:1", "");
    LOAD(&t, text, "");
    WAIT_TARGETS(&t, one);
    server.answer.fault = FAULT_HANG;
    LOAD(&t, other, "");
    WAIT_TARGETS(&t, one);
    LOAD(&t, "", "");
    end(&t);
}

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_http);
    LOAD(&t, "discovery.http \"h\" { }\n", "missing required attribute \"url\"");
    LOAD(&t, "discovery.http \"h\" {\n  url = \"ftp://h\"\n}\n", "url: ");
    LOAD(&t, "discovery.http \"h\" {\n  url = \"http://h\"\n  refresh_interval = \"0s\"\n}\n",
         "refresh_interval must be greater than 0");
    LOAD(&t,
         "discovery.http \"h\" {\n  url = \"http://h\"\n  bearer_token = \"a\"\n  basic_auth {\n    username = \"u\"\n "
         " }\n}\n",
         "at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured");
    discovery_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(targets_come_from_the_answer_and_follow_it);
    RUN(the_request_says_who_asks_and_how_often);
    RUN(an_answer_that_is_wrong_keeps_the_targets);
    RUN(a_server_that_is_not_there_yet_is_asked_again_soon);
    RUN(an_update_keeps_the_targets_until_the_next_answer);
    RUN(arguments_are_checked);
    return REPORT();
}
