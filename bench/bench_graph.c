/* What the engine costs: loading a large configuration, targets through relabelling rules, and a change on its way to
 * those that read it. Times are of this process on one thread.
 *
 * - load: 2,000 discovery.relabel components in chains of ten, then the same made from 200 instances of a declare that
 *   holds ten. Memory is what the heap grew by.
 * - relabel: 10,000 targets through ten rules, in one component and in ten; beside it the RE2 matches of these rules
 *   alone, on the same texts.
 * - change: from component_export() to the last dependant that was told, in the configuration of 2,000 components. A
 *   change that reaches one and one that reaches a chain of ten.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "flow/regex.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "graph/controller.h"

extern const struct component_def discovery_relabel;

enum { COMPONENTS = 2000, CHAIN = 10, TARGETS = 10000, RULES = 10, CHANGES = 2000, ROUNDS = 5, TEXT_MAX = 64 << 20 };
static const double MICRO = 1e6, MILLI = 1e3, KIB = 1024;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- where changes begin and end --- */

struct probe_args {
    struct targets targets;
};
static const struct option probe_options[] = {
    {"targets", OPT_CUSTOM, offsetof(struct probe_args, targets), .custom = &targets_option},
    {0},
};
static const struct schema probe_schema = {.size = sizeof(struct probe_args), .options = probe_options};

static struct component *source;
static double told;
static size_t arrived;

static int probe_build(struct component *self, const void *args, void **ret, struct err *err)
{
    (void)err;
    if (strcmp(component_id(self), "bench.probe.source") == 0)
        source = self;
    arrived = ((struct probe_args *)args)->targets.len;
    *ret = self;
    return 0;
}

static int probe_update(void *state, const void *args, struct err *err)
{
    (void)state;
    (void)err;
    arrived = ((struct probe_args *)args)->targets.len;
    told = now();
    return 0;
}

static void probe_free(void *state)
{
    (void)state;
}

static const char *const probe_exports[] = {"targets", NULL};
static const struct component_def bench_probe = {.name = "bench.probe",
                                                 .args = &probe_schema,
                                                 .exports = probe_exports,
                                                 .build = probe_build,
                                                 .update = probe_update,
                                                 .free = probe_free};
static const struct component_def *const registry[] = {&bench_probe, &discovery_relabel, NULL};

/* --- a controller --- */

struct bench {
    uv_loop_t loop;
    struct controller *controller;
};

static void begin(struct bench *b)
{
    uv_loop_init(&b->loop);
    b->controller = controller_new(&(struct controller_options){.loop = &b->loop, .components = registry});
}

static double load(struct bench *b, struct buf *text)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    const double start = now();
    if (controller_load(b->controller, &(struct config_file){"bench", buf_cstr(text), text->len}, 1, &ds) < 0) {
        fprintf(stderr, "bench_graph: %s\n", ds.len ? ds.items[0].message : "not loaded");
        exit(1);
    }
    const double took = now() - start;
    uv_run(&b->loop, UV_RUN_DEFAULT);
    return took;
}

static void stopped(void *arg)
{
    (void)arg;
}

static void end(struct bench *b)
{
    controller_stop(b->controller, stopped, NULL);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    controller_free(b->controller);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    uv_loop_close(&b->loop);
}

static void put_relabel(struct buf *out, const char *label, size_t number, const char *targets)
{
    buf_printf(out,
               "discovery.relabel \"%s%zu\" {\n  targets = %s\n  rule {\n    source_labels = [\"a\"]\n"
               "    regex = \"(.*)\"\n    target_label = \"r%zu\"\n    replacement = \"$1\"\n  }\n}\n",
               label, number, targets, number);
}

/* Chains of ten behind one source; a probe at the end of the first, one at the source. */
static void put_chains(struct buf *out)
{
    buf_puts(out, "bench.probe \"source\" { }\n");
    for (size_t i = 0; i < COMPONENTS; i++) {
        cleanup_free char *before = i % CHAIN ? xasprintf("discovery.relabel.c%zu.output", i - 1)
                                    : i       ? xasprintf("[{\"a\" = \"%zu\"}]", i)
                                              : xstrdup("bench.probe.source.targets");
        put_relabel(out, "c", i, before);
    }
}

