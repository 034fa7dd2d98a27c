#include "net/server_peers.h"

#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "http_probe.h"
#include "net/server.h"
#include "test.h"

enum { MANY = 1000 };

static uv_loop_t loop;
static struct server *server;
static struct request *kept[2 * SERVER_CONNECTIONS];
static size_t kept_count;

static void hello(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_text(rq, 200, "hello");
}

static char page[16 << 20];

static void big(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply_static(rq, 200, NULL, (struct str){page, sizeof page});
}

static void big_copy(void *ctx, struct request *rq)
{
    (void)ctx;
    request_reply(rq, 200, NULL, (struct str){page, sizeof page});
}

static void keep(void *ctx, struct request *rq)
{
    (void)ctx;
    kept[kept_count++] = rq;
}

static const struct server_route routes[] = {
    {NULL, "/ready", hello, .always = true}, {NULL, "/hello", hello}, {NULL, "/big", big},
    {NULL, "/big-copy", big_copy},           {NULL, "/keep", keep},   {0}};

static void open_server(const char *listen)
{
    struct err err = {0};
    if (server_open(&(struct server_options){.loop = &loop, .listen = listen, .routes = routes}, &server, &err) < 0)
        FAIL_("%s", err.text);
}

static void flag(void *arg)
{
    *(bool *)arg = true;
}

static void close_server(void)
{
    bool closed = false;
    server_close(server, flag, &closed);
    while (!closed)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void turn_for(int64_t ms)
{
    for (int64_t end = probe_now_ms() + ms; probe_now_ms() < end; poll(NULL, 0, 1))
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return; /* it may have been told to go */
}

/* What came by now; false once the server has hung up. */
static bool is_open(int fd, char *got, size_t size)
{
    ssize_t n = recv(fd, got, size - 1, MSG_DONTWAIT);
    got[n > 0 ? n : 0] = '\0';
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool still_open(int fd)
{
    char any[512];
    while (is_open(fd, any, sizeof any)) {
        if (!*any)
            return true;
    }
    return false;
}

/* Milliseconds until a probe is answered. */
static int64_t probe_ms(const char *path)
{
    const int64_t start = probe_now_ms();
    cleanup_probe struct probe_reply r = probe(&loop, server_port(server), "GET", path, "", NULL, 0);
    CHECK_INT(r.status, 200);
    return probe_now_ms() - start;
}

static int *open_slow(size_t n, const char *text)
{
    int *fds = xcalloc(n, sizeof *fds);
    for (size_t i = 0; i < n; i++) {
        fds[i] = probe_connect(server_port(server));
        uv_run(&loop, UV_RUN_NOWAIT);
        say(fds[i], text);
    }
    return fds;
}

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
    free(fds);
}

static void answers_a_probe_while_others_are_slow(void)
{
    static const char *const texts[] = {
        "", "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ",
        "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc",
        "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n", /* and nobody reads it */
    };
    static const size_t counts[] = {SERVER_CONNECTIONS, MANY};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
            open_server("127.0.0.1:0");
            int *slow = open_slow(counts[k], texts[i]);
            for (int round = 0; round < 3; round++) {
                const int64_t ms = probe_ms("/ready");
                if (ms > 1000)
                    FAIL_("%zu connections of \"%.10s…\": a probe took %lld ms", counts[k], texts[i], (long long)ms);
                for (size_t n = 0; n < counts[k]; n++)
                    say(slow[n], "a");
            }
            close_all(slow, counts[k]);
            close_server();
        }
    }
}

