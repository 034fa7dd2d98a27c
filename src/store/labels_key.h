/* The storage key of a label set: name NUL value NUL …, sorted by name. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "flow/labels.h"
#include "pprof/symbols.h"
#include "store/limits.h"

enum { LABEL_NAME_MAX = 1024, LABEL_VALUE_MAX = 2048, LABELS_KEY_MAX = 256 << 10 };

struct label_list {
    struct label items[STORE_LABELS_MAX + 8]; /* sorted by name; some for labels the store adds; texts are borrowed */
    size_t len;
};

/* Validates and sorts a pushed label set; drops __session_id__, __delta__ and __profile_type__; adds a missing
 * service_name. -EINVAL with the message of the reference. */
must_check int label_list_of(struct label_list *out, const struct label *labels, size_t n, struct err *err);
/* "" when missing. */
struct str label_list_get(const struct label_list *ls, struct str name);
/* Inserts a label unless its name is present with a value. False: the list is full. */
bool label_list_add(struct label_list *ls, struct str name, struct str value);
void label_list_key(const struct label_list *ls, struct buf *out);
/* {a="b", c="d"} */
void label_list_print(const struct label *labels, size_t n, struct buf *out);

/* Whether the key has this label with this value. */
bool labels_key_matches(struct str key, struct str name, struct str value);

/* Whether a sample label splits a profile into series; its texts, of which at least one byte each. */
bool label_may_split(struct str key, struct str value);
bool label_splits(const struct symbols *symbols, const struct pprof_label *label);
