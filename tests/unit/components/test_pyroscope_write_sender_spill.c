/* The sender with a spool: outages, restarts, and what a recovering server gets. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "components/sender_fixture.h"

static char root[] = "/tmp/test-spill-XXXXXX";
static const struct sender_env spooling = {&loop, "pyroscope.write.test", "9.9", root};

static struct sender *spooling_sender(const char *url, const char *more)
{
    clock_offset_ns = 0;
    sender_fake(turned_clock, no_jitter);
    return sender_new(&spooling, settings_of(&args, url, more));
}

static void leave(struct sender *s)
{
    sender_free(s);
    schema_done(&write_schema, &args);
    WAIT_FOR(loop.active_reqs.count == 0); /* the spool is closed by a worker */
}

static bool is_spool_there(void)
{
    cleanup_free char *path = xasprintf("%s/spool", root);
    return access(path, F_OK) == 0;
}

/* How many requests of the server from `first` on were accepted and carry this profile. */
static size_t times(const struct fault_server *s, size_t first, const char *text)
{
    size_t n = 0;
    for (size_t i = first; i < s->len; i++)
        n += memmem(s->requests[i].body, s->requests[i].body_len, text, strlen(text)) != NULL;
    return n;
}

enum { PROFILES = 60 };

static void append_numbered(struct sender *s, int first, int n)
{
    char text[16];
    for (int i = first; i < first + n; i++) {
        snprintf(text, sizeof text, "<p%03d>", i);
        append(s, text);
    }
}

static void check_each_once(const struct fault_server *s, size_t first)
{
    char text[16];
    for (int i = 0; i < PROFILES; i++) {
        snprintf(text, sizeof text, "<p%03d>", i);
        CHECK_INT(times(s, first, text), 1);
    }
}

#define FAST "min_backoff_period = \"20ms\"\nmax_backoff_period = \"50ms\"\n"

static int64_t still_clock(void)
{
    return 1000000000;
}

/* The clock stands still, so that a slow machine is not taken for a slow server. */
static void while_all_is_well_there_is_no_file(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    struct sender *s = spooling_sender(server.url, FAST);
    sender_fake(still_clock, no_jitter);
    for (int i = 0; i < 20; i++)
        append(s, "x");
    WAIT_FOR(server.len > 0 && view(s).queued_bytes == 0 && view(s).in_flight == 0);
    CHECK(!is_spool_there());
    fault_server_close(&server);
    leave(s);
    CHECK(!is_spool_there());
}

/* Half an hour: more attempts than a profile has, and older than the queue keeps. The agent ends in its middle without
 * a word, as by a kill: nothing is drained. */
static void an_outage_with_an_end_of_the_agent_in_it_loses_nothing_and_sends_nothing_twice(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    const double before = lost("retries") + lost("too_old") + lost("queue_full") + lost("shutdown");
    struct sender *s = spooling_sender(server.url, FAST "max_backoff_retries = 3\n");
    append_numbered(s, 0, PROFILES / 2);
    WAIT_FOR(server.len >= 20);
    clock_offset_ns += 15ll * 60 * 1000000000;
    WAIT_FOR(server.len >= 30 && view(s).spooled_bytes > 0);
    leave(s);

    s = spooling_sender(server.url, FAST "max_backoff_retries = 3\n");
    WAIT_FOR(view(s).spooled_bytes > 0);
    append_numbered(s, PROFILES / 2, PROFILES / 2);
    clock_offset_ns += 15ll * 60 * 1000000000;
    WAIT_FOR(server.len >= 50);
    const size_t first = server.len;
    server.answer.status = 200;
    WAIT_FOR(view(s).state == SENDER_OK && view(s).queued_bytes == 0 && view(s).spooled_bytes == 0);
    check_each_once(&server, first);
    CHECK_INT(lost("retries") + lost("too_old") + lost("queue_full") + lost("shutdown") - before, 0);
    fault_server_close(&server);
    leave(s);
    cleanup_free char *spool = xasprintf("%s/spool", root);
    CHECK_INT(rmdir(spool), 0);
}

/* The only profile there is, and one attempt: with a disk it waits until others show whether it is at fault. */
static void an_outage_costs_not_even_the_only_profile(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 500;
    const double before = lost("retries");
    struct sender *s = spooling_sender(server.url, FAST "max_backoff_retries = 1\n");
    append(s, "only");
    WAIT_FOR(server.len >= 5 && view(s).spooled_bytes > 0);
    leave(s);
    s = spooling_sender(server.url, FAST "max_backoff_retries = 1\n");
    WAIT_FOR(server.len >= 8);
    server.answer.status = 200;
    const size_t first = server.len;
    WAIT_FOR(view(s).state == SENDER_OK && view(s).queued_bytes == 0 && view(s).spooled_bytes == 0);
    CHECK_INT(times(&server, first, "only"), 1);
    CHECK_INT(lost("retries") - before, 0);
    fault_server_close(&server);
    leave(s);
}

static void what_a_server_does_not_answer_is_on_disk_within_a_second(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.fault = FAULT_HANG;
    struct sender *s = spooling_sender(server.url, FAST);
    append(s, "hanging");
    WAIT_FOR(server.open == 1);
    clock_offset_ns += 2ll * 1000000000;
    append(s, "another");
    WAIT_FOR(view(s).spooled_bytes > 0);
    server.answer.fault = FAULT_NONE;
    fault_server_release(&server, &server.answer);
    WAIT_FOR(view(s).queued_bytes == 0 && view(s).spooled_bytes == 0);
    CHECK_INT(times(&server, 0, "hanging"), 1);
    fault_server_close(&server);
    leave(s);
}

