#include "components/kubernetes_access.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"
#include "conf/file.h"
#include "lang/yaml.h"
#include "net/url.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

enum { KUBECONFIG_MAX = 1 << 20, NAMESPACE_MAX = 4096, MESSAGE_MAX = 300 };

static bool kube_access_given(const char *s)
{
    return s && *s;
}

bool kubernetes_access_is_custom(const struct http_settings *h)
{
    const struct tls_args *t = &h->tls_config;
    const char *const texts[] = {h->bearer_token, h->bearer_token_file, h->proxy_url,  h->no_proxy,
                                 t->ca_pem,       t->ca_file,           t->cert_pem,   t->cert_file,
                                 t->key_pem,      t->key_file,          t->server_name};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (kube_access_given(texts[i]))
            return true;
    }
    return h->has_basic_auth || h->has_authorization || h->has_oauth2 || h->proxy_from_environment ||
           !h->follow_redirects || !h->enable_http2 || h->proxy_connect_header.len || h->http_headers.len ||
           t->insecure_skip_verify || t->min_version != HTTP_TLS_DEFAULT;
}

/* --- the service account of the pod --- */

static int kube_access_in_cluster(struct kubernetes_access *a, struct err *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    if (!kube_access_given(host) || !kube_access_given(port))
        return err_set(err, -ENOENT,
                       "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT "
                       "must be defined");
    const bool is_ipv6 = strchr(host, ':') && host[0] != '[';
    a->server = is_ipv6 ? xasprintf("https://[%s]:%s", host, port) : xasprintf("https://%s:%s", host, port);
    a->own.bearer_token_file = xstrdup(SERVICE_ACCOUNT "token");
    a->own.tls_config.ca_file = xstrdup(SERVICE_ACCOUNT "ca.crt");
    return 0;
}

int kubernetes_access_namespace(char **ret, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(NAMESPACE_MAX);
    const int code = conf_file_read(SERVICE_ACCOUNT "namespace", NAMESPACE_MAX, CONF_REGULAR, &text, NULL, err);
    if (code < 0)
        return err_wrap(err, code, "could not determine the pod's namespace: open " SERVICE_ACCOUNT "namespace");
    const struct str name = str_trim(buf_slice(&text));
    if (!name.n)
        return err_set(err, -EINVAL, "could not read own namespace name (empty file)");
    *ret = str_dup(name);
    return 0;
}

/* --- kubeconfig --- */

/* Of the entry called `name` in the list: its `inner` object; NULL if there is none. */
static struct value *kubeconfig_entry(const struct value *root, struct str list, struct str inner, struct str name)
{
    const struct value *items = value_member(root, list);
    for (size_t i = 0; items && value_kind(items) == VALUE_ARRAY && i < value_len(items); i++) {
        const struct value *item = value_item(items, i);
        const struct value *called = value_kind(item) == VALUE_OBJECT ? value_member(item, STR("name")) : NULL;
        struct value *content = called ? value_member(item, inner) : NULL;
        if (content && value_kind(called) == VALUE_STRING && str_eq(value_as_str(called), name) &&
            value_kind(content) == VALUE_OBJECT)
            return content;
    }
    return NULL;
}

/* "" if it is missing. */
static struct str kubeconfig_text(const struct value *object, struct str key)
{
    const struct value *v = object ? value_member(object, key) : NULL;
    return v && value_kind(v) == VALUE_STRING ? value_as_str(v) : STR("");
}

static char *kubeconfig_copy(const struct value *object, struct str key)
{
    const struct str text = kubeconfig_text(object, key);
    return text.n ? str_dup(text) : NULL;
}

/* File names are relative to the directory of the kubeconfig. */
static char *kubeconfig_path(const struct value *object, struct str key, const char *kubeconfig)
{
    const struct str text = kubeconfig_text(object, key);
    const char *slash = strrchr(kubeconfig, '/');
    if (!text.n || text.p[0] == '/' || !slash)
        return text.n ? str_dup(text) : NULL;
    return xasprintf("%.*s%.*s", (int)(slash - kubeconfig) + 1, kubeconfig, STR_ARG(text));
}

