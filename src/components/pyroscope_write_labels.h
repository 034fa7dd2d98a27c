/* Maps the labels of a profile to those it is pushed with. Source: spec components §4.3. */
#pragma once

#include "base/err.h"
#include "flow/labels.h"
#include "lang/schema.h"

/* Validates the labels of a profile, removes those that start with "__" except __name__ and __delta__, and applies the
 * external labels: they take precedence, and an empty value removes a label. New reference. */
must_check int write_labels(const struct labels *in, const struct string_map *external, struct labels **ret,
                            struct err *err);
