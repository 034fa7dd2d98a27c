/* Access by a token, as notebooks have it: whoever can read the log of this program, or its data directory, may use the
 * server; other users of the host may not.
 *
 * A request has the token as `Authorization: Bearer TOKEN`, as the parameter `token`, or in a cookie, which a browser
 * gets when it opens the address with the parameter; then the parameter is gone from the address. It applies in
 * addition to the `http` block (api/shared/access.h). Loop thread.
 */
#pragma once

#include <stdbool.h>

#include "net/server_request.h"

struct token_gate {
    bool on;
    char *token;  /* NULL: none yet, nobody is admitted */
    char *cookie; /* its name: cookies are shared by all ports of a host */
};

/* `port` is the server's. */
void token_gate_init(struct token_gate *g, bool on, unsigned port);
void token_gate_done(struct token_gate *g);
/* Copies. */
void token_gate_set(struct token_gate *g, const char *token);
/* Values of the request: the headers Authorization and Cookie, the parameter; each may be NULL. */
bool token_gate_admits(const struct token_gate *g, const char *authorization, const char *cookies,
                       const char *parameter);
/* For server_options.guard: 0, or 401. */
unsigned token_gate_guard(const struct token_gate *g, struct request *rq);
/* Of an admitted request for a page: true when it was answered, by the cookie and the address without the token. */
bool token_gate_redirect(const struct token_gate *g, struct request *rq);
