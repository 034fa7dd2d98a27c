/* The storage key of a label set: name NUL value NUL …, sorted by name. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "pprof/symbols.h"
#include "store/store.h"

enum { LABEL_NAME_MAX = 1024, LABEL_VALUE_MAX = 2048, LABELS_KEY_MAX = 256 << 10 };

struct label_list {
    struct label items[STORE_LABELS_MAX + 8]; /* sorted by name; room for what the store adds; borrowed text */
    size_t len;
};

/* Checks a pushed label set and sorts it, without __session_id__ and __delta__ and with a service_name. -EINVAL with Pyroscope's words. */
must_check int label_list_of(struct label_list *out, const struct label *labels, size_t n, struct err *err);
/* "" when missing. */
struct str label_list_get(const struct label_list *ls, struct str name);
/* Puts a label in its place unless the name is there; false when the list is full. */
bool label_list_add(struct label_list *ls, struct str name, struct str value);
void label_list_key(const struct label_list *ls, struct buf *out);
/* {a="b", c="d"} */
void label_list_print(const struct label *labels, size_t n, struct buf *out);

/* Does the key have this label with this value? */
bool labels_key_matches(struct str key, struct str name, struct str value);

/* Whether a sample's label makes a series. */
bool label_splits(const struct symbols *symbols, const struct pprof_label *label);