static void note(void *arg)
{
    *(bool *)arg = true;
}

static void what_a_dead_server_does_not_take_at_shutdown_is_sent_after_the_restart(void)
{
    uv_tcp_t holder;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", fault_dead_port(&loop, &holder));
    struct sender *s = spooling_sender(url, FAST);
    append_numbered(s, 0, PROFILES);
    const double before = lost("shutdown");
    bool done = false;
    sender_drain(s, 4000, note, &done);
    WAIT_FOR(done);
    CHECK_INT(lost("shutdown") - before, 0);
    sender_free(s);
    schema_done(&write_schema, &args);
    fault_close_now(&loop, (uv_handle_t *)&holder);
    /* The same port, so that it is the same endpoint. */
    struct fault_server server;
    fault_server_open_at(&server, &loop, atoi(strrchr(url, ':') + 1));
    s = spooling_sender(url, FAST);
    WAIT_FOR(server.len > 0 && view(s).queued_bytes == 0 && view(s).spooled_bytes == 0 && view(s).in_flight == 0);
    check_each_once(&server, 0);
    fault_server_close(&server);
    leave(s);
}

/* 8 MB wait; no more may be read than the rate allows, beside what is in memory. */
static void a_recovering_server_is_not_flooded_and_gets_what_is_new_at_once(void)
{
    enum { LARGE = 200 << 10, COUNT = 40 };
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct sender *s = spooling_sender(server.url, FAST);
    struct labels *ls = labels_named("shop");
    for (int i = 0; i < COUNT; i++) {
        struct encoded_profile *p = encoded_profile_new(xcalloc(1, LARGE), LARGE, 1, 0, 0);
        sender_append(s, ls, p, NULL);
        encoded_profile_unref(p);
    }
    labels_unref(ls);
    WAIT_FOR(view(s).spooled_profiles >= COUNT - 8 && view(s).queued_bytes <= 2 << 20);
    server.answer.status = 200;
    const uint64_t begun = uv_hrtime();
    WAIT_FOR(view(s).state == SENDER_OK);
    const size_t first = server.len;
    append(s, "new");
    WAIT_FOR(times(&server, first, "new") == 1);
    run_for(200);
    const double read = (double)(COUNT - view(s).spooled_profiles) * LARGE, rate = 1 << 20;
    CHECK(read <= (double)(uv_hrtime() - begun) / 1e9 * rate + 3 * rate);
    append(s, "newer");
    WAIT_FOR((clock_offset_ns += 100000000, view(s).queued_bytes == 0 && view(s).spooled_bytes == 0));
    fault_server_close(&server);
    leave(s);
}

static void what_is_too_old_or_too_much_is_counted(void)
{
    struct fault_server server;
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    const double before = lost("too_old"), before_full = lost("spool_full");
    struct sender *s = spooling_sender(server.url, FAST "spool {\n max_bytes = 1048576\n max_age = \"30m\"\n}\n");
    append(s, "a");
    append(s, "b");
    WAIT_FOR(view(s).spooled_bytes > 0 && server.len >= 3);
    leave(s);
    s = spooling_sender(server.url, FAST "spool {\n max_bytes = 1048576\n max_age = \"30m\"\n}\n");
    clock_offset_ns = 3600ll * 1000000000;
    append(s, "c");
    WAIT_FOR(lost("too_old") - before >= 1);
    enum { LARGE = 100 << 10 };
    struct labels *ls = labels_named("shop");
    for (int i = 0; i < 40; i++) {
        struct encoded_profile *p = encoded_profile_new(xcalloc(1, LARGE), LARGE, 1, 0, 0);
        sender_append(s, ls, p, NULL);
        encoded_profile_unref(p);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    labels_unref(ls);
    WAIT_FOR(lost("spool_full") > before_full);
    CHECK(view(s).spooled_bytes <= 1 << 20);
    server.answer.status = 200;
    WAIT_FOR((clock_offset_ns += 100000000, view(s).queued_bytes == 0 && view(s).spooled_bytes == 0));
    fault_server_close(&server);
    leave(s);
}

int main(void)
{
    uv_loop_init(&loop);
    if (!mkdtemp(root))
        return 1;
    RUN(while_all_is_well_there_is_no_file);
    RUN(an_outage_with_an_end_of_the_agent_in_it_loses_nothing_and_sends_nothing_twice);
    RUN(an_outage_costs_not_even_the_only_profile);
    RUN(what_a_server_does_not_answer_is_on_disk_within_a_second);
    RUN(what_a_dead_server_does_not_take_at_shutdown_is_sent_after_the_restart);
    RUN(a_recovering_server_is_not_flooded_and_gets_what_is_new_at_once);
    RUN(what_is_too_old_or_too_much_is_counted);
    cleanup_free char *spool = xasprintf("%s/spool", root);
    (void)rmdir(spool);
    if (rmdir(root) < 0 || !fault_loop_close(&loop)) {
        puts("FAIL something is left behind");
        return 1;
    }
    return REPORT();
}
