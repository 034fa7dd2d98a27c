#include "api/agent/agent_http.h"

#include "base/cleanup.h"
#include "http_probe.h"
#include "test.h"

/* A source of targets and one who takes them. */
struct source_args {
    struct value *targets;
};
static const struct option source_options[] = {{"targets", OPT_ANY, offsetof(struct source_args, targets)}, {0}};
static const struct schema source_schema = {.size = sizeof(struct source_args), .options = source_options};

static void publish(struct component *self, const struct source_args *a)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), a->targets ? value_ref(a->targets) : value_null());
    component_export(self, exports);
}

static int source_build(struct component *self, const void *args, void **ret, struct err *err)
{
    (void)err;
    publish(self, args);
    *ret = self;
    return 0;
}

static int source_update(void *state, const void *args, struct err *err)
{
    (void)err;
    publish(state, args);
    return 0;
}

static int mute_build(struct component *self, const void *args, void **ret, struct err *err)
{
    (void)args, (void)err;
    *ret = self;
    return 0;
}

static int mute_update(void *state, const void *args, struct err *err)
{
    (void)state, (void)args, (void)err;
    return 0;
}

static void source_stop(void *state)
{
    component_stopped(state);
}

static void source_free(void *state)
{
    (void)state;
}

static const char *const source_exports[] = {"targets", NULL};
static const struct component_def source_def = {.name = "test.source",
                                                .help = "Fake.",
                                                .args = &source_schema,
                                                .exports = source_exports,
                                                .build = source_build,
                                                .update = source_update,
                                                .stop = source_stop,
                                                .free = source_free};
static const char *const no_exports[] = {NULL};
static const struct component_def mute_def = {.name = "test.mute",
                                              .help = "Fake.",
                                              .args = &source_schema,
                                              .exports = no_exports,
                                              .build = mute_build,
                                              .update = mute_update,
                                              .stop = source_stop,
                                              .free = source_free};
static const struct component_def *const components[] = {&source_def, &mute_def, NULL};

static uv_loop_t loop;
static struct controller *controller;
static struct agent_http *http;
static uint16_t port;

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

static int prepare(void *arg, const struct settings *s, struct err *err)
{
    (void)arg;
    return agent_http_prepare(http, s, err);
}

static void apply(void *arg, const struct settings *s)
{
    (void)arg;
    agent_http_apply(http, s);
}

static void set_up(void)
{
    struct err err = {0};
    controller = controller_new(
        &(struct controller_options){.loop = &loop, .components = components, .prepare = prepare, .apply = apply});
    const struct agent_http_options options = {.loop = &loop, .listen = "127.0.0.1:0", .controller = controller};
    CHECK_INT(agent_http_open(&options, &http, &err), 0);
    port = (uint16_t)strtoul(strrchr(agent_http_address(http), ':') + 1, NULL, 10);
}

static void tear_down(void)
{
    bool closed = false, stopped = false;
    agent_http_close(http, flag_up, &closed);
    wait_for(&closed);
    controller_stop(controller, flag_up, &stopped);
    wait_for(&stopped);
    controller_free(controller);
}

static void load(const char *text)
{
    struct diags ds = {0};
    CHECK_INT(controller_load(controller, &(struct config_file){"f", text, strlen(text)}, 1, &ds), 0);
    diags_done(&ds);
}

#define LIVE   "livedebugging {\n  enabled = true\n}\n"
#define TAKES  "test.mute \"b\" {\n  targets = test.source.a.targets\n}\n"
#define ONE    LIVE TAKES "test.source \"a\" {\n  targets = [{\"x\" = \"1\"}]\n}\n"
#define THREE  LIVE TAKES "test.source \"a\" {\n  targets = [{\"x\" = \"1\"}, {\"x\" = \"2\"}, {\"x\" = \"3\"}]\n}\n"
#define NOLIVE TAKES "test.source \"a\" {\n  targets = []\n}\n"

