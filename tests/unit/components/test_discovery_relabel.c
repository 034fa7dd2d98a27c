/* The component in a running graph: what comes in as a literal or from another component goes out relabelled. */

#include <errno.h>

#include "base/mem.h"
#include "flow/relabel.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/controller.h"
#include "graph/view.h"
#include "load_fixture.h"
#include "test.h"

extern const struct component_def discovery_relabel;

/* A source of targets the test turns over at will. */
struct source_args {
    struct targets targets;
};
static const struct option source_options[] = {
    {"targets", OPT_CUSTOM, offsetof(struct source_args, targets), .custom = &targets_option},
    {0},
};
static const struct schema source_schema = {.size = sizeof(struct source_args), .options = source_options};
static struct component *source;

static void publish(struct labels *const *items, size_t n)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), targets_value(items, n));
    component_export(source, exports);
}

static int source_build(struct component *self, const void *args, void **state, struct err *err)
{
    (void)err;
    const struct source_args *a = args;
    *state = source = self;
    publish(a->targets.items, a->targets.len);
    return 0;
}

static void source_free(void *state)
{
    (void)state;
}

static const char *const source_exports[] = {"targets", NULL};
static const struct component_def source_def = {.name = "test.source",
                                                .args = &source_schema,
                                                .exports = source_exports,
                                                .build = source_build,
                                                .free = source_free};
static const struct component_def *const registry[] = {&discovery_relabel, &source_def, NULL};

static uv_loop_t loop;

static struct controller *controller(void)
{
    uv_loop_init(&loop);
    return controller_new(&(struct controller_options){.loop = &loop, .components = registry});
}

static void end(struct controller *c)
{
    controller_stop(c, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    controller_free(c);
    CHECK_INT(uv_loop_close(&loop), 0);
}

#define LOAD(c, text, want) load_check(__LINE__, c, text, want)

struct output {
    const char *id;
    struct buf text;
    struct value *exports;
};

static bool look(void *arg, const struct component_view *v)
{
    struct output *o = arg;
    if (strcmp(v->id, o->id) != 0)
        return true;
    o->exports = v->exports;
    const struct value *list = value_member(v->exports, STR("output"));
    for (size_t i = 0; i < value_len(list); i++)
        labels_print(value_capsule_data(value_item(list, i), &target_capsule), &o->text);
    return false;
}

static void check_output_(int line, struct controller *c, const char *id, const char *want)
{
    struct output o = {.id = id, .text = BUF_INIT(100000)};
    controller_each(c, look, &o);
    if (strcmp(buf_cstr(&o.text), want) != 0)
        FAIL_("line %d: output is %s, want %s", line, buf_cstr(&o.text), want);
    buf_done(&o.text);
}
#define CHECK_OUTPUT(c, id, want) check_output_(__LINE__, c, id, want)

static const char pipeline[] =
    "test.source \"s\" {\n"
    "  targets = [{pid = 7, exe = \"/usr/bin/java\"}, {pid = 8, exe = \"/bin/sh\"},\n"
    "    {pid = 9, exe = \"/opt/java\", empty = \"\"}]\n}\n"
    "discovery.relabel \"java\" {\n  targets = test.source.s.targets\n"
    "  rule {\n    action = \"keep\"\n    regex = \".*/java$\"\n    source_labels = [\"exe\"]\n  }\n"
    "  rule {\n    source_labels = [\"pid\"]\n    target_label = \"id\"\n  }\n}\n";

static void kept_targets_go_out_in_the_order_they_came_in(void)
{
    struct controller *c = controller();
    LOAD(c, pipeline, "");
    CHECK_OUTPUT(c, "discovery.relabel.java",
                 "{exe=\"/usr/bin/java\", id=\"7\", pid=\"7\"}{exe=\"/opt/java\", id=\"9\", pid=\"9\"}");
    end(c);
}

static void the_output_follows_the_targets(void)
{
    struct controller *c = controller();
    LOAD(c, pipeline, "");
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("exe"), STR("/new/java"));
    struct labels *ls = labels_build(&b, false);
    publish(&ls, 1);
    labels_unref(ls);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_OUTPUT(c, "discovery.relabel.java", "{exe=\"/new/java\"}");
    publish(NULL, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_OUTPUT(c, "discovery.relabel.java", "");
    end(c);
}

static struct labels *numbered(unsigned number, const char *exe)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    labels_set(&b, STR("exe"), str_of(exe));
    labels_set(&b, STR("pid"), str_of(text));
    return labels_build(&b, false);
}

