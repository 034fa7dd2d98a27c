#include "net/curl_options.h"

#include <errno.h>
#include <strings.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/tls_files.h"
#include "net/url.h"

/* The smallest that libcurl takes for sending; an answer is an empty message or a short error. */
enum { RECEIVE_BUFFER = 4096, SEND_BUFFER = 16384, REDIRECTS_MAX = 10 };
/* A streamed answer is read in larger ones: a list of thousands of objects. */
enum { STREAM_BUFFER = 16384 };
/* As Go's: a peer that vanished is noticed after 15 + 9 * 15 s. */
enum { KEEP_ALIVE_S = 15 };

static bool http_options_given(const char *s)
{
    return s && *s;
}

static void http_options_append(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (!longer)
        abort(); /* as xmalloc: a small thing of a size we chose */
    *list = longer;
}

static const char *http_options_environment(const char *lower, const char *upper)
{
    const char *v = getenv(lower);
    return http_options_given(v) ? v : getenv(upper);
}

/* Upper-case HTTP_PROXY is left alone in CGI programs (httpoxy); we are none. */
static void http_options_set_proxy(const struct http_options *o, CURL *easy, const struct http_url *url)
{
    const char *proxy = o->proxy.url, *no_proxy = o->proxy.no_proxy;
    if (o->proxy.from_environment) {
        proxy = url->tls ? http_options_environment("https_proxy", "HTTPS_PROXY")
                         : http_options_environment("http_proxy", "HTTP_PROXY");
        no_proxy = http_options_environment("no_proxy", "NO_PROXY");
    }
    const bool bypass = o->is_unix || ((o->proxy.from_environment || http_options_given(o->proxy.no_proxy)) &&
                                       http_url_is_loopback(url));
    /* An empty string is libcurl's way to say: none, not even from the environment. */
    curl_easy_setopt(easy, CURLOPT_PROXY, http_options_given(proxy) && !bypass ? proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, http_options_given(no_proxy) ? no_proxy : "");
}

static void http_options_keep_proxy(struct http_options *o, CURL *easy, const struct http_proxy *p)
{
    o->proxy.url = http_options_given(p->url) ? xstrdup(p->url) : NULL;
    o->proxy.no_proxy = http_options_given(p->no_proxy) ? xstrdup(p->no_proxy) : NULL;
    o->proxy.from_environment = p->from_environment;
    for (const char *const *h = p->connect_headers; h && *h; h++)
        http_options_append(&o->proxy_headers, *h);
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_PROXYHEADER, o->proxy_headers);
}

bool http_options_has_header(const struct http_request *req, const char *name)
{
    size_t n = strlen(name);
    for (const char *const *h = req->headers; h && *h; h++) {
        if (strncasecmp(*h, name, n) == 0 && (*h)[n] == ':')
            return true;
    }
    return false;
}

/* libcurl verifies against the URL's host. So the URL gets the wanted name, the connection goes to the real host by
 * CONNECT_TO, and the Host header keeps saying what the URL said. */
static void http_options_set_server_name(struct http_options *o, CURL *easy, const struct http_request *req,
                                         const struct http_url *url)
{
    cleanup_free char *connect = xasprintf("%s:%u:%s:%u", req->tls.server_name, url->port, url->host, url->port);
    http_options_append(&o->connect_to, connect);
    o->server_name = xstrdup(req->tls.server_name);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, o->connect_to);
    cleanup_free char *host = xasprintf("Host: %s:%u", url->host, url->port);
    if (!http_options_has_header(req, "Host"))
        http_options_append(&o->headers, host);
    CURLU *u = curl_url();
    if (u && curl_url_set(u, CURLUPART_URL, req->url, 0) == CURLUE_OK &&
        curl_url_set(u, CURLUPART_HOST, req->tls.server_name, 0) == CURLUE_OK) {
        char *text = NULL;
        if (curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
            curl_easy_setopt(easy, CURLOPT_URL, text);
        curl_free(text);
    }
    curl_url_cleanup(u);
}

static void http_options_set_file(CURL *easy, CURLoption option, const char *path)
{
    cleanup_free char *name = tls_file_name(path);
    curl_easy_setopt(easy, option, name); /* which copies it */
}

