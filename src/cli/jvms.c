/* smolder jvms: the JVMs of this host with their states, from a running agent, from /proc, or both. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "cli/agent_client.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/jvms_rows.h"
#include "cli/local_jvms.h"
#include "cli/sampling.h"
#include "cli/storage.h"
#include "jvm/probe/headroom.h"

enum { JVMS_OUTPUT_MAX = 16 << 20, JVMS_ANSWER_MAX = 4 << 20 };

struct jvms_flags {
    const char *from, *storage_path;
    bool json, help;
};

#define AT(field) offsetof(struct jvms_flags, field)
static const struct flag flags[] = {
    {"from", FLAG_STRING, AT(from), AGENT_CLIENT_URL, "URL",
     "HTTP API of the agent (its --server.http.listen-addr); empty: no agent is asked. Without this flag a missing "
     "agent is no error."},
    {"storage.path", FLAG_STRING, AT(storage_path), "", "DIR",
     "Data directory of the agent, for its quarantine list. " STORAGE_EMPTY},
    {"json", FLAG_BOOL, AT(json), NULL, NULL, "Print one JSON object."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "-h: print this help and exit.", 'h'},
    {NULL},
};

static void jvms_help(void)
{
    fputs("NAME\n"
          "  smolder jvms - list the JVMs of this host with their states\n\n"
          "SYNOPSIS\n"
          "  smolder jvms [--json] [--from=URL]\n\n"
          "DESCRIPTION\n"
          "  Prints a line for each JVM: process ID, user, container, version and vendor, main class or jar, state,\n"
          "  and why. JVMs are found in /proc with the privileges of the caller and examined without touching them;\n"
          "  states come from a running agent. Without one the state is what an agent would make of it: \"refused\"\n"
          "  with the reason, \"profiling\" where smolder is at work, else \"waiting\". What could not be seen is\n"
          "  reported on standard error.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs(
        "\nEXIT STATUS\n"
        "  0 success, also without any JVM   2 usage error   3 system error, or the agent of --from did not answer\n\n"
        "EXAMPLES\n"
        "  smolder jvms\n"
        "  smolder jvms --json | jq -r '.jvms[] | select(.state == \"refused\") | \"\\(.pid) \\(.remedy)\"'\n",
        stdout);
}

/* ---- sources ---- */

/* *asked: there is an agent, and `rows` has what it says. */
static int jvms_ask_agent(struct local *l, const char *from, struct jvm_rows *rows, bool *asked, struct err *err)
{
    cleanup_buf struct buf body = BUF_INIT(JVMS_ANSWER_MAX);
    if (!*from)
        return 0;
    int code = agent_client_get(local_loop(l), from, "/api/v0/jvms", &body, err);
    if (code == 0)
        code = jvm_rows_of_agent(rows, buf_slice(&body), err);
    *asked = code == 0;
    if (code < 0 && strcmp(from, AGENT_CLIENT_URL) == 0) {
        if (code != -ECONNREFUSED)
            terminal_printf(stderr, "smolder jvms: the agent was not asked: %s\n", err->text);
        *err = (struct err){0};
        return 0;
    }
    return code;
}

static int jvms_scan(struct local *l, const struct jvms_flags *f, struct local_list *list, struct err *err)
{
    cleanup_free char *options = NULL, *condemned = NULL;
    int code = sampling_options(SAMPLING_EVENTS, &options, err);
    if (code == 0 && local_condemned(storage_of(f->storage_path), &condemned, err) < 0)
        *err = (struct err){0}; /* the agent itself knows */
    const struct jvm_request request = {
        .tmp_dir = "/tmp", .dist = "", .options = options, .headroom = JVM_HEADROOM_DEFAULT, .condemned = condemned};
    if (code == 0)
        code = local_scan(l, list, err);
    return code == 0 ? local_examine(l, &request, list->items, list->len, err) : code;
}

static void jvms_report_hidden(const struct local_list *list)
{
    if (list->hidden)
        fprintf(stderr,
                "smolder jvms: %zu processes of other users cannot be read, %zu of them called java: run it as root\n",
                list->hidden, list->hidden_java);
}

static int jvms_collect(struct local *l, const struct jvms_flags *f, struct err *err)
{
    cleanup_local_list struct local_list list = {0};
    cleanup_jvm_rows struct jvm_rows rows = {0};
    cleanup_buf struct buf out = BUF_INIT(JVMS_OUTPUT_MAX);
    bool asked = false;
    int code = jvms_ask_agent(l, f->from, &rows, &asked, err);
    if (code == 0)
        code = jvms_scan(l, f, &list, err);
    if (code < 0)
        return code;
    jvm_rows_join(&rows, &list, asked);
    if (f->json)
        jvm_rows_put_json(&rows, asked, &list, &out);
    else
        jvm_rows_put_table(&rows, &out);
    jvms_report_hidden(&list);
    code = terminal_write(STDOUT_FILENO, buf_slice(&out));
    return code < 0 ? err_set(err, code, "cannot write to standard output") : 0;
}

static int jvms_run(int argc, char **argv)
{
    struct jvms_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    struct local *l = NULL;
    int code = flags_parse(flags, argc, argv, &f, &rest, &err), status = EXIT_USAGE;
    free(rest.items);
    if (code == 0 && f.help) {
        jvms_help();
        return EXIT_OK;
    }
    if (code == 0 && rest.len) {
        code = err_set(&err, -EINVAL, "unexpected argument; see smolder jvms --help");
    } else if (code == 0) {
        code = local_open(&l, &err);
        if (code == 0)
            code = jvms_collect(l, &f, &err);
        status = code < 0 ? EXIT_SYSTEM : EXIT_OK;
        local_close(l);
    }
    if (code < 0)
        terminal_printf(stderr, "smolder jvms: %s\n", err.text);
    return status;
}

const struct command command_jvms = {"jvms", "smolder jvms [--json]", "List JVMs with their states.", jvms_run};
