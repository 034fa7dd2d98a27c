/* The kinds of Kubernetes objects that targets are made from. Source: Kubernetes API reference. */
#pragma once

#include <stdbool.h>

enum kube_kind {
    KUBE_POD,
    KUBE_NODE,
    KUBE_SERVICE,
    KUBE_ENDPOINTS,
    KUBE_ENDPOINTSLICE,
    KUBE_INGRESS,
    KUBE_NAMESPACE,
};
enum { KUBE_KINDS = KUBE_NAMESPACE + 1 };

struct kube_kind_facts {
    const char *role;   /* as a configuration says it, and in names of labels */
    const char *group;  /* path of the API group: "/api/v1" */
    const char *plural; /* "pods" */
    bool is_namespaced; /* else it belongs to the cluster */
};
extern const struct kube_kind_facts kube_kinds[KUBE_KINDS];
