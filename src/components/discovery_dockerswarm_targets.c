#include "components/discovery_dockerswarm_targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "components/docker_api.h"
#include "components/meta_labels.h"

#define PREFIX "__meta_dockerswarm"

struct swarm_writer {
    int64_t port;
    struct docker_networks networks;
    struct strmap nodes, services; /* ID -> struct labels * that tasks have of them; owned */
    struct meta_targets targets;
};

/* --- order --- */

struct swarm_sorted {
    struct str id;
    const struct value *item;
};

static int swarm_by_id(const void *a, const void *b)
{
    return str_cmp(((const struct swarm_sorted *)a)->id, ((const struct swarm_sorted *)b)->id);
}

/* Items with an ID; never NULL. */
static struct swarm_sorted *swarm_sort(const struct value *list, size_t *n)
{
    struct swarm_sorted *sorted = xcalloc(meta_items(list) + 1, sizeof *sorted);
    *n = 0;
    for (size_t i = 0; i < meta_items(list); i++) {
        const struct str id = meta_text(value_item(list, i), "ID");
        if (id.n)
            sorted[(*n)++] = (struct swarm_sorted){id, value_item(list, i)};
    }
    if (*n > 1)
        qsort(sorted, *n, sizeof *sorted, swarm_by_id);
    return sorted;
}

struct swarm_text {
    const char *path, *label;
};

static void swarm_put_texts(struct labels_builder *b, const struct value *v, const struct swarm_text *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        meta_put(b, texts[i].label, meta_text(v, texts[i].path));
}

static void swarm_put_labels(struct labels_builder *b, const struct labels *labels)
{
    for (size_t i = 0; i < labels_len(labels); i++)
        labels_set(b, labels_at(labels, i)->name, labels_at(labels, i)->value);
}

/* "10.0.1.2/24": without the length of the prefix. */
static struct str swarm_address(struct str cidr)
{
    const char *slash = cidr.n ? memchr(cidr.p, '/', cidr.n) : NULL;
    return slash ? (struct str){cidr.p, (size_t)(slash - cidr.p)} : cidr;
}

/* --- nodes --- */

static struct labels *swarm_node_labels(const struct value *node)
{
    static const struct swarm_text texts[] = {
        {"ID", PREFIX "_node_id"},
        {"Spec.Role", PREFIX "_node_role"},
        {"Spec.Availability", PREFIX "_node_availability"},
        {"Description.Hostname", PREFIX "_node_hostname"},
        {"Description.Platform.Architecture", PREFIX "_node_platform_architecture"},
        {"Description.Platform.OS", PREFIX "_node_platform_os"},
        {"Status.State", PREFIX "_node_status"},
        {"Status.Addr", PREFIX "_node_address"},
    };
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    swarm_put_texts(&b, node, texts, ARRAY_LEN(texts));
    meta_put_map(&b, PREFIX "_node_label_", meta_path(node, "Spec.Labels"));
    return labels_build(&b, true);
}

static void swarm_add_node(struct swarm_writer *w, const struct value *node)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    struct labels *common = swarm_node_labels(node);
    labels_builder_from(&b, common);
    meta_put(&b, PREFIX "_node_engine_version", meta_text(node, "Description.Engine.EngineVersion"));
    if (meta_len(meta_member(node, "ManagerStatus"))) {
        meta_put(&b, PREFIX "_node_manager_address", meta_text(node, "ManagerStatus.Addr"));
        meta_put_flag(&b, PREFIX "_node_manager_leader", meta_flag(node, "ManagerStatus.Leader"));
        meta_put(&b, PREFIX "_node_manager_reachability", meta_text(node, "ManagerStatus.Reachability"));
    }
    meta_put_address(&b, meta_text(node, "Status.Addr"), w->port);
    meta_add(&w->targets, labels_build(&b, true));
    labels_unref(common);
}

/* --- services --- */

static struct str swarm_service_mode(const struct value *service)
{
    static const char *const modes[][2] = {{"Global", "global"},
                                           {"Replicated", "replicated"},
                                           {"ReplicatedJob", "replicated-job"},
                                           {"GlobalJob", "global-job"}};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (meta_member(meta_path(service, "Spec.Mode"), modes[i][0]))
            return str_of(modes[i][1]);
    return STR("");
}

