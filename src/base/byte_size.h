/* Sizes as configurations write them: "24MiB", "512k", "1g". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In bytes; units are powers of 1024. False when it is no such size. */
bool byte_size_parse(const char *text, uint64_t *ret);