static void put_instances(struct buf *out)
{
    buf_puts(out, "declare \"chain\" {\n  argument \"targets\" { }\n");
    for (size_t i = 0; i < CHAIN; i++) {
        cleanup_free char *before =
            i ? xasprintf("discovery.relabel.c%zu.output", i - 1) : xstrdup("argument.targets.value");
        put_relabel(out, "c", i, before);
    }
    buf_printf(out, "  export \"output\" {\n    value = discovery.relabel.c%d.output\n  }\n}\n", CHAIN - 1);
    for (size_t i = 0; i < COMPONENTS / CHAIN; i++)
        buf_printf(out, "chain \"i%zu\" {\n  targets = [{\"a\" = \"%zu\"}]\n}\n", i, i);
}

static void bench_load(const char *what, void (*put)(struct buf *out))
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    struct bench b;
    put(&text);
    begin(&b);
    const size_t before = mallinfo2().uordblks;
    const double first = load(&b, &text);
    const size_t used = mallinfo2().uordblks - before;
    double again = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        const double took = load(&b, &text);
        again = took < again ? took : again;
    }
    printf("load of %d components%s: %.1f ms, %.0f KiB (%.1f KiB each); the same again: %.1f ms\n", COMPONENTS, what,
           first * MILLI, (double)used / KIB, (double)used / KIB / COMPONENTS, again * MILLI);
    end(&b);
}

/* --- targets through rules --- */

static const struct rule {
    const char *from, *regex;
} rules[RULES] = {
    {"__meta_process_exe", ".*/java$"},
    {"__meta_process_commandline", ".*-Dapp=([a-z0-9-]+).*"},
    {"__process_pid__", "(.+)"},
    {"__meta_process_cwd", "/srv/([^/]+)/.*"},
    {"__meta_process_username", "app|jvm"},
    {"__meta_process_commandline", ".*-Dzone=([a-z]+).*"},
    {"__meta_process_uid", "([0-9]+)"},
    {"__meta_cgroup_path", ".*/docker-([0-9a-f]{12}).*"},
    {"__meta_process_exe", "/usr/lib/(.*)"},
    {"__meta_process_commandline", ".* -jar ([^ ]+).*"},
};

static struct labels *target_of(size_t i, size_t generation)
{
    cleanup_labels_builder struct labels_builder l = LABELS_BUILDER_INIT;
    cleanup_free char *pid = xasprintf("%zu", 1000 + i), *cwd = xasprintf("/srv/team%zu/app", (i + generation) % 40),
                      *command = xasprintf("java -Xmx512m -Dapp=shop-%zu -Dzone=west -jar /srv/team%zu/app.jar", i,
                                           (i + generation) % 40),
                      *cgroup = xasprintf("/system.slice/docker-%012zx.scope", i * 7919);
    labels_set(&l, STR("__process_pid__"), str_of(pid));
    labels_set(&l, STR("__meta_process_exe"), STR("/usr/lib/jvm/java-17/bin/java"));
    labels_set(&l, STR("__meta_process_commandline"), str_of(command));
    labels_set(&l, STR("__meta_process_cwd"), str_of(cwd));
    labels_set(&l, STR("__meta_process_username"), STR("app"));
    labels_set(&l, STR("__meta_process_uid"), STR("1000"));
    labels_set(&l, STR("__meta_cgroup_path"), str_of(cgroup));
    return labels_build(&l, false);
}

static struct targets all_targets(size_t generation)
{
    struct targets ts = {.items = xcalloc(TARGETS, sizeof *ts.items), .len = TARGETS};
    for (size_t i = 0; i < TARGETS; i++)
        ts.items[i] = target_of(i, generation);
    return ts;
}

/* The matches alone, with the groups that a replacement would need. Microseconds per target. */
static double bare_matches(const struct targets *ts)
{
    struct regex *compiled[RULES];
    struct err err = {0};
    for (size_t r = 0; r < RULES; r++) {
        if (regex_new(str_of(rules[r].regex), &compiled[r], &err) < 0)
            abort();
    }
    double best = 1e9;
    size_t matched = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = now();
        for (size_t i = 0; i < ts->len; i++) {
            for (size_t r = 0; r < RULES; r++) {
                struct regex_match m;
                matched += regex_matches(compiled[r], labels_get(ts->items[i], str_of(rules[r].from)), &m);
            }
        }
        const double took = now() - start;
        best = took < best ? took : best;
    }
    for (size_t r = 0; r < RULES; r++)
        regex_unref(compiled[r]);
    if (matched == 0)
        abort();
    return best / (double)ts->len * MICRO;
}

