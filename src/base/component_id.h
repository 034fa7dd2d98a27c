/* What names a component in messages and metrics: "a.b.c", or within modules "module.m/a.b.c". */
#pragma once

#include <string.h>

#include "base/str.h"

/* Its own name, behind the last slash, and the modules it is in, "" at the root. Both borrowed. */
static inline const char *component_id_split(const char *id, struct str *modules)
{
    const char *slash = strrchr(id, '/');
    *modules = (struct str){id, slash ? (size_t)(slash - id) : 0};
    return slash ? slash + 1 : id;
}
