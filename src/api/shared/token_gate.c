#include "api/shared/token_gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"

static const char scheme[] = "Bearer ";

void token_gate_init(struct token_gate *g, bool on, unsigned port)
{
    *g = (struct token_gate){.on = on, .cookie = xasprintf("smolder_%u", port)};
}

void token_gate_done(struct token_gate *g)
{
    free(g->token);
    free(g->cookie);
    *g = (struct token_gate){0};
}

void token_gate_set(struct token_gate *g, const char *token)
{
    free(g->token);
    g->token = xstrdup(token);
}

/* "a=1; smolder_4040=TOKEN": the value, "" without one. */
static struct str gate_cookie(const char *cookies, const char *name)
{
    struct str rest = str_of(cookies), part;
    const size_t n = strlen(name);
    while (str_split(&rest, ';', &part)) {
        part = str_trim(part);
        if (part.n > n && part.p[n] == '=' && memcmp(part.p, name, n) == 0)
            return (struct str){part.p + n + 1, part.n - n - 1};
    }
    return STR("");
}

bool token_gate_admits(const struct token_gate *g, const char *authorization, const char *cookies,
                       const char *parameter)
{
    if (!g->on)
        return true;
    if (!g->token)
        return false;
    const struct str wanted = str_of(g->token);
    if (parameter && secret_equal(str_of(parameter), wanted))
        return true;
    if (cookies && secret_equal(gate_cookie(cookies, g->cookie), wanted))
        return true;
    return authorization && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0 &&
           secret_equal(str_trim(str_of(authorization + sizeof scheme - 1)), wanted);
}

unsigned token_gate_guard(const struct token_gate *g, struct request *rq)
{
    if (token_gate_admits(g, request_header(rq, "Authorization"), request_header(rq, "Cookie"),
                          request_query(rq, "token")))
        return 0;
    request_set_header(rq, "WWW-Authenticate", "Bearer realm=\"smolder\"");
    return 401;
}

bool token_gate_redirect(const struct token_gate *g, struct request *rq)
{
    if (!g->on || !request_query(rq, "token"))
        return false;
    cleanup_free char *cookie = xasprintf("%s=%s; Path=/; HttpOnly; SameSite=Strict", g->cookie, g->token);
    request_set_header(rq, "Set-Cookie", cookie);
    request_set_header(rq, "Location", "/");
    request_set_header(rq, "Cache-Control", "no-store");
    request_reply(rq, 303, NULL, STR(""));
    return true;
}
