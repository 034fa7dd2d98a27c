#include "net/oauth2.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "conf/file.h"

enum { TIMEOUT_MS = 10000, ANSWER_MAX = 64 << 10, SECRET_MAX = 64 << 10, FORM_MAX = 256 << 10, EARLY_S = 10 };

enum style { STYLE_BASIC, STYLE_FORM };

struct oauth2 {
    struct http_authorizer base;
    struct oauth2_settings settings;
    char *form;
    struct http_client *client; /* while a call is under way */
    struct http_call *call;
    char *body_text;
    struct str body;
    enum style style;
    bool is_style_known;
    char *token; /* "Bearer …"; NULL = none */
    int64_t expires_ns;
    struct conf_stamp secret; /* state of the file the token was requested with */
    struct list waits;        /* struct http_wait */
    bool is_closed;           /* nobody but calls has it */
};

/* --- encoding --- */

static void oauth2_escape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c));
        if (plain)
            buf_byte(out, c);
        else if (c == ' ')
            buf_byte(out, '+');
        else
            buf_printf(out, "%%%02X", c);
    }
}

void oauth2_form_put(struct buf *form, struct str name, struct str value)
{
    buf_byte(form, '&');
    oauth2_escape(form, name);
    buf_byte(form, '=');
    oauth2_escape(form, value);
}

static char *oauth2_basic(const struct oauth2 *o, const char *secret)
{
    cleanup_buf struct buf pair = BUF_INIT(FORM_MAX);
    oauth2_escape(&pair, str_of(o->settings.client_id));
    buf_byte(&pair, ':');
    oauth2_escape(&pair, str_of(secret));
    cleanup_free char *coded = base64_encode(buf_slice(&pair));
    return xasprintf("Authorization: Basic %s", coded);
}

static char *oauth2_body(const struct oauth2 *o, const char *secret)
{
    struct buf body = BUF_INIT(FORM_MAX);
    buf_puts(&body, "grant_type=client_credentials");
    if (o->style == STYLE_FORM) {
        oauth2_form_put(&body, STR("client_id"), str_of(o->settings.client_id));
        oauth2_form_put(&body, STR("client_secret"), str_of(secret));
    }
    if (o->form)
        buf_puts(&body, o->form);
    size_t len;
    return (char *)buf_take(&body, &len);
}

static int oauth2_secret(struct oauth2 *o, char **ret, struct err *err)
{
    const struct oauth2_settings *s = &o->settings;
    if (!s->client_secret_file || !*s->client_secret_file) {
        struct str text = str_of(s->client_secret ? s->client_secret : "");
        while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
            text.n--;
        *ret = str_dup(text);
        return 0;
    }
    cleanup_buf struct buf text = BUF_INIT(SECRET_MAX);
    const int code = conf_file_read(s->client_secret_file, SECRET_MAX, CONF_NO_WAIT, &text, &o->secret, err);
    if (code < 0)
        return err_wrap(err, code, "oauth2 client_secret_file: open %s", s->client_secret_file);
    *ret = str_dup(str_trim(buf_slice(&text)));
    if (text.len)
        explicit_bzero(text.p, text.len);
    return 0;
}

/* --- the answer --- */

static void oauth2_forget(struct oauth2 *o)
{
    free(o->token);
    o->token = NULL;
}

static struct http_wait *oauth2_next_wait(struct oauth2 *o)
{
    if (list_empty(&o->waits))
        return NULL;
    struct http_wait *w = list_entry(o->waits.next, struct http_wait, node);
    list_del(&w->node);
    return w;
}

/* Whoever waits may start further requests, which ask again. */
static void oauth2_settle(struct oauth2 *o, const char *problem)
{
    struct list waits;
    list_init(&waits);
    for (struct http_wait *w; (w = oauth2_next_wait(o));)
        list_push(&waits, &w->node);
    cleanup_free char *token = problem ? NULL : xstrdup(o->token);
    while (!list_empty(&waits)) {
        struct http_wait *w = list_entry(waits.next, struct http_wait, node);
        list_del(&w->node);
        w->done(w, token, problem);
    }
}

static int64_t oauth2_seconds(const json_t *v)
{
    if (json_is_string(v))
        return strtoll(json_string_value(v), NULL, 10);
    return json_is_number(v) ? (int64_t)json_number_value(v) : 0;
}

static bool oauth2_take_token(struct oauth2 *o, const json_t *answer)
{
    const char *token = json_string_value(json_object_get(answer, "access_token"));
    const char *type = json_string_value(json_object_get(answer, "token_type"));
    const int64_t seconds = oauth2_seconds(json_object_get(answer, "expires_in"));
    if (!token || !*token || strpbrk(token, "\r\n") || (type && strpbrk(type, "\r\n")))
        return false;
    secret_learn(str_of(token));
    oauth2_forget(o);
    o->token = xasprintf("%s %s", !type || !*type || strcasecmp(type, "bearer") == 0 ? "Bearer" : type, token);
    o->expires_ns = seconds > 0 && seconds < INT32_MAX ? clock_ns() + (seconds - EARLY_S) * NS_PER_SEC : INT64_MAX;
    return true;
}

