/* The value of a YAML scalar, by its tag or its syntax. Source: see lang/yaml.h. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "lang/value.h"

/* `tag` as libyaml gives it, NULL = none; `plain`: without quotes. -EINVAL: "cannot decode …". *ret is a new
 * reference. */
must_check int yaml_scalar(const char *tag, bool plain, struct str text, struct value **ret, struct err *err);
