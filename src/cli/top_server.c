#include "cli/top_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cli/agent_client.h"
#include "cli/store_flags.h"
#include "lang/json.h"
#include "net/http_client.h"
#include "net/url.h"
#include "os/fsutil.h"

enum { CALL_MS = 20000, ANSWER_MAX = JSON_TEXT_MAX, AGENT_ANSWER_MAX = 64 << 10, NAME_MAX_BYTES = 4096 };
enum { TOKEN_MAX = 4096, MESSAGE_SHOWN = 200 };

#define QUERIER "/querier.v1.QuerierService/"

struct top_server {
    uv_loop_t *loop;
    struct http_client *client;
    struct http_call *call; /* NULL: none is under way */
    char *base;             /* "http://127.0.0.1:4040", without a slash at its end */
    char *name;
    char *authorization; /* a header, NULL = none */
    /* Of the call. */
    struct buf message;
    struct str piece;
    top_answered *done;
    void *arg;
};

/* ---- address ---- */

/* Splits "http://host/?token=T" into the address and T, "" = none. Both to be freed. */
static void top_split_token(const char *url, char **base, char **token)
{
    const char *question = strchr(url, '?');
    size_t n = question ? (size_t)(question - url) : strlen(url);
    while (n && url[n - 1] == '/')
        n--;
    *base = xasprintf("%.*s", (int)n, url);
    const char *value = question ? strstr(question, "token=") : NULL;
    value = value ? value + strlen("token=") : "";
    *token = xasprintf("%.*s", (int)strcspn(value, "&#"), value);
}

static void top_server_set_token(struct top_server *s, struct str token)
{
    if (token.n == 0)
        return;
    free(s->authorization);
    s->authorization = xasprintf("Authorization: Bearer %.*s", STR_ARG(token));
}

static int top_server_read_token(struct top_server *s, const char *path, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(TOKEN_MAX);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fs_read(fd, &text, NULL) < 0)
        return err_errno(err, "read the token in %s", path);
    buf_byte(&text, '\0');
    struct str token = {(const char *)text.p, strcspn((const char *)text.p, " \t\r\n")};
    top_server_set_token(s, token);
    return 0;
}

/* Where the store of an agent listens. -ENOENT: it has none. -EBADMSG, -EACCES: it is perhaps no agent. */
static int top_server_of_agent(struct top_server *s, const char *agent, char **ret, struct err *err)
{
    cleanup_buf struct buf body = BUF_INIT(AGENT_ANSWER_MAX);
    cleanup_value struct value *answer = NULL;
    cleanup_http_url struct http_url url = {0};
    struct err why = {0};
    int code = http_url_parse(agent, &url, err);
    if (code == 0)
        code = agent_client_get(s->loop, agent, "/api/page", &body, err);
    if (code < 0)
        return code;
    if (json_read(buf_slice(&body), JSON_KEEP_INTEGERS, &answer, &why) < 0 || value_kind(answer) != VALUE_OBJECT)
        return err_set(err, -EBADMSG, "%s is neither an agent nor a store", url.bare);
    const struct value *here = value_member(answer, STR("here")), *store = value_member(answer, STR("store"));
    if (!here || value_kind(here) != VALUE_STRING || !str_is(value_as_str(here), "agent"))
        return err_set(err, -EBADMSG, "%s is no agent", url.bare);
    const bool known = store && value_kind(store) == VALUE_OBJECT;
    const struct value *address = known ? value_member(store, STR("address")) : NULL;
    if (!address || value_kind(address) != VALUE_STRING)
        return err_set(err, -ENOENT,
                       "the agent at %s keeps no profiles (--store.listen); name the server it pushes to: --from=URL",
                       url.bare);
    const struct str at = value_as_str(address);
    const bool everywhere = str_has_prefix(at, STR("0.0.0.0:")) || str_has_prefix(at, STR("[::]:"));
    const char *port = strrchr(at.p, ':');
    *ret = everywhere ? xasprintf("%s://%s%s", url.tls ? "https" : "http", url.host, port)
                      : xasprintf("%s://%.*s", url.tls ? "https" : "http", STR_ARG(at));
    return 0;
}

/* User and password of `from` hold for its store, too: one http block applies to both. */
static char *top_with_user(const char *from, const char *base)
{
    const char *begin = strstr(from, "://"), *at = begin ? strchr(begin + 3, '@') : NULL;
    const char *rest = strstr(base, "://");
    if (!at || !rest || (size_t)(at - begin - 3) != strcspn(begin + 3, "/?#@"))
        return xstrdup(base);
    return xasprintf("%.*s%.*s%s", (int)(rest + 3 - base), base, (int)(at - begin - 2), begin + 3, rest + 3);
}

