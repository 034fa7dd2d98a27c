#include "components/http_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"
#include "conf/file.h"
#include "net/url.h"

enum { SECRET_FILE_MAX = 65536, OAUTH2_FORM_MAX = 64 << 10 };

static bool http_settings_given(const char *s)
{
    return s && *s;
}

static int at_most_one(const char *a, const char *b, const char *text, struct err *err)
{
    return http_settings_given(a) && http_settings_given(b)
               ? err_set(err, -EINVAL, "at most one of %s must be configured", text)
               : 0;
}

/* --- header lines --- */

/* RFC 9110 §5.6.2 token, §5.5 field-value without obs-fold. */
static bool header_name_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c))
            return false;
    }
    return s.n > 0;
}

static bool header_value_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

int header_line(struct str name, struct str value, char **ret, struct err *err)
{
    if (!header_name_ok(name))
        return err_set(err, -EINVAL, "\"%.*s\" is not a valid header name", STR_ARG(name));
    if (!header_value_ok(value))
        return err_set(err, -EINVAL, "the value of header \"%.*s\" contains control characters", STR_ARG(name));
    value = str_trim(value);
    if (secret_header(name))
        secret_learn(value);
    /* libcurl takes "Name:" as an order to leave the header out, and "Name;" as one without a value. */
    *ret = value.n ? xasprintf("%.*s: %.*s", STR_ARG(name), STR_ARG(value)) : xasprintf("%.*s;", STR_ARG(name));
    return 0;
}

static void header_lines_done(void *field)
{
    struct header_lines *h = field;
    for (size_t i = 0; i < h->len; i++)
        free(h->lines[i]);
    free(h->lines);
    *h = (struct header_lines){0};
}

static int add_line(struct header_lines *h, size_t *cap, struct str name, const struct value *v, struct err *err)
{
    struct str text;
    char *line;
    if (!value_secret_text(v, &text))
        return err_set(err, -EINVAL, "header \"%.*s\": expected string or secret, got %s", STR_ARG(name),
                       value_kind_name(value_kind(v)));
    int code = header_line(name, text, &line, err);
    if (code < 0)
        return code;
    xgrow(&h->lines, cap, h->len + 2, sizeof *h->lines);
    h->lines[h->len++] = line;
    h->lines[h->len] = NULL;
    return 0;
}

static int header_lines_decode(struct value *v, void *field, struct err *err)
{
    struct header_lines *ret = field, h = {0};
    size_t cap = 0;
    int code = 0;
    if (value_kind(v) != VALUE_OBJECT)
        return err_set(err, -EINVAL, "expected object, got %s", value_kind_name(value_kind(v)));
    for (size_t i = 0; code == 0 && i < value_len(v); i++) {
        struct value *values;
        struct str name = value_key(v, i, &values);
        if (value_kind(values) != VALUE_ARRAY)
            code = err_set(err, -EINVAL, "header \"%.*s\": expected array, got %s", STR_ARG(name),
                           value_kind_name(value_kind(values)));
        for (size_t k = 0; code == 0 && k < value_len(values); k++)
            code = add_line(&h, &cap, name, value_item(values, k), err);
    }
    if (code < 0)
        header_lines_done(&h);
    else
        *ret = h;
    return code;
}

static bool header_lines_equal(const void *a, const void *b)
{
    const struct header_lines *x = a, *y = b;
    bool same = x->len == y->len;
    for (size_t i = 0; same && i < x->len; i++)
        same = strcmp(x->lines[i], y->lines[i]) == 0;
    return same;
}

static struct value *header_lines_to_value(const void *field)
{
    const struct header_lines *h = field;
    struct value *object = value_object();
    for (size_t i = 0; i < h->len;) {
        size_t n = strcspn(h->lines[i], ":;"), count = 0;
        struct value **items = xcalloc(h->len, sizeof(struct value *));
        const char *first = h->lines[i];
        for (; i < h->len && strncmp(h->lines[i], first, n) == 0 && strcspn(h->lines[i], ":;") == n; i++) {
            struct str value = str_trim(str_of(h->lines[i] + n + 1));
            items[count++] = value_secret(value);
        }
        value_object_put(object, (struct str){first, n}, value_array(items, count));
        free(items);
    }
    return object;
}

