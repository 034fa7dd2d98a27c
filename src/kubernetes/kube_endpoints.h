/* Endpoints and endpoint slices: one target per address and port, and one per further port of the pods behind them.
 *
 * Source: Prometheus v0.313 discovery/kubernetes/endpoints.go and endpointslice.go.
 */
#pragma once

#include "kubernetes/kube_kind.h"
#include "kubernetes/kube_object.h"

/* As kube_lookup() of kubernetes/kube_role.h. */
typedef json_t *kube_endpoints_lookup(void *arg, enum kube_kind kind, struct str space, struct str name);

void kube_endpoints_targets(const json_t *endpoints, kube_endpoints_lookup *lookup, void *arg,
                            struct kube_targets *ret);
void kube_endpointslice_targets(const json_t *slice, kube_endpoints_lookup *lookup, void *arg,
                                struct kube_targets *ret);
/* Namespace, name, labels and annotations of a service. */
void kube_service_put_labels(struct labels_builder *b, const json_t *service);
