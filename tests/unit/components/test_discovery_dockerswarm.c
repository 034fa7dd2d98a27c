/* discovery.dockerswarm: what becomes of the answers of a manager, and the requests it gets. */
#include <signal.h>

#include "components/discovery_dockerswarm_targets.h"
#include "discovery_fixture.h"
#include "lang/json.h"
#include "net/fault_server.h"

extern const struct component_def discovery_dockerswarm;

#define NETWORKS "[{\"Id\":\"net1\",\"Name\":\"ingress\",\"Scope\":\"swarm\",\"Internal\":false,\"Ingress\":true}]"
#define NODES                                                                                                          \
    "[{\"ID\":\"n1\",\"Spec\":{\"Role\":\"manager\",\"Availability\":\"active\",\"Labels\":{\"zone\":\"a\"}},"         \
    "\"Description\":{\"Hostname\":\"h1\",\"Platform\":{\"Architecture\":\"x86_64\",\"OS\":\"linux\"},"                \
    "\"Engine\":{\"EngineVersion\":\"20.10\"}},\"Status\":{\"State\":\"ready\",\"Addr\":\"10.0.0.1\"},"                \
    "\"ManagerStatus\":{\"Leader\":true,\"Reachability\":\"reachable\",\"Addr\":\"10.0.0.1:2377\"}}]"
#define SERVICES                                                                                                       \
    "[{\"ID\":\"s1\",\"Spec\":{\"Name\":\"shop\",\"Labels\":{\"team\":\"jvm\"},\"Mode\":{\"Replicated\":{}},"          \
    "\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"jvm:1\",\"Hostname\":\"x\"}}},"                                  \
    "\"Endpoint\":{\"Ports\":[{\"Protocol\":\"tcp\",\"PublishedPort\":8080,\"PublishMode\":\"ingress\",\"Name\":"      \
    "\"web\"},{\"Protocol\":\"udp\",\"PublishedPort\":53}],"                                                           \
    "\"VirtualIPs\":[{\"NetworkID\":\"net1\",\"Addr\":\"10.255.0.3/16\"}]},\"UpdateStatus\":{\"State\":"               \
    "\"completed\"}}]"
#define TASKS                                                                                                          \
    "[{\"ID\":\"t1\",\"ServiceID\":\"s1\",\"NodeID\":\"n1\",\"Slot\":2,\"DesiredState\":\"running\","                  \
    "\"Spec\":{\"ContainerSpec\":{\"Labels\":{\"service_name\":\"mine\"}}},"                                           \
    "\"Status\":{\"State\":\"running\",\"ContainerStatus\":{\"ContainerID\":\"c1\"}},"                                 \
    "\"NetworksAttachments\":[{\"Network\":{\"ID\":\"net1\"},\"Addresses\":[\"10.255.0.4/16\"]}]},"                    \
    "{\"ID\":\"t0\",\"ServiceID\":\"none\",\"Status\":{\"State\":\"running\",\"ContainerStatus\":{\"ContainerID\":"    \
    "\"c0\"}}}]"

#define ON_NETWORK                                                                                                     \
    "__meta_dockerswarm_network_id=\"net1\", __meta_dockerswarm_network_ingress=\"true\", "                            \
    "__meta_dockerswarm_network_internal=\"false\", __meta_dockerswarm_network_name=\"ingress\", "                     \
    "__meta_dockerswarm_network_scope=\"swarm\""
#define ON_NODE_1 "__meta_dockerswarm_node_address=\"10.0.0.1\", __meta_dockerswarm_node_availability=\"active\""
#define ON_NODE_2                                                                                                      \
    "__meta_dockerswarm_node_hostname=\"h1\", __meta_dockerswarm_node_id=\"n1\", "                                     \
    "__meta_dockerswarm_node_label_zone=\"a\""
#define ON_NODE_3                                                                                                      \
    "__meta_dockerswarm_node_platform_architecture=\"x86_64\", __meta_dockerswarm_node_platform_os=\"linux\", "        \
    "__meta_dockerswarm_node_role=\"manager\", __meta_dockerswarm_node_status=\"ready\""
#define SERVICE                                                                                                        \
    "__meta_dockerswarm_service_id=\"s1\", __meta_dockerswarm_service_label_team=\"jvm\", "                            \
    "__meta_dockerswarm_service_mode=\"replicated\", __meta_dockerswarm_service_name=\"shop\""

#define NODE_TARGET                                                                                                    \
    "{__address__=\"10.0.0.1:80\", " ON_NODE_1 ", __meta_dockerswarm_node_engine_version=\"20.10\", " ON_NODE_2        \
    ", __meta_dockerswarm_node_manager_address=\"10.0.0.1:2377\", __meta_dockerswarm_node_manager_leader=\"true\", "   \
    "__meta_dockerswarm_node_manager_reachability=\"reachable\", " ON_NODE_3 "}\n"
#define SERVICE_TARGET                                                                                                 \
    "{__address__=\"10.255.0.3:8080\", " ON_NETWORK ", __meta_dockerswarm_service_endpoint_port_name=\"web\", "        \
    "__meta_dockerswarm_service_endpoint_port_publish_mode=\"ingress\", " SERVICE                                      \
    ", __meta_dockerswarm_service_task_container_hostname=\"x\", "                                                     \
    "__meta_dockerswarm_service_task_container_image=\"jvm:1\", "                                                      \
    "__meta_dockerswarm_service_updating_status=\"completed\"}\n"