static struct labels *swarm_service_labels(const struct value *service)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    meta_put(&b, PREFIX "_service_id", meta_text(service, "ID"));
    meta_put(&b, PREFIX "_service_name", meta_text(service, "Spec.Name"));
    meta_put(&b, PREFIX "_service_mode", swarm_service_mode(service));
    meta_put_map(&b, PREFIX "_service_label_", meta_path(service, "Spec.Labels"));
    return labels_build(&b, true);
}

/* The ports of an endpoint at one address; those of the ingress network are on all of them. */
static bool swarm_add_ports(struct swarm_writer *w, const struct labels *common, const struct value *ports,
                            struct str address, struct str network)
{
    bool added = false;
    for (size_t i = 0; i < meta_items(ports); i++) {
        const struct value *port = value_item(ports, i);
        cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
        if (!str_is(meta_text(port, "Protocol"), "tcp"))
            continue;
        labels_builder_from(&b, common);
        meta_put(&b, PREFIX "_service_endpoint_port_name", meta_text(port, "Name"));
        meta_put(&b, PREFIX "_service_endpoint_port_publish_mode", meta_text(port, "PublishMode"));
        docker_networks_put(&w->networks, network, &b);
        meta_put_address(&b, address, meta_number(port, "PublishedPort"));
        meta_add(&w->targets, labels_build(&b, true));
        added = true;
    }
    return added;
}

static void swarm_add_service(struct swarm_writer *w, const struct value *service)
{
    static const struct swarm_text texts[] = {
        {"Spec.TaskTemplate.ContainerSpec.Hostname", PREFIX "_service_task_container_hostname"},
        {"Spec.TaskTemplate.ContainerSpec.Image", PREFIX "_service_task_container_image"},
        {"UpdateStatus.State", PREFIX "_service_updating_status"},
    };
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    struct labels *common = swarm_service_labels(service);
    labels_builder_from(&b, common);
    swarm_put_texts(&b, service, texts, ARRAY_LEN(texts));
    labels_unref(common);
    common = labels_build(&b, true);
    const struct value *addresses = meta_path(service, "Endpoint.VirtualIPs");
    for (size_t i = 0; i < meta_items(addresses); i++) {
        const struct value *vip = value_item(addresses, i);
        const struct str address = swarm_address(meta_text(vip, "Addr")), network = meta_text(vip, "NetworkID");
        if (swarm_add_ports(w, common, meta_path(service, "Endpoint.Ports"), address, network))
            continue;
        labels_builder_from(&b, common);
        docker_networks_put(&w->networks, network, &b);
        meta_put_address(&b, address, w->port);
        meta_add(&w->targets, labels_build(&b, true));
    }
    labels_unref(common);
}

/* --- tasks --- */

static struct labels *swarm_task_labels(const struct swarm_writer *w, const struct value *task)
{
    static const struct swarm_text texts[] = {
        {"ID", PREFIX "_task_id"},
        {"DesiredState", PREFIX "_task_desired_state"},
        {"Status.State", PREFIX "_task_state"},
        {"Status.ContainerStatus.ContainerID", PREFIX "_task_container_id"},
    };
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    swarm_put_labels(&b, strmap_get(&w->services, meta_text(task, "ServiceID")));
    swarm_put_labels(&b, strmap_get(&w->nodes, meta_text(task, "NodeID")));
    swarm_put_texts(&b, task, texts, ARRAY_LEN(texts));
    meta_put_number(&b, PREFIX "_task_slot", meta_number(task, "Slot"));
    meta_put_map(&b, PREFIX "_container_label_", meta_path(task, "Spec.ContainerSpec.Labels"));
    return labels_build(&b, true);
}

static bool swarm_add_host_ports(struct swarm_writer *w, const struct labels *common, const struct value *task)
{
    const struct value *ports = meta_path(task, "Status.PortStatus.Ports");
    bool added = false;
    for (size_t i = 0; i < meta_items(ports); i++) {
        const struct value *port = value_item(ports, i);
        cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
        if (!str_is(meta_text(port, "Protocol"), "tcp"))
            continue;
        labels_builder_from(&b, common);
        meta_put(&b, PREFIX "_task_port_publish_mode", meta_text(port, "PublishMode"));
        meta_put_address(&b, labels_get(common, STR(PREFIX "_node_address")), meta_number(port, "PublishedPort"));
        meta_add(&w->targets, labels_build(&b, true));
        added = true;
    }
    return added;
}

