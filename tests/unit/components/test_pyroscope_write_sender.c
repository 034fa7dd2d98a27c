#include "components/pyroscope_write_sender.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "components/pyroscope_write_backoff.h"
#include "components/sender_fixture.h"

static void pushes_in_order_with_two_in_flight(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.fault = FAULT_HANG;
    struct sender *s = sender_to(server.url, "");
    for (char name[] = "p0"; name[1] < '6'; name[1]++)
        append(s, name);
    WAIT_FOR(server.open == 2);
    run_for(30);
    CHECK_INT(server.open, 2);
    CHECK_INT(view(s).in_flight, 2);
    CHECK_INT(view(s).queued_profiles, 4);
    server.answer.fault = FAULT_NONE;
    fault_server_release(&server, &server.answer);
    WAIT_FOR(server.len == 3 && view(s).queued_bytes == 0);
    CHECK_INT(server.most_open, 2);
    /* Two connections: either may be read first. What waited meanwhile shares a request, in order. */
    CHECK((request_is(&server, 0, "p0") && request_is(&server, 1, "p1")) ||
          (request_is(&server, 0, "p1") && request_is(&server, 1, "p0")));
    const struct fault_request *shared = &server.requests[2];
    const uint8_t *at = shared->body, *end_of_body = at + shared->body_len;
    for (char name[] = "p2"; at && name[1] < '6'; name[1]++)
        at = memmem(at, (size_t)(end_of_body - at), name, 2);
    CHECK(at != NULL);
    CHECK_INT(view(s).state, SENDER_OK);
    CHECK(view(s).last_success_s > 0);
    CHECK_STR(view(s).last_error, "");
    end(s);
    fault_server_close(&server);
}

/* The request that carries "wrong", alone or among others, is refused. Not "bad": IDs have hexadecimal digits. */
static struct fault_answer refuse_bad(struct fault_server *s, size_t n)
{
    bool bad = memmem(s->requests[n].body, s->requests[n].body_len, "wrong", 5) != NULL;
    return (struct fault_answer){.status = bad ? 400 : 200};
}

static void one_bad_profile_takes_no_good_one_with_it(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = refuse_bad;
    struct sender *s = sender_to(server.url, "");
    double before = lost("rejected");
    append_with_others(s, "good1");
    append_with_others(s, "wrong");
    append_with_others(s, "good2");
    WAIT_FOR(view(s).queued_bytes == 0);
    CHECK_INT(server.len, 4);
    CHECK_INT(lost("rejected") - before, 1);
    end(s);
    fault_server_close(&server);
}

static struct fault_answer two_failures(struct fault_server *s, size_t n)
{
    (void)s;
    return (struct fault_answer){.status = n < 2 ? 503 : 200};
}

static void tries_again_and_loses_nothing(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = two_failures;
    struct sender *s = sender_to(server.url, QUICK);
    double before = lost("retries") + lost("rejected");
    append(s, "first");
    WAIT_FOR(view(s).state == SENDER_FAILING);
    CHECK_HAS(view(s).last_error, "503");
    CHECK(view(s).next_s > 0 || view(s).in_flight || view(s).state == SENDER_OK); /* on a slow machine it is over */
    WAIT_FOR(view(s).state == SENDER_OK && view(s).queued_bytes == 0);
    append(s, "second");
    WAIT_FOR(server.len == 4 && view(s).queued_bytes == 0);
    for (size_t i = 0; i < 3; i++)
        CHECK(request_is(&server, i, "first"));
    CHECK(request_is(&server, 3, "second"));
    CHECK_INT(lost("retries") + lost("rejected") - before, 0);
    CHECK(server.requests[1].at_ms - server.requests[0].at_ms >= 20);
    CHECK(server.requests[2].at_ms - server.requests[1].at_ms >= 40);
    end(s);
    fault_server_close(&server);
}

static void gives_a_profile_up_after_its_attempts(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 500;
    struct sender *s = sender_to(server.url, QUICK "max_backoff_retries = 3\n");
    double before = lost("retries");
    append(s, "only");
    WAIT_FOR(lost("retries") == before + 1);
    CHECK_INT(server.len, 3);
    CHECK_INT(view(s).queued_bytes, 0);
    end(s);
    fault_server_close(&server);
}

static void rejections_are_not_tried_again(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer = (struct fault_answer){.status = 400,
                                          .headers = "Content-Type: application/json\r\n",
                                          .body = "{\"code\":\"invalid_argument\",\"message\":\"too many labels\"}"};
    struct sender *s = sender_to(server.url, "");
    double before = lost("rejected");
    append(s, "a");
    append(s, "b");
    WAIT_FOR(lost("rejected") == before + 2);
    CHECK_INT(server.len, 2);
    CHECK_INT(view(s).state, SENDER_REJECTED);
    CHECK_HAS(view(s).last_error, "too many labels");
    end(s);
    fault_server_close(&server);
}

