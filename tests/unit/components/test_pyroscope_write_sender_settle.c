/* What the sender does with profiles that a server does not take. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "components/sender_fixture.h"
#include "pprof_maker.h"

static bool carries(const struct fault_server *s, size_t n, const char *text)
{
    return n < s->len && memmem(s->requests[n].body, s->requests[n].body_len, text, strlen(text)) != NULL;
}

/* Status for the requests that carry "poison"; the others are accepted. */
static int poison_status;

static struct fault_answer refuse_poison(struct fault_server *s, size_t n)
{
    return (struct fault_answer){.status = carries(s, n, "poison") ? poison_status : 200};
}

static void a_profile_that_always_fails_holds_up_no_other(void)
{
    static const int statuses[] = {429, 500, 504};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct fault_server server;
        fault_server_open(&server, &loop);
        server.decide = refuse_poison;
        poison_status = statuses[i];
        struct sender *s = sender_to(server.url, "min_backoff_period = \"1h\"\nmax_backoff_period = \"2h\"\n");
        append(s, "poison");
        WAIT_FOR(view(s).state == SENDER_FAILING && view(s).in_flight == 0);
        for (size_t k = 0; k < 5; k++) {
            append(s, "good");
            WAIT_FOR(server.len == k + 2 && view(s).in_flight == 0);
            CHECK(request_is(&server, k + 1, "good"));
        }
        CHECK_INT(view(s).queued_profiles, 1);
        /* Among others: one more request for each, and nothing waits for the poison. */
        append_with_others(s, "poison");
        append_with_others(s, "good");
        WAIT_FOR(view(s).queued_profiles == 3 && view(s).in_flight == 0);
        clock_offset_ns += 3600 * 1000000000ll;
        append(s, "good");
        WAIT_FOR(view(s).queued_profiles <= 2 && view(s).in_flight == 0);
        end(s);
        fault_server_close(&server);
    }
}

static void an_endpoint_is_down_when_different_profiles_fail_and_probes_take_turns(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = sender_to(server.url, "min_backoff_period = \"1h\"\nmax_backoff_period = \"1h\"\n"
                                             "max_backoff_retries = 0\n");
    append(s, "aaa");
    WAIT_FOR(server.len == 1 && view(s).in_flight == 0);
    append(s, "bbb");
    WAIT_FOR(server.len == 2 && view(s).in_flight == 0);
    append(s, "ccc");
    run_for(20);
    CHECK_INT(server.len, 2);
    static const char *const next[] = {"ccc", "ddd"};
    for (size_t i = 0; i < 2; i++) {
        clock_offset_ns += 3601ll * 1000000000;
        append(s, i ? "eee" : "ddd");
        WAIT_FOR(server.len == 3 + i && view(s).in_flight == 0);
        CHECK(request_is(&server, 2 + i, next[i]));
    }
    CHECK_INT(server.most_open, 1);
    end(s);
    fault_server_close(&server);
}

/* The ID with which the request carries this profile: 36 characters in front of its bytes, a tag and a length. */
static const char *id_in(const struct fault_server *s, size_t n, const char *text)
{
    static char id[37];
    const uint8_t *at = memmem(s->requests[n].body, s->requests[n].body_len, text, strlen(text));
    snprintf(id, sizeof id, "%.36s", at ? (const char *)at - 2 - 36 : "");
    return id;
}

/* As Pyroscope's distributor: stores the good ones, names "wrong", and answers the request as a whole. */
static int partial_status;

static struct fault_answer store_the_good_ones(struct fault_server *s, size_t n)
{
    static char body[512];
    if (!carries(s, n, "wrong"))
        return (struct fault_answer){.status = 200};
    snprintf(body, sizeof body, "{\"code\":\"x\",\"message\":\"push series with index 1 and id %s failed: %s: no\"}",
             id_in(s, n, "wrong"), partial_status == 429 ? "resource_exhausted" : "invalid_argument");
    return (struct fault_answer){
        .status = partial_status, .headers = "Content-Type: application/json\r\n", .body = body};
}

