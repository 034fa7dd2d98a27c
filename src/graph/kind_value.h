/* Block kinds without an instance: arguments and exports of a module, inputs of a template.
 */
#pragma once

#include "graph/instance.h"

/* kind_none: declares, settings, skipped blocks. */
extern const struct block_kind kind_argument, kind_export, kind_input, kind_none;