static void waits_as_long_as_the_server_asks_with_one_probe(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer = (struct fault_answer){.status = 429, .headers = "Retry-After: 1\r\n"};
    struct sender *s = sender_to(server.url, QUICK);
    append(s, "first");
    WAIT_FOR(server.len == 1 && view(s).in_flight == 0);
    for (int i = 0; i < 50; i++)
        append(s, "more");
    run_for(300);
    CHECK_INT(server.len, 1);
    WAIT_FOR(server.len == 2);
    CHECK(server.requests[1].at_ms - server.requests[0].at_ms >= 1000);
    CHECK(request_is(&server, 1, "more"));
    run_for(100);
    CHECK_INT(server.len, 2);
    CHECK_INT(server.most_open, 1);
    end(s);
    fault_server_close(&server);
}

static void may_be_told_not_to_retry_429(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 429;
    struct sender *s = sender_to(server.url, "retry_on_http_429 = false\n");
    double before = lost("rejected");
    append(s, "a");
    WAIT_FOR(lost("rejected") == before + 1);
    CHECK_INT(server.len, 1);
    end(s);
    fault_server_close(&server);
}

static void backoff_doubles_up_to_the_most(void)
{
    struct push_backoff b;
    push_backoff_reset(&b, 500, 5000);
    static const int64_t lows[] = {500, 1000, 2000, 4000, 4000, 4000};
    for (size_t i = 0; i < ARRAY_LEN(lows); i++)
        CHECK_INT(push_backoff_next(&b, 0), lows[i]);
    push_backoff_reset(&b, 500, 5000);
    static const int64_t middles[] = {750, 1500, 3000, 4500, 4500};
    for (size_t i = 0; i < ARRAY_LEN(middles); i++)
        CHECK_INT(push_backoff_next(&b, 0.5), middles[i]);
    push_backoff_reset(&b, 700, 700);
    CHECK_INT(push_backoff_next(&b, 0.9), 700);
    push_backoff_reset(&b, INT64_MAX - 1, INT64_MAX);
    CHECK(push_backoff_next(&b, 0.9) > 0);
}

static void what_waits_too_long_is_dropped(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = sender_to(server.url, "max_backoff_retries = 100\nmin_backoff_period = \"1m\"\n");
    double before = lost("too_old");
    append(s, "old");
    WAIT_FOR(view(s).state == SENDER_FAILING && view(s).in_flight == 0);
    append(s, "old");
    WAIT_FOR(server.len == 2 && view(s).in_flight == 0);
    clock_offset_ns += (SENDER_QUEUE_AGE_S + 1) * 1000000000ll;
    append(s, "new");
    CHECK_INT(lost("too_old") - before, 2);
    CHECK_INT(view(s).queued_profiles + view(s).in_flight, 1);
    end(s);
    fault_server_close(&server);
}

static void keeps_no_more_than_its_bytes(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = sender_to(server.url, "min_backoff_period = \"1m\"\n");
    enum { LARGE = 5 << 20 };
    double before = lost("queue_full");
    struct labels *ls = labels_named("shop");
    for (int i = 0; i < 9; i++) {
        struct encoded_profile *p = encoded_profile_new(xcalloc(1, LARGE), LARGE, 1, 0, 0);
        sender_append(s, ls, p, NULL);
        encoded_profile_unref(p);
    }
    labels_unref(ls);
    CHECK(view(s).queued_bytes <= SENDER_QUEUE_BYTES);
    CHECK_INT(lost("queue_full") - before, 3);
    end(s);
    fault_server_close(&server);
}