static void only_what_was_not_stored_is_sent_again_and_with_the_same_id(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = store_the_good_ones;
    partial_status = 429;
    struct sender *s = sender_to(server.url, QUICK);
    append_with_others(s, "good1");
    append_with_others(s, "wrong");
    append_with_others(s, "good2");
    WAIT_FOR(server.len >= 3);
    CHECK(carries(&server, 0, "good1") && carries(&server, 0, "wrong") && carries(&server, 0, "good2"));
    for (size_t i = 1; i < 3; i++)
        CHECK(request_is(&server, i, "wrong") && !carries(&server, i, "good"));
    char first[37];
    snprintf(first, sizeof first, "%s", id_in(&server, 0, "wrong"));
    CHECK_INT(strlen(first), 36);
    CHECK_STR(id_in(&server, 1, "wrong"), first);
    CHECK_INT(view(s).queued_profiles + view(s).in_flight, 1);
    end(s);
    fault_server_close(&server);
}

static void what_the_server_rejects_of_a_batch_is_dropped_and_the_rest_is_not_sent_again(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = store_the_good_ones;
    partial_status = 400;
    struct sender *s = sender_to(server.url, QUICK);
    double before = lost("rejected");
    append_with_others(s, "good1");
    append_with_others(s, "wrong");
    WAIT_FOR(view(s).queued_bytes == 0);
    run_for(30);
    CHECK_INT(server.len, 1);
    CHECK_INT(lost("rejected") - before, 1);
    end(s);
    fault_server_close(&server);
}

static struct fault_answer lose_the_first_answer(struct fault_server *s, size_t n)
{
    (void)s;
    return (struct fault_answer){.fault = n == 0 ? FAULT_CLOSE : FAULT_NONE};
}

static void a_profile_has_the_same_id_after_a_lost_answer(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = lose_the_first_answer;
    struct sender *s = sender_to(server.url, QUICK);
    append(s, "only");
    WAIT_FOR(server.len == 2 && view(s).queued_bytes == 0);
    char first[37];
    snprintf(first, sizeof first, "%s", id_in(&server, 0, "only"));
    CHECK_STR(id_in(&server, 1, "only"), first);
    end(s);
    fault_server_close(&server);
}

static struct fault_answer fail_in_every_way(struct fault_server *s, size_t n)
{
    (void)s;
    static const struct fault_answer ways[] = {
        {.fault = FAULT_RESET}, {.fault = FAULT_HANG}, {.fault = FAULT_CLOSE}, {.status = 429}, {.status = 504}};
    return n < ARRAY_LEN(ways) ? ways[n] : (struct fault_answer){.status = 200};
}

/* A reset, a connection that is only half open, an end without an answer, two errors: one profile, one ID. */
static void a_profile_survives_failures_of_every_kind(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = fail_in_every_way;
    struct sender *s = sender_to(server.url, QUICK "remote_timeout = \"100ms\"\n");
    double before = lost("retries") + lost("rejected");
    append(s, "only");
    WAIT_FOR(server.len == 6 && view(s).queued_bytes == 0);
    char first[37];
    snprintf(first, sizeof first, "%s", id_in(&server, 0, "only"));
    for (size_t i = 1; i < server.len; i++)
        CHECK_STR(id_in(&server, i, "only"), first);
    CHECK_INT(lost("retries") + lost("rejected") - before, 0);
    end(s);
    fault_server_close(&server);
}

static struct fault_answer fail_until_told(struct fault_server *s, size_t n)
{
    (void)s, (void)n;
    return (struct fault_answer){.status = poison_status};
}

static size_t times_taken(const struct fault_server *s, size_t first, const char *text)
{
    size_t n = 0;
    for (size_t i = first; i < s->len; i++)
        n += carries(s, i, text);
    return n;
}

