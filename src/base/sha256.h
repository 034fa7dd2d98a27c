/* SHA-256 (FIPS 180-4). */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum { SHA256_SIZE = 32 };

void sha256(struct str text, uint8_t out[SHA256_SIZE]);
