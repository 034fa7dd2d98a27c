/* remote.http against a server that answers what the test says. */
#include <signal.h>

#include "content_fixture.h"
#include "net/fault_server.h"

extern const struct component_def remote_http;

static struct fault_server server;

static void begin(struct discovery_test *t, const char *body)
{
    discovery_begin(t, &remote_http);
    fault_server_open(&server, &t->loop);
    server.answer = (struct fault_answer){.body = body};
}

static void end(struct discovery_test *t)
{
    LOAD(t, "", "");
    fault_server_close(&server);
    discovery_end(t);
}

static char *config(const char *more)
{
    return xasprintf("remote.http \"r\" {\n  url = \"%s/x\"\n  poll_frequency = \"100ms\"\n  poll_timeout = \"90ms\"\n"
                     "%s}\n",
                     server.url, more);
}

static void the_content_is_the_trimmed_answer_and_follows_it(void)
{
    struct discovery_test t;
    begin(&t, " one\n");
    cleanup_free char *text = config("  method = \"POST\"\n  body = \"who\"\n  headers = { \"X-Team\" = \"jvm\" }\n"
                                     "  is_secret = true\n  client {\n    bearer_token = \"t\"\n  }\n");
    LOAD(&t, text, "");
    CHECK_INT(content_wait(&t, "one", "polled endpoint").secrecy, VALUE_OPTIONAL_SECRET);
    const struct fault_request *rq = &server.requests[0];
    CHECK_HAS(rq->head, "POST /x HTTP/1.1");
    CHECK_HAS(rq->head, "X-Team: jvm");
    CHECK_HAS(rq->head, "Authorization: Bearer t");
    CHECK_HAS(rq->head, "User-Agent: smolder/test");
    CHECK(rq->body_len == 3 && memcmp(rq->body, "who", 3) == 0);
    server.answer.body = "two";
    content_wait(&t, "two", "");
    end(&t);
}

static void a_failing_server_leaves_the_content(void)
{
    struct discovery_test t;
    begin(&t, "one");
    cleanup_free char *text = config("");
    LOAD(&t, text, "");
    content_wait(&t, "one", "");
    server.answer.status = 404;
    content_wait(&t, "one", "polling failed: unexpected status code 404");
    server.answer = (struct fault_answer){.body = "two"};
    content_wait(&t, "two", "polled endpoint");
    end(&t);
}

static void a_server_that_comes_later_is_found_soon(void)
{
    struct discovery_test t;
    begin(&t, "one");
    server.answer.status = 503;
    cleanup_free char *text =
        xasprintf("remote.http \"r\" {\n  url = \"%s/x\"\n  poll_frequency = \"1h\"\n}\n", server.url);
    LOAD(&t, text, "");
    content_wait(&t, "", "unexpected status code 503");
    server.answer.status = 0;
    content_wait(&t, "one", "polled endpoint");
    end(&t);
}

struct dependant_seen {
    bool is_there;
    char content[64], health[128];
};

static bool dependant_look(void *arg, const struct component_view *v)
{
    struct dependant_seen *s = arg;
    if (strcmp(v->id, "remote.http.second") != 0)
        return true;
    const struct value *content = v->exports ? value_member(v->exports, STR("content")) : NULL;
    struct str text = {0};
    s->is_there = true;
    if (content && value_secret_text(content, &text))
        snprintf(s->content, sizeof s->content, "%.*s", STR_ARG(text));
    snprintf(s->health, sizeof s->health, "%s", v->message ? v->message : "");
    return false;
}

/* Runs the loop until it has that content and that health. */
static void dependant_wait(struct discovery_test *t, const char *content, const char *health)
{
    struct dependant_seen s = {0};
    for (int ms = 0; ms < DISCOVERY_DEADLINE_MS; ms++) {
        s = (struct dependant_seen){0};
        controller_each(t->controller, dependant_look, &s);
        if (s.is_there && strcmp(s.content, content) == 0 && strstr(s.health, health))
            return;
        uv_run(&t->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    FAIL_("content \"%s\" (%s), want \"%s\" (%s)", s.content, s.health, content, health);
}

/* An empty text is no URL: evaluated with it, the dependant would fail the load. */
static void who_refers_to_the_content_waits_for_the_first_answer(void)
{
    struct discovery_test t;
    begin(&t, "");
    cleanup_free char *first = config(""), *text = xasprintf("%sremote.http \"second\" {\n  url = "
                                                             "remote.http.r.content\n}\n",
                                                             first);
    server.answer.status = 503;
    LOAD(&t, text, "");
    dependant_wait(&t, "", "waiting for the exports of a dependency");
    LOAD(&t, text, "");
    dependant_wait(&t, "", "waiting for the exports of a dependency");
    server.answer = (struct fault_answer){.body = server.url};
    dependant_wait(&t, server.url, "polled endpoint");
    server.answer.status = 503;
    LOAD(&t, text, "");
    dependant_wait(&t, server.url, "");
    end(&t);
}

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &remote_http);
    LOAD(&t, "remote.http \"r\" { }\n", "missing required attribute \"url\"");
    LOAD(&t, "remote.http \"r\" {\n  url = \"http://h\"\n  poll_frequency = \"0s\"\n}\n",
         "poll_frequency must be greater than 0");
    LOAD(&t, "remote.http \"r\" {\n  url = \"http://h\"\n  poll_timeout = \"0s\"\n}\n",
         "poll_timeout must be greater than 0");
    LOAD(&t, "remote.http \"r\" {\n  url = \"http://h\"\n  poll_timeout = \"1m\"\n}\n",
         "poll_timeout must be less than poll_frequency");
    LOAD(&t, "remote.http \"r\" {\n  url = \"http://h\"\n  headers = {\"a b\" = \"c\"}\n}\n",
         "headers: \"a b\" is not a valid header name");
    discovery_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(the_content_is_the_trimmed_answer_and_follows_it);
    RUN(a_failing_server_leaves_the_content);
    RUN(a_server_that_comes_later_is_found_soon);
    RUN(who_refers_to_the_content_waits_for_the_first_answer);
    RUN(arguments_are_checked);
    return REPORT();
}
