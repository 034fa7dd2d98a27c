/* The targets in one file of groups, JSON or YAML:
 *
 *     [{"targets": ["10.0.0.1:80"], "labels": {"env": "prod"}}]
 *
 * Each entry of `targets` becomes a target with it as `__address__`, the labels of its group, and the path as
 * `__meta_filepath`. As in the reference unknown keys are refused; in YAML a scalar counts as it is written, in JSON
 * only strings do. Source: spec components §5.5.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/targets.h"

/* Bytes of one file: what the readers of both formats take. */
enum { GROUPS_TEXT_MAX = 4 << 20 };

/* By its ending, in any case: .json, .yml, .yaml. */
bool groups_path_ok(const char *path);
/* The path decides on the format. The error says where in the text, not which file. */
must_check int groups_read(const char *path, struct str text, struct targets *ret, struct err *err);
