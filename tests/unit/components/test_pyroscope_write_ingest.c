/* Against a server on the same loop that answers as it is told. */
#include "components/pyroscope_write_ingest.h"

#include "base/cleanup.h"
#include "components/write_fixture.h"
#include "graph/args.h"

static const struct sender_env env = {&loop, "pyroscope.write.test", "9.9"};
static struct fault_server server;

/* One reference. */
static const struct write_args *args_of(const char *more)
{
    char problem[ERR_MAX], text[2048];
    struct write_args *a = args_new(&write_schema);
    snprintf(text, sizeof text, "endpoint {\n url = \"%s/base/\"\n %s%s\n}\n", server.url,
             strstr(more, "min_backoff") ? "" : "min_backoff_period = \"1ms\"\n", more);
    CHECK(decode_text(&write_schema, text, a, problem));
    CHECK_STR(problem, "");
    return a;
}

static struct ingest_forwarder *forwarder(const char *more)
{
    fault_server_open(&server, &loop);
    const struct write_args *a = args_of(more);
    struct ingest_forwarder *f = ingest_forwarder_new(&env, a);
    args_unref(a);
    return f;
}

static void end(struct ingest_forwarder *f)
{
    ingest_forwarder_free(f);
    fault_server_close(&server);
}

static void append(struct ingest_forwarder *f, const char *bytes, size_t n)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__name__"), STR("shop"));
    labels_set(&b, STR("__delta__"), STR("false"));
    labels_set(&b, STR("service_name"), STR("shop"));
    labels_set(&b, STR("zone"), STR("a,b}c d&e"));
    struct labels *ls = labels_build(&b, false);
    uint8_t *copy = xmalloc(n + 1);
    memcpy(copy, bytes, n);
    struct ingest_body *body =
        ingest_body_new(copy, n, xstrdup("multipart/form-data; boundary=x"), xstrdup("format=jfr&from=1"));
    ingest_forwarder_append(f, ls, body);
    ingest_body_unref(body);
    labels_unref(ls);
}

/* Whether an attempt at this server is known to have failed. */
static bool has_failed(void)
{
    cleanup_buf struct buf page = BUF_INIT(1 << 20);
    char line[200];
    metric_render(&page);
    snprintf(line, sizeof line, "smolder_ingests_total{endpoint=\"%s/base/\",result=\"retry\"}", server.url);
    return strstr(buf_cstr(&page), line) != NULL;
}

static void bodies_arrive_as_they_were(void)
{
    struct ingest_forwarder *f = forwarder("headers = {\"X-Scope-OrgID\" = \"team\", \"Content-Type\" = \"no\"}\n"
                                           "basic_auth {\n username = \"u\"\n password = \"p\"\n}\n");
    append(f, "a\0b", 3);
    append(f, "second", 6);
    WAIT_FOR(server.len == 2);
    CHECK_HAS(server.requests[0].head,
              "POST /base/ingest?name=shop%7Bservice_name%3Dshop%2Czone%3Da_b_c%20d%26e%7D&format=jfr&from=1 HTTP/1.1");
    CHECK_HAS(server.requests[0].head, "\r\nContent-Type: multipart/form-data; boundary=x\r\n");
    CHECK_HAS(server.requests[0].head, "\r\nX-Scope-OrgID: team\r\n");
    CHECK_HAS(server.requests[0].head, "\r\nAuthorization: Basic dTpw\r\n");
    CHECK_HAS(server.requests[0].head, "\r\nUser-Agent: smolder/9.9\r\n");
    CHECK_INT(server.requests[0].body_len, 3);
    CHECK(memcmp(server.requests[0].body, "a\0b", 3) == 0);
    CHECK(request_is(&server, 1, "second"));
    end(f);
}

static struct fault_answer first_fails(struct fault_server *s, size_t n)
{
    (void)s;
    static const int statuses[] = {503, 429, 408};
    return (struct fault_answer){.status = n < 3 ? statuses[n] : 200};
}

static void what_may_pass_is_sent_again_in_order(void)
{
    struct ingest_forwarder *f = forwarder("");
    server.decide = first_fails;
    append(f, "first", 5);
    append(f, "second", 6);
    WAIT_FOR(server.len == 5);
    for (size_t i = 0; i < 4; i++)
        CHECK(request_is(&server, i, "first"));
    CHECK(request_is(&server, 4, "second"));
    end(f);
}

static void what_is_rejected_is_dropped(void)
{
    struct ingest_forwarder *f = forwarder("");
    server.answer.status = 422;
    const double rejected = lost("rejected");
    append(f, "bad", 3);
    append(f, "next", 4);
    WAIT_FOR(server.len == 2 && lost("rejected") == rejected + 2);
    end(f);
    f = forwarder("retry_on_http_429 = false");
    server.answer.status = 429;
    append(f, "limited", 7);
    WAIT_FOR(lost("rejected") == rejected + 3);
    end(f);
}

static void attempts_are_limited(void)
{
    struct ingest_forwarder *f = forwarder("max_backoff_retries = 2");
    server.answer.status = 500;
    const double retries = lost("retries");
    append(f, "x", 1);
    WAIT_FOR(lost("retries") == retries + 1);
    CHECK_INT(server.len, 2);
    end(f);
}

