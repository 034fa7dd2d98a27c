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

/* All labels of a stored series: those of the key, and those that Pyroscope derives from them (__service_name__,
 * __type__, __unit__, __period_type__, __period_unit__). Texts are borrowed from the key. */
void labels_key_expand(struct str key, struct label_list *out);
/* The parts of "process_cpu:cpu:nanoseconds:cpu:nanoseconds"; missing ones are "". */
enum { TYPE_NAME, TYPE_SAMPLE, TYPE_UNIT, TYPE_PERIOD, TYPE_PERIOD_UNIT, TYPE_PARTS };
void profile_type_split(struct str type, struct str parts[static TYPE_PARTS]);

/* Whether a sample label splits a profile into series; its texts, of which at least one byte each. */
bool label_may_split(struct str key, struct str value);
bool label_splits(const struct symbols *symbols, const struct pprof_label *label);