/* Why there is no token. */
static char *oauth2_problem(const struct http_response *r, const json_t *answer)
{
    const char *code = json_string_value(json_object_get(answer, "error"));
    const char *text = json_string_value(json_object_get(answer, "error_description"));
    if (!r->status)
        return xasprintf("OAuth 2.0 token: %s", r->error);
    if (r->status / 100 == 2)
        return xstrdup("OAuth 2.0 token: the answer has no access_token; check oauth2 token_url");
    return xasprintf("OAuth 2.0 token: HTTP status %d%s%.80s%s%.160s; check oauth2 client_id, client_secret and scopes",
                     r->status, code ? ": " : "", code ? code : "", text ? ": " : "", text ? text : "");
}

static int oauth2_request(struct oauth2 *o, struct err *err);

static void oauth2_on_answer(void *arg, const struct http_response *r)
{
    struct oauth2 *o = arg;
    struct err err = {0};
    o->call = NULL;
    json_t *answer = r->status ? json_loadb(r->body.p, r->body.n, 0, NULL) : NULL;
    const bool good = r->status / 100 == 2 && oauth2_take_token(o, answer);
    const bool other_way = !good && r->status / 100 == 4 && !o->is_style_known && o->style == STYLE_BASIC;
    cleanup_free char *problem = good ? NULL : oauth2_problem(r, answer);
    json_decref(answer);
    http_client_put(TAKE_PTR(o->client));
    if (other_way) {
        o->style = STYLE_FORM;
        if (oauth2_request(o, &err) == 0)
            return;
    }
    o->is_style_known |= good;
    if (!good && !o->is_style_known)
        o->style = STYLE_BASIC;
    oauth2_settle(o, problem);
}

static int oauth2_start(struct oauth2 *o, const char *secret, struct err *err)
{
    cleanup_free char *basic = o->style == STYLE_BASIC ? oauth2_basic(o, secret) : NULL;
    const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json", basic,
                                   NULL};
    free(o->body_text);
    o->body_text = oauth2_body(o, secret);
    if (!o->body_text)
        return err_set(err, -E2BIG, "oauth2: the request for a token is too large");
    o->body = str_of(o->body_text);
    const struct http_request rq = {
        .method = "POST",
        .url = o->settings.token_url,
        .headers = headers,
        .body = &o->body,
        .body_pieces = 1,
        .timeout_ms = TIMEOUT_MS,
        .follow_redirects = true,
        .http2 = true,
        .proxy = o->settings.proxy,
        .tls = o->settings.tls,
        .response_max = ANSWER_MAX,
    };
    return http_start(o->client, &rq, oauth2_on_answer, o, &o->call, err);
}

static int oauth2_request(struct oauth2 *o, struct err *err)
{
    cleanup_free char *secret = NULL;
    int code = oauth2_secret(o, &secret, err);
    if (code < 0)
        return code;
    o->client = http_client_again();
    code = oauth2_start(o, secret, err);
    explicit_bzero(secret, strlen(secret));
    if (code < 0)
        http_client_put(TAKE_PTR(o->client));
    return code < 0 ? err_wrap(err, code, "OAuth 2.0 token") : 0;
}

/* --- what the client asks --- */

static bool oauth2_has_token(struct oauth2 *o)
{
    const char *file = o->settings.client_secret_file;
    if (o->is_closed || !o->token || clock_ns() >= o->expires_ns)
        return false;
    if (!file || !*file)
        return true;
    const struct conf_stamp now = conf_stamp_of(file);
    return conf_stamp_equal(&now, &o->secret);
}

static int oauth2_ask(struct http_authorizer *a, struct http_wait *w, const char **ret, struct err *err)
{
    struct oauth2 *o = (struct oauth2 *)a;
    *ret = oauth2_has_token(o) ? o->token : NULL;
    if (*ret)
        return 0;
    if (o->is_closed)
        return err_set(err, -ECANCELED, "OAuth 2.0 token: the settings changed");
    const int code = o->call ? 0 : oauth2_request(o, err);
    if (code == 0)
        list_push(&o->waits, &w->node);
    return code;
}

static void oauth2_reject(struct http_authorizer *a)
{
    oauth2_forget((struct oauth2 *)a);
}

static void oauth2_release(struct http_authorizer *a)
{
    struct oauth2 *o = (struct oauth2 *)a;
    if (o->body_text)
        explicit_bzero(o->body_text, strlen(o->body_text));
    free(o->body_text);
    free(o->form);
    oauth2_forget(o);
    free(o);
}

struct oauth2 *oauth2_new(const struct oauth2_settings *settings, char *form)
{
    struct oauth2 *o = xcalloc(1, sizeof *o);
    *o = (struct oauth2){.base = {1, oauth2_ask, oauth2_reject, oauth2_release}, .settings = *settings, .form = form};
    list_init(&o->waits);
    return o;
}

void oauth2_free(struct oauth2 *o)
{
    if (!o)
        return;
    o->is_closed = true;
    if (o->call)
        http_cancel(TAKE_PTR(o->call));
    http_client_put(TAKE_PTR(o->client));
    oauth2_settle(o, "OAuth 2.0 token: the settings changed while it was requested");
    if (--o->base.refs == 0)
        oauth2_release(&o->base);
}

struct http_authorizer *oauth2_authorizer(struct oauth2 *o)
{
    return o ? &o->base : NULL;
}