static void write_file(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void authorizes_as_configured_and_rereads_files(void)
{
    char path[] = "/tmp/test-write-XXXXXX", config[256];
    close(mkstemp(path));
    struct fault_server server;
    fault_server_open(&server, &loop);
    snprintf(config, sizeof config, QUICK "bearer_token_file = \"%s\"\n", path);
    struct sender *s = sender_to(server.url, config);
    write_file(path, "  one\n");
    append(s, "a");
    WAIT_FOR(server.len == 1);
    CHECK_HAS(server.requests[0].head, "\r\nAuthorization: Bearer one\r\n");
    write_file(path, "two");
    append(s, "b");
    WAIT_FOR(server.len == 2 && view(s).queued_bytes == 0);
    CHECK_HAS(server.requests[1].head, "\r\nAuthorization: Bearer two\r\n");
    unlink(path);
    append(s, "c");
    CHECK_INT(view(s).state, SENDER_FAILING);
    CHECK_HAS(view(s).last_error, "bearer_token_file: open");
    write_file(path, "three");
    WAIT_FOR(server.len == 3);
    CHECK(request_is(&server, 2, "c"));
    unlink(path);
    end(s);

    s = sender_to(server.url, "headers = { \"X-Scope-OrgID\" = \"team\", \"X-Empty\" = \"\" }\n"
                              "basic_auth {\n username = \"user\"\n password = \"pass\"\n}\n");
    append(s, "d");
    WAIT_FOR(server.len == 4);
    CHECK_HAS(server.requests[3].head, "\r\nAuthorization: Basic dXNlcjpwYXNz\r\n");
    CHECK_HAS(server.requests[3].head, "\r\nX-Scope-OrgID: team\r\n");
    CHECK_HAS(server.requests[3].head, "\r\nX-Empty:");
    CHECK_HAS(server.requests[3].head, "\r\nUser-Agent: smolder/9.9\r\n");
    end(s);
    fault_server_close(&server);
}

static void pushes_with_a_token_of_oauth2(void)
{
    struct fault_server server, tokens;
    fault_server_open(&server, &loop);
    fault_server_open(&tokens, &loop);
    tokens.answer.status = 503;
    char config[256];
    snprintf(config, sizeof config,
             QUICK "oauth2 {\n client_id = \"me\"\n client_secret = \"s\"\n token_url = \"%s\"\n}\n", tokens.url);
    struct sender *s = sender_to(server.url, config);
    append(s, "a");
    WAIT_FOR(tokens.len >= 2);
    CHECK_HAS(view(s).last_error, "OAuth 2.0 token: HTTP status 503");
    CHECK_INT(server.len, 0);
    tokens.answer = (struct fault_answer){.body = "{\"access_token\":\"tok\",\"expires_in\":60}"};
    WAIT_FOR(server.len == 1 && view(s).queued_bytes == 0);
    CHECK_HAS(server.requests[0].head, "\r\nAuthorization: Bearer tok\r\n");
    end(s);
    fault_server_close(&server);
    fault_server_close(&tokens);
}

static void new_settings_keep_the_queue_and_end_the_wait(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = sender_to(server.url, "min_backoff_period = \"1h\"\nmax_backoff_period = \"1h\"\n");
    append(s, "kept");
    WAIT_FOR(view(s).state == SENDER_FAILING && view(s).in_flight == 0);
    server.answer.status = 200;
    struct write_args next = {0};
    sender_update(s, settings_of(&next, server.url, "bearer_token = \"t\"\n"));
    schema_done(&write_schema, &args);
    args = next;
    WAIT_FOR(server.len == 2 && view(s).queued_bytes == 0);
    CHECK(request_is(&server, 1, "kept"));
    CHECK_HAS(server.requests[1].head, "Bearer t");
    end(s);
    fault_server_close(&server);
}

static void note(void *arg)
{
    *(bool *)arg = true;
}

static void drains_what_it_can_at_shutdown(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = sender_to(server.url, "min_backoff_period = \"1h\"\nmax_backoff_period = \"1h\"\n");
    append(s, "a");
    WAIT_FOR(view(s).state == SENDER_FAILING && view(s).in_flight == 0);
    server.answer.status = 200;
    append(s, "b");
    bool done = false;
    double before = lost("shutdown");
    sender_drain(s, 4000, note, &done);
    WAIT_FOR(done);
    CHECK_INT(server.len, 3);
    CHECK_INT(lost("shutdown") - before, 0);
    append(s, "late");
    CHECK_INT(lost("shutdown") - before, 1);
    CHECK_INT(view(s).state, SENDER_STOPPED);
    end(s);
    fault_server_close(&server);
}

static void a_dead_endpoint_is_given_one_attempt_at_shutdown(void)
{
    uv_tcp_t holder;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", fault_dead_port(&loop, &holder));
    struct sender *s = sender_to(url, "min_backoff_period = \"1h\"\nmax_backoff_period = \"1h\"\n");
    for (int i = 0; i < 5; i++)
        append(s, "x");
    WAIT_FOR(view(s).state == SENDER_FAILING && view(s).in_flight == 0);
    double before = lost("shutdown");
    bool done = false;
    uint64_t begin = uv_hrtime();
    sender_drain(s, 4000, note, &done);
    WAIT_FOR(done);
    CHECK(uv_hrtime() - begin < 2000000000ull);
    CHECK_INT(lost("shutdown") - before, 5);
    end(s);
    fault_close_now(&loop, (uv_handle_t *)&holder);
}

static void a_hanging_endpoint_ends_with_the_time(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.fault = FAULT_HANG;
    struct sender *s = sender_to(server.url, "");
    for (int i = 0; i < 5; i++)
        append(s, "x");
    WAIT_FOR(server.open == 2);
    double before = lost("shutdown");
    bool done = false;
    uint64_t begin = uv_hrtime();
    sender_drain(s, 200, note, &done);
    WAIT_FOR(done);
    CHECK(uv_hrtime() - begin >= 190000000ull && uv_hrtime() - begin < 2000000000ull);
    CHECK_INT(lost("shutdown") - before, 5);
    CHECK_INT(view(s).queued_bytes, 0);
    end(s);
    fault_server_close(&server);
}

static size_t count_lines(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, part)); p++)
        n++;
    return n;
}

