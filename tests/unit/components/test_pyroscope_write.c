#include "components/env.h"
#include "components/write_fixture.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/value_print.h"

extern const struct component_def pyroscope_write;

/* Sends what the test says to what its configuration says. */
struct source_args {
    struct receivers forward_to;
};
static const struct option source_options[] = {
    {"forward_to", OPT_CUSTOM, offsetof(struct source_args, forward_to), .custom = &receivers_option},
    {0},
};
static const struct schema source_schema = {.size = sizeof(struct source_args), .options = source_options};
static const struct source_args *source;
static unsigned source_updates;

static int source_update(void *state, const void *args, struct err *err)
{
    (void)state;
    (void)err;
    args_unref(source);
    source = args_ref(args);
    source_updates++;
    return 0;
}

static int source_build(struct component *self, const void *args, void **ret, struct err *err)
{
    (void)self;
    *ret = &source;
    return source_update(NULL, args, err);
}

static void source_free(void *state)
{
    (void)state;
    args_unref(source);
    source = NULL;
}

static const struct component_def source_def = {
    .name = "test.source", .args = &source_schema, .build = source_build, .update = source_update, .free = source_free};
static const struct component_def *const registry[] = {&pyroscope_write, &source_def, NULL};
static struct component_env env = {.loop = &loop, .version = "9.9"};

#define SOURCE "test.source \"s\" {\n forward_to = [pyroscope.write.w.receiver]\n}\n"

static struct controller *start(void)
{
    return controller_new(&(struct controller_options){.loop = &loop, .components = registry, .env = &env});
}

static void load(struct controller *c, const char *endpoints)
{
    char text[2048];
    cleanup_diags struct diags ds = DIAGS_INIT;
    snprintf(text, sizeof text, "pyroscope.write \"w\" {\n%s\n}\n" SOURCE, endpoints);
    CHECK_INT(controller_load(c, &(struct config_file){"f", text, strlen(text)}, 1, &ds), 0);
    for (size_t i = 0; i < ds.len; i++)
        FAIL_("%s", ds.items[i].message);
}

static void note(void *arg)
{
    *(bool *)arg = true;
}

/* Returns how long the end took, in ms. */
static uint64_t end(struct controller *c)
{
    bool done = false;
    uint64_t begin = uv_hrtime();
    controller_stop(c, note, &done);
    WAIT_FOR(done);
    controller_free(c);
    return (uv_hrtime() - begin) / 1000000;
}

static void hand_over(const char *text)
{
    struct labels *ls = labels_named("shop");
    struct encoded_profile *p = profile_of(text);
    fanout_append(&source->forward_to, ls, p);
    encoded_profile_unref(p);
    labels_unref(ls);
}

static bool endpoints_fail(struct controller *c, size_t n)
{
    struct value *info = controller_debug_info(c, "pyroscope.write.w");
    struct value *endpoints = value_member(info, STR("endpoints"));
    size_t failing = 0;
    for (size_t i = 0; i < value_len(endpoints); i++)
        failing += str_is(value_as_str(value_member(value_item(endpoints, i), STR("state"))), "failing");
    value_unref(info);
    return failing == n;
}

static void every_endpoint_gets_the_profile_whatever_the_others_do(void)
{
    struct fault_server good, hanging, failing;
    fault_server_open(&good, &loop);
    fault_server_open(&hanging, &loop);
    fault_server_open(&failing, &loop);
    hanging.answer.fault = FAULT_HANG;
    failing.answer.status = 500;
    char text[512];
    snprintf(text, sizeof text,
             "external_labels = { zone = \"eu\" }\nendpoint {\n url = \"%s\"\n}\nendpoint {\n url = \"%s\"\n}\n"
             "endpoint {\n url = \"%s/\"\n}\n",
             hanging.url, failing.url, good.url);
    struct controller *c = start();
    load(c, text);
    for (char name[] = "p0"; name[1] < '8'; name[1]++)
        hand_over(name);
    /* All of them came in one turn of the loop. */
    WAIT_FOR(good.len == 1 && hanging.len == 1 && failing.len == 1);
    for (char name[] = "p0"; name[1] < '8'; name[1]++)
        CHECK(memmem(good.requests[0].body, good.requests[0].body_len, name, 2) != NULL);
    WAIT_FOR(endpoints_fail(c, 1));
    CHECK(memmem(good.requests[0].body, good.requests[0].body_len,
                 "\x0a\x04zone\x12\x02"
                 "eu",
                 10) != NULL);
    struct value *info = controller_debug_info(c, "pyroscope.write.w");
    cleanup_buf struct buf out = BUF_INIT(65536);
    value_print(info, &out);
    CHECK_HAS(buf_cstr(&out), "\"failing\"");
    CHECK_HAS(buf_cstr(&out), "HTTP status 500");
    value_unref(info);
    uint64_t ms = end(c);
    CHECK(ms >= 3500 && ms < 5000);
    fault_server_close(&good);
    fault_server_close(&hanging);
    fault_server_close(&failing);
}

