#include "kubernetes/kube_role.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "kubernetes/kube_endpoints.h"
#include "kubernetes/kube_pod.h"

/* --- nodes --- */

/* The first address of the type; NULL if there is none. */
static const json_t *kube_node_address(const json_t *node, const char *type)
{
    size_t i;
    const json_t *address;
    json_array_foreach(kube_get(kube_get(node, "status"), "addresses"), i, address)
    {
        if (str_is(kube_str(address, "type"), type))
            return address;
    }
    return NULL;
}

static const json_t *kube_node_best_address(const json_t *node)
{
    static const char *const types[] = {"InternalIP",  "InternalDNS",  "ExternalIP",
                                        "ExternalDNS", "LegacyHostIP", "Hostname"};
    const json_t *address = NULL;
    for (size_t i = 0; !address && i < ARRAY_LEN(types); i++)
        address = kube_node_address(node, types[i]);
    return address;
}

static void kube_node_put_lower(struct labels_builder *b, const char *prefix, struct str key, struct str value)
{
    char lower_key[256], lower[64];
    size_t n = 0, k = 0;
    for (; n < key.n && n < sizeof lower_key; n++)
        lower_key[n] = (char)(key.p[n] >= 'A' && key.p[n] <= 'Z' ? key.p[n] + 32 : key.p[n]);
    for (; k < value.n && k < sizeof lower; k++)
        lower[k] = (char)(value.p[k] >= 'A' && value.p[k] <= 'Z' ? value.p[k] + 32 : value.p[k]);
    kube_put_key(b, prefix, (struct str){lower_key, n}, (struct str){lower, k});
}

static void kube_node_put_status(struct labels_builder *b, const json_t *node)
{
    size_t i;
    const json_t *item;
    json_array_foreach(kube_get(kube_get(node, "status"), "conditions"), i, item)
        kube_node_put_lower(b, "node_condition_", kube_str(item, "type"), kube_str(item, "status"));
    json_array_foreach(kube_get(kube_get(node, "status"), "addresses"), i, item)
    {
        const struct str type = kube_str(item, "type");
        cleanup_free char *text = str_dup(type);
        if (kube_node_address(node, text) == item)
            kube_put_key(b, "node_address_", type, kube_str(item, "address"));
    }
}

static void kube_node_targets(const json_t *node, struct kube_targets *ret)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const json_t *address = kube_node_best_address(node);
    const struct str name = kube_str(kube_get(node, "metadata"), "name");
    int64_t port = 0;
    if (!address)
        return;
    (void)kube_has_int(kube_get(kube_get(kube_get(node, "status"), "daemonEndpoints"), "kubeletEndpoint"), "Port",
                       &port);
    kube_put_address(&b, kube_str(address, "address"), port);
    labels_set(&b, STR("instance"), name);
    kube_put(&b, "node_name", name);
    kube_put(&b, "node_provider_id", kube_str(kube_get(node, "spec"), "providerID"));
    kube_node_put_status(&b, node);
    kube_put_metadata(&b, "node", node);
    kube_targets_add(ret, &b);
}

/* --- services --- */

static void kube_service_put_port(struct labels_builder *b, const json_t *service, const json_t *port)
{
    const json_t *metadata = kube_get(service, "metadata"), *spec = kube_get(service, "spec");
    const struct str type = kube_str(spec, "type"), name = kube_str(metadata, "name"),
                     space = kube_str(metadata, "namespace");
    int64_t number = 0;
    (void)kube_has_int(port, "port", &number);
    cleanup_free char *host = xasprintf("%.*s.%.*s.svc", STR_ARG(name), STR_ARG(space));
    kube_put_address(b, str_of(host), number);
    kube_put(b, "service_port_name", kube_str(port, "name"));
    kube_put_int(b, "service_port_number", number);
    kube_put(b, "service_port_protocol", kube_str(port, "protocol"));
    kube_put(b, "service_type", type);
    if (str_is(type, "ExternalName"))
        kube_put(b, "service_external_name", kube_str(spec, "externalName"));
    else
        kube_put(b, "service_cluster_ip", kube_str(spec, "clusterIP"));
    if (str_is(type, "LoadBalancer"))
        kube_put(b, "service_loadbalancer_ip", kube_str(spec, "loadBalancerIP"));
}

static void kube_service_targets(const json_t *service, struct kube_targets *ret)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    kube_service_put_labels(&b, service);
    struct labels *group = labels_build(&b, false);
    size_t i;
    const json_t *port;
    json_array_foreach(kube_get(kube_get(service, "spec"), "ports"), i, port)
    {
        labels_builder_from(&b, group);
        kube_service_put_port(&b, service, port);
        kube_targets_add(ret, &b);
    }
    labels_unref(group);
}

/* --- ingresses --- */

/* "*.example.org" matches one more part, as a certificate's name does. */
static bool kube_ingress_matches(struct str pattern, struct str host)
{
    if (str_eq(pattern, host))
        return true;
    const char *dot = host.n ? memchr(host.p, '.', host.n) : NULL;
    if (!str_has_prefix(pattern, STR("*.")) || !dot)
        return false;
    const struct str rest = {dot, host.n - (size_t)(dot - host.p)};
    return str_eq((struct str){pattern.p + 1, pattern.n - 1}, rest);
}

static bool kube_ingress_has_tls(const json_t *ingress, struct str host)
{
    size_t i, k;
    const json_t *tls, *name;
    json_array_foreach(kube_get(kube_get(ingress, "spec"), "tls"), i, tls)
        json_array_foreach(kube_get(tls, "hosts"), k, name)
    {
        const struct str pattern = {json_string_value(name), json_string_length(name)};
        if (pattern.p && kube_ingress_matches(pattern, host))
            return true;
    }
    return false;
}