static int kubeconfig_data(const struct value *object, const char *key, char **ret, struct err *err)
{
    const struct str text = kubeconfig_text(object, str_of(key));
    cleanup_buf struct buf data = BUF_INIT(KUBECONFIG_MAX);
    if (!text.n)
        return 0;
    const int code = base64_decode(text, base64_standard, &data, err);
    if (code < 0)
        return err_wrap(err, code, "%s", key);
    *ret = xstrdup(buf_cstr(&data));
    return 0;
}

static int kubeconfig_cluster(struct kubernetes_access *a, const struct value *cluster, const char *path,
                              struct err *err)
{
    struct tls_args *t = &a->own.tls_config;
    a->server = kubeconfig_copy(cluster, STR("server"));
    if (!a->server)
        return err_set(err, -EINVAL, "the cluster has no server");
    t->insecure_skip_verify = str_is(kubeconfig_text(cluster, STR("insecure-skip-tls-verify")), "true");
    t->server_name = kubeconfig_copy(cluster, STR("tls-server-name"));
    a->own.proxy_url = kubeconfig_copy(cluster, STR("proxy-url"));
    const int code = kubeconfig_data(cluster, "certificate-authority-data", &t->ca_pem, err);
    if (code == 0 && !t->ca_pem)
        t->ca_file = kubeconfig_path(cluster, STR("certificate-authority"), path);
    return code;
}

static int kubeconfig_user(struct kubernetes_access *a, const struct value *user, const char *path, struct err *err)
{
    struct tls_args *t = &a->own.tls_config;
    static const char *const plugins[] = {"exec", "auth-provider", "as"};
    for (size_t i = 0; i < ARRAY_LEN(plugins); i++) {
        if (value_member(user, str_of(plugins[i])))
            return err_set(err, -EOPNOTSUPP,
                           "\"%s\" of the user is not supported; use a token, tokenFile or client certificate",
                           plugins[i]);
    }
    int code = kubeconfig_data(user, "client-certificate-data", &t->cert_pem, err);
    if (code == 0)
        code = kubeconfig_data(user, "client-key-data", &t->key_pem, err);
    if (code < 0)
        return code;
    if (!t->cert_pem)
        t->cert_file = kubeconfig_path(user, STR("client-certificate"), path);
    if (!t->key_pem)
        t->key_file = kubeconfig_path(user, STR("client-key"), path);
    a->own.bearer_token = kubeconfig_copy(user, STR("token"));
    a->own.bearer_token_file = kubeconfig_path(user, STR("tokenFile"), path);
    a->own.has_basic_auth = kubeconfig_text(user, STR("username")).n > 0;
    a->own.basic_auth.username = kubeconfig_copy(user, STR("username"));
    a->own.basic_auth.password = kubeconfig_copy(user, STR("password"));
    secret_learn(kubeconfig_text(user, STR("token")));
    secret_learn(kubeconfig_text(user, STR("password")));
    return 0;
}

static int kubeconfig_use(struct kubernetes_access *a, const struct value *root, const char *path, struct err *err)
{
    if (value_kind(root) != VALUE_OBJECT)
        return err_set(err, -EINVAL, "not a kubeconfig");
    const struct str current = kubeconfig_text(root, STR("current-context"));
    const struct value *context = kubeconfig_entry(root, STR("contexts"), STR("context"), current);
    if (!context)
        return err_set(err, -EINVAL, "context \"%.*s\" does not exist", STR_ARG(current));
    const struct str cluster_name = kubeconfig_text(context, STR("cluster")),
                     user_name = kubeconfig_text(context, STR("user"));
    const struct value *cluster = kubeconfig_entry(root, STR("clusters"), STR("cluster"), cluster_name),
                       *user = kubeconfig_entry(root, STR("users"), STR("user"), user_name);
    if (!cluster)
        return err_set(err, -EINVAL, "cluster \"%.*s\" does not exist", STR_ARG(cluster_name));
    if (!user && user_name.n)
        return err_set(err, -EINVAL, "user \"%.*s\" does not exist", STR_ARG(user_name));
    const int code = kubeconfig_cluster(a, cluster, path, err);
    return code < 0 || !user ? code : kubeconfig_user(a, user, path, err);
}

