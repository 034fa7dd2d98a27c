#include "components/remote_kubernetes_object.h"

#include "kubernetes_fixture.h"
#include "lang/value_print.h"

extern const struct component_def discovery_kubelet, import_string, remote_kubernetes_configmap,
    remote_kubernetes_secret;

static const struct component_def *const registry[] = {&discovery_kubelet, &import_string, &remote_kubernetes_configmap,
                                                       &remote_kubernetes_secret, NULL};
static struct fault_answer next;

static struct fault_answer answer(struct fault_server *s, size_t n)
{
    return strstr(s->requests[n].head, "/pods ") ? kubernetes_list(POD("a", "x", "1")) : next;
}

static char *load(const char *kind, const char *more)
{
    cleanup_free char *text =
        xasprintf("remote.kubernetes.%s \"o\" {\n  namespace = \"ns\"\n  name = \"a b\"\n  poll_frequency = \"50ms\"\n"
                  "  client {\n    api_server = \"%s\"\n  }\n}\n%s",
                  kind, server.url, more);
    return kubernetes_load(text);
}

/* The export `data` as text, and the health: "{a = \"b\"} (got configmap)". To be freed. */
static char *data_of(const char *id)
{
    struct component_view view = {0};
    cleanup_buf struct buf out = BUF_INIT(4096);
    CHECK(controller_view(controller, id, &view));
    value_print(value_member(view.exports, STR("data")), &out);
    buf_printf(&out, " (%s)", view.message);
    return xstrdup(buf_cstr(&out));
}

static void wait_data(const char *id, const char *want)
{
    const uint64_t until = uv_hrtime() / 1000000 + KUBERNETES_DEADLINE_MS;
    cleanup_free char *now = data_of(id);
    while (strcmp(now, want) != 0 && uv_hrtime() / 1000000 < until) {
        uv_run(&loop, UV_RUN_ONCE);
        free(now);
        now = data_of(id);
    }
    CHECK_STR(now, want);
}

static void a_config_map_is_exported_and_followed(void)
{
    kubernetes_begin(registry, answer);
    next =
        (struct fault_answer){.body = "{\"data\":{\"url\":\"http://x\",\"n\":\"1\"},\"binaryData\":{\"b\":\"AA==\"}}"};
    cleanup_free char *said = load("configmap", "");
    CHECK_STR(said, "");
    wait_data("remote.kubernetes.configmap.o", "{n = \"1\", url = \"http://x\"} (got configmap)");
    CHECK_HAS(server.requests[0].head, "GET /api/v1/namespaces/ns/configmaps/a%20b HTTP/1.1");
    next = (struct fault_answer){.status = 404, .body = "{\"message\":\"not found\"}"};
    wait_data("remote.kubernetes.configmap.o",
              "{n = \"1\", url = \"http://x\"} (polling failed: HTTP status 404: not found)");
    next = (struct fault_answer){.body = "{}"};
    wait_data("remote.kubernetes.configmap.o", "{} (got configmap)");
    kubernetes_end();
}

static void values_of_a_secret_are_decoded_and_hidden(void)
{
    kubernetes_begin(registry, answer);
    next = (struct fault_answer){.body = "{\"data\":{\"password\":\"czNjcmV0\",\"bad\":\"%\"}}"};
    cleanup_free char *said = load("secret", "discovery.kubelet \"k\" {\n"
                                             "  url          = \"http://127.0.0.1:1\"\n"
                                             "  bearer_token = remote.kubernetes.secret.o.data[\"password\"]\n}\n");
    CHECK_STR(said, "");
    wait_data("remote.kubernetes.secret.o", "{password = (secret)} (got secret)");
    kubernetes_end();
}

static void what_refers_to_the_data_is_built_when_it_is_there(void)
{
    kubernetes_begin(registry, answer);
    next = (struct fault_answer){.status = 500};
    cleanup_free char *more = xasprintf(
        "discovery.kubelet \"k\" {\n  url = remote.kubernetes.configmap.o.data[\"url\"]\n}\n"
        "import.string \"m\" {\n  content = remote.kubernetes.configmap.o.data[\"module\"]\n}\nm.d \"x\" { }\n");
    cleanup_free char *said = load("configmap", more);
    CHECK_STR(said, "");
    wait_data("remote.kubernetes.configmap.o", "null (polling failed: HTTP status 500)");
    cleanup_free char *waits = kubernetes_seen("discovery.kubelet.k");
    CHECK_STR(waits, "none yet (waiting for the exports of a dependency)");
    cleanup_free char *again = load("configmap", more); /* a reload waits, too */
    CHECK_STR(again, "");
    cleanup_free char *body =
        xasprintf("{\"data\":{\"url\":\"%s\",\"module\":\"declare \\\"d\\\" {\\nexport \\\"targets\\\" "
                  "{\\nvalue = []\\n}\\n}\\n\"}}",
                  server.url);
    next = (struct fault_answer){.body = body};
    kubernetes_wait_seen("discovery.kubelet.k", "1 (1 targets)");
    kubernetes_wait_seen("m.d.x", "(started custom component)");
    kubernetes_end();
}

static void arguments_are_checked(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"poll_frequency = \"0s\"", "poll_frequency must be greater than 0"},
        {"poll_timeout = \"0s\"", "poll_timeout must be greater than 0"},
        {"client {\n api_server = \"http://a\"\n kubeconfig_file = \"/x\"\n }",
         "only one of api_server and kubeconfig_file can be set"},
        {"client {\n kubeconfig_file = \"/x\"\n bearer_token = \"t\"\n }",
         "custom HTTP client configuration is not allowed when kubeconfig_file is set"},
        {"client {\n bearer_token = \"t\"\n }",
         "api_server must be set when custom HTTP client configuration is provided"},
        {"", "unable to load in-cluster configuration"},
    };
    kubernetes_begin(registry, answer);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *text = xasprintf(
            "remote.kubernetes.secret \"o\" {\n  namespace = \"ns\"\n  name = \"n\"\n  %s\n}\n", cases[i].text);
        cleanup_free char *said = kubernetes_load(text);
        CHECK_HAS(said, cases[i].want);
    }
    kubernetes_end();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    unsetenv("KUBERNETES_SERVICE_HOST");
    RUN(a_config_map_is_exported_and_followed);
    RUN(values_of_a_secret_are_decoded_and_hidden);
    RUN(what_refers_to_the_data_is_built_when_it_is_there);
    RUN(arguments_are_checked);
    return REPORT();
}
