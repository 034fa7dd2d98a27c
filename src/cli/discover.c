/* smolder discover [FLAGS] [PATH…]: what a configuration would profile, and why not the rest.
 *
 * The configuration is loaded into the engine of the agent, with those components that only find and select targets.
 * All others are replaced by ones without effect, which have the arguments and exports of the real ones.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/builtin.h"
#include "cli/colour.h"
#include "cli/command.h"
#include "cli/discover_report.h"
#include "cli/flags.h"
#include "components/all.h"
#include "components/env.h"
#include "conf/files.h"
#include "graph/controller.h"
#include "lang/diag_text.h"
#include "lang/duration.h"

enum { OUTPUT_MAX = 64 << 20, DIAGS_TEXT_MAX = 4 << 20, STEP_MS = 100, QUIET_MS = 1000 };

struct discover_flags {
    const char *stability, *service_name, *timeout;
    bool json, skip_unknown, help;
};

#define AT(field) offsetof(struct discover_flags, field)
static const struct flag flags[] = {
    {"json", FLAG_BOOL, AT(json), NULL, NULL, "Print one JSON object."},
    {"timeout", FLAG_STRING, AT(timeout), "15s", "DURATION",
     "How long components may take for their first result, such as a list of pods."},
    {"java.service-name", FLAG_CHOICE, AT(service_name), "unspecified", "unspecified|main", "As for run."},
    {"stability.level", FLAG_CHOICE, AT(stability), "generally-available",
     "generally-available|public-preview|experimental", "Minimum stability of components and functions, as for run."},
    {"config.skip-unknown", FLAG_BOOL, AT(skip_unknown), NULL, NULL,
     "Skip unknown components and those that depend only on them, with a warning each, instead of failing."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "-h: print this help and exit.", 'h'},
    {NULL},
};

static void discover_help(void)
{
    fputs("NAME\n"
          "  smolder discover - show what a configuration would profile, and what it would not\n\n"
          "SYNOPSIS\n"
          "  smolder discover [FLAGS] [PATH…]\n\n"
          "DESCRIPTION\n"
          "  Runs the components of the configuration that find and select targets until all of them have a result,\n"
          "  and prints each JVM of this host: with the component that would profile it, its service name and its\n"
          "  labels, or with the rule that dropped it. Nothing is profiled or sent, no JVM is touched. Without\n"
          "  PATH it is the built-in configuration. JVMs are found with the privileges of the caller.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nEXIT STATUS\n"
          "  0  success, also if nothing would be profiled\n"
          "  1  invalid configuration\n"
          "  2  usage error\n"
          "  3  system error, or a component had no result within the timeout\n\n"
          "EXAMPLES\n"
          "  smolder discover /etc/smolder\n"
          "  smolder discover --json config.alloy | jq -r '.dropped[] | \"\\(.pid) \\(.reason)\"'\n",
          stdout);
}

/* --- components without effect --- */

static int inert_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    (void)args, (void)err;
    *ret_state = self;
    return 0;
}

static int inert_update(void *state, const void *args, struct err *err)
{
    (void)state, (void)args, (void)err;
    return 0;
}

static void inert_free(void *state)
{
    (void)state;
}

