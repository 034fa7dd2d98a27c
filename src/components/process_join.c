#include "components/process_join.h"

#include "base/cleanup.h"

struct str process_join_id(const struct labels *container)
{
    struct str id = labels_get(container, STR("__container_id__"));
    if (id.n)
        return id;
    id = labels_get(container, STR("__meta_kubernetes_pod_container_id"));
    if (!id.n) {
        id = labels_get(container, STR("__meta_docker_container_id"));
        return id.n ? id : labels_get(container, STR("__meta_dockerswarm_task_container_id"));
    }
    static const struct str runtimes[] = {{"docker://", 9}, {"containerd://", 13}, {"cri-o://", 8}};
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
        if (str_has_prefix(id, runtimes[i]))
            return (struct str){id.p + runtimes[i].n, id.n - runtimes[i].n};
    return (struct str){0};
}

void process_join_init(struct process_join *j, const struct targets *containers)
{
    *j = (struct process_join){STRMAP_INIT};
    for (size_t i = 0; i < containers->len; i++) {
        struct str id = process_join_id(containers->items[i]);
        if (id.n)
            strmap_put(&j->by_id, id, containers->items[i]);
    }
}

void process_join_done(struct process_join *j)
{
    strmap_done(&j->by_id);
}

struct labels *process_join_apply(const struct process_join *j, struct labels *process, bool delegated)
{
    struct str id = labels_get(process, STR("__container_id__"));
    const struct labels *container = id.n ? strmap_get(&j->by_id, id) : NULL;
    if (!container || (delegated && labels_get(container, STR("__meta_kubernetes_pod_container_id")).n))
        return labels_ref(process);
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    labels_builder_from(&b, process);
    for (size_t i = 0; i < labels_len(container); i++) {
        const struct label *l = labels_at(container, i);
        labels_set(&b, l->name, l->value);
    }
    return labels_build(&b, true);
}
