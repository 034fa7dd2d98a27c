/* Maps the labels of a profile to those it is pushed with. Source: spec components §4.3. */
#pragma once

#include "base/err.h"
#include "flow/labels.h"
#include "lang/schema.h"

/* Checks the labels as they came, leaves out those that start with "__" except __name__ and __delta__, and lays the external
 * labels over them: these win, and an empty one deletes. New reference. */
must_check int write_labels(const struct labels *in, const struct string_map *external, struct labels **ret,
                            struct err *err);
