/* Program-wide context of components: the event loop and the privileged helper. */
#pragma once

#include <uv.h>

#include "os/account.h"
#include "parser/parser_pool.h"
#include "priv/priv.h"

struct quarantine;
struct store;

struct component_env {
    uv_loop_t *loop;
    struct priv *priv;
    const char *version;           /* "0.1.0" */
    struct parser_pool *parsers;   /* what recordings are converted in */
    struct quarantine *quarantine; /* jvm/session/quarantine.h; NULL = none is kept */
    const char *crash_guard;       /* --java.crash-guard; NULL or "config": as the components say */
    bool names_by_main;            /* --java.service-name=main */
    const char *storage_path;      /* --storage.path; NULL = none */
    struct store *store;           /* the embedded one (--store.listen), for pushes only; NULL = none */
    bool all_labels;               /* somebody looks at all targets */
    /* While this process is root and has not become the user it runs as: that one. NULL afterwards. */
    const struct host_user *becomes;
};
