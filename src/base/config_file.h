/* A configuration file in memory. `name` is shown in messages. Ownership is documented by the provider. */
#pragma once

#include <stddef.h>

struct config_file {
    const char *name;
    const char *text;
    size_t len;
};
