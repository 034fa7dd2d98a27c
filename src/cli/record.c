/* smolder record: records one JVM for a while, by itself or through the agent that profiles it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/agent_client.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/local_jvms.h"
#include "cli/record_agent.h"
#include "cli/record_session.h"
#include "cli/record_write.h"
#include "cli/sampling.h"
#include "cli/storage.h"
#include "jvm/probe/headroom.h"
#include "lang/duration.h"

enum { RECORD_LONGEST_S = 24 * 3600 };

struct record_flags {
    const char *duration, *events, *output, *format, *type, *from, *tmp_dir, *dist, *storage_path;
    bool untested, quiet, help;
};

#define AT(field) offsetof(struct record_flags, field)
static const struct flag flags[] = {
    {"duration", FLAG_STRING, AT(duration), "30s", "DURATION", "-d: how long to record, 1s to 24h.", 'd'},
    {"events", FLAG_STRING, AT(events), SAMPLING_EVENTS, "EVENTS",
     "-e: the events to sample, separated by commas: cpu, ctimer, itimer, wall, alloc, lock, …", 'e'},
    {"output", FLAG_STRING, AT(output), "", "FILE",
     "-o: output file; its suffix is the format: .html, .pb.gz, .pb, .jfr, .collapsed, .json or .txt. - is standard "
     "output, with --format.",
     'o'},
    {"format", FLAG_STRING, AT(format), "", "FORMAT",
     "jfr, html, pprof, collapsed, json or text, whatever the suffix."},
    {"type", FLAG_STRING, AT(type), "", "NAME", "Only this profile (process_cpu, wall, memory, …) or sample type."},
    {"from", FLAG_STRING, AT(from), AGENT_CLIENT_URL, "URL",
     "HTTP API of the agent; if it profiles the JVM, the recording is taken from it."},
    {"tmp-dir", FLAG_STRING, AT(tmp_dir), "/tmp", "DIR",
     "Directory in the target for the profiler library, as tmp_dir of pyroscope.java."},
    {"dist", FLAG_STRING, AT(dist), "", "DIR", "An async-profiler to use instead of the embedded one."},
    {"untested", FLAG_BOOL, AT(untested), NULL, NULL, "Also versions of the JVM that were not tested."},
    {"storage.path", FLAG_STRING, AT(storage_path), "", "DIR",
     "Data directory of the agent, for its quarantine list. " STORAGE_EMPTY},
    {"quiet", FLAG_BOOL, AT(quiet), NULL, NULL, "-q: no progress.", 'q'},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "-h: print this help and exit.", 'h'},
    {NULL},
};

static void record_help(void)
{
    fputs("NAME\n"
          "  smolder record - record one JVM for a while\n\n"
          "SYNOPSIS\n"
          "  smolder record [-d DURATION] [-e EVENTS] -o FILE PID|NAME|CONTAINER\n\n"
          "DESCRIPTION\n"
          "  Profiles a running JVM and writes the result in the format of the suffix. A JVM is selected by process\n"
          "  ID, main class or jar, container ID (12 digits or more), or the host name of its container (the pod).\n"
          "  Ctrl-C, SIGTERM and a closed terminal end the recording early and keep what is there. At the end the\n"
          "  profiler is stopped; the library stays loaded in the JVM. If an agent profiles the JVM, the recording is\n"
          "  taken from it, and its profiling goes on undisturbed.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nEXIT STATUS\n"
          "  0 success, also when ended early   1 the JVM cannot be profiled, or nothing was sampled\n"
          "  2 usage error   3 system error\n\n"
          "EXAMPLES\n"
          "  smolder record 4711 -o shop.html\n"
          "  smolder record -d 2m -e cpu,wall com.example.Shop -o shop.jfr\n"
          "  smolder record -d 10s --format=collapsed --type=alloc_space 4711 -o - | sort -k2 | head\n",
          stdout);
}

struct record_run {
    const struct record_flags *f;
    const char *what;
    struct record_settings settings;
    struct record_format format;
};

static int record_duration(const char *text, int64_t *ret, struct err *err)
{
    int64_t ns = 0;
    uint64_t seconds = 0;
    if (str_to_u64(str_of(text), &seconds))
        ns = seconds <= RECORD_LONGEST_S ? (int64_t)seconds * NS_PER_SEC : -1;
    else if (duration_parse(str_of(text), &ns, NULL) < 0)
        ns = -1;
    if (ns < NS_PER_SEC || ns > RECORD_LONGEST_S * NS_PER_SEC)
        return err_set(err, -EINVAL, "--duration=%s: expected 1s to 24h", text);
    *ret = ns;
    return 0;
}

static int record_usage(struct record_run *r, const struct flags_rest *rest, char **options, struct err *err)
{
    const struct record_flags *f = r->f;
    struct stat st;
    if (rest->len != 1)
        return err_set(err, -EINVAL, "expected one PID, NAME or CONTAINER; see smolder record --help");
    r->what = rest->items[0];
    if (!*f->output)
        return err_set(err, -EINVAL, "-o FILE is missing; - is standard output");
    if (strcmp(f->output, "-") != 0 && stat(f->output, &st) == 0 && S_ISDIR(st.st_mode))
        return err_set(err, -EINVAL, "%s: is a directory; expected a file", f->output);
    int code = record_format_of(f->output, f->format, &r->format, err);
    if (code == 0)
        code = record_duration(f->duration, &r->settings.duration_ns, err);
    if (code == 0)
        code = sampling_options(f->events, options, err);
    r->settings.options = *options;
    r->settings.tmp_dir = f->tmp_dir;
    r->settings.dist = f->dist;
    r->settings.storage_path = storage_of(f->storage_path);
    r->settings.untested = f->untested;
    return code;
}

/* What would prevent it, without touching the JVM. A session of smolder does not: it may be one that nobody reads. */
static int record_judge(const struct local_jvm *jvm, struct err *err)
{
    const struct precondition *blocker = examination_blocker(jvm->examined);
    if (!blocker)
        return 0;
    return err_set(err, -ENOTSUP, "process %d cannot be profiled: %.300s%s%.150s", (int)jvm->pid, blocker->text,
                   blocker->remedy[0] ? " -- " : "", blocker->remedy);
}

