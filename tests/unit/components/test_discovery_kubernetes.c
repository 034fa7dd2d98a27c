#include "kubernetes_fixture.h"

extern const struct component_def discovery_kubernetes;

static const struct component_def *const registry[] = {&discovery_kubernetes, NULL};
static const char *pods; /* items of the list */

static struct fault_answer answer(struct fault_server *s, size_t n)
{
    const char *head = s->requests[n].head;
    if (strstr(head, "watch=true"))
        return (struct fault_answer){.fault = FAULT_HANG};
    if (strstr(head, "/nodes?"))
        return (struct fault_answer){.status = 403, .body = "{\"message\":\"nodes is forbidden\"}"};
    return kubernetes_list(pods);
}

/* The messages; "" when all is well. To be freed. */
static char *load(const char *more)
{
    cleanup_free char *text = xasprintf("discovery.kubernetes \"k\" {\n%s\n}\n", more);
    return kubernetes_load(text);
}

static void load_here(const char *more)
{
    cleanup_free char *text = xasprintf("role = \"pod\"\napi_server = \"%s\"\n%s", server.url, more);
    cleanup_free char *said = load(text);
    CHECK_STR(said, "");
}

static void targets_come_with_the_list_and_stay_over_a_reload(void)
{
    kubernetes_begin(registry, answer);
    pods = POD("a", "x", "1") "," POD("b", "x", "2");
    load_here("");
    kubernetes_wait_seen("discovery.kubernetes.k", "1 2 (2 targets of 2 pods)");
    CHECK_HAS(server.requests[0].head, "GET /api/v1/pods?limit=500");
    pods = POD("b", "x", "2");
    load_here("namespaces {\n names = [\"x\", \"y\", \"x\"]\n }\n selectors {\n role = \"pod\"\n field = \"a=b\"\n }");
    cleanup_free char *now = kubernetes_seen("discovery.kubernetes.k");
    CHECK_HAS(now, "1 2 (");
    kubernetes_wait_seen("discovery.kubernetes.k", "2 (1 targets of 1 pods)");
    size_t asked = 0;
    for (size_t i = 2; i < server.len; i++)
        asked += strstr(server.requests[i].head, "/pods?limit=500") != NULL;
    CHECK_INT(asked, 2); /* named twice, asked for once */
    CHECK_HAS(server.requests[2].head, "/api/v1/namespaces/x/pods?");
    CHECK_HAS(server.requests[2].head, "&fieldSelector=a%3Db");
    kubernetes_end();
}

static void nothing_is_exported_until_all_lists_are_there(void)
{
    kubernetes_begin(registry, answer);
    pods = POD("a", "x", "1");
    load_here("attach_metadata {\n node = true\n }");
    kubernetes_wait_seen("discovery.kubernetes.k", "none yet (nodes: HTTP status 403: nodes is forbidden)");
    kubernetes_end();
}

static void arguments_are_checked(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"role = \"pods\"", "unknown Kubernetes SD role \"pods\", expected pod, node, service, endpoints"},
        {"role = \"pod\"\napi_server = \"http://a\"\nkubeconfig_file = \"/x\"",
         "cannot use 'kubeconfig_file' and 'api_server' simultaneously"},
        {"role = \"pod\"\nkubeconfig_file = \"/x\"\nbearer_token = \"t\"",
         "cannot use a custom HTTP client configuration together with 'kubeconfig_file'"},
        {"role = \"pod\"\nbearer_token = \"t\"",
         "to use custom HTTP client configuration please provide the 'api_server' URL explicitly"},
        {"role = \"pod\"\napi_server = \"http://a\"\nnamespaces {\n own_namespace = true\n }",
         "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously"},
        {"role = \"pod\"\nkubeconfig_file = \"/x\"\nnamespaces {\n own_namespace = true\n }",
         "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously"},
        {"role = \"pod\"\napi_server = \"a\"", "api_server: url must start with http"},
        {"role = \"pod\"\nselectors {\n role = \"pod\"\n }\nselectors {\n role = \"pod\"\n }",
         "duplicated selector role: pod"},
        {"role = \"pod\"\nselectors {\n role = \"service\"\n }", "pod role supports only pod, node selectors"},
        {"role = \"endpoints\"\nselectors {\n role = \"node\"\n }",
         "endpoints role supports only pod, service, endpoints selectors"},
        {"role = \"pod\"\napi_server = \"http://a\"\nbearer_token = \"t\"\nbearer_token_file = \"f\"",
         "at most one of basic_auth, authorization, oauth2, bearer_token & bearer_token_file must be configured"},
        {"role = \"pod\"", "unable to load in-cluster configuration"},
    };
    kubernetes_begin(registry, answer);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *said = load(cases[i].text);
        CHECK_HAS(said, cases[i].want);
    }
    kubernetes_end();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(targets_come_with_the_list_and_stay_over_a_reload);
    RUN(nothing_is_exported_until_all_lists_are_there);
    RUN(arguments_are_checked);
    return REPORT();
}
