#include "kubernetes/kube_endpoints.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "kubernetes/kube_pod.h"

/* A pod behind the addresses, and the ports of it that have a target. */
struct kube_backing {
    json_t *pod; /* one reference */
    struct str space, name;
    int64_t *ports;
    size_t len, cap;
};

/* The targets of one object in the making. */
struct kube_endpoints_build {
    struct labels_builder *builder;
    struct labels *group; /* labels of all targets; one reference */
    struct kube_targets *targets;
    kube_endpoints_lookup *lookup;
    void *arg;
    struct kube_backing *pods;
    size_t len, cap;
};

static void kube_endpoints_done(struct kube_endpoints_build *t)
{
    for (size_t i = 0; i < t->len; i++) {
        json_decref(t->pods[i].pod);
        free(t->pods[i].ports);
    }
    free(t->pods);
    labels_unref(t->group);
}

void kube_service_put_labels(struct labels_builder *b, const json_t *service)
{
    const json_t *metadata = kube_get(service, "metadata");
    kube_put(b, "namespace", kube_str(metadata, "namespace"));
    kube_put(b, "service_name", kube_str(metadata, "name"));
    kube_put_metadata(b, "service", service);
}

/* --- pods --- */

/* The pod that the reference names; NULL if it names none, or an unknown one. Valid until the next call. */
static struct kube_backing *kube_endpoints_pod(struct kube_endpoints_build *t, const json_t *reference)
{
    const struct str space = kube_str(reference, "namespace"), name = kube_str(reference, "name");
    if (!str_is(kube_str(reference, "kind"), "Pod"))
        return NULL;
    /* Each port of an address comes with the same pod, often right after another. */
    for (size_t i = t->len; i > 0; i--) {
        struct kube_backing *known = &t->pods[i - 1];
        if (str_eq(known->name, name) && str_eq(known->space, space))
            return known;
    }
    json_t *pod = t->lookup(t->arg, KUBE_POD, space, name);
    if (!pod)
        return NULL;
    xgrow(&t->pods, &t->cap, t->len + 1, sizeof *t->pods);
    t->pods[t->len] = (struct kube_backing){.pod = pod, .space = space, .name = name};
    return &t->pods[t->len++];
}

struct kube_match {
    struct labels_builder *builder;
    int64_t number;
    const struct str *protocol; /* NULL: the container's */
};

/* As in the reference, the last container that has the port wins. */
static bool kube_endpoints_match(void *arg, const struct kube_pod_port *port)
{
    const struct kube_match *m = arg;
    if (port->number == m->number)
        kube_pod_put_port(m->builder, port, m->protocol ? *m->protocol : kube_str(port->port, "protocol"));
    return true;
}

/* Labels of the pod behind an address, and of its container with that port (none if negative). */
static void kube_endpoints_put_pod(const struct kube_endpoints_build *t, struct kube_backing *p, int64_t port,
                                   const struct str *protocol)
{
    kube_pod_put_labels(t->builder, p->pod);
    xgrow(&p->ports, &p->cap, p->len + 1, sizeof *p->ports);
    p->ports[p->len++] = port;
    struct kube_match m = {t->builder, port, protocol};
    if (port >= 0)
        kube_pod_each_port(p->pod, kube_endpoints_match, &m);
}

struct kube_further {
    const struct kube_endpoints_build *build;
    const struct kube_backing *pod;
    struct str ip;
};

static bool kube_endpoints_add_further(void *arg, const struct kube_pod_port *port)
{
    const struct kube_further *f = arg;
    struct labels_builder *b = f->build->builder;
    for (size_t i = 0; i < f->pod->len; i++) {
        if (f->pod->ports[i] == port->number)
            return true;
    }
    labels_builder_from(b, f->build->group);
    kube_put_address(b, f->ip, port->number);
    kube_pod_put_port(b, port, kube_str(port->port, "protocol"));
    kube_pod_put_labels(b, f->pod->pod);
    kube_targets_add(f->build->targets, b);
    return true;
}

