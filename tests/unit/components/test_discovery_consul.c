/* discovery.consul against a server that gives the documented answers. */
#include <signal.h>

#include "discovery_fixture.h"
#include "net/fault_server.h"

extern const struct component_def discovery_consul;

static struct fault_server server;
static int status;

#define SHOP                                                                                                           \
    "[{\"Node\":{\"Node\":\"h1\",\"Address\":\"10.1.0.1\",\"Datacenter\":\"dc1\",\"TaggedAddresses\":{\"lan\":"        \
    "\"10.1.0.1\"},\"Meta\":{\"rack-id\":\"r1\"}},\"Service\":{\"ID\":\"shop-1\",\"Service\":\"shop\","                \
    "\"Tags\":[\"jvm\",\"blue\"],\"Meta\":{\"version\":\"2\"},\"Port\":8080,\"Address\":\"\"},"                        \
    "\"Checks\":[{\"CheckID\":\"a\",\"Status\":\"passing\"},{\"CheckID\":\"b\",\"Status\":\"warning\"}]}]"
#define TARGET                                                                                                         \
    "{__address__=\"10.1.0.1:8080\", __meta_consul_address=\"10.1.0.1\", __meta_consul_dc=\"dc1\", "                   \
    "__meta_consul_health=\"warning\", __meta_consul_metadata_rack_id=\"r1\", __meta_consul_node=\"h1\", "             \
    "__meta_consul_service=\"shop\", __meta_consul_service_id=\"shop-1\", "                                            \
    "__meta_consul_service_metadata_version=\"2\", __meta_consul_service_port=\"8080\", "                              \
    "__meta_consul_tagged_address_lan=\"10.1.0.1\", __meta_consul_tags=\",jvm,blue,\"}\n"

static struct fault_answer consul_answers(struct fault_server *s, size_t n)
{
    const char *head = s->requests[n].head;
    if (strstr(head, "GET /v1/catalog/services?"))
        return (struct fault_answer){.status = status, .body = "{\"consul\":[],\"shop\":[\"jvm\",\"blue\"]}"};
    if (strstr(head, "GET /v1/health/service/shop?"))
        return (struct fault_answer){.status = status, .body = SHOP};
    return (struct fault_answer){.body = "[]"};
}

static void begin(struct discovery_test *t)
{
    status = 200;
    discovery_begin(t, &discovery_consul);
    fault_server_open(&server, &t->loop);
    server.decide = consul_answers;
}

static void end(struct discovery_test *t)
{
    LOAD(t, "", "");
    fault_server_close(&server);
    discovery_end(t);
}

static char *config(const char *more)
{
    return xasprintf("discovery.consul \"c\" {\n  server = \"127.0.0.1:%d\"\n  refresh_interval = \"100ms\"\n%s}\n",
                     server.port, more);
}

static size_t requests_with(const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < server.len; i++)
        n += strstr(server.requests[i].head, text) != NULL;
    return n;
}