/* One attempt per profile, and a server that fails for all: in one request, and in requests of their own. */
static void an_outage_costs_no_profile_with_few_attempts(void)
{
    static const int statuses[] = {500, 502, 429};
    static const char *const names[] = {"first", "second", "third", "fourth"}; /* no hex digits, as IDs are */
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct fault_server server;
        fault_server_open(&server, &loop);
        server.decide = fail_until_told;
        poison_status = statuses[i];
        struct sender *s = sender_to(server.url, QUICK "max_backoff_retries = 1\n");
        const double before = lost("retries") + lost("rejected");
        for (size_t k = 0; k < 3; k++)
            append_with_others(s, names[k]);
        WAIT_FOR(server.len >= 6);
        append(s, names[3]);
        WAIT_FOR(server.len >= 12 && view(s).in_flight == 0);
        CHECK_INT(view(s).queued_profiles, 4);
        const size_t first = server.len;
        poison_status = 200;
        WAIT_FOR(view(s).queued_bytes == 0);
        for (size_t k = 0; k < 4; k++)
            CHECK_INT(times_taken(&server, first, names[k]), 1);
        CHECK_INT(lost("retries") + lost("rejected") - before, 0);
        end(s);
        fault_server_close(&server);
    }
}

/* It is at fault once the endpoint took another one afterwards, and was in a request of its own. */
static void a_profile_that_fails_while_others_are_taken_has_its_attempts(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = refuse_poison;
    poison_status = 500;
    struct sender *s = sender_to(server.url, "min_backoff_period = \"1m\"\nmax_backoff_period = \"1m\"\n"
                                             "max_backoff_retries = 2\n");
    const double before = lost("retries");
    append_with_others(s, "poison");
    append_with_others(s, "good");
    for (size_t i = 0; i < 2; i++) { /* before, both were in one request */
        WAIT_FOR(server.len > 0 && view(s).in_flight == 0 && view(s).queued_profiles == (i ? 1 : 2));
        CHECK_INT(lost("retries") - before, 0);
        clock_offset_ns += 61ll * 1000000000;
        append(s, "good");
        WAIT_FOR(view(s).in_flight == 0);
        append(s, "good");
    }
    WAIT_FOR(lost("retries") == before + 1 && view(s).queued_bytes == 0);
    CHECK_INT(times_taken(&server, 0, "poison"), 3);
    end(s);
    fault_server_close(&server);
}

/* Stores what is good, says that two others failed. */
static struct fault_answer store_all_but_two(struct fault_server *s, size_t n)
{
    static char body[1024], first[37];
    if (!carries(s, n, "bad1") || !carries(s, n, "bad2"))
        return (struct fault_answer){.status = carries(s, n, "bad") ? 500 : 200};
    snprintf(first, sizeof first, "%s", id_in(s, n, "bad1"));
    snprintf(body, sizeof body,
             "{\"code\":\"x\",\"message\":\"push series with index 0 and id %s failed: internal: no; "
             "push series with index 1 and id %s failed: internal: no\"}",
             first, id_in(s, n, "bad2"));
    return (struct fault_answer){.status = 500, .headers = "Content-Type: application/json\r\n", .body = body};
}

static void an_endpoint_that_stores_others_of_a_request_is_not_down(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = store_all_but_two;
    struct sender *s = sender_to(server.url, "min_backoff_period = \"1h\"\nmax_backoff_period = \"1h\"\n");
    append_with_others(s, "bad1");
    append_with_others(s, "good");
    append_with_others(s, "bad2");
    WAIT_FOR(server.len == 1 && view(s).in_flight == 0);
    CHECK_INT(view(s).queued_profiles, 2);
    append(s, "next");
    WAIT_FOR(server.len == 2 && view(s).in_flight == 0);
    CHECK(request_is(&server, 1, "next"));
    end(s);
    fault_server_close(&server);
}

