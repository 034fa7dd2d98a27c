/* discovery.docker: what becomes of the answers of a daemon, and the requests it gets. */
#include <signal.h>

#include "components/discovery_docker_targets.h"
#include "components/docker_api.h"
#include "discovery_fixture.h"
#include "lang/json.h"
#include "net/fault_server.h"

extern const struct component_def discovery_docker;

#define NETWORKS                                                                                                       \
    "[{\"Id\":\"n1\",\"Name\":\"bridge\",\"Scope\":\"local\",\"Internal\":false,\"Ingress\":false,"                    \
    "\"Labels\":{\"a.b\":\"c\"}},{\"Id\":\"n2\",\"Name\":\"web\",\"Scope\":\"swarm\",\"Internal\":true,"               \
    "\"Ingress\":true}]"

/* --- targets --- */

static void check_targets(const char *containers, bool first_only, const char *want)
{
    cleanup_value struct value *list = NULL, *networks = NULL;
    cleanup_buf struct buf text = BUF_INIT(1 << 16);
    struct targets targets = {0};
    struct err err = {0};
    CHECK_INT(json_read(str_of(containers), JSON_KEEP_INTEGERS, &list, &err), 0);
    CHECK_INT(json_read(STR(NETWORKS), JSON_KEEP_INTEGERS, &networks, &err), 0);
    docker_targets(list, networks, &(struct docker_target_options){80, "me", first_only}, &targets);
    for (size_t i = 0; i < targets.len; i++) {
        labels_print(targets.items[i], &text);
        buf_byte(&text, '\n');
    }
    CHECK_STR(buf_cstr(&text), want);
    targets_done(&targets);
}

#define BRIDGE "\"bridge\":{\"NetworkID\":\"n1\",\"IPAddress\":\"10.0.0.2\"}"
#define WEB    "\"web\":{\"NetworkID\":\"n2\",\"IPAddress\":\"fd00::2\"}"
#define ON_BRIDGE                                                                                                      \
    "__meta_docker_network_id=\"n1\", __meta_docker_network_ingress=\"false\", "                                       \
    "__meta_docker_network_internal=\"false\", __meta_docker_network_ip=\"10.0.0.2\", "                                \
    "__meta_docker_network_label_a_b=\"c\", __meta_docker_network_name=\"bridge\", "                                   \
    "__meta_docker_network_scope=\"local\""
#define ON_WEB                                                                                                         \
    "__meta_docker_network_id=\"n2\", __meta_docker_network_ingress=\"true\", "                                        \
    "__meta_docker_network_internal=\"true\", __meta_docker_network_ip=\"fd00::2\", "                                  \
    "__meta_docker_network_name=\"web\", __meta_docker_network_scope=\"swarm\""
#define CONTAINER(id, name, mode)                                                                                      \
    "__meta_docker_container_id=\"" id "\", __meta_docker_container_name=\"/" name                                     \
    "\", __meta_docker_container_network_mode=\"" mode "\""

static void a_target_is_a_network_and_a_tcp_port(void)
{
    static const char containers[] =
        "[{\"Id\":\"c1\",\"Names\":[\"/shop\",\"/other\"],\"Labels\":{\"com.x/"
        "y\":\"z\"},\"HostConfig\":{\"NetworkMode\":"
        "\"default\"},\"Ports\":[{\"PrivatePort\":8080,\"PublicPort\":80,\"IP\":\"0.0.0.0\",\"Type\":\"tcp\"},"
        "{\"PrivatePort\":53,\"Type\":\"udp\"},{\"PrivatePort\":9090,\"Type\":\"tcp\"}],"
        "\"NetworkSettings\":{\"Networks\":{" WEB "," BRIDGE "}}}]";
#define SHOP                                                                                                           \
    "__meta_docker_container_id=\"c1\", __meta_docker_container_label_com_x_y=\"z\", "                                 \
    "__meta_docker_container_name=\"/shop\", __meta_docker_container_network_mode=\"default\""
#define FIRST                                                                                                          \
    "{__address__=\"10.0.0.2:8080\", " SHOP ", " ON_BRIDGE ", __meta_docker_port_private=\"8080\", "                   \
    "__meta_docker_port_public=\"80\", __meta_docker_port_public_ip=\"0.0.0.0\"}\n"                                    \
    "{__address__=\"10.0.0.2:9090\", " SHOP ", " ON_BRIDGE ", __meta_docker_port_private=\"9090\"}\n"
    check_targets(containers, true, FIRST);
    check_targets(containers, false,
                  FIRST "{__address__=\"[fd00::2]:8080\", " SHOP ", " ON_WEB
                        ", __meta_docker_port_private=\"8080\", __meta_docker_port_public=\"80\", "
                        "__meta_docker_port_public_ip=\"0.0.0.0\"}\n"
                        "{__address__=\"[fd00::2]:9090\", " SHOP ", " ON_WEB
                        ", __meta_docker_port_private=\"9090\"}\n");
}