/* Declared ports that no endpoint has. */
static void kube_endpoints_add_unbound(const struct kube_endpoints_build *t)
{
    for (size_t i = 0; i < t->len; i++) {
        struct kube_further f = {t, &t->pods[i], kube_str(kube_get(t->pods[i].pod, "status"), "podIP")};
        if (f.ip.n)
            kube_pod_each_port(t->pods[i].pod, kube_endpoints_add_further, &f);
    }
}

/* --- endpoints --- */

static void kube_endpoints_add(struct kube_endpoints_build *t, const json_t *address, const json_t *port, bool is_ready)
{
    struct labels_builder *b = t->builder;
    const json_t *reference = kube_get(address, "targetRef");
    const struct str protocol = kube_str(port, "protocol");
    int64_t number = 0;
    (void)kube_has_int(port, "port", &number);
    struct kube_backing *pod = kube_endpoints_pod(t, reference);
    labels_builder_from(b, t->group);
    kube_put_address(b, kube_str(address, "ip"), number);
    kube_put(b, "endpoint_port_name", kube_str(port, "name"));
    kube_put(b, "endpoint_port_protocol", protocol);
    kube_put_bool(b, "endpoint_ready", is_ready);
    if (reference) {
        kube_put(b, "endpoint_address_target_kind", kube_str(reference, "kind"));
        kube_put(b, "endpoint_address_target_name", kube_str(reference, "name"));
    }
    kube_put_str(b, "endpoint_node_name", address, "nodeName");
    if (kube_str(address, "hostname").n)
        kube_put(b, "endpoint_hostname", kube_str(address, "hostname"));
    if (pod)
        kube_endpoints_put_pod(t, pod, number, &protocol);
    kube_targets_add(t->targets, b);
}

static void kube_endpoints_add_subset(struct kube_endpoints_build *t, const json_t *subset)
{
    size_t i, k;
    const json_t *port, *address;
    json_array_foreach(kube_get(subset, "ports"), i, port)
    {
        json_array_foreach(kube_get(subset, "addresses"), k, address) kube_endpoints_add(t, address, port, true);
        json_array_foreach(kube_get(subset, "notReadyAddresses"), k, address)
            kube_endpoints_add(t, address, port, false);
    }
}

void kube_endpoints_targets(const json_t *endpoints, kube_endpoints_lookup *lookup, void *arg, struct kube_targets *ret)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const json_t *metadata = kube_get(endpoints, "metadata"), *subset;
    const struct str space = kube_str(metadata, "namespace"), name = kube_str(metadata, "name");
    json_t *service = lookup(arg, KUBE_SERVICE, space, name);
    if (service)
        kube_service_put_labels(&b, service);
    json_decref(service);
    kube_put(&b, "namespace", space);
    kube_put(&b, "endpoints_name", name);
    kube_put_metadata(&b, "endpoints", endpoints);
    struct kube_endpoints_build t = {
        .builder = &b, .group = labels_build(&b, false), .targets = ret, .lookup = lookup, .arg = arg};
    size_t i;
    json_array_foreach(kube_get(endpoints, "subsets"), i, subset) kube_endpoints_add_subset(&t, subset);
    kube_endpoints_add_unbound(&t);
    kube_endpoints_done(&t);
}

/* --- endpoint slices --- */

/* The secondary slice of a service with two families of addresses repeats the targets of the primary one. */
static bool kube_endpointslice_is_secondary(const json_t *slice, const json_t *service)
{
    const json_t *spec = kube_get(service, "spec");
    const struct str policy = kube_str(spec, "ipFamilyPolicy");
    const char *primary = json_string_value(json_array_get(kube_get(spec, "ipFamilies"), 0));
    return (str_is(policy, "PreferDualStack") || str_is(policy, "RequireDualStack")) && primary &&
           !str_is(kube_str(slice, "addressType"), primary);
}

static void kube_endpointslice_put_conditions(struct labels_builder *b, const json_t *endpoint)
{
    static const char *const names[][2] = {{"ready", "endpointslice_endpoint_conditions_ready"},
                                           {"serving", "endpointslice_endpoint_conditions_serving"},
                                           {"terminating", "endpointslice_endpoint_conditions_terminating"}};
    const json_t *conditions = kube_get(endpoint, "conditions");
    bool is_so;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (kube_has_bool(conditions, names[i][0], &is_so))
            kube_put_bool(b, names[i][1], is_so);
    }
}

