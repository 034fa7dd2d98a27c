/* remote.kubernetes.secret: the data of a Secret. See remote_kubernetes_object.h. */
#include "components/remote_kubernetes_object.h"

static int remote_kubernetes_secret_build(struct component *self, const void *args, void **ret_state, struct err *err)
{
    static const struct remote_object_kind kind = {.plural = "secrets", .got = "got secret", .is_secret = true};
    return remote_object_build(self, &kind, args, ret_state, err);
}

const struct component_def remote_kubernetes_secret = {
    .name = "remote.kubernetes.secret",
    .help = "Exports the data of a Kubernetes Secret, and polls it for changes.",
    .stability = STABILITY_GA,
    .args = &remote_object_schema,
    .exports = remote_object_exports,
    .exports_late = true,
    .build = remote_kubernetes_secret_build,
    .update = remote_object_update,
    .start = remote_object_start,
    .stop = remote_object_stop,
    .free = remote_object_free,
};
