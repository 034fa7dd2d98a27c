#include "components/discovery_docker_targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "components/docker_api.h"
#include "components/meta_labels.h"

#define PREFIX "__meta_docker"

enum { BORROW_MAX = 32 }; /* containers that use the network of one that uses the network of … */

struct docker_writer {
    const struct docker_target_options *options;
    struct docker_networks networks;
    struct strmap by_id; /* container ID -> struct value *, borrowed */
    struct meta_targets targets;
};

/* --- order --- */

struct docker_sorted {
    struct str key;
    const struct value *item;
    size_t place; /* in the answer */
};

static int docker_by_key(const void *a, const void *b)
{
    const struct docker_sorted *x = a, *y = b;
    const int order = str_cmp(x->key, y->key);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* Members of an object by their keys; items of an array by their member `key`. Never NULL. */
static struct docker_sorted *docker_sort(const struct value *v, const char *key)
{
    const size_t n = meta_len(v);
    struct docker_sorted *sorted = xcalloc(n + 1, sizeof *sorted);
    for (size_t i = 0; i < n; i++) {
        if (value_kind(v) == VALUE_OBJECT) {
            struct value *member;
            sorted[i].key = value_key(v, i, &member);
            sorted[i].item = member;
        } else {
            sorted[i].item = value_item(v, i);
            sorted[i].key = meta_text(sorted[i].item, key);
        }
        sorted[i].place = i;
    }
    if (n)
        qsort(sorted, n, sizeof *sorted, docker_by_key);
    return sorted;
}

/* --- one container --- */

/* Its own networks, or those of the container whose network it uses ("container:ID"). */
static const struct value *docker_networks_of(const struct docker_writer *w, const struct value *container)
{
    static const struct str borrowed = {"container:", 10};
    for (unsigned i = 0; container && i < BORROW_MAX; i++) {
        const struct value *networks = meta_path(container, "NetworkSettings.Networks");
        const struct str mode = meta_text(container, "HostConfig.NetworkMode");
        if (meta_len(networks) || !str_has_prefix(mode, borrowed))
            return networks;
        container = strmap_get(&w->by_id, (struct str){mode.p + borrowed.n, mode.n - borrowed.n});
    }
    return NULL;
}

static struct labels *docker_container_labels(const struct value *container)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    const struct value *names = meta_member(container, "Names");
    meta_put(&b, PREFIX "_container_id", meta_text(container, "Id"));
    if (meta_items(names) && value_kind(value_item(names, 0)) == VALUE_STRING)
        meta_put(&b, PREFIX "_container_name", value_as_str(value_item(names, 0)));
    meta_put(&b, PREFIX "_container_network_mode", meta_text(container, "HostConfig.NetworkMode"));
    meta_put_map(&b, PREFIX "_container_label_", meta_member(container, "Labels"));
    return labels_build(&b, true);
}

static void docker_add(struct docker_writer *w, struct labels_builder *b, const struct value *network)
{
    meta_put(b, PREFIX "_network_ip", meta_text(network, "IPAddress"));
    docker_networks_put(&w->networks, meta_text(network, "NetworkID"), b);
    meta_add(&w->targets, labels_build(b, true));
}

static bool docker_add_ports(struct docker_writer *w, const struct labels *common, const struct value *container,
                             const struct value *network)
{
    const struct value *ports = meta_member(container, "Ports");
    bool added = false;
    for (size_t i = 0; i < meta_items(ports); i++) {
        const struct value *port = value_item(ports, i);
        cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
        const int64_t private = meta_number(port, "PrivatePort"), public = meta_number(port, "PublicPort");
        if (!str_is(meta_text(port, "Type"), "tcp"))
            continue;
        labels_builder_from(&b, common);
        meta_put_address(&b, meta_text(network, "IPAddress"), private);
        meta_put_number(&b, PREFIX "_port_private", private);
        if (public > 0) {
            meta_put_number(&b, PREFIX "_port_public", public);
            meta_put(&b, PREFIX "_port_public_ip", meta_text(port, "IP"));
        }
        docker_add(w, &b, network);
        added = true;
    }
    return added;
}

static void docker_add_network(struct docker_writer *w, const struct labels *common, const struct value *container,
                               const struct value *network)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    if (docker_add_ports(w, common, container, network))
        return;
    labels_builder_from(&b, common);
    if (str_is(meta_text(container, "HostConfig.NetworkMode"), "host"))
        meta_put(&b, "__address__", str_of(w->options->host_networking_host));
    else if (meta_text(network, "IPAddress").n)
        meta_put_address(&b, meta_text(network, "IPAddress"), w->options->port);
    docker_add(w, &b, network);
}

static void docker_add_container(struct docker_writer *w, const struct value *container)
{
    const struct value *networks = docker_networks_of(w, container);
    struct labels *common = docker_container_labels(container);
    cleanup_free struct docker_sorted *sorted = docker_sort(networks, NULL);
    size_t n = meta_len(networks);
    if (n > 1 && w->options->match_first_network)
        n = 1;
    for (size_t i = 0; i < n; i++)
        docker_add_network(w, common, container, sorted[i].item);
    if (n)
        labels_unref(common);
    else
        meta_add(&w->targets, common);
}

void docker_targets(const struct value *containers, const struct value *networks,
                    const struct docker_target_options *options, struct targets *ret)
{
    struct docker_writer w = {.options = options, .by_id = STRMAP_INIT};
    const size_t n = meta_items(containers);
    cleanup_free struct docker_sorted *sorted = docker_sort(n ? containers : NULL, "Id");
    docker_networks_read(&w.networks, networks, PREFIX);
    for (size_t i = 0; i < n; i++)
        if (sorted[i].key.n)
            strmap_put(&w.by_id, sorted[i].key, value_item(containers, sorted[i].place));
    for (size_t i = 0; i < n; i++)
        if (sorted[i].key.n)
            docker_add_container(&w, sorted[i].item);
    strmap_done(&w.by_id);
    docker_networks_done(&w.networks);
    *ret = w.targets.list;
}
