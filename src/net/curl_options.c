#include "net/curl_options.h"

#include <errno.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "net/url.h"

/* The smallest that libcurl takes for sending; an answer is an empty message or a short error. */
enum { RECEIVE_BUFFER = 4096, SEND_BUFFER = 16384, REDIRECTS_MAX = 10 };

static bool given(const char *s)
{
    return s && *s;
}

static void append(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (!longer)
        abort(); /* as xmalloc: a small thing of a size we chose */
    *list = longer;
}

static const char *environment(const char *lower, const char *upper)
{
    const char *v = getenv(lower);
    return given(v) ? v : getenv(upper);
}

/* Upper-case HTTP_PROXY is left alone in CGI programs (httpoxy); we are none. */
static void apply_proxy(struct http_options *o, CURL *easy, const struct http_request *req, const struct http_url *url)
{
    const struct http_proxy *p = &req->proxy;
    const char *proxy = p->url, *no_proxy = p->no_proxy;
    if (p->from_environment) {
        proxy = url->tls ? environment("https_proxy", "HTTPS_PROXY") : environment("http_proxy", "HTTP_PROXY");
        no_proxy = environment("no_proxy", "NO_PROXY");
    }
    bool bypass = (p->from_environment || given(p->no_proxy)) && http_url_is_loopback(url);
    /* An empty string is libcurl's way to say: none, not even from the environment. */
    curl_easy_setopt(easy, CURLOPT_PROXY, given(proxy) && !bypass ? proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, given(no_proxy) ? no_proxy : "");
    for (const char *const *h = p->connect_headers; h && *h; h++)
        append(&o->proxy_headers, *h);
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_PROXYHEADER, o->proxy_headers);
}

static bool has_header(const struct http_request *req, const char *name)
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
static void apply_server_name(struct http_options *o, CURL *easy, const struct http_request *req,
                              const struct http_url *url)
{
    cleanup_free char *connect = xasprintf("%s:%u:%s:%u", req->tls.server_name, url->port, url->host, url->port);
    append(&o->connect_to, connect);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, o->connect_to);
    cleanup_free char *host = xasprintf("Host: %s:%u", url->host, url->port);
    if (!has_header(req, "Host"))
        append(&o->headers, host);
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

static void apply_tls(CURL *easy, const struct http_tls *t)
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
    if (given(t->ca_file)) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* only that one */
    }
    if (given(t->cert_file))
        curl_easy_setopt(easy, CURLOPT_SSLCERT, t->cert_file);
    if (given(t->key_file))
        curl_easy_setopt(easy, CURLOPT_SSLKEY, t->key_file);
}

static void apply_method(CURL *easy, const struct http_request *req)
{
    curl_off_t size = 0;
    for (size_t i = 0; i < req->body_pieces; i++)
        size += (curl_off_t)req->body[i].n;
    if (strcmp(req->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method);
    }
}

static void apply_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
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
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, req->follow_redirects ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)(req->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    apply_protocols(easy);
    apply_method(easy, req);
    for (const char *const *h = req->headers; h && *h; h++)
        append(&o->headers, *h);
    append(&o->headers, "Expect:"); /* libcurl would wait up to a second for 100 Continue with a large body */
    apply_proxy(o, easy, req, &url);
    if (url.tls) {
        apply_tls(easy, &req->tls);
        if (given(req->tls.server_name))
            apply_server_name(o, easy, req, &url);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, o->headers);
    return 0;
}

void http_options_done(struct http_options *o)
{
    curl_slist_free_all(o->headers);
    curl_slist_free_all(o->proxy_headers);
    curl_slist_free_all(o->connect_to);
    *o = (struct http_options){0};
}