/* Runs the loop until there are `n` requests with that text. */
static void wait_requests_(int line, struct discovery_test *t, size_t n, const char *text)
{
    for (int ms = 0; ms < DISCOVERY_DEADLINE_MS && requests_with(text) < n; ms++) {
        uv_run(&t->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    if (requests_with(text) < n)
        FAIL_("line %d: %zu requests with \"%s\", want %zu", line, requests_with(text), text, n);
}
#define WAIT_REQUESTS(t, n, text) wait_requests_(__LINE__, t, n, text)

static void services_of_the_catalog_are_targets(void)
{
    struct discovery_test t;
    begin(&t);
    cleanup_free char *text = config("  datacenter = \"dc1\"\n  token = \"t\"\n  username = \"u\"\n  password = \"p\"\n"
                                     "  node_meta = { rack = \"r 1\" }\n");
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    CHECK_HAS(server.requests[0].head, "GET /v1/catalog/services?stale=&dc=dc1&node-meta=rack%3Ar%201 HTTP/1.1");
    CHECK_HAS(server.requests[0].head, "X-Consul-Token: t\r\n");
    CHECK_HAS(server.requests[0].head, "Authorization: Basic dTpw\r\n");
    CHECK(requests_with("GET /v1/health/service/consul?") > 0);
    CHECK(requests_with("GET /v1/health/service/shop?") > 0);
    status = 500;
    WAIT_BOTH(&t, TARGET, "HTTP status 500");
    status = 200;
    WAIT_BOTH(&t, TARGET, "1 targets");
    end(&t);
}

static void named_services_and_tags_select(void)
{
    struct discovery_test t;
    begin(&t);
    cleanup_free char *named = config("  services = [\"shop\"]\n  allow_stale = false\n"),
                      *tagged = config("  tags = [\"jvm\", \"blue\"]\n"), *other = config("  tags = [\"red\"]\n");
    LOAD(&t, named, "");
    WAIT_TARGETS(&t, TARGET);
    CHECK_HAS(server.requests[0].head, "GET /v1/health/service/shop? HTTP/1.1");
    LOAD(&t, other, "");
    WAIT_TARGETS(&t, "");
    LOAD(&t, tagged, "");
    WAIT_TARGETS(&t, TARGET);
    CHECK_HAS(server.requests[server.len - 1].head, "?stale=");
    end(&t);
}

/* As a server: answers at once what is asked for without an index, and keeps others waiting. */
static struct fault_answer consul_waits(struct fault_server *s, size_t n)
{
    struct fault_answer a = consul_answers(s, n);
    a.headers = "X-Consul-Index: 7\r\n";
    if (strstr(s->requests[n].head, "index="))
        a.fault = FAULT_HANG;
    return a;
}

static const char idle[] = "&index=7&wait=120000ms HTTP/1.1";

static void a_change_is_one_answer_and_no_change_is_none(void)
{
    struct discovery_test t;
    begin(&t);
    server.decide = consul_waits;
    cleanup_free char *text =
        xasprintf("discovery.consul \"c\" {\n  server = \"127.0.0.1:%d\"\n  services = [\"shop\"]\n}\n", server.port);
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    WAIT_REQUESTS(&t, 1, idle);
    CHECK_INT(server.len, 2); /* the second one did not wait for the refresh_interval */
    fault_server_release(&server, &(struct fault_answer){.headers = "X-Consul-Index: 9\r\n", .body = "[]"});
    WAIT_BOTH(&t, "", "0 targets");
    CHECK_INT(server.len, 2); /* the third one does: a service that changes all the time is asked for twice a minute */
    end(&t);
}

static void an_answer_with_the_same_index_is_not_read(void)
{
    struct discovery_test t;
    begin(&t);
    server.decide = consul_waits;
    cleanup_free char *text = config("  services = [\"shop\"]\n");
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    WAIT_REQUESTS(&t, 1, idle);
    fault_server_release(&server, &(struct fault_answer){.headers = "X-Consul-Index: 7\r\n", .body = "no JSON"});
    WAIT_REQUESTS(&t, 2, idle);
    WAIT_BOTH(&t, TARGET, "1 targets");
    /* One that went backwards: after a restore, say. */
    fault_server_release(&server, &(struct fault_answer){.headers = "X-Consul-Index: 3\r\n", .body = "[]"});
    WAIT_REQUESTS(&t, 2, "GET /v1/health/service/shop?stale= HTTP/1.1");
    WAIT_BOTH(&t, TARGET, "1 targets");
    /* No valid index: it is 1 for the next request. */
    WAIT_REQUESTS(&t, 3, idle);
    fault_server_release(&server, &(struct fault_answer){.headers = "X-Consul-Index: 0\r\n", .body = SHOP});
    WAIT_REQUESTS(&t, 3, "GET /v1/health/service/shop?stale= HTTP/1.1");
    end(&t);
}

static void a_failure_is_over_with_the_first_answer(void)
{
    struct discovery_test t;
    begin(&t);
    server.decide = consul_waits;
    cleanup_free char *text = config("");
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    WAIT_REQUESTS(&t, 3, idle);
    CHECK_INT((long)discovery_metric("prometheus_sd_consul_rpc_failures_total{component_id=\"discovery.consul.c\","
                                     "component_path=\"/\"}"),
              0);
    fault_server_release(&server, &(struct fault_answer){.status = 500, .body = "No cluster leader"});
    WAIT_BOTH(&t, TARGET, "HTTP status 500");
    WAIT_BOTH(&t, TARGET, "1 targets"); /* though no answer would come to a request that waits */
    CHECK_INT((long)discovery_metric("prometheus_sd_consul_rpc_failures_total{component_id=\"discovery.consul.c\","
                                     "component_path=\"/\"}"),
              3);
    end(&t);
}

static void a_wait_that_a_proxy_cuts_off_is_no_failure(void)
{
    struct discovery_test t;
    begin(&t);
    server.decide = consul_waits;
    cleanup_free char *text = config("  services = [\"shop\"]\n");
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    WAIT_REQUESTS(&t, 1, idle);
    status = 503; /* the next request would tell */
    fault_server_release(&server, &(struct fault_answer){.status = 504});
    WAIT_BOTH(&t, TARGET, "HTTP status 503");
    status = 200;
    WAIT_BOTH(&t, TARGET, "1 targets");
    WAIT_REQUESTS(&t, 2, idle);
    const double failures = discovery_metric("prometheus_sd_consul_rpc_failures_total{component_id="
                                             "\"discovery.consul.c\",component_path=\"/\"}");
    fault_server_release(&server, &(struct fault_answer){.status = 504});
    WAIT_REQUESTS(&t, 3, idle);
    CHECK_INT((long)discovery_metric("prometheus_sd_consul_rpc_failures_total{component_id="
                                     "\"discovery.consul.c\",component_path=\"/\"}"),
              (long)failures);
    WAIT_BOTH(&t, TARGET, "1 targets");
    end(&t);
}

static const char *catalog;

static struct fault_answer consul_has_many(struct fault_server *s, size_t n)
{
    struct fault_answer a = consul_waits(s, n);
    if (strstr(s->requests[n].head, "GET /v1/catalog/services?"))
        a.body = catalog;
    return a;
}

static void what_leaves_the_catalog_has_no_targets(void)
{
    struct discovery_test t;
    begin(&t);
    server.decide = consul_has_many;
    catalog = "{\"shop\":[]}";
    cleanup_free char *text = config("");
    LOAD(&t, text, "");
    WAIT_TARGETS(&t, TARGET);
    WAIT_REQUESTS(&t, 2, idle);
    fault_server_release(&server, &(struct fault_answer){.headers = "X-Consul-Index: 8\r\n", .body = "{}"});
    WAIT_TARGETS(&t, "");
    end(&t);
}

static void more_services_than_connections_take_turns(void)
{
    enum { SERVICES = 130, AT_ONCE = 100 };
    struct discovery_test t;
    cleanup_buf struct buf names = BUF_INIT(10000);
    begin(&t);
    server.decide = consul_has_many;
    buf_puts(&names, "{\"shop\":[]");
    for (int i = 1; i < SERVICES; i++)
        buf_printf(&names, ",\"s%d\":[]", i);
    buf_puts(&names, "}");
    catalog = buf_cstr(&names);
    cleanup_free char *text = xasprintf(
        "discovery.consul \"c\" {\n  server = \"127.0.0.1:%d\"\n  refresh_interval = \"4s\"\n}\n", server.port);
    LOAD(&t, text, "");
    WAIT_BOTH(&t, TARGET, "1 targets");
    WAIT_REQUESTS(&t, AT_ONCE, "&index=7&wait=3053ms HTTP/1.1"); /* 4 s * 100 / (130 services and the catalog) */
    CHECK_INT(server.open, AT_ONCE);
    fault_server_release(&server, &(struct fault_answer){.headers = "X-Consul-Index: 7\r\n"});
    WAIT_REQUESTS(&t, SERVICES + 1, "&index=7&wait=3053ms HTTP/1.1");
    CHECK_INT(server.most_open, AT_ONCE);
    end(&t);
}

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_consul);
    LOAD(&t, "discovery.consul \"c\" {\n  server = \" \"\n}\n", "consul SD configuration requires a server address");
    LOAD(&t, "discovery.consul \"c\" {\n  username = \"u\"\n  basic_auth {\n    username = \"u\"\n  }\n}\n",
         "at most one of consul SD configuration username and password and basic auth can be configured");
    LOAD(&t, "discovery.consul \"c\" {\n  token = \"t\"\n  authorization {\n    credentials = \"x\"\n  }\n}\n",
         "at most one of consul SD token, authorization, or oauth2 can be configured");
    LOAD(&t, "discovery.consul \"c\" {\n  scheme = \"ftp\"\n}\n", "server: ");
    LOAD(&t, "discovery.consul \"c\" {\n  refresh_interval = \"0s\"\n}\n", "refresh_interval must be greater than 0");
    discovery_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(services_of_the_catalog_are_targets);
    RUN(named_services_and_tags_select);
    RUN(a_change_is_one_answer_and_no_change_is_none);
    RUN(an_answer_with_the_same_index_is_not_read);
    RUN(a_failure_is_over_with_the_first_answer);
    RUN(a_wait_that_a_proxy_cuts_off_is_no_failure);
    RUN(what_leaves_the_catalog_has_no_targets);
    RUN(more_services_than_connections_take_turns);
    RUN(arguments_are_checked);
    return REPORT();
}