static void an_update_keeps_the_receiver_and_the_queue(void)
{
    struct fault_server kept, gone;
    fault_server_open(&kept, &loop);
    fault_server_open(&gone, &loop);
    kept.answer.status = gone.answer.status = 503;
    char text[512];
    snprintf(text, sizeof text, "endpoint {\n url = \"%s\"\n}\nendpoint {\n url = \"%s\"\n}\n", gone.url, kept.url);
    struct controller *c = start();
    load(c, text);
    struct receiver *before = source->forward_to.items[0];
    unsigned updates = source_updates;
    hand_over("queued");
    WAIT_FOR(endpoints_fail(c, 2));
    kept.answer.status = gone.answer.status = 200;
    snprintf(text, sizeof text, "endpoint {\n url = \"%s\"\n remote_timeout = \"1s\"\n}\n", kept.url);
    load(c, text);
    WAIT_FOR(kept.len == 2 && gone.len == 2); /* what leaves delivers what it had */
    CHECK(request_is(&kept, 1, "queued") && request_is(&gone, 1, "queued"));
    CHECK_HAS(kept.requests[1].head, "Connect-Timeout-Ms: 1000");
    CHECK(source->forward_to.items[0] == before);
    CHECK_INT(source_updates, updates);
    hand_over("next");
    WAIT_FOR(kept.len == 3);
    CHECK_INT(gone.len, 2);
    CHECK(end(c) < 1000);
    fault_server_close(&kept);
    fault_server_close(&gone);
}

static void without_endpoints_everything_is_accepted(void)
{
    struct controller *c = start();
    load(c, "");
    hand_over("x");
    CHECK(receivers_discard(&source->forward_to));
    load(c, "endpoint {\n url = \"http://localhost:1\"\n}\n");
    CHECK(!receivers_discard(&source->forward_to));
    CHECK(end(c) < 1000);
}

static void refuses_labels_once_for_all_endpoints(void)
{
    struct fault_server s;
    fault_server_open(&s, &loop);
    char text[128];
    snprintf(text, sizeof text, "endpoint {\n url = \"%s\"\n}\n", s.url);
    struct controller *c = start();
    load(c, text);
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("a-b"), STR("x"));
    struct labels *ls = labels_build(&b, false);
    struct encoded_profile *p = profile_of("x");
    double before = lost("invalid_labels");
    fanout_append(&source->forward_to, ls, p);
    CHECK_INT(lost("invalid_labels") - before, 1);
    CHECK_INT(p->refs, 1);
    encoded_profile_unref(p);
    labels_unref(ls);
    CHECK(end(c) < 1000);
    CHECK_INT(s.len, 0);
    fault_server_close(&s);
}

static void a_refused_configuration_opens_nothing(void)
{
    struct controller *c = start();
    cleanup_diags struct diags ds = DIAGS_INIT;
    static const char text[] =
        "pyroscope.write \"w\" {\n endpoint {\n  url = \"http://localhost:1\"\n }\n}\nno.such \"x\" {\n}\n";
    CHECK(controller_load(c, &(struct config_file){"f", text, sizeof text - 1}, 1, &ds) < 0);
    CHECK(end(c) < 1000);
}

int main(void)
{
    uv_loop_init(&loop);
    RUN(every_endpoint_gets_the_profile_whatever_the_others_do);
    RUN(an_update_keeps_the_receiver_and_the_queue);
    RUN(without_endpoints_everything_is_accepted);
    RUN(refuses_labels_once_for_all_endpoints);
    RUN(a_refused_configuration_opens_nothing);
    if (!fault_loop_close(&loop)) {
        puts("FAIL a handle is left open");
        return 1;
    }
    return REPORT();
}
