/* The `name` parameter of /ingest: "shop.cpu{region=eu,pod=a}", an application and its labels.
 *
 * Source: spec components §4.6 (labelset of Pyroscope): white space around names and values is not part of them, a
 * value ends at the next comma or brace, what follows the closing brace is ignored.
 */
#pragma once

#include "base/err.h"
#include "flow/labels.h"

/* New reference: the application as __name__, and the labels. -EINVAL with the texts of the reference. */
must_check int ingest_name_parse(struct str text, struct labels **ret, struct err *err);
