#include "net/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/curl_library.h"

static char *http_url_part(CURLU *u, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = xstrdup(text);
    curl_free(text);
    return copy;
}

static bool http_url_has(CURLU *u, CURLUPart what)
{
    char *text = http_url_part(u, what, 0);
    free(text);
    return text != NULL;
}

static int http_url_fill(CURLU *u, struct http_url *url)
{
    char *scheme = http_url_part(u, CURLUPART_SCHEME, 0), *port = http_url_part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    uint64_t number = 0;
    bool fine = scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) && port &&
                str_to_u64(str_of(port), &number);
    url->tls = fine && strcmp(scheme, "https") == 0;
    url->port = (unsigned)number;
    url->host = http_url_part(u, CURLUPART_HOST, 0);
    url->query = http_url_has(u, CURLUPART_QUERY) || http_url_has(u, CURLUPART_FRAGMENT);
    free(scheme);
    free(port);
    return fine && url->host && *url->host ? 0 : -EINVAL;
}

/* As written but for what stands before the last '@' of the authority (RFC 3986 §3.2). */
static char *http_url_without_user(const char *text)
{
    const char *authority = strstr(text, "://") + 3, *end = authority + strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', (size_t)(end - authority));
    return xasprintf("%.*s%s", (int)(authority - text), text, at ? at + 1 : authority);
}

/* libcurl would take "://x", too, and "localhost:4040" as scheme "localhost". */
static bool http_url_has_scheme(const char *text)
{
    return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

int http_url_parse(const char *text, struct http_url *ret, struct err *err)
{
    if (!http_url_has_scheme(text))
        return err_set(err, -EINVAL, "url must start with http:// or https://");
    int code = curl_library_open(err);
    if (code < 0)
        return code;
    CURLU *u = curl_url();
    if (!u)
        return err_set(err, -ENOMEM, "parse url");
    struct http_url url = {0};
    CURLUcode set = curl_url_set(u, CURLUPART_URL, text, 0);
    code = set == CURLUE_OK ? http_url_fill(u, &url) : -EINVAL;
    curl_url_cleanup(u);
    if (code < 0) {
        http_url_done(&url);
        return err_set(err, code, "malformed url: missing or invalid host or port");
    }
    url.bare = http_url_without_user(text);
    *ret = url;
    return 0;
}

void http_url_done(struct http_url *u)
{
    free(u->host);
    free(u->bare);
    *u = (struct http_url){0};
}

bool http_url_is_loopback(const struct http_url *u)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, u->host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcasecmp(u->host, "localhost") == 0 || strcmp(u->host, "[::1]") == 0 ||
           str_has_suffix(str_of(u->host), STR(".localhost"));
}

void http_url_encode(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c)))
            buf_byte(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
}
