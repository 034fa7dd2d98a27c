/* smolder store: the embedded store alone, for agents and SDKs that push to it and clients that query it. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/terminal.h"
#include "cli/agent.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/storage.h"
#include "cli/store_flags.h"

struct store_command_flags {
    const char *listen, *path, *user, *api, *allowed_hosts;
    struct store_flags store;
    bool watch, skip_unknown, help;
};

#define AT(field) offsetof(struct store_command_flags, field)
static const struct flag flags[] = {
    {"listen", FLAG_STRING, AT(listen), STORE_DEFAULT, "ADDR",
     "Address of the store and its web UI: \"127.0.0.1:4040\", \"[::1]:4040\", \":4040\" (all addresses) or "
     "\"localhost:4040\"; port 0 selects a free port. Without authentication every client that can connect, including "
     "every local user, has access."},
    {"path", FLAG_STRING, AT(path), "", "DIR",
     "Data directory with the store's database, private to the user the store runs as; created if missing. That of an "
     "agent can be used while the agent does not run. " STORAGE_EMPTY},
    STORE_FLAGS(AT(store)),
    {"user", FLAG_STRING, AT(user), "", "NAME",
     "User the store becomes when started by root, as NAME, UID or UID:GID. Empty: smolder, or UID 65532 where there "
     "is no such user. root keeps all privileges, with a warning."},
    {"server.http.listen-addr", FLAG_STRING, AT(api), "", "ADDR",
     "Address of an API with the metrics (/metrics), health (/-/healthy, /-/ready) and reload (/-/reload) of the "
     "store; empty = disabled. The http block applies to it as well."},
    {"server.http.allowed-hosts", FLAG_STRING, AT(allowed_hosts), "", "NAME,…",
     "Extra Host names accepted on loopback, in addition to IP addresses, localhost and the local host name. Requests "
     "with other names are rejected (DNS rebinding)."},
    {"config.file-watch", FLAG_BOOL, AT(watch), NULL, NULL,
     "Reload the configuration when one of its files changes. A configuration with errors is rejected; the running "
     "configuration stays active."},
    {"config.skip-unknown", FLAG_BOOL, AT(skip_unknown), NULL, NULL,
     "Skip components with a warning each, so that the http and logging blocks of an agent's configuration can be "
     "used."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "-h: print this help and exit.", 'h'},
    {NULL},
};

static void store_help(void)
{
    fputs("NAME\n"
          "  smolder store - run the embedded profile store alone\n\n"
          "SYNOPSIS\n"
          "  smolder store [--listen=ADDR] [--path=DIR] [FLAGS] [PATH…]\n\n"
          "DESCRIPTION\n"
          "  Takes pushes and answers queries as Grafana Pyroscope does, and serves the web UI, until SIGTERM or\n"
          "  SIGINT. It profiles nothing: agents on this or other hosts push to it with pyroscope.write.\n\n"
          "  PATH is a configuration (a file, or the *.alloy files of a directory) with an http block for\n"
          "  authentication and TLS, and a logging block. Components are an error.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\n  --flag VALUE is equivalent to --flag=VALUE; a boolean needs no value; -- ends the flags.\n\n"
          "SIGNALS\n"
          "  SIGHUP           Reload the configuration. One with errors is rejected.\n"
          "  SIGTERM, SIGINT  Finish the pushes that are under way, close the database, exit within 10 seconds.\n\n"
          "EXIT STATUS\n"
          "  0 success (stopped by a signal)   1 invalid configuration   2 usage error   3 system error\n\n"
          "EXAMPLES\n"
          "  smolder store --path=/var/lib/profiles\n"
          "      Keep profiles of agents on this host; web UI at http://" STORE_DEFAULT ".\n"
          "  smolder store --listen=:4040 --store.keep=30d --store.max-size=20GiB https.alloy\n"
          "      Serve a network, with the password and the certificate of the http block in https.alloy.\n",
          stdout);
}

static int store_settings(struct store_command_flags *f, struct agent_settings *ret, struct err *err)
{
    if (!*f->listen)
        return err_set(err, -EINVAL, "--listen= is empty: a store needs an address, such as %s", STORE_DEFAULT);
    const int code = store_flags_parse(&f->store, ret, err);
    if (code < 0)
        return code;
    f->path = storage_of(f->path);
    ret->store_only = true;
    ret->listen = f->api;
    ret->allowed_hosts = f->allowed_hosts;
    ret->ui_prefix = "/";
    ret->storage_path = f->path;
    ret->user = f->user;
    ret->store_listen = f->listen;
    ret->stability = "generally-available";
    ret->skip_unknown = f->skip_unknown;
    ret->watch_config = f->watch;
    return 0;
}

static int store_run(int argc, char **argv)
{
    struct store_command_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    struct agent_settings settings = {0};
    cleanup_buf struct buf in_force = BUF_INIT(1 << 20);
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **paths = rest.items;
    if (code == 0 && f.help) {
        store_help();
        return EXIT_OK;
    }
    if (code == 0)
        code = store_settings(&f, &settings, &err);
    if (code < 0) {
        terminal_printf(stderr, "smolder store: %s\n", err.text);
        return EXIT_USAGE;
    }
    flags_print(flags, &f, &in_force);
    settings.paths = paths;
    settings.path_count = rest.len;
    settings.flags = buf_cstr(&in_force);
    return agent_run(&settings);
}

const struct command command_store = {"store", "smolder store [--listen=ADDR] [--path=DIR] [PATH…]",
                                      "Run the embedded profile store alone.", store_run};