/* Those that only read: sources of targets and texts, and what selects targets. */
static bool discover_is_harmless(const char *name)
{
    static const char *const kinds[] = {"discovery.", "local.", "remote.", "import."};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strncmp(name, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

struct discover_registry {
    struct component_def *defs;
    const struct component_def **list; /* NULL-terminated */
};

static struct discover_registry discover_registry_new(void)
{
    size_t n = 0;
    while (all_components[n])
        n++;
    struct discover_registry r = {xcalloc(n + 1, sizeof *r.defs), xcalloc(n + 1, sizeof *r.list)};
    for (size_t i = 0; i < n; i++) {
        const struct component_def *def = all_components[i];
        r.list[i] = def;
        if (discover_is_harmless(def->name))
            continue;
        r.defs[i] = (struct component_def){.name = def->name,
                                           .help = def->help,
                                           .stability = def->stability,
                                           .args = def->args,
                                           .exports = def->exports,
                                           .build = inert_build,
                                           .update = inert_update,
                                           .free = inert_free};
        r.list[i] = &r.defs[i];
    }
    return r;
}

static void discover_registry_done(struct discover_registry *r)
{
    free(r->defs);
    free(r->list);
}

/* --- the run --- */

struct discovering {
    const struct discover_flags *flags;
    struct local *local;
    struct component_env env;
    struct discover_registry registry;
    struct controller *controller;
};

static void discover_mark(void *arg)
{
    *(bool *)arg = true;
}

static void discover_on_timer(uv_timer_t *timer)
{
    (void)timer; /* the loop turns */
}

static void discover_on_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

/* Until nothing has changed for a while since all had a result: discovery.process publishes JVMs as it finds them. */
static bool discover_wait(struct discovering *d, int64_t timeout, char waiting[256])
{
    const int64_t deadline = clock_ns() + timeout;
    int64_t changed = clock_ns();
    uint64_t state = 0, before = 0;
    bool complete = false, closed = false;
    uv_timer_t timer;
    uv_timer_init(local_loop(d->local), &timer);
    timer.data = &closed;
    uv_timer_start(&timer, discover_on_timer, STEP_MS, STEP_MS);
    while (clock_ns() < deadline && !(complete && clock_ns() - changed > QUIET_MS * NS_PER_MS)) {
        uv_run(local_loop(d->local), UV_RUN_ONCE);
        complete = discover_is_complete(d->controller, &state, waiting);
        if (state != before)
            changed = clock_ns();
        before = state;
    }
    uv_close((uv_handle_t *)&timer, discover_on_closed);
    while (!closed)
        uv_run(local_loop(d->local), UV_RUN_ONCE);
    return complete;
}

static int discover_load(struct discovering *d, const struct conf_files *files)
{
    cleanup_diags struct diags ds = DIAGS_INIT;
    cleanup_buf struct buf text = BUF_INIT(DIAGS_TEXT_MAX);
    const int code = controller_load(d->controller, files->items, files->len, &ds);
    diags_pretty(&ds, look_of_stderr(), &text);
    fputs(buf_cstr(&text), stderr);
    return code;
}

static int discover_print(struct discovering *d, struct err *err)
{
    struct discover_result r = {.controller = d->controller, .names_by_main = d->env.names_by_main};
    cleanup_buf struct buf out = BUF_INIT(OUTPUT_MAX);
    int code = local_scan(d->local, &r.jvms, err);
    if (code < 0)
        return code;
    if (d->flags->json)
        discover_put_json(&r, &out);
    else
        discover_put_text(&r, &out);
    const size_t others = discover_other_targets(&r);
    if (others)
        fprintf(stderr, "smolder discover: %zu targets of pyroscope.java are no JVMs of this host\n", others);
    if (r.jvms.hidden)
        fprintf(stderr, "smolder discover: %zu processes cannot be read, %zu of them called java: run it as root\n",
                r.jvms.hidden, r.jvms.hidden_java);
    local_list_done(&r.jvms);
    code = terminal_write(STDOUT_FILENO, buf_slice(&out));
    return code < 0 ? err_set(err, code, "cannot write to standard output") : 0;
}

static int discover_in_controller(struct discovering *d, const struct conf_files *files, int64_t timeout)
{
    char waiting[256];
    struct err err = {0};
    if (discover_load(d, files) < 0)
        return EXIT_INPUT;
    const bool complete = discover_wait(d, timeout, waiting);
    if (!complete)
        terminal_printf(stderr, "smolder discover: %s had no result within %s\n", waiting, d->flags->timeout);
    if (discover_print(d, &err) < 0) {
        terminal_printf(stderr, "smolder discover: %s\n", err.text);
        return EXIT_SYSTEM;
    }
    return complete ? EXIT_OK : EXIT_SYSTEM;
}

static void discover_stop(struct discovering *d)
{
    bool stopped = false;
    controller_stop(d->controller, discover_mark, &stopped);
    while (!stopped)
        uv_run(local_loop(d->local), UV_RUN_ONCE);
    controller_free(d->controller);
    discover_registry_done(&d->registry);
}

static int discover_files(const struct discover_flags *f, const struct conf_files *files, int64_t timeout)
{
    struct discovering d = {.flags = f};
    struct err err = {0};
    struct controller_options options = {.skip_unknown = f->skip_unknown};
    if (!stability_parse(f->stability, &options.stability))
        return EXIT_USAGE;
    if (local_open(&d.local, &err) < 0) {
        terminal_printf(stderr, "smolder discover: %s\n", err.text);
        return EXIT_SYSTEM;
    }
    d.env = (struct component_env){.loop = local_loop(d.local),
                                   .priv = local_priv(d.local),
                                   .version = SMOLDER_VERSION,
                                   .all_labels = true,
                                   .names_by_main = strcmp(f->service_name, "main") == 0};
    d.registry = discover_registry_new();
    options.loop = d.env.loop;
    options.components = d.registry.list;
    options.env = &d.env;
    d.controller = controller_new(&options);
    log_setup(LOG_WARN, LOG_LOGFMT);
    const int status = discover_in_controller(&d, files, timeout);
    discover_stop(&d);
    local_close(d.local);
    return status;
}

static int discover_run(int argc, char **argv)
{
    struct discover_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    int64_t timeout = 0;
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **paths = rest.items;
    if (code == 0 && f.help) {
        discover_help();
        return EXIT_OK;
    }
    if (code == 0 && (duration_parse(str_of(f.timeout), &timeout, &err) < 0 || timeout <= 0))
        err_set(&err, -EINVAL, "--timeout=%s: not a duration greater than 0, such as 15s", f.timeout);
    if (err.code) {
        terminal_printf(stderr, "smolder discover: %s\n", err.text);
        return EXIT_USAGE;
    }
    cleanup_conf_files struct conf_files files = {0};
    cleanup_free char *builtin = rest.len ? NULL : builtin_config("http://127.0.0.1:4040", NULL);
    if (builtin)
        conf_files_add_text(BUILTIN_CONFIG_NAME, builtin, &files);
    else if (conf_files_read(paths, rest.len, &files, &err) < 0) {
        terminal_printf(stderr, "Error: %s\n", err.text);
        return EXIT_SYSTEM;
    }
    return discover_files(&f, &files, timeout);
}

const struct command command_discover = {"discover", "smolder discover [FLAGS] [PATH…]",
                                         "Show what a configuration would profile, and what not.", discover_run};