static int ask(const char *target)
{
    char rq[256];
    const int n = snprintf(rq, sizeof rq, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    int fd = probe_connect(port);
    CHECK(probe_send(&loop, fd, rq, (size_t)n));
    for (int i = 0; i < 50; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    return fd;
}

/* Reads until the text is there; all that came so far stays in `got`. */
static void wait_text(int fd, struct buf *got, const char *text)
{
    for (int64_t end = probe_now_ms() + PROBE_DEADLINE_MS; probe_now_ms() < end && !strstr(buf_cstr(got), text);) {
        uv_run(&loop, UV_RUN_NOWAIT);
        ssize_t n = recv(fd, buf_reserve(got, 4096), 4096, MSG_DONTWAIT);
        got->len += n > 0 ? (size_t)n : 0;
    }
    CHECK_HAS(buf_cstr(got), text);
}

static void shows_rates_of_the_graph(void)
{
    set_up();
    load(ONE);
    cleanup_buf struct buf got = BUF_INIT(1 << 20);
    int fd = ask("/api/v0/web/graph?window=1");
    load(THREE);
    wait_text(fd, &got,
              "[{\"componentID\":\"test.source.a\",\"targetComponentIDs\":[\"test.mute.b\"],\"type\":\"target\","
              "\"rate\":3}]|;|");
    wait_text(fd, &got, "[]|;|");
    close(fd);
    tear_down();
}

static void shows_what_a_component_exports(void)
{
    set_up();
    load(ONE);
    cleanup_buf struct buf got = BUF_INIT(1 << 20);
    int fd = ask("/api/v0/web/debug/test.source.a");
    wait_text(fd, &got, "{\"targets\":[{\"x\":\"1\"}]}|;|");
    load(THREE);
    wait_text(fd, &got, "{\"x\":\"3\"}]}|;|");
    cleanup_free char *large = malloc(2 << 20), *config = NULL;
    memset(large, 'x', (2 << 20) - 1);
    large[(2 << 20) - 1] = '\0';
    CHECK(asprintf(&config, LIVE TAKES "test.source \"a\" {\n  targets = [{\"x\" = \"%s\"}]\n}\n", large) > 0);
    load(config);
    wait_text(fd, &got, "more than 1048576 bytes|;|");
    close(fd);
    cleanup_probe struct probe_reply mute = probe(&loop, port, "GET", "/api/v0/web/debug/test.mute.b", "", NULL, 0);
    CHECK_INT(mute.status, 500);
    CHECK_STR(mute.body, "the component \"test.mute.b\" does not support live debugging\n");
    tear_down();
}

static int status_of(const char *target)
{
    cleanup_probe struct probe_reply r = probe(&loop, port, "GET", target, "", NULL, 0);
    return r.status;
}

static void refuses_what_makes_no_sense(void)
{
    set_up();
    load(NOLIVE);
    cleanup_probe struct probe_reply off = probe(&loop, port, "GET", "/api/v0/web/graph", "", NULL, 0);
    CHECK_INT(off.status, 500);
    CHECK_STR(off.body,
              "the live debugging service is disabled. Check the documentation to find out how to enable it\n");
    CHECK_INT(status_of("/api/v0/web/debug/test.source.a"), 500);
    load(ONE);
    static const char *const bad[] = {"graph?window=0",
                                      "graph?window=61",
                                      "graph?window=x",
                                      "graph?window=",
                                      "debug/test.source.a?sampleProb=2",
                                      "debug/test.source.a?sampleProb=-1",
                                      "debug/test.source.a?sampleProb=nan",
                                      "debug/test.source.a?sampleProb="};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char target[128];
        snprintf(target, sizeof target, "/api/v0/web/%s", bad[i]);
        if (status_of(target) != 400)
            FAIL_("%s is not refused", bad[i]);
    }
    CHECK_INT(status_of("/api/v0/web/graph/no.module"), 500);
    tear_down();
}

static void turning_it_off_ends_all(void)
{
    set_up();
    load(ONE);
    cleanup_buf struct buf got = BUF_INIT(1 << 20);
    int fd = ask("/api/v0/web/graph?window=60"), other = ask("/api/v0/web/graph?window=60");
    load(NOLIVE);
    wait_text(fd, &got, "\r\n0\r\n\r\n");
    close(fd);
    load(ONE);
    /* As many as are allowed, and one more; all of them end with the server. */
    int fds[8];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = ask("/api/v0/web/graph");
    CHECK_INT(status_of("/api/v0/web/graph"), 503);
    tear_down();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    close(other);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(shows_rates_of_the_graph);
    RUN(shows_what_a_component_exports);
    RUN(refuses_what_makes_no_sense);
    RUN(turning_it_off_ends_all);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
