/* Objects of the Kubernetes API as targets: kept up to date at the cost of what changes.
 *
 * One kind of object, the role, has targets; the others are there to be looked up: pods and services behind endpoints,
 * nodes and namespaces whose metadata is attached. Of an object only what is needed is kept: its targets; of nodes and
 * namespaces their labels; of endpoints, and of the pods and services they are joined with, the JSON that the targets
 * are made from. An object remembers who looked it up, so that a change of it renews those.
 *
 * An object that comes again unchanged costs a comparison: of its resource version, or with kubernetes_store_known() of
 * a hash of its text. Loop thread only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "flow/labels.h"
#include "kubernetes/kube_kind.h"

struct kubernetes_store;

/* Metadata of nodes: pods of unknown nodes have no targets then, as nodes may be selected. */
struct kubernetes_store *kubernetes_store_new(enum kube_kind role, bool attach_node, bool attach_namespace);
void kubernetes_store_free(struct kubernetes_store *s);

/* Sources are lists, numbered from 0, each of one kind: what was not put between begin and end is removed by the
 * latter.
 */
void kubernetes_store_begin(struct kubernetes_store *s, unsigned source);
void kubernetes_store_end(struct kubernetes_store *s, enum kube_kind kind, unsigned source);

enum kubernetes_change { KUBERNETES_SAME, KUBERNETES_ADDED, KUBERNETES_UPDATED, KUBERNETES_DELETED };
/* The object exists and is as it says; parts of it may be deleted here. */
enum kubernetes_change kubernetes_store_put(struct kubernetes_store *s, enum kube_kind kind, unsigned source,
                                            json_t *object);
enum kubernetes_change kubernetes_store_delete(struct kubernetes_store *s, enum kube_kind kind, const json_t *object);

/* Whether an object was put from this very text, and is still as it was; it counts as put, then. */
bool kubernetes_store_known(struct kubernetes_store *s, unsigned source, struct str text);
/* As kubernetes_store_put(), remembering the text. The resource version is not trusted: a kubelet changes the status of
 * its pods without it. */
enum kubernetes_change kubernetes_store_put_text(struct kubernetes_store *s, enum kube_kind kind, unsigned source,
                                                 json_t *object, struct str text);

/* Renews what depends on changed objects; whether any target differs from the last time. */
bool kubernetes_store_settle(struct kubernetes_store *s);
/* All targets in the order of their objects' names: an array to be freed, of borrowed sets. */
struct labels **kubernetes_store_targets(const struct kubernetes_store *s, size_t *ret_len);
/* Objects that may have targets. */
size_t kubernetes_store_len(const struct kubernetes_store *s);
