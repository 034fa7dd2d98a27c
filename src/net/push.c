#include "net/push.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define PUSH_PATH "/push.v1.PusherService/Push"

enum {
    /* push.v1.PushRequest, RawProfileSeries, RawSample, types.v1.LabelPair; wire type 2 throughout */
    REQUEST_SERIES = 1,
    SERIES_LABELS = 1,
    SERIES_SAMPLES = 2,
    SAMPLE_RAW_PROFILE = 1,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,

    ANSWER_MAX = 8192, /* of an error's body; more is not read by anybody */
    PAGE_EXCERPT = 120,
    TIMEOUT_MS_MAX = 999999999 /* Connect-Timeout-Ms has at most 10 digits */
};

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7)
        n++;
    return n;
}

/* A one-byte key, the length, the bytes. */
static size_t field_size(size_t n)
{
    return 1 + varint_size(n) + n;
}

static void put_key(struct buf *out, unsigned field, uint64_t len)
{
    buf_byte(out, (uint8_t)(field << 3 | 2));
    for (; len >= 0x80; len >>= 7)
        buf_byte(out, (uint8_t)(len | 0x80));
    buf_byte(out, (uint8_t)len);
}

static void put_text(struct buf *out, unsigned field, struct str s)
{
    put_key(out, field, s.n);
    buf_str(out, s);
}

static size_t label_size(const struct push_label *l)
{
    return field_size(l->name.n) + field_size(l->value.n);
}

void push_head(struct buf *out, const struct push_series *series)
{
    size_t sample = field_size(series->profile.n), all = field_size(sample);
    for (size_t i = 0; i < series->label_count; i++)
        all += field_size(label_size(&series->labels[i]));
    put_key(out, REQUEST_SERIES, all);
    for (size_t i = 0; i < series->label_count; i++) {
        const struct push_label *l = &series->labels[i];
        put_key(out, SERIES_LABELS, label_size(l));
        put_text(out, LABEL_NAME, l->name);
        put_text(out, LABEL_VALUE, l->value);
    }
    put_key(out, SERIES_SAMPLES, sample);
    put_key(out, SAMPLE_RAW_PROFILE, series->profile.n);
}

const char *push_result_name(enum push_result r)
{
    static const char *const names[] = {[PUSH_OK] = "ok", [PUSH_RETRY] = "retry", [PUSH_REJECTED] = "rejected"};
    return names[r];
}

static bool is_type(const struct http_response *r, const char *type)
{
    size_t n = strlen(type);
    return strncasecmp(r->type, type, n) == 0 && (r->type[n] == '\0' || r->type[n] == ';' || r->type[n] == ' ');
}

/* What the server says, from Connect's {"code","message"}; else the start of a text. One line of printable characters. */
static void said(const struct http_response *r, char *out, size_t room)
{
    json_t *body = is_type(r, "application/json") ? json_loadb(r->body.p, r->body.n, 0, NULL) : NULL;
    const char *code = json_string_value(json_object_get(body, "code"));
    const char *message = json_string_value(json_object_get(body, "message"));
    struct str text = str_trim(is_type(r, "text/plain") ? r->body : (struct str){0});
    if (code || message)
        snprintf(out, room, ": %s%s%s", code ? code : "", code && message ? ": " : "", message ? message : "");
    else if (text.n)
        snprintf(out, room, ": %.*s", text.n < PAGE_EXCERPT ? (int)text.n : PAGE_EXCERPT, text.p);
    else
        snprintf(out, room, "%s", "");
    json_decref(body);
    for (char *p = out; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    }
}

static const char *hint(int status)
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

static const char *transport_hint(enum http_failure failure)
{
    static const char *const hints[] = {
        [HTTP_TIMED_OUT] = "; see remote_timeout",
        [HTTP_NO_HOST] = "; check the host of the url",
        [HTTP_NO_CONNECTION] = "; check that a Pyroscope server is running there",
        [HTTP_NO_TLS] = "; check the scheme of the url and tls_config",
        [HTTP_BROKEN] = "",
    };
    return hints[failure] ? hints[failure] : "";
}

static enum push_result result_of(int status, bool retry_429)
{
    if (status == 408 || status >= 500 || (status == 429 && retry_429))
        return PUSH_RETRY;
    return PUSH_REJECTED;
}