static void kube_endpointslice_put_topology(struct labels_builder *b, json_t *topology)
{
    const char *key;
    json_t *v;
    json_object_foreach(topology, key, v)
    {
        const struct str value = {json_string_value(v), json_string_length(v)};
        kube_put_key(b, "endpointslice_endpoint_topology_", str_of(key), value.p ? value : STR(""));
        kube_put_key(b, "endpointslice_endpoint_topology_present_", str_of(key), STR("true"));
    }
}

static void kube_endpointslice_put_endpoint(struct labels_builder *b, const json_t *endpoint)
{
    const json_t *reference = kube_get(endpoint, "targetRef");
    kube_endpointslice_put_conditions(b, endpoint);
    kube_put_str(b, "endpointslice_endpoint_hostname", endpoint, "hostname");
    if (reference) {
        kube_put(b, "endpointslice_address_target_kind", kube_str(reference, "kind"));
        kube_put(b, "endpointslice_address_target_name", kube_str(reference, "name"));
    }
    kube_put_str(b, "endpointslice_endpoint_node_name", endpoint, "nodeName");
    kube_put_str(b, "endpointslice_endpoint_zone", endpoint, "zone");
    kube_endpointslice_put_topology(b, kube_get(endpoint, "deprecatedTopology"));
}

static void kube_endpointslice_add(struct kube_endpoints_build *t, const json_t *endpoint, const json_t *port,
                                   struct str address)
{
    struct labels_builder *b = t->builder;
    int64_t number = -1;
    const bool has_port = kube_has_int(port, "port", &number);
    struct kube_backing *pod = kube_endpoints_pod(t, kube_get(endpoint, "targetRef"));
    labels_builder_from(b, t->group);
    kube_put_address(b, address, has_port ? number : -1);
    kube_put_str(b, "endpointslice_port_name", port, "name");
    kube_put_str(b, "endpointslice_port_protocol", port, "protocol");
    kube_put_str(b, "endpointslice_port_app_protocol", port, "appProtocol");
    if (has_port)
        kube_put_int(b, "endpointslice_port", number);
    kube_endpointslice_put_endpoint(b, endpoint);
    if (pod)
        kube_endpoints_put_pod(t, pod, number, NULL);
    kube_targets_add(t->targets, b);
}

static void kube_endpointslice_add_all(struct kube_endpoints_build *t, const json_t *slice)
{
    size_t i, k, n;
    const json_t *endpoint, *port, *address;
    json_array_foreach(kube_get(slice, "endpoints"), i, endpoint) json_array_foreach(kube_get(slice, "ports"), k, port)
        json_array_foreach(kube_get(endpoint, "addresses"), n, address)
    {
        const struct str text = {json_string_value(address), json_string_length(address)};
        if (text.p)
            kube_endpointslice_add(t, endpoint, port, text);
    }
    kube_endpoints_add_unbound(t);
}

void kube_endpointslice_targets(const json_t *slice, kube_endpoints_lookup *lookup, void *arg, struct kube_targets *ret)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const json_t *metadata = kube_get(slice, "metadata");
    const struct str space = kube_str(metadata, "namespace"),
                     owner = kube_str(kube_get(metadata, "labels"), "kubernetes.io/service-name");
    json_t *service = owner.n ? lookup(arg, KUBE_SERVICE, space, owner) : NULL;
    if (service)
        kube_service_put_labels(&b, service);
    kube_put(&b, "namespace", space);
    kube_put(&b, "endpointslice_address_type", kube_str(slice, "addressType"));
    kube_put(&b, "endpointslice_name", kube_str(metadata, "name"));
    kube_put_metadata(&b, "endpointslice", slice);
    struct kube_endpoints_build t = {
        .builder = &b, .group = labels_build(&b, false), .targets = ret, .lookup = lookup, .arg = arg};
    if (!kube_endpointslice_is_secondary(slice, service))
        kube_endpointslice_add_all(&t, slice);
    json_decref(service);
    kube_endpoints_done(&t);
}