const struct option_type header_lines_option = {
    .name = "map(list(secret))",
    .decode = header_lines_decode,
    .done = header_lines_done,
    .equal = header_lines_equal,
    .to_value = header_lines_to_value,
};

/* --- tables --- */

static int basic_auth_check(const void *record, struct err *err)
{
    const struct basic_auth_args *a = record;
    return at_most_one(a->password, a->password_file, "basic_auth password & password_file", err);
}

const struct schema basic_auth_schema = {
    .size = sizeof(struct basic_auth_args),
    .options =
        (const struct option[]){
            {"username", OPT_STRING, offsetof(struct basic_auth_args, username), .help = "User name."},
            {"password", OPT_SECRET, offsetof(struct basic_auth_args, password), .help = "Password."},
            {"password_file", OPT_STRING, offsetof(struct basic_auth_args, password_file),
             .help = "File with the password; read for every request."},
            {0}},
    .validate = basic_auth_check,
};

static int authorization_check(const void *record, struct err *err)
{
    const struct authorization_args *a = record;
    struct str type = str_trim(str_of(a->type));
    if (type.n == strlen("basic") && strncasecmp(type.p, "basic", type.n) == 0)
        return err_set(err, -EINVAL, "authorization type cannot be set to \"basic\", use \"basic_auth\" block instead");
    return at_most_one(a->credentials, a->credentials_file, "authorization credentials & credentials_file", err);
}

const struct schema authorization_schema = {
    .size = sizeof(struct authorization_args),
    .options =
        (const struct option[]){
            {"type", OPT_STRING, offsetof(struct authorization_args, type), .default_text = "\"Bearer\"",
             .help = "Authorization type."},
            {"credentials", OPT_SECRET, offsetof(struct authorization_args, credentials), .help = "Credentials."},
            {"credentials_file", OPT_STRING, offsetof(struct authorization_args, credentials_file),
             .help = "File with the credentials; read for every request."},
            {0}},
    .validate = authorization_check,
};

static const struct option_words tls_version_words = {
    .unknown = "unknown TLS version",
    .form = UNKNOWN_COLON,
    .words = (const struct option_word[]){{"", HTTP_TLS_DEFAULT},
                                          {"TLS10", HTTP_TLS_10},
                                          {"TLS11", HTTP_TLS_11},
                                          {"TLS12", HTTP_TLS_12},
                                          {"TLS13", HTTP_TLS_13},
                                          {0}},
};

static int tls_check(const void *record, struct err *err)
{
    const struct tls_args *t = record;
    bool cert = http_settings_given(t->cert_pem) || http_settings_given(t->cert_file),
         key = http_settings_given(t->key_pem) || http_settings_given(t->key_file);
    int code = at_most_one(t->ca_pem, t->ca_file, "ca_pem and ca_file", err);
    if (code == 0)
        code = at_most_one(t->cert_pem, t->cert_file, "cert_pem and cert_file", err);
    if (code == 0)
        code = at_most_one(t->key_pem, t->key_file, "key_pem and key_file", err);
    if (code == 0 && cert && !key)
        code = err_set(err, -EINVAL,
                       "exactly one of key_pem or key_file must be configured when a client certificate is configured");
    if (code == 0 && key && !cert)
        code = err_set(err, -EINVAL,
                       "exactly one of cert_pem or cert_file must be configured when a client key is configured");
    return code;
}

const struct schema tls_config_schema = {
    .size = sizeof(struct tls_args),
    .options =
        (const struct option[]){
            {"ca_pem", OPT_STRING, offsetof(struct tls_args, ca_pem), .help = "CA certificates in PEM format."},
            {"ca_file", OPT_STRING, offsetof(struct tls_args, ca_file), .help = "File with CA certificates."},
            {"cert_pem", OPT_STRING, offsetof(struct tls_args, cert_pem), .help = "Client certificate in PEM format."},
            {"cert_file", OPT_STRING, offsetof(struct tls_args, cert_file),
             .help = "File with the client certificate."},
            {"key_pem", OPT_SECRET, offsetof(struct tls_args, key_pem), .help = "Client key in PEM format."},
            {"key_file", OPT_STRING, offsetof(struct tls_args, key_file), .help = "File with the client key."},
            {"server_name", OPT_STRING, offsetof(struct tls_args, server_name),
             .help = "Server name to request (SNI) and verify; default: host of the URL."},
            {"insecure_skip_verify", OPT_BOOL, offsetof(struct tls_args, insecure_skip_verify), .default_text = "false",
             .help = "Do not verify the server certificate."},
            {"min_version", OPT_ENUM, offsetof(struct tls_args, min_version), .words = &tls_version_words,
             .help = "Minimum TLS version; `TLS12` if not set."},
            {0}},
    .validate = tls_check,
};

