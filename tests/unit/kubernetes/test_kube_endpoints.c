#include "kubernetes/kube_endpoints.h"

#include "kube_fixture.h"

static const struct kube_known known = {
    .pods = "{\"ns/p\":{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u\"},\"spec\":{\"nodeName\":\"n\","
            "\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"ports\":[{\"name\":\"m\",\"containerPort\":9000,"
            "\"protocol\":\"TCP\"},{\"name\":\"x\",\"containerPort\":9001,\"protocol\":\"TCP\"}]}]},"
            "\"status\":{\"podIP\":\"1.2.3.4\",\"hostIP\":\"2.3.4.5\",\"phase\":\"Running\"}}}",
    .services = "{\"ns/e\":{\"metadata\":{\"name\":\"e\",\"namespace\":\"ns\",\"labels\":{\"t\":\"web\"}},"
                "\"spec\":{\"ipFamilies\":[\"IPv4\",\"IPv6\"],\"ipFamilyPolicy\":\"PreferDualStack\"}}}"};

#define POD_LABELS                                                                                                     \
    "pod_host_ip=\"2.3.4.5\", pod_ip=\"1.2.3.4\", pod_name=\"p\", pod_node_name=\"n\", pod_phase=\"Running\", "        \
    "pod_ready=\"unknown\", pod_uid=\"u\""
#define PORT_LABELS(name, number)                                                                                      \
    "pod_container_image=\"i\", pod_container_init=\"false\", pod_container_name=\"c\", "                              \
    "pod_container_port_name=\"" name "\", pod_container_port_number=\"" number "\", "                                 \
    "pod_container_port_protocol=\"TCP\", "
#define SERVICE_LABELS ", service_label_t=\"web\", service_labelpresent_t=\"true\", service_name=\"e\"}\n"

static void a_target_per_address_and_port(void)
{
    CHECK_TARGETS(
        KUBE_ENDPOINTS,
        "{\"metadata\":{\"name\":\"x\",\"namespace\":\"ns\",\"labels\":{\"l\":\"1\"}},\"subsets\":[{\"addresses\":["
        "{\"ip\":\"1.1.1.1\",\"hostname\":\"h\",\"nodeName\":\"n\"}],\"notReadyAddresses\":[{\"ip\":\"2.2.2.2\","
        "\"targetRef\":{\"kind\":\"Node\",\"name\":\"m\"}}],"
        "\"ports\":[{\"name\":\"a\",\"port\":80,\"protocol\":\"TCP\"}]}]}",
        KNOWS_NOTHING,
        "{__address__=\"1.1.1.1:80\", endpoint_hostname=\"h\", endpoint_node_name=\"n\", endpoint_port_name=\"a\", "
        "endpoint_port_protocol=\"TCP\", endpoint_ready=\"true\", endpoints_label_l=\"1\", "
        "endpoints_labelpresent_l=\"true\", endpoints_name=\"x\", namespace=\"ns\"}\n"
        "{__address__=\"2.2.2.2:80\", endpoint_address_target_kind=\"Node\", endpoint_address_target_name=\"m\", "
        "endpoint_port_name=\"a\", endpoint_port_protocol=\"TCP\", endpoint_ready=\"false\", endpoints_label_l=\"1\", "
        "endpoints_labelpresent_l=\"true\", endpoints_name=\"x\", namespace=\"ns\"}\n");
}

static void pods_and_services_are_joined_and_further_ports_added(void)
{
    CHECK_TARGETS(
        KUBE_ENDPOINTS,
        "{\"metadata\":{\"name\":\"e\",\"namespace\":\"ns\"},\"subsets\":[{\"addresses\":[{\"ip\":\"1.2.3.4\","
        "\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":\"p\"}}],"
        "\"ports\":[{\"name\":\"m\",\"port\":9000,\"protocol\":\"TCP\"}]}]}",
        known,
        "{__address__=\"1.2.3.4:9000\", endpoint_address_target_kind=\"Pod\", endpoint_address_target_name=\"p\", "
        "endpoint_port_name=\"m\", endpoint_port_protocol=\"TCP\", endpoint_ready=\"true\", endpoints_name=\"e\", "
        "namespace=\"ns\", " PORT_LABELS("m", "9000") POD_LABELS SERVICE_LABELS
        "{__address__=\"1.2.3.4:9001\", endpoints_name=\"e\", namespace=\"ns\", " PORT_LABELS("x", "9001")
            POD_LABELS SERVICE_LABELS);
}

