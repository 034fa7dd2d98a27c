#include "components/kubernetes_access.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

static const struct http_settings plain = {.follow_redirects = true, .enable_http2 = true};
static char dir[] = "/tmp/test-access-XXXXXX";

static int open_file(struct kubernetes_access *a, const char *text, struct err *err)
{
    cleanup_free char *path = xasprintf("%s/kubeconfig", dir);
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0)
        abort();
    fclose(f);
    const int code = kubernetes_access_open(a, "", path, &plain, err);
    unlink(path);
    return code;
}

#define KUBECONFIG(cluster, user)                                                                                      \
    "current-context: c\ncontexts:\n- name: other\n  context: {cluster: x, user: y}\n"                                 \
    "- name: c\n  context: {cluster: k, user: u, namespace: n}\n"                                                      \
    "clusters:\n- name: k\n  cluster: {" cluster "}\nusers:\n- name: u\n  user: {" user "}\n"

static void check_error(const char *text, const char *want)
{
    struct kubernetes_access a;
    struct err err = {0};
    CHECK(open_file(&a, text, &err) < 0);
    CHECK_HAS(err.text, want);
}

static void a_kubeconfig_becomes_settings(void)
{
    struct kubernetes_access a;
    struct err err = {0};
    CHECK_INT(open_file(&a,
                        KUBECONFIG("server: \"https://k:6443/\", certificate-authority: ca/x.pem, tls-server-name: s, "
                                   "proxy-url: \"http://p\"",
                                   "tokenFile: /run/t, client-certificate-data: Y2VydA==, client-key-data: a2V5"),
                        &err),
              0);
    CHECK_STR(a.server, "https://k:6443");
    CHECK_HAS(a.http->tls_config.ca_file, dir);
    CHECK_HAS(a.http->tls_config.ca_file, "/ca/x.pem");
    CHECK_STR(a.http->tls_config.server_name, "s");
    CHECK_STR(a.http->proxy_url, "http://p");
    CHECK_STR(a.http->bearer_token_file, "/run/t");
    CHECK_STR(a.http->tls_config.cert_pem, "cert");
    CHECK_STR(a.http->tls_config.key_pem, "key");
    CHECK(a.http->follow_redirects && a.http->enable_http2);
    kubernetes_access_close(&a);
    CHECK_INT(open_file(&a,
                        KUBECONFIG("server: \"https://k\", insecure-skip-tls-verify: true", "token: t1, username: me, "
                                                                                            "password: pw"),
                        &err),
              0);
    CHECK(a.http->tls_config.insecure_skip_verify && a.http->has_basic_auth);
    CHECK_STR(a.http->bearer_token, "t1");
    kubernetes_access_close(&a);
}

static void what_is_wrong_in_a_kubeconfig_is_said(void)
{
    check_error("[1]", "not a kubeconfig");
    check_error("current-context: x", "context \"x\" does not exist");
    check_error("current-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n",
                "cluster \"k\" does not exist");
    check_error(KUBECONFIG("a: b", ""), "the cluster has no server");
    check_error(KUBECONFIG("server: \"k:6443\"", ""), "url must start with http");
    check_error(KUBECONFIG("server: \"https://k\"", "exec: {command: aws}"), "\"exec\" of the user is not supported");
    check_error(KUBECONFIG("server: \"https://k\"", "client-key-data: \"%\""), "client-key-data: illegal base64");
    check_error("a: [", "yaml");
    struct kubernetes_access a;
    struct err err = {0};
    CHECK(kubernetes_access_open(&a, "", "/nowhere/kubeconfig", &plain, &err) < 0);
    CHECK_HAS(err.text, "kubeconfig /nowhere/kubeconfig: No such file");
}

static void a_pod_has_an_address_in_its_environment(void)
{
    struct kubernetes_access a;
    struct err err = {0};
    unsetenv("KUBERNETES_SERVICE_HOST");
    CHECK(kubernetes_access_open(&a, "", "", &plain, &err) < 0);
    CHECK_STR(err.text, "unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
                        "KUBERNETES_SERVICE_PORT must be defined");
    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    CHECK_INT(kubernetes_access_open(&a, "", "", &plain, &err), 0);
    CHECK_STR(a.server, "https://[fd00::1]:443");
    CHECK_STR(a.http->bearer_token_file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
    CHECK_STR(a.http->tls_config.ca_file, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
    kubernetes_access_close(&a);
    unsetenv("KUBERNETES_SERVICE_HOST");
}

static void settings_that_differ_are_noticed(void)
{
    char path[] = "x", none[] = "";
    CHECK(!kubernetes_access_is_custom(&plain));
    struct http_settings s = plain;
    s.enable_http2 = false;
    CHECK(kubernetes_access_is_custom(&s));
    s = plain;
    s.tls_config.ca_file = path;
    CHECK(kubernetes_access_is_custom(&s));
    s = plain;
    s.bearer_token_file = none;
    CHECK(!kubernetes_access_is_custom(&s));
}

static void failures_have_the_words_of_the_server(void)
{
    static const struct {
        struct http_response r;
        const char *want;
    } cases[] = {
        {{.status = 403, .body = {"{\"message\":\"pods is forbidden\"}", 31}}, "HTTP status 403: pods is forbidden"},
        {{.status = 502, .body = {"<html>", 6}}, "HTTP status 502"},
        {{.status = 0, .error = "Connection refused"}, "Connection refused"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *text = kubernetes_access_failure(&cases[i].r);
        CHECK_STR(text, cases[i].want);
    }
}

int main(void)
{
    CHECK(mkdtemp(dir) != NULL);
    RUN(a_kubeconfig_becomes_settings);
    RUN(what_is_wrong_in_a_kubeconfig_is_said);
    RUN(a_pod_has_an_address_in_its_environment);
    RUN(settings_that_differ_are_noticed);
    RUN(failures_have_the_words_of_the_server);
    rmdir(dir);
    return REPORT();
}
