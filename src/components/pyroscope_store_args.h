/* The arguments of pyroscope.store. */
#pragma once

#include "lang/schema.h"

struct store_args {
    char *path;     /* "" = the agent's store */
    int64_t keep;   /* ns */
    char *max_size; /* "1GiB" */
};

extern const struct schema store_schema;

int64_t store_args_bytes(const struct store_args *a);