/* The same rules for the requests and for those of tokens. */
struct proxy_args {
    const char *url, *no_proxy;
    bool from_environment;
    const struct header_lines *connect_header;
};

static int check_proxy(const struct proxy_args *s, struct err *err)
{
    if (s->connect_header->len && !http_settings_given(s->url) && !s->from_environment)
        return err_set(
            err, -EINVAL,
            "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured");
    if (s->from_environment && http_settings_given(s->url))
        return err_set(err, -EINVAL, "if proxy_from_environment is configured, proxy_url must not be configured");
    if (s->from_environment && http_settings_given(s->no_proxy))
        return err_set(err, -EINVAL, "if proxy_from_environment is configured, no_proxy must not be configured");
    if (http_settings_given(s->no_proxy) && !http_settings_given(s->url))
        return err_set(err, -EINVAL, "if no_proxy is configured, proxy_url must also be configured");
    cleanup_http_url struct http_url proxy = {0};
    int code = http_settings_given(s->url) ? http_url_parse(s->url, &proxy, err) : 0;
    return code < 0 ? err_wrap(err, code, "proxy_url") : 0;
}

static int oauth2_check(const void *record, struct err *err)
{
    const struct oauth2_args *a = record;
    if (!http_settings_given(a->client_id))
        return err_set(err, -EINVAL, "oauth2 client_id must be configured");
    if (!http_settings_given(a->client_secret) && !http_settings_given(a->client_secret_file))
        return err_set(err, -EINVAL, "either oauth2 client_secret or client_secret_file must be configured");
    if (!http_settings_given(a->token_url))
        return err_set(err, -EINVAL, "oauth2 token_url must be configured");
    int code = at_most_one(a->client_secret, a->client_secret_file, "oauth2 client_secret & client_secret_file", err);
    cleanup_http_url struct http_url url = {0};
    if (code == 0 && http_url_parse(a->token_url, &url, err) < 0)
        code = err_wrap(err, -EINVAL, "oauth2 token_url");
    const struct proxy_args proxy = {a->proxy_url, a->no_proxy, a->proxy_from_environment, &a->proxy_connect_header};
    return code < 0 ? code : check_proxy(&proxy, err);
}

const struct schema oauth2_schema = {
    .size = sizeof(struct oauth2_args),
    .options =
        (const struct option[]){
            {"client_id", OPT_STRING, offsetof(struct oauth2_args, client_id), .help = "Client ID."},
            {"client_secret", OPT_SECRET, offsetof(struct oauth2_args, client_secret), .help = "Client secret."},
            {"client_secret_file", OPT_STRING, offsetof(struct oauth2_args, client_secret_file),
             .help = "File with the client secret; read for every token."},
            {"scopes", OPT_STRING_LIST, offsetof(struct oauth2_args, scopes), .help = "Scopes to request."},
            {"token_url", OPT_STRING, offsetof(struct oauth2_args, token_url), .help = "Token URL."},
            {"endpoint_params", OPT_STRING_MAP, offsetof(struct oauth2_args, endpoint_params),
             .help = "Additional parameters of the token request."},
            {"proxy_url", OPT_STRING, offsetof(struct oauth2_args, proxy_url), .help = "Proxy for the token request."},
            {"no_proxy", OPT_STRING, offsetof(struct oauth2_args, no_proxy),
             .help = "Addresses, CIDR ranges and domain names that bypass the proxy."},
            {"proxy_from_environment", OPT_BOOL, offsetof(struct oauth2_args, proxy_from_environment),
             .default_text = "false", .help = "Use the proxy from the environment."},
            {"proxy_connect_header", OPT_CUSTOM, offsetof(struct oauth2_args, proxy_connect_header),
             .custom = &header_lines_option, .help = "Headers of CONNECT requests to the proxy."},
            {"tls_config", OPT_BLOCK, offsetof(struct oauth2_args, tls_config), .block = &tls_config_schema,
             .help = "TLS of the token request."},
            {0}},
    .validate = oauth2_check,
};