static void logs_trouble_once_and_its_end_once(void)
{
    char path[] = "/tmp/test-write-XXXXXX", text[8192] = "";
    int fd = mkstemp(path);
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = sender_to(server.url, QUICK "name = \"main\"\n");
    log_to(fd);
    for (int i = 0; i < 5; i++)
        append(s, "x");
    WAIT_FOR(server.len >= 3);
    server.answer.status = 200;
    WAIT_FOR(view(s).queued_bytes == 0);
    log_to(2);
    CHECK(pread(fd, text, sizeof text - 1, 0) > 0);
    CHECK_INT(count_lines(text, "\n"), 2);
    CHECK_HAS(text, "level=warn msg=\"pushes fail\" component_path=/ component_id=pyroscope.write.test endpoint=\"main "
                    "(http://127.0.0.1:");
    CHECK_HAS(text, "err=\"HTTP status 503\"");
    CHECK_HAS(text, "level=info msg=\"pushes succeed again\"");
    close(fd);
    unlink(path);
    end(s);
    fault_server_close(&server);
}

static void shows_the_queue_without_the_password(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.fault = FAULT_HANG;
    char url[96], label[96];
    snprintf(url, sizeof url, "http://u:hush@127.0.0.1:%d", server.port);
    struct sender *s = sender_to(url, "");
    append(s, "12345");
    snprintf(label, sizeof label, "%s", view(s).endpoint);
    CHECK(!strstr(label, "hush"));
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    metric_render(&out);
    CHECK_HAS(buf_cstr(&out), "smolder_queue_bytes{endpoint=\"http://127.0.0.1:");
    CHECK(!strstr(buf_cstr(&out), "hush"));
    end(s);
    buf_reset(&out);
    metric_render(&out);
    CHECK(!strstr(buf_cstr(&out), "smolder_queue_bytes{"));
    fault_server_close(&server);
}

/* Metrics of the reference name a component by its place and its id there. */
static void counts_what_it_sends_from_inside_a_module(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    clock_offset_ns = 0;
    sender_fake(turned_clock, no_jitter);
    const struct sender_env inside = {&loop, "mod.x/pyroscope.write.w", "9.9"};
    struct sender *s = sender_new(&inside, settings_of(&args, server.url, ""));
    append(s, "12345");
    WAIT_FOR(server.len == 1 && view(s).queued_bytes == 0);
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    metric_render(&out);
    CHECK_HAS(buf_cstr(&out),
              "pyroscope_write_sent_profiles_total{component_id=\"pyroscope.write.w\",component_path=\"/mod.x\",");
    end(s);
    fault_server_close(&server);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(pushes_in_order_with_two_in_flight);
    RUN(one_bad_profile_takes_no_good_one_with_it);
    RUN(tries_again_and_loses_nothing);
    RUN(gives_a_profile_up_after_its_attempts);
    RUN(rejections_are_not_tried_again);
    RUN(waits_as_long_as_the_server_asks_with_one_probe);
    RUN(may_be_told_not_to_retry_429);
    RUN(backoff_doubles_up_to_the_most);
    RUN(what_waits_too_long_is_dropped);
    RUN(keeps_no_more_than_its_bytes);
    RUN(authorizes_as_configured_and_rereads_files);
    RUN(pushes_with_a_token_of_oauth2);
    RUN(new_settings_keep_the_queue_and_end_the_wait);
    RUN(drains_what_it_can_at_shutdown);
    RUN(a_dead_endpoint_is_given_one_attempt_at_shutdown);
    RUN(a_hanging_endpoint_ends_with_the_time);
    RUN(logs_trouble_once_and_its_end_once);
    RUN(shows_the_queue_without_the_password);
    RUN(counts_what_it_sends_from_inside_a_module);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
