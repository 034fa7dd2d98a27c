/* smolder doctor: explains whether a JVM can be profiled, and what to do if not, without touching it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/local_jvms.h"
#include "cli/sampling.h"
#include "cli/storage.h"
#include "jvm/probe/headroom.h"

enum { DOCTOR_OUTPUT_MAX = 1 << 20 };

struct doctor_flags {
    const char *events, *tmp_dir, *dist, *storage_path;
    bool untested, json, help;
};

#define AT(field) offsetof(struct doctor_flags, field)
static const struct flag flags[] = {
    {"events", FLAG_STRING, AT(events), SAMPLING_EVENTS, "EVENTS",
     "-e: the events to be sampled, separated by commas: cpu, ctimer, itimer, wall, alloc, lock, …", 'e'},
    {"tmp-dir", FLAG_STRING, AT(tmp_dir), "/tmp", "DIR",
     "Directory in the target for the profiler library, as tmp_dir of pyroscope.java."},
    {"dist", FLAG_STRING, AT(dist), "", "DIR", "An async-profiler to use instead of the embedded one."},
    {"untested", FLAG_BOOL, AT(untested), NULL, NULL, "Also versions of the JVM that were not tested."},
    {"storage.path", FLAG_STRING, AT(storage_path), "", "DIR",
     "Data directory of the agent, for its quarantine list. " STORAGE_EMPTY},
    {"json", FLAG_BOOL, AT(json), NULL, NULL, "Print one JSON object."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "-h: print this help and exit.", 'h'},
    {NULL},
};

static void doctor_help(void)
{
    fputs("NAME\n"
          "  smolder doctor - explain whether a JVM can be profiled\n\n"
          "SYNOPSIS\n"
          "  smolder doctor [FLAGS] PID|NAME|CONTAINER\n\n"
          "DESCRIPTION\n"
          "  Checks each precondition of profiling one JVM and prints a line for each: ok, problem or unknown. A\n"
          "  remedy follows where there is something to do. The JVM is not touched: no signal, no attach, no file.\n"
          "  A JVM is selected by process ID, main class or jar, container ID (12 digits or more), or the host name\n"
          "  of its container (the pod).\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nEXIT STATUS\n"
          "  0 it can be profiled   1 it cannot   2 usage error   3 system error\n\n"
          "EXAMPLES\n"
          "  smolder doctor 4711\n"
          "  smolder doctor --events=cpu com.example.Main\n"
          "      Also checks perf_events.\n"
          "  smolder doctor --json 4711 | jq -r '.preconditions[] | select(.result != \"ok\") | .remedy'\n",
          stdout);
}

/* ---- output ---- */

static const char *doctor_main(const struct local_jvm *j)
{
    return j->main && *j->main ? j->main : "unknown main class";
}

static void doctor_put_text(const struct local_jvm *j, struct buf *out)
{
    const struct jvm_examination *e = j->examined;
    const struct precondition *blocker = examination_blocker(e);
    size_t missing = 0, unknown = 0;
    for (size_t i = 0; i < e->len; i++) {
        const struct precondition *p = &e->items[i];
        missing += p->result == PRECONDITION_PROBLEM;
        unknown += p->result == PRECONDITION_UNKNOWN;
        buf_printf(out, "%-8s %-12s %s%s%s\n", precondition_result_name(p->result), p->name, p->text,
                   p->remedy[0] ? " -- " : "", p->remedy);
    }
    if (blocker)
        buf_printf(out, "\n%d (%s) cannot be profiled: %s\n", (int)j->pid, doctor_main(j), blocker->text);
    else if (!e->whole)
        buf_printf(out, "\n%d (%s): not all preconditions could be checked\n", (int)j->pid, doctor_main(j));
    else
        buf_printf(out, "\n%d (%s) can be profiled%s%s\n", (int)j->pid, doctor_main(j),
                   missing ? ", with restrictions" : "", unknown ? "; some preconditions are unknown" : "");
}

static void doctor_put_member(struct buf *out, const char *name, const char *value, bool last)
{
    json_name(out, name);
    json_string(out, str_of(value ? value : ""));
    if (!last)
        buf_byte(out, ',');
}

