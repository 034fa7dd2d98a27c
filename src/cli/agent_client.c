#include "cli/agent_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/http_client.h"

enum { AGENT_CLIENT_MS = 5000, SHOWN_MAX = 4096 };

struct agent_call {
    struct buf *body;
    const char *url;
    struct err *err;
    int code;
    bool done;
};

static int agent_client_judge(struct agent_call *c, const struct http_response *r)
{
    cleanup_buf struct buf shown = BUF_INIT(SHOWN_MAX);
    secret_hide(str_of(c->url), &shown);
    if (r->status == 0)
        return err_set(c->err, r->failure == HTTP_NO_CONNECTION ? -ECONNREFUSED : -EIO, "%s: %s", buf_cstr(&shown),
                       r->error);
    if (r->status == 401 || r->status == 403)
        return err_set(c->err, -EACCES,
                       "%s: status %d: the agent requires authentication; use --from=http://USER:PASSWORD@HOST:PORT",
                       buf_cstr(&shown), r->status);
    if (r->status != 200)
        return err_set(c->err, -EBADMSG, "%s: status %d: %.200s", buf_cstr(&shown), r->status, r->body.p);
    buf_str(c->body, r->body);
    return buf_ok(c->body) ? 0 : err_set(c->err, -EBADMSG, "%s: the answer is too long", buf_cstr(&shown));
}

static void agent_client_on_answer(void *arg, const struct http_response *r)
{
    struct agent_call *c = arg;
    c->code = agent_client_judge(c, r);
    c->done = true;
}

int agent_client_get(uv_loop_t *loop, const char *base, const char *path, struct buf *body, struct err *err)
{
    size_t n = strlen(base);
    while (n && base[n - 1] == '/')
        n--;
    cleanup_free char *url = xasprintf("%.*s%s", (int)n, base, path);
    struct agent_call c = {.body = body, .url = url, .err = err};
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .timeout_ms = AGENT_CLIENT_MS,
                                         .proxy = {.from_environment = true},
                                         .response_max = body->max};
    struct http_call *call;
    struct http_client *client = http_client_get(loop);
    int code = http_start(client, &request, agent_client_on_answer, &c, &call, err);
    while (code == 0 && !c.done && uv_run(loop, UV_RUN_ONCE))
        ;
    http_client_put(client);
    return code < 0 ? code : c.code;
}