void push_judge(const struct http_response *r, bool retry_429, struct push_outcome *ret)
{
    *ret = (struct push_outcome){.status = r->status, .retry_after_ms = r->retry_after_ms};
    if (r->status == 0) {
        ret->result = PUSH_RETRY;
        snprintf(ret->reason, sizeof ret->reason, "%s%s", r->error, transport_hint(r->failure));
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
    ret->result = result_of(r->status, retry_429);
    char text[ERR_MAX - 160];
    said(r, text, sizeof text);
    snprintf(ret->reason, sizeof ret->reason, "HTTP status %d%s%s", r->status, text, hint(r->status));
}

bool push_header_is_reserved(struct str name)
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

struct push {
    struct http_call *call;
    struct buf heads; /* what stands before each profile, one after another */
    bool retry_429;
    push_done *done;
    void *arg;
};

static void push_free(struct push *p)
{
    buf_done(&p->heads);
    free(p);
}

static void on_done(void *arg, const struct http_response *r)
{
    struct push *p = arg;
    struct push_outcome outcome;
    push_judge(r, p->retry_429, &outcome);
    p->done(p->arg, &outcome);
    push_free(p);
}

struct header_list {
    const char **items;
    size_t len, cap;
};

static void add(struct header_list *l, const char *text)
{
    xgrow(&l->items, &l->cap, l->len + 2, sizeof *l->items);
    l->items[l->len++] = text;
    l->items[l->len] = NULL;
}

/* Returns whether one of them is Authorization. */
static bool add_configured(struct header_list *l, const char *const *headers)
{
    bool authorization = false;
    for (const char *const *h = headers; h && *h; h++) {
        struct str name = {*h, strcspn(*h, ":;")};
        if (push_header_is_reserved(name))
            continue;
        authorization |= name.n == strlen("Authorization") && strncasecmp(name.p, "Authorization", name.n) == 0;
        add(l, *h);
    }
    return authorization;
}

static char *push_url(const char *base)
{
    size_t n = strlen(base);
    while (n && base[n - 1] == '/')
        n--;
    return xasprintf("%.*s" PUSH_PATH, (int)n, base);
}

/* Head, profile, head, profile … `pieces` has room for two per series. */
static int make_body(struct buf *heads, const struct push_series *series, size_t n, struct str *pieces, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const size_t before = heads->len;
        push_head(heads, &series[i]);
        pieces[2 * i].n = heads->len - before;
        pieces[2 * i + 1] = series[i].profile;
    }
    if (!buf_ok(heads))
        return err_set(err, -E2BIG, "the labels of the profiles are longer than %d bytes", PUSH_LABELS_MAX);
    const char *at = buf_cstr(heads); /* it has moved while it grew */
    for (size_t i = 0; i < n; i++) {
        pieces[2 * i].p = at;
        at += pieces[2 * i].n;
    }
    return 0;
}

static int start_request(struct push *p, struct http_client *c, const struct push_endpoint *e, const struct str *body,
                         size_t pieces, struct err *err)
{
    int64_t timeout_ms = e->timeout_ms < TIMEOUT_MS_MAX ? e->timeout_ms : TIMEOUT_MS_MAX;
    cleanup_free char *url = push_url(e->url);
    cleanup_free char *agent = xasprintf("User-Agent: smolder/%s", e->version);
    cleanup_free char *timeout = xasprintf("Connect-Timeout-Ms: %lld", (long long)timeout_ms);
    cleanup_free char *authorization = e->authorization ? xasprintf("Authorization: %s", e->authorization) : NULL;
    struct header_list headers = {0};
    add(&headers, "Content-Type: application/proto");
    add(&headers, "Connect-Protocol-Version: 1");
    add(&headers, timeout);
    add(&headers, agent);
    if (!add_configured(&headers, e->headers) && authorization)
        add(&headers, authorization);
    add_configured(&headers, e->extra);
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
        .response_max = ANSWER_MAX,
    };
    int code = http_start(c, &req, on_done, p, &p->call, err);
    free(headers.items);
    return code;
}

int push_start(struct http_client *c, const struct push_endpoint *e, const struct push_series *series, size_t n,
               push_done *done, void *arg, struct push **ret, struct err *err)
{
    struct push *p = xcalloc(1, sizeof *p);
    p->heads = BUF_INIT(PUSH_LABELS_MAX);
    p->retry_429 = e->retry_429;
    p->done = done;
    p->arg = arg;
    cleanup_free struct str *pieces = xcalloc(2 * n, sizeof *pieces);
    int code = make_body(&p->heads, series, n, pieces, err);
    if (code == 0)
        code = start_request(p, c, e, pieces, 2 * n, err);
    if (code < 0) {
        push_free(p);
        return code;
    }
    *ret = p;
    return 0;
}

void push_cancel(struct push *p)
{
    http_cancel(p->call);
    push_free(p);
}
