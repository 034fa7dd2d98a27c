#include "kubernetes_fixture.h"

extern const struct component_def discovery_kubelet;

static const struct component_def *const registry[] = {&discovery_kubelet, NULL};
static struct fault_answer next;

static struct fault_answer answer(struct fault_server *s, size_t n)
{
    (void)s, (void)n;
    return next;
}

static char *load(const char *more)
{
    cleanup_free char *text =
        xasprintf("discovery.kubelet \"k\" {\n  url = \"%s\"\n  refresh_interval = \"50ms\"\n%s}\n", server.url, more);
    return kubernetes_load(text);
}

static void pods_are_targets_and_stay_while_the_kubelet_is_away(void)
{
    kubernetes_begin(registry, answer);
    next = kubernetes_list(POD("b", "x", "2") "," POD("a", "x", "1"));
    cleanup_free char *said = load("  bearer_token = \"secret\"\n");
    CHECK_STR(said, "");
    kubernetes_wait_seen("discovery.kubelet.k", "1 2 (2 targets)");
    CHECK_HAS(server.requests[0].head, "GET /pods HTTP/1.1");
    CHECK_HAS(server.requests[0].head, "Authorization: Bearer secret");
    next = (struct fault_answer){.status = 500, .body = "no"};
    kubernetes_wait_seen("discovery.kubelet.k", "1 2 (HTTP status 500)");
    next = (struct fault_answer){.body = "<html>}"};
    kubernetes_wait_seen("discovery.kubelet.k", "1 2 (the answer is not a list of pods)");
    next = kubernetes_list(POD("c", "y", "3") "," POD("a", "x", "4"));
    kubernetes_wait_seen("discovery.kubelet.k", "4 3 (2 targets)");
    kubernetes_end();
}

static void only_pods_of_the_namespaces_count(void)
{
    kubernetes_begin(registry, answer);
    next = kubernetes_list(POD("b", "x", "2") "," POD("a", "y", "1"));
    cleanup_free char *said = load("  namespaces = [\"y\", \"z\"]\n");
    CHECK_STR(said, "");
    kubernetes_wait_seen("discovery.kubelet.k", "1 (1 targets)");
    cleanup_free char *again = load("  namespaces = [\"x\"]\n");
    CHECK_STR(again, "");
    kubernetes_wait_seen("discovery.kubelet.k", "2 (1 targets)");
    kubernetes_end();
}

static void arguments_are_checked(void)
{
    kubernetes_begin(registry, answer);
    cleanup_free char *negative = kubernetes_load("discovery.kubelet \"k\" {\n  refresh_interval = \"-1s\"\n}\n");
    CHECK_HAS(negative, "refresh_interval must be 0 or at least 1ms");
    cleanup_free char *url = kubernetes_load("discovery.kubelet \"k\" {\n  url = \"localhost\"\n}\n");
    CHECK_HAS(url, "url: url must start with http");
    kubernetes_end();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(pods_are_targets_and_stay_while_the_kubelet_is_away);
    RUN(only_pods_of_the_namespaces_count);
    RUN(arguments_are_checked);
    return REPORT();
}
