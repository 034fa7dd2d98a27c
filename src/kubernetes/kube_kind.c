#include "kubernetes/kube_kind.h"

const struct kube_kind_facts kube_kinds[KUBE_KINDS] = {
    [KUBE_POD] = {"pod", "/api/v1", "pods", true},
    [KUBE_NODE] = {"node", "/api/v1", "nodes", false},
    [KUBE_SERVICE] = {"service", "/api/v1", "services", true},
    [KUBE_ENDPOINTS] = {"endpoints", "/api/v1", "endpoints", true},
    [KUBE_ENDPOINTSLICE] = {"endpointslice", "/apis/discovery.k8s.io/v1", "endpointslices", true},
    [KUBE_INGRESS] = {"ingress", "/apis/networking.k8s.io/v1", "ingresses", true},
    [KUBE_NAMESPACE] = {"namespace", "/api/v1", "namespaces", false},
};
