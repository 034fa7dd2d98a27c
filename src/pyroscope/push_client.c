#include "pyroscope/push_client.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "pyroscope/push_message.h"

enum {
    ANSWER_MAX = 256 << 10, /* of an error's body: that of a whole backlog quotes all their labels */
    PAGE_EXCERPT = 120,
    TIMEOUT_MS_MAX = 999999999 /* Connect-Timeout-Ms has at most 10 digits */
};

static bool push_client_is_type(const struct http_response *r, const char *type)
{
    size_t n = strlen(type);
    return strncasecmp(r->type, type, n) == 0 && (r->type[n] == '\0' || r->type[n] == ';' || r->type[n] == ' ');
}

/* What the server says, from Connect's {"code","message"}; else the start of a text. To be freed. */
static char *push_client_said(const struct http_response *r)
{
    json_t *body = push_client_is_type(r, "application/json") ? json_loadb(r->body.p, r->body.n, 0, NULL) : NULL;
    const char *code = json_string_value(json_object_get(body, "code"));
    const char *message = json_string_value(json_object_get(body, "message"));
    struct str text = str_trim(push_client_is_type(r, "text/plain") ? r->body : (struct str){0});
    char *said = code || message
                     ? xasprintf("%s%s%s", code ? code : "", code && message ? ": " : "", message ? message : "")
                     : xstrndup(text.p ? text.p : "", text.n < PAGE_EXCERPT ? text.n : PAGE_EXCERPT);
    json_decref(body);
    return said;
}

static const char *push_client_hint(int status)
{
    switch (status) {
    case 401:
        return "; check the credentials of this endpoint, and headers such as X-Scope-OrgID";
    case 403:
        return "; the credentials of this endpoint have no write permission";
    case 404:
    case 405:
        return "; check that the url is that of a Pyroscope server, without the push path";
    case 413:
        return "; the profile exceeds a size limit of the server or a proxy";
    case 429:
        return "; rate limit of this tenant exceeded";
    default:
        return "";
    }
}

static const char *push_client_transport_hint(enum http_failure failure)
{
    static const char *const hints[] = {
        [HTTP_TIMED_OUT] = "; see remote_timeout",
        [HTTP_NO_HOST] = "; check the host of the url",
        [HTTP_NO_CONNECTION] = "; check that a Pyroscope server is running there",
        [HTTP_NO_TLS] = "; check the scheme of the url and tls_config",
        [HTTP_BROKEN] = "",
        [HTTP_NO_TOKEN] = "",
    };
    return hints[failure] ? hints[failure] : "";
}

static enum push_result push_client_result_of(int status, bool retry_429)
{
    if (status == 408 || status >= 500 || (status == 429 && retry_429))
        return PUSH_RETRY;
    return PUSH_REJECTED;
}

static void push_client_set_reason(struct push_outcome *o, const char *said)
{
    char text[ERR_MAX - 160];
    push_verdict_shorten(str_of(said), text, sizeof text);
    snprintf(o->reason, sizeof o->reason, "HTTP status %d%s%s%s", o->status, *text ? ": " : "", text,
             push_client_hint(o->status));
}

void push_client_judge(const struct http_response *r, bool retry_429, struct push_outcome *ret)
{
    *ret = (struct push_outcome){.status = r->status, .retry_after_ms = r->retry_after_ms, .failure = r->failure};
    if (r->status == 0) {
        ret->result = PUSH_RETRY;
        snprintf(ret->reason, sizeof ret->reason, "%s%s", r->error, push_client_transport_hint(r->failure));
        return;
    }
    bool success = r->status >= 200 && r->status < 300;
    if (success && (*r->type == '\0' || strncasecmp(r->type, "application/", 12) == 0)) {
        ret->result = PUSH_OK;
        return;
    }
    if (success) {
        ret->result = PUSH_RETRY;
        snprintf(ret->reason, sizeof ret->reason, "response of type %.80s, not from a Pyroscope server; check the url",
                 r->type);
        return;
    }
    cleanup_free char *said = push_client_said(r);
    ret->result = push_client_result_of(r->status, retry_429);
    ret->limit = push_limit_of(str_of(said));
    if (r->status == 413 && ret->limit.kind == PUSH_LIMIT_NONE)
        ret->limit.kind = PUSH_LIMIT_BYTES;
    push_client_set_reason(ret, said);
}

bool push_client_reserves(struct str name)
{
    static const char *const reserved[] = {"Content-Type", "Content-Length",  "Content-Encoding",
                                           "User-Agent",   "Accept-Encoding", "Transfer-Encoding",
                                           "Expect"};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (name.n == strlen(reserved[i]) && strncasecmp(name.p, reserved[i], name.n) == 0)
            return true;
    }
    return name.n >= 8 && strncasecmp(name.p, "Connect-", 8) == 0;
}

struct push_call {
    struct http_call *call;
    struct buf heads; /* what stands before each profile, one after another */
    struct str *ids;  /* of the first profile of each series; the texts are borrowed */
    size_t series_count;
    bool retry_429;
    push_done *done;
    void *arg;
};

static void push_client_free(struct push_call *p)
{
    buf_done(&p->heads);
    free(p->ids);
    free(p);
}

