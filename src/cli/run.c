/* smolder run: flags, then the agent. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/metric.h"
#include "base/terminal.h"
#include "cli/agent.h"
#include "cli/builtin.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/storage.h"
#include "cli/store_flags.h"
#include "cli/store_token.h"

struct run_flags {
    const char *listen, *allowed_hosts, *ui_prefix, *storage_path, *store_listen, *stability, *metrics, *format,
        *crash_guard, *service_name, *user;
    struct store_flags store;
    bool no_bundle, watch, skip_unknown, enter_namespaces, print_config, help;
};

#define AT(field) offsetof(struct run_flags, field)
#define UNUSED_BOOL(name, usual)                                                                                       \
    {                                                                                                                  \
        name, FLAG_UNUSED, 0, usual, NULL, NULL                                                                        \
    }
#define UNUSED_TEXT(name, usual)                                                                                       \
    {                                                                                                                  \
        name, FLAG_UNUSED, 0, usual, "VALUE", NULL                                                                     \
    }
static const struct flag flags[] = {
    {"server.http.listen-addr", FLAG_STRING, AT(listen), "127.0.0.1:12345", "ADDR",
     "Listen address of the agent's HTTP API: \"127.0.0.1:12345\", \"[::1]:12345\", \":12345\" (all addresses) or "
     "\"localhost:12345\"; port 0 selects a free port; empty = disabled. Without authentication every client that can "
     "connect, including every local user, has access; the http block configures authentication and TLS."},
    {"server.http.allowed-hosts", FLAG_STRING, AT(allowed_hosts), "", "NAME,…",
     "Extra Host names accepted on loopback, in addition to IP addresses, localhost and the local host name. Requests "
     "with other names are rejected (DNS rebinding)."},
    {"server.http.ui-path-prefix", FLAG_STRING, AT(ui_prefix), "/", "PATH",
     "Prefix of / and /api/v0/web, for use behind a reverse proxy."},
    {"server.http.disable-support-bundle", FLAG_BOOL, AT(no_bundle), NULL, NULL, "Disable /-/support."},
    {"config.file-watch", FLAG_BOOL, AT(watch), NULL, NULL,
     "Reload the configuration when one of its files changes. A configuration with errors is rejected; the running "
     "configuration stays active."},
    {"config.skip-unknown", FLAG_BOOL, AT(skip_unknown), NULL, NULL,
     "Skip unknown components and those that depend only on them, with a warning each, instead of failing."},
    {"config.format", FLAG_CHOICE, AT(format), "alloy", "alloy", "Configuration language; only alloy is supported."},
    {"storage.path", FLAG_STRING, AT(storage_path), "", "DIR",
     "Data directory, private to the user the agent runs as: the embedded store's database and the quarantine list of "
     "JVMs. Empty: data-smolder; started by root, /var/lib/smolder unless data-smolder exists."},
    {"user", FLAG_STRING, AT(user), "", "NAME",
     "User the main process becomes when started by root, as NAME, UID or UID:GID; the privileged helper stays root. "
     "Empty: smolder, or UID 65532 where there is no such user. root keeps all privileges, with a warning."},
    {"store.listen", FLAG_STRING, AT(store_listen), "", "ADDR",
     "Enable the embedded profile store and its web UI on this address; empty = disabled. Without PATH the "
     "default is " STORE_DEFAULT ". The http block applies to it as well."},
    STORE_FLAGS(AT(store)),
    {"java.crash-guard", FLAG_CHOICE, AT(crash_guard), "config", "config|on|strict|off",
     "What a crash of a profiled JVM leads to, for all components: on = profiling of that workload stops if the "
     "profiler "
     "is implicated, strict = in any case, off = never; config = as each pyroscope.java says (crash_guard)."},
    {"java.enter-namespaces", FLAG_BOOL, AT(enter_namespaces), NULL, NULL,
     "The privileged helper keeps CAP_SYS_ADMIN, to attach to OpenJ9 in containers, whose network and IPC namespaces "
     "it "
     "enters."},
    {"java.service-name", FLAG_CHOICE, AT(service_name), "unspecified", "unspecified|main",
     "service_name of a JVM that nothing names: neither the configuration, nor the JVM itself (OTEL_SERVICE_NAME), nor "
     "its "
     "container. unspecified = that word, as documented; main = its main class or jar."},
    {"stability.level", FLAG_CHOICE, AT(stability), "generally-available",
     "generally-available|public-preview|experimental", "Minimum stability of components and functions."},
    {"metrics.compat", FLAG_CHOICE, AT(metrics), "none", "none|alloy",
     "alloy: use Alloy's metric names (alloy_… instead of smolder_…) for metrics with a counterpart in Alloy, so that "
     "its dashboards and alerts work."},
    {"print-config", FLAG_BOOL, AT(print_config), NULL, NULL, "Print the built-in configuration and exit."},
    {"help", FLAG_BOOL, AT(help), NULL, NULL, "Print this help and exit."},
    UNUSED_BOOL("disable-reporting", "true"),
    UNUSED_BOOL("server.http.enable-pprof", "false"),
    UNUSED_BOOL("server.http.enable-graphql", "false"),
    UNUSED_BOOL("server.http.enable-graphql-playground", "false"),
    UNUSED_TEXT("server.http.memory-addr", "alloy.internal:12345"),
    UNUSED_TEXT("config.extra-args", ""),
    UNUSED_BOOL("config.bypass-conversion-errors", "false"),
    UNUSED_BOOL("feature.community-components.enabled", "false"),
    UNUSED_TEXT("feature.component-shutdown-deadline", "10m"),
    UNUSED_BOOL("feature.prometheus.direct-fanout.enabled", "false"),
    UNUSED_TEXT("feature.prometheus.metric-validation-scheme", ""),
    UNUSED_TEXT("windows.priority", "normal"),
    UNUSED_BOOL("cluster.enabled", "false"),
    UNUSED_TEXT("cluster.node-name", NULL),
    UNUSED_TEXT("cluster.advertise-address", NULL),
    UNUSED_TEXT("cluster.join-addresses", NULL),
    UNUSED_TEXT("cluster.discover-peers", NULL),
    UNUSED_TEXT("cluster.advertise-interfaces", NULL),
    UNUSED_TEXT("cluster.rejoin-interval", NULL),
    UNUSED_TEXT("cluster.max-join-peers", NULL),
    UNUSED_TEXT("cluster.name", NULL),
    UNUSED_BOOL("cluster.enable-tls", "false"),
    UNUSED_TEXT("cluster.tls-ca-path", NULL),
    UNUSED_TEXT("cluster.tls-cert-path", NULL),
    UNUSED_TEXT("cluster.tls-key-path", NULL),
    UNUSED_TEXT("cluster.tls-server-name", NULL),
    UNUSED_TEXT("cluster.wait-for-size", "0"),
    UNUSED_TEXT("cluster.wait-timeout", "0"),
    UNUSED_BOOL("cluster.use-discovery-v1", "false"),
    {NULL},
};

static void run_help(void)
{
    fputs("NAME\n"
          "  smolder run - run a configuration: profile JVMs\n\n"
          "SYNOPSIS\n"
          "  smolder run [FLAGS] [PATH…]\n\n"
          "DESCRIPTION\n"
          "  Runs the configuration in PATH (a file, or the *.alloy files of a directory; several paths form one\n"
          "  configuration) until SIGTERM or SIGINT. Without PATH, a built-in configuration profiles every JVM\n"
          "  on this host into the embedded store at http://" STORE_DEFAULT ".\n\n"
          "  Start it as root in the host's PID namespace to attach to processes of other users and containers.\n"
          "  It opens what needs privilege and becomes an ordinary user; a helper process keeps the privileges of\n"
          "  its operations. Started by an ordinary user, it profiles the JVMs of that user.\n\n"
          "FLAGS [default]\n",
          stdout);
    flags_help(flags, stdout);
    fputs("\n  --flag VALUE is equivalent to --flag=VALUE; a boolean needs no value; -- ends the flags.\n\n"
          "SIGNALS\n"
          "  SIGHUP           Reload the configuration, like POST /-/reload. One with errors is rejected.\n"
          "  SIGTERM, SIGINT  Stop all sessions, push collected profiles once, exit within 10 seconds.\n\n"
          "ENVIRONMENT\n"
          "  NO_COLOR, TERM=dumb  Disable colours in diagnostics.\n"
          "  Variables the configuration reads with sys.env().\n\n"
          "EXIT STATUS\n"
          "  0 success (stopped by a signal)   1 invalid configuration   2 usage error   3 system error\n\n"
          "EXAMPLES\n"
          "  smolder run\n"
          "      Profile every JVM on this host; web UI at http://" STORE_DEFAULT ".\n"
          "  smolder run --config.file-watch /etc/smolder\n"
          "      Run the *.alloy files of a directory, reload when one of them changes.\n"
          "  smolder run --server.http.listen-addr=:12345 --metrics.compat=alloy config.alloy\n"
          "      Replace Grafana Alloy, with its API address and metric names.\n",
          stdout);
}

static void print_builtin(const char *store, const char *token_dir)
{
    cleanup_free char *url = NULL;
    if (asprintf(&url, "http://%s", store) < 0)
        abort();
    cleanup_free char *token = token_dir ? store_token_path(token_dir) : NULL;
    cleanup_free char *text = builtin_config(url, token);
    fputs(text, stdout);
}

static int run_agent(int argc, char **argv)
{
    struct run_flags f = {0};
    struct flags_rest rest = {0};
    struct err err = {0};
    int code = flags_parse(flags, argc, argv, &f, &rest, &err);
    cleanup_free const char **paths = rest.items;
    if (code < 0) {
        terminal_printf(stderr, "smolder run: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (f.help) {
        run_help();
        return EXIT_OK;
    }
    struct agent_settings settings = {0};
    if (store_flags_parse(&f.store, &settings, &err) < 0) {
        terminal_printf(stderr, "smolder run: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (rest.len == 0 && !*f.store_listen)
        f.store_listen = STORE_DEFAULT;
    f.storage_path = storage_of(f.storage_path);
    if (f.print_config) {
        print_builtin(*f.store_listen ? f.store_listen : STORE_DEFAULT, settings.store_token ? f.storage_path : NULL);
        return EXIT_OK;
    }
    metric_use_alloy_names(strcmp(f.metrics, "alloy") == 0);
    cleanup_buf struct buf in_force = BUF_INIT(1 << 20);
    flags_print(flags, &f, &in_force);
    settings.listen = f.listen;
    settings.allowed_hosts = f.allowed_hosts;
    settings.ui_prefix = f.ui_prefix;
    settings.support_bundle = !f.no_bundle;
    settings.storage_path = f.storage_path;
    settings.enter_namespaces = f.enter_namespaces;
    settings.crash_guard = f.crash_guard;
    settings.service_name = f.service_name;
    settings.user = f.user;
    settings.store_listen = f.store_listen;
    settings.stability = f.stability;
    settings.skip_unknown = f.skip_unknown;
    settings.paths = paths;
    settings.path_count = rest.len;
    settings.watch_config = f.watch;
    settings.flags = buf_cstr(&in_force);
    return agent_run(&settings);
}

const struct command command_run = {"run", "smolder run [FLAGS] [PATH…]", "Run a configuration: profile JVMs.",
                                    run_agent};