static void kube_ingress_add_path(struct labels_builder *b, const struct labels *group, const json_t *ingress,
                                  struct str host, struct str path, struct kube_targets *ret)
{
    labels_builder_from(b, group);
    kube_put_address(b, host, -1);
    kube_put(b, "ingress_scheme", kube_ingress_has_tls(ingress, host) ? STR("https") : STR("http"));
    kube_put(b, "ingress_host", host);
    kube_put(b, "ingress_path", path.n ? path : STR("/"));
    kube_targets_add(ret, b);
}

static void kube_ingress_targets(const json_t *ingress, struct kube_targets *ret)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const json_t *metadata = kube_get(ingress, "metadata"), *spec = kube_get(ingress, "spec"), *rule, *path;
    size_t i, k;
    kube_put(&b, "namespace", kube_str(metadata, "namespace"));
    kube_put_str(&b, "ingress_class_name", spec, "ingressClassName");
    kube_put(&b, "ingress_name", kube_str(metadata, "name"));
    kube_put_metadata(&b, "ingress", ingress);
    struct labels *group = labels_build(&b, false);
    json_array_foreach(kube_get(spec, "rules"), i, rule)
    {
        const struct str host = kube_str(rule, "host");
        const json_t *http = kube_get(rule, "http");
        if (!http)
            kube_ingress_add_path(&b, group, ingress, host, STR("/"), ret);
        json_array_foreach(kube_get(http, "paths"), k, path)
            kube_ingress_add_path(&b, group, ingress, host, kube_str(path, "path"), ret);
    }
    labels_unref(group);
}

void kube_role_targets(enum kube_kind kind, const json_t *object, kube_lookup *lookup, void *arg,
                       struct kube_targets *ret)
{
    switch (kind) {
    case KUBE_POD:
        kube_pod_targets(object, ret);
        return;
    case KUBE_NODE:
        kube_node_targets(object, ret);
        return;
    case KUBE_SERVICE:
        kube_service_targets(object, ret);
        return;
    case KUBE_ENDPOINTS:
        kube_endpoints_targets(object, lookup, arg, ret);
        return;
    case KUBE_ENDPOINTSLICE:
        kube_endpointslice_targets(object, lookup, arg, ret);
        return;
    case KUBE_INGRESS:
        kube_ingress_targets(object, ret);
        return;
    case KUBE_NAMESPACE:
        return; /* none of its own */
    }
}

/* --- what is kept --- */

/* "a" or "a.b": the members that are read, by kind. */
static const char *const kube_role_kept[KUBE_KINDS][16] = {
    [KUBE_POD] = {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations",
                  "metadata.ownerReferences", "spec.nodeName", "spec.containers", "spec.initContainers", "status.podIP",
                  "status.hostIP", "status.phase", "status.conditions"},
    [KUBE_SERVICE] = {"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations",
                      "spec.ipFamilies", "spec.ipFamilyPolicy"},
    [KUBE_ENDPOINTS] = {"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "subsets"},
    [KUBE_ENDPOINTSLICE] = {"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations",
                            "addressType", "endpoints", "ports"},
};

static bool kube_role_keeps(const char *const *kept, const char *outer, const char *inner)
{
    const size_t n = strlen(outer);
    for (; *kept; kept++) {
        if (strncmp(*kept, outer, n) != 0)
            continue;
        const char *rest = *kept + n;
        if (inner ? *rest == '.' && strcmp(rest + 1, inner) == 0 : *rest == '\0' || *rest == '.')
            return true;
    }
    return false;
}

static void kube_role_keep_names(json_t *containers)
{
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container)
    {
        const char *key;
        json_t *v;
        void *next;
        json_object_foreach_safe(container, next, key, v)
        {
            if (strcmp(key, "name") != 0 && strcmp(key, "image") != 0 && strcmp(key, "ports") != 0)
                json_object_del(container, key);
        }
    }
}

void kube_role_prune(enum kube_kind kind, json_t *object)
{
    const char *const *kept = kube_role_kept[kind];
    const char *outer, *inner;
    json_t *member, *v;
    void *next, *next_inner;
    json_object_foreach_safe(object, next, outer, member)
    {
        if (!kube_role_keeps(kept, outer, NULL)) {
            json_object_del(object, outer);
            continue;
        }
        json_object_foreach_safe(member, next_inner, inner, v)
        {
            if (!kube_role_keeps(kept, outer, inner))
                json_object_del(member, inner);
        }
    }
    kube_role_keep_names(kube_get(kube_get(object, "spec"), "containers"));
    kube_role_keep_names(kube_get(kube_get(object, "spec"), "initContainers"));
}

/* --- what is attached --- */

struct labels *kube_role_attached(enum kube_kind kind, const json_t *object)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    if (kind == KUBE_NODE)
        kube_put(&b, "node_name", kube_str(kube_get(object, "metadata"), "name"));
    kube_put_metadata(&b, kube_kinds[kind].role, object);
    return labels_build(&b, false);
}

/* No label of pods, services, endpoints and ingresses begins in that way: `__meta_kubernetes_namespace` is shorter. */
bool kube_role_is_attached(enum kube_kind kind, struct str label)
{
    return kind == KUBE_NODE ? str_has_prefix(label, STR("__meta_kubernetes_node_"))
                             : str_has_prefix(label, STR("__meta_kubernetes_namespace_"));
}