static void a_container_without_ports_or_networks_is_a_target_too(void)
{
    check_targets("[{\"Id\":\"c1\",\"Names\":[\"/a\"],\"HostConfig\":{\"NetworkMode\":\"bridge\"},"
                  "\"NetworkSettings\":{\"Networks\":{" BRIDGE "}}}]",
                  true, "{__address__=\"10.0.0.2:80\", " CONTAINER("c1", "a", "bridge") ", " ON_BRIDGE "}\n");
    check_targets("[{\"Id\":\"c1\",\"Names\":[\"/a\"],\"HostConfig\":{\"NetworkMode\":\"host\"},"
                  "\"NetworkSettings\":{\"Networks\":{\"host\":{\"NetworkID\":\"n9\",\"IPAddress\":\"\"}}}}]",
                  true, "{__address__=\"me\", " CONTAINER("c1", "a", "host") "}\n");
    check_targets("[{\"Id\":\"c1\",\"Names\":[\"/a\"],\"HostConfig\":{\"NetworkMode\":\"none\"}}]", true,
                  "{" CONTAINER("c1", "a", "none") "}\n");
}

static void a_borrowed_network_is_that_of_its_owner(void)
{
    check_targets("[{\"Id\":\"c2\",\"Names\":[\"/b\"],\"HostConfig\":{\"NetworkMode\":\"container:c1\"}},"
                  "{\"Id\":\"c1\",\"Names\":[\"/a\"],\"HostConfig\":{\"NetworkMode\":\"bridge\"},"
                  "\"NetworkSettings\":{\"Networks\":{" BRIDGE "}}}]",
                  true,
                  "{__address__=\"10.0.0.2:80\", " CONTAINER(
                      "c1", "a", "bridge") ", " ON_BRIDGE "}\n"
                                           "{__address__=\"10.0.0.2:80\", " CONTAINER(
                                               "c2", "b", "container:c1") ", " ON_BRIDGE "}\n");
    check_targets("[{\"Id\":\"c1\",\"Names\":[\"/a\"],\"HostConfig\":{\"NetworkMode\":\"container:c1\"}}]", true,
                  "{" CONTAINER("c1", "a", "container:c1") "}\n");
}

static void nonsense_is_no_target(void)
{
    check_targets("{}", true, "");
    check_targets("null", true, "");
    check_targets("[1, null, {}, {\"Id\":7}, {\"Id\":\"\"}]", true, "");
    check_targets("[{\"Id\":\"c\",\"Names\":[3],\"Labels\":[1],\"Ports\":{\"a\":1},"
                  "\"NetworkSettings\":{\"Networks\":[1]}}]",
                  true, "{__meta_docker_container_id=\"c\"}\n");
}

/* --- the component --- */

static struct fault_server server;
static char socket_path[64];

static struct fault_answer daemon_answers(struct fault_server *s, size_t n)
{
    const char *head = s->requests[n].head;
    if (strstr(head, "GET /events"))
        return (struct fault_answer){.fault = FAULT_HANG};
    return (struct fault_answer){.body = strstr(head, "GET /networks") ? NETWORKS : s->answer.body,
                                 .status = s->answer.status};
}

static void begin(struct discovery_test *t)
{
    snprintf(socket_path, sizeof socket_path, "/tmp/smolder-docker-%d.sock", (int)getpid());
    unlink(socket_path);
    discovery_begin(t, &discovery_docker);
    fault_server_open_unix(&server, &t->loop, socket_path);
    server.decide = daemon_answers;
    server.answer.body = "[{\"Id\":\"c1\",\"Names\":[\"/a\"],\"HostConfig\":{\"NetworkMode\":\"none\"}}]";
}

static void end(struct discovery_test *t)
{
    LOAD(t, "", ""); /* or it would connect again while the server closes */
    fault_server_close(&server);
    discovery_end(t);
    unlink(socket_path);
}

static char *config(const char *interval, const char *more)
{
    return xasprintf("discovery.docker \"d\" {\n  host = \"unix://%s\"\n  refresh_interval = \"%s\"\n%s}\n",
                     socket_path, interval, more);
}

#define ONE "{" CONTAINER("c1", "a", "none") "}\n"
#define TWO "{" CONTAINER("c2", "b", "none") "}\n"

