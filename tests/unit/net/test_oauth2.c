#include "net/oauth2.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/fault_server.h"
#include "test.h"

static uv_loop_t loop;
static struct http_client *client;

struct result {
    bool done;
    int status;
    enum http_failure failure;
    char error[256];
};

static void keep(void *arg, const struct http_response *r)
{
    struct result *k = arg;
    k->status = r->status;
    k->failure = r->failure;
    snprintf(k->error, sizeof k->error, "%s", r->error);
    k->done = true;
}

static struct http_call *start(struct oauth2 *o, const char *url, struct result *r)
{
    static const struct str body = STR("payload");
    const struct http_request rq = {.method = "POST",
                                    .url = url,
                                    .body = &body,
                                    .body_pieces = 1,
                                    .timeout_ms = 3000,
                                    .response_max = 64,
                                    .authorizer = oauth2_authorizer(o)};
    struct http_call *call = NULL;
    struct err err = {0};
    CHECK_INT(http_start(client, &rq, keep, r, &call, &err), 0);
    CHECK_STR(err.text, "");
    return call;
}

static struct result ask(struct oauth2 *o, const char *url)
{
    struct result r = {0};
    start(o, url, &r);
    CHECK(fault_run_until(&loop, &r.done, 8000));
    return r;
}

static struct oauth2 *to(const struct fault_server *tokens, const char *secret, const char *file)
{
    const struct oauth2_settings s = {
        .token_url = tokens->url, .client_id = "me & co", .client_secret = secret, .client_secret_file = file};
    struct buf form = BUF_INIT(4096);
    oauth2_form_put(&form, STR("scope"), STR("a b"));
    oauth2_form_put(&form, STR("audience"), STR("https://x/?y"));
    size_t len;
    return oauth2_new(&s, (char *)buf_take(&form, &len));
}

/* As text, ended. */
static const char *body_of(const struct fault_request *r)
{
    static char text[512];
    snprintf(text, sizeof text, "%.*s", (int)r->body_len, (const char *)r->body);
    return text;
}

#define TOKEN(token, seconds)                                                                                          \
    ((struct fault_answer){.headers = "Content-Type: application/json\r\n",                                            \
                           .body = "{\"access_token\":\"" token "\",\"token_type\":\"bearer\",\"expires_in\":" seconds \
                                   "}"})

static void one_token_serves_many_requests(void)
{
    struct fault_server tokens, server;
    fault_server_open(&tokens, &loop);
    fault_server_open(&server, &loop);
    tokens.answer = TOKEN("tok1", "3600");
    struct oauth2 *o = to(&tokens, "p:w\n", NULL);
    struct result a = {0}, b = {0};
    start(o, server.url, &a);
    start(o, server.url, &b);
    CHECK(fault_run_until(&loop, &a.done, 8000) && fault_run_until(&loop, &b.done, 8000));
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(tokens.len, 1);
    CHECK_INT(server.len, 3);
    for (size_t i = 0; i < server.len; i++)
        CHECK_HAS(server.requests[i].head, "\r\nAuthorization: Bearer tok1\r\n");
    /* me+%26+co:p%3Aw */
    CHECK_HAS(tokens.requests[0].head, "\r\nAuthorization: Basic bWUrJTI2K2NvOnAlM0F3\r\n");
    CHECK_HAS(tokens.requests[0].head, "application/x-www-form-urlencoded");
    CHECK_STR(body_of(&tokens.requests[0]), "grant_type=client_credentials&scope=a+b&audience=https%3A%2F%2Fx%2F%3Fy");
    oauth2_free(o);
    fault_server_close(&tokens);
    fault_server_close(&server);
}

static void a_token_is_renewed_before_it_expires_and_after_401(void)
{
    struct fault_server tokens, server;
    fault_server_open(&tokens, &loop);
    fault_server_open(&server, &loop);
    tokens.answer = TOKEN("short", "\"10\""); /* not usable for ten seconds more */
    struct oauth2 *o = to(&tokens, "s", NULL);
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(tokens.len, 2);
    tokens.answer = TOKEN("long", "3600");
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(tokens.len, 3);
    server.answer.status = 401;
    CHECK_INT(ask(o, server.url).status, 401); /* asked once more, then it is the answer */
    CHECK_INT(tokens.len, 4);
    CHECK_INT(server.len, 5);
    CHECK_INT(server.requests[4].body_len, 7);
    oauth2_free(o);
    fault_server_close(&tokens);
    fault_server_close(&server);
}

static struct fault_answer only_forms(struct fault_server *s, size_t n)
{
    return strstr(s->requests[n].head, "Authorization:") ? (struct fault_answer){.status = 401} : TOKEN("t", "3600");
}