static int record_find(const struct record_run *r, struct local *l, struct local_list *list, size_t *at,
                       struct err *err)
{
    cleanup_free char *condemned = NULL;
    pid_t pid;
    if (local_condemned(r->settings.storage_path, &condemned, err) < 0)
        *err = (struct err){0};
    const struct jvm_request request = {.tmp_dir = r->settings.tmp_dir,
                                        .dist = r->settings.dist,
                                        .options = r->settings.options,
                                        .untested = r->settings.untested,
                                        .headroom = JVM_HEADROOM_DEFAULT,
                                        .condemned = condemned};
    int code = local_scan(l, list, err);
    if (code == 0)
        code = local_find(l, list, r->what, &request, at, &pid, err);
    return code;
}

static int record_status(int code)
{
    switch (code) {
    case 0:
        return EXIT_OK;
    case -EINVAL:
        return EXIT_USAGE;
    case -ENOENT:
    case -ESRCH:
    case -ENOTSUP:
        return EXIT_INPUT;
    default:
        return EXIT_SYSTEM;
    }
}

/* A session of smolder runs in the JVM: its agent is asked. -ENOENT or -ECONNREFUSED: it may be one that nobody reads
 * any more, which record_alone() finds out without disturbing another. */
static int record_jvm(const struct record_run *r, struct local *l, const struct local_jvm *jvm,
                      struct record_progress *progress, struct spool *spool, struct err *err)
{
    if (jvm->examined->facts.recording && *r->f->from) {
        const struct record_request request = {r->f->from,
                                               strcmp(r->f->events, SAMPLING_EVENTS) == 0 ? "" : r->f->events, jvm};
        const int code = record_through_agent(local_loop(l), &request, progress, spool, err);
        if (code != -ENOENT && code != -ECONNREFUSED)
            return code;
        *err = (struct err){0};
    }
    const int code = record_alone(l, jvm, &r->settings, progress, spool, err);
    if (code == -ENOTSUP && strstr(err->text, "another smolder"))
        return err_set(err, code,
                       "process %d is profiled by another agent: record through it with --from=URL of its HTTP API, or "
                       "stop it",
                       (int)jvm->pid);
    return code;
}

static int record_data(const struct record_run *r, struct local *l, struct spool *spool, char **title, struct err *err)
{
    cleanup_local_list struct local_list list = {0};
    size_t at = 0;
    int code = record_find(r, l, &list, &at, err);
    if (code == 0)
        code = record_judge(&list.items[at], err);
    if (code == 0)
        code = spool_open(spool, r->f->output, err);
    if (code < 0)
        return code;
    const struct local_jvm *jvm = &list.items[at];
    *title = xasprintf("%s (%d)", *jvm->main ? jvm->main : "JVM", (int)jvm->pid);
    struct record_progress progress = {
        .title = *title, .duration_ns = r->settings.duration_ns, .quiet = r->f->quiet, .spool = spool};
    record_progress_open(&progress, local_loop(l));
    code = record_jvm(r, l, jvm, &progress, spool, err);
    record_progress_close(&progress);
    uv_run(local_loop(l), UV_RUN_NOWAIT);
    return code;
}

static int record_all(const struct record_run *r, struct err *err)
{
    struct local *l = NULL;
    cleanup_free char *title = NULL;
    cleanup_spool struct spool spool = SPOOL_INIT;
    int code = local_open(&l, err);
    if (code < 0)
        return EXIT_SYSTEM;
    code = record_data(r, l, &spool, &title, err);
    local_close(l);
    if (code < 0)
        return record_status(code);
    return record_write(&spool, &r->format, r->f->output, r->f->type, title, err);
}

static int record_run(int argc, char **argv)
{
    struct record_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    struct record_run r = {.f = &f};
    cleanup_free char *options = NULL;
    int status = EXIT_USAGE;
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **args = rest.items;
    (void)args;
    if (code == 0 && f.help) {
        record_help();
        return EXIT_OK;
    }
    if (code == 0)
        code = record_usage(&r, &rest, &options, &err);
    if (code == 0)
        status = record_all(&r, &err);
    if (err.code < 0)
        terminal_printf(stderr, "smolder record: %s\n", err.text);
    return status;
}

const struct command command_record = {"record", "smolder record PID|NAME|CONTAINER -o FILE",
                                       "Record one JVM for a while.", record_run};