static void the_queue_is_bounded(void)
{
    enum { LARGE = 20 << 20 };
    struct ingest_forwarder *f = forwarder("");
    server.answer.fault = FAULT_HANG;
    cleanup_free char *large = xcalloc(1, LARGE);
    const double full = lost("queue_full");
    append(f, "sent", 4);
    append(f, large, LARGE);
    CHECK_INT(lost("queue_full"), full);
    append(f, large, LARGE); /* the older one goes */
    CHECK_INT(lost("queue_full"), full + 1);
    const double shutdown = lost("shutdown");
    end(f);
    CHECK_INT(lost("shutdown"), shutdown + 2);
}

static void an_endpoint_that_stays_keeps_its_queue(void)
{
    struct ingest_forwarder *f = forwarder("");
    server.answer.fault = FAULT_HANG;
    append(f, "first", 5);
    append(f, "second", 6);
    WAIT_FOR(server.len == 1);
    const struct write_args *same = args_of("headers = {\"X-New\" = \"1\"}");
    ingest_forwarder_update(f, same);
    args_unref(same);
    server.answer.fault = FAULT_NONE;
    fault_server_release(&server, &(struct fault_answer){.status = 200});
    WAIT_FOR(server.len == 2);
    CHECK(request_is(&server, 1, "second"));
    CHECK_HAS(server.requests[1].head, "\r\nX-New: 1\r\n");
    server.answer.fault = FAULT_HANG;
    append(f, "third", 5);
    WAIT_FOR(server.len == 3); /* so the second one was answered */
    const double shutdown = lost("shutdown");
    struct write_args *none = args_new(&write_schema);
    ingest_forwarder_update(f, none);
    args_unref(none);
    CHECK_INT(lost("shutdown"), shutdown + 1);
    end(f);
}

static bool server_got(size_t first, const char *text)
{
    size_t n = 0;
    for (size_t i = first; i < server.len; i++)
        n += request_is(&server, i, text);
    return n == 1;
}

/* Status for those that end with "bad"; others are taken. */
static struct fault_answer fail_for_bad(struct fault_server *s, size_t n)
{
    return (struct fault_answer){.status = request_is(s, n, "bad") ? 500 : 200};
}

static void one_that_always_fails_holds_up_others_for_a_few_attempts_and_is_dropped(void)
{
    struct ingest_forwarder *f = forwarder("max_backoff_period = \"20ms\"");
    const double retries = lost("retries");
    server.decide = fail_for_bad;
    append(f, "bad", 3);
    append(f, "first", 5);
    append(f, "second", 6);
    WAIT_FOR(server_got(0, "first") && server_got(0, "second"));
    CHECK(server.len <= 8);
    for (int i = 0; i < 100 && lost("retries") == retries; i++) {
        append(f, "more", 4);
        run_for(20);
    }
    CHECK_INT(lost("retries"), retries + 1);
    end(f);
}

static void an_outage_costs_none(void)
{
    struct ingest_forwarder *f = forwarder("max_backoff_retries = 1\nmax_backoff_period = \"20ms\"");
    const double retries = lost("retries");
    server.answer.status = 500;
    append(f, "first", 5);
    append(f, "second", 6);
    WAIT_FOR(server.len >= 6);
    server.answer.status = 200;
    WAIT_FOR(server_got(6, "first") && server_got(6, "second"));
    CHECK_INT(lost("retries"), retries);
    end(f);
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void at_the_end_each_is_tried_once(void)
{
    bool done = false;
    struct ingest_forwarder *f = forwarder("min_backoff_period = \"1m\"");
    server.answer.status = 503;
    append(f, "first", 5);
    append(f, "second", 6);
    WAIT_FOR(has_failed());
    CHECK_INT(server.len, 1);
    server.answer.status = 200;
    const double shutdown = lost("shutdown");
    ingest_forwarder_drain(f, 5000, set_flag, &done);
    WAIT_FOR(done);
    CHECK_INT(server.len, 3);
    CHECK_INT(lost("shutdown"), shutdown);
    append(f, "late", 4);
    CHECK_INT(lost("shutdown"), shutdown + 1);
    end(f);
    /* A server that does not answer is not waited for. */
    done = false;
    f = forwarder("");
    server.answer.fault = FAULT_HANG;
    append(f, "first", 5);
    append(f, "second", 6);
    ingest_forwarder_drain(f, 50, set_flag, &done);
    WAIT_FOR(done);
    CHECK_INT(lost("shutdown"), shutdown + 3);
    end(f);
    done = false;
    f = forwarder("");
    ingest_forwarder_drain(f, 50, set_flag, &done);
    CHECK(done);
    end(f);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT);
    uv_loop_init(&loop);
    RUN(bodies_arrive_as_they_were);
    RUN(what_may_pass_is_sent_again_in_order);
    RUN(what_is_rejected_is_dropped);
    RUN(attempts_are_limited);
    RUN(the_queue_is_bounded);
    RUN(an_endpoint_that_stays_keeps_its_queue);
    RUN(one_that_always_fails_holds_up_others_for_a_few_attempts_and_is_dropped);
    RUN(an_outage_costs_none);
    RUN(at_the_end_each_is_tried_once);
    CHECK(fault_loop_close(&loop));
    return REPORT();
}