static void credentials_go_into_the_form_where_basic_is_rejected(void)
{
    struct fault_server tokens, server;
    fault_server_open(&tokens, &loop);
    fault_server_open(&server, &loop);
    tokens.decide = only_forms;
    struct oauth2 *o = to(&tokens, "s3cret", NULL);
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(tokens.len, 2);
    CHECK_HAS(body_of(&tokens.requests[1]), "&client_id=me+%26+co&client_secret=s3cret&scope=");
    server.answer.status = 401;
    ask(o, server.url);
    CHECK_INT(tokens.len, 3); /* it is known now */
    oauth2_free(o);
    fault_server_close(&tokens);
    fault_server_close(&server);
}

static void without_a_token_the_request_fails_with_the_servers_reason(void)
{
    struct fault_server tokens, server;
    fault_server_open(&tokens, &loop);
    fault_server_open(&server, &loop);
    tokens.answer = (struct fault_answer){
        .status = 400, .body = "{\"error\":\"invalid_scope\",\"error_description\":\"no such scope\"}"};
    struct oauth2 *o = to(&tokens, "s", NULL);
    struct result r = ask(o, server.url);
    CHECK_INT(r.status, 0);
    CHECK_INT(r.failure, HTTP_NO_TOKEN);
    CHECK_HAS(r.error, "OAuth 2.0 token: HTTP status 400: invalid_scope: no such scope");
    tokens.answer = (struct fault_answer){.body = "{}"};
    CHECK_HAS(ask(o, server.url).error, "no access_token");
    CHECK_INT(server.len, 0);
    oauth2_free(o);
    fault_server_close(&tokens);
    fault_server_close(&server);
}

static void write_file(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void a_changed_secret_file_ends_the_token(void)
{
    char path[] = "/tmp/test-oauth2-XXXXXX";
    close(mkstemp(path));
    write_file(path, " one\n");
    struct fault_server tokens, server;
    fault_server_open(&tokens, &loop);
    fault_server_open(&server, &loop);
    tokens.answer = TOKEN("t", "3600");
    struct oauth2 *o = to(&tokens, "", path);
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(tokens.len, 1);
    write_file(path, "another\n");
    CHECK_INT(ask(o, server.url).status, 200);
    CHECK_INT(tokens.len, 2);
    unlink(path);
    const struct http_request rq = {.method = "GET", .url = server.url, .authorizer = oauth2_authorizer(o)};
    struct result r = {0};
    struct http_call *call;
    struct err err = {0};
    CHECK(http_start(client, &rq, keep, &r, &call, &err) < 0);
    CHECK_HAS(err.text, "client_secret_file: open /tmp/test-oauth2");
    oauth2_free(o);
    fault_server_close(&tokens);
    fault_server_close(&server);
}

static void whoever_waits_can_leave_and_is_told_of_the_end(void)
{
    struct fault_server tokens, server;
    fault_server_open(&tokens, &loop);
    fault_server_open(&server, &loop);
    tokens.answer.fault = FAULT_HANG;
    struct oauth2 *o = to(&tokens, "s", NULL);
    struct result left = {0}, told = {0};
    struct http_call *call = start(o, server.url, &left);
    start(o, server.url, &told);
    fault_run_until(&loop, &told.done, 50);
    http_cancel(call);
    oauth2_free(o);
    CHECK(told.done && !left.done);
    CHECK_HAS(told.error, "the settings changed");
    CHECK_INT(server.len, 0);
    fault_server_close(&tokens);
    fault_server_close(&server);
}

/* Its settings are gone when the server answers 401. */
static void a_call_under_way_outlives_it(void)
{
    struct fault_server tokens, server;
    fault_server_open(&tokens, &loop);
    fault_server_open(&server, &loop);
    tokens.answer = TOKEN("t", "3600");
    server.answer.fault = FAULT_HANG;
    struct oauth2 *o = to(&tokens, "s", NULL);
    struct result r = {0};
    start(o, server.url, &r);
    for (int i = 0; i < 100 && !server.open; i++)
        fault_run_until(&loop, &r.done, 10);
    oauth2_free(o);
    fault_server_release(&server, &(struct fault_answer){.status = 401});
    CHECK(fault_run_until(&loop, &r.done, 5000));
    CHECK_INT(r.status, 401);
    CHECK_INT(tokens.len, 1);
    fault_server_close(&tokens);
    fault_server_close(&server);
}

int main(void)
{
    uv_loop_init(&loop);
    client = http_client_get(&loop);
    RUN(one_token_serves_many_requests);
    RUN(a_token_is_renewed_before_it_expires_and_after_401);
    RUN(credentials_go_into_the_form_where_basic_is_rejected);
    RUN(without_a_token_the_request_fails_with_the_servers_reason);
    RUN(a_changed_secret_file_ends_the_token);
    RUN(whoever_waits_can_leave_and_is_told_of_the_end);
    RUN(a_call_under_way_outlives_it);
    http_client_put(client);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
