#include "pyroscope/push_server.h"

#include "base/cleanup.h"
#include "base/gzip.h"
#include "http_probe.h"
#include "parser/parser_main.h"
#include "pyroscope/push_body.h"
#include "pyroscope/push_message.h"
#include "test.h"

static const char proto[] = "Content-Type: application/proto\r\n", json[] = "Content-Type: application/json\r\n";

static uv_loop_t loop;
static struct server *server;
static struct push_server *pushes;

/* What the receiver does with the next push, and what it saw of the last one. */
static enum { ACCEPT, REFUSE, POSTPONE, KEEP } next;
static struct push_request *kept;
static size_t series_seen, bytes_seen;
static char profile_seen[64];
static struct parser_pool *parsers; /* NULL: here */
static char problem[ERR_MAX];
static unsigned problems;

static void receive(void *ctx, struct push_request *push, const struct push_delivery *d)
{
    CHECK(ctx == &next);
    series_seen = d->count;
    bytes_seen = d->bytes;
    snprintf(profile_seen, sizeof profile_seen, "%.*s", STR_ARG(d->series[0].profiles[0]));
    if (next == ACCEPT)
        push_server_accept(push);
    else if (next == REFUSE)
        push_server_refuse(push, CONNECT_DATA_LOSS, "it is \"gone\"");
    else if (next == POSTPONE)
        push_server_postpone(push, "later");
    else
        kept = push;
}

static void on_problem(void *arg, const char *what)
{
    CHECK(arg == &next);
    problems++;
    snprintf(problem, sizeof problem, "%s", what);
}

static void handle(void *ctx, struct request *rq)
{
    (void)ctx;
    push_server_handle(pushes, rq);
}

static const struct server_route routes[] = {{"POST", PUSH_PATH, handle}, {0}};

static void set_up(void)
{
    struct err err = {0};
    next = ACCEPT;
    pushes = push_server_new(&(struct push_server_options){.loop = &loop,
                                                           .parsers = parsers,
                                                           .receive = receive,
                                                           .ctx = &next,
                                                           .problem = on_problem,
                                                           .problem_arg = &next});
    CHECK_INT(
        server_open(&(struct server_options){.loop = &loop, .listen = "127.0.0.1:0", .routes = routes}, &server, &err),
        0);
}

static void flag_up(void *arg)
{
    *(bool *)arg = true;
}

static void wait_for(const bool *flag)
{
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !*flag && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(*flag);
}

static void tear_down(void)
{
    bool closed = false;
    server_close(server, flag_up, &closed);
    wait_for(&closed);
    closed = false;
    push_server_close(pushes, flag_up, &closed);
    wait_for(&closed);
}

static struct buf request(const char *profile)
{
    const struct str text = str_of(profile);
    struct buf out = BUF_INIT(4096);
    push_message_head(&out, &(struct series){.profiles = &text, .profile_count = 1}, 0);
    buf_str(&out, text);
    return out;
}

static struct probe_reply post(const char *headers, struct str body)
{
    return probe(&loop, server_port(server), "POST", PUSH_PATH, headers, body.p ? body.p : "", body.n);
}

static void hands_on_what_came_in_every_form(void)
{
    set_up();
    cleanup_buf struct buf rq = request("plain"), packed = BUF_INIT(4096);
    cleanup_probe struct probe_reply plain = post(proto, buf_slice(&rq));
    CHECK_INT(plain.status, 200);
    CHECK_STR(probe_header(&plain, "Content-Type"), "application/proto");
    CHECK_INT(plain.body_len, 0);
    CHECK_STR(profile_seen, "plain");
    CHECK_INT(series_seen, 1);
    CHECK(bytes_seen >= rq.len);
    CHECK_INT(gzip_deflate(buf_slice(&rq), 6, &packed), 0);
    profile_seen[0] = '\0';
    cleanup_probe struct probe_reply gzip =
        post("Content-Type: application/proto\r\nContent-Encoding: gzip\r\n", buf_slice(&packed));
    CHECK_INT(gzip.status, 200);
    CHECK_STR(profile_seen, "plain");
    cleanup_probe struct probe_reply text =
        post(json, STR("{\"series\":[{\"samples\":[{\"rawProfile\":\"anNvbg==\"}]}]}"));
    CHECK_INT(text.status, 200);
    CHECK_STR(text.body, "{}");
    CHECK_STR(profile_seen, "json");
    tear_down();
}

static void answers_as_the_receiver_says(void)
{
    set_up();
    cleanup_buf struct buf rq = request("x");
    next = REFUSE;
    cleanup_probe struct probe_reply refused = post(proto, buf_slice(&rq));
    CHECK_INT(refused.status, 500);
    CHECK_STR(refused.body, "{\"code\":\"data_loss\",\"message\":\"it is \\\"gone\\\"\"}");
    next = POSTPONE;
    cleanup_probe struct probe_reply later = post(proto, buf_slice(&rq));
    CHECK_INT(later.status, 503);
    CHECK_STR(later.body, "{\"code\":\"unavailable\",\"message\":\"later\"}");
    CHECK_STR(probe_header(&later, "Retry-After"), "1");
    tear_down();
}

