/* smolder forgive: removes JVMs from the quarantine list. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/storage.h"
#include "jvm/session/quarantine_file.h"
#include "os/rights.h"

enum { KEY_LEAST = 8 };

struct forgive_flags {
    const char *storage_path;
    bool all, help;
};

#define AT(field) offsetof(struct forgive_flags, field)
static const struct flag flags[] = {
    {"storage.path", FLAG_STRING, AT(storage_path), "", "DIR", "Data directory of the agent. " STORAGE_EMPTY},
    {"all", FLAG_BOOL, AT(all), NULL, NULL, "Remove all entries."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "Print this help and exit."},
    {NULL},
};

static void forgive_help(void)
{
    fputs("NAME\n"
          "  smolder forgive - remove JVMs from the quarantine list\n\n"
          "SYNOPSIS\n"
          "  smolder forgive [--storage.path=DIR] [--all] [MAIN|PROGRAM|KEY…]\n\n"
          "DESCRIPTION\n"
          "  A JVM that crashed is quarantined if the profiler is implicated: every JVM of the same user, program,\n"
          "  main class, arguments, build and profiler is not attached to, also after a restart of the agent. This\n"
          "  command removes entries by main class or jar name, by program path, or by a key prefix of at least\n"
          "  eight digits. Without a name it prints the list. A running agent picks up the change within seconds.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nEXIT STATUS\n"
          "  0 success   1 no entry matches   2 usage error   3 system error: the list cannot be read or written\n\n"
          "EXAMPLES\n"
          "  smolder forgive --storage.path=/var/lib/smolder\n"
          "      Print the list.\n"
          "  smolder forgive --storage.path=/var/lib/smolder com.example.Main\n"
          "      Remove the entries with this main class.\n",
          stdout);
}

static void forgive_print(const struct quarantine_entry *e)
{
    char when[40] = "";
    struct tm tm;
    const time_t seconds = (time_t)e->when_s;
    if (gmtime_r(&seconds, &tm))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    terminal_printf(stdout, "%.8s  %s  uid %u  %s  %s  %s%s  %s\n          %s%s\n", e->makeup.key, when, e->makeup.uid,
                    e->makeup.main[0] ? e->makeup.main : "(no main class)",
                    e->makeup.build[0] ? e->makeup.build : "(no version)", e->makeup.profiler[0] ? "profiler " : "",
                    e->makeup.profiler[0] ? e->makeup.profiler : "", e->makeup.exe, e->why,
                    e->strikes < QUARANTINE_STRIKES ? " (suspected: quarantined after the next one)" : "");
}

struct pardon {
    bool all;
    const char **names;
    size_t count;
    size_t forgiven;
};

static bool is_named(const struct pardon *p, const struct jvm_makeup *m)
{
    for (size_t i = 0; i < p->count; i++) {
        const char *name = p->names[i];
        if (strcmp(name, m->main) == 0 || strcmp(name, m->exe) == 0 ||
            (strlen(name) >= KEY_LEAST && strncmp(name, m->key, strlen(name)) == 0))
            return true;
    }
    return p->all;
}

static bool forgive_pardon(void *arg, struct quarantine_list *l)
{
    struct pardon *p = arg;
    for (size_t i = l->len; i-- > 0;)
        if (is_named(p, &l->items[i].makeup)) {
            terminal_printf(stdout, "forgiven: %s %s\n", l->items[i].makeup.main, l->items[i].makeup.exe);
            quarantine_list_remove(l, i);
            p->forgiven++;
        }
    return p->forgiven > 0;
}

/* The directory is its owner's to redirect, so root does there what that user may do, and leaves no file of root. */
static int forgive_become_owner(const char *dir, struct err *err)
{
    struct stat st;
    if (geteuid() != 0 || stat(dir, &st) < 0 || st.st_uid == 0)
        return 0;
    return rights_become(&(struct rights){.uid = st.st_uid, .gid = st.st_gid}, err);
}

static int forgive_run(int argc, char **argv)
{
    struct forgive_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **names = rest.items;
    if (code < 0) {
        terminal_printf(stderr, "smolder forgive: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (f.help) {
        forgive_help();
        return EXIT_OK;
    }
    f.storage_path = storage_of(f.storage_path);
    cleanup_quarantine_list struct quarantine_list l = QUARANTINE_LIST_INIT;
    struct pardon p = {.all = f.all, .names = names, .count = rest.len};
    code = forgive_become_owner(f.storage_path, &err);
    if (code == 0)
        code = quarantine_load(f.storage_path, &l, &err);
    for (size_t i = 0; code == 0 && !f.all && rest.len == 0 && i < l.len; i++)
        forgive_print(&l.items[i]);
    /* Nothing is made where there is no list. */
    if (code == 0 && l.len > 0 && (f.all || rest.len > 0))
        code = quarantine_edit(f.storage_path, forgive_pardon, &p, &err);
    if (code < 0) {
        terminal_printf(stderr, "smolder forgive: %s\n", err.text);
        return EXIT_SYSTEM;
    }
    if (p.forgiven == 0 && rest.len > 0) {
        fprintf(stderr, "smolder forgive: no entry matches; run it without a name to print the list\n");
        return EXIT_INPUT;
    }
    return EXIT_OK;
}

const struct command command_forgive = {"forgive", "smolder forgive [FLAGS] [MAIN…]",
                                        "Remove JVMs from the quarantine list.", forgive_run};
