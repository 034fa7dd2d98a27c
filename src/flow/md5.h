/* MD5, only because the relabelling action hashmod is defined by it; not for security. Source: RFC 1321. */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum { MD5_SIZE = 16 };

void md5(struct str text, uint8_t out[MD5_SIZE]);
