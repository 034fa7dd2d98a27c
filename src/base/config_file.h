/* A configuration file in memory. `name` is what messages show. Who owns both is said where one is handed over. */
#pragma once

#include <stddef.h>

struct config_file {
    const char *name;
    const char *text;
    size_t len;
};