static void put_rule(struct buf *out, size_t r)
{
    buf_printf(out,
               "  rule {\n    source_labels = [\"%s\"]\n    regex = `%s`\n    target_label = \"r%zu\"\n"
               "    replacement = \"$1\"\n  }\n",
               rules[r].from, rules[r].regex, r);
}

static void put_one(struct buf *out)
{
    buf_puts(out, "bench.probe \"source\" { }\ndiscovery.relabel \"all\" {\n  targets = bench.probe.source.targets\n");
    for (size_t r = 0; r < RULES; r++)
        put_rule(out, r);
    buf_puts(out, "}\nbench.probe \"end\" {\n  targets = discovery.relabel.all.output\n}\n");
}

static void put_ten(struct buf *out)
{
    buf_puts(out, "bench.probe \"source\" { }\n");
    for (size_t r = 0; r < RULES; r++) {
        buf_printf(out, "discovery.relabel \"r%zu\" {\n", r);
        if (r)
            buf_printf(out, "  targets = discovery.relabel.r%zu.output\n", r - 1);
        else
            buf_puts(out, "  targets = bench.probe.source.targets\n");
        put_rule(out, r);
        buf_puts(out, "}\n");
    }
    buf_printf(out, "bench.probe \"end\" {\n  targets = discovery.relabel.r%d.output\n}\n", RULES - 1);
}

static void publish(const struct targets *ts)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("targets"), targets_value(ts->items, ts->len));
    component_export(source, exports);
}

static void bench_relabel(const char *what, void (*put)(struct buf *out))
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    struct targets ts[2] = {all_targets(0), all_targets(1)};
    const double bare = bare_matches(&ts[0]);
    struct bench b;
    put(&text);
    begin(&b);
    load(&b, &text);
    double best = 1e9;
    for (int round = 0; round < ROUNDS + 1; round++) {
        const double start = now();
        publish(&ts[round % 2]);
        uv_run(&b.loop, UV_RUN_DEFAULT);
        const double took = told - start;
        best = round > 0 && took < best ? took : best; /* the first one starts from nothing */
    }
    if (arrived != TARGETS)
        abort();
    const double us = best / TARGETS * MICRO;
    printf("%d targets through ten rules in %s: %.2f us per target; RE2 alone %.2f us, ratio %.2f\n", TARGETS, what, us,
           bare, us / bare);
    end(&b);
    targets_done(&ts[0]);
    targets_done(&ts[1]);
}

/* --- a change --- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void bench_change(const char *what, const char *read)
{
    cleanup_buf struct buf text = BUF_INIT(TEXT_MAX);
    cleanup_free double *took = xcalloc(CHANGES, sizeof *took);
    struct bench b;
    put_chains(&text);
    buf_printf(&text, "bench.probe \"end\" {\n  targets = %s\n}\n", read);
    begin(&b);
    load(&b, &text);
    for (size_t i = 0; i < CHANGES; i++) {
        cleanup_labels_builder struct labels_builder l = LABELS_BUILDER_INIT;
        cleanup_free char *number = xasprintf("%zu", i);
        labels_set(&l, STR("a"), str_of(number));
        struct labels *one = labels_build(&l, false);
        const double start = now();
        publish(&(struct targets){&one, 1});
        uv_run(&b.loop, UV_RUN_DEFAULT);
        took[i] = told - start;
        labels_unref(one);
    }
    qsort(took, CHANGES, sizeof *took, ascending);
    printf("change to %s among %d components: median %.1f us, p99 %.1f us\n", what, COMPONENTS,
           took[CHANGES / 2] * MICRO, took[CHANGES * 99 / 100] * MICRO);
    end(&b);
}

int main(void)
{
    bench_load("", put_chains);
    bench_load(" in 200 instances of a declare", put_instances);
    bench_relabel("one component", put_one);
    bench_relabel("ten components", put_ten);
    bench_change("a direct dependant", "bench.probe.source.targets");
    bench_change("the end of a chain of ten", "discovery.relabel.c9.output");
    return 0;
}
