/* The running agent: owns everything from the event loop to the final push.
 *
 * agent_run() returns the exit status after a signal, or immediately if startup fails. SIGHUP and POST /-/reload reload
 * the configuration; SIGTERM and SIGINT stop all sessions, push collected profiles once, and exit within AGENT_STOP_MS
 * even if a target hangs or an endpoint is dead.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/limits.h"

enum { AGENT_STOP_MS = 9000 };

struct agent_settings {
    /* `smolder store`: the embedded store and nothing else. A configuration has no components then, and no process of
     * others is touched. */
    bool store_only;
    const char *listen;        /* the agent's own HTTP API; "" = off */
    const char *allowed_hosts; /* names under which requests to loopback addresses may come */
    const char *ui_prefix;     /* path before the agent's page and its JSON; "/" = none */
    bool support_bundle;       /* whether /-/support is answered */
    const char *storage_path;  /* data directory */
    bool enter_namespaces;     /* the helper keeps the capability for that (jvm/operation/table.h) */
    const char *crash_guard;   /* "config", "on", "strict" or "off" */
    const char *service_name;  /* "unspecified" or "main"; NULL = the first */
    const char *user;          /* as whom it runs if started by root; "" = cli/privileges.h */
    const char *store_listen;  /* the embedded store; "" = off */
    bool store_token;          /* access to it by a token (cli/store_token.h) */
    int64_t store_keep_seconds, store_keep_bytes, store_cache_bytes;
    struct store_limits query_limits;
    bool skip_unknown;        /* leave unknown components out instead of refusing them */
    const char *stability;    /* "generally-available", "public-preview", "experimental" */
    const char *const *paths; /* configuration; none = built in, which needs the store; of `smolder store`: empty */
    size_t path_count;
    const char *flags; /* all of them as "name=value" lines, for support bundles */
    bool watch_config; /* load again when a file changes */
};

int agent_run(const struct agent_settings *settings);

/* The command by which the agent starts a parser process (parser/parser_process.h), not for people; `number` is its
 * argument, NULL where there is none. */
int agent_parser(const char *number);