#define SLICE(type)                                                                                                    \
    "{\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\",\"labels\":{\"kubernetes.io/service-name\":\"e\"}},"           \
    "\"addressType\":\"" type "\",\"endpoints\":[{\"addresses\":[\"1.2.3.4\"],\"hostname\":\"h\",\"zone\":\"z\","      \
    "\"nodeName\":\"n\",\"conditions\":{\"ready\":true,\"serving\":false},"                                            \
    "\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"ns\",\"name\":\"p\"},"                                            \
    "\"deprecatedTopology\":{\"a.b\":\"t\"}}],"                                                                        \
    "\"ports\":[{\"name\":\"m\",\"port\":9000,\"protocol\":\"TCP\",\"appProtocol\":\"http\"}]}"

static void slices_have_labels_of_their_own(void)
{
    CHECK_TARGETS(
        KUBE_ENDPOINTSLICE, SLICE("IPv4"), known,
        "{__address__=\"1.2.3.4:9000\", endpointslice_address_target_kind=\"Pod\", "
        "endpointslice_address_target_name=\"p\", endpointslice_address_type=\"IPv4\", "
        "endpointslice_endpoint_conditions_ready=\"true\", endpointslice_endpoint_conditions_serving=\"false\", "
        "endpointslice_endpoint_hostname=\"h\", endpointslice_endpoint_node_name=\"n\", "
        "endpointslice_endpoint_topology_a_b=\"t\", endpointslice_endpoint_topology_present_a_b=\"true\", "
        "endpointslice_endpoint_zone=\"z\", endpointslice_label_kubernetes_io_service_name=\"e\", "
        "endpointslice_labelpresent_kubernetes_io_service_name=\"true\", endpointslice_name=\"s\", "
        "endpointslice_port=\"9000\", endpointslice_port_app_protocol=\"http\", endpointslice_port_name=\"m\", "
        "endpointslice_port_protocol=\"TCP\", namespace=\"ns\", " PORT_LABELS("m", "9000") POD_LABELS SERVICE_LABELS
        "{__address__=\"1.2.3.4:9001\", endpointslice_address_type=\"IPv4\", "
        "endpointslice_label_kubernetes_io_service_name=\"e\", "
        "endpointslice_labelpresent_kubernetes_io_service_name=\"true\", endpointslice_name=\"s\", "
        "namespace=\"ns\", " PORT_LABELS("x", "9001") POD_LABELS SERVICE_LABELS);
}

static void the_second_family_of_addresses_is_left_out(void)
{
    CHECK_TARGETS(KUBE_ENDPOINTSLICE, SLICE("IPv6"), known, "");
}

static void a_slice_need_not_have_a_port_or_service(void)
{
    CHECK_TARGETS(KUBE_ENDPOINTSLICE,
                  "{\"metadata\":{\"name\":\"s\",\"namespace\":\"ns\"},\"addressType\":\"FQDN\","
                  "\"endpoints\":[{\"addresses\":[\"a.b\"]}],\"ports\":[{}]}",
                  KNOWS_NOTHING,
                  "{__address__=\"a.b\", endpointslice_address_type=\"FQDN\", endpointslice_name=\"s\", "
                  "namespace=\"ns\"}\n");
    CHECK_TARGETS(KUBE_ENDPOINTSLICE, "{\"endpoints\":[{\"addresses\":[\"a.b\"]}],\"ports\":null}", KNOWS_NOTHING, "");
}

int main(void)
{
    RUN(a_target_per_address_and_port);
    RUN(pods_and_services_are_joined_and_further_ports_added);
    RUN(slices_have_labels_of_their_own);
    RUN(the_second_family_of_addresses_is_left_out);
    RUN(a_slice_need_not_have_a_port_or_service);
    return REPORT();
}
