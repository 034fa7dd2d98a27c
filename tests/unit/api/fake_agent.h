/* A controller with two small components, so that the fronts have something to show: a pyroscope.java that knows two
 * JVMs and profiles none, and a sink it refers to. */
#pragma once

#include <uv.h>

#include "base/cleanup.h"
#include "graph/controller.h"

struct fake_rule {
    char *action;
};
static const struct option fake_rule_options[] = {{"action", OPT_STRING, offsetof(struct fake_rule, action)}, {0}};
static const struct schema fake_rule_schema = {.size = sizeof(struct fake_rule), .options = fake_rule_options};

struct fake_args {
    struct value *forward_to;
    char *mode;
    char *password;
    struct fake_rule only;
    struct block_list rules;
};
static const struct option fake_options[] = {
    {"forward_to", OPT_ANY, offsetof(struct fake_args, forward_to), .default_text = "[]", .help = "Receivers."},
    {"mode", OPT_STRING, offsetof(struct fake_args, mode), .default_text = "\"fast\"", .help = "A string."},
    {"password", OPT_SECRET, offsetof(struct fake_args, password), .default_text = "\"\"", .help = "A secret."},
    {"only", OPT_BLOCK, offsetof(struct fake_args, only), .block = &fake_rule_schema, .help = "One block."},
    {"rule", OPT_BLOCKS, offsetof(struct fake_args, rules), .block = &fake_rule_schema, .help = "Several blocks."},
    {0}};
static const struct schema fake_schema = {.size = sizeof(struct fake_args), .options = fake_options};

struct fake {
    struct component *self;
    const struct fake_args *args;
};

static int fake_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)err;
    struct fake *f = calloc(1, sizeof *f);
    f->self = self;
    f->args = args_ref(args);
    *ret_state = f;
    return 0;
}

static int fake_update(void *state, const void *args, struct err *err)
{
    (void)err;
    struct fake *f = state;
    args_unref(f->args);
    f->args = args_ref(args);
    return 0;
}

static void fake_start(void *state)
{
    struct fake *f = state;
    if (strcmp(f->args->mode, "broken") == 0)
        component_health(f->self, false, "it does not \"work\"");
}

static void sink_start(void *state)
{
    struct fake *f = state;
    struct value *exports = value_object();
    value_object_put(exports, STR("receiver"), value_string(STR("inbox")));
    component_export(f->self, exports);
}

static void fake_stop(void *state)
{
    component_stopped(((struct fake *)state)->self);
}

static void fake_free(void *state)
{
    struct fake *f = state;
    args_unref(f->args);
    free(f);
}

static const struct jvm_status fake_jvm_states[] = {
    {.pid = 4711, .service_name = STR("checkout"), .state = "profiling", .reason = "", .next_profile_ns = 9000000000},
    {.pid = 4712,
     .service_name = STR("ledger"),
     .state = "waiting",
     .reason = "attach is disabled by -XX:+DisableAttachMechanism"},
};

static void fake_jvms(void *state, jvm_status_visit *visit, void *arg)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fake_jvm_states); i++)
        visit(arg, &fake_jvm_states[i]);
}

static struct value *fake_debug_info(void *state)
{
    (void)state;
    struct value *jvms[ARRAY_LEN(fake_jvm_states)];
    for (size_t i = 0; i < ARRAY_LEN(fake_jvm_states); i++)
        jvms[i] = jvm_status_value(&fake_jvm_states[i]);
    struct value *info = value_object();
    value_object_put(info, STR("profiled_targets"), value_array(jvms, ARRAY_LEN(jvms)));
    return info;
}

static const char *const fake_no_exports[] = {NULL};
static const char *const fake_sink_exports[] = {"receiver", NULL};
static const struct component_def fake_java = {.name = "pyroscope.java",
                                               .help = "Fake.",
                                               .args = &fake_schema,
                                               .exports = fake_no_exports,
                                               .build = fake_build,
                                               .update = fake_update,
                                               .start = fake_start,
                                               .stop = fake_stop,
                                               .free = fake_free,
                                               .debug_info = fake_debug_info,
                                               .jvms = fake_jvms};
static const struct component_def fake_sink = {.name = "test.sink",
                                               .help = "Fake.",
                                               .args = &fake_schema,
                                               .exports = fake_sink_exports,
                                               .build = fake_build,
                                               .update = fake_update,
                                               .start = sink_start,
                                               .stop = fake_stop,
                                               .free = fake_free};
static const struct component_def *const fake_components[] = {&fake_java, &fake_sink, NULL};

static int fake_load(struct controller *c, const char *text)
{
    struct diags ds = {0};
    int code = controller_load(c, &(struct config_file){.name = "test", .text = text, .len = strlen(text)}, 1, &ds);
    for (size_t i = 0; code < 0 && i < ds.len; i++)
        printf("  %s\n", ds.items[i].message);
    diags_done(&ds);
    return code;
}
