/* YAML to values. Parses with libyaml, which is loaded on first use.
 *
 * Plain scalars follow the reference, Go's yaml.v3: true/false and null in three spellings, decimal, 0x, 0o, 0b and
 * leading-0 integers with underscores, floats, .inf, .nan; timestamps become RFC 3339 strings; yes, no, on, off are
 * strings. Merge keys (<<) are supported. Only the first document is used; no document is null. Non-string keys keep
 * their text. Untrusted text is limited in bytes, depth, and values with all aliases expanded.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "lang/value.h"

enum { YAML_TEXT_MAX = 4 << 20, YAML_VALUES_MAX = 1 << 18, YAML_DEPTH_MAX = 500 };

/* *ret is a new reference. -EINVAL "yaml: line 2: …"; -E2BIG beyond a bound; -ELIBACC with what to install. */
must_check int yaml_read(struct str text, struct value **ret, struct err *err);
/* As yaml_read(), but scalars other than null are strings, as they are written: what is decoded into text must not
 * become 1.1 from 1.10 on the way. */
must_check int yaml_read_strings(struct str text, struct value **ret, struct err *err);
