/* Who may use the servers of this program: basic authentication (RFC 7617) as the `http` block asks for it.
 * Source: spec alloy-language §8.4. */
#pragma once

#include <stdbool.h>

#include "graph/settings_http.h"

struct access {
    char *expected; /* the whole Authorization header; NULL: everybody may do everything */
    struct string_list paths;
    /* Paths need authentication, others do not; else the other way round. Without paths, all need it. */
    bool only_these;
};

/* Copies what it needs. An empty one admits everybody. */
void access_init(struct access *a, const struct http_block *block);
void access_done(struct access *a);
/* `path` is percent-decoded; `authorization` is the request's header or NULL. */
bool access_admits(const struct access *a, const char *path, const char *authorization);
