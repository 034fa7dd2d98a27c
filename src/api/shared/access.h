/* Access to the HTTP servers: basic authentication (RFC 7617) by the `http` block. Source: spec alloy-language §8.4. */
#pragma once

#include <stdbool.h>

#include "settings/http_block.h"

struct access {
    char *expected; /* the Authorization header; NULL: no authentication */
    struct string_list paths;
    /* Only `paths` need authentication; else all others do. Without paths, all do. */
    bool only_these;
};

/* Copies from `block`. A block without basic authentication admits every request. */
void access_init(struct access *a, const struct http_block *block);
void access_done(struct access *a);
/* `path` is percent-decoded; `authorization` is the request header or NULL. */
bool access_admits(const struct access *a, const char *path, const char *authorization);
