#include "kubernetes/kube_role.h"

#include "kube_fixture.h"

static void a_node_has_its_best_address_and_all_of_them(void)
{
    CHECK_TARGETS(KUBE_NODE,
                  "{\"metadata\":{\"name\":\"n\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"providerID\":\"aws:1\"},"
                  "\"status\":{\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":10250}},\"addresses\":["
                  "{\"type\":\"Hostname\",\"address\":\"h\"},{\"type\":\"InternalDNS\",\"address\":\"d\"},"
                  "{\"type\":\"ExternalIP\",\"address\":\"e\"},{\"type\":\"ExternalIP\",\"address\":\"f\"}],"
                  "\"conditions\":[{\"type\":\"DiskPressure\",\"status\":\"Unknown\"}]}}",
                  KNOWS_NOTHING,
                  "{__address__=\"d:10250\", node_address_ExternalIP=\"e\", node_address_Hostname=\"h\", "
                  "node_address_InternalDNS=\"d\", node_condition_diskpressure=\"unknown\", node_label_a=\"b\", "
                  "node_labelpresent_a=\"true\", node_name=\"n\", node_provider_id=\"aws:1\", instance=\"n\"}\n");
    CHECK_TARGETS(KUBE_NODE, "{\"metadata\":{\"name\":\"n\"}}", KNOWS_NOTHING, "");
}

#define SERVICE(type, more)                                                                                            \
    "{\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\"},\"spec\":{\"type\":\"" type "\"," more                        \
    "\"ports\":[{\"name\":\"a\",\"port\":80,\"protocol\":\"TCP\"}]}}"
#define SERVICE_PORT                                                                                                   \
    "service_name=\"s\", service_port_name=\"a\", service_port_number=\"80\", service_port_protocol=\"TCP\", "

static void a_service_has_a_target_per_port(void)
{
    CHECK_TARGETS(KUBE_SERVICE, SERVICE("ClusterIP", "\"clusterIP\":\"10.0.0.1\","), KNOWS_NOTHING,
                  "{__address__=\"s.ns.svc:80\", namespace=\"ns\", service_cluster_ip=\"10.0.0.1\", " SERVICE_PORT
                  "service_type=\"ClusterIP\"}\n");
    CHECK_TARGETS(KUBE_SERVICE, SERVICE("ExternalName", "\"externalName\":\"x.y\","), KNOWS_NOTHING,
                  "{__address__=\"s.ns.svc:80\", namespace=\"ns\", service_external_name=\"x.y\", " SERVICE_PORT
                  "service_type=\"ExternalName\"}\n");
    CHECK_TARGETS(KUBE_SERVICE, SERVICE("LoadBalancer", "\"clusterIP\":\"1\",\"loadBalancerIP\":\"2\","), KNOWS_NOTHING,
                  "{__address__=\"s.ns.svc:80\", namespace=\"ns\", service_cluster_ip=\"1\", "
                  "service_loadbalancer_ip=\"2\", " SERVICE_PORT "service_type=\"LoadBalancer\"}\n");
}

static void an_ingress_has_a_target_per_path(void)
{
    CHECK_TARGETS(KUBE_INGRESS,
                  "{\"metadata\":{\"name\":\"i\",\"namespace\":\"ns\"},\"spec\":{\"ingressClassName\":\"nginx\","
                  "\"tls\":[{\"hosts\":[\"*.wild.org\",\"one.org\"]}],\"rules\":["
                  "{\"host\":\"a.wild.org\",\"http\":{\"paths\":[{\"path\":\"/x\"},{}]}},"
                  "{\"host\":\"a.b.wild.org\"},{\"host\":\"one.org\",\"http\":{\"paths\":[]}}]}}",
                  KNOWS_NOTHING,
                  "{__address__=\"a.wild.org\", ingress_class_name=\"nginx\", ingress_host=\"a.wild.org\", "
                  "ingress_name=\"i\", ingress_path=\"/x\", ingress_scheme=\"https\", namespace=\"ns\"}\n"
                  "{__address__=\"a.wild.org\", ingress_class_name=\"nginx\", ingress_host=\"a.wild.org\", "
                  "ingress_name=\"i\", ingress_path=\"/\", ingress_scheme=\"https\", namespace=\"ns\"}\n"
                  "{__address__=\"a.b.wild.org\", ingress_class_name=\"nginx\", ingress_host=\"a.b.wild.org\", "
                  "ingress_name=\"i\", ingress_path=\"/\", ingress_scheme=\"http\", namespace=\"ns\"}\n");
}

static void pruning_keeps_only_what_is_read(void)
{
    json_t *pod = kube_json("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"managedFields\":[1]},"
                            "\"spec\":{\"volumes\":[],\"containers\":[{\"name\":\"c\",\"env\":[]}]},\"status\":{}}");
    kube_role_prune(KUBE_POD, pod);
    char *text = json_dumps(pod, JSON_COMPACT | JSON_SORT_KEYS);
    CHECK_STR(text, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\"}]},\"status\":{}}");
    free(text);
    json_decref(pod);
}

static void metadata_is_attached_under_names_that_nothing_else_has(void)
{
    json_t *o = kube_json("{\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"b\"}}}");
    struct labels *node = kube_role_attached(KUBE_NODE, o), *space = kube_role_attached(KUBE_NAMESPACE, o);
    CHECK_INT(labels_len(node), 3);
    CHECK_INT(labels_len(space), 2);
    for (size_t i = 0; i < labels_len(node); i++)
        CHECK(kube_role_is_attached(KUBE_NODE, labels_at(node, i)->name));
    for (size_t i = 0; i < labels_len(space); i++)
        CHECK(kube_role_is_attached(KUBE_NAMESPACE, labels_at(space, i)->name));
    CHECK(!kube_role_is_attached(KUBE_NAMESPACE, STR("__meta_kubernetes_namespace")));
    CHECK(!kube_role_is_attached(KUBE_NODE, STR("__meta_kubernetes_pod_node_name")));
    labels_unref(node);
    labels_unref(space);
    json_decref(o);
}

int main(void)
{
    RUN(a_node_has_its_best_address_and_all_of_them);
    RUN(a_service_has_a_target_per_port);
    RUN(an_ingress_has_a_target_per_path);
    RUN(pruning_keeps_only_what_is_read);
    RUN(metadata_is_attached_under_names_that_nothing_else_has);
    return REPORT();
}