static void doctor_put_json(const struct local_jvm *j, struct buf *out)
{
    const struct jvm_examination *e = j->examined;
    buf_printf(out, "{\"pid\":%d,", (int)j->pid);
    doctor_put_member(out, "main", j->main, false);
    doctor_put_member(out, "version", e->facts.version, false);
    doctor_put_member(out, "vendor", e->facts.vendor, false);
    buf_printf(out, "\"would_work\":%s,\"preconditions\":[", !examination_blocker(e) && e->whole ? "true" : "false");
    for (size_t i = 0; i < e->len; i++) {
        const struct precondition *p = &e->items[i];
        buf_puts(out, i ? ",{" : "{");
        doctor_put_member(out, "name", p->name, false);
        doctor_put_member(out, "result", precondition_result_name(p->result), false);
        buf_printf(out, "\"blocks\":%s,", p->blocks ? "true" : "false");
        doctor_put_member(out, "code", p->code, false);
        doctor_put_member(out, "text", p->text, false);
        doctor_put_member(out, "remedy", p->remedy, true);
        buf_byte(out, '}');
    }
    buf_puts(out, "]}\n");
}

/* ---- the command ---- */

static int doctor_find(struct local *l, const char *word, struct local_list *list, struct local_jvm *ret,
                       const struct jvm_request *request, struct err *err)
{
    size_t at = 0;
    pid_t pid = 0;
    int code = local_scan(l, list, err);
    if (code == 0)
        code = local_find(l, list, word, request, &at, &pid, err);
    if (code == 0) {
        *ret = list->items[at];
        list->items[at] = (struct local_jvm){0};
        return 0;
    }
    if (code != -ENOENT)
        return code;
    *ret = (struct local_jvm){.pid = pid}; /* no JVM: that is the finding */
    *err = (struct err){0};
    return local_examine(l, request, ret, 1, err);
}

static int doctor_examine(struct local *l, const char *word, const struct jvm_request *request, bool json,
                          struct err *err)
{
    cleanup_local_list struct local_list list = {0};
    cleanup_local_list struct local_list one = {.items = xcalloc(1, sizeof *one.items), .len = 1};
    int code = doctor_find(l, word, &list, one.items, request, err);
    if (code < 0)
        return code == -ESRCH ? EXIT_INPUT : code == -EINVAL ? EXIT_USAGE : EXIT_SYSTEM;
    cleanup_buf struct buf out = BUF_INIT(DOCTOR_OUTPUT_MAX);
    const struct jvm_examination *e = one.items->examined;
    if (json)
        doctor_put_json(one.items, &out);
    else
        doctor_put_text(one.items, &out);
    fflush(stdout);
    if (terminal_write(STDOUT_FILENO, buf_slice(&out)) < 0) {
        err_set(err, -EIO, "cannot write to standard output");
        return EXIT_SYSTEM;
    }
    return examination_blocker(e) || !e->whole ? EXIT_INPUT : EXIT_OK;
}

static int doctor_start(const struct doctor_flags *f, const char *word, struct err *err)
{
    cleanup_free char *options = NULL, *condemned = NULL;
    struct local *l = NULL;
    if (sampling_options(f->events, &options, err) < 0)
        return EXIT_USAGE;
    if (local_condemned(storage_of(f->storage_path), &condemned, err) < 0) {
        terminal_printf(stderr, "smolder doctor: quarantine list not checked: %s\n", err->text);
        *err = (struct err){0};
    }
    if (local_open(&l, err) < 0)
        return EXIT_SYSTEM;
    const struct jvm_request request = {.tmp_dir = f->tmp_dir,
                                        .dist = f->dist,
                                        .options = options,
                                        .untested = f->untested,
                                        .headroom = JVM_HEADROOM_DEFAULT,
                                        .condemned = condemned};
    const int status = doctor_examine(l, word, &request, f->json, err);
    local_close(l);
    return status;
}

static int doctor_run(int argc, char **argv)
{
    struct doctor_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    int status = EXIT_USAGE;
    const int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **args = rest.items;
    if (code == 0 && f.help) {
        doctor_help();
        return EXIT_OK;
    }
    if (code == 0 && rest.len != 1)
        err_set(&err, -EINVAL, "expected one PID, NAME or CONTAINER; see smolder doctor --help");
    else if (code == 0)
        status = doctor_start(&f, args[0], &err);
    if (err.code < 0)
        terminal_printf(stderr, "smolder doctor: %s\n", err.text);
    return status;
}

const struct command command_doctor = {"doctor", "smolder doctor PID|NAME|CONTAINER",
                                       "Explain whether a JVM can be profiled.", doctor_run};
