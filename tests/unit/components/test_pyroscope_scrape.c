/* The component in a running graph, in front of it a server on the same loop that answers as it is told. */
#include "net/fault_server.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "components/forward_fixture.h"

extern const struct component_def pyroscope_scrape;

static struct fault_server server;

#define OCTETS "Content-Type: application/octet-stream\r\n"
#define ONLY(profile)                                                                                                  \
    "profiling_config {\n profile.memory {\n  enabled = " profile " == \"memory\"\n }\n"                               \
    " profile.block {\n  enabled = false\n }\n profile.mutex {\n  enabled = false\n }\n"                               \
    " profile.process_cpu {\n  enabled = false\n }\n"                                                                  \
    " profile.goroutine {\n  enabled = " profile " == \"goroutine\"\n }\n}\n"

static struct controller *scrape_begin(void)
{
    struct controller *c = forward_begin(&pyroscope_scrape);
    fault_server_open(&server, &loop);
    return c;
}

static void scrape_end(struct controller *c)
{
    fault_server_close(&server);
    forward_end(c);
}

static void load_(int line, struct controller *c, const char *more, const char *forward)
{
    char text[4096];
    snprintf(text, sizeof text,
             "pyroscope.scrape \"s\" {\n targets = [{\"__address__\" = \"127.0.0.1:%d\", \"service_name\" = \"go\"}]\n"
             " forward_to = [%s]\n scrape_interval = \"100ms\"\n%s}\ntest.sink \"k\" { }\n",
             server.port, forward, more);
    load_check(line, c, text, "");
}
#define SCRAPE(c, more) load_(__LINE__, c, more, "test.sink.k.receiver")

/* alloc_objects/count of one stack, without a NUL: 5, and from the third request on 7. */
static struct fault_answer growing(struct fault_server *s, size_t n)
{
    (void)s;
    static const char five[] = "\x0a\x02\x10\x01\x12\x03\x12\x01\x05\x32\x0d"
                               "alloc_objects\x32\x05"
                               "count",
                      seven[] = "\x0a\x02\x10\x01\x12\x03\x12\x01\x07\x32\x0d"
                                "alloc_objects\x32\x05"
                                "count";
    return (struct fault_answer){.headers = OCTETS, .body = n < 2 ? five : seven};
}

static void profiles_are_passed_on(void)
{
    struct controller *c = scrape_begin();
    server.answer = (struct fault_answer){.headers = OCTETS, .body = "\x0a\x04\x08\x01\x10\x02"};
    SCRAPE(c, ONLY("\"goroutine\""));
    WAIT_FOR(arrivals >= 2);
    CHECK_HAS(server.requests[0].head, "GET /debug/pprof/goroutine HTTP/1.1\r\n");
    CHECK_HAS(server.requests[0].head, "\r\nUser-Agent: smolder/1.2.3\r\n");
    CHECK_HAS(buf_cstr(&arrived), "__name__=\"goroutine\"");
    CHECK_HAS(buf_cstr(&arrived), "service_name=\"go\"} \x0a\x04\x08\x01\x10\x02\n");
    CHECK_HAS(debug_member(c, "pyroscope.scrape.s", "target"), "health = \"up\"");
    scrape_end(c);
}

static void what_is_no_profile_is_reported_and_not_passed_on(void)
{
    struct controller *c = scrape_begin();
    server.answer = (struct fault_answer){.status = 404, .body = "nothing here"};
    SCRAPE(c, ONLY("\"goroutine\""));
    WAIT_FOR(strstr(debug_member(c, "pyroscope.scrape.s", "target"), "HTTP status (404) nothing here"));
    CHECK_HAS(debug_member(c, "pyroscope.scrape.s", "target"), "health = \"down\"");
    CHECK_INT(arrivals, 0);
    server.answer = (struct fault_answer){.headers = OCTETS, .body = "\x0a\x04\x08\x01\x10\x02"};
    WAIT_FOR(arrivals >= 1);
    CHECK_HAS(debug_member(c, "pyroscope.scrape.s", "target"), "health = \"up\"");
    scrape_end(c);
}

static void one_request_at_a_time_with_a_timeout(void)
{
    struct controller *c = scrape_begin();
    server.answer.fault = FAULT_HANG;
    SCRAPE(c, "scrape_timeout = \"500ms\"\n" ONLY("\"goroutine\""));
    WAIT_FOR(server.len >= 2);
    CHECK_INT(server.most_open, 1);
    CHECK_HAS(debug_member(c, "pyroscope.scrape.s", "target"), "health = \"down\"");
    scrape_end(c);
}

static void what_counts_since_the_start_is_compared(void)
{
    struct controller *c = scrape_begin();
    server.decide = growing;
    SCRAPE(c, ONLY("\"memory\""));
    WAIT_FOR(server.len >= 5 && arrivals >= 1);
    /* Of all that were answered only the third tells something. */
    CHECK_INT(arrivals, 1);
    CHECK_HAS(buf_cstr(&arrived), "__delta__=\"false\", __name__=\"memory\"");
    CHECK_HAS(buf_cstr(&arrived), "} \x1f\x8b");
    scrape_end(c);
}

static void endpoints_follow_the_targets(void)
{
    struct controller *c = scrape_begin();
    server.answer = (struct fault_answer){.headers = OCTETS, .body = "\x0a\x04\x08\x01\x10\x02"};
    SCRAPE(c, ONLY("\"goroutine\""));
    WAIT_FOR(arrivals >= 1);
    load_(__LINE__, c, "bearer_token = \"secret\"\n" ONLY("\"goroutine\""), "");
    const size_t asked = server.len, before = arrivals;
    WAIT_FOR(server.len >= asked + 2);
    CHECK_INT(arrivals, before);
    CHECK_HAS(server.requests[server.len - 1].head, "\r\nAuthorization: Bearer secret\r\n");
    LOAD(c, "pyroscope.scrape \"s\" {\n targets = []\n forward_to = []\n}\n", "");
    CHECK_STR(debug_member(c, "pyroscope.scrape.s", "target"), "[]");
    scrape_end(c);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT);
    RUN(profiles_are_passed_on);
    RUN(what_is_no_profile_is_reported_and_not_passed_on);
    RUN(one_request_at_a_time_with_a_timeout);
    RUN(what_counts_since_the_start_is_compared);
    RUN(endpoints_follow_the_targets);
    return REPORT();
}