static void answers_by_itself_what_cannot_be_decoded(void)
{
    static const struct {
        const char *headers;
        struct str body;
        int status;
        const char *has;
    } table[] = {
        {"Content-Type: text/plain\r\n", {"x", 1}, 415, ""},
        {proto, {"\x0a\x7f", 2}, 400, "\"invalid_argument\",\"message\":\"unmarshal message: unexpected EOF\""},
        {json, {"[", 1}, 400, "\"invalid_argument\",\"message\":\"unmarshal message: "},
        {"Content-Type: application/proto\r\nContent-Encoding: gzip\r\n",
         {"by no means gzip, by no means", 29},
         400,
         "\"invalid_argument\",\"message\":\"get decompressor: "},
    };
    set_up();
    series_seen = 0;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        cleanup_probe struct probe_reply r = post(table[i].headers, table[i].body);
        CHECK_INT(r.status, table[i].status);
        CHECK_HAS(r.body, table[i].has);
    }
    CHECK_INT(series_seen, 0);
    tear_down();
}

static void bounds_what_a_body_inflates_to(void)
{
    set_up();
    cleanup_buf struct buf zeroes = BUF_INIT(SERVER_BODY_MAX + 4096), packed = BUF_INIT(128 << 20);
    const size_t n = (size_t)SERVER_BODY_MAX + 4096;
    CHECK(buf_reserve(&zeroes, n));
    memset(zeroes.p, 0, n);
    zeroes.len = n;
    CHECK_INT(gzip_deflate(buf_slice(&zeroes), 1, &packed), 0);
    cleanup_probe struct probe_reply r =
        post("Content-Type: application/proto\r\nContent-Encoding: gzip\r\n", buf_slice(&packed));
    CHECK_INT(r.status, 429);
    CHECK_HAS(r.body, "\"resource_exhausted\",\"message\":\"get decompressor: ");
    tear_down();
}

static void a_close_waits_for_what_is_under_way(void)
{
    set_up();
    next = KEEP;
    kept = NULL;
    cleanup_buf struct buf rq = request("kept"), raw = BUF_INIT(4096);
    buf_printf(&raw, "POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n", PUSH_PATH, proto, rq.len);
    buf_str(&raw, buf_slice(&rq));
    int fd = probe_connect(server_port(server));
    CHECK(probe_send(&loop, fd, raw.p, raw.len));
    for (int64_t deadline = probe_now_ms() + PROBE_DEADLINE_MS; !kept && probe_now_ms() < deadline;)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(kept);
    bool closed = false;
    server_close(server, flag_up, &closed);
    wait_for(&closed);
    closed = false;
    push_server_close(pushes, flag_up, &closed);
    CHECK(!closed);
    CHECK_STR(profile_seen, "kept"); /* the bytes are good until the answer */
    push_server_accept(kept);
    CHECK(closed);
    close(fd);
}

/* ---- in a real parser process, which one of the bodies takes over ---- */

static void intrude(int sock, const uint8_t *bytes, size_t n)
{
    volatile int *volatile nowhere = (int *)16;
    (void)sock;
    if (memmem(bytes, n, "EVIL", 4))
        *nowhere = 1;
}

static void a_body_that_ends_the_parser_is_refused(void)
{
    set_up();
    problems = 0;
    for (int i = 0; i < 2; i++) {
        cleanup_probe struct probe_reply evil = post(json, STR("{\"EVIL\": 1}"));
        CHECK_INT(evil.status, 400);
        CHECK_HAS(evil.body,
                  "{\"code\":\"invalid_argument\",\"message\":\"ended the parser twice and was set aside: it ");
    }
    CHECK_INT(problems, 1); /* the second one within a minute is counted only */
    CHECK_HAS(problem, "a push was refused: ended the parser twice");
    /* The next one does not notice. */
    cleanup_probe struct probe_reply fine =
        post(json, STR("{\"series\":[{\"samples\":[{\"rawProfile\":\"anNvbg==\"}]}]}"));
    CHECK_INT(fine.status, 200);
    tear_down();
}

/* To JSON's library, which sees what clients send, as well. */
static void in_a_parser_process(struct parser_pool *pool)
{
    parsers = pool;
    RUN(hands_on_what_came_in_every_form);
    RUN(answers_by_itself_what_cannot_be_decoded);
    RUN(bounds_what_a_body_inflates_to);
    RUN(a_body_that_ends_the_parser_is_refused);
    parser_pool_free(pool);
}

int main(int argc, char **argv)
{
    static const struct parser_service *const services[] = {&push_body_service, NULL};
    parser_main(argc, argv, services, intrude);
    uv_loop_init(&loop);
    RUN(hands_on_what_came_in_every_form);
    RUN(answers_as_the_receiver_says);
    RUN(answers_by_itself_what_cannot_be_decoded);
    RUN(bounds_what_a_body_inflates_to);
    RUN(a_close_waits_for_what_is_under_way);
    in_a_parser_process(parser_pool_new(argv[0], NULL));
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return REPORT();
}
