/* smolder run: flags, then the agent. */
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/agent.h"
#include "cli/builtin.h"
#include "cli/command.h"
#include "cli/flags.h"

/* Where the built-in configuration keeps its profiles when no address is given. */
#define STORE_DEFAULT "127.0.0.1:4040"

struct run_flags {
    const char *listen, *allowed_hosts, *storage_path, *store_listen, *stability;
    bool print_config, help;
};

#define AT(field) offsetof(struct run_flags, field)
static const struct flag flags[] = {
    {"server.http.listen-addr", FLAG_STRING, AT(listen), "127.0.0.1:12345", "ADDR",
     "where the agent's HTTP API listens; empty = off"},
    {"server.http.allowed-hosts", FLAG_STRING, AT(allowed_hosts), "", "NAME,…",
     "names under which a server on a loopback address may be asked, beside localhost and addresses"},
    {"storage.path", FLAG_STRING, AT(storage_path), "data-smolder", "DIR", "where data is kept"},
    {"store.listen", FLAG_STRING, AT(store_listen), "", "ADDR",
     "run the embedded profile store and its page there; empty = off"},
    {"stability.level", FLAG_STRING, AT(stability), "generally-available", "LEVEL",
     "least stability of components: generally-available, public-preview or experimental"},
    {"print-config", FLAG_BOOL, AT(print_config), NULL, NULL, "print the built-in configuration and exit"},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "print this and exit"},
    {"disable-reporting", FLAG_UNUSED, 0, NULL, NULL, NULL},
    {"server.http.enable-pprof", FLAG_UNUSED, 0, NULL, NULL, NULL},
    {"server.http.memory-addr", FLAG_UNUSED, 0, NULL, NULL, NULL},
    {"config.extra-args", FLAG_UNUSED, 0, NULL, NULL, NULL},
    {"feature.component-shutdown-deadline", FLAG_UNUSED, 0, NULL, NULL, NULL},
    {NULL},
};

static void help(void)
{
    fputs("usage: smolder run [FLAGS] [PATH…]\n\n"
          "Runs the configuration in PATH (a file, or the *.alloy files of a directory) until SIGTERM or SIGINT.\n"
          "Without PATH: every JVM on this host, into the embedded store at http://" STORE_DEFAULT ".\n"
          "SIGHUP and POST /-/reload read the configuration again; a broken one changes nothing.\n\n"
          "flags [default]:\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\nMust run as root in the host's PID namespace. Exit status: 0 stopped by a signal, 1 the configuration is\n"
          "wrong, 2 wrong usage, 3 the system refused.\n",
          stdout);
}

/* One heap for all threads and early trimming: the loop owns nearly everything, and small is what we promise. Two workers: one
 * may wait for the disk while the other converts. */
static void keep_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    setenv("UV_THREADPOOL_SIZE", "2", 0);
}

static void print_builtin(const char *store)
{
    cleanup_free char *url = NULL;
    if (asprintf(&url, "http://%s", store) < 0)
        abort();
    cleanup_free char *text = builtin_config(url);
    fputs(text, stdout);
}

static int run(int argc, char **argv)
{
    struct run_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    keep_small();
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **paths = rest.items;
    if (code < 0) {
        fprintf(stderr, "smolder run: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (f.help) {
        help();
        return EXIT_FINE;
    }
    if (rest.len == 0 && !*f.store_listen)
        f.store_listen = STORE_DEFAULT;
    if (f.print_config) {
        print_builtin(*f.store_listen ? f.store_listen : STORE_DEFAULT);
        return EXIT_FINE;
    }
    const struct agent_settings settings = {f.listen,    f.allowed_hosts, f.storage_path, f.store_listen,
                                            f.stability, paths,           rest.len};
    return agent_run(&settings);
}

const struct command command_run = {"run", "smolder run [FLAGS] [PATH…]", "Profile JVMs as a configuration says.", run};
