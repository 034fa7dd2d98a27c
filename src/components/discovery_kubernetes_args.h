/* The arguments of discovery.kubernetes. Source: spec components §5.2; Prometheus v0.313 for the rules between them. */
#pragma once

#include "components/http_settings.h"
#include "kubernetes/kube_kind.h"
#include "lang/schema.h"

struct kubernetes_namespaces_args {
    bool own_namespace;
    struct string_list names;
};
struct kubernetes_selector_args {
    enum kube_kind role;
    char *label, *field;
};
struct kubernetes_metadata_args {
    bool node, namespace;
};
struct discovery_kubernetes_args {
    enum kube_kind role;
    char *api_server, *kubeconfig_file;
    struct http_settings http;
    struct kubernetes_namespaces_args namespaces;
    struct block_list selectors; /* struct kubernetes_selector_args */
    struct kubernetes_metadata_args attach_metadata;
};

extern const struct schema discovery_kubernetes_schema;

/* The selectors for objects of that kind; NULL: there are none. */
const struct kubernetes_selector_args *discovery_kubernetes_selector(const struct discovery_kubernetes_args *a,
                                                                     enum kube_kind kind);
