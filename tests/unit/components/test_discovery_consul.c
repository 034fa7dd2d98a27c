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
    CHECK_HAS(server.requests[1].head, "GET /v1/health/service/consul?");
    CHECK_HAS(server.requests[2].head, "GET /v1/health/service/shop?");
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
    RUN(arguments_are_checked);
    return REPORT();
}