static void containers_are_listed_over_the_socket(void)
{
    struct discovery_test t;
    begin(&t);
    cleanup_free char *text = config("100ms", "  filter {\n    name = \"label\"\n    values = [\"a=b\", \"c\"]\n  }\n"
                                              "  filter {\n    name = \"status\"\n    values = [\"running\"]\n  }\n"
                                              "  filter {\n    name = \"label\"\n    values = [\"d\"]\n  }\n");
    LOAD(&t, text, "");
    WAIT_BOTH(&t, ONE, "1 targets");
    CHECK_HAS(server.requests[0].head,
              "GET /containers/json?filters=%7B%22label%22%3A%5B%22a%3Db%22%2C%22c%22%2C%22d%22"
              "%5D%2C%22status%22%3A%5B%22running%22%5D%7D HTTP/1.1");
    server.answer.body = "[{\"Id\":\"c2\",\"Names\":[\"/b\"],\"HostConfig\":{\"NetworkMode\":\"none\"}}]";
    WAIT_TARGETS(&t, TWO);
    server.answer.status = 500;
    WAIT_BOTH(&t, TWO, "HTTP status 500");
    server.answer = (struct fault_answer){.body = "[}"};
    WAIT_BOTH(&t, TWO, ".sock: ");
    end(&t);
}

static void an_event_lists_them_at_once(void)
{
    struct discovery_test t;
    begin(&t);
    cleanup_free char *text = config("1h", "");
    LOAD(&t, text, "");
    WAIT_TARGETS(&t, ONE);
    while (server.len < 3)
        uv_run(&t.loop, UV_RUN_ONCE);
    CHECK_HAS(server.requests[2].head, "GET /events?filters=%7B%22type%22");
    server.answer.body = "[{\"Id\":\"c2\",\"Names\":[\"/b\"],\"HostConfig\":{\"NetworkMode\":\"none\"}}]";
    fault_server_release(&server, &(struct fault_answer){.body = "{\"Type\":\"container\"}\n"});
    WAIT_TARGETS(&t, TWO);
    end(&t);
}

static void a_missing_socket_is_told_with_a_remedy(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_docker);
    LOAD(&t, "discovery.docker \"d\" {\n  host = \"unix:///tmp/no-such.sock\"\n}\n", "");
    WAIT_HEALTH(&t, "/tmp/no-such.sock: ");
    WAIT_HEALTH(&t, "--user=UID:GID");
    discovery_end(&t);
}

static void check_host(const char *host, const char *base, const char *path, const char *error)
{
    struct docker_host h = {0};
    struct err err = {0};
    const int code = docker_host_parse(host, &h, &err);
    CHECK_INT(code < 0, *error != '\0');
    CHECK_HAS(err.text, error);
    if (code == 0) {
        CHECK_STR(h.base, base);
        CHECK_STR(h.socket ? h.socket : "", path);
    }
    docker_host_done(&h);
}

static void hosts_are_understood(void)
{
    check_host("unix:///var/run/docker.sock", "http://localhost", "/var/run/docker.sock", "");
    check_host("tcp://docker:2375", "http://docker:2375", "", "");
    check_host("https://docker:2376/", "https://docker:2376", "", "");
    check_host("", "", "", "host attribute must not be empty");
    check_host("docker", "", "", "parsing host attribute: unable to parse docker host `docker`");
    check_host("unix://docker.sock", "", "", "parsing host attribute: unix:// must be followed by an absolute path");
    check_host("npipe://x", "", "", "parsing host attribute");
}

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_docker);
    LOAD(&t, "discovery.docker \"d\" { }\n", "missing required attribute \"host\"");
    LOAD(&t, "discovery.docker \"d\" {\n  host = \"\"\n}\n", "host attribute must not be empty");
    LOAD(&t, "discovery.docker \"d\" {\n  host = \"unix:///x\"\n  refresh_interval = \"0s\"\n}\n",
         "refresh_interval must be greater than 0");
    LOAD(&t, "discovery.docker \"d\" {\n  host = \"unix:///x\"\n  filter {\n    name = \"a\"\n  }\n}\n",
         "missing required attribute \"values\"");
    discovery_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(a_target_is_a_network_and_a_tcp_port);
    RUN(a_container_without_ports_or_networks_is_a_target_too);
    RUN(a_borrowed_network_is_that_of_its_owner);
    RUN(nonsense_is_no_target);
    RUN(hosts_are_understood);
    RUN(containers_are_listed_over_the_socket);
    RUN(an_event_lists_them_at_once);
    RUN(a_missing_socket_is_told_with_a_remedy);
    RUN(arguments_are_checked);
    return REPORT();
}
