#include "kubernetes/kube_pod.h"

#include "kube_fixture.h"

#define GROUP                                                                                                          \
    "pod_controller_kind=\"ReplicaSet\", pod_controller_name=\"rs\", pod_host_ip=\"2.3.4.5\", pod_ip=\"4.3.2.1\", "    \
    "pod_label_app=\"x\", pod_labelpresent_app=\"true\", pod_name=\"p\", pod_node_name=\"n\", "                        \
    "pod_phase=\"Running\", pod_ready=\"true\", pod_uid=\"u\"}\n"

static const char pod[] =
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u\",\"labels\":{\"app\":\"x\"},\"ownerReferences\":"
    "[{\"kind\":\"Other\",\"name\":\"o\"},{\"kind\":\"ReplicaSet\",\"name\":\"rs\",\"controller\":true}]},"
    "\"spec\":{\"nodeName\":\"n\",\"containers\":[{\"name\":\"c0\",\"image\":\"i0\",\"ports\":["
    "{\"name\":\"a\",\"containerPort\":9000,\"protocol\":\"TCP\"},{\"containerPort\":9001,\"protocol\":\"UDP\"}]},"
    "{\"name\":\"c1\",\"image\":\"i1\"}],\"initContainers\":[{\"name\":\"c2\",\"image\":\"i2\"}]},"
    "\"status\":{\"podIP\":\"4.3.2.1\",\"hostIP\":\"2.3.4.5\",\"phase\":\"Running\",\"conditions\":["
    "{\"type\":\"Initialized\",\"status\":\"False\"},{\"type\":\"Ready\",\"status\":\"True\"}],"
    "\"containerStatuses\":[{\"name\":\"c1\",\"containerID\":\"cri-o://1\"},"
    "{\"name\":\"c0\",\"containerID\":\"docker://0\"}],"
    "\"initContainerStatuses\":[{\"name\":\"c2\",\"containerID\":\"containerd://2\"}]}}";

static void a_target_per_port_or_container(void)
{
    CHECK_TARGETS(KUBE_POD, pod, KNOWS_NOTHING,
                  "{__address__=\"4.3.2.1:9000\", namespace=\"ns\", pod_container_id=\"docker://0\", "
                  "pod_container_image=\"i0\", pod_container_init=\"false\", pod_container_name=\"c0\", "
                  "pod_container_port_name=\"a\", pod_container_port_number=\"9000\", "
                  "pod_container_port_protocol=\"TCP\", " GROUP
                  "{__address__=\"4.3.2.1:9001\", namespace=\"ns\", pod_container_id=\"docker://0\", "
                  "pod_container_image=\"i0\", pod_container_init=\"false\", pod_container_name=\"c0\", "
                  "pod_container_port_name=\"\", pod_container_port_number=\"9001\", "
                  "pod_container_port_protocol=\"UDP\", " GROUP
                  "{__address__=\"4.3.2.1\", namespace=\"ns\", pod_container_id=\"cri-o://1\", "
                  "pod_container_image=\"i1\", pod_container_init=\"false\", pod_container_name=\"c1\", " GROUP
                  "{__address__=\"4.3.2.1\", namespace=\"ns\", pod_container_id=\"containerd://2\", "
                  "pod_container_image=\"i2\", pod_container_init=\"true\", pod_container_name=\"c2\", " GROUP);
}

static void none_without_an_address(void)
{
    CHECK_TARGETS(KUBE_POD, "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}",
                  KNOWS_NOTHING, "");
    CHECK_TARGETS(KUBE_POD, "{}", KNOWS_NOTHING, "");
}

static void a_container_that_has_not_started_has_an_empty_id(void)
{
    CHECK_TARGETS(KUBE_POD,
                  "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\"},\"spec\":{\"containers\":[{\"name\":\"c\"}]},"
                  "\"status\":{\"podIP\":\"::1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\"}]}}",
                  KNOWS_NOTHING,
                  "{__address__=\"::1\", namespace=\"ns\", pod_container_id=\"\", pod_container_image=\"\", "
                  "pod_container_init=\"false\", pod_container_name=\"c\", pod_host_ip=\"\", pod_ip=\"::1\", "
                  "pod_name=\"p\", pod_node_name=\"\", pod_phase=\"\", pod_ready=\"unknown\", pod_uid=\"\"}\n");
}

int main(void)
{
    RUN(a_target_per_port_or_container);
    RUN(none_without_an_address);
    RUN(a_container_that_has_not_started_has_an_empty_id);
    return REPORT();
}
