/* Label sets: name -> value, sorted by name, immutable, shared by reference counting (loop thread only).
 *
 * An empty value is kept as is; relabelling treats it as "absent" and its builder drops it. NULL reads as the empty
 * set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct label {
    struct str name, value; /* NUL-terminated, owned by the set */
};
struct labels; /* opaque */

size_t labels_len(const struct labels *ls);
/* The ones that follow it lie behind it. */
const struct label *labels_at(const struct labels *ls, size_t i);
/* "" when missing. Borrowed. */
struct str labels_get(const struct labels *ls, struct str name);
bool labels_has(const struct labels *ls, struct str name);
bool labels_equal(const struct labels *a, const struct labels *b);
uint64_t labels_hash(const struct labels *ls);
/* {a="b", c="d"} */
void labels_print(const struct labels *ls, struct buf *out);
struct labels *labels_ref(const struct labels *ls);
void labels_unref(const struct labels *ls);

/* Building: start from nothing or from a set, set and delete, then make a new set. A builder that starts from a set
 * borrows its texts and, if nothing changes, builds that same set again: relabelling that keeps a target as it is costs
 * no memory. */
struct labels_builder {
    struct label *items; /* sorted by name */
    size_t len, cap;
    struct labels *base; /* the set it started from; one reference */
    bool changed;        /* differs from base */
};
#define LABELS_BUILDER_INIT ((struct labels_builder){0})
/* Forgets what the builder held. */
void labels_builder_from(struct labels_builder *b, const struct labels *ls);
/* Copies both; an empty value is stored. Replaces. */
void labels_set(struct labels_builder *b, struct str name, struct str value);
void labels_del(struct labels_builder *b, struct str name);
struct str labels_builder_get(const struct labels_builder *b, struct str name);
/* New reference; the builder is empty afterwards and can be used again. drop_empty leaves labels with empty values
 * out. */
struct labels *labels_build(struct labels_builder *b, bool drop_empty);
void labels_builder_done(struct labels_builder *b);
#define cleanup_labels_builder __attribute__((cleanup(labels_builder_done)))