static int top_server_find(struct top_server *s, const char *from, struct err *err)
{
    cleanup_free char *base = NULL, *token = NULL, *store = NULL;
    struct err why = {0};
    top_split_token(*from ? from : AGENT_CLIENT_URL, &base, &token);
    const int code = top_server_of_agent(s, base, &store, &why);
    if (code == 0)
        s->base = top_with_user(base, store);
    else if (code == -ENOENT || (*from && code != -EBADMSG && code != -EACCES))
        return *err = why, code;
    else
        s->base = *from ? xstrdup(base) : xstrdup("http://" STORE_DEFAULT);
    top_server_set_token(s, str_of(token));
    return 0;
}

int top_server_open(const struct top_server_options *options, struct top_server **ret, struct err *err)
{
    struct top_server *s = xcalloc(1, sizeof *s);
    cleanup_buf struct buf shown = BUF_INIT(NAME_MAX_BYTES);
    s->loop = options->loop;
    s->message = BUF_INIT(1 << 20);
    int code = *options->token_file ? top_server_read_token(s, options->token_file, err) : 0;
    if (code == 0)
        code = top_server_find(s, options->from, err);
    if (code < 0) {
        top_server_close(s);
        return code;
    }
    secret_hide(str_of(s->base), &shown);
    s->name = xstrdup(buf_cstr(&shown));
    s->client = http_client_get(s->loop);
    *ret = s;
    return 0;
}

const char *top_server_name(const struct top_server *s)
{
    return s->name;
}

/* ---- calls ---- */

/* Errors of the API are {"code", "message"}. */
static int top_server_refused(const struct top_server *s, const struct http_response *r, struct err *err)
{
    cleanup_value struct value *answer = NULL;
    struct err why = {0};
    if (r->status == 401 || r->status == 403)
        return err_set(err, -EACCES,
                       "%s: status %d: it requires authentication; use --from=http://USER:PASSWORD@HOST:PORT, "
                       "--from=URL?token=TOKEN or --token-file",
                       s->name, r->status);
    if (json_read(r->body, JSON_KEEP_INTEGERS, &answer, &why) == 0 && value_kind(answer) == VALUE_OBJECT) {
        const struct value *message = value_member(answer, STR("message"));
        if (message && value_kind(message) == VALUE_STRING)
            return err_set(err, -EBADMSG, "%s: %.*s", s->name, MESSAGE_SHOWN, value_as_str(message).p);
    }
    return err_set(err, -EBADMSG, "%s: status %d", s->name, r->status);
}

static void top_server_on_answer(void *arg, const struct http_response *r)
{
    struct top_server *s = arg;
    struct err err = {0};
    int code = 0;
    s->call = NULL;
    if (r->status == 0)
        code = err_set(&err, r->failure == HTTP_NO_CONNECTION ? -ECONNREFUSED : -EIO, "%s: %s", s->name, r->error);
    else if (r->status != 200)
        code = top_server_refused(s, r, &err);
    s->done(s->arg, code, r->body, &err);
}

int top_server_call(struct top_server *s, const char *method, struct str message, top_answered *done, void *arg,
                    struct err *err)
{
    const char *headers[] = {"Content-Type: application/json", "Connect-Protocol-Version: 1", s->authorization, NULL};
    cleanup_free char *url = xasprintf("%s" QUERIER "%s", s->base, method);
    buf_reset(&s->message);
    buf_str(&s->message, message);
    s->piece = buf_slice(&s->message);
    s->done = done;
    s->arg = arg;
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .body = &s->piece,
                                         .body_pieces = 1,
                                         .timeout_ms = CALL_MS,
                                         .proxy = {.from_environment = true},
                                         .response_max = ANSWER_MAX};
    return http_start(s->client, &request, top_server_on_answer, s, &s->call, err);
}

void top_server_cancel(struct top_server *s)
{
    if (s->call)
        http_cancel(TAKE_PTR(s->call));
}

void top_server_close(struct top_server *s)
{
    if (!s)
        return;
    top_server_cancel(s);
    if (s->client)
        http_client_put(s->client);
    buf_done(&s->message);
    free(s->authorization);
    free(s->base);
    free(s->name);
    free(s);
}