/* Of one network: a target for each port that the task's service publishes, or one with `port`. */
static void swarm_add_attachment(struct swarm_writer *w, const struct labels *common, const struct value *attachment,
                                 const struct value *ports)
{
    const struct value *addresses = meta_member(attachment, "Addresses");
    const struct str network = meta_text(attachment, "Network.ID");
    for (size_t i = 0; i < meta_items(addresses); i++) {
        cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
        const struct value *text = value_item(addresses, i);
        const struct str address = swarm_address(value_kind(text) == VALUE_STRING ? value_as_str(text) : STR(""));
        bool added = false;
        for (size_t k = 0; k < meta_items(ports); k++) {
            if (!str_is(meta_text(value_item(ports, k), "Protocol"), "tcp"))
                continue;
            labels_builder_from(&b, common);
            meta_put(&b, PREFIX "_task_port_publish_mode", meta_text(value_item(ports, k), "PublishMode"));
            docker_networks_put(&w->networks, network, &b);
            meta_put_address(&b, address, meta_number(value_item(ports, k), "PublishedPort"));
            meta_add(&w->targets, labels_build(&b, true));
            added = true;
        }
        if (added)
            continue;
        labels_builder_from(&b, common);
        docker_networks_put(&w->networks, network, &b);
        meta_put_address(&b, address, w->port);
        meta_add(&w->targets, labels_build(&b, true));
    }
}

static void swarm_add_task(struct swarm_writer *w, const struct value *task, const struct value *service)
{
    struct labels *common = swarm_task_labels(w, task);
    const struct value *attachments = meta_member(task, "NetworksAttachments");
    const size_t before = w->targets.list.len;
    (void)swarm_add_host_ports(w, common, task);
    for (size_t i = 0; i < meta_items(attachments); i++)
        swarm_add_attachment(w, common, value_item(attachments, i), meta_path(service, "Endpoint.Ports"));
    if (w->targets.list.len == before)
        meta_add(&w->targets, labels_ref(common));
    labels_unref(common);
}

/* --- all --- */

static void swarm_keep(struct strmap *map, const struct value *list, struct labels *(*make)(const struct value *))
{
    for (size_t i = 0; i < meta_items(list); i++) {
        const struct str id = meta_text(value_item(list, i), "ID");
        if (id.n)
            labels_unref(strmap_put(map, id, make(value_item(list, i))));
    }
}

static void swarm_drop(struct strmap *map)
{
    strmap_each(map, e) labels_unref(e->value);
    strmap_done(map);
}

static const struct value *swarm_service_of(const struct value *services, const struct value *task)
{
    for (size_t i = 0; i < meta_items(services); i++)
        if (str_eq(meta_text(value_item(services, i), "ID"), meta_text(task, "ServiceID")))
            return value_item(services, i);
    return NULL;
}

void swarm_targets(enum swarm_role role, const struct swarm_answers *a, int64_t port, struct targets *ret)
{
    struct swarm_writer w = {.port = port, .nodes = STRMAP_INIT, .services = STRMAP_INIT};
    size_t n;
    cleanup_free struct swarm_sorted *sorted = swarm_sort(role == SWARM_NODES      ? a->nodes
                                                          : role == SWARM_SERVICES ? a->services
                                                                                   : a->tasks,
                                                          &n);
    docker_networks_read(&w.networks, a->networks, PREFIX);
    if (role == SWARM_TASKS) {
        swarm_keep(&w.nodes, a->nodes, swarm_node_labels);
        swarm_keep(&w.services, a->services, swarm_service_labels);
    }
    for (size_t i = 0; i < n; i++) {
        if (role == SWARM_NODES)
            swarm_add_node(&w, sorted[i].item);
        else if (role == SWARM_SERVICES)
            swarm_add_service(&w, sorted[i].item);
        else
            swarm_add_task(&w, sorted[i].item, swarm_service_of(a->services, sorted[i].item));
    }
    swarm_drop(&w.nodes);
    swarm_drop(&w.services);
    docker_networks_done(&w.networks);
    *ret = w.targets.list;
}
