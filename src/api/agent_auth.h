/* HTTP basic authentication (RFC 7617) as configured by the `http` block. Source: spec alloy-language §8.4. */
#pragma once

#include <stdbool.h>

#include "graph/settings_http.h"

struct agent_auth {
    char *expected; /* the whole Authorization header; NULL: everybody may do everything */
    struct string_list paths;
    bool
        only_these; /* paths need authentication, others do not; else the other way round. Without paths, all need it. */
};

/* Copies what it needs. An empty one admits everybody. */
void agent_auth_init(struct agent_auth *a, const struct http_block *block);
void agent_auth_done(struct agent_auth *a);
/* `path` is percent-decoded; `authorization` is the request's header or NULL. */
bool agent_auth_admits(const struct agent_auth *a, const char *path, const char *authorization);
