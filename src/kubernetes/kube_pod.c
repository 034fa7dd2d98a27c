#include "kubernetes/kube_pod.h"

#include "base/cleanup.h"

/* As strings.ToLower for the words True, False and Unknown. */
static struct str kube_pod_ready_word(struct str status)
{
    return str_is(status, "True") ? STR("true") : str_is(status, "False") ? STR("false") : STR("unknown");
}

static struct str kube_pod_ready(const json_t *pod)
{
    size_t i;
    const json_t *condition;
    json_array_foreach(kube_get(kube_get(pod, "status"), "conditions"), i, condition)
    {
        if (str_is(kube_str(condition, "type"), "Ready"))
            return kube_pod_ready_word(kube_str(condition, "status"));
    }
    return STR("unknown");
}

static const json_t *kube_pod_controller(const json_t *pod)
{
    size_t i;
    const json_t *owner;
    bool is_controller;
    json_array_foreach(kube_get(kube_get(pod, "metadata"), "ownerReferences"), i, owner)
    {
        if (kube_has_bool(owner, "controller", &is_controller) && is_controller)
            return owner;
    }
    return NULL;
}

void kube_pod_put_labels(struct labels_builder *b, const json_t *pod)
{
    const json_t *metadata = kube_get(pod, "metadata"), *spec = kube_get(pod, "spec"),
                 *status = kube_get(pod, "status"), *controller = kube_pod_controller(pod);
    kube_put(b, "pod_name", kube_str(metadata, "name"));
    kube_put(b, "pod_ip", kube_str(status, "podIP"));
    kube_put(b, "pod_ready", kube_pod_ready(pod));
    kube_put(b, "pod_phase", kube_str(status, "phase"));
    kube_put(b, "pod_node_name", kube_str(spec, "nodeName"));
    kube_put(b, "pod_host_ip", kube_str(status, "hostIP"));
    kube_put(b, "pod_uid", kube_str(metadata, "uid"));
    if (kube_str(controller, "kind").n)
        kube_put(b, "pod_controller_kind", kube_str(controller, "kind"));
    if (kube_str(controller, "name").n)
        kube_put(b, "pod_controller_name", kube_str(controller, "name"));
    kube_put_metadata(b, "pod", pod);
}

/* --- containers --- */

static const char *const kube_pod_lists[][2] = {{"containers", "containerStatuses"},
                                                {"initContainers", "initContainerStatuses"}};

static struct str kube_pod_container_id(const json_t *pod, bool is_init, struct str name)
{
    size_t i;
    const json_t *container;
    json_array_foreach(kube_get(kube_get(pod, "status"), kube_pod_lists[is_init][1]), i, container)
    {
        if (str_eq(kube_str(container, "name"), name))
            return kube_str(container, "containerID");
    }
    return STR("");
}

static void kube_pod_put_container(struct labels_builder *b, const json_t *container, bool is_init)
{
    kube_put(b, "pod_container_name", kube_str(container, "name"));
    kube_put(b, "pod_container_image", kube_str(container, "image"));
    kube_put_bool(b, "pod_container_init", is_init);
}

void kube_pod_put_port(struct labels_builder *b, const struct kube_pod_port *port, struct str protocol)
{
    kube_pod_put_container(b, port->container, port->is_init);
    kube_put(b, "pod_container_port_name", kube_str(port->port, "name"));
    kube_put_int(b, "pod_container_port_number", port->number);
    kube_put(b, "pod_container_port_protocol", protocol);
}

static bool kube_pod_visit_container(const json_t *container, bool is_init, kube_pod_visit *visit, void *arg)
{
    size_t i;
    const json_t *port;
    json_array_foreach(kube_get(container, "ports"), i, port)
    {
        struct kube_pod_port p = {container, port, 0, is_init};
        (void)kube_has_int(port, "containerPort", &p.number);
        if (!visit(arg, &p))
            return false;
    }
    return true;
}

void kube_pod_each_port(const json_t *pod, kube_pod_visit *visit, void *arg)
{
    size_t i;
    const json_t *container;
    for (unsigned list = 0; list < ARRAY_LEN(kube_pod_lists); list++)
        json_array_foreach(kube_get(kube_get(pod, "spec"), kube_pod_lists[list][0]), i, container)
        {
            if (!kube_pod_visit_container(container, list == 1, visit, arg))
                return;
        }
}

/* --- targets --- */

struct kube_pod_build {
    struct labels_builder *builder;
    const struct labels *group; /* of the pod */
    struct str ip, id;
    struct kube_targets *targets;
};

static bool kube_pod_add_port(void *arg, const struct kube_pod_port *port)
{
    const struct kube_pod_build *t = arg;
    labels_builder_from(t->builder, t->group);
    kube_put_address(t->builder, t->ip, port->number);
    kube_put(t->builder, "pod_container_id", t->id);
    kube_pod_put_port(t->builder, port, kube_str(port->port, "protocol"));
    kube_targets_add(t->targets, t->builder);
    return true;
}

static void kube_pod_add_container(struct kube_pod_build *t, const json_t *pod, const json_t *container, bool is_init)
{
    t->id = kube_pod_container_id(pod, is_init, kube_str(container, "name"));
    if (json_array_size(kube_get(container, "ports"))) {
        (void)kube_pod_visit_container(container, is_init, kube_pod_add_port, t);
        return;
    }
    labels_builder_from(t->builder, t->group);
    kube_put_address(t->builder, t->ip, -1);
    kube_put(t->builder, "pod_container_id", t->id);
    kube_pod_put_container(t->builder, container, is_init);
    kube_targets_add(t->targets, t->builder);
}

void kube_pod_targets(const json_t *pod, struct kube_targets *ret)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const struct str ip = kube_str(kube_get(pod, "status"), "podIP");
    if (!ip.n)
        return; /* it is starting, or was evicted */
    kube_pod_put_labels(&b, pod);
    kube_put(&b, "namespace", kube_str(kube_get(pod, "metadata"), "namespace"));
    struct labels *group = labels_build(&b, false);
    struct kube_pod_build t = {.builder = &b, .group = group, .ip = ip, .targets = ret};
    size_t i;
    const json_t *container;
    for (unsigned list = 0; list < ARRAY_LEN(kube_pod_lists); list++)
        json_array_foreach(kube_get(kube_get(pod, "spec"), kube_pod_lists[list][0]), i, container)
            kube_pod_add_container(&t, pod, container, list == 1);
    labels_unref(group);
}
