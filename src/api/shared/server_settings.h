/* Applies the `http` block to a server: authentication, TLS, and the paths of the filter. Used by the agent's API and
 * the store's server. Loop thread.
 */
#pragma once

#include <stdbool.h>

#include "api/shared/access.h"
#include "net/server.h"
#include "settings/http_block.h"

/* The part that can fail; server_commit() and access_init() complete it. */
must_check int server_settings_prepare(struct server *s, const struct http_block *block, struct err *err);
/* For server_options.guard: 0, or 401 with WWW-Authenticate. */
unsigned server_settings_guard(const struct access *access, struct request *rq);
/* The same, as if it were a request for `path`. */
unsigned server_settings_guard_as(const struct access *access, struct request *rq, const char *path);
/* Whether clients on the network can request `path` without authentication: neither password nor verified certificate.
 * `access` belongs to the block. */
bool server_settings_leave_open(const struct server *s, const struct http_block *block, const struct access *access,
                                const char *path);