/* A socket that takes connections and reads nothing: its kernel takes what has room in buffers. */
static int open_deaf_server(char url[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&at, size), 0);
    CHECK_INT(listen(fd, 16), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void a_server_that_does_not_read_costs_no_profile(void)
{
    enum { LARGE = 16 << 20 };
    char url[64];
    const int fd = open_deaf_server(url);
    struct sender *s = sender_to(url, QUICK "remote_timeout = \"200ms\"\n");
    struct labels *ls = labels_named("shop");
    struct encoded_profile *p = encoded_profile_new(xcalloc(1, LARGE), LARGE, 1, 0, 0);
    const double before = lost("retries") + lost("rejected");
    sender_append(s, ls, p, NULL);
    append(s, "small");
    encoded_profile_unref(p);
    labels_unref(ls);
    WAIT_FOR(view(s).state == SENDER_FAILING);
    CHECK_HAS(view(s).last_error, "timed out");
    run_for(300);
    CHECK_INT(view(s).queued_profiles + view(s).in_flight, 2);
    CHECK_INT(lost("retries") + lost("rejected") - before, 0);
    end(s);
    close(fd);
}

static void a_rejection_is_told_to_the_origin_of_the_profile(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = refuse_poison;
    poison_status = 400;
    struct sender *s = sender_to(server.url, QUICK);
    struct profile_origin *mine = profile_origin_new(), *other = profile_origin_new();
    struct labels *ls = labels_named("shop");
    struct encoded_profile *bad = profile_of("poison"), *good = profile_of("good");
    bad->origin = profile_origin_ref(mine);
    good->origin = profile_origin_ref(other);
    sender_append(s, ls, bad, NULL);
    sender_append(s, ls, good, NULL);
    WAIT_FOR(mine->rejected == 1 && view(s).queued_bytes == 0);
    CHECK_HAS(mine->rejection, "HTTP status 400");
    CHECK_INT(other->rejected, 0);
    encoded_profile_unref(bad);
    encoded_profile_unref(good);
    labels_unref(ls);
    profile_origin_unref(mine);
    profile_origin_unref(other);
    end(s);
    fault_server_close(&server);
}

static struct fault_answer allow_three_labels(struct fault_server *s, size_t n)
{
    return carries(s, n, "extra_label")
               ? (struct fault_answer){.status = 400,
                                       .headers = "Content-Type: application/json\r\n",
                                       .body = "{\"code\":\"invalid_argument\",\"message\":\"profile series '{}' has 4 "
                                               "label names; limit 3\"}"}
               : (struct fault_answer){.status = 200};
}

static void labels_beyond_the_limit_are_left_out_from_then_on(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.decide = allow_three_labels;
    struct sender *s = sender_to(server.url, QUICK);
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__name__"), STR("process_cpu"));
    labels_set(&b, STR("service_name"), STR("shop"));
    labels_set(&b, STR("extra_label"), STR("x"));
    labels_set(&b, STR("pod"), STR("shop-1"));
    struct labels *ls = labels_build(&b, false);
    for (size_t i = 0; i < 2; i++) {
        struct encoded_profile *p = profile_of("profile");
        sender_append(s, ls, p, NULL);
        encoded_profile_unref(p);
        WAIT_FOR(server.len == 2 + i && view(s).queued_bytes == 0);
        CHECK(carries(&server, 1 + i, "shop-1") && request_is(&server, 1 + i, "profile"));
    }
    labels_unref(ls);
    end(s);
    fault_server_close(&server);
}

/* Encoded, with `n` samples of a stack each. */
static struct encoded_profile *large_profile(size_t n)
{
    cleanup_free char *names = xcalloc(n, 32);
    cleanup_free struct made_sample *samples = xcalloc(n, sizeof *samples);
    for (size_t i = 0; i < n; i++) {
        snprintf(names + 32 * i, 32, "main;work%zu", i * 2654435761u);
        samples[i] = (struct made_sample){names + 32 * i, {1}, NULL};
    }
    struct buf plain = make_profile(
        &(struct made_profile){.types = {{"cpu", "nanoseconds"}}, .time_ns = 1, .samples = samples, .n = n});
    size_t len;
    uint8_t *bytes = buf_take(&plain, &len);
    return encoded_profile_new(bytes, len, n, 1, 0);
}

static size_t largest_taken;

/* Anything above 100 KB is rejected, or above the burst size. */
static struct fault_answer refuse_large(struct fault_server *s, size_t n)
{
    if (s->requests[n].body_len <= 100000) {
        largest_taken = s->requests[n].body_len > largest_taken ? s->requests[n].body_len : largest_taken;
        return (struct fault_answer){.status = 200};
    }
    return (struct fault_answer){
        .status = poison_status,
        .headers = "Content-Type: application/json\r\n",
        .body = poison_status == 429
                    ? "{\"code\":\"resource_exhausted\",\"message\":\"push rate limit (4.0 MiB) exceeded\"}"
                    : "{\"code\":\"invalid_argument\",\"message\":\"max_profile_size_byte, actual: 1, limit: 90000\"}"};
}

static void a_profile_above_a_limit_arrives_in_parts(void)
{
    static const int statuses[] = {400, 413, 429};
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct fault_server server;
        fault_server_open(&server, &loop);
        server.decide = refuse_large;
        poison_status = statuses[i];
        largest_taken = 0;
        struct sender *s = sender_to(server.url, QUICK);
        double before = lost("rejected") + lost("retries");
        struct labels *ls = labels_named("shop");
        struct encoded_profile *p = large_profile(10000);
        CHECK(p->len > 300000);
        sender_append(s, ls, p, NULL);
        encoded_profile_unref(p);
        labels_unref(ls);
        WAIT_FOR(server.len > 1 && view(s).queued_bytes == 0);
        CHECK(largest_taken > 0);
        CHECK_INT(lost("rejected") + lost("retries") - before, 0);
        end(s);
        fault_server_close(&server);
    }
}

