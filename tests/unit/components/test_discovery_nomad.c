/* discovery.nomad against a server that gives the documented answers. */
#include <signal.h>

#include "discovery_fixture.h"
#include "net/fault_server.h"

extern const struct component_def discovery_nomad;

static struct fault_server server;
static int status;

#define SHOP                                                                                                           \
    "[{\"ID\":\"_nomad-task-1\",\"ServiceName\":\"shop\",\"Namespace\":\"default\",\"NodeID\":\"n1\","                 \
    "\"Datacenter\":\"dc1\",\"JobID\":\"j1\",\"AllocID\":\"a1\",\"Tags\":[\"jvm\",\"blue\"],"                          \
    "\"Address\":\"10.0.0.1\",\"Port\":29702}]"
#define TARGET                                                                                                         \
    "{__address__=\"10.0.0.1:29702\", __meta_nomad_address=\"10.0.0.1\", __meta_nomad_allocation_id=\"a1\", "          \
    "__meta_nomad_dc=\"dc1\", __meta_nomad_job_id=\"j1\", __meta_nomad_namespace=\"default\", "                        \
    "__meta_nomad_node_id=\"n1\", __meta_nomad_service=\"shop\", __meta_nomad_service_address=\"10.0.0.1\", "          \
    "__meta_nomad_service_id=\"_nomad-task-1\", __meta_nomad_service_port=\"29702\", "                                 \
    "__meta_nomad_tags=\"|jvm|blue|\"}\n"

static struct fault_answer nomad_answers(struct fault_server *s, size_t n)
{
    const char *head = s->requests[n].head;
    if (strstr(head, "GET /v1/services?"))
        return (struct fault_answer){.status = status,
                                     .body = "[{\"Namespace\":\"default\",\"Services\":[{\"ServiceName\":\"shop\"},"
                                             "{\"ServiceName\":\"gone\"}]}]"};
    if (strstr(head, "GET /v1/service/shop?"))
        return (struct fault_answer){.body = SHOP};
    return (struct fault_answer){.status = 404, .body = "service not found"};
}

static void services_are_targets(void)
{
    struct discovery_test t;
    status = 200;
    discovery_begin(&t, &discovery_nomad);
    fault_server_open(&server, &t.loop);
    server.decide = nomad_answers;
    cleanup_free char *text = xasprintf("discovery.nomad \"n\" {\n  server = \"%s/\"\n  region = \"eu 1\"\n"
                                        "  tag_separator = \"|\"\n  refresh_interval = \"100ms\"\n"
                                        "  bearer_token = \"t\"\n}\n",
                                        server.url);
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    CHECK_HAS(server.requests[0].head, "GET /v1/services?namespace=default&region=eu%201&stale= HTTP/1.1");
    CHECK_HAS(server.requests[0].head, "Authorization: Bearer t");
    CHECK_HAS(server.requests[1].head, "GET /v1/service/gone?namespace=default&region=eu%201&stale= HTTP/1.1");
    status = 500;
    WAIT_BOTH(&t, TARGET, "HTTP status 500");
    status = 200;
    WAIT_BOTH(&t, TARGET, "1 targets");
    LOAD(&t, "", "");
    fault_server_close(&server);
    discovery_end(&t);
}

static const char *list_index, *service_index;

static struct fault_answer nomad_answers_with_index(struct fault_server *s, size_t n)
{
    struct fault_answer a = nomad_answers(s, n);
    a.headers = strstr(s->requests[n].head, "GET /v1/services?") ? list_index : service_index;
    return a;
}

static size_t requests_with(const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < server.len; i++)
        n += strstr(server.requests[i].head, text) != NULL;
    return n;
}

/* Runs the loop until there are `more` further requests with that text. */
static void wait_requests(struct discovery_test *t, size_t more, const char *text)
{
    const size_t wanted = requests_with(text) + more;
    for (int ms = 0; ms < DISCOVERY_DEADLINE_MS && requests_with(text) < wanted; ms++) {
        uv_run(&t->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    CHECK(requests_with(text) >= wanted);
}

static void services_are_asked_for_when_a_registration_changed(void)
{
    struct discovery_test t;
    status = 200;
    discovery_begin(&t, &discovery_nomad);
    fault_server_open(&server, &t.loop);
    server.decide = nomad_answers_with_index;
    list_index = "X-Nomad-Index: 40\r\n";
    service_index = "X-Nomad-Index: 39\r\n"; /* of a server that is behind: that may not be all */
    cleanup_free char *text = xasprintf(
        "discovery.nomad \"n\" {\n  server = \"%s\"\n  tag_separator = \"|\"\n  refresh_interval = \"20ms\"\n}\n",
        server.url);
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    wait_requests(&t, 2, "GET /v1/service/shop?");
    service_index = list_index;
    wait_requests(&t, 1, "GET /v1/service/shop?");
    wait_requests(&t, 2, "GET /v1/services?");
    const size_t before = requests_with("GET /v1/service/shop?");
    wait_requests(&t, 3, "GET /v1/services?");
    CHECK_INT(requests_with("GET /v1/service/shop?"), before);
    WAIT_BOTH(&t, TARGET, "1 targets");
    status = 500;
    WAIT_BOTH(&t, TARGET, "HTTP status 500");
    status = 200;
    WAIT_BOTH(&t, TARGET, "1 targets");
    CHECK_INT(requests_with("GET /v1/service/shop?"), before);
    service_index = list_index = "X-Nomad-Index: 41\r\n";
    wait_requests(&t, 1, "GET /v1/service/shop?");
    LOAD(&t, "", "");
    fault_server_close(&server);
    discovery_end(&t);
}

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_nomad);
    LOAD(&t, "discovery.nomad \"n\" {\n  server = \"\"\n}\n", "nomad SD configuration requires a server address");
    LOAD(&t, "discovery.nomad \"n\" {\n  server = \"nomad:4646\"\n}\n", "server: ");
    LOAD(&t, "discovery.nomad \"n\" {\n  refresh_interval = \"0s\"\n}\n", "refresh_interval must be greater than 0");
    discovery_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(services_are_targets);
    RUN(services_are_asked_for_when_a_registration_changed);
    RUN(arguments_are_checked);
    return REPORT();
}
