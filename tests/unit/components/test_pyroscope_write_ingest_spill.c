/* Bodies of /ingest with a data directory: outages, restarts, and what a recovering server gets. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "components/pyroscope_write_ingest.h"
#include "components/sender_fixture.h"
#include "graph/args.h"

static char root[] = "/tmp/test-ingest-spill-XXXXXX";
static const struct sender_env spooling = {&loop, "pyroscope.write.test", "9.9", root};
static struct fault_server server;

static struct ingest_forwarder *forwarder(const char *more)
{
    char problem[ERR_MAX], text[2048];
    struct write_args *a = args_new(&write_schema);
    snprintf(text, sizeof text,
             "endpoint {\n url = \"%s\"\n min_backoff_period = \"5ms\"\n"
             " max_backoff_period = \"20ms\"\n max_backoff_retries = 1\n%s}\n",
             server.url, more);
    CHECK(decode_text(&write_schema, text, a, problem));
    CHECK_STR(problem, "");
    clock_offset_ns = 0;
    sender_fake(turned_clock, no_jitter);
    struct ingest_forwarder *f = ingest_forwarder_new(&spooling, a);
    args_unref(a);
    return f;
}

/* Without a word, as by a kill: nothing is drained. */
static void leave(struct ingest_forwarder *f)
{
    ingest_forwarder_free(f);
    WAIT_FOR(loop.active_reqs.count == 0);
}

static void append_bytes(struct ingest_forwarder *f, uint8_t *bytes, size_t n)
{
    struct labels *ls = labels_named("shop");
    struct ingest_body *body =
        ingest_body_new(bytes, n, xstrdup("multipart/form-data; boundary=x"), xstrdup("format=jfr&from=1"));
    ingest_forwarder_append(f, ls, body);
    ingest_body_unref(body);
    labels_unref(ls);
}

enum { BODIES = 40 };

static void append_numbered(struct ingest_forwarder *f, int first, int n)
{
    char text[16];
    for (int i = first; i < first + n; i++) {
        snprintf(text, sizeof text, "<b%03d>", i);
        append_bytes(f, (uint8_t *)xstrdup(text), strlen(text));
    }
}

static size_t times(size_t first, int number)
{
    char text[16];
    size_t n = 0;
    snprintf(text, sizeof text, "<b%03d>", number);
    for (size_t i = first; i < server.len; i++)
        n += request_is(&server, i, text);
    return n;
}

static double spooled(void)
{
    cleanup_buf struct buf page = BUF_INIT(1 << 20);
    metric_render(&page);
    const char *at = strstr(buf_cstr(&page), "smolder_spool_bytes{");
    return at ? strtod(strchr(at, ' '), NULL) : 0;
}

static double all_lost(void)
{
    return lost("retries") + lost("too_old") + lost("queue_full") + lost("spool_full") + lost("shutdown");
}

static void an_outage_with_an_end_of_the_agent_in_it_loses_nothing_and_sends_nothing_twice(void)
{
    const double before = all_lost();
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct ingest_forwarder *f = forwarder("");
    append_numbered(f, 0, BODIES / 2);
    WAIT_FOR(server.len >= 10 && spooled() > 0);
    clock_offset_ns += 15ll * 60 * 1000000000;
    WAIT_FOR(server.len >= 20);
    leave(f);
    f = forwarder("");
    append_numbered(f, BODIES / 2, BODIES / 2);
    clock_offset_ns += 15ll * 60 * 1000000000;
    WAIT_FOR(server.len >= 40);
    const size_t first = server.len;
    server.answer.status = 200;
    WAIT_FOR(server.len >= first + BODIES && spooled() == 0);
    for (int i = 0; i < BODIES; i++)
        CHECK_INT(times(first, i), 1);
    CHECK_HAS(server.requests[first].head, "POST /ingest?name=process_cpu%7Bservice_name%3Dshop%7D&format=jfr&from=1 ");
    CHECK_HAS(server.requests[first].head, "\r\nContent-Type: multipart/form-data; boundary=x\r\n");
    CHECK_INT(all_lost() - before, 0);
    fault_server_close(&server);
    leave(f);
}

static void what_is_not_answered_is_on_disk_within_a_second_and_not_before(void)
{
    fault_server_open(&server, &loop);
    server.answer.fault = FAULT_HANG;
    struct ingest_forwarder *f = forwarder("");
    append_numbered(f, 0, 2);
    WAIT_FOR(server.len == 1);
    run_for(50);
    clock_offset_ns += 2ll * 1000000000;
    append_numbered(f, 2, 1);
    WAIT_FOR(spooled() > 0);
    server.answer.fault = FAULT_NONE;
    fault_server_release(&server, &(struct fault_answer){.status = 200});
    WAIT_FOR(server.len == 3 && spooled() == 0);
    fault_server_close(&server);
    leave(f);
}

static void note(void *arg)
{
    *(bool *)arg = true;
}

static void what_is_left_at_shutdown_is_sent_by_the_next_agent(void)
{
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct ingest_forwarder *f = forwarder("");
    append_numbered(f, 0, BODIES);
    const double before = all_lost();
    bool done = false;
    ingest_forwarder_drain(f, 4000, note, &done);
    WAIT_FOR(done);
    CHECK_INT(all_lost() - before, 0);
    leave(f);
    server.answer.status = 200;
    const size_t first = server.len;
    f = forwarder("");
    WAIT_FOR(server.len >= first + BODIES && spooled() == 0);
    for (int i = 0; i < BODIES; i++)
        CHECK_INT(times(first, i), 1);
    fault_server_close(&server);
    leave(f);
}

/* 40 MB: more than the queue holds in memory, on disk within its limit. */
static void large_bodies_wait_on_disk_within_its_limit(void)
{
    enum { LARGE = 1 << 20, COUNT = 40 };
    const double before = all_lost();
    fault_server_open(&server, &loop);
    server.answer.status = 503;
    struct ingest_forwarder *f = forwarder("spool {\n max_bytes = 60000000\n}\n");
    for (int i = 0; i < COUNT; i++) {
        append_bytes(f, xcalloc(1, LARGE), LARGE);
        run_for(5);
    }
    WAIT_FOR(spooled() >= COUNT * (double)LARGE);
    CHECK_INT(all_lost() - before, 0);
    for (int i = 0; i < COUNT; i++) {
        append_bytes(f, xcalloc(1, LARGE), LARGE);
        run_for(5);
    }
    WAIT_FOR(lost("spool_full") > 0);
    CHECK(spooled() <= 60000000);
    leave(f);
    fault_server_close(&server);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT);
    uv_loop_init(&loop);
    if (!mkdtemp(root))
        return 1;
    RUN(an_outage_with_an_end_of_the_agent_in_it_loses_nothing_and_sends_nothing_twice);
    RUN(what_is_not_answered_is_on_disk_within_a_second_and_not_before);
    RUN(what_is_left_at_shutdown_is_sent_by_the_next_agent);
    cleanup_free char *spool = xasprintf("%s/spool", root);
    CHECK_INT(rmdir(spool), 0); /* nothing is left in it */
    RUN(large_bodies_wait_on_disk_within_its_limit);
    cleanup_free char *rest = xasprintf("rm -rf %s", root);
    CHECK_INT(system(rest), 0);
    CHECK(fault_loop_close(&loop));
    return REPORT();
}