static void closes_what_is_too_slow_and_nothing_else(void)
{
    static const char head[] = "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    open_server("127.0.0.1:0");
    const int silent = probe_connect(server_port(server)), header = probe_connect(server_port(server));
    const int body = probe_connect(server_port(server)), quick = probe_connect(server_port(server));
    const int idle = probe_connect(server_port(server));
    turn_for(20);
    say(header, "GET /hello HTTP/1.1\r\nX: ");
    say(body, head);
    say(quick, head);
    say(idle, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    char pieces[301];
    memset(pieces, 'a', sizeof pieces - 1);
    pieces[sizeof pieces - 1] = '\0';
    for (int tenth = 0; tenth < (HEADER_MS + 3000) / 100; tenth++) {
        turn_for(100);
        say(header, "a");
        say(body, "a");
        say(quick, pieces);
    }
    CHECK(!still_open(silent));
    CHECK(!still_open(header));
    CHECK(!still_open(body));
    CHECK(still_open(quick));
    CHECK(still_open(idle));
    const int all[] = {silent, header, body, quick, idle};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        close(all[i]);
    close_server();
}

static void idle_connections_go_first(void)
{
    open_server("127.0.0.1:0");
    int *busy =
        open_slow(SERVER_CONNECTIONS - 2, "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
    int *idle = open_slow(2, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    turn_for(50);
    CHECK(still_open(idle[0]));
    const int newcomer = probe_connect(server_port(server)), another = probe_connect(server_port(server));
    turn_for(50);
    CHECK(!still_open(idle[0]));
    CHECK(!still_open(idle[1]));
    CHECK(still_open(newcomer));
    CHECK(still_open(another));
    for (int i = 0; i < SERVER_CONNECTIONS - 2; i++)
        CHECK(still_open(busy[i]));
    close(newcomer);
    close(another);
    close_all(busy, SERVER_CONNECTIONS - 2);
    close_all(idle, 2);
    close_server();
}

static void probes_get_through_while_all_handlers_are_at_work(void)
{
    open_server("127.0.0.1:0");
    kept_count = 0;
    int *busy = open_slow(SERVER_CONNECTIONS, "GET /keep HTTP/1.1\r\nHost: localhost\r\n\r\n");
    turn_for(50);
    CHECK_INT(kept_count, SERVER_CONNECTIONS);
    cleanup_probe struct probe_reply other = probe(&loop, server_port(server), "GET", "/hello", "", NULL, 0);
    CHECK_INT(other.status, 503);
    CHECK_STR(probe_header(&other, "Retry-After"), "1");
    int *slow = open_slow(MANY, "GET");
    CHECK(probe_ms("/ready") < 1000);
    for (size_t i = 0; i < kept_count; i++)
        request_reply_text(kept[i], 200, "late");
    turn_for(50);
    char got[512];
    CHECK(is_open(busy[0], got, sizeof got));
    CHECK_HAS(got, "late");
    CHECK(probe_ms("/hello") < 1000);
    close_all(slow, MANY);
    close_all(busy, SERVER_CONNECTIONS);
    close_server();
}

static void bodies_that_stall_give_up_their_memory(void)
{
    enum { LARGE = 100000 };
    struct err err = {0};
    const struct server_options options = {.loop = &loop, .listen = "127.0.0.1:0", .routes = routes, .max_body = LARGE};
    CHECK_INT(server_open(&options, &server, &err), 0);
    cleanup_free char *body = xcalloc(1, LARGE);
    cleanup_buf struct buf part = BUF_INIT(2 * LARGE);
    buf_printf(&part, "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", LARGE);
    buf_append(&part, body, LARGE - 1);
    int stalled[2];
    for (int i = 0; i < 2; i++) {
        stalled[i] = probe_connect(server_port(server));
        CHECK(probe_send(&loop, stalled[i], part.p, part.len));
    }
    turn_for(BODY_QUICK_MS + 200);
    cleanup_probe struct probe_reply no = probe(&loop, server_port(server), "POST", "/hello", "", body, LARGE);
    CHECK_INT(no.status, 503);
    turn_for(20);
    CHECK(!still_open(stalled[0]));
    CHECK(still_open(stalled[1]));
    cleanup_probe struct probe_reply yes = probe(&loop, server_port(server), "POST", "/hello", "", body, LARGE);
    CHECK_INT(yes.status, 200);
    close(stalled[0]);
    close(stalled[1]);
    close_server();
}

static void replies_that_nobody_reads_give_up_their_memory(void)
{
    enum { UNREAD = 3 };
    struct err err = {0};
    const struct server_options options = {
        .loop = &loop, .listen = "127.0.0.1:0", .routes = routes, .max_replies = 5 * sizeof page / 2};
    CHECK_INT(server_open(&options, &server, &err), 0);
    /* More than the limit: the first one goes, but not at once, as it may be read. */
    int *unread = open_slow(UNREAD, "GET /big-copy HTTP/1.1\r\nHost: localhost\r\n\r\n");
    turn_for(REPLY_QUICK_MS / 2);
    CHECK_INT(server_connections(server), UNREAD);
    for (int64_t end = probe_now_ms() + PROBE_DEADLINE_MS;
         server_connections(server) == UNREAD && probe_now_ms() < end;)
        turn_for(10);
    CHECK_INT(server_connections(server), UNREAD - 1);
    CHECK(!still_open(unread[0]));
    /* Whoever reads gets all of it, and the next one goes; what takes no memory is not counted. */
    cleanup_probe struct probe_reply other = probe(&loop, server_port(server), "GET", "/big", "", NULL, 0);
    CHECK_INT(other.status, 200);
    CHECK_INT(server_connections(server), UNREAD - 1);
    cleanup_probe struct probe_reply read = probe(&loop, server_port(server), "GET", "/big-copy", "", NULL, 0);
    CHECK_INT(read.status, 200);
    CHECK_INT(read.body_len, sizeof page);
    turn_for(20);
    CHECK(!still_open(unread[1]));
    CHECK(still_open(unread[2]));
    close_all(unread, UNREAD);
    close_server();
}

static int connect_from(uint32_t address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(address)}};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(server_port(server)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    CHECK_INT(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS);
    return fd;
}

static void other_loopback_addresses_are_no_others(void)
{
    open_server("127.0.0.1:0");
    int *slow = open_slow(SERVER_CONNECTIONS, "GET");
    int fds[SERVER_CONNECTIONS];
    for (uint32_t i = 0; i < SERVER_CONNECTIONS; i++) {
        fds[i] = connect_from(INADDR_LOOPBACK + 1 + i);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    turn_for(50);
    int open = 0;
    for (int i = 0; i < SERVER_CONNECTIONS; i++) {
        open += still_open(slow[i]);
        close(fds[i]);
    }
    CHECK_INT(open, 0); /* the oldest went, whatever their addresses */
    close_all(slow, SERVER_CONNECTIONS);
    close_server();
}

static void a_server_may_have_other_limits(void)
{
    enum { FEW = 4, TRIED = 10, MORE = 2 * SERVER_CONNECTIONS };
    struct err err = {0};
    struct server_options o = {.loop = &loop, .listen = "127.0.0.1:0", .routes = routes, .connections = FEW};
    CHECK_INT(server_open(&o, &server, &err), 0);
    int *fds = open_slow(TRIED, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int64_t end = probe_now_ms() + PROBE_DEADLINE_MS; server_connections(server) > FEW && probe_now_ms() < end;)
        turn_for(10);
    CHECK(server_connections(server) <= FEW);
    probe_ms("/ready");
    close_all(fds, TRIED);
    close_server();
    /* More than usual, and they may be idle but for a moment. */
    o.connections = MORE;
    o.idle_ms = 300;
    CHECK_INT(server_open(&o, &server, &err), 0);
    fds = open_slow(MORE, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int64_t end = probe_now_ms() + PROBE_DEADLINE_MS; server_connections(server) && probe_now_ms() < end;)
        turn_for(10);
    CHECK_INT(server_connections(server), 0);
    close_all(fds, MORE);
    close_server();
}

int main(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    memset(page, 'a', sizeof page);
    uv_loop_init(&loop);
    RUN(answers_a_probe_while_others_are_slow);
    RUN(closes_what_is_too_slow_and_nothing_else);
    RUN(idle_connections_go_first);
    RUN(probes_get_through_while_all_handlers_are_at_work);
    RUN(bodies_that_stall_give_up_their_memory);
    RUN(replies_that_nobody_reads_give_up_their_memory);
    RUN(other_loopback_addresses_are_no_others);
    RUN(a_server_may_have_other_limits);
    return REPORT();
}