/* --- rules between options --- */

static int check_forbidden_headers(const struct header_lines *h, struct err *err)
{
    static const char *const forbidden[] = {
        "Authorization",
        "Host",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "User-Agent",
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Www-Authenticate",
        "Accept-Encoding",
        "X-Prometheus-Remote-Write-Version",
        "X-Prometheus-Remote-Read-Version",
        "X-Prometheus-Scrape-Timeout-Seconds",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
    };
    for (size_t i = 0; i < h->len; i++) {
        size_t n = strcspn(h->lines[i], ":;");
        for (size_t k = 0; k < ARRAY_LEN(forbidden); k++) {
            if (strlen(forbidden[k]) == n && strncasecmp(h->lines[i], forbidden[k], n) == 0)
                return err_set(err, -EINVAL, "setting header \"%.*s\" is not allowed", (int)n, h->lines[i]);
        }
    }
    return 0;
}

int http_settings_check(const struct http_settings *s, struct err *err)
{
    int ways = s->has_basic_auth + s->has_authorization + s->has_oauth2 + http_settings_given(s->bearer_token) +
               http_settings_given(s->bearer_token_file);
    if (ways > 1)
        return err_set(
            err, -EINVAL,
            "at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured");
    const struct proxy_args proxy = {s->proxy_url, s->no_proxy, s->proxy_from_environment, &s->proxy_connect_header};
    int code = check_proxy(&proxy, err);
    return code < 0 ? code : check_forbidden_headers(&s->http_headers, err);
}

/* --- at run time --- */

static int read_secret(const char *path, char **ret, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(SECRET_FILE_MAX);
    const int code = conf_file_read(path, SECRET_FILE_MAX, CONF_NO_WAIT, &text, NULL, err);
    if (code < 0)
        return err_wrap(err, code, "open %s", path);
    *ret = str_dup(str_trim(buf_slice(&text)));
    if (text.len)
        explicit_bzero(text.p, text.len);
    return 0;
}

