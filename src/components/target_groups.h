/* Parses target groups, JSON or YAML, of a file or of an HTTP server:
 *
 *     [{"targets": ["10.0.0.1:80"], "labels": {"env": "prod"}}]
 *
 * Each entry of `targets` is a target with the entry as `__address__`, the labels of its group, and where it is from:
 * the path as `__meta_filepath`, the URL as `__meta_url`. As in the reference unknown keys are errors; YAML scalars are
 * used as written, in JSON only strings are accepted. Source: spec components §5.5.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/targets.h"

/* Bytes of one file; both parsers accept as much. */
enum { GROUPS_TEXT_MAX = 4 << 20 };

/* Whether its extension is .json, .yml or .yaml, in any case. */
bool groups_path_ok(const char *path);
/* The extension selects the format. The error has the position in the text, not the path. */
must_check int groups_read(const char *path, struct str text, struct targets *ret, struct err *err);
/* JSON from an HTTP server. */
must_check int groups_read_url(const char *url, struct str text, struct targets *ret, struct err *err);
