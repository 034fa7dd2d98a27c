/* Access to JSON objects of the Kubernetes API, and the labels that all kinds have in common.
 *
 * What is missing or of another type reads as empty: an object of a future version must not stop a discovery. Labels
 * are set with empty values, too, as the reference does.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "flow/labels.h"

/* Borrowed; lives as long as `o`. NULL for o is fine, as for all functions here. */
struct str kube_str(const json_t *o, const char *key);
/* Whether it is there as a string. */
bool kube_has_str(const json_t *o, const char *key, struct str *ret);
bool kube_has_int(const json_t *o, const char *key, int64_t *ret);
bool kube_has_bool(const json_t *o, const char *key, bool *ret);
/* A member of type object or array, else NULL. Borrowed. */
json_t *kube_get(const json_t *o, const char *key);

/* __meta_kubernetes_<name> */
void kube_put(struct labels_builder *b, const char *name, struct str value);
void kube_put_int(struct labels_builder *b, const char *name, int64_t value);
void kube_put_bool(struct labels_builder *b, const char *name, bool value);
/* Nothing is set for what is missing. */
void kube_put_str(struct labels_builder *b, const char *name, const json_t *o, const char *key);
/* __meta_kubernetes_<prefix><key>, with everything in the key that is not a letter, digit or `_` replaced by `_`. */
void kube_put_key(struct labels_builder *b, const char *prefix, struct str key, struct str value);
/* For each label and annotation of the object: <role>_label_…, <role>_labelpresent_…, <role>_annotation_… and
 * <role>_annotationpresent_… */
void kube_put_metadata(struct labels_builder *b, const char *role, const json_t *object);
/* __address__: host:port, with an IPv6 address in brackets; without a port if it is negative. */
void kube_put_address(struct labels_builder *b, struct str host, int64_t port);

/* Finds a target list's end: grows by one. */
struct kube_targets {
    struct labels **items; /* one reference each */
    size_t len, cap;
};
/* Takes the builder's labels. */
void kube_targets_add(struct kube_targets *t, struct labels_builder *b);
void kube_targets_done(struct kube_targets *t);
#define cleanup_kube_targets __attribute__((cleanup(kube_targets_done)))