static void http_options_set_tls(CURL *easy, const struct http_tls *t)
{
    static const long versions[] = {
        [HTTP_TLS_DEFAULT] = CURL_SSLVERSION_TLSv1_2, [HTTP_TLS_10] = CURL_SSLVERSION_TLSv1_0,
        [HTTP_TLS_11] = CURL_SSLVERSION_TLSv1_1,      [HTTP_TLS_12] = CURL_SSLVERSION_TLSv1_2,
        [HTTP_TLS_13] = CURL_SSLVERSION_TLSv1_3,
    };
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, versions[t->min_version]);
    if (t->insecure_skip_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (http_options_given(t->ca_file)) {
        http_options_set_file(easy, CURLOPT_CAINFO, t->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* only that one */
    }
    if (http_options_given(t->cert_file))
        http_options_set_file(easy, CURLOPT_SSLCERT, t->cert_file);
    if (http_options_given(t->key_file))
        http_options_set_file(easy, CURLOPT_SSLKEY, t->key_file);
}

static void http_options_set_method(struct http_options *o, CURL *easy, const struct http_request *req)
{
    curl_off_t size = 0;
    for (size_t i = 0; i < req->body_pieces; i++)
        size += (curl_off_t)req->body[i].n;
    o->is_get_or_head = strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;
    if (strcmp(req->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method);
    }
}

static void http_options_set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static int http_options_set_socket(struct http_options *o, CURL *easy, const char *path, struct err *err)
{
    o->is_unix = http_options_given(path);
    if (!o->is_unix)
        return 0;
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return err_set(err, -ENAMETOOLONG, "the path of the socket is longer than %zu bytes",
                       sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
    const CURLcode set = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, path);
    return set == CURLE_OK ? 0 : err_set(err, -ENOTSUP, "connect to a Unix socket: %s", curl_easy_strerror(set));
}

static void http_options_set_keep_alive(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEP_ALIVE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEP_ALIVE_S);
}

int http_options_apply(struct http_options *o, CURL *easy, const struct http_request *req, struct err *err)
{
    cleanup_http_url struct http_url url = {0};
    int code = http_url_parse(req->url, &url, err);
    if (code < 0)
        return code;
    CURLcode set = curl_easy_setopt(easy, CURLOPT_URL, req->url);
    if (set != CURLE_OK)
        return err_set(err, -EINVAL, "url: %s", curl_easy_strerror(set));
    code = http_options_set_socket(o, easy, req->unix_socket, err);
    if (code < 0)
        return code;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)(req->piece ? STREAM_BUFFER : RECEIVE_BUFFER));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* http_options_redirect() */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)(req->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    http_options_set_keep_alive(easy);
    http_options_set_protocols(easy);
    http_options_set_method(o, easy, req);
    for (const char *const *h = req->headers; h && *h; h++)
        http_options_append(&o->headers, *h);
    http_options_append(&o->headers,
                        "Expect:"); /* libcurl would wait up to a second for 100 Continue with a large body */
    o->url = xstrdup(req->url);
    http_options_keep_proxy(o, easy, &req->proxy);
    http_options_set_proxy(o, easy, &url);
    http_options_set_tls(easy, &req->tls); /* also for http, which may redirect */
    if (url.tls && http_options_given(req->tls.server_name))
        http_options_set_server_name(o, easy, req, &url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, o->headers);
    return 0;
}

/* --- redirects --- */

static bool http_options_header_is(const char *line, const char *name)
{
    const size_t n = strlen(name);
    return strncasecmp(line, name, n) == 0 && (line[n] == ':' || line[n] == ';');
}

/* "Name: value", or "Name;" without one. "Name:" tells libcurl to leave out its own. */
static bool http_options_may_be_secret(const char *line)
{
    const struct str name = {line, strcspn(line, ":;")};
    return secret_header(name) || http_options_header_is(line, "Host");
}

static void http_options_drop_secrets(struct http_options *o, CURL *easy)
{
    struct curl_slist *kept = NULL;
    for (const struct curl_slist *h = o->headers; h; h = h->next) {
        if (!http_options_may_be_secret(h->data))
            http_options_append(&kept, h->data);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, kept);
    curl_slist_free_all(o->headers);
    o->headers = kept;
    curl_easy_setopt(easy, CURLOPT_SSLCERT, NULL);
    curl_easy_setopt(easy, CURLOPT_SSLKEY, NULL);
}