/* A variable filled from a file ends with the file's newline, which belongs to no secret. */
static struct str without_newline(const char *text)
{
    struct str s = str_of(text ? text : "");
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

static int secret_of(const char *text, const char *path, char **ret, struct err *err)
{
    if (http_settings_given(path))
        return read_secret(path, ret, err);
    *ret = str_dup(without_newline(text));
    return 0;
}

int http_settings_authorization(const struct http_settings *s, char **ret, struct err *err)
{
    cleanup_free char *secret = NULL, *value = NULL;
    int code = 0;
    if (s->has_basic_auth) {
        code = secret_of(s->basic_auth.password, s->basic_auth.password_file, &secret, err);
        if (code < 0)
            return err_wrap(err, code, "basic_auth password_file");
        const struct str user = without_newline(s->basic_auth.username);
        cleanup_free char *pair = xasprintf("%.*s:%s", STR_ARG(user), secret);
        cleanup_free char *coded = base64_encode(str_of(pair));
        value = xasprintf("Basic %s", coded);
    } else if (s->has_authorization && (http_settings_given(s->authorization.credentials) ||
                                        http_settings_given(s->authorization.credentials_file))) {
        code = secret_of(s->authorization.credentials, s->authorization.credentials_file, &secret, err);
        if (code < 0)
            return err_wrap(err, code, "authorization credentials_file");
        struct str type = str_trim(str_of(s->authorization.type));
        value = xasprintf("%.*s %s", STR_ARG(type.n ? type : STR("Bearer")), secret);
    } else if (http_settings_given(s->bearer_token) || http_settings_given(s->bearer_token_file)) {
        code = secret_of(s->bearer_token, s->bearer_token_file, &secret, err);
        if (code < 0)
            return err_wrap(err, code, "bearer_token_file");
        value = xasprintf("Bearer %s", secret);
    }
    if (value && !header_value_ok(str_of(value)))
        return err_set(err, -EINVAL, "the credentials contain control characters");
    *ret = TAKE_PTR(value);
    return 0;
}

static int put_pem(const char *pem, int *fd, char **path, struct err *err)
{
    if (!http_settings_given(pem))
        return 0;
    *fd = memfd_create("pem", MFD_CLOEXEC);
    size_t n = strlen(pem);
    if (*fd < 0 || write(*fd, pem, n) != (ssize_t)n)
        return err_errno(err, "keep a PEM text in memory");
    *path = xasprintf("/proc/self/fd/%d", *fd);
    return 0;
}

static int open_tls(const struct tls_args *t, struct http_settings_pem *pem, struct http_tls *ret, struct err *err)
{
    int code = put_pem(t->ca_pem, &pem->ca_fd, &pem->ca_path, err);
    if (code == 0)
        code = put_pem(t->cert_pem, &pem->cert_fd, &pem->cert_path, err);
    if (code == 0)
        code = put_pem(t->key_pem, &pem->key_fd, &pem->key_path, err);
    if (code < 0)
        return code;
    *ret = (struct http_tls){
        .ca_file = pem->ca_fd >= 0 ? pem->ca_path : t->ca_file,
        .cert_file = pem->cert_fd >= 0 ? pem->cert_path : t->cert_file,
        .key_file = pem->key_fd >= 0 ? pem->key_path : t->key_file,
        .server_name = t->server_name,
        .insecure_skip_verify = t->insecure_skip_verify,
        .min_version = t->min_version,
    };
    return 0;
}

static int open_oauth2(const struct oauth2_args *a, struct http_settings_open *o, struct err *err)
{
    struct buf scopes = BUF_INIT(OAUTH2_FORM_MAX), form = BUF_INIT(OAUTH2_FORM_MAX);
    struct oauth2_settings s = {
        .token_url = a->token_url,
        .client_id = a->client_id,
        .client_secret = a->client_secret,
        .client_secret_file = a->client_secret_file,
        .proxy = {a->proxy_url, a->no_proxy, a->proxy_from_environment,
                  (const char *const *)a->proxy_connect_header.lines},
    };
    int code = open_tls(&a->tls_config, &o->oauth2_pem, &s.tls, err);
    for (size_t i = 0; i < a->scopes.len; i++)
        buf_printf(&scopes, "%s%s", i ? " " : "", a->scopes.items[i]);
    if (a->scopes.len)
        oauth2_form_put(&form, STR("scope"), buf_slice(&scopes));
    for (size_t i = 0; i < a->endpoint_params.len; i++)
        oauth2_form_put(&form, str_of(a->endpoint_params.items[i].name), str_of(a->endpoint_params.items[i].value));
    buf_done(&scopes);
    size_t len;
    char *fields = (char *)buf_take(&form, &len);
    if (code < 0)
        free(fields);
    else
        o->oauth2 = oauth2_new(&s, fields);
    return code;
}

int http_settings_open(const struct http_settings *s, struct http_settings_open *o, struct err *err)
{
    *o = HTTP_SETTINGS_OPEN_INIT;
    int code = open_tls(&s->tls_config, &o->pem, &o->tls, err);
    if (code == 0 && s->has_oauth2)
        code = open_oauth2(&s->oauth2, o, err);
    if (code < 0) {
        http_settings_close(o);
        return code;
    }
    o->proxy = (struct http_proxy){
        .url = s->proxy_url,
        .no_proxy = s->no_proxy,
        .from_environment = s->proxy_from_environment,
        .connect_headers = (const char *const *)s->proxy_connect_header.lines,
    };
    return 0;
}

static void close_pem(struct http_settings_pem *pem)
{
    free(pem->ca_path);
    free(pem->cert_path);
    free(pem->key_path);
    const int fds[] = {pem->ca_fd, pem->cert_fd, pem->key_fd};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

void http_settings_close(struct http_settings_open *o)
{
    struct oauth2 *tokens = TAKE_PTR(o->oauth2);
    close_pem(&o->pem);
    close_pem(&o->oauth2_pem);
    *o = HTTP_SETTINGS_OPEN_INIT;
    oauth2_free(tokens);
}