static void push_client_on_done(void *arg, const struct http_response *r)
{
    struct push_call *p = arg;
    struct push_outcome outcome;
    cleanup_free struct push_verdict *verdicts = NULL;
    push_client_judge(r, p->retry_429, &outcome);
    if (r->status && outcome.result != PUSH_OK) {
        cleanup_free char *said = push_client_said(r);
        verdicts = xcalloc(p->series_count, sizeof *verdicts);
        if (push_verdicts_read(str_of(said), outcome.result, p->retry_429, p->ids, p->series_count, verdicts))
            outcome.verdicts = verdicts;
    }
    p->done(p->arg, &outcome);
    push_client_free(p);
}

struct header_list {
    const char **items;
    size_t len, cap;
};

static void push_client_add(struct header_list *l, const char *text)
{
    xgrow(&l->items, &l->cap, l->len + 2, sizeof *l->items);
    l->items[l->len++] = text;
    l->items[l->len] = NULL;
}

/* Returns whether one of them is Authorization. */
static bool push_client_add_configured(struct header_list *l, const char *const *headers)
{
    bool authorization = false;
    for (const char *const *h = headers; h && *h; h++) {
        struct str name = {*h, strcspn(*h, ":;")};
        if (push_client_reserves(name))
            continue;
        authorization |= name.n == strlen("Authorization") && strncasecmp(name.p, "Authorization", name.n) == 0;
        push_client_add(l, *h);
    }
    return authorization;
}

static char *push_client_url(const char *base)
{
    size_t n = strlen(base);
    while (n && base[n - 1] == '/')
        n--;
    return xasprintf("%.*s" PUSH_PATH, (int)n, base);
}

static size_t push_client_count(const struct series *series, size_t n)
{
    size_t profiles = 0;
    for (size_t i = 0; i < n; i++)
        profiles += series[i].profile_count;
    return profiles;
}

/* Head, profile, head, profile … `pieces` has room for two per profile. */
static int push_client_make_body(struct buf *heads, const struct series *series, size_t n, struct str *pieces,
                                 struct err *err)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < series[i].profile_count; k++) {
            const size_t before = heads->len;
            push_message_head(heads, &series[i], k);
            pieces[len++].n = heads->len - before;
            pieces[len++] = series[i].profiles[k];
        }
    }
    if (!buf_ok(heads))
        return err_set(err, -E2BIG, "the labels of the profiles are longer than %d bytes", PUSH_LABELS_MAX);
    const char *at = buf_cstr(heads); /* it has moved while it grew */
    for (size_t i = 0; i < len; i += 2) {
        pieces[i].p = at;
        at += pieces[i].n;
    }
    return 0;
}

static int push_client_start_request(struct push_call *p, struct http_client *c, const struct push_endpoint *e,
                                     const struct str *body, size_t pieces, struct err *err)
{
    int64_t timeout_ms = e->timeout_ms < TIMEOUT_MS_MAX ? e->timeout_ms : TIMEOUT_MS_MAX;
    cleanup_free char *url = push_client_url(e->url);
    cleanup_free char *agent = xasprintf("User-Agent: smolder/%s", e->version);
    cleanup_free char *timeout = xasprintf("Connect-Timeout-Ms: %lld", (long long)timeout_ms);
    cleanup_free char *authorization = e->authorization ? xasprintf("Authorization: %s", e->authorization) : NULL;
    struct header_list headers = {0};
    push_client_add(&headers, "Content-Type: application/proto");
    push_client_add(&headers, "Connect-Protocol-Version: 1");
    push_client_add(&headers, timeout);
    push_client_add(&headers, agent);
    if (!push_client_add_configured(&headers, e->headers) && authorization)
        push_client_add(&headers, authorization);
    push_client_add_configured(&headers, e->extra);
    const struct http_request req = {
        .method = "POST",
        .url = url,
        .headers = headers.items,
        .body = body,
        .body_pieces = pieces,
        .timeout_ms = timeout_ms,
        .follow_redirects = e->follow_redirects,
        .http2 = e->http2,
        .proxy = e->proxy,
        .tls = e->tls,
        .authorizer = e->authorizer,
        .response_max = ANSWER_MAX,
    };
    int code = http_start(c, &req, push_client_on_done, p, &p->call, err);
    free(headers.items);
    return code;
}

int push_client_start(struct http_client *c, const struct push_endpoint *e, const struct series *series, size_t n,
                      push_done *done, void *arg, struct push_call **ret, struct err *err)
{
    struct push_call *p = xcalloc(1, sizeof *p);
    p->heads = BUF_INIT(PUSH_LABELS_MAX);
    p->retry_429 = e->retry_429;
    p->done = done;
    p->arg = arg;
    p->ids = xcalloc(n, sizeof *p->ids);
    p->series_count = n;
    for (size_t i = 0; i < n; i++)
        p->ids[i] = series[i].ids ? series[i].ids[0] : STR("");
    const size_t len = 2 * push_client_count(series, n);
    cleanup_free struct str *pieces = xcalloc(len, sizeof *pieces);
    int code = push_client_make_body(&p->heads, series, n, pieces, err);
    if (code == 0)
        code = push_client_start_request(p, c, e, pieces, len, err);
    if (code < 0) {
        push_client_free(p);
        return code;
    }
    *ret = p;
    return 0;
}

void push_client_cancel(struct push_call *p)
{
    http_cancel(p->call);
    push_client_free(p);
}
