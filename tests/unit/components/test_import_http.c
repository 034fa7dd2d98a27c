#include <signal.h>

#include "import_fixture.h"
#include "net/fault_server.h"

static struct fault_server server;

static char *config(const char *path, const char *more)
{
    return xasprintf("import.http \"m\" {\n  url = \"%s%s\"\n  poll_frequency = \"300ms\"\n  poll_timeout = \"250ms\"\n"
                     "%s}\nm.d \"x\" { }\n",
                     server.url, path, more);
}

static void begin(struct import_test *t, const char *body)
{
    import_begin(t);
    fault_server_open(&server, &t->loop);
    server.answer = (struct fault_answer){.body = body};
}

static void end(struct import_test *t)
{
    fault_server_close(&server);
    import_end(t);
}

static void what_needs_it_starts_when_it_arrives_and_follows(void)
{
    struct import_test t;
    begin(&t, DECLARES("1"));
    cleanup_free char *text = config("/mods/m.alloy", "");
    CHECK_LOADS(&t, text, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "");
    WAIT_EXPORT(&t, "m.d.x", "1");
    server.answer.body = DECLARES("module_path");
    cleanup_free char *path = xasprintf("\"%s/mods/\"", server.url);
    WAIT_EXPORT(&t, "m.d.x", path);
    end(&t);
}

static void a_failing_server_leaves_the_module(void)
{
    struct import_test t;
    begin(&t, DECLARES("1"));
    cleanup_free char *text = config("/m", "");
    CHECK_LOADS(&t, text, "");
    WAIT_EXPORT(&t, "m.d.x", "1");
    const size_t asked = server.len;
    server.answer = (struct fault_answer){.status = 500, .body = DECLARES("2")};
    while (server.len < asked + 3)
        uv_run(&t.loop, UV_RUN_ONCE);
    CHECK_STR(import_export_of(&t, "m.d.x"), "1");
    server.answer = (struct fault_answer){.body = "rubbish"};
    WAIT_PROBLEM(&t, "import.http.m: imported content from \"http://");
    CHECK_STR(import_export_of(&t, "m.d.x"), "1");
    server.answer = (struct fault_answer){.body = DECLARES("3")};
    WAIT_EXPORT(&t, "m.d.x", "3");
    end(&t);
}

static void a_dead_server_is_asked_again(void)
{
    struct import_test t;
    begin(&t, NULL);
    server.answer = (struct fault_answer){.fault = FAULT_CLOSE};
    cleanup_free char *text = config("/m", "");
    CHECK_LOADS(&t, text, "");
    while (server.len < 2)
        uv_run(&t.loop, UV_RUN_ONCE);
    CHECK_STR(import_export_of(&t, "m.d.x"), "");
    server.answer = (struct fault_answer){.body = DECLARES("1")};
    WAIT_EXPORT(&t, "m.d.x", "1");
    end(&t);
}

static void the_request_is_as_configured(void)
{
    struct import_test t;
    begin(&t, DECLARES("1"));
    cleanup_free char *text =
        config("/m", "  method = \"POST\"\n  body = \"who\"\n  headers = {\"X-Team\" = \"jvm\"}\n"
                     "  client {\n    basic_auth {\n      username = \"u\"\n      password = \"p\"\n    }\n  }\n");
    CHECK_LOADS(&t, text, "");
    WAIT_EXPORT(&t, "m.d.x", "1");
    const struct fault_request *rq = &server.requests[0];
    CHECK_HAS(rq->head, "POST /m HTTP/1.1");
    CHECK_HAS(rq->head, "X-Team: jvm");
    CHECK_HAS(rq->head, "Authorization: Basic dTpw");
    CHECK_HAS(rq->head, "User-Agent: smolder/test");
    CHECK(rq->body_len == 3 && memcmp(rq->body, "who", 3) == 0);
    end(&t);
}

static void another_url_is_asked_at_once_and_the_old_module_stays_meanwhile(void)
{
    struct import_test t;
    begin(&t, DECLARES("1"));
    cleanup_free char *one = config("/one", ""), *two = config("/two", "");
    CHECK_LOADS(&t, one, "");
    WAIT_EXPORT(&t, "m.d.x", "1");
    server.answer.body = DECLARES("2");
    CHECK_LOADS(&t, two, "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "1");
    WAIT_EXPORT(&t, "m.d.x", "2");
    CHECK_HAS(server.requests[server.len - 1].head, "GET /two ");
    end(&t);
}

static void arguments_are_checked(void)
{
    struct import_test t;
    import_begin(&t);
#define WRONG "f:1:1: Failed to evaluate node for config block: decoding configuration: "
    CHECK_LOADS(&t, "import.http \"m\" {\n  url = \"http://h/\"\n  poll_timeout = \"2m\"\n}\n",
                WRONG "poll_timeout must be less than poll_frequency");
    CHECK_LOADS(&t, "import.http \"m\" {\n  url = \"http://h/\"\n  poll_frequency = \"0s\"\n}\n",
                WRONG "poll_frequency must be greater than 0");
    CHECK_LOADS(&t, "import.http \"m\" {\n  url = \"http://h/\"\n  method = \"get it\"\n}\n",
                WRONG "method must be in upper case, such as GET");
    CHECK_LOADS(&t, "import.http \"m\" {\n  url = \"http://h/\"\n  headers = {\"a b\" = \"c\"}\n}\n",
                WRONG "headers: \"a b\" is not a valid header name");
    import_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(what_needs_it_starts_when_it_arrives_and_follows);
    RUN(a_failing_server_leaves_the_module);
    RUN(a_dead_server_is_asked_again);
    RUN(the_request_is_as_configured);
    RUN(another_url_is_asked_at_once_and_the_old_module_stays_meanwhile);
    RUN(arguments_are_checked);
    return REPORT();
}
