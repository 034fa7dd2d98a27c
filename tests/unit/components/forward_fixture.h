/* A component under test in a running graph, `test.source "s"` that the test sends from in front of it, and
 * `test.sink "k"` that notes what arrives behind it.
 */
#pragma once

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "components/env.h"
#include "flow/receiver.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "jfr/shared_chunk.h"
#include "lang/value_print.h"
#include "load_fixture.h"
#include "test.h"

enum { FORWARD_DEADLINE_MS = 20000, FORWARD_TEXT = 1 << 20 };

static uv_loop_t loop;
static struct component_env env = {.loop = &loop, .version = "1.2.3"};
static struct receiver *to; /* of the source; one reference */
static struct buf arrived;  /* of the sink: a line for each profile, labels and bytes */
static unsigned arrivals;

/* --- the source --- */

struct forward_args {
    struct receivers forward_to;
};
static const struct option source_options[] = {
    {"forward_to", OPT_CUSTOM, offsetof(struct forward_args, forward_to), .custom = &receivers_option},
    {0},
};
static const struct schema source_schema = {.size = sizeof(struct forward_args), .options = source_options};

static int source_update(void *state, const void *args, struct err *err)
{
    (void)state, (void)err;
    const struct forward_args *a = args;
    receiver_unref(to);
    to = a->forward_to.len ? receiver_ref(a->forward_to.items[0]) : NULL;
    return 0;
}

static int source_build(struct component *self, const void *args, void **state, struct err *err)
{
    *state = self;
    return source_update(NULL, args, err);
}

static void source_free(void *state)
{
    (void)state;
    receiver_unref(to);
    to = NULL;
}

static const struct component_def source_def = {
    .name = "test.source", .args = &source_schema, .build = source_build, .update = source_update, .free = source_free};

/* --- the sink --- */

static const struct option sink_options[] = {{0}};
static const struct schema sink_schema = {.size = 1, .options = sink_options};

static void sink_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    (void)ctx;
    arrivals++;
    labels_print(labels, &arrived);
    buf_byte(&arrived, ' ');
    buf_append(&arrived, p->pprof, p->len);
    buf_byte(&arrived, '\n');
}

static void sink_recording(void *ctx, const struct labels *labels, struct jfr_chunk *chunk)
{
    (void)ctx;
    arrivals++;
    labels_print(labels, &arrived);
    buf_printf(&arrived, " %zu bytes of JFR\n", chunk->len);
}

static void sink_ingest(void *ctx, const struct labels *labels, struct ingest_body *body)
{
    (void)ctx;
    arrivals++;
    labels_print(labels, &arrived);
    buf_printf(&arrived, " %s|%s|", body->content_type, body->query);
    buf_append(&arrived, body->bytes, body->len);
    buf_byte(&arrived, '\n');
}

static int sink_build(struct component *self, const void *args, void **state, struct err *err)
{
    (void)args, (void)err;
    struct receiver *r = receiver_new(component_id(self), &arrived, sink_append);
    r->recording = sink_recording;
    r->ingest = sink_ingest;
    struct value *exports = value_object();
    value_object_put(exports, STR("receiver"), receiver_value(r));
    component_export(self, exports);
    *state = r;
    return 0;
}

static void sink_free(void *state)
{
    struct receiver *r = state;
    r->ctx = NULL;
    receiver_unref(r);
}

static const char *const sink_exports[] = {"receiver", NULL};
static const struct component_def sink_def = {
    .name = "test.sink", .args = &sink_schema, .exports = sink_exports, .build = sink_build, .free = sink_free};

/* --- the graph --- */

static struct controller *forward_begin(const struct component_def *tested)
{
    static const struct component_def *registry[4];
    registry[0] = tested;
    registry[1] = &source_def;
    registry[2] = &sink_def;
    uv_loop_init(&loop);
    arrived = BUF_INIT(FORWARD_TEXT);
    arrivals = 0;
    return controller_new(&(struct controller_options){
        .loop = &loop, .components = registry, .env = &env, .stability = STABILITY_EXPERIMENTAL});
}

static void forward_end(struct controller *c)
{
    controller_stop(c, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    controller_free(c);
    uv_run(&loop, UV_RUN_DEFAULT);
    buf_done(&arrived);
    CHECK_INT(uv_loop_close(&loop), 0);
}

#define LOAD(c, text, want) load_check(__LINE__, c, text, want)

/* Runs the loop until the condition holds; the deadline only ends a test that fails anyway. */
static inline void forward_wake(uv_timer_t *t)
{
    (void)t;
}
#define WAIT_FOR(condition)                                                                                            \
    do {                                                                                                               \
        const int64_t until_ = clock_ms() + FORWARD_DEADLINE_MS;                                                       \
        uv_timer_t wake_;                                                                                              \
        uv_timer_init(&loop, &wake_);                                                                                  \
        uv_timer_start(&wake_, forward_wake, 10, 10);                                                                  \
        while (!(condition) && clock_ms() < until_)                                                                    \
            uv_run(&loop, UV_RUN_ONCE);                                                                                \
        if (!(condition))                                                                                              \
            FAIL_("waited in vain for %s", #condition);                                                                \
        uv_close((uv_handle_t *)&wake_, NULL);                                                                         \
        while (uv_is_active((uv_handle_t *)&wake_) || wake_.loop->closing_handles)                                     \
            uv_run(&loop, UV_RUN_NOWAIT);                                                                              \
    } while (0)

/* --- what is sent --- */

/* Name and value in turn, ended by NULL. */
static inline struct labels *labels_of(const char *const *pairs)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (; *pairs; pairs += 2)
        labels_set(&b, str_of(pairs[0]), str_of(pairs[1]));
    return labels_build(&b, false);
}
#define LABELS(...) labels_of((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static inline void send_profile_of(struct profile_origin *origin, struct labels *labels, const char *bytes)
{
    struct encoded_profile *p = encoded_profile_new((uint8_t *)xstrdup(bytes), strlen(bytes), 5, 0, 0);
    p->origin = origin ? profile_origin_ref(origin) : NULL;
    if (to->ctx)
        to->append(to->ctx, labels, p);
    encoded_profile_unref(p);
    labels_unref(labels);
}

static inline void send_profile(struct labels *labels, const char *bytes)
{
    send_profile_of(NULL, labels, bytes);
}

static inline void send_recording(struct labels *labels, const char *bytes)
{
    struct jfr_chunk *chunk = jfr_chunk_new((uint8_t *)xstrdup(bytes), strlen(bytes));
    if (to->ctx && to->recording)
        to->recording(to->ctx, labels, chunk);
    jfr_chunk_unref(chunk);
    labels_unref(labels);
}

static inline void send_ingest(struct labels *labels, const char *bytes)
{
    struct ingest_body *body =
        ingest_body_new((uint8_t *)xstrdup(bytes), strlen(bytes), xstrdup("text/plain"), xstrdup("format=lines"));
    if (to->ctx && to->ingest)
        to->ingest(to->ctx, labels, body);
    ingest_body_unref(body);
    labels_unref(labels);
}

/* A member of the component's debug information as text; "" where there is none. */
static inline const char *debug_member(struct controller *c, const char *id, const char *name)
{
    static char text[4096];
    cleanup_value struct value *info = controller_debug_info(c, id);
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    struct value *v = info ? value_member(info, str_of(name)) : NULL;
    if (v)
        value_print(v, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}
