/* Targets of an object of any kind, and what of an object has to be kept to make them again.
 *
 * Endpoints and endpoint slices have labels of the pods and the service they refer to, which are looked up by the
 * caller. Metadata of nodes and namespaces is attached by the caller, too (kube_put_attached()).
 * Source: Prometheus v0.313 discovery/kubernetes; spec components §5.2.
 */
#pragma once

#include "kubernetes/kube_kind.h"
#include "kubernetes/kube_object.h"

/* New reference, or NULL if there is none. */
typedef json_t *kube_lookup(void *arg, enum kube_kind kind, struct str space, struct str name);

/* Appends. `lookup` is called for endpoints and endpoint slices only. */
void kube_role_targets(enum kube_kind kind, const json_t *object, kube_lookup *lookup, void *arg,
                       struct kube_targets *ret);
/* Deletes from the object what kube_role_targets() and look-ups of it do not read, such as managedFields. */
void kube_role_prune(enum kube_kind kind, json_t *object);

/* Labels of a node or namespace that are attached to targets. */
struct labels *kube_role_attached(enum kube_kind kind, const json_t *object);
/* Whether the label is one of those. */
bool kube_role_is_attached(enum kube_kind kind, struct str label);