static int kube_access_from_file(struct kubernetes_access *a, const char *path, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(KUBECONFIG_MAX);
    cleanup_value struct value *root = NULL;
    int code = conf_file_read(path, KUBECONFIG_MAX, CONF_REGULAR, &text, NULL, err);
    if (code == 0)
        code = yaml_read_strings(buf_slice(&text), &root, err);
    if (code == 0)
        code = kubeconfig_use(a, root, path, err);
    return code < 0 ? err_wrap(err, code, "kubeconfig %s", path) : 0;
}

/* --- both --- */

static void kube_access_free_own(struct http_settings *h)
{
    struct tls_args *t = &h->tls_config;
    char *const texts[] = {h->bearer_token, h->bearer_token_file, h->proxy_url,           t->ca_pem,
                           t->ca_file,      t->cert_pem,          t->cert_file,           t->key_pem,
                           t->key_file,     t->server_name,       h->basic_auth.username, h->basic_auth.password};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    *h = (struct http_settings){0};
}

static int kube_access_check_server(struct kubernetes_access *a, struct err *err)
{
    cleanup_http_url struct http_url url = {0};
    size_t n = strlen(a->server);
    while (n > 0 && a->server[n - 1] == '/')
        a->server[--n] = '\0';
    return http_url_parse(a->server, &url, err);
}

int kubernetes_access_open(struct kubernetes_access *a, const char *api_server, const char *kubeconfig,
                           const struct http_settings *http, struct err *err)
{
    *a = KUBERNETES_ACCESS_INIT;
    a->own.follow_redirects = a->own.enable_http2 = true;
    int code = 0;
    if (kube_access_given(kubeconfig))
        code = kube_access_from_file(a, kubeconfig, err);
    else if (kube_access_given(api_server))
        a->server = xstrdup(api_server);
    else
        code = kube_access_in_cluster(a, err);
    a->http = kube_access_given(kubeconfig) || !kube_access_given(api_server) ? &a->own : http;
    if (code == 0)
        code = kube_access_check_server(a, err);
    if (code == 0)
        code = http_settings_open(a->http, &a->opened, err);
    if (code < 0)
        kubernetes_access_close(a);
    return code;
}

void kubernetes_access_close(struct kubernetes_access *a)
{
    http_settings_close(&a->opened);
    kube_access_free_own(&a->own);
    free(a->server);
    *a = KUBERNETES_ACCESS_INIT;
}

/* --- requests --- */

int kubernetes_access_get(const struct kubernetes_access *a, struct http_client *client,
                          const struct kubernetes_request *req, struct http_call **ret, struct err *err)
{
    cleanup_free char *authorization = NULL, *header = NULL, *url = xasprintf("%s%s", a->server, req->path),
                      *agent = xasprintf("User-Agent: smolder/%s", req->version);
    int code = http_settings_authorization(a->http, &authorization, err);
    if (code < 0)
        return code;
    const struct header_lines *more = &a->http->http_headers;
    cleanup_free const char **headers = xcalloc(more->len + 4, sizeof *headers);
    size_t n = 0;
    headers[n++] = agent;
    headers[n++] = "Accept: application/json";
    if (authorization)
        headers[n++] = header = xasprintf("Authorization: %s", authorization);
    for (size_t i = 0; i < more->len; i++)
        headers[n++] = more->lines[i];
    const struct http_request http = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .timeout_ms = req->timeout_ms,
        .follow_redirects = a->http->follow_redirects,
        .http2 = a->http->enable_http2,
        .proxy = a->opened.proxy,
        .tls = a->opened.tls,
        .authorizer = oauth2_authorizer(a->opened.oauth2),
        .response_max = req->response_max,
        .piece = req->piece,
    };
    return http_start(client, &http, req->done, req->arg, ret, err);
}

char *kubernetes_access_failure(const struct http_response *r)
{
    if (!r->status)
        return xstrdup(*r->error ? r->error : "no answer");
    json_t *status = json_loadb(r->body.p, r->body.n, 0, NULL);
    const char *message = json_string_value(json_object_get(status, "message"));
    char *text = message && *message ? xasprintf("HTTP status %d: %.*s", r->status, MESSAGE_MAX, message)
                                     : xasprintf("HTTP status %d", r->status);
    json_decref(status);
    return text;
}
