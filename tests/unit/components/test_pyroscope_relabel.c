/* The component in a running graph, between a source the test sends from and a sink that notes what arrives. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/metric.h"
#include "flow/receiver.h"
#include "flow/relabel.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "lang/value_print.h"
#include "load_fixture.h"
#include "test.h"

extern const struct component_def pyroscope_relabel;

struct forward_args {
    struct receivers forward_to;
};
static const struct option source_options[] = {
    {"forward_to", OPT_CUSTOM, offsetof(struct forward_args, forward_to), .custom = &receivers_option},
    {0},
};
static const struct schema source_schema = {.size = sizeof(struct forward_args), .options = source_options};
static struct receiver *to; /* of the source; one reference */
static unsigned source_updates;

static int source_update(void *state, const void *args, struct err *err)
{
    (void)state, (void)err;
    const struct forward_args *a = args;
    receiver_unref(to);
    to = a->forward_to.len ? receiver_ref(a->forward_to.items[0]) : NULL;
    source_updates++;
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

static struct buf arrived; /* labels, one set behind the other */
static const struct option sink_options[] = {{0}};
static const struct schema sink_schema = {.size = 1, .options = sink_options};

static void sink_append(void *ctx, const struct labels *labels, struct encoded_profile *p)
{
    (void)ctx;
    labels_print(labels, &arrived);
    CHECK_INT(p->samples, 5);
}

static void sink_recording(void *ctx, const struct labels *labels, struct jfr_chunk *chunk)
{
    (void)ctx, (void)chunk;
    labels_print(labels, &arrived);
}

static void sink_ingest(void *ctx, const struct labels *labels, struct ingest_body *body)
{
    (void)ctx, (void)body;
    labels_print(labels, &arrived);
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
static const struct component_def *const registry[] = {&pyroscope_relabel, &source_def, &sink_def, NULL};

/* --- the graph --- */

static uv_loop_t loop;

static struct controller *controller(void)
{
    uv_loop_init(&loop);
    arrived = BUF_INIT(1 << 16);
    source_updates = 0;
    return controller_new(&(struct controller_options){.loop = &loop, .components = registry});
}

static void end(struct controller *c)
{
    controller_stop(c, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    controller_free(c);
    buf_done(&arrived);
    CHECK_INT(uv_loop_close(&loop), 0);
}

/* The component with `body` between source and sink. */
static void load_(int line, struct controller *c, const char *body, const char *want)
{
    char text[4096];
    snprintf(text, sizeof text,
             "pyroscope.relabel \"r\" {\n%s}\ntest.sink \"k\" { }\n"
             "test.source \"s\" {\n forward_to = [pyroscope.relabel.r.receiver]\n}\n",
             body);
    load_check(line, c, text, want);
}
#define LOAD(c, body, want) load_(__LINE__, c, body, want)
#define TO_SINK             "forward_to = [test.sink.k.receiver]\n"
#define KEEP(label, regex)  "rule {\n action = \"keep\"\n source_labels = [\"" label "\"]\n regex = \"" regex "\"\n}\n"

/* Name and value in turn, ended by NULL. Returns what arrived of it. */
static const char *sent(const char *const *pairs)
{
    static char text[1024];
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    for (; *pairs; pairs += 2)
        labels_set(&b, str_of(pairs[0]), str_of(pairs[1]));
    struct labels *ls = labels_build(&b, false);
    struct encoded_profile *p = encoded_profile_new((uint8_t *)xstrdup("p"), 1, 5, 0, 0);
    buf_reset(&arrived);
    if (to->ctx)
        to->append(to->ctx, ls, p);
    encoded_profile_unref(p);
    labels_unref(ls);
    snprintf(text, sizeof text, "%s", buf_cstr(&arrived));
    return text;
}
#define SEND(...) sent((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static double metric(struct buf *page, const char *name)
{
    char line[256];
    buf_reset(page);
    metric_render(page);
    snprintf(line, sizeof line, "\n%s{component_id=\"pyroscope.relabel.r\",component_path=\"/\"} ", name);
    const char *at = strstr(buf_cstr(page), line);
    return at ? strtod(at + strlen(line), NULL) : -1;
}
#define CHECK_METRIC(name, want)                                                                                       \
    do {                                                                                                               \
        cleanup_buf struct buf page_ = BUF_INIT(1 << 20);                                                              \
        CHECK_INT(metric(&page_, name), want);                                                                         \
    } while (0)

static void labels_are_rewritten_and_profiles_kept_by_them(void)
{
    struct controller *c = controller();
    LOAD(c,
         TO_SINK KEEP("__name__", "process_cpu") "rule {\n source_labels = [\"service_name\"]\n regex = \"(.*)-prod\"\n"
                                                 " target_label = \"app\"\n}\n",
         "");
    CHECK_STR(SEND("__name__", "process_cpu", "service_name", "shop-prod"),
              "{__name__=\"process_cpu\", app=\"shop\", service_name=\"shop-prod\"}");
    CHECK_STR(SEND("__name__", "memory", "service_name", "shop-prod"), "");
    CHECK_STR(SEND("__name__", "process_cpu"), "{__name__=\"process_cpu\"}");
    CHECK_METRIC("pyroscope_relabel_profiles_processed", 3);
    CHECK_METRIC("pyroscope_relabel_profiles_written", 2);
    CHECK_METRIC("pyroscope_relabel_profiles_dropped", 1);
    CHECK_METRIC("pyroscope_relabel_cache_misses", 3);
    CHECK_METRIC("pyroscope_relabel_cache_hits", 0);
    CHECK_METRIC("pyroscope_relabel_cache_size", 3);
    CHECK_METRIC("pyroscope_forwarded_entries_total", 10);
    CHECK_METRIC("pyroscope_fanout_latency_count", 2);
    end(c);
    CHECK_METRIC("pyroscope_relabel_profiles_processed", -1);
    CHECK_METRIC("pyroscope_relabel_cache_size", -1);
    CHECK_METRIC("pyroscope_forwarded_entries_total", -1);
}

static void results_are_cached_until_the_rules_change(void)
{
    struct controller *c = controller();
    LOAD(c, TO_SINK KEEP("a", "1"), "");
    CHECK_STR(SEND("a", "1"), "{a=\"1\"}");
    CHECK_STR(SEND("a", "1"), "{a=\"1\"}");
    CHECK_STR(SEND("a", "2"), "");
    CHECK_STR(SEND("a", "2"), "");
    CHECK_METRIC("pyroscope_relabel_cache_hits", 2);
    CHECK_METRIC("pyroscope_relabel_cache_misses", 2);
    LOAD(c, TO_SINK KEEP("a", "2"), "");
    CHECK_METRIC("pyroscope_relabel_cache_size", 0);
    CHECK_STR(SEND("a", "2"), "{a=\"2\"}");
    CHECK_STR(SEND("a", "1"), "");
    CHECK_METRIC("pyroscope_relabel_cache_hits", 2);
    CHECK_METRIC("pyroscope_relabel_cache_misses", 4);
    /* The same rules: nothing is forgotten but what is too much. */
    LOAD(c, TO_SINK "max_cache_size = 1\n" KEEP("a", "2"), "");
    CHECK_METRIC("pyroscope_relabel_cache_size", 1);
    CHECK_STR(SEND("a", "1"), "");
    CHECK_METRIC("pyroscope_relabel_cache_hits", 3);
    end(c);
}

static void without_labels_in_it_passes_without_labels_out_it_is_dropped(void)
{
    struct controller *c = controller();
    LOAD(c, TO_SINK "rule {\n action = \"labeldrop\"\n regex = \".*\"\n}\n", "");
    CHECK_STR(SEND(), "{}");
    CHECK_METRIC("pyroscope_relabel_cache_misses", 0);
    CHECK_STR(SEND("a", "1"), "");
    CHECK_STR(SEND("a", "1"), ""); /* from the cache, too */
    CHECK_METRIC("pyroscope_relabel_cache_hits", 1);
    CHECK_METRIC("pyroscope_relabel_profiles_dropped", 2);
    CHECK_METRIC("pyroscope_relabel_profiles_written", 1);
    end(c);
}

/* The labels of a recording that arrive. */
static const char *recording_sent(const char *service)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__name__"), STR(RECORDING_NAME));
    labels_set(&b, STR("service_name"), str_of(service));
    struct labels *ls = labels_build(&b, false);
    buf_reset(&arrived);
    to->recording(to->ctx, ls, NULL);
    labels_unref(ls);
    return buf_cstr(&arrived);
}

static void recordings_are_relabelled_and_kept_as_profiles_are(void)
{
    struct controller *c = controller();
    LOAD(c,
         TO_SINK KEEP("service_name", "shop.*") "rule {\n source_labels = [\"service_name\"]\n regex = \"(.*)-prod\"\n"
                                                " target_label = \"app\"\n}\n",
         "");
    CHECK_STR(recording_sent("shop-prod"), "{__name__=\"jfr\", app=\"shop\", service_name=\"shop-prod\"}");
    CHECK_STR(recording_sent("bank"), "");
    CHECK_METRIC("pyroscope_relabel_profiles_processed", 0);
    LOAD(c, "forward_to = []\n", "");
    CHECK_STR(recording_sent("shop-prod"), "");
    end(c);
}

static void bodies_of_ingest_are_relabelled_as_profiles_are(void)
{
    struct controller *c = controller();
    LOAD(c, TO_SINK KEEP("service_name", "shop"), "");
    for (const char *const *service = (const char *const[]){"shop", "bank", NULL}; *service; service++) {
        cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
        labels_set(&b, STR("service_name"), str_of(*service));
        struct labels *ls = labels_build(&b, false);
        to->ingest(to->ctx, ls, NULL);
        labels_unref(ls);
    }
    CHECK_STR(buf_cstr(&arrived), "{service_name=\"shop\"}");
    CHECK_METRIC("pyroscope_relabel_profiles_processed", 2);
    CHECK_METRIC("pyroscope_relabel_profiles_dropped", 1);
    end(c);
}

static void the_receiver_stays_the_same_across_updates(void)
{
    struct controller *c = controller();
    LOAD(c, TO_SINK, "");
    struct receiver *before = to;
    LOAD(c, "forward_to = []\n", "");
    CHECK(to == before);
    CHECK_INT(source_updates, 1);
    CHECK_STR(SEND("a", "1"), "");
    CHECK(to->discards(to->ctx));
    LOAD(c, "forward_to = [test.sink.k.receiver, null, test.sink.k.receiver]\n", "");
    CHECK(!to->discards(to->ctx));
    CHECK_STR(SEND("a", "1"), "{a=\"1\"}{a=\"1\"}");
    struct receiver *held = receiver_ref(to);
    end(c);
    CHECK(held->ctx == NULL); /* what comes later is dropped by who sends it */
    receiver_unref(held);
}

static void debug_info_counts(void)
{
    struct controller *c = controller();
    LOAD(c, TO_SINK KEEP("a", "1"), "");
    SEND("a", "1");
    SEND("a", "2");
    cleanup_value struct value *info = controller_debug_info(c, "pyroscope.relabel.r");
    cleanup_buf struct buf text = BUF_INIT(4096);
    value_print(info, &text);
    for (const char *const *part = (const char *const[]){"profiles_processed", "2", "profiles_written",
                                                         "profiles_dropped", "cache_size", "receivers", NULL};
         *part; part++)
        CHECK_HAS(buf_cstr(&text), *part);
    CHECK_INT(value_as_int(value_member(info, STR("profiles_dropped"))), 1);
    CHECK_INT(value_as_int(value_member(info, STR("receivers"))), 1);
    end(c);
}

static void mistakes_are_refused_with_their_place(void)
{
    struct controller *c = controller();
    LOAD(c, "", "f:1:1: Failed to build component: decoding configuration: missing required attribute \"forward_to\"");
    LOAD(c, TO_SINK "max_cache_size = 0\n",
         "f:1:1: Failed to build component: decoding configuration: max_cache_size: must provide a positive size");
    LOAD(c, TO_SINK "max_cache_size = -5\n",
         "f:1:1: Failed to build component: decoding configuration: max_cache_size: must provide a positive size");
    LOAD(c, "forward_to = [5]\n", "f:2:15: 5 expected capsule(\"pyroscope.Appendable\"), got number");
    LOAD(c, TO_SINK "rule {\n action = \"hash\"\n}\n", "f:4:11: \"hash\" unrecognized action type \"hash\"");
    end(c);
}

int main(void)
{
    RUN(labels_are_rewritten_and_profiles_kept_by_them);
    RUN(results_are_cached_until_the_rules_change);
    RUN(without_labels_in_it_passes_without_labels_out_it_is_dropped);
    RUN(recordings_are_relabelled_and_kept_as_profiles_are);
    RUN(bodies_of_ingest_are_relabelled_as_profiles_are);
    RUN(the_receiver_stays_the_same_across_updates);
    RUN(debug_info_counts);
    RUN(mistakes_are_refused_with_their_place);
    return REPORT();
}