/* Targets that come and go anywhere in the list, some of them dropped: as if all were relabelled anew. */
static void unchanged_targets_keep_their_results(void)
{
    enum { MOST = 200, ROUNDS = 40 };
    struct controller *c = controller();
    struct labels *items[MOST];
    size_t n = 0;
    unsigned next = 1, random = 7;
    LOAD(c, pipeline, "");
    for (unsigned round = 0; round < ROUNDS; round++) {
        cleanup_buf struct buf want = BUF_INIT(1 << 20);
        for (unsigned change = 0; change < 1 + round % 4 * 30; change++) {
            random = random * 1103515245 + 12345;
            const size_t at = n ? random / 65536 % n : 0;
            if (n == MOST || (n && random >> 30 == 0)) {
                labels_unref(items[at]);
                memmove(&items[at], &items[at + 1], (--n - at) * sizeof *items);
            } else {
                memmove(&items[at + 1], &items[at], (n++ - at) * sizeof *items);
                items[at] = numbered(next++, random >> 29 & 1 ? "/bin/java" : "/bin/sh");
            }
        }
        publish(items, n);
        uv_run(&loop, UV_RUN_DEFAULT);
        for (size_t i = 0; i < n; i++) {
            const struct str pid = labels_get(items[i], STR("pid"));
            if (str_is(labels_get(items[i], STR("exe")), "/bin/java"))
                buf_printf(&want, "{exe=\"/bin/java\", id=\"%s\", pid=\"%s\"}", pid.p, pid.p);
        }
        CHECK_OUTPUT(c, "discovery.relabel.java", buf_cstr(&want));
    }
    for (size_t i = 0; i < n; i++)
        labels_unref(items[i]);
    end(c);
}

static void a_reload_with_other_rules_changes_the_output_at_once(void)
{
    struct controller *c = controller();
    LOAD(c, pipeline, "");
    LOAD(c,
         "test.source \"s\" {\n  targets = [{pid = 7, exe = \"/usr/bin/java\"}, {pid = 8, exe = \"/bin/sh\"},\n"
         "    {pid = 9, exe = \"/opt/java\", empty = \"\"}]\n}\n"
         "discovery.relabel \"java\" {\n  targets = test.source.s.targets\n"
         "  rule {\n    action = \"drop\"\n    regex = \".*/java$\"\n    source_labels = [\"exe\"]\n  }\n}\n"
         "discovery.relabel \"next\" {\n  targets = discovery.relabel.java.output\n}\n",
         "");
    CHECK_OUTPUT(c, "discovery.relabel.java", "{exe=\"/bin/sh\", pid=\"8\"}");
    CHECK_OUTPUT(c, "discovery.relabel.next", "{exe=\"/bin/sh\", pid=\"8\"}");
    end(c);
}

static void a_target_that_loses_all_its_labels_still_goes_out(void)
{
    struct controller *c = controller();
    LOAD(c,
         "discovery.relabel \"x\" {\n  targets = [{a = \"1\"}, {b = \"\"}]\n"
         "  rule {\n    action = \"labeldrop\"\n    regex = \".*\"\n  }\n}\n",
         "");
    CHECK_OUTPUT(c, "discovery.relabel.x", "{}{}");
    end(c);
}

static void labels_of_a_target_can_be_read_by_expressions(void)
{
    struct controller *c = controller();
    LOAD(c,
         "discovery.relabel \"a\" {\n  targets = [{name = \"one\"}]\n}\n"
         "discovery.relabel \"b\" {\n  targets = [{"
         "was = discovery.relabel.a.output[0][\"name\"], also = discovery.relabel.a.output[0].name}]\n}\n",
         "");
    CHECK_OUTPUT(c, "discovery.relabel.b", "{also=\"one\", was=\"one\"}");
    end(c);
}

static void the_rules_are_exported_too(void)
{
    struct controller *c = controller();
    LOAD(c, pipeline, "");
    struct output o = {.id = "discovery.relabel.java", .text = BUF_INIT(100000)};
    controller_each(c, look, &o);
    const struct relabel_rules *rules =
        value_capsule_data(value_member(o.exports, STR("rules")), &relabel_rules_capsule);
    CHECK(rules != NULL);
    CHECK_INT(relabel_rules_len(rules), 2);
    buf_done(&o.text);
    end(c);
}

static void mistakes_are_refused_with_their_place(void)
{
    struct controller *c = controller();
    LOAD(c, "discovery.relabel \"x\" { }\n",
         "f:1:1: Failed to build component: decoding configuration: missing required attribute \"targets\"");
    LOAD(c, "discovery.relabel \"x\" {\n  targets = [5]\n}\n",
         "f:2:14: 5 target::ConvertFrom: conversion from 'int64' is not supported");
    LOAD(c, "discovery.relabel \"x\" {\n  targets = []\n  rule {\n    action = \"hash\"\n  }\n}\n",
         "f:4:14: \"hash\" unrecognized action type \"hash\"");
    LOAD(c, "discovery.relabel \"x\" {\n  targets = []\n  rule {\n    action = \"hashmod\"\n  }\n}\n",
         "f:3:3: relabel configuration for hashmod requires non-zero modulus");
    LOAD(c, "discovery.relabel \"x\" {\n  targets = []\n  rule {\n    regex = \"(\"\n  }\n}\n",
         "f:4:13: \"(\" error parsing regexp: missing ): ^(?s:()$");
    end(c);
}

int main(void)
{
    RUN(kept_targets_go_out_in_the_order_they_came_in);
    RUN(the_output_follows_the_targets);
    RUN(unchanged_targets_keep_their_results);
    RUN(a_reload_with_other_rules_changes_the_output_at_once);
    RUN(a_target_that_loses_all_its_labels_still_goes_out);
    RUN(labels_of_a_target_can_be_read_by_expressions);
    RUN(the_rules_are_exported_too);
    RUN(mistakes_are_refused_with_their_place);
    return REPORT();
}
