/* Pods: their labels, and one target per container and port.
 *
 * Source: Prometheus v0.313 discovery/kubernetes/pod.go; spec components §5.2.
 */
#pragma once

#include "kubernetes/kube_object.h"

/* Labels of the pod itself, without its namespace. */
void kube_pod_put_labels(struct labels_builder *b, const json_t *pod);

/* One target per port of a container, or one without a port; none while the pod has no address. */
void kube_pod_targets(const json_t *pod, struct kube_targets *ret);

/* A declared port of a container. */
struct kube_pod_port {
    const json_t *container, *port;
    int64_t number;
    bool is_init;
};
/* Each declared port in order; false from the visit ends. */
typedef bool kube_pod_visit(void *arg, const struct kube_pod_port *port);
void kube_pod_each_port(const json_t *pod, kube_pod_visit *visit, void *arg);
/* Labels of the container and its port, but for the container's ID. */
void kube_pod_put_port(struct labels_builder *b, const struct kube_pod_port *port, struct str protocol);