static void without_a_limit_of_attempts_a_profile_is_kept(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = sender_to(server.url, QUICK "max_backoff_retries = 0\n");
    double before = lost("too_old") + lost("retries");
    append(s, "old");
    WAIT_FOR(server.len >= 3);
    clock_offset_ns += 24 * 3600 * 1000000000ll;
    WAIT_FOR(server.len >= 15);
    CHECK_INT(lost("too_old") + lost("retries") - before, 0);
    server.answer.status = 200;
    WAIT_FOR(view(s).queued_bytes == 0);
    CHECK(request_is(&server, server.len - 1, "old"));
    end(s);
    fault_server_close(&server);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(a_profile_that_always_fails_holds_up_no_other);
    RUN(an_endpoint_is_down_when_different_profiles_fail_and_probes_take_turns);
    RUN(only_what_was_not_stored_is_sent_again_and_with_the_same_id);
    RUN(what_the_server_rejects_of_a_batch_is_dropped_and_the_rest_is_not_sent_again);
    RUN(a_profile_has_the_same_id_after_a_lost_answer);
    RUN(a_profile_survives_failures_of_every_kind);
    RUN(an_outage_costs_no_profile_with_few_attempts);
    RUN(a_profile_that_fails_while_others_are_taken_has_its_attempts);
    RUN(an_endpoint_that_stores_others_of_a_request_is_not_down);
    RUN(a_server_that_does_not_read_costs_no_profile);
    RUN(a_rejection_is_told_to_the_origin_of_the_profile);
    RUN(labels_beyond_the_limit_are_left_out_from_then_on);
    RUN(a_profile_above_a_limit_arrives_in_parts);
    RUN(without_a_limit_of_attempts_a_profile_is_kept);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