#define TASK_TARGETS                                                                                                   \
    "{__meta_dockerswarm_task_container_id=\"c0\", __meta_dockerswarm_task_id=\"t0\", "                                \
    "__meta_dockerswarm_task_slot=\"0\", __meta_dockerswarm_task_state=\"running\"}\n"                                 \
    "{__address__=\"10.255.0.4:8080\", __meta_dockerswarm_container_label_service_name=\"mine\", " ON_NETWORK          \
    ", " ON_NODE_1 ", " ON_NODE_2 ", " ON_NODE_3 ", " SERVICE ", __meta_dockerswarm_task_container_id=\"c1\", "        \
    "__meta_dockerswarm_task_desired_state=\"running\", __meta_dockerswarm_task_id=\"t1\", "                           \
    "__meta_dockerswarm_task_port_publish_mode=\"ingress\", __meta_dockerswarm_task_slot=\"2\", "                      \
    "__meta_dockerswarm_task_state=\"running\"}\n"

static struct fault_server server;
static int status;

static struct fault_answer manager_answers(struct fault_server *s, size_t n)
{
    static const char *const answers[][2] = {
        {"GET /networks", NETWORKS}, {"GET /nodes", NODES}, {"GET /services", SERVICES}, {"GET /tasks", TASKS}};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        if (strstr(s->requests[n].head, answers[i][0]))
            return (struct fault_answer){.status = status, .body = answers[i][1]};
    return (struct fault_answer){.status = 404};
}

static void begin(struct discovery_test *t)
{
    status = 200;
    discovery_begin(t, &discovery_dockerswarm);
    fault_server_open(&server, &t->loop);
    server.decide = manager_answers;
}

static void end(struct discovery_test *t)
{
    LOAD(t, "", "");
    fault_server_close(&server);
    discovery_end(t);
}

static char *config(const char *role, const char *more)
{
    return xasprintf("discovery.dockerswarm \"s\" {\n  host = \"tcp://127.0.0.1:%d\"\n  role = \"%s\"\n"
                     "  refresh_interval = \"100ms\"\n%s}\n",
                     server.port, role, more);
}

static void every_role_has_its_targets(void)
{
    struct discovery_test t;
    begin(&t);
    cleanup_free char *nodes = config("nodes", ""), *services = config("services", ""),
                      *tasks = config("tasks",
                                      "  filter {\n    name = \"desired-state\"\n    values = [\"running\"]\n  }\n");
    LOAD(&t, nodes, "");
    WAIT_TARGETS(&t, NODE_TARGET);
    LOAD(&t, services, "");
    WAIT_TARGETS(&t, SERVICE_TARGET);
    LOAD(&t, tasks, "");
    WAIT_TARGETS(&t, TASK_TARGETS);
    bool filtered = false;
    for (size_t i = 0; i < server.len; i++)
        filtered |= strstr(server.requests[i].head,
                           "GET /tasks?filters=%7B%22desired-state%22%3A%5B%22running%22%5D%7D") != NULL;
    CHECK(filtered);
    status = 503;
    WAIT_BOTH(&t, TASK_TARGETS, "the daemon is not a manager of a swarm");
    status = 200;
    WAIT_BOTH(&t, TASK_TARGETS, "2 targets");
    end(&t);
}

static void nonsense_is_no_target(void)
{
    for (enum swarm_role role = SWARM_SERVICES; role <= SWARM_NODES; role++) {
        cleanup_value struct value *odd = NULL;
        struct targets targets = {0};
        struct err err = {0};
        CHECK_INT(json_read(STR("[1, null, {}, {\"ID\":7}, {\"ID\":\"\"}, [2]]"), JSON_KEEP_INTEGERS, &odd, &err), 0);
        swarm_targets(role, &(struct swarm_answers){odd, odd, odd, odd}, 80, &targets);
        CHECK_INT(targets.len, 0);
        targets_done(&targets);
        swarm_targets(role, &(struct swarm_answers){0}, 80, &targets);
        CHECK_INT(targets.len, 0);
    }
}

static void arguments_are_checked(void)
{
    struct discovery_test t;
    discovery_begin(&t, &discovery_dockerswarm);
    LOAD(&t, "discovery.dockerswarm \"s\" {\n  host = \"unix:///x\"\n}\n", "missing required attribute \"role\"");
    LOAD(&t, "discovery.dockerswarm \"s\" {\n  host = \"\"\n  role = \"tasks\"\n}\n",
         "host attribute must not be empty");
    LOAD(&t, "discovery.dockerswarm \"s\" {\n  host = \"unix:///x\"\n  role = \"x\"\n}\n",
         "invalid role \"x\", expected tasks, services or nodes");
    LOAD(&t,
         "discovery.dockerswarm \"s\" {\n  host = \"unix:///x\"\n  role = \"tasks\"\n  refresh_interval = \"0s\"\n}\n",
         "refresh_interval must be greater than 0");
    discovery_end(&t);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(every_role_has_its_targets);
    RUN(nonsense_is_no_target);
    RUN(arguments_are_checked);
    return REPORT();
}