void http_options_authorize(struct http_options *o, CURL *easy, const char *value)
{
    struct curl_slist *kept = NULL;
    cleanup_free char *line = xasprintf("Authorization: %s", value);
    for (const struct curl_slist *h = o->headers; h; h = h->next) {
        if (!http_options_header_is(h->data, "Authorization"))
            http_options_append(&kept, h->data);
    }
    http_options_append(&kept, line);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, kept);
    curl_slist_free_all(o->headers);
    o->headers = kept;
}

static unsigned http_options_default_port(const struct http_url *u)
{
    return u->tls ? 443 : 80;
}

/* Whether what was meant for `from` may go to `to`. A relative Location has the name that the URL was given for TLS. */
static bool http_options_is_same_origin(const struct http_options *o, const struct http_url *from,
                                        const struct http_url *to)
{
    const bool same_host = strcasecmp(from->host, to->host) == 0 ||
                           (to->tls && o->server_name && strcasecmp(o->server_name, to->host) == 0);
    const bool same_port = from->tls == to->tls && from->port == to->port;
    const bool upgrade = !from->tls && to->tls && from->port == http_options_default_port(from) &&
                         to->port == http_options_default_port(to);
    return same_host && (same_port || upgrade);
}

/* The user and password of `from` in front of the host of `to`, which has none; else NULL. To be freed with
 * curl_free(). */
static char *http_options_with_user_of(const char *from, const char *to)
{
    char *user = NULL, *password = NULL, *own = NULL, *text = NULL;
    CURLU *a = curl_url(), *b = curl_url();
    if (a && b && curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
        curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK && curl_url_get(b, CURLUPART_USER, &own, 0) != CURLUE_OK &&
        curl_url_get(a, CURLUPART_USER, &user, 0) == CURLUE_OK) {
        curl_url_set(b, CURLUPART_USER, user, 0);
        if (curl_url_get(a, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK)
            curl_url_set(b, CURLUPART_PASSWORD, password, 0);
        if (curl_url_get(b, CURLUPART_URL, &text, 0) != CURLUE_OK)
            text = NULL;
    }
    curl_free(user);
    curl_free(password);
    curl_free(own);
    curl_url_cleanup(a);
    curl_url_cleanup(b);
    return text;
}

static bool http_options_repeats_body(const struct http_options *o, long status)
{
    return status == 307 || status == 308 || o->is_get_or_head;
}

int http_options_redirect(struct http_options *o, CURL *easy, long status, const char *location, bool *ret_body,
                          struct err *err)
{
    cleanup_http_url struct http_url from = {0}, to = {0};
    if (o->redirects >= REDIRECTS_MAX)
        return err_set(err, -ELOOP, "Maximum (%d) redirects followed", REDIRECTS_MAX);
    if (http_url_parse(location, &to, err) < 0)
        return err_set(err, -EPROTONOSUPPORT, "redirect to a malformed URL or an unsupported protocol");
    int code = http_url_parse(o->url, &from, err);
    if (code < 0)
        return code;
    const bool same_place = http_options_is_same_origin(o, &from, &to);
    if (o->is_unix && !same_place)
        return err_set(err, -EPROTONOSUPPORT, "redirect from a Unix socket to another host");
    char *with_user = same_place ? http_options_with_user_of(o->url, location) : NULL;
    char *url = xstrdup(with_user ? with_user : location);
    curl_free(with_user);
    free(o->url);
    o->url = url;
    o->redirects++;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    http_options_set_proxy(o, easy, &to);
    if (!same_place)
        http_options_drop_secrets(o, easy);
    *ret_body = http_options_repeats_body(o, status);
    if (!*ret_body) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        o->is_get_or_head = true;
    }
    return 0;
}

void http_options_done(struct http_options *o)
{
    free(o->url);
    free(o->server_name);
    free(o->proxy.url);
    free(o->proxy.no_proxy);
    curl_slist_free_all(o->headers);
    curl_slist_free_all(o->proxy_headers);
    curl_slist_free_all(o->connect_to);
    *o = (struct http_options){0};
}
